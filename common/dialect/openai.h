// Chat completions: the dialect of OpenAI and of everything that calls itself compatible (vLLM,
// SGLang, llama.cpp, Ollama, Together, Fireworks, Azure, OpenRouter, gateways).
//
// Request, in this order, what is absent left out:
//
//   model, messages, temperature, top_p, max_tokens (or the rule's max_tokens_field), seed,
//   reasoning_effort, logprobs and top_logprobs (choices), response_format (self-reports), stream
//   and stream_options, then the fields of extra_body in byte order.
//
// A system message keeps its role, becomes a developer message, or is put in front of the first
// user message with an empty line between (the rule's `system_as`).
#pragma once

#include "common/dialect/json_dialect.h"

namespace candor::dialect {

class OpenAiDialect final : public JsonDialect {
 public:
  std::string_view name() const override { return "openai"; }
  const Capabilities& capabilities() const override;
  std::string Path(std::string_view, bool) const override { return "/chat/completions"; }
  Status RenderRequest(const RequestInput& input, std::string* body) const override;

 protected:
  void ReadUsage(const boost::json::value& reply, v1::Usage* usage) const override;
  std::optional<std::string> ReadParts(const boost::json::value& reply, ReplyParts* parts,
                                       const boost::json::value** failed) const override;
  void Fold(std::string_view event, boost::json::value& data, boost::json::object& reply,
            bool* done) const override;
};

}  // namespace candor::dialect
