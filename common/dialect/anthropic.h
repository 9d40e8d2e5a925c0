// Anthropic's Messages API.
//
// Request, in this order, what is absent left out:
//
//   model, max_tokens, system, messages, temperature, top_p, output_config (effort; format for
//   self-reports), stream, then the fields of extra_body in byte order; those of `output_config`
//   are merged. Thinking is asked for by extra_body: {"thinking": {"type": "enabled",
//   "budget_tokens": 2048}} or {"type": "adaptive"}.
//
// System messages go into `system`, an empty line between, or in front of the first user message
// (the rule's `system_as`). An output limit is required. There is no sampling seed and there are no
// log-probabilities, and schemas have no minimum and maximum. The key travels as x-api-key, and
// anthropic-version is sent unless the endpoint's headers have another.
#pragma once

#include "common/dialect/json_dialect.h"

namespace candor::dialect {

class AnthropicDialect final : public JsonDialect {
 public:
  std::string_view name() const override { return "anthropic"; }
  const Capabilities& capabilities() const override;
  std::string Path(std::string_view, bool) const override { return "/messages"; }
  std::string_view AuthHeader() const override { return "x-api-key"; }
  std::string_view AuthPrefix() const override { return ""; }
  std::span<const FixedHeader> Headers() const override;
  Status RenderRequest(const RequestInput& input, std::string* body) const override;

 protected:
  void ReadUsage(const boost::json::value& reply, v1::Usage* usage) const override;
  std::optional<std::string> ReadParts(const boost::json::value& reply, ReplyParts* parts,
                                       const boost::json::value** failed) const override;
  void Fold(std::string_view event, boost::json::value& data, boost::json::object& reply,
            bool* done) const override;
};

}  // namespace candor::dialect
