#include "common/base/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace candor {

std::string WithCommas(std::int64_t value) {
  std::string text = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string Short(std::int64_t value) {
  if (value < 10'000) return WithCommas(value);
  double scaled = static_cast<double>(value);
  for (const char* unit : {"k", "M", "G"}) {
    scaled /= 1000;
    // 999,950 would round to "1000.0k".
    if (scaled < 99.95) return fmt::format("{:.1f}{}", scaled, unit);
    if (scaled < 999.5) return fmt::format("{:.0f}{}", scaled, unit);
  }
  return fmt::format("{:.1f}T", scaled / 1000);
}

std::string Money(std::int64_t nanos) {
  const double units = static_cast<double>(nanos) * 1e-9;
  if (nanos > 0 && units < 0.0001) return "<0.0001";
  return units < 1 ? fmt::format("{:.4f}", units) : fmt::format("{:.2f}", units);
}

std::string ExactMoney(std::int64_t nanos) {
  constexpr std::int64_t kUnit = 1'000'000'000;
  std::string text = (nanos < 0 && nanos > -kUnit ? "-" : "") + WithCommas(nanos / kUnit);
  if (nanos % kUnit == 0) return text;
  std::string digits = fmt::format("{:09}", std::abs(nanos % kUnit));
  digits.erase(digits.find_last_not_of('0') + 1);
  return text + "." + digits;
}

std::string Printable(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, among them a terminal's other way to begin an escape sequence.
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    const bool control = (c < 0x20 && !(lines && c == '\n')) || c == 0x7F || c1;
    out += control ? ' ' : static_cast<char>(c);
  }
  return out;
}

std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  }));
}

std::string Clip(std::string_view text, std::size_t columns) {
  if (Columns(text) <= columns) return std::string(text);
  const std::size_t keep = columns > 3 ? columns - 3 : columns;
  std::size_t seen = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80 && seen++ == keep) break;
  }
  return std::string(text.substr(0, end)) + (columns > 3 ? "..." : "");
}

std::string PadRight(std::string_view text, std::size_t columns) {
  std::string out(text);
  const std::size_t have = Columns(text);
  if (have < columns) out.append(columns - have, ' ');
  return out;
}

std::string PadLeft(std::string_view text, std::size_t columns) {
  const std::size_t have = Columns(text);
  return std::string(have < columns ? columns - have : 0, ' ') + std::string(text);
}

Table::Table(std::vector<std::string> header) : header_(std::move(header)) {
  for (std::string& name : header_) {
    right_.push_back(!name.empty() && name.front() == '>');
    if (right_.back()) name.erase(0, 1);
  }
}

std::string Table::Text() const {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < header_.size(); ++column) {
    std::size_t width = Columns(header_[column]);
    for (const auto& row : rows_) width = std::max(width, Columns(row[column]));
    widths.push_back(width);
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (column > 0) line += "  ";
      line += right_[column] ? PadLeft(row[column], widths[column])
                             : PadRight(row[column], widths[column]);
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  add(header_);
  for (const auto& row : rows_) add(row);
  return text;
}

}  // namespace candor
