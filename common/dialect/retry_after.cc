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
  const auto wait = Duration(static_cast<std::int64_t>(std::ceil(seconds * 1e6)));
  return std::min(wait, kMaxRetryAfter);
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

}  // namespace

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
