// Reading and checking the bodies of Anthropic's Messages. Unknown parameters are refused, as the
// API does.
#pragma once

#include "simulator/dialect.h"

#include <optional>

namespace candor::simulator::anthropic {

std::optional<ApiError> ReadRequest(const ApiCall& call, ApiRequest* request);
ApiError Invalid(std::string message);

}  // namespace candor::simulator::anthropic
