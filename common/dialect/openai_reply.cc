#include "common/dialect/error_body.h"
#include "common/dialect/log_odds.h"
#include "common/dialect/openai.h"
#include "common/dialect/parse.h"
#include "common/reply/choice.h"
#include "common/reply/reply.h"
#include "common/reply/self_report.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <cmath>

namespace candor::dialect {
namespace {

using boost::json::value;

ProviderError Malformed(std::string_view text) {
  return {.error_class = v1::Attempt::MALFORMED_RESPONSE,
          .text = CleanText(text, kMaxErrorTextBytes),
          .retry_after = std::nullopt};
}

// Token counts as numbers of whatever type; 0 for none, for nonsense and below 0.
std::int64_t Count(const value* object, std::string_view name) {
  if (object == nullptr) return 0;
  const value* number = Member(*object, name);
  if (number == nullptr || !number->is_number()) return 0;
  const double count = number->to_number<double>();
  return count > 0 && count < 1e15 ? static_cast<std::int64_t>(count) : 0;
}

void ReadUsage(const value& root, v1::Usage* usage) {
  const value* counts = Member(root, "usage");
  if (counts == nullptr || !counts->is_object()) return;
  usage->set_input_tokens(Count(counts, "prompt_tokens"));
  usage->set_output_tokens(Count(counts, "completion_tokens"));
  usage->set_cached_input_tokens(Count(Member(*counts, "prompt_tokens_details"), "cached_tokens"));
  usage->set_reasoning_tokens(
      Count(Member(*counts, "completion_tokens_details"), "reasoning_tokens"));
}

// What the parts of a message say.
struct MessageText {
  std::string text;
  std::string reasoning;
  bool refusal = false;
};

// A list of parts: {"type": "text", "text": "..."}; {"type": "refusal", "refusal": "..."};
// {"type": "thinking", "thinking": "..." or a list of texts}.
void ReadParts(const boost::json::array& parts, MessageText* message) {
  for (const value& part : parts) {
    const std::string_view type = TextMember(part, "type");
    if (type == "refusal") {
      message->refusal = true;
      message->text += TextMember(part, "refusal");
    } else if (type == "thinking" || type == "reasoning") {
      message->reasoning += TextMember(part, type);
      const value* inner = Member(part, type);
      if (inner == nullptr || !inner->is_array()) continue;
      for (const value& item : inner->get_array()) message->reasoning += TextMember(item, "text");
    } else if (part.is_string()) {
      message->text += std::string_view(part.get_string().data(), part.get_string().size());
    } else {
      message->text += TextMember(part, "text");
    }
  }
}

MessageText ReadMessage(const value& object) {
  MessageText message;
  if (const value* content = Member(object, "content")) {
    if (content->is_string()) {
      message.text.assign(content->get_string().data(), content->get_string().size());
    } else if (content->is_array()) {
      ReadParts(content->get_array(), &message);
    }
  }
  for (const std::string_view field : {"reasoning_content", "reasoning"}) {
    if (message.reasoning.empty()) message.reasoning = TextMember(object, field);
  }
  if (const std::string_view refusal = TextMember(object, "refusal"); !refusal.empty()) {
    message.refusal = true;
    if (message.text.empty()) message.text = refusal;
  }
  return message;
}

void Understand(const reply::Reply& reply, const ReplyExpectation& expectation,
                v1::Outcome* outcome) {
  outcome->clear_repairs();
  if (expectation.kind == v1::Cell::CHOICE) {
    reply::ParsedChoice parsed = reply::ParseChoice(reply);
    outcome->set_class_(parsed.class_);
    outcome->set_choice(parsed.choice);
    for (std::string& repair : parsed.repairs) outcome->add_repairs(std::move(repair));
    return;
  }
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(expectation.scenario.attributes_size()));
  for (const v1::Attribute& attribute : expectation.scenario.attributes()) {
    names.push_back(attribute.name());
  }
  reply::ParsedReport parsed = reply::ParseSelfReport(reply, names);
  outcome->set_class_(parsed.class_);
  outcome->clear_report();
  for (std::size_t i = 0; i < parsed.values.size(); ++i) {
    v1::ReportedWeight* weight = outcome->add_report();
    weight->set_attribute(names[i]);
    if (parsed.values[i]) weight->set_value(*parsed.values[i]);
  }
  for (std::string& repair : parsed.repairs) outcome->add_repairs(std::move(repair));
}

}  // namespace

std::optional<ProviderError> OpenAiDialect::ReadReply(std::string_view body,
                                                      const ReplyExpectation& expectation,
                                                      v1::Outcome* outcome) const {
  const ParsedJson json(body);
  if (!json.ok()) {
    return Malformed(fmt::format("status 200, but the body is no complete JSON: {}",
                                 body.empty() ? "it is empty" : body.substr(0, 500)));
  }
  const value& root = json.value();
  ReadUsage(root, outcome->mutable_usage());
  const value* choices = Member(root, "choices");
  if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) {
    if (ReadErrorValue(root).found) return ClassifyErrorInReply(body);
    return Malformed(
        fmt::format("status 200, but the body has no choices: {}", body.substr(0, 500)));
  }
  const value& first = choices->get_array().front();
  const value* object = Member(first, "message");
  if (object == nullptr || !object->is_object()) {
    // Routers put the failure of an upstream where its choice would stand.
    if (ReadErrorValue(first).found) return ClassifyErrorInReply(boost::json::serialize(first));
    return Malformed(
        fmt::format("status 200, but the first choice has no message: {}", body.substr(0, 500)));
  }
  const std::string_view finish_reason = TextMember(first, "finish_reason");
  if (finish_reason == "error") {
    if (ReadErrorValue(first).found) return ClassifyErrorInReply(boost::json::serialize(first));
    return Malformed("status 200 with finish_reason \"error\"");
  }
  MessageText message = ReadMessage(*object);

  Understand(
      {.text = message.text,
       .finish_reason = finish_reason,
       .refusal = message.refusal,
       .has_reasoning = !message.reasoning.empty() || outcome->usage().reasoning_tokens() > 0},
      expectation, outcome);
  if (expectation.kind == v1::Cell::CHOICE) {
    if (const auto odds = ReadLogOdds(Member(first, "logprobs"), outcome->choice())) {
      outcome->set_log_odds_a(odds->a);
      outcome->set_log_odds_truncated(odds->truncated);
    }
  }
  outcome->set_raw_text(std::move(message.text));
  outcome->set_reasoning_text(std::move(message.reasoning));
  outcome->set_finish_reason(CleanText(finish_reason, 100));
  outcome->set_served_model(CleanText(TextMember(root, "model"), 300));
  outcome->set_system_fingerprint(CleanText(TextMember(root, "system_fingerprint"), 300));
  return std::nullopt;
}

ProviderError OpenAiDialect::ClassifyError(const ErrorAnswer& answer) const {
  return dialect::ClassifyError(answer);
}

}  // namespace candor::dialect
