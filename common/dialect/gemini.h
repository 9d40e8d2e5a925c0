// Google's generateContent, of the Gemini API and of Vertex AI.
//
// Request, in this order, what is absent left out:
//
//   systemInstruction, contents, generationConfig (temperature, topP, maxOutputTokens, seed,
//   thinkingConfig.thinkingLevel, responseLogprobs and logprobs, responseMimeType and
//   responseJsonSchema), then the fields of extra_body in byte order; those of `generationConfig`
//   and `thinkingConfig` are merged, so that extra_body may hold {"generationConfig":
//   {"thinkingConfig": {"thinkingBudget": 0}}}.
//
// System messages go into systemInstruction, an empty line between, or in front of the first user
// message (the rule's `system_as`). The model stands in the path: "gemini-x" as /models/gemini-x,
// and a name with a slash ("tunedModels/t", "publishers/google/models/m") as it is. The output
// limit includes thinking. The key travels as x-goog-api-key.
#pragma once

#include "common/dialect/json_dialect.h"

namespace candor::dialect {

class GeminiDialect final : public JsonDialect {
 public:
  std::string_view name() const override { return "gemini"; }
  const Capabilities& capabilities() const override;
  std::string Path(std::string_view model, bool stream) const override;
  std::string_view AuthHeader() const override { return "x-goog-api-key"; }
  std::string_view AuthPrefix() const override { return ""; }
  Status RenderRequest(const RequestInput& input, std::string* body) const override;

 protected:
  void ReadUsage(const boost::json::value& reply, v1::Usage* usage) const override;
  std::optional<std::string> ReadParts(const boost::json::value& reply, ReplyParts* parts,
                                       const boost::json::value** failed) const override;
  void Fold(std::string_view event, boost::json::value& data, boost::json::object& reply,
            bool* done) const override;
};

}  // namespace candor::dialect
