#include "common/dialect/numbers.h"

#include "common/dialect/error.h"
#include "common/dialect/limit_headers.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

namespace candor::dialect {
namespace {

std::optional<int> ParseMonth(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (int i = 0; i < 12; ++i) {
    if (kMonths[static_cast<std::size_t>(i)] == text) return i + 1;
  }
  return std::nullopt;
}

}  // namespace

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<double> ParseNumber(std::string_view text) {
  text = Trim(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<int> ParseInt(std::string_view text) {
  text = Trim(text);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<WallTime> MakeTime(std::optional<int> year, std::optional<int> month,
                                 std::optional<int> day, std::string_view time) {
  if (!year || !month || !day || *year < 0 || *year > 9999) return std::nullopt;
  if (time.size() != 8 || time[2] != ':' || time[5] != ':') return std::nullopt;
  const auto hours = ParseInt(time.substr(0, 2));
  const auto minutes = ParseInt(time.substr(3, 2));
  const auto seconds = ParseInt(time.substr(6, 2));
  if (!hours || !minutes || !seconds) return std::nullopt;
  if (*hours < 0 || *hours > 23 || *minutes < 0 || *minutes > 59 || *seconds < 0 || *seconds > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hours) +
         std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
}

std::optional<Duration> ParseGoDuration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total_us = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::size_t unit = text.find_first_of("0123456789.");
    if (unit == std::string_view::npos) unit = text.size();
    const std::string_view word = text.substr(0, unit);
    if (word == "h") {
      total_us += number * 3600e6;
    } else if (word == "m") {
      total_us += number * 60e6;
    } else if (word == "s") {
      total_us += number * 1e6;
    } else if (word == "ms") {
      total_us += number * 1e3;
    } else if (word == "us" || word == "\xC2\xB5s") {
      total_us += number;
    } else if (word == "ns") {
      total_us += number / 1e3;
    } else {
      return std::nullopt;
    }
    text.remove_prefix(unit);
  }
  if (!(total_us < 1e15)) return std::nullopt;
  return Duration(static_cast<std::int64_t>(std::llround(total_us)));
}

std::optional<WallTime> ParseHttpDate(std::string_view text) {
  text = Trim(text);
  const auto comma = text.find(',');
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (comma == 3 && text.size() == 29 && text.ends_with(" GMT")) {
    return MakeTime(ParseInt(text.substr(12, 4)), ParseMonth(text.substr(8, 3)),
                    ParseInt(text.substr(5, 2)), text.substr(17, 8));
  }
  // Sunday, 06-Nov-94 08:49:37 GMT
  if (comma != std::string_view::npos && text.size() == comma + 24 && text.ends_with(" GMT")) {
    const std::string_view rest = text.substr(comma + 2);
    std::optional<int> year = ParseInt(rest.substr(7, 2));
    if (year) *year += *year < 70 ? 2000 : 1900;
    return MakeTime(year, ParseMonth(rest.substr(3, 3)), ParseInt(rest.substr(0, 2)),
                    rest.substr(10, 8));
  }
  // Sun Nov  6 08:49:37 1994
  if (comma == std::string_view::npos && text.size() == 24) {
    return MakeTime(ParseInt(text.substr(20, 4)), ParseMonth(text.substr(4, 3)),
                    ParseInt(text.substr(8, 2)), text.substr(11, 8));
  }
  return std::nullopt;
}

std::optional<WallTime> ParseRfc3339(std::string_view text) {
  text = Trim(text);
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) {
    return std::nullopt;
  }
  auto time = MakeTime(ParseInt(text.substr(0, 4)), ParseInt(text.substr(5, 2)),
                       ParseInt(text.substr(8, 2)), text.substr(11, 8));
  if (!time) return std::nullopt;
  std::string_view rest = text.substr(19);
  if (rest.front() == '.') {
    std::size_t end = 1;
    while (end < rest.size() && rest[end] >= '0' && rest[end] <= '9') ++end;
    const auto fraction = ParseNumber(rest.substr(0, end));
    if (!fraction) return std::nullopt;
    *time += Duration(static_cast<std::int64_t>(*fraction * 1e6));
    rest.remove_prefix(end);
  }
  if (rest == "Z" || rest == "z") return time;
  if (rest.size() != 6 || rest[3] != ':' || (rest[0] != '+' && rest[0] != '-')) return std::nullopt;
  const auto hours = ParseInt(rest.substr(1, 2));
  const auto minutes = ParseInt(rest.substr(4, 2));
  if (!hours || !minutes || *hours < 0 || *hours > 23 || *minutes < 0 || *minutes > 59) {
    return std::nullopt;
  }
  const auto offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return rest[0] == '+' ? *time - offset : *time + offset;
}

}  // namespace candor::dialect
