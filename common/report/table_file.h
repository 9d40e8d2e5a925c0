// One CSV table, written cell by cell.
//
//   TableFile table("weights.csv", {"model", "scenario", "mean"});
//   table.Row().Text("base").Text("plot").Number(fit.mean(0));
#pragma once

#include "common/report/report.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace candor::v1 {
class Interval;
}  // namespace candor::v1

namespace candor::report {

class TableFile {
 public:
  TableFile(std::string_view name, std::initializer_list<std::string_view> header);

  // Begins a row. Its cells follow, as many as the header has.
  TableFile& Row();
  TableFile& Text(std::string_view text);
  // Empty unless it is `there` and a number.
  TableFile& Number(double value, bool there = true);
  TableFile& Count(std::int64_t value, bool there = true);
  TableFile& Bool(bool value, bool there = true);
  // Two cells: low and high.
  TableFile& Ends(const v1::Interval& interval);
  // So many empty cells.
  TableFile& Empty(int cells = 1);

  bool empty() const { return rows_ == 0; }
  // The finished file.
  File Take();

 private:
  void Begin();

  std::string name_;
  std::string text_;
  std::size_t rows_ = 0;
  bool first_cell_ = false;
};

}  // namespace candor::report
