#include "simulator/anthropic_request.h"

#include "simulator/openai_fields.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

namespace candor::simulator::anthropic {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMinThinking = 1024;

constexpr std::array<std::string_view, 20> kKnown = {
    "cache_control", "container",      "context_management",
    "inference_geo", "max_tokens",     "mcp_servers",
    "messages",      "metadata",       "model",
    "output_config", "output_format",  "service_tier",
    "speed",         "stop_sequences", "stream",
    "system",        "temperature",    "thinking",
    "tool_choice",   "tools"};
// Read apart, so that the list above is the sorted list of the reference.
constexpr std::array<std::string_view, 3> kKnownToo = {"top_k", "top_p", "user_profile_id"};

bool IsMarked(const json::object& block) { return Member(block, "cache_control") != nullptr; }

std::optional<ApiError> CheckNames(const json::object& document) {
  for (const auto& member : document) {
    const std::string_view name(member.key().data(), member.key().size());
    const auto in = [&](const auto& list) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    if (!in(kKnown) && !in(kKnownToo)) {
      return Invalid(fmt::format("{}: Extra inputs are not permitted", name));
    }
  }
  return std::nullopt;
}

// Text, or an array of text blocks; `marked` says whether one of them is marked for the cache.
std::optional<ApiError> ReadBlocks(const json::value& content, std::string_view path,
                                   ApiRequest* request, std::string_view* text, bool* marked) {
  if (content.is_string()) {
    *text = View(content.get_string());
    return std::nullopt;
  }
  const json::array* blocks = content.if_array();
  if (blocks == nullptr) {
    return Invalid(fmt::format("{}: Input should be a valid string or a list of blocks", path));
  }
  std::string& joined = request->Keep();
  for (std::size_t i = 0; i < blocks->size(); ++i) {
    const json::object* block = (*blocks)[i].if_object();
    const std::string_view type = block == nullptr ? "" : TextMember(*block, "type");
    if (type == "thinking" || type == "redacted_thinking") continue;
    if (type != "text") {
      return Invalid(
          fmt::format("{}.{}: Input tag '{}' found using 'type' does not match any of "
                      "the expected tags: 'text', 'thinking', 'redacted_thinking'",
                      path, i, type.substr(0, 100)));
    }
    const std::string_view piece = TextMember(*block, "text");
    if (piece.empty()) {
      return Invalid("messages: text content blocks must be non-empty");
    }
    *marked = *marked || IsMarked(*block);
    joined += piece;
  }
  *text = joined;
  return std::nullopt;
}

std::optional<ApiError> ReadMessages(const json::object& document, ApiRequest* request) {
  bool marked = Member(document, "cache_control") != nullptr;
  const bool all_marked = marked;
  if (const json::value* system = Member(document, "system")) {
    std::string_view text;
    marked = false;
    if (auto wrong = ReadBlocks(*system, "system", request, &text, &marked)) return wrong;
    request->Add("system", text);
    if (marked) request->cached_messages = request->messages.size();
  }
  const json::value* list = Member(document, "messages");
  if (list == nullptr) return Invalid("messages: Field required");
  const json::array* items = list->if_array();
  if (items == nullptr) return Invalid("messages: Input should be a valid list");
  if (items->empty()) return Invalid("messages: at least one message is required");
  for (std::size_t i = 0; i < items->size(); ++i) {
    const json::object* item = (*items)[i].if_object();
    if (item == nullptr) {
      return Invalid(fmt::format("messages.{}: Input should be a valid dictionary", i));
    }
    const std::string_view role = TextMember(*item, "role");
    if (role.empty()) return Invalid(fmt::format("messages.{}.role: Field required", i));
    if (role != "user" && role != "assistant") {
      return Invalid(fmt::format(
          "messages: Unexpected role \"{}\". The Messages API accepts a top-level `system` "
          "parameter, not \"system\" as an input message role.",
          role.substr(0, 100)));
    }
    const json::value* content = Member(*item, "content");
    if (content == nullptr) return Invalid(fmt::format("messages.{}.content: Field required", i));
    std::string_view text;
    marked = false;
    const std::string path = fmt::format("messages.{}.content", i);
    if (auto wrong = ReadBlocks(*content, path, request, &text, &marked)) return wrong;
    if (text.empty() && (role == "user" || i + 1 < items->size())) {
      return Invalid(
          fmt::format("messages.{}: all messages must have non-empty content except for "
                      "the optional final assistant message",
                      i));
    }
    request->Add(role, text);
    if (marked) request->cached_messages = request->messages.size();
  }
  if (all_marked) request->cached_messages = request->messages.size();
  return std::nullopt;
}

std::optional<ApiError> ReadCap(const json::object& document, ApiRequest* request) {
  const json::value* cap = Member(document, "max_tokens");
  if (cap == nullptr) return Invalid("max_tokens: Field required");
  if (!cap->is_int64()) return Invalid("max_tokens: Input should be a valid integer");
  if (cap->get_int64() < 1) return Invalid("max_tokens: must be greater than or equal to 1");
  request->max_tokens = cap->get_int64();
  return std::nullopt;
}

std::optional<ApiError> ReadSampling(const json::object& document, ApiRequest* request) {
  for (const std::string_view name : {"temperature", "top_p"}) {
    const json::value* value = Member(document, name);
    if (value == nullptr) continue;
    if (!value->is_number())
      return Invalid(fmt::format("{}: Input should be a valid number", name));
    const double number = value->to_number<double>();
    if (!(number >= 0 && number <= 1)) return Invalid(fmt::format("{}: range: 0..1", name));
    if (request->newer_models_refuse.empty()) request->newer_models_refuse = name;
  }
  if (const json::value* stream = Member(document, "stream")) {
    if (!stream->is_bool()) return Invalid("stream: Input should be a valid boolean");
    request->stream = stream->get_bool();
  }
  return std::nullopt;
}

std::optional<ApiError> ReadThinking(const json::object& document, ApiRequest* request) {
  const json::value* value = Member(document, "thinking");
  if (value == nullptr) return std::nullopt;
  const json::object* thinking = value->if_object();
  if (thinking == nullptr) return Invalid("thinking: Input should be a valid dictionary");
  const std::string_view type = TextMember(*thinking, "type");
  if (type == "disabled") {
    request->effort = 0;
    return std::nullopt;
  }
  if (type != "enabled" && type != "adaptive") {
    return Invalid(
        fmt::format("thinking: Input tag '{}' found using 'type' does not match any of "
                    "the expected tags: 'adaptive', 'disabled', 'enabled'",
                    type.substr(0, 100)));
  }
  if (const json::value* temperature = Member(document, "temperature");
      temperature != nullptr && temperature->to_number<double>() != 1) {
    return Invalid("`temperature` may only be set to 1 when thinking is enabled.");
  }
  if (type == "adaptive") return std::nullopt;
  const json::value* budget = Member(*thinking, "budget_tokens");
  if (budget == nullptr) return Invalid("thinking.enabled.budget_tokens: Field required");
  if (!budget->is_int64() || budget->get_int64() < kMinThinking) {
    return Invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
  }
  if (budget->get_int64() >= *request->max_tokens) {
    return Invalid("`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
  request->reasoning_limit = budget->get_int64();
  return std::nullopt;
}

// The keywords that each type does not take.
std::vector<std::string_view> UnsupportedOf(std::string_view type, const json::object& schema) {
  constexpr std::string_view kNumbers[] = {"exclusiveMaximum", "exclusiveMinimum", "maximum",
                                           "minimum", "multipleOf"};
  constexpr std::string_view kStrings[] = {"maxLength", "minLength"};
  constexpr std::string_view kArrays[] = {"maxItems", "uniqueItems"};
  std::vector<std::string_view> found;
  const auto look = [&](const auto& names) {
    for (const std::string_view name : names) {
      if (Member(schema, name) != nullptr) found.push_back(name);
    }
  };
  if (type == "integer" || type == "number") look(kNumbers);
  if (type == "string") look(kStrings);
  if (type == "array") look(kArrays);
  return found;
}

std::optional<ApiError> CheckSchema(const json::object& schema, std::string_view path, int depth) {
  if (depth > 32) return Invalid(fmt::format("{}: the schema is nested too deeply", path));
  const std::string_view type = TextMember(schema, "type");
  const std::vector<std::string_view> unsupported = UnsupportedOf(type, schema);
  if (unsupported.size() == 1) {
    return Invalid(fmt::format("{}: For '{}' type, property '{}' is not supported", path, type,
                               unsupported.front()));
  }
  if (!unsupported.empty()) {
    return Invalid(fmt::format("{}: For '{}' type, properties {} are not supported", path, type,
                               fmt::join(unsupported, ", ")));
  }
  if (type == "object") {
    const json::value* others = Member(schema, "additionalProperties");
    if (others == nullptr || !others->is_bool() || others->get_bool()) {
      return Invalid(fmt::format(
          "{}: For 'object' type, 'additionalProperties' must be explicitly set to false", path));
    }
    if (const json::object* properties = ObjectMember(schema, "properties")) {
      for (const auto& property : *properties) {
        const json::object* inner = property.value().if_object();
        if (inner == nullptr) continue;
        if (auto wrong = CheckSchema(*inner, path, depth + 1)) return wrong;
      }
    }
  }
  if (const json::object* items = ObjectMember(schema, "items")) {
    return CheckSchema(*items, path, depth + 1);
  }
  return std::nullopt;
}

std::optional<ApiError> ReadFormat(const json::object& document, ApiRequest* request) {
  const json::object* format = ObjectMember(document, "output_format");
  std::string_view path = "output_format";
  if (const json::object* config = ObjectMember(document, "output_config")) {
    if (const json::object* inner = ObjectMember(*config, "format")) {
      format = inner;
      path = "output_config.format";
    }
    if (Member(*config, "effort") != nullptr) {
      if (auto wrong = openai::ReadEffort(*config, "effort", "output_config.effort", request)) {
        return Invalid(fmt::format("output_config.effort: {}", wrong->message));
      }
    }
  }
  if (format == nullptr) return std::nullopt;
  if (TextMember(*format, "type") != "json_schema") {
    return Invalid(fmt::format("{}.type: Input should be 'json_schema'", path));
  }
  const json::object* schema = ObjectMember(*format, "schema");
  if (schema == nullptr) return Invalid(fmt::format("{}.schema: Field required", path));
  if (auto wrong = CheckSchema(*schema, fmt::format("{}.schema", path), 0)) return wrong;
  request->format = ReplyFormat::kJsonSchema;
  if (const json::object* properties = ObjectMember(*schema, "properties")) {
    for (const auto& property : *properties) {
      request->schema_names.emplace_back(property.key().data(), property.key().size());
    }
  }
  return std::nullopt;
}

}  // namespace

ApiError Invalid(std::string message) {
  return {400, std::move(message), "invalid_request_error", {}, {}, {}};
}

std::optional<ApiError> ReadRequest(const ApiCall& call, ApiRequest* request) {
  if (call.Header("anthropic-version").empty()) {
    return Invalid("anthropic-version: header is required");
  }
  const json::object* document = request->Parse(call.body);
  if (document == nullptr) {
    return Invalid("The request body is not valid JSON.");
  }
  const json::value* model = Member(*document, "model");
  if (model == nullptr) return Invalid("model: Field required");
  if (!model->is_string()) return Invalid("model: Input should be a valid string");
  request->model = View(model->get_string());
  if (request->model.empty()) {
    return Invalid("model: String should have at least 1 character");
  }
  if (auto wrong = CheckNames(*document)) return wrong;
  if (auto wrong = ReadCap(*document, request)) return wrong;
  if (auto wrong = ReadMessages(*document, request)) return wrong;
  if (auto wrong = ReadSampling(*document, request)) return wrong;
  if (auto wrong = ReadThinking(*document, request)) return wrong;
  return ReadFormat(*document, request);
}

}  // namespace candor::simulator::anthropic
