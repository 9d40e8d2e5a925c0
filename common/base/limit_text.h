// Limits in words, the same wherever they are shown: in reasons, explanations and pages.
#pragma once

#include "candor/v1/cluster_service.pb.h"

namespace candor {

// "requests a minute", "calls in flight": what stands behind a number.
const char* UnitText(v1::LimitUse::Dimension dimension);
// "configured", "as the provider's headers say", "found by trying": where a limit is from.
const char* SourceText(v1::LimitUse::Source source);

}  // namespace candor
