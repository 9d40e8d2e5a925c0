// Reading of comma-separated values, as RFC 4180 has them, row by row: a row that is malformed is
// named and kept out, and reading goes on behind it.
//
//   CsvReader reader(text);
//   CsvRow row;
//   while (reader.Next(&row)) {
//     if (row.error.ok()) Use(row.fields); else Report(row.error);
//   }
//
// A byte-order mark in front is skipped, lines end in LF or CRLF (line breaks within quotes are
// kept as they are), the last one may lack its end, and blank lines are no rows. Rows may differ in
// their number of fields. csv_table.h reads tables: named columns, cells with types.
#pragma once

#include "common/base/status.h"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace candor {

// What one row may take; a longer one is an error of that row.
struct CsvLimits {
  // Bytes of the row as written, with quotes and line breaks.
  std::size_t row_bytes = std::size_t{16} << 20U;
  std::size_t fields = 10'000;
};

// One row: a line, or more where a quoted field holds line breaks.
struct CsvRow {
  // The line of the text on which it begins, from 1.
  std::size_t line = 0;
  // Valid until the next call of Next and as long as the text. Empty when there is an error.
  std::vector<std::string_view> fields;
  // INVALID_ARGUMENT with line and column (in bytes, from 1) for a quote within an unquoted field,
  // text after a closing quote, a quote that never closes, a CR without LF, bytes that are no
  // UTF-8, a NUL, and what is above a limit.
  Status error;
};

// The rows of a text, which must outlive the reader. Takes memory for one row, and time linear in
// the text whatever stands in it.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text, CsvLimits limits = {});

  // The next row, malformed or not; false at the end of the text. After a malformed row reading
  // goes on in the line below the one on which that row begins: a quote that opens by mistake does
  // not hide the lines that it seems to hold.
  bool Next(CsvRow* row);

 private:
  Status ReadFields(CsvRow* row);
  Status ReadPlain(std::string_view* field);
  Status ReadQuoted(std::string_view* field);
  // What is no text in the bytes of the row from `begin`, on line `line`, to here.
  Status CheckText(std::size_t begin, std::size_t line) const;

  bool AtEnd() const { return at_ == end_; }
  bool TooLong() const { return at_ - row_begin_ > limits_.row_bytes; }
  bool AtLineEnd() const;
  bool SkipLineEnd();
  void StartLine();
  std::size_t Column() const { return at_ - line_begin_ + 1; }

  std::string_view text_;
  CsvLimits limits_;
  // The row's limit or the end of the text, whichever comes first.
  std::size_t end_ = 0;
  std::size_t at_ = 0;
  std::size_t row_begin_ = 0;
  std::size_t line_ = 1;
  std::size_t line_begin_ = 0;
  // Fields of the row that are not in the text as they stand: doubled quotes.
  std::deque<std::string> unescaped_;
};

// One row of its own.
struct CsvRecord {
  // The line of the text on which it begins, from 1.
  std::size_t line = 0;
  std::vector<std::string> fields;
};

// All rows of a text, or the error of the first that is malformed.
//
//   ParseCsv("a,\"b \"\"x\"\"\"\r\n")  ->  {{1, {"a", "b \"x\""}}}
StatusOr<std::vector<CsvRecord>> ParseCsv(std::string_view text);

}  // namespace candor
