// The dialects that there are, a file each.
#pragma once

#include "simulator/dialect.h"

namespace candor::simulator {

// OpenAI's chat completions, and the servers that copy them.
const Dialect& ChatDialect();
// OpenAI's Responses.
const Dialect& ResponsesDialect();
// Anthropic's Messages.
const Dialect& AnthropicDialect();
// Gemini's generateContent and streamGenerateContent.
const Dialect& GeminiDialect();

}  // namespace candor::simulator
