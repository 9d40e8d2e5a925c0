// OpenAI's Responses API.
//
// Request, in this order, what is absent left out:
//
//   model, input (a message an item), temperature, top_p, max_output_tokens, reasoning.effort,
//   include and top_logprobs (choices), text.format (self-reports), stream, then the fields of
//   extra_body in byte order; those of `reasoning` and `text` are merged.
//
// A system message is an item of role system or developer, or is put in front of the first user
// message (the rule's `system_as`). There is no sampling seed, and a limit below 16 output tokens
// is refused by the provider. Answers are kept there for 30 days unless extra_body has
// `store: false`.
#pragma once

#include "common/dialect/json_dialect.h"

namespace candor::dialect {

class OpenAiResponsesDialect final : public JsonDialect {
 public:
  std::string_view name() const override { return "openai-responses"; }
  const Capabilities& capabilities() const override;
  std::string Path(std::string_view, bool) const override { return "/responses"; }
  Status RenderRequest(const RequestInput& input, std::string* body) const override;

 protected:
  void ReadUsage(const boost::json::value& reply, v1::Usage* usage) const override;
  std::optional<std::string> ReadParts(const boost::json::value& reply, ReplyParts* parts,
                                       const boost::json::value** failed) const override;
  void Fold(std::string_view event, boost::json::value& data, boost::json::object& reply,
            bool* done) const override;
};

}  // namespace candor::dialect
