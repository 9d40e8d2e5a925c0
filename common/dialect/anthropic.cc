#include "common/dialect/anthropic.h"

#include "common/dialect/parse.h"
#include "common/dialect/request_body.h"

#include <array>

namespace candor::dialect {

using boost::json::value;

const Capabilities& AnthropicDialect::capabilities() const {
  static constexpr Capabilities kCapabilities{.max_log_probabilities = 0,
                                              .seed = false,
                                              .developer_role = false,
                                              .needs_output_limit = true,
                                              .max_temperature = 1};
  return kCapabilities;
}

std::span<const FixedHeader> AnthropicDialect::Headers() const {
  static constexpr std::array kHeaders = {FixedHeader{"anthropic-version", "2023-06-01"}};
  return kHeaders;
}

Status AnthropicDialect::RenderRequest(const RequestInput& input, std::string* body) const {
  const bool choice = input.kind == v1::Cell::CHOICE;
  const v1::Sampling& sampling = SamplingOf(input);
  CANDOR_RETURN_IF_ERROR(CheckNumbers(sampling));
  CANDOR_ASSIGN_OR_RETURN(const SystemAs system_as, ReadSystemAs(input, capabilities()));
  if (!sampling.has_max_output_tokens()) {
    return InvalidArgument("sampling.max_output_tokens: is missing; anthropic requires it");
  }
  if (sampling.has_seed()) {
    return InvalidArgument("sampling.seed: anthropic has no sampling seed; leave it out");
  }
  if (choice && sampling.has_log_probabilities()) {
    return InvalidArgument(
        "sampling.log_probabilities: anthropic has no log-probabilities; leave it out");
  }

  BodyWriter writer(sampling.extra_body(), body);
  writer.String("model", input.entry.model());
  writer.Integer("max_tokens", sampling.max_output_tokens());
  if (system_as == SystemAs::kSystem) {
    if (const std::string text = SystemText(input); !text.empty()) writer.String("system", text);
  }
  writer.Field("messages")->push_back('[');
  ForEachMessage(input, system_as, /*system_apart=*/true,
                 [body](std::string_view role, std::string_view content, bool first) {
                   AppendMessage(role, content, first, body);
                 });
  body->push_back(']');
  if (sampling.has_temperature()) writer.Number("temperature", sampling.temperature());
  if (sampling.has_top_p()) writer.Number("top_p", sampling.top_p());
  const bool schema = !choice && sampling.response_schema() == v1::Sampling::SCHEMA;
  if (schema || sampling.has_reasoning_effort()) {
    writer.BeginObject("output_config");
    if (sampling.has_reasoning_effort()) writer.String("effort", sampling.reasoning_effort());
    if (schema) {
      writer.Field("format")->append("{\"type\":\"json_schema\",\"schema\":");
      AppendReportSchema(input, /*bounds=*/false, body);
      body->push_back('}');
    }
    CANDOR_RETURN_IF_ERROR(writer.EndObject());
  }
  if (Streams(input.rule)) writer.True("stream");
  return writer.End({"stream"});
}

// `input_tokens` leaves out what came from the cache or went into it; ours has all of the prompt.
void AnthropicDialect::ReadUsage(const value& reply, v1::Usage* usage) const {
  const value* counts = Member(reply, "usage");
  if (counts == nullptr || !counts->is_object()) return;
  const std::int64_t cached = CountMember(counts, "cache_read_input_tokens");
  usage->set_input_tokens(CountMember(counts, "input_tokens") + cached +
                          CountMember(counts, "cache_creation_input_tokens"));
  usage->set_cached_input_tokens(cached);
  usage->set_output_tokens(CountMember(counts, "output_tokens"));
  usage->set_reasoning_tokens(
      CountMember(Member(*counts, "output_tokens_details"), "thinking_tokens"));
}

std::optional<std::string> AnthropicDialect::ReadParts(const value& reply, ReplyParts* parts,
                                                       const value**) const {
  const value* content = Member(reply, "content");
  if (content == nullptr || !content->is_array()) return "has no content";
  parts->finish_reason = TextMember(reply, "stop_reason");
  if (parts->finish_reason.empty()) return "has no stop_reason";
  for (const value& block : content->get_array()) {
    const std::string_view type = TextMember(block, "type");
    if (type == "text") {
      parts->text += TextMember(block, "text");
    } else if (type == "thinking" || type == "redacted_thinking") {
      parts->reasoned = true;
      parts->reasoning += TextMember(block, "thinking");
    }
  }
  parts->served_model = TextMember(reply, "model");
  return std::nullopt;
}

// message_start with the message, its content empty; content_block_start and _delta by index;
// message_delta with the stop reason and the final counts; message_stop.
void AnthropicDialect::Fold(std::string_view event, value& data, boost::json::object& reply,
                            bool* done) const {
  std::string_view type = TextMember(data, "type");
  if (type.empty()) type = event;
  const auto block_of_event = [&]() -> boost::json::object* {
    const value* index = Member(data, "index");
    if (index == nullptr || !index->is_int64()) return nullptr;
    return ElementAt(ArrayAt(reply, "content"), index->get_int64());
  };
  if (type == "message_start") {
    if (const value* message = Member(data, "message")) MergeObject(*message, reply);
  } else if (type == "content_block_start") {
    const value* content = Member(data, "content_block");
    boost::json::object* block = block_of_event();
    if (content != nullptr && block != nullptr) MergeObject(*content, *block);
  } else if (type == "content_block_delta") {
    const value* delta = Member(data, "delta");
    boost::json::object* block = block_of_event();
    if (delta == nullptr || block == nullptr) return;
    AppendText(*delta, "text", *block);
    AppendText(*delta, "thinking", *block);
  } else if (type == "message_delta") {
    if (const value* delta = Member(data, "delta")) MergeObject(*delta, reply);
    if (const value* usage = Member(data, "usage")) MergeObject(*usage, ObjectAt(reply, "usage"));
  } else if (type == "message_stop") {
    *done = true;
  }
}

}  // namespace candor::dialect
