// Reading and checking the bodies of Gemini's generateContent. Names are taken in lowerCamelCase
// and in snake_case; unknown ones are refused, as the API does.
#pragma once

#include "simulator/dialect.h"

#include <optional>

namespace candor::simulator::gemini {

std::optional<ApiError> ReadRequest(const ApiCall& call, ApiRequest* request);
ApiError Invalid(std::string message, std::string details = {});

}  // namespace candor::simulator::gemini
