#include "common/dialect/gemini.h"

#include "common/base/json_writer.h"
#include "common/dialect/parse.h"
#include "common/dialect/request_body.h"

#include <fmt/format.h>

#include <algorithm>

namespace candor::dialect {
namespace {

using boost::json::value;

// A model name within a path: slashes stay, everything that a URL must not have is encoded.
std::string EncodeModel(std::string_view model) {
  constexpr std::string_view kKept = "-._~/@";
  std::string encoded;
  for (const char c : model) {
    const bool kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      kKept.find(c) != std::string_view::npos;
    if (kept) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

void AppendContent(std::string_view role, std::string_view text, bool first, std::string* out) {
  out->append(first ? "{" : ",{");
  if (!role.empty()) {
    out->append("\"role\":");
    AppendJsonString(role == "assistant" ? "model" : role, out);
    out->push_back(',');
  }
  out->append("\"parts\":[{\"text\":");
  AppendJsonString(text, out);
  out->append("}]}");
}

// {"chosenCandidates": [{"token", "logProbability"}], "topCandidates": [{"candidates": [...]}]} as
// chat completions have it: [{"token", "logprob", "top_logprobs": [{"token", "logprob"}]}].
value LogprobsOf(const value& result) {
  const value* chosen = Member(result, "chosenCandidates");
  const value* top = Member(result, "topCandidates");
  if (chosen == nullptr || top == nullptr || !chosen->is_array() || !top->is_array()) return {};
  const auto token_of = [](const value& candidate) {
    const std::string_view token = TextMember(candidate, "token");
    boost::json::object object;
    object["token"] = boost::json::string_view(token.data(), token.size());
    if (const value* logprob = Member(candidate, "logProbability")) object["logprob"] = *logprob;
    return object;
  };
  boost::json::array tokens;
  const std::size_t size = std::min(chosen->get_array().size(), top->get_array().size());
  for (std::size_t i = 0; i < size; ++i) {
    boost::json::object token = token_of(chosen->get_array()[i]);
    boost::json::array& likely = token["top_logprobs"].emplace_array();
    const value* candidates = Member(top->get_array()[i], "candidates");
    if (candidates != nullptr && candidates->is_array()) {
      for (const value& candidate : candidates->get_array()) {
        likely.push_back(token_of(candidate));
      }
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// Appends the items of an array member.
void AppendItems(const value& from, std::string_view name, boost::json::object& to) {
  const value* items = Member(from, name);
  if (items == nullptr || !items->is_array()) return;
  boost::json::array& all = ArrayAt(to, name);
  all.insert(all.end(), items->get_array().begin(), items->get_array().end());
}

}  // namespace

const Capabilities& GeminiDialect::capabilities() const {
  static constexpr Capabilities kCapabilities{.developer_role = false};
  return kCapabilities;
}

std::string GeminiDialect::Path(std::string_view model, bool stream) const {
  return fmt::format("{}{}:{}", model.find('/') == std::string_view::npos ? "/models/" : "/",
                     EncodeModel(model),
                     stream ? "streamGenerateContent?alt=sse" : "generateContent");
}

Status GeminiDialect::RenderRequest(const RequestInput& input, std::string* body) const {
  const bool choice = input.kind == v1::Cell::CHOICE;
  const v1::Sampling& sampling = SamplingOf(input);
  CANDOR_RETURN_IF_ERROR(CheckNumbers(sampling));
  CANDOR_ASSIGN_OR_RETURN(const SystemAs system_as, ReadSystemAs(input, capabilities()));

  BodyWriter writer(sampling.extra_body(), body);
  if (system_as == SystemAs::kSystem) {
    if (const std::string text = SystemText(input); !text.empty()) {
      AppendContent("", text, /*first=*/true, writer.Field("systemInstruction"));
    }
  }
  writer.Field("contents")->push_back('[');
  ForEachMessage(input, system_as, /*system_apart=*/true,
                 [body](std::string_view role, std::string_view text, bool first) {
                   AppendContent(role, text, first, body);
                 });
  body->push_back(']');
  writer.BeginObject("generationConfig");
  if (sampling.has_temperature()) writer.Number("temperature", sampling.temperature());
  if (sampling.has_top_p()) writer.Number("topP", sampling.top_p());
  if (sampling.has_max_output_tokens()) {
    writer.Integer("maxOutputTokens", sampling.max_output_tokens());
  }
  if (sampling.has_seed()) writer.Integer("seed", SeedOf(input));
  if (sampling.has_reasoning_effort()) {
    writer.BeginObject("thinkingConfig");
    writer.String("thinkingLevel", sampling.reasoning_effort());
    CANDOR_RETURN_IF_ERROR(writer.EndObject());
  }
  if (choice && sampling.has_log_probabilities()) {
    writer.True("responseLogprobs");
    writer.Integer("logprobs", sampling.log_probabilities());
  }
  if (!choice && sampling.response_schema() == v1::Sampling::SCHEMA) {
    writer.String("responseMimeType", "application/json");
    AppendReportSchema(input, /*bounds=*/true, writer.Field("responseJsonSchema"));
  }
  CANDOR_RETURN_IF_ERROR(writer.EndObject({"candidateCount"}));
  return writer.End({"model"});
}

// candidatesTokenCount leaves out thinking; ours has all that was written.
void GeminiDialect::ReadUsage(const value& reply, v1::Usage* usage) const {
  const value* counts = Member(reply, "usageMetadata");
  if (counts == nullptr || !counts->is_object()) return;
  const std::int64_t thoughts = CountMember(counts, "thoughtsTokenCount");
  usage->set_input_tokens(CountMember(counts, "promptTokenCount") +
                          CountMember(counts, "toolUsePromptTokenCount"));
  usage->set_cached_input_tokens(CountMember(counts, "cachedContentTokenCount"));
  usage->set_output_tokens(CountMember(counts, "candidatesTokenCount") + thoughts);
  usage->set_reasoning_tokens(thoughts);
}

std::optional<std::string> GeminiDialect::ReadParts(const value& reply, ReplyParts* parts,
                                                    const value**) const {
  parts->served_model = TextMember(reply, "modelVersion");
  const value* candidates = Member(reply, "candidates");
  if (candidates == nullptr || !candidates->is_array() || candidates->get_array().empty()) {
    const value* feedback = Member(reply, "promptFeedback");
    const std::string_view reason =
        feedback == nullptr ? std::string_view() : TextMember(*feedback, "blockReason");
    if (reason.empty()) return "has no candidates";
    parts->finish_reason = reason;
    parts->blocked = true;
    return std::nullopt;
  }
  const value& first = candidates->get_array().front();
  parts->finish_reason = TextMember(first, "finishReason");
  if (parts->finish_reason.empty()) return "has a candidate without a finishReason";
  const value* content = Member(first, "content");
  const value* items = content == nullptr ? nullptr : Member(*content, "parts");
  if (items != nullptr && items->is_array()) {
    for (const value& item : items->get_array()) {
      const value* thought = Member(item, "thought");
      const bool thinks = thought != nullptr && thought->is_bool() && thought->get_bool();
      parts->reasoned = parts->reasoned || thinks;
      (thinks ? parts->reasoning : parts->text) += TextMember(item, "text");
    }
  }
  if (const value* result = Member(first, "logprobsResult")) {
    parts->own_logprobs = LogprobsOf(*result);
  }
  return std::nullopt;
}

// Each event is a reply with the next parts of the text; the last has the finish reason and the
// final counts.
void GeminiDialect::Fold(std::string_view, value& data, boost::json::object& reply,
                         bool* done) const {
  for (const std::string_view name : {"modelVersion", "usageMetadata", "promptFeedback"}) {
    const value* member = Member(data, name);
    if (member != nullptr && !member->is_null()) reply[{name.data(), name.size()}] = *member;
  }
  const value* feedback = Member(data, "promptFeedback");
  if (feedback != nullptr && !TextMember(*feedback, "blockReason").empty()) *done = true;
  const value* candidates = Member(data, "candidates");
  if (candidates == nullptr || !candidates->is_array() || candidates->get_array().empty()) return;
  const value& from = candidates->get_array().front();
  boost::json::object* candidate = ElementAt(ArrayAt(reply, "candidates"), 0);
  if (const value* content = Member(from, "content")) {
    AppendItems(*content, "parts", ObjectAt(*candidate, "content"));
  }
  if (const value* result = Member(from, "logprobsResult")) {
    boost::json::object& all = ObjectAt(*candidate, "logprobsResult");
    AppendItems(*result, "chosenCandidates", all);
    AppendItems(*result, "topCandidates", all);
  }
  if (const std::string_view reason = TextMember(from, "finishReason"); !reason.empty()) {
    (*candidate)["finishReason"] = boost::json::string_view(reason.data(), reason.size());
    *done = true;
  }
}

}  // namespace candor::dialect
