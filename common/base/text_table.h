// Numbers and tables as people read them in a terminal. Pure.
//
//   Table table({"entry", ">slope"});
//   table.Add({"base", "0.102"});
//   table.Add({"trained", "0.741"});
//   table.Text()  ->  "entry    slope\nbase     0.102\ntrained  0.741\n"
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor {

// 1234567 -> "1,234,567".
std::string WithCommas(std::int64_t value);
// 1234567 -> "1.2M"; below 10,000 as WithCommas.
std::string Short(std::int64_t value);
// Nano-units as "12.34", below 1 as "0.1234"; what would print as zero and is none as "<0.0001".
std::string Money(std::int64_t nanos);
// Nano-units to the last digit: "5", "0.25", "0.000001", "1,000,000".
std::string ExactMoney(std::int64_t nanos);
// The text without what a terminal would obey: control characters become spaces, except line breaks
// where `lines` is true. What providers and models write goes through here.
std::string Printable(std::string_view text, bool lines = false);

// Columns that the text takes: code points of UTF-8.
std::size_t Columns(std::string_view text);
// Cut to at most `columns`, with "..." at the end where something is missing.
std::string Clip(std::string_view text, std::size_t columns);
std::string PadRight(std::string_view text, std::size_t columns);
std::string PadLeft(std::string_view text, std::size_t columns);

// Rows under a header, columns two spaces apart and as wide as they need; columns of numbers to the
// right. The last column is not padded. Every row has as many cells as the header.
class Table {
 public:
  // A header that begins with ">" names a column of numbers.
  explicit Table(std::vector<std::string> header);
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  // Lines, each with its end.
  std::string Text() const;

 private:
  std::vector<std::string> header_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace candor
