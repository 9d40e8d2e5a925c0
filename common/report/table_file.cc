#include "common/report/table_file.h"

#include "common/base/csv_text.h"
#include "common/base/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace candor::report {

TableFile::TableFile(std::string_view name, std::initializer_list<std::string_view> header)
    : name_(name), text_(fmt::format("{}", fmt::join(header, ","))) {}

TableFile& TableFile::Row() {
  text_ += '\n';
  ++rows_;
  first_cell_ = true;
  return *this;
}

void TableFile::Begin() {
  if (!first_cell_) text_ += ',';
  first_cell_ = false;
}

TableFile& TableFile::Text(std::string_view text) {
  Begin();
  text_ += CsvText(text);
  return *this;
}

TableFile& TableFile::Number(double value, bool there) {
  Begin();
  if (there && std::isfinite(value)) text_ += ShortestNumber(value);
  return *this;
}

TableFile& TableFile::Count(std::int64_t value, bool there) {
  Begin();
  if (there) text_ += fmt::format_int(value).c_str();
  return *this;
}

TableFile& TableFile::Bool(bool value, bool there) {
  Begin();
  if (there) text_ += value ? "true" : "false";
  return *this;
}

TableFile& TableFile::Ends(const v1::Interval& interval) {
  return Number(interval.low(), interval.has_low()).Number(interval.high(), interval.has_high());
}

TableFile& TableFile::Empty(int cells) {
  for (int cell = 0; cell < cells; ++cell) Begin();
  return *this;
}

File TableFile::Take() { return {std::move(name_), std::move(text_) + "\n"}; }

}  // namespace candor::report
