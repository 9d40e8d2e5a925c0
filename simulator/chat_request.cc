#include "simulator/chat_request.h"

#include "common/base/json_writer.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace candor::simulator {
namespace {

namespace json = boost::json;

std::string_view View(const json::string& text) { return {text.data(), text.size()}; }

ApiError Invalid(std::string message, std::string param = {}, std::string code = {}) {
  return {400, std::move(message), "invalid_request_error", std::move(param), std::move(code)};
}

std::string_view TypeName(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a decimal";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

ApiError WrongType(std::string_view param, std::string_view wanted, const json::value& value) {
  return Invalid(fmt::format("Invalid type for '{}': expected {}, but got {} instead.", param,
                             wanted, TypeName(value)),
                 std::string(param), "invalid_type");
}

// The member, or null when it is absent or null.
const json::value* Member(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<ApiError> ReadBool(const json::object& object, const char* name, bool* out) {
  const json::value* value = Member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) return WrongType(name, "a boolean", *value);
  *out = value->get_bool();
  return std::nullopt;
}

std::optional<ApiError> ReadInteger(const json::object& object, const char* name, std::int64_t low,
                                    std::int64_t high, std::optional<std::int64_t>* out) {
  const json::value* value = Member(object, name);
  if (value == nullptr) return std::nullopt;
  std::int64_t number = high;
  if (value->is_int64()) {
    number = value->get_int64();
  } else if (!value->is_uint64()) {
    return WrongType(name, "an integer", *value);
  }
  if (number < low) {
    return Invalid(fmt::format("Invalid '{}': integer below minimum value. Expected a value >= {}, "
                               "but got {} instead.",
                               name, low, number),
                   name, "integer_below_min_value");
  }
  if (number > high || value->is_uint64()) {
    return Invalid(fmt::format("Invalid '{}': integer above maximum value. Expected a value <= {}, "
                               "but got {} instead.",
                               name, high,
                               value->is_uint64() ? fmt::format("{}", value->get_uint64())
                                                  : fmt::format("{}", number)),
                   name, "integer_above_max_value");
  }
  *out = number;
  return std::nullopt;
}

std::optional<ApiError> CheckDecimal(const json::object& object, const char* name, double low,
                                     double high) {
  const json::value* value = Member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) return WrongType(name, "a decimal", *value);
  const double number = value->is_double()  ? value->get_double()
                        : value->is_int64() ? static_cast<double>(value->get_int64())
                                            : static_cast<double>(value->get_uint64());
  if (number < low) {
    return Invalid(fmt::format("Invalid '{}': decimal below minimum value. Expected a value >= {}, "
                               "but got {} instead.",
                               name, low, number),
                   name, "decimal_below_min_value");
  }
  if (number > high) {
    return Invalid(fmt::format("Invalid '{}': decimal above maximum value. Expected a value <= {}, "
                               "but got {} instead.",
                               name, high, number),
                   name, "decimal_above_max_value");
  }
  return std::nullopt;
}

constexpr std::array<std::string_view, 6> kRoles = {"system",    "assistant", "user",
                                                    "developer", "tool",      "function"};
constexpr std::int64_t kMaxTokens = 1'000'000;

}  // namespace

std::string WriteError(const ApiError& error) {
  JsonWriter writer(2);
  writer.BeginObject().Key("error").BeginObject();
  const auto text = [&](std::string_view name, const std::string& value) {
    writer.Key(name);
    if (value.empty()) {
      writer.Null();
    } else {
      writer.String(value);
    }
  };
  text("message", error.message);
  text("type", error.type);
  text("param", error.param);
  text("code", error.code);
  writer.EndObject().EndObject();
  return writer.Take();
}

std::string_view TakeTokens(std::string_view text, std::int64_t count) {
  if (CountTokens(text) <= count) return text;
  auto size = static_cast<std::size_t>(count) * 4;
  const auto is_inner = [&](std::size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
  };
  while (size > 1 && is_inner(size)) --size;
  return text.substr(0, size);
}

std::int64_t ChatRequest::counted_tokens() const {
  return std::max(max_tokens_.value_or(0), estimated_tokens_);
}

std::optional<ApiError> ChatRequest::Parse(std::string_view body) {
  boost::system::error_code error;
  document_ = json::parse(json::string_view(body.data(), body.size()), error, &memory_);
  if (error || !document_.is_object()) {
    return Invalid(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't "
        "using your HTTP library correctly. The API expects a JSON payload, but what was sent was "
        "not valid JSON.)");
  }
  const json::object& document = document_.get_object();
  const json::value* model = Member(document, "model");
  if (model == nullptr) return Invalid("you must provide a model parameter");
  if (!model->is_string()) return WrongType("model", "a string", *model);
  model_ = View(model->get_string());
  if (model_.empty()) return Invalid("you must provide a model parameter");

  if (auto wrong = ReadMessages(document)) return wrong;
  if (auto wrong = ReadSampling(document)) return wrong;
  return ReadFormat(document);
}

std::optional<ApiError> ChatRequest::ReadMessages(const json::object& document) {
  const json::value* list = Member(document, "messages");
  if (list == nullptr) {
    return Invalid("Missing required parameter: 'messages'.", "messages",
                   "missing_required_parameter");
  }
  if (!list->is_array()) return WrongType("messages", "an array", *list);
  const json::array& items = list->get_array();
  if (items.empty()) {
    return Invalid(
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
        "empty array instead.",
        "messages", "empty_array");
  }
  messages_.reserve(items.size());
  std::size_t characters = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_object()) {
      return WrongType(fmt::format("messages[{}]", i), "an object", items[i]);
    }
    const json::object& item = items[i].get_object();
    const json::value* role = Member(item, "role");
    if (role == nullptr || !role->is_string()) {
      return Invalid(fmt::format("Missing required parameter: 'messages[{}].role'.", i),
                     fmt::format("messages[{}].role", i), "missing_required_parameter");
    }
    ChatMessage message{View(role->get_string()), {}};
    if (std::find(kRoles.begin(), kRoles.end(), message.role) == kRoles.end()) {
      return Invalid(fmt::format("Invalid value: '{}'. Supported values are: 'system', "
                                 "'assistant', 'user', 'function', 'tool', and 'developer'.",
                                 message.role.substr(0, 100)),
                     fmt::format("messages[{}].role", i), "invalid_value");
    }
    const json::value* content = item.if_contains("content");
    if (content == nullptr || (content->is_null() && message.role != "assistant")) {
      return Invalid(fmt::format("Invalid value for 'content': expected a string, got null."),
                     fmt::format("messages[{}].content", i), "invalid_type");
    }
    if (!content->is_null()) {
      if (auto wrong = ReadContent(*content, i, &message.content)) return wrong;
    }
    prompt_tokens_ += 4 + CountTokens(message.content);
    characters += message.content.size();
    messages_.push_back(message);
  }
  estimated_tokens_ = static_cast<std::int64_t>((characters + 3) / 4);
  return std::nullopt;
}

std::optional<ApiError> ChatRequest::ReadContent(const json::value& content, std::size_t index,
                                                 std::string_view* text) {
  if (content.is_string()) {
    *text = View(content.get_string());
    return std::nullopt;
  }
  const std::string path = fmt::format("messages[{}].content", index);
  if (!content.is_array()) return WrongType(path, "a string or an array of parts", content);
  std::string& joined = joined_.emplace_back();
  for (const json::value& part : content.get_array()) {
    const json::object* object = part.if_object();
    const json::value* piece = object == nullptr ? nullptr : Member(*object, "text");
    if (piece == nullptr || !piece->is_string()) {
      return Invalid(fmt::format("Invalid '{}': this model takes parts of type 'text' only.", path),
                     path, "invalid_value");
    }
    joined += View(piece->get_string());
  }
  *text = joined;
  return std::nullopt;
}

std::optional<ApiError> ChatRequest::ReadSampling(const json::object& document) {
  if (auto wrong = CheckDecimal(document, "temperature", 0, 2)) return wrong;
  if (auto wrong = CheckDecimal(document, "top_p", 0, 1)) return wrong;
  if (auto wrong = CheckDecimal(document, "presence_penalty", -2, 2)) return wrong;
  if (auto wrong = CheckDecimal(document, "frequency_penalty", -2, 2)) return wrong;

  std::optional<std::int64_t> deprecated;
  if (auto wrong = ReadInteger(document, "max_tokens", 1, kMaxTokens, &deprecated)) return wrong;
  if (auto wrong = ReadInteger(document, "max_completion_tokens", 1, kMaxTokens, &max_tokens_)) {
    return wrong;
  }
  if (!max_tokens_) max_tokens_ = deprecated;

  std::optional<std::int64_t> count;
  if (auto wrong = ReadInteger(document, "n", 1, 128, &count)) return wrong;
  if (count.value_or(1) != 1) {
    return Invalid(fmt::format("Invalid 'n': the simulator gives one choice a call, but {} were "
                               "asked for. Leave 'n' out and call as often as you need.",
                               *count),
                   "n", "unsupported_value");
  }
  if (auto wrong = ReadBool(document, "logprobs", &log_probabilities_)) return wrong;
  std::optional<std::int64_t> top;
  if (auto wrong = ReadInteger(document, "top_logprobs", 0, 20, &top)) return wrong;
  if (top && !log_probabilities_) {
    return Invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
                   "top_logprobs");
  }
  top_log_probabilities_ = static_cast<int>(top.value_or(0));

  if (auto wrong = ReadBool(document, "stream", &stream_)) return wrong;
  if (const json::value* options = Member(document, "stream_options")) {
    if (!options->is_object()) return WrongType("stream_options", "an object", *options);
    if (!stream_) {
      return Invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                     "stream_options");
    }
    return ReadBool(options->get_object(), "include_usage", &stream_usage_);
  }
  return std::nullopt;
}

std::optional<ApiError> ChatRequest::ReadFormat(const json::object& document) {
  const json::value* format = Member(document, "response_format");
  if (format == nullptr) return std::nullopt;
  if (!format->is_object()) return WrongType("response_format", "an object", *format);
  const json::value* type = Member(format->get_object(), "type");
  if (type == nullptr || !type->is_string()) {
    return Invalid("Missing required parameter: 'response_format.type'.", "response_format.type",
                   "missing_required_parameter");
  }
  const std::string_view name = View(type->get_string());
  if (name == "text") return std::nullopt;
  if (name == "json_object") {
    format_ = ReplyFormat::kJsonObject;
    return std::nullopt;
  }
  if (name != "json_schema") {
    return Invalid(fmt::format("Invalid value: '{}'. Supported values are: 'json_object', "
                               "'json_schema', and 'text'.",
                               name.substr(0, 100)),
                   "response_format.type", "invalid_value");
  }
  format_ = ReplyFormat::kJsonSchema;
  const json::value* outer = Member(format->get_object(), "json_schema");
  if (outer == nullptr || !outer->is_object()) {
    return Invalid("Missing required parameter: 'response_format.json_schema'.",
                   "response_format.json_schema", "missing_required_parameter");
  }
  const json::value* schema = Member(outer->get_object(), "schema");
  if (schema == nullptr) return std::nullopt;
  if (!schema->is_object()) {
    return WrongType("response_format.json_schema.schema", "an object", *schema);
  }
  const json::value* properties = Member(schema->get_object(), "properties");
  if (properties == nullptr || !properties->is_object()) return std::nullopt;
  for (const auto& property : properties->get_object()) {
    schema_names_.emplace_back(property.key().data(), property.key().size());
  }
  return std::nullopt;
}

}  // namespace candor::simulator
