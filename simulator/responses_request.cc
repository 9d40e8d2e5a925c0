#include "simulator/responses_request.h"

#include "simulator/openai_errors.h"
#include "simulator/openai_fields.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace candor::simulator::responses {
namespace {

namespace json = boost::json;
using openai::Invalid;

constexpr std::int64_t kMinTokens = 16;
constexpr std::int64_t kMaxTokens = 1'000'000;
constexpr std::string_view kIncludeLogProbabilities = "message.output_text.logprobs";
constexpr std::array<std::string_view, 4> kRoles = {"user", "assistant", "system", "developer"};

// The parameters that the reference lists.
constexpr std::array<std::string_view, 30> kKnown = {"background",
                                                     "conversation",
                                                     "context_management",
                                                     "include",
                                                     "input",
                                                     "instructions",
                                                     "max_output_tokens",
                                                     "max_tool_calls",
                                                     "metadata",
                                                     "model",
                                                     "parallel_tool_calls",
                                                     "previous_response_id",
                                                     "prompt",
                                                     "prompt_cache_key",
                                                     "prompt_cache_options",
                                                     "prompt_cache_retention",
                                                     "reasoning",
                                                     "safety_identifier",
                                                     "service_tier",
                                                     "store",
                                                     "stream",
                                                     "stream_options",
                                                     "temperature",
                                                     "text",
                                                     "tool_choice",
                                                     "tools",
                                                     "top_logprobs",
                                                     "top_p",
                                                     "truncation",
                                                     "user"};

std::optional<ApiError> CheckNames(const json::object& document) {
  // What moved on the way from chat completions has an error of its own.
  constexpr std::pair<std::string_view, std::string_view> kMoved[] = {
      {"response_format", "text.format"}, {"messages", "input"}};
  for (const auto& member : document) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end()) continue;
    for (const auto& [old_name, new_name] : kMoved) {
      if (name != old_name) continue;
      return Invalid(fmt::format("Unsupported parameter: '{}'. In the Responses API, this "
                                 "parameter has moved to '{}'.",
                                 name, new_name),
                     {}, "unsupported_parameter");
    }
    return Invalid(fmt::format("Unknown parameter: '{}'.", name), std::string(name),
                   "unknown_parameter");
  }
  return std::nullopt;
}

std::optional<ApiError> ReadInput(const json::object& document, ApiRequest* request) {
  if (const json::value* instructions = Member(document, "instructions")) {
    if (!instructions->is_string()) {
      return openai::WrongType("instructions", "a string", *instructions);
    }
    request->Add("system", View(instructions->get_string()));
  }
  const json::value* input = Member(document, "input");
  if (input == nullptr) return openai::Missing("input");
  if (input->is_string()) {
    request->Add("user", View(input->get_string()));
    return std::nullopt;
  }
  if (!input->is_array()) return openai::WrongType("input", "a string or an array", *input);
  const json::array& items = input->get_array();
  if (items.empty()) {
    return Invalid(
        "Invalid 'input': empty array. Expected an array with minimum length 1, but got "
        "an empty array instead.",
        "input", "empty_array");
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_object()) {
      return openai::WrongType(fmt::format("input[{}]", i), "an object", items[i]);
    }
    const json::object& item = items[i].get_object();
    const std::string_view type = TextMember(item, "type");
    if (type == "reasoning") continue;
    if (!type.empty() && type != "message") {
      return Invalid(fmt::format("Invalid value: '{}'. The simulator takes items of type "
                                 "'message'.",
                                 type.substr(0, 100)),
                     fmt::format("input[{}].type", i), "invalid_value");
    }
    const std::string_view role = TextMember(item, "role");
    if (role.empty()) return openai::Missing(fmt::format("input[{}].role", i));
    if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
      return Invalid(fmt::format("Invalid value: '{}'. Supported values are: 'assistant', "
                                 "'system', 'developer', and 'user'.",
                                 role.substr(0, 100)),
                     fmt::format("input[{}].role", i), "invalid_value");
    }
    const json::value* content = Member(item, "content");
    if (content == nullptr) return openai::Missing(fmt::format("input[{}].content", i));
    std::string_view text;
    const std::string path = fmt::format("input[{}].content", i);
    if (auto wrong = openai::ReadContent(*content, path, request, &text)) return wrong;
    request->Add(role, text);
  }
  return std::nullopt;
}

std::optional<ApiError> ReadSampling(const json::object& document, ApiRequest* request) {
  if (auto wrong = openai::CheckDecimal(document, "temperature", 0, 2)) return wrong;
  if (auto wrong = openai::CheckDecimal(document, "top_p", 0, 1)) return wrong;
  if (auto wrong = openai::ReadInteger(document, "max_output_tokens", kMinTokens, kMaxTokens,
                                       &request->max_tokens)) {
    return wrong;
  }
  std::optional<std::int64_t> top;
  if (auto wrong = openai::ReadInteger(document, "top_logprobs", 0, 20, &top)) return wrong;
  request->top_log_probabilities = static_cast<int>(top.value_or(0));
  if (const json::value* include = Member(document, "include")) {
    if (!include->is_array()) return openai::WrongType("include", "an array", *include);
    for (const json::value& item : include->get_array()) {
      if (item.is_string() && View(item.get_string()) == kIncludeLogProbabilities) {
        request->log_probabilities = true;
      }
    }
  }
  for (const std::string_view name : {"temperature", "top_p"}) {
    if (request->newer_models_refuse.empty() && Member(document, name) != nullptr) {
      request->newer_models_refuse = name;
    }
  }
  if (request->newer_models_refuse.empty() && request->log_probabilities) {
    request->newer_models_refuse = "include";
  }
  if (const json::value* reasoning = Member(document, "reasoning")) {
    if (!reasoning->is_object()) return openai::WrongType("reasoning", "an object", *reasoning);
    if (auto wrong =
            openai::ReadEffort(reasoning->get_object(), "effort", "reasoning.effort", request)) {
      return wrong;
    }
  }
  return openai::ReadBool(document, "stream", &request->stream);
}

std::optional<ApiError> ReadFormat(const json::object& document, ApiRequest* request) {
  const json::value* text = Member(document, "text");
  if (text == nullptr) return std::nullopt;
  if (!text->is_object()) return openai::WrongType("text", "an object", *text);
  const json::value* format = Member(text->get_object(), "format");
  if (format == nullptr) return std::nullopt;
  if (!format->is_object()) return openai::WrongType("text.format", "an object", *format);
  const json::object& fields = format->get_object();
  const std::string_view type = TextMember(fields, "type");
  if (type.empty()) return openai::Missing("text.format.type");
  if (type == "text") return std::nullopt;
  if (type == "json_object") {
    request->format = ReplyFormat::kJsonObject;
    return std::nullopt;
  }
  if (type != "json_schema") {
    return Invalid(fmt::format("Invalid value: '{}'. Supported values are: 'json_object', "
                               "'json_schema', and 'text'.",
                               type.substr(0, 100)),
                   "text.format.type", "invalid_value");
  }
  request->format = ReplyFormat::kJsonSchema;
  if (TextMember(fields, "name").empty()) return openai::Missing("text.format.name");
  if (Member(fields, "schema") == nullptr) return openai::Missing("text.format.schema");
  return openai::ReadSchema(fields, "text.format", request);
}

}  // namespace

std::optional<ApiError> ReadRequest(const ApiCall& call, ApiRequest* request) {
  const json::object* document = request->Parse(call.body);
  if (document == nullptr) return openai::NotJson();
  if (auto wrong = openai::ReadModel(call, *document, request)) return wrong;
  if (auto wrong = CheckNames(*document)) return wrong;
  if (auto wrong = ReadInput(*document, request)) return wrong;
  if (auto wrong = ReadSampling(*document, request)) return wrong;
  return ReadFormat(*document, request);
}

}  // namespace candor::simulator::responses
