#include "common/dialect/openai_responses.h"

#include "common/dialect/parse.h"
#include "common/dialect/request_body.h"

#include <fmt/format.h>

namespace candor::dialect {
namespace {

using boost::json::value;

// {"type": "message", "content": [{"type": "output_text", "text": "...", "logprobs": [...]} or
// {"type": "refusal", "refusal": "..."}]}.
void ReadMessage(const value& item, ReplyParts* parts) {
  const value* content = Member(item, "content");
  if (content == nullptr || !content->is_array()) return;
  for (const value& part : content->get_array()) {
    if (TextMember(part, "type") == "refusal") {
      parts->refusal = true;
      parts->text += TextMember(part, "refusal");
      continue;
    }
    parts->text += TextMember(part, "text");
    if (parts->logprobs == nullptr) parts->logprobs = Member(part, "logprobs");
  }
}

// {"type": "reasoning", "summary": [{"type": "summary_text", "text": "..."}], "content": [...]};
// both are empty where the provider keeps its reasoning to itself.
void ReadReasoning(const value& item, ReplyParts* parts) {
  parts->reasoned = true;
  for (const std::string_view field : {"content", "summary"}) {
    const value* texts = Member(item, field);
    if (texts == nullptr || !texts->is_array() || !parts->reasoning.empty()) continue;
    for (const value& text : texts->get_array()) {
      if (!parts->reasoning.empty()) parts->reasoning += "\n\n";
      parts->reasoning += TextMember(text, "text");
    }
  }
}

}  // namespace

const Capabilities& OpenAiResponsesDialect::capabilities() const {
  static constexpr Capabilities kCapabilities{.seed = false, .min_output_tokens = 16};
  return kCapabilities;
}

Status OpenAiResponsesDialect::RenderRequest(const RequestInput& input, std::string* body) const {
  const bool choice = input.kind == v1::Cell::CHOICE;
  const v1::Sampling& sampling = SamplingOf(input);
  CANDOR_RETURN_IF_ERROR(CheckNumbers(sampling));
  CANDOR_ASSIGN_OR_RETURN(const SystemAs system_as, ReadSystemAs(input, capabilities()));
  if (sampling.has_seed()) {
    return InvalidArgument("sampling.seed: openai-responses has no sampling seed; leave it out");
  }

  BodyWriter writer(sampling.extra_body(), body);
  writer.String("model", input.entry.model());
  writer.Field("input")->push_back('[');
  ForEachMessage(input, system_as, /*system_apart=*/false,
                 [body](std::string_view role, std::string_view content, bool first) {
                   AppendMessage(role, content, first, body);
                 });
  body->push_back(']');
  if (sampling.has_temperature()) writer.Number("temperature", sampling.temperature());
  if (sampling.has_top_p()) writer.Number("top_p", sampling.top_p());
  if (sampling.has_max_output_tokens()) {
    writer.Integer("max_output_tokens", sampling.max_output_tokens());
  }
  if (sampling.has_reasoning_effort()) {
    writer.BeginObject("reasoning");
    writer.String("effort", sampling.reasoning_effort());
    CANDOR_RETURN_IF_ERROR(writer.EndObject());
  }
  if (choice && sampling.has_log_probabilities()) {
    writer.Field("include")->append("[\"message.output_text.logprobs\"]");
    writer.Integer("top_logprobs", sampling.log_probabilities());
  }
  if (!choice && sampling.response_schema() == v1::Sampling::SCHEMA) {
    writer.BeginObject("text");
    writer.Field("format")->append(
        "{\"type\":\"json_schema\",\"name\":\"self_report\",\"strict\":true,\"schema\":");
    AppendReportSchema(input, /*bounds=*/true, body);
    body->push_back('}');
    CANDOR_RETURN_IF_ERROR(writer.EndObject());
  }
  if (Streams(input.rule)) writer.True("stream");
  // A reply in the background, or to another prompt, would be none to this request.
  return writer.End({"stream", "background", "previous_response_id", "conversation"});
}

void OpenAiResponsesDialect::ReadUsage(const value& reply, v1::Usage* usage) const {
  ReadOpenAiUsage(reply,
                  {.input = "input_tokens",
                   .output = "output_tokens",
                   .input_details = "input_tokens_details",
                   .output_details = "output_tokens_details"},
                  usage);
}

std::optional<std::string> OpenAiResponsesDialect::ReadParts(const value& reply, ReplyParts* parts,
                                                             const value**) const {
  const value* output = Member(reply, "output");
  if (output == nullptr || !output->is_array()) return "has no output";
  const std::string_view status = TextMember(reply, "status");
  if (status == "incomplete") {
    const value* details = Member(reply, "incomplete_details");
    parts->finish_reason = details == nullptr ? "" : TextMember(*details, "reason");
    if (parts->finish_reason.empty()) return "is incomplete and does not say why";
  } else if (status.empty() || status == "completed") {
    parts->finish_reason = status;
  } else {
    return fmt::format("has the status \"{}\"", status);
  }
  for (const value& item : output->get_array()) {
    const std::string_view type = TextMember(item, "type");
    if (type == "message") ReadMessage(item, parts);
    if (type == "reasoning") ReadReasoning(item, parts);
  }
  parts->served_model = TextMember(reply, "model");
  return std::nullopt;
}

// The last event, response.completed, response.incomplete or response.failed, holds the whole
// response; what came before it is the same in pieces.
void OpenAiResponsesDialect::Fold(std::string_view event, value& data, boost::json::object& reply,
                                  bool* done) const {
  std::string_view type = TextMember(data, "type");
  if (type.empty()) type = event;
  if (type != "response.completed" && type != "response.incomplete" && type != "response.failed") {
    return;
  }
  const value* response = Member(data, "response");
  if (response == nullptr || !response->is_object()) return;
  MergeObject(*response, reply);
  *done = true;
}

}  // namespace candor::dialect
