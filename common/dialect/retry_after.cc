#include "common/dialect/retry_after.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

namespace candor::dialect {
namespace {

constexpr double kMaxSaneSeconds = 7.0 * 24 * 3600;

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The whole of `text` as a number.
std::optional<double> ParseNumber(std::string_view text) {
  text = Trim(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A wait that can be meant: ahead, and not absurd.
std::optional<Duration> SaneWait(double seconds) {
  if (!(seconds > 0) || seconds > kMaxSaneSeconds) return std::nullopt;
  const auto wait = Duration(static_cast<std::int64_t>(std::ceil(seconds * 1e6)));
  return std::min(wait, kMaxRetryAfter);
}

std::optional<Duration> SaneWait(std::optional<Duration> wait) {
  if (!wait) return std::nullopt;
  return SaneWait(std::chrono::duration<double>(*wait).count());
}

std::optional<int> ParseInt(std::string_view text) {
  text = Trim(text);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int> ParseMonth(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (int i = 0; i < 12; ++i) {
    if (kMonths[static_cast<std::size_t>(i)] == text) return i + 1;
  }
  return std::nullopt;
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

// "Please try again in 41.724s", "Try again in 6 seconds", "retry after 20 seconds", "in 120ms".
std::optional<Duration> WaitInMessage(std::string_view message) {
  const std::string lower = AsciiLower(message);
  for (const std::string_view phrase : {"try again in ", "retry in ", "retry after "}) {
    const auto at = lower.find(phrase);
    if (at == std::string::npos) continue;
    std::string_view rest = std::string_view(lower).substr(at + phrase.size());
    std::size_t size = rest.find_first_not_of("0123456789.hmsuµn");
    if (size == std::string_view::npos) size = rest.size();
    std::string_view word = rest.substr(0, size);
    // A sentence may end right after it.
    while (word.ends_with('.')) word.remove_suffix(1);
    if (const auto wait = ParseGoDuration(word)) return wait;
    const auto number = ParseNumber(word);
    if (!number || !(*number >= 0) || *number > kMaxSaneSeconds) continue;
    rest = Trim(rest.substr(size));
    double unit = 0;
    if (rest.starts_with("ms") || rest.starts_with("millisecond")) unit = 1e3;
    if (rest.starts_with("sec") || rest == "s" || rest.starts_with("s.")) unit = 1e6;
    if (rest.starts_with("min")) unit = 60e6;
    if (rest.starts_with("hour")) unit = 3600e6;
    if (unit > 0) return Duration(static_cast<std::int64_t>(*number * unit));
  }
  return std::nullopt;
}

}  // namespace

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

std::optional<Duration> RetryAfter(HeaderFinder header, const ErrorBody& body, WallTime now) {
  if (const auto text = header("retry-after-ms")) {
    if (const auto ms = ParseNumber(*text)) {
      if (const auto wait = SaneWait(*ms / 1e3)) return wait;
    }
  }
  if (const auto text = header("retry-after")) {
    if (const auto seconds = ParseNumber(*text)) {
      if (const auto wait = SaneWait(*seconds)) return wait;
    } else if (const auto date = ParseHttpDate(*text)) {
      // The provider's own clock, when it says what it reads: ours may be wrong by hours.
      WallTime reference = now;
      if (const auto sent = header("date")) {
        if (const auto parsed = ParseHttpDate(*sent)) reference = *parsed;
      }
      if (const auto wait = SaneWait(std::optional<Duration>(*date - reference))) return wait;
    }
  }
  if (const auto wait = SaneWait(ParseGoDuration(body.retry_delay))) return wait;
  return SaneWait(WaitInMessage(body.message));
}

std::optional<Duration> RetryAfter(const ErrorAnswer& answer) {
  return RetryAfter(answer.header, ReadErrorBody(answer.body), answer.now);
}

}  // namespace candor::dialect
