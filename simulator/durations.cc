#include "simulator/durations.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace candor::simulator {
namespace {

std::tm UtcOf(WallTime time) {
  return fmt::gmtime(static_cast<std::time_t>(
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count()));
}

}  // namespace

std::string GoDuration(Duration duration) {
  const std::int64_t micros = std::max<std::int64_t>(0, duration.count());
  if (micros == 0) return "0s";
  if (micros < 1'000) return fmt::format("{}\u00b5s", micros);
  if (micros < 1'000'000) return fmt::format("{}ms", static_cast<double>(micros) / 1e3);
  const std::int64_t minutes = micros / 60'000'000;
  const std::string seconds = fmt::format("{}s", static_cast<double>(micros % 60'000'000) / 1e6);
  if (minutes == 0) return seconds;
  if (minutes < 60) return fmt::format("{}m{}", minutes, seconds);
  return fmt::format("{}h{}m{}", minutes / 60, minutes % 60, seconds);
}

std::string Rfc3339(WallTime time) { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", UtcOf(time)); }

std::string HttpDate(WallTime time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", UtcOf(time));
}

std::int64_t CeilSeconds(Duration duration) { return (duration.count() + 999'999) / 1'000'000; }

}  // namespace candor::simulator
