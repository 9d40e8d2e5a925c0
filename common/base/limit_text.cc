#include "common/base/limit_text.h"

#include "common/base/text_table.h"

#include <fmt/format.h>

#include <cmath>

namespace candor {

const char* UnitText(v1::LimitUse::Dimension dimension) {
  switch (dimension) {
    case v1::LimitUse::REQUESTS_PER_MINUTE:
      return "requests a minute";
    case v1::LimitUse::TOKENS_PER_MINUTE:
      return "tokens a minute";
    case v1::LimitUse::IN_FLIGHT:
      return "calls in flight";
    case v1::LimitUse::INPUT_TOKENS_PER_MINUTE:
      return "input tokens a minute";
    case v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE:
      return "output tokens a minute";
    case v1::LimitUse::REQUESTS_PER_DAY:
      return "requests a day";
    case v1::LimitUse::TOKENS_PER_DAY:
      return "tokens a day";
    default:
      return "of an unknown kind";
  }
}

std::string AmountText(std::int64_t amount, v1::LimitUse::Dimension dimension) {
  std::string unit = UnitText(dimension);
  if (amount == 1) {
    // "requests a minute", "input tokens a minute", "calls in flight".
    for (const char* plural : {"requests", "tokens", "calls"}) {
      const std::string_view word = plural;
      if (const std::size_t at = unit.find(word); at != std::string::npos) {
        unit.erase(at + word.size() - 1, 1);
      }
    }
  }
  return WithCommas(amount) + " " + unit;
}

std::string SpreadText(std::int64_t limit, v1::LimitUse::Dimension dimension) {
  const double rate = static_cast<double>(limit) / 60;
  if (rate >= 99.95) return WithCommas(std::llround(rate)) + "/s";
  if (rate >= 1 || rate <= 0 || dimension != v1::LimitUse::REQUESTS_PER_MINUTE) {
    return fmt::format("{:.3g}/s", rate);
  }
  return fmt::format("one every {:.3g} s", 1 / rate);
}

const char* SourceText(v1::LimitUse::Source source) {
  switch (source) {
    case v1::LimitUse::LEARNED:
      return "by the provider's headers";
    case v1::LimitUse::PROBED:
      return "found by trying";
    default:
      return "configured";
  }
}

}  // namespace candor
