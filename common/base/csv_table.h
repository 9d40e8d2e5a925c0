// Tables in CSV: a header row that names the columns, and rows whose cells have types. Every error
// names the file, the line, and the column by its name.
//
//   CANDOR_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
//   CANDOR_ASSIGN_OR_RETURN(CsvTable table, CsvTable::Create(path, text));
//   CANDOR_ASSIGN_OR_RETURN(const std::size_t scenario, table.Column("scenario"));
//   CANDOR_ASSIGN_OR_RETURN(const auto weights, table.Numbered("attr"));   // attr1 .. attrK
//   CsvRow row;
//   while (table.Next(&row)) {
//     if (!row.error.ok()) { Exclude(row.error); continue; }
//     const StatusOr<double> weight = table.Number(row, weights[0]);
//     ...
//   }
#pragma once

#include "common/base/csv.h"
#include "common/base/status.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor {

// Not for concurrent use. `text` must outlive it.
class CsvTable {
 public:
  // Reads the header. `file` is how errors call the text. INVALID_ARGUMENT for a text without a
  // row, for a header that is malformed, and for two columns of one name (several without a name
  // are allowed: nobody can ask for them).
  static StatusOr<CsvTable> Create(std::string file, std::string_view text, CsvLimits limits = {});

  const std::string& file() const { return file_; }
  // In the order of the file.
  const std::vector<std::string>& columns() const { return columns_; }

  // The position of a column, from 0; nothing if there is none.
  std::optional<std::size_t> Find(std::string_view name) const;
  // Likewise; INVALID_ARGUMENT with the nearest name, or all of them, if there is none.
  StatusOr<std::size_t> Column(std::string_view name) const;
  // Of several; the error lists all that are missing.
  StatusOr<std::vector<std::size_t>> Columns(std::span<const std::string> names) const;
  // Positions of "{prefix}1{suffix}", "{prefix}2{suffix}" and so on up to the last that is there:
  // of attr1 .. attr5 five. Takes any order in the file. INVALID_ARGUMENT if there is none, or if a
  // number is left out (attr1, attr3).
  StatusOr<std::vector<std::size_t>> Numbered(std::string_view prefix,
                                              std::string_view suffix = {}) const;
  // INVALID_ARGUMENT with every column that is none of `names`.
  Status AllowOnly(std::span<const std::string> names) const;

  // The next row, as CsvReader::Next; one with fewer or more fields than the header is malformed
  // too. Errors name the file.
  bool Next(CsvRow* row);

  // The cells of a row without an error. `column` is a position from above.
  static std::string_view Cell(const CsvRow& row, std::size_t column) { return row.fields[column]; }
  // INVALID_ARGUMENT if empty or blank.
  StatusOr<std::string_view> Text(const CsvRow& row, std::size_t column) const;
  // A finite number in decimal digits, as "-3.5" or "1e-05", the nearest double. INVALID_ARGUMENT
  // for anything else, "nan", "NA", "inf", "12 kg", "1,5", "+1", " 1" and "" among it.
  StatusOr<double> Number(const CsvRow& row, std::size_t column) const;
  // A whole number in digits. INVALID_ARGUMENT also beyond [min, max].
  StatusOr<std::int64_t> Integer(const CsvRow& row, std::size_t column, std::int64_t min,
                                 std::int64_t max) const;

  // The error of a cell, "{file}: line 3, column 'weight': {what}"; `what` begins with the value
  // (quoted.h) and says what would be right.
  Status CellError(const CsvRow& row, std::size_t column, std::string_view what) const;
  // "{file}: line 3: {what}".
  Status RowError(const CsvRow& row, std::string_view what) const;

 private:
  CsvTable(std::string file, CsvReader reader)
      : file_(std::move(file)), reader_(std::move(reader)) {}

  std::string file_;
  CsvReader reader_;
  std::vector<std::string> columns_;
};

}  // namespace candor
