// Reading and checking the bodies of OpenAI's Responses. Unlike those of chat completions, unknown
// parameters are refused, as the API does.
#pragma once

#include "simulator/dialect.h"

#include <optional>

namespace candor::simulator::responses {

std::optional<ApiError> ReadRequest(const ApiCall& call, ApiRequest* request);

}  // namespace candor::simulator::responses
