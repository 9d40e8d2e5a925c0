// The two forms of batches. Private to the room; others ask FindBatchForm.
#pragma once

#include "common/dialect/batch.h"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace candor::dialect {

// OpenAI's batch API, and who copies it: a file of lines {"custom_id", "method", "url", "body"},
// then a batch of that file. Results are files, too: one of answers, one of errors. The token is
// the batch's metadata.
class OpenAiBatches final : public BatchForm {
 public:
  // `url` is what each line calls, as the provider names it.
  explicit OpenAiBatches(std::string_view url) : url_(url) {}

  bool uploads() const override { return true; }
  bool keeps_token() const override { return true; }
  BatchBounds bounds() const override { return BatchBoundsOf("openai"); }
  std::string BeginInput() const override { return {}; }
  void AppendLine(std::string_view custom_id, std::string_view request,
                  std::string* input) const override;
  void EndInput(std::string* /*input*/) const override {}
  std::string_view BatchesPath() const override { return "/batches"; }
  std::string ListPath(std::string_view after) const override;
  std::string CreateBody(std::string_view file, std::string_view token) const override;
  StatusOr<BatchResult> ReadResult(std::string_view line) const override;

 private:
  std::optional<BatchObject> ReadObject(const boost::json::value& object) const override;

  const std::string_view url_;
};

// Anthropic's message batches: {"requests": [{"custom_id", "params"}]}. There is no place for a
// token: what a batch is shows in the custom ids of its results.
class AnthropicBatches final : public BatchForm {
 public:
  bool uploads() const override { return false; }
  bool keeps_token() const override { return false; }
  BatchBounds bounds() const override { return BatchBoundsOf("anthropic"); }
  std::string BeginInput() const override { return "{\"requests\":["; }
  void AppendLine(std::string_view custom_id, std::string_view request,
                  std::string* input) const override;
  void EndInput(std::string* input) const override { input->append("]}"); }
  std::string_view BatchesPath() const override { return "/messages/batches"; }
  std::string ListPath(std::string_view after) const override;
  std::string CreateBody(std::string_view /*file*/, std::string_view /*token*/) const override {
    return {};
  }
  StatusOr<BatchResult> ReadResult(std::string_view line) const override;

 private:
  std::optional<BatchObject> ReadObject(const boost::json::value& object) const override;
};

// True for what can stand in a path as it is: ids come from outside.
bool IsProviderId(std::string_view id);
Status NoSuchObject(std::string_view what, std::string_view body);

}  // namespace candor::dialect
