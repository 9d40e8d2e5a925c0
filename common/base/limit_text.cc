#include "common/base/limit_text.h"

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

const char* SourceText(v1::LimitUse::Source source) {
  switch (source) {
    case v1::LimitUse::LEARNED:
      return "as the provider's headers say";
    case v1::LimitUse::PROBED:
      return "found by trying";
    default:
      return "configured";
  }
}

}  // namespace candor
