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

std::string RateText(double a_second) {
  if (a_second >= 99.95) return WithCommas(std::llround(a_second)) + "/s";
  if (a_second >= 0.995) return fmt::format("{:.1f}/s", a_second);
  return fmt::format("{:.2g}/s", a_second);
}

}  // namespace candor
