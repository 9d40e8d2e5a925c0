#include "common/dialect/retry_after.h"

#include "common/dialect/numbers.h"

#include <chrono>
#include <cmath>

namespace candor::dialect {
namespace {

constexpr double kMaxSaneSeconds = 7.0 * 24 * 3600;

// A wait that can be meant: ahead, and not absurd.
std::optional<Duration> SaneWait(double seconds) {
  if (!(seconds > 0) || seconds > kMaxSaneSeconds) return std::nullopt;
  return Duration(static_cast<std::int64_t>(std::ceil(seconds * 1e6)));
}

std::optional<Duration> SaneWait(std::optional<Duration> wait) {
  if (!wait) return std::nullopt;
  return SaneWait(std::chrono::duration<double>(*wait).count());
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

std::optional<Duration> AnyWait(HeaderFinder header, const ErrorBody& body, WallTime now) {
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
  if (const auto wait = SaneWait(WaitInMessage(body.message))) return wait;
  // Milliseconds since 1970.
  const auto reset = ParseNumber(body.reset);
  if (!reset || *reset < 1e11) return std::nullopt;
  return SaneWait(*reset / 1e3 - static_cast<double>(now.time_since_epoch().count()) / 1e6);
}

}  // namespace

std::optional<Duration> RetryAfter(HeaderFinder header, const ErrorBody& body, WallTime now,
                                   Duration most) {
  const auto wait = AnyWait(header, body, now);
  return wait ? std::optional<Duration>(std::min(*wait, most)) : std::nullopt;
}

std::optional<Duration> RetryAfter(const Answer& answer) {
  return RetryAfter(answer.header, ReadErrorBody(answer.body), answer.now);
}

// The rule of the United States since 2007: from the second Sunday of March, 2:00, to the first
// Sunday of November, 2:00, clocks are 7 hours behind UTC, otherwise 8.
Duration UntilPacificMidnight(WallTime now) {
  namespace chr = std::chrono;
  const auto standard = now - chr::hours(8);
  const auto year = chr::year_month_day(chr::floor<chr::days>(standard)).year();
  // Both in standard time: 2:00, and 2:00 of the summer time that ends then.
  const auto begin = chr::sys_days(year / chr::March / chr::Sunday[2]) + chr::hours(2);
  const auto end = chr::sys_days(year / chr::November / chr::Sunday[1]) + chr::hours(1);
  const auto is_summer = [&](auto time) { return time >= begin && time < end; };
  const auto local = is_summer(standard) ? standard + chr::hours(1) : standard;
  const auto midnight = chr::floor<chr::days>(local) + chr::days(1);
  // Clocks change after midnight, so that the day after one starts with the other.
  auto midnight_standard = WallTime(midnight);
  if (is_summer(midnight_standard - chr::hours(1))) midnight_standard -= chr::hours(1);
  return midnight_standard - standard;
}

}  // namespace candor::dialect
