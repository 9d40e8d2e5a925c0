// Chat completions: the dialect of OpenAI and of everything that calls itself compatible (vLLM,
// SGLang, llama.cpp, Ollama, Together, Fireworks, Azure, gateways).
//
// Request, in this order, what is absent left out:
//
//   model, messages, temperature, top_p, max_tokens (or the rule's max_tokens_field), seed,
//   reasoning_effort, logprobs and top_logprobs (choices), response_format (self-reports), then the
//   fields of extra_body in byte order.
//
// A system message keeps its role, becomes a developer message, or is put in front of the first
// user message with an empty line between (the rule's `system_as`).
#pragma once

#include "common/dialect/dialect.h"

namespace candor::dialect {

class OpenAiDialect final : public Dialect {
 public:
  std::string_view name() const override { return "openai"; }
  std::string_view DefaultPath() const override { return "/chat/completions"; }
  Status RenderRequest(const RequestInput& input, std::string* body) const override;
  std::optional<ProviderError> ReadReply(std::string_view body, const ReplyExpectation& expectation,
                                         v1::Outcome* outcome) const override;
  ProviderError ClassifyError(const ErrorAnswer& answer) const override;
};

}  // namespace candor::dialect
