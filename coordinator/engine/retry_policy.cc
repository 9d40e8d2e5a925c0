#include "coordinator/engine/retry_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace candor::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kMaxWords = 300;

}  // namespace

ErrorKind KindOf(v1::Attempt::ErrorClass error_class) {
  switch (error_class) {
    case v1::Attempt::RATE_LIMITED:
    case v1::Attempt::OVERLOADED:
    case v1::Attempt::DAILY_LIMIT:
      return ErrorKind::kBlock;
    case v1::Attempt::QUOTA_EXHAUSTED:
      return ErrorKind::kStopGroup;
    case v1::Attempt::AUTHENTICATION:
    case v1::Attempt::PERMISSION:
    case v1::Attempt::NOT_FOUND:
    case v1::Attempt::REFUSED_PARAMETER:
      return ErrorKind::kStopEntry;
    case v1::Attempt::INVALID_REQUEST:
      return ErrorKind::kUnmendable;
    default:
      return ErrorKind::kRepeat;
  }
}

std::string Words(std::string text) {
  if (text.empty()) text = "no reason was given";
  if (text.size() > kMaxWords) {
    std::size_t cut = kMaxWords;
    // Not within a character of several bytes.
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
    text.resize(cut);
    text += "...";
  }
  return text;
}

std::string Words(const v1::Attempt& attempt) {
  std::string text = Words(attempt.error_text());
  if (attempt.http_status() == 0) return text;
  return fmt::format("HTTP {}: {}", attempt.http_status(), text);
}

Duration JitteredBackOff(Duration base, Duration cap, std::int32_t n, RandomStream& random) {
  const int doublings = std::clamp(n - 1, 0, 20);
  const Duration most = std::min(cap, base * (std::int64_t{1} << doublings));
  return Duration(static_cast<std::int64_t>(static_cast<double>(most.count()) * random.Uniform()));
}

Duration CellBackOff(std::int32_t n, RandomStream& random) {
  return JitteredBackOff(milliseconds(500), seconds(30), n, random);
}

Duration GroupBackOff(v1::Attempt::ErrorClass error_class, std::int32_t n, RandomStream& random) {
  return error_class == v1::Attempt::DAILY_LIMIT
             ? JitteredBackOff(minutes(15), hours(1), n, random)
             : JitteredBackOff(seconds(1), seconds(60), n, random);
}

Duration LongestRetryAfter(v1::Attempt::ErrorClass error_class) {
  return error_class == v1::Attempt::DAILY_LIMIT ? hours(25) : hours(1);
}

}  // namespace candor::engine
