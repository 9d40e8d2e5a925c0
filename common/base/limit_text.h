// Limits in words, the same wherever they are shown: in reasons, explanations and pages.
#pragma once

#include "candor/v1/cluster_service.pb.h"

#include <cstdint>
#include <string>

namespace candor {

// "requests a minute", "calls in flight": what stands behind a number.
const char* UnitText(v1::LimitUse::Dimension dimension);
// "600 requests a minute", "1 call in flight".
std::string AmountText(std::int64_t amount, v1::LimitUse::Dimension dimension);
// How fast a limit a minute lets calls go when they are spread over it: "10/s", "one every 12 s".
std::string SpreadText(std::int64_t limit, v1::LimitUse::Dimension dimension);
// "configured", "by the provider's headers", "found by trying": where a limit is from.
const char* SourceText(v1::LimitUse::Source source);

}  // namespace candor
