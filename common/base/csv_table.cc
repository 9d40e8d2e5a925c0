#include "common/base/csv_table.h"

#include "common/base/nearest.h"
#include "common/base/quoted.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

namespace candor {
namespace {

// What would be right in place of a cell that is no number.
std::string WrongNumber(std::string_view cell) {
  constexpr std::string_view kBlanks = " \t";
  if (cell.find_first_not_of(kBlanks) == std::string_view::npos) {
    return "is empty; give a number";
  }
  if (kBlanks.find(cell.front()) != std::string_view::npos ||
      kBlanks.find(cell.back()) != std::string_view::npos) {
    return fmt::format("{} has blanks around it; give the number alone", Quoted(cell));
  }
  const auto comma = std::count(cell.begin(), cell.end(), ',');
  if (comma == 1 && cell.find_first_not_of("-0123456789,") == std::string_view::npos) {
    return fmt::format(
        "{} is no number here; write the decimal point as '.', and none between "
        "thousands",
        Quoted(cell));
  }
  return fmt::format("{} is no number; give digits alone, such as 12 or -3.5", Quoted(cell));
}

}  // namespace

StatusOr<CsvTable> CsvTable::Create(std::string file, std::string_view text, CsvLimits limits) {
  CsvTable table(std::move(file), CsvReader(text, limits));
  CsvRow header;
  if (!table.reader_.Next(&header)) {
    return InvalidArgument("{}: is empty; its first line must name the columns", table.file_);
  }
  if (!header.error.ok()) return Annotate(header.error, table.file_ + ": the header");
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const std::string_view name = header.fields[i];
    if (const auto before = table.Find(name); before && !name.empty()) {
      return InvalidArgument("{}: line {}: columns {} and {} are both called {}; give each its own",
                             table.file_, header.line, *before + 1, i + 1, Quoted(name));
    }
    table.columns_.emplace_back(name);
  }
  return table;
}

std::optional<std::size_t> CsvTable::Find(std::string_view name) const {
  const auto it = std::find(columns_.begin(), columns_.end(), name);
  if (it == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(it - columns_.begin());
}

StatusOr<std::size_t> CsvTable::Column(std::string_view name) const {
  const std::string names[] = {std::string(name)};
  CANDOR_ASSIGN_OR_RETURN(const std::vector<std::size_t> positions, Columns(names));
  return positions.front();
}

StatusOr<std::vector<std::size_t>> CsvTable::Columns(std::span<const std::string> names) const {
  std::vector<std::size_t> positions;
  std::vector<std::string> missing;
  bool near = false;
  for (const std::string& name : names) {
    if (const auto position = Find(name)) {
      positions.push_back(*position);
      continue;
    }
    const std::string nearest = NearestName(name, columns_);
    near = near || !nearest.empty();
    missing.push_back(nearest.empty()
                          ? Quoted(name)
                          : fmt::format("{} (is it {}?)", Quoted(name), Quoted(nearest)));
  }
  if (missing.empty()) return positions;
  std::string present;
  if (!near) {
    constexpr std::size_t kShown = 20;
    const std::size_t shown = std::min(columns_.size(), kShown);
    present = fmt::format(
        "; it has {}{}",
        fmt::join(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
        shown < columns_.size() ? ", ..." : "");
  }
  return InvalidArgument("{}: has no column {}{}", file_, fmt::join(missing, ", "), present);
}

StatusOr<std::vector<std::size_t>> CsvTable::Numbered(std::string_view prefix,
                                                      std::string_view suffix) const {
  const auto name = [&](std::size_t number) {
    return fmt::format("{}{}{}", prefix, number, suffix);
  };
  // Position of each number that is there. A number above the count of columns leaves one out.
  std::vector<std::optional<std::size_t>> found(columns_.size() + 1);
  std::size_t count = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string_view column = columns_[i];
    if (!column.starts_with(prefix) || !column.ends_with(suffix)) continue;
    if (column.size() <= prefix.size() + suffix.size()) continue;
    const std::string_view digits =
        column.substr(prefix.size(), column.size() - prefix.size() - suffix.size());
    std::size_t number = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (result.ec != std::errc() || name(number) != column || number == 0) continue;
    ++count;
    last = std::max(last, number);
    if (number <= columns_.size()) found[number] = i;
  }
  if (count == 0) return Column(name(1)).status();
  std::vector<std::size_t> positions;
  for (std::size_t number = 1; number <= count; ++number) {
    if (!found[number]) {
      return InvalidArgument("{}: has a column {} and no {}; number them from 1 without a gap",
                             file_, Quoted(name(last)), Quoted(name(number)));
    }
    positions.push_back(*found[number]);
  }
  return positions;
}

Status CsvTable::AllowOnly(std::span<const std::string> names) const {
  std::vector<std::string> unknown;
  for (const std::string& column : columns_) {
    if (std::find(names.begin(), names.end(), column) == names.end()) {
      unknown.push_back(Quoted(column));
    }
  }
  if (unknown.empty()) return {};
  return InvalidArgument("{}: has unknown columns: {} (known: {})", file_, fmt::join(unknown, ", "),
                         fmt::join(names, ", "));
}

bool CsvTable::Next(CsvRow* row) {
  if (!reader_.Next(row)) return false;
  if (!row->error.ok()) {
    row->error = Annotate(row->error, file_);
  } else if (row->fields.size() != columns_.size()) {
    row->error = RowError(*row, fmt::format("has {} column{}, the header {}", row->fields.size(),
                                            row->fields.size() == 1 ? "" : "s", columns_.size()));
    row->fields.clear();
  }
  return true;
}

StatusOr<std::string_view> CsvTable::Text(const CsvRow& row, std::size_t column) const {
  const std::string_view cell = Cell(row, column);
  if (cell.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return CellError(row, column, "is empty; give a text");
  }
  return cell;
}

StatusOr<double> CsvTable::Number(const CsvRow& row, std::size_t column) const {
  const std::string_view cell = Cell(row, column);
  double value = 0;
  const auto result = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (result.ptr != cell.data() + cell.size() || result.ec == std::errc::invalid_argument) {
    return CellError(row, column, WrongNumber(cell));
  }
  if (result.ec == std::errc::result_out_of_range) {
    return CellError(row, column, fmt::format("{} is beyond what a double holds", Quoted(cell)));
  }
  if (!std::isfinite(value)) {
    return CellError(row, column,
                     fmt::format("{} is no finite number; give one, or leave the row "
                                 "out",
                                 Quoted(cell)));
  }
  return value;
}

StatusOr<std::int64_t> CsvTable::Integer(const CsvRow& row, std::size_t column, std::int64_t min,
                                         std::int64_t max) const {
  const std::string_view cell = Cell(row, column);
  std::int64_t value = 0;
  const auto result = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (result.ptr != cell.data() + cell.size() || result.ec == std::errc::invalid_argument) {
    return CellError(
        row, column,
        fmt::format("{} is no whole number; give one from {} to {}", Quoted(cell), min, max));
  }
  if (result.ec == std::errc::result_out_of_range || value < min || value > max) {
    return CellError(row, column, fmt::format("{} is beyond {} to {}", Quoted(cell), min, max));
  }
  return value;
}

Status CsvTable::CellError(const CsvRow& row, std::size_t column, std::string_view what) const {
  return InvalidArgument("{}: line {}, column {}: {}", file_, row.line, Quoted(columns_[column]),
                         what);
}

Status CsvTable::RowError(const CsvRow& row, std::string_view what) const {
  return InvalidArgument("{}: line {}: {}", file_, row.line, what);
}

}  // namespace candor
