// POST /chat/completions. Parameters that it does not know are passed over, as compatible servers
// do.
#include "common/base/json_writer.h"
#include "simulator/dialects.h"
#include "simulator/openai_errors.h"
#include "simulator/openai_fields.h"
#include "simulator/token_chances.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace candor::simulator {
namespace {

namespace json = boost::json;
using openai::Invalid;

constexpr std::array<std::string_view, 6> kRoles = {"system",    "assistant", "user",
                                                    "developer", "tool",      "function"};
constexpr std::int64_t kMaxTokens = 1'000'000;

std::optional<ApiError> ReadMessages(const json::object& document, ApiRequest* request) {
  const json::value* list = Member(document, "messages");
  if (list == nullptr) return openai::Missing("messages");
  if (!list->is_array()) return openai::WrongType("messages", "an array", *list);
  const json::array& items = list->get_array();
  if (items.empty()) {
    return Invalid(
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
        "empty array instead.",
        "messages", "empty_array");
  }
  request->messages.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_object()) {
      return openai::WrongType(fmt::format("messages[{}]", i), "an object", items[i]);
    }
    const json::object& item = items[i].get_object();
    const std::string_view role = TextMember(item, "role");
    if (role.empty()) return openai::Missing(fmt::format("messages[{}].role", i));
    if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
      return Invalid(fmt::format("Invalid value: '{}'. Supported values are: 'system', "
                                 "'assistant', 'user', 'function', 'tool', and 'developer'.",
                                 role.substr(0, 100)),
                     fmt::format("messages[{}].role", i), "invalid_value");
    }
    const json::value* content = item.if_contains("content");
    if (content == nullptr || (content->is_null() && role != "assistant")) {
      return Invalid("Invalid value for 'content': expected a string, got null.",
                     fmt::format("messages[{}].content", i), "invalid_type");
    }
    std::string_view text;
    if (content->is_string()) {
      text = View(content->get_string());
    } else if (!content->is_null()) {
      const std::string path = fmt::format("messages[{}].content", i);
      if (auto wrong = openai::ReadContent(*content, path, request, &text)) return wrong;
    }
    request->Add(role, text);
  }
  return std::nullopt;
}

std::optional<ApiError> ReadCaps(const json::object& document, ApiRequest* request) {
  std::optional<std::int64_t> deprecated;
  if (auto wrong = openai::ReadInteger(document, "max_tokens", 1, kMaxTokens, &deprecated)) {
    return wrong;
  }
  if (auto wrong = openai::ReadInteger(document, "max_completion_tokens", 1, kMaxTokens,
                                       &request->max_tokens)) {
    return wrong;
  }
  if (deprecated) request->newer_models_refuse = "max_tokens";
  if (!request->max_tokens) request->max_tokens = deprecated;
  return std::nullopt;
}

std::optional<ApiError> ReadSampling(const json::object& document, ApiRequest* request) {
  if (auto wrong = openai::CheckDecimal(document, "temperature", 0, 2)) return wrong;
  if (auto wrong = openai::CheckDecimal(document, "top_p", 0, 1)) return wrong;
  if (auto wrong = openai::CheckDecimal(document, "presence_penalty", -2, 2)) return wrong;
  if (auto wrong = openai::CheckDecimal(document, "frequency_penalty", -2, 2)) return wrong;
  if (auto wrong = ReadCaps(document, request)) return wrong;

  std::optional<std::int64_t> count;
  if (auto wrong = openai::ReadInteger(document, "n", 1, 128, &count)) return wrong;
  if (count.value_or(1) != 1) {
    return Invalid(fmt::format("Invalid 'n': the simulator gives one choice a call, but {} were "
                               "asked for. Leave 'n' out and call as often as you need.",
                               *count),
                   "n", "unsupported_value");
  }
  if (auto wrong = openai::ReadBool(document, "logprobs", &request->log_probabilities)) {
    return wrong;
  }
  std::optional<std::int64_t> top;
  if (auto wrong = openai::ReadInteger(document, "top_logprobs", 0, 20, &top)) return wrong;
  if (top && !request->log_probabilities) {
    return Invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
                   "top_logprobs");
  }
  request->top_log_probabilities = static_cast<int>(top.value_or(0));
  for (const std::string_view name : {"temperature", "top_p", "logprobs"}) {
    if (!request->newer_models_refuse.empty() || Member(document, name) == nullptr) continue;
    if (name != "logprobs" || request->log_probabilities) request->newer_models_refuse = name;
  }
  if (auto wrong = openai::ReadEffort(document, "reasoning_effort", "reasoning_effort", request)) {
    return wrong;
  }

  if (auto wrong = openai::ReadBool(document, "stream", &request->stream)) return wrong;
  if (const json::value* options = Member(document, "stream_options")) {
    if (!options->is_object()) return openai::WrongType("stream_options", "an object", *options);
    if (!request->stream) {
      return Invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                     "stream_options");
    }
    return openai::ReadBool(options->get_object(), "include_usage", &request->stream_usage);
  }
  return std::nullopt;
}

std::optional<ApiError> ReadFormat(const json::object& document, ApiRequest* request) {
  const json::value* format = Member(document, "response_format");
  if (format == nullptr) return std::nullopt;
  if (!format->is_object()) return openai::WrongType("response_format", "an object", *format);
  const std::string_view name = TextMember(format->get_object(), "type");
  if (name.empty()) return openai::Missing("response_format.type");
  if (name == "text") return std::nullopt;
  if (name == "json_object") {
    request->format = ReplyFormat::kJsonObject;
    return std::nullopt;
  }
  if (name != "json_schema") {
    return Invalid(fmt::format("Invalid value: '{}'. Supported values are: 'json_object', "
                               "'json_schema', and 'text'.",
                               name.substr(0, 100)),
                   "response_format.type", "invalid_value");
  }
  request->format = ReplyFormat::kJsonSchema;
  const json::object* outer = ObjectMember(format->get_object(), "json_schema");
  if (outer == nullptr) return openai::Missing("response_format.json_schema");
  return openai::ReadSchema(*outer, "response_format.json_schema", request);
}

std::string_view FinishReason(const Completion& completion) {
  if (completion.filtered) return "content_filter";
  return completion.cut ? "length" : "stop";
}

void AppendUsage(const Completion& completion, std::string* out) {
  fmt::format_to(std::back_inserter(*out),
                 R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                 R"("prompt_tokens_details":{{"cached_tokens":{},"audio_tokens":0}},)"
                 R"("completion_tokens_details":{{"reasoning_tokens":{},"audio_tokens":0,)"
                 R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}})",
                 completion.prompt_tokens, completion.completion_tokens,
                 completion.prompt_tokens + completion.completion_tokens, completion.cached_tokens,
                 completion.reasoning_tokens);
}

void AppendLogProbabilities(const Completion& completion, std::string* out) {
  if (!completion.log_probabilities) {
    *out += "null";
    return;
  }
  *out += R"({"content":[)";
  AppendOpenAiTokens(completion, out);
  *out += R"(],"refusal":null})";
}

// {"id":...,"object":...,"created":...,"model":...
void AppendHead(const Completion& completion, std::string_view object, std::string* out) {
  fmt::format_to(std::back_inserter(*out), R"({{"id":"{}","object":"{}","created":{},"model":)",
                 completion.id, object, completion.created);
  AppendJsonString(completion.model, out);
}

class Chat final : public Dialect {
 public:
  std::string_view KeyOf(const ApiCall& call) const override { return openai::KeyOf(call); }

  std::optional<ApiError> Read(const ApiCall& call, ApiRequest* request) const override {
    const json::object* document = request->Parse(call.body);
    if (document == nullptr) return openai::NotJson();
    if (auto wrong = openai::ReadModel(call, *document, request)) return wrong;
    if (auto wrong = ReadMessages(*document, request)) return wrong;
    if (auto wrong = ReadSampling(*document, request)) return wrong;
    return ReadFormat(*document, request);
  }

  ApiError Refuse(Refusal refusal, const RefusalFacts& facts) const override {
    return openai::Refuse(refusal, facts);
  }
  ApiError RefuseSystem() const override {
    return {400, "System role not supported", "BadRequestError", {}, "400", {}};
  }
  ApiError RefuseExhausted() const override {
    return Invalid(
        "Could not finish the message because max_tokens or model output limit was reached. Please "
        "try again with higher max_tokens.");
  }
  ApiError RefuseLogProbabilities() const override {
    return {403,
            "You are not allowed to request logprobs from this model.",
            "invalid_request_error",
            {},
            {},
            {}};
  }
  ApiError RefuseParameter(std::string_view name) const override {
    if (name != "temperature") return openai::RefuseParameter(name);
    return Invalid(
        "Unsupported value: 'temperature' does not support a value other than the "
        "default (1) with this model.",
        "temperature", "unsupported_value");
  }

  std::string Write(const Completion& completion) const override {
    std::string out;
    out.reserve(800 + completion.text.size());
    AppendHead(completion, "chat.completion", &out);
    out += R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)";
    AppendJsonString(completion.text, &out);
    out += R"(,"refusal":null,"annotations":[]},"logprobs":)";
    AppendLogProbabilities(completion, &out);
    fmt::format_to(std::back_inserter(out), R"(,"finish_reason":"{}"}}],"usage":)",
                   FinishReason(completion));
    AppendUsage(completion, &out);
    fmt::format_to(std::back_inserter(out),
                   R"(,"service_tier":"default","system_fingerprint":"{}"}})",
                   completion.system_fingerprint);
    return out;
  }

  // A first piece with the role, one with the text, one with the finish reason, with `usage` one
  // with that, and [DONE].
  std::string WriteStream(const Completion& completion, StreamForm form) const override {
    const bool usage = form == StreamForm::kEventsWithUsage;
    std::string out;
    out.reserve(1600 + completion.text.size());
    const auto begin = [&] {
      out += "data: ";
      AppendHead(completion, "chat.completion.chunk", &out);
      fmt::format_to(std::back_inserter(out),
                     R"(,"service_tier":"default","system_fingerprint":"{}",)",
                     completion.system_fingerprint);
    };
    const auto end = [&] {
      if (usage) out += R"(,"usage":null)";
      out += "}\n\n";
    };
    begin();
    out += R"("choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},)"
           R"("logprobs":null,"finish_reason":null}])";
    end();
    if (!completion.text.empty()) {
      begin();
      out += R"("choices":[{"index":0,"delta":{"content":)";
      AppendJsonString(completion.text, &out);
      out += R"(},"logprobs":)";
      AppendLogProbabilities(completion, &out);
      out += R"(,"finish_reason":null}])";
      end();
    }
    begin();
    fmt::format_to(std::back_inserter(out),
                   R"("choices":[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"{}"}}])",
                   FinishReason(completion));
    end();
    if (usage) {
      begin();
      out += R"("choices":[],"usage":)";
      AppendUsage(completion, &out);
      out += "}\n\n";
    }
    out += "data: [DONE]\n\n";
    return out;
  }

  std::string WriteError(const ApiError& error) const override { return openai::WriteError(error); }

  std::string WriteErrorEvent(const ApiError& error) const override {
    std::string out = R"(data: {"error":{"message":)";
    AppendJsonString(error.message, &out);
    out += R"(,"type":)";
    AppendJsonString(error.type, &out);
    out += R"(,"param":null,"code":null}})";
    return out + "\n\n";
  }

  std::string_view IdPrefix() const override { return "chatcmpl-"; }

  Charge ChargeAtBegin(const ApiRequest& request) const override {
    return {request.reserved_tokens(), request.estimated_tokens(), 0};
  }
  Charge ChargeAtEnd(const Completion& completion) const override {
    return {0, 0, completion.completion_tokens};
  }
};

}  // namespace

const Dialect& ChatDialect() {
  static const Chat kDialect;
  return kDialect;
}

}  // namespace candor::simulator
