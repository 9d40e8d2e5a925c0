// The errors of OpenAI's APIs, which chat completions, Responses and the batch API share.
#pragma once

#include "simulator/dialect.h"

#include <string>

namespace candor::simulator::openai {

// {"error": {"message", "type", "param", "code"}}; empty texts become null.
std::string WriteError(const ApiError& error);
ApiError Refuse(Refusal refusal, const RefusalFacts& facts);
// "Unsupported parameter: 'x' is not supported with this model."
ApiError RefuseParameter(std::string_view name);
// The key of "Authorization: Bearer KEY", or Azure's api-key.
std::string_view KeyOf(const ApiCall& call);

}  // namespace candor::simulator::openai
