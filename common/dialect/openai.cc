#include "common/dialect/openai.h"

#include "common/dialect/parse.h"
#include "common/dialect/request_body.h"

namespace candor::dialect {
namespace {

using boost::json::value;

// A list of parts: {"type": "text", "text": "..."}; {"type": "refusal", "refusal": "..."};
// {"type": "thinking", "thinking": "..." or a list of texts}.
void ReadContentParts(const boost::json::array& content, ReplyParts* parts) {
  for (const value& part : content) {
    const std::string_view type = TextMember(part, "type");
    if (type == "refusal") {
      parts->refusal = true;
      parts->text += TextMember(part, "refusal");
    } else if (type == "thinking" || type == "reasoning") {
      parts->reasoning += TextMember(part, type);
      const value* inner = Member(part, type);
      if (inner == nullptr || !inner->is_array()) continue;
      for (const value& item : inner->get_array()) parts->reasoning += TextMember(item, "text");
    } else if (part.is_string()) {
      parts->text += std::string_view(part.get_string().data(), part.get_string().size());
    } else {
      parts->text += TextMember(part, "text");
    }
  }
}

void ReadMessage(const value& message, ReplyParts* parts) {
  if (const value* content = Member(message, "content")) {
    if (content->is_string()) {
      parts->text.assign(content->get_string().data(), content->get_string().size());
    } else if (content->is_array()) {
      ReadContentParts(content->get_array(), parts);
    }
  }
  for (const std::string_view field : {"reasoning_content", "reasoning"}) {
    if (parts->reasoning.empty()) parts->reasoning = TextMember(message, field);
  }
  if (const std::string_view refusal = TextMember(message, "refusal"); !refusal.empty()) {
    parts->refusal = true;
    if (parts->text.empty()) parts->text = refusal;
  }
}

}  // namespace

const Capabilities& OpenAiDialect::capabilities() const {
  static constexpr Capabilities kCapabilities;
  return kCapabilities;
}

Status OpenAiDialect::RenderRequest(const RequestInput& input, std::string* body) const {
  const bool choice = input.kind == v1::Cell::CHOICE;
  const v1::Sampling& sampling = SamplingOf(input);
  CANDOR_RETURN_IF_ERROR(CheckNumbers(sampling));
  CANDOR_ASSIGN_OR_RETURN(const SystemAs system_as, ReadSystemAs(input, capabilities()));

  BodyWriter writer(sampling.extra_body(), body);
  writer.String("model", input.entry.model());
  writer.Field("messages")->push_back('[');
  ForEachMessage(input, system_as, /*system_apart=*/false,
                 [body](std::string_view role, std::string_view content, bool first) {
                   AppendMessage(role, content, first, body);
                 });
  body->push_back(']');
  if (sampling.has_temperature()) writer.Number("temperature", sampling.temperature());
  if (sampling.has_top_p()) writer.Number("top_p", sampling.top_p());
  if (sampling.has_max_output_tokens()) {
    const std::string& field = input.rule.max_tokens_field();
    writer.Integer(field.empty() ? "max_tokens" : std::string_view(field),
                   sampling.max_output_tokens());
  }
  if (sampling.has_seed()) writer.Integer("seed", SeedOf(input));
  if (sampling.has_reasoning_effort()) {
    writer.String("reasoning_effort", sampling.reasoning_effort());
  }
  if (choice && sampling.has_log_probabilities()) {
    writer.True("logprobs");
    writer.Integer("top_logprobs", sampling.log_probabilities());
  }
  if (!choice && sampling.response_schema() == v1::Sampling::SCHEMA) {
    writer.Field("response_format")
        ->append(
            "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"self_report\",\"strict\":true,"
            "\"schema\":");
    AppendReportSchema(input, /*bounds=*/true, body);
    body->append("}}");
  }
  if (Streams(input.rule)) {
    writer.True("stream");
    // Without it no server counts the tokens of a stream.
    writer.Field("stream_options")->append("{\"include_usage\":true}");
  }
  return writer.End({"n", "stream"});
}

void OpenAiDialect::ReadUsage(const value& reply, v1::Usage* usage) const {
  ReadOpenAiUsage(reply,
                  {.input = "prompt_tokens",
                   .output = "completion_tokens",
                   .input_details = "prompt_tokens_details",
                   .output_details = "completion_tokens_details"},
                  usage);
}

std::optional<std::string> OpenAiDialect::ReadParts(const value& reply, ReplyParts* parts,
                                                    const value** failed) const {
  const value* choices = Member(reply, "choices");
  if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) {
    return "has no choices";
  }
  const value& first = choices->get_array().front();
  // Routers put the failure of an upstream where its choice would stand.
  *failed = &first;
  const value* message = Member(first, "message");
  if (message == nullptr || !message->is_object()) return "has a first choice without a message";
  parts->finish_reason = TextMember(first, "finish_reason");
  if (parts->finish_reason == "error") return "has finish_reason \"error\"";
  ReadMessage(*message, parts);
  if (const value* logprobs = Member(first, "logprobs")) {
    parts->logprobs = Member(*logprobs, "content");
  }
  parts->served_model = TextMember(reply, "model");
  parts->fingerprint = TextMember(reply, "system_fingerprint");
  return std::nullopt;
}

// {"choices": [{"delta": {"content": "A"}, "finish_reason": null}]}, ..., then one with the finish
// reason, then one without choices but with usage, then [DONE], which some servers leave out.
void OpenAiDialect::Fold(std::string_view, value& data, boost::json::object& reply,
                         bool* done) const {
  for (const std::string_view name : {"model", "system_fingerprint", "usage"}) {
    const value* member = Member(data, name);
    if (member != nullptr && !member->is_null()) reply[{name.data(), name.size()}] = *member;
  }
  const value* choices = Member(data, "choices");
  if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return;
  const value& from = choices->get_array().front();
  boost::json::object* choice = ElementAt(ArrayAt(reply, "choices"), 0);
  boost::json::object& message = ObjectAt(*choice, "message");
  if (const value* delta = Member(from, "delta")) {
    for (const std::string_view name : {"content", "reasoning_content", "reasoning", "refusal"}) {
      AppendText(*delta, name, message);
    }
  }
  if (const value* logprobs = Member(from, "logprobs")) {
    const value* content = Member(*logprobs, "content");
    if (content != nullptr && content->is_array()) {
      boost::json::array& all = ArrayAt(ObjectAt(*choice, "logprobs"), "content");
      all.insert(all.end(), content->get_array().begin(), content->get_array().end());
    }
  }
  if (const std::string_view reason = TextMember(from, "finish_reason"); !reason.empty()) {
    (*choice)["finish_reason"] = boost::json::string_view(reason.data(), reason.size());
    *done = true;
  }
  if (const value* error = Member(from, "error")) (*choice)["error"] = *error;
}

}  // namespace candor::dialect
