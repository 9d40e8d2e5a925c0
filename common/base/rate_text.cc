#include "common/base/rate_text.h"

#include "common/base/text_table.h"

#include <fmt/format.h>

#include <cmath>

namespace candor {

std::string SecondsText(double seconds) {
  if (seconds >= 100) return fmt::format("{:.0f} s", seconds);
  if (seconds >= 1) return fmt::format("{:.1f} s", seconds);
  if (seconds >= 0.01) return fmt::format("{:.0f} ms", seconds * 1e3);
  return fmt::format("{:.1f} ms", seconds * 1e3);
}

std::string SpanText(std::int64_t seconds) {
  const std::int64_t s = seconds;
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

std::string RateText(double a_second) {
  if (a_second >= 99.95) return WithCommas(std::llround(a_second)) + "/s";
  if (a_second >= 0.995) return fmt::format("{:.1f}/s", a_second);
  if (a_second >= 0.01 || a_second <= 0) return fmt::format("{:.2g}/s", a_second);
  const double an_hour = a_second * 3600;
  return an_hour >= 1 ? fmt::format("{:.2g}/h", an_hour) : fmt::format("{:.2g}/day", an_hour * 24);
}

}  // namespace candor
