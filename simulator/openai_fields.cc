#include "simulator/openai_fields.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace candor::simulator {

namespace json = boost::json;

const json::value* Member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string_view TextMember(const json::object& object, std::string_view name) {
  const json::value* value = Member(object, name);
  return value != nullptr && value->is_string() ? View(value->get_string()) : std::string_view();
}

const json::object* ObjectMember(const json::object& object, std::string_view name) {
  const json::value* value = Member(object, name);
  return value == nullptr ? nullptr : value->if_object();
}

namespace openai {
namespace {

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

// How much of the usual thinking each word asks for.
constexpr std::pair<std::string_view, double> kEfforts[] = {
    {"none", 0}, {"minimal", 0.125}, {"low", 0.25}, {"medium", 1},
    {"high", 4}, {"xhigh", 8},       {"max", 16}};

}  // namespace

ApiError Invalid(std::string message, std::string param, std::string code) {
  return {400, std::move(message), "invalid_request_error", std::move(param), std::move(code), {}};
}

ApiError WrongType(std::string_view param, std::string_view wanted, const json::value& value) {
  return Invalid(fmt::format("Invalid type for '{}': expected {}, but got {} instead.", param,
                             wanted, TypeName(value)),
                 std::string(param), "invalid_type");
}

ApiError Missing(std::string_view param) {
  return Invalid(fmt::format("Missing required parameter: '{}'.", param), std::string(param),
                 "missing_required_parameter");
}

ApiError NotJson() {
  return Invalid(
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't "
      "using your HTTP library correctly. The API expects a JSON payload, but what was sent was "
      "not valid JSON.)");
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

std::optional<ApiError> ReadModel(const ApiCall& call, const json::object& document,
                                  ApiRequest* request) {
  const json::value* model = Member(document, "model");
  if (model != nullptr && !model->is_string()) return WrongType("model", "a string", *model);
  // A deployment in the path is what Azure plays, whatever the body says.
  request->model = !call.path_model.empty() ? call.path_model
                   : model != nullptr       ? View(model->get_string())
                                            : std::string_view();
  if (request->model.empty()) return Invalid("you must provide a model parameter");
  return std::nullopt;
}

std::optional<ApiError> ReadContent(const json::value& content, std::string_view path,
                                    ApiRequest* request, std::string_view* text) {
  if (content.is_string()) {
    *text = View(content.get_string());
    return std::nullopt;
  }
  if (!content.is_array()) return WrongType(path, "a string or an array of parts", content);
  std::string& joined = request->Keep();
  for (const json::value& part : content.get_array()) {
    const json::object* object = part.if_object();
    const json::value* piece = object == nullptr ? nullptr : Member(*object, "text");
    if (piece == nullptr || !piece->is_string()) {
      return Invalid(fmt::format("Invalid '{}': this model takes parts of type 'text' only.", path),
                     std::string(path), "invalid_value");
    }
    joined += View(piece->get_string());
  }
  *text = joined;
  return std::nullopt;
}

std::optional<ApiError> ReadSchema(const json::object& format, std::string_view path,
                                   ApiRequest* request) {
  const json::value* schema = Member(format, "schema");
  if (schema == nullptr) return std::nullopt;
  if (!schema->is_object()) {
    return WrongType(fmt::format("{}.schema", path), "an object", *schema);
  }
  const json::object* properties = ObjectMember(schema->get_object(), "properties");
  if (properties == nullptr) return std::nullopt;
  for (const auto& property : *properties) {
    request->schema_names.emplace_back(property.key().data(), property.key().size());
  }
  return std::nullopt;
}

std::optional<ApiError> ReadEffort(const json::object& object, const char* name,
                                   std::string_view path, ApiRequest* request) {
  const json::value* value = Member(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return WrongType(path, "a string", *value);
  const std::string_view word = View(value->get_string());
  const auto* const known = std::find_if(std::begin(kEfforts), std::end(kEfforts),
                                         [&](const auto& effort) { return effort.first == word; });
  if (known == std::end(kEfforts)) {
    return Invalid(fmt::format("Invalid value: '{}'. Supported values are: 'none', 'minimal', "
                               "'low', 'medium', 'high', 'xhigh', and 'max'.",
                               word.substr(0, 100)),
                   std::string(path), "invalid_value");
  }
  request->effort = known->second;
  return std::nullopt;
}

}  // namespace openai
}  // namespace candor::simulator
