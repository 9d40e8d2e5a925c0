#include "simulator/gemini_request.h"

#include "common/base/json_writer.h"
#include "simulator/openai_fields.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <utility>

namespace candor::simulator::gemini {
namespace {

namespace json = boost::json;

constexpr std::string_view kTopLevel[] = {
    "cachedContent", "contents", "generationConfig",  "labels",     "model", "safetySettings",
    "serviceTier",   "store",    "systemInstruction", "toolConfig", "tools"};
constexpr std::string_view kConfig[] = {"candidateCount",
                                        "enableEnhancedCivicAnswers",
                                        "frequencyPenalty",
                                        "imageConfig",
                                        "logprobs",
                                        "maxOutputTokens",
                                        "mediaResolution",
                                        "presencePenalty",
                                        "responseJsonSchema",
                                        "responseLogprobs",
                                        "responseMimeType",
                                        "responseModalities",
                                        "responseSchema",
                                        "seed",
                                        "speechConfig",
                                        "stopSequences",
                                        "temperature",
                                        "thinkingConfig",
                                        "topK",
                                        "topP"};
constexpr std::string_view kThinking[] = {"includeThoughts", "thinkingBudget", "thinkingLevel"};
// The subset of OpenAPI's schema objects that responseSchema takes.
constexpr std::string_view kSchema[] = {"anyOf",
                                        "default",
                                        "description",
                                        "enum",
                                        "example",
                                        "format",
                                        "items",
                                        "maxItems",
                                        "maxLength",
                                        "maximum",
                                        "maxProperties",
                                        "minItems",
                                        "minLength",
                                        "minProperties",
                                        "minimum",
                                        "nullable",
                                        "pattern",
                                        "properties",
                                        "propertyOrdering",
                                        "required",
                                        "title",
                                        "type"};

std::string Snake(std::string_view name) {
  std::string snake;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return snake;
}

// By its name in lowerCamelCase, however it is written.
const json::value* Get(const json::object& object, std::string_view name) {
  const json::value* value = Member(object, name);
  return value != nullptr ? value : Member(object, Snake(name));
}

std::optional<ApiError> CheckNames(const json::object& object,
                                   std::span<const std::string_view> known, std::string_view path) {
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    const bool is_known = std::any_of(known.begin(), known.end(), [&](std::string_view item) {
      return item == name || (name.find('_') != name.npos && Snake(item) == name);
    });
    if (is_known) continue;
    const std::string message =
        path.empty()
            ? fmt::format("Invalid JSON payload received. Unknown name \"{}\": Cannot find field.",
                          name)
            : fmt::format(
                  "Invalid JSON payload received. Unknown name \"{}\" at '{}': Cannot find "
                  "field.",
                  name, path);
    std::string details = R"({"@type":"type.googleapis.com/google.rpc.BadRequest",)"
                          R"("fieldViolations":[{"field":)";
    AppendJsonString(path, &details);
    details += R"(,"description":)";
    AppendJsonString(message, &details);
    return Invalid(message, details + "}]}");
  }
  return std::nullopt;
}

std::optional<ApiError> WrongValue(std::string_view path, std::string_view wanted) {
  return Invalid(fmt::format("Invalid value at '{}' ({})", path, wanted));
}

std::optional<ApiError> ReadParts(const json::object& content, std::string_view path,
                                  ApiRequest* request, std::string_view* text) {
  const json::value* parts = Get(content, "parts");
  const json::array* list = parts == nullptr ? nullptr : parts->if_array();
  if (list == nullptr || list->empty()) {
    return Invalid(
        fmt::format("* GenerateContentRequest.{}.parts: contents.parts must not be "
                    "empty.\n",
                    path));
  }
  std::string& joined = request->Keep();
  for (const json::value& part : *list) {
    const json::object* object = part.if_object();
    const json::value* piece = object == nullptr ? nullptr : Member(*object, "text");
    if (piece == nullptr || !piece->is_string()) {
      return Invalid(
          fmt::format("* GenerateContentRequest.{}.parts: required oneof field 'data' "
                      "must have one initialized field\n",
                      path));
    }
    joined += View(piece->get_string());
  }
  *text = joined;
  return std::nullopt;
}

std::optional<ApiError> ReadContents(const json::object& document, ApiRequest* request) {
  if (const json::value* system = Get(document, "systemInstruction")) {
    if (!system->is_object()) return WrongValue("system_instruction", "Content");
    std::string_view text;
    if (auto wrong = ReadParts(system->get_object(), "system_instruction", request, &text)) {
      return wrong;
    }
    request->Add("system", text);
  }
  const json::value* contents = Get(document, "contents");
  const json::array* list = contents == nullptr ? nullptr : contents->if_array();
  if (list == nullptr || list->empty()) {
    return Invalid("* GenerateContentRequest.contents: contents is not specified\n");
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json::object* content = (*list)[i].if_object();
    if (content == nullptr) return WrongValue(fmt::format("contents[{}]", i), "Content");
    std::string_view role = TextMember(*content, "role");
    if (role.empty()) role = "user";
    if (role != "user" && role != "model") {
      return Invalid("Please use a valid role: user, model.");
    }
    std::string_view text;
    if (auto wrong = ReadParts(*content, fmt::format("contents[{}]", i), request, &text)) {
      return wrong;
    }
    request->Add(role == "model" ? "assistant" : role, text);
  }
  return std::nullopt;
}

std::optional<ApiError> ReadThinking(const json::object& config, ApiRequest* request) {
  const json::value* value = Get(config, "thinkingConfig");
  if (value == nullptr) return std::nullopt;
  const json::object* thinking = value->if_object();
  if (thinking == nullptr) return WrongValue("generation_config.thinking_config", "ThinkingConfig");
  if (auto wrong = CheckNames(*thinking, kThinking, "generation_config.thinking_config")) {
    return wrong;
  }
  if (const json::value* budget = Get(*thinking, "thinkingBudget")) {
    if (!budget->is_int64() || budget->get_int64() < -1) {
      return WrongValue("generation_config.thinking_config.thinking_budget", "TYPE_INT32");
    }
    // -1: the model decides.
    if (budget->get_int64() == 0) request->effort = 0;
    if (budget->get_int64() > 0) request->reasoning_limit = budget->get_int64();
  }
  if (const json::value* level = Get(*thinking, "thinkingLevel")) {
    std::string word(level->is_string() ? View(level->get_string()) : "");
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::pair<std::string_view, double> kLevels[] = {
        {"minimal", 0.125}, {"low", 0.25}, {"medium", 1}, {"high", 4}};
    const auto* const known = std::find_if(std::begin(kLevels), std::end(kLevels),
                                           [&](const auto& item) { return item.first == word; });
    if (known == std::end(kLevels)) {
      return WrongValue("generation_config.thinking_config.thinking_level", "ThinkingLevel");
    }
    request->effort = known->second;
  }
  return std::nullopt;
}

std::optional<ApiError> CheckSchema(const json::object& schema, std::string_view path, int depth) {
  if (depth > 32) return Invalid("A schema in GenerationConfig is nested too deeply.");
  if (auto wrong = CheckNames(schema, kSchema, path)) return wrong;
  if (const json::object* properties = ObjectMember(schema, "properties")) {
    for (const auto& property : *properties) {
      const json::object* inner = property.value().if_object();
      if (inner == nullptr) continue;
      const std::string below =
          fmt::format("{}.properties[{}].value", path,
                      std::string_view(property.key().data(), property.key().size()));
      if (auto wrong = CheckSchema(*inner, below, depth + 1)) return wrong;
    }
  }
  if (const json::object* items = ObjectMember(schema, "items")) {
    return CheckSchema(*items, fmt::format("{}.items", path), depth + 1);
  }
  return std::nullopt;
}

std::optional<ApiError> ReadFormat(const json::object& config, ApiRequest* request) {
  const json::value* type = Get(config, "responseMimeType");
  const bool is_json =
      type != nullptr && type->is_string() && View(type->get_string()) == "application/json";
  if (is_json) request->format = ReplyFormat::kJsonObject;
  const json::value* own = Get(config, "responseSchema");
  const json::value* schema = own != nullptr ? own : Get(config, "responseJsonSchema");
  if (schema == nullptr) return std::nullopt;
  if (!schema->is_object()) return WrongValue("generation_config.response_schema", "Schema");
  if (own != nullptr) {
    if (auto wrong = CheckSchema(own->get_object(), "generation_config.response_schema", 0)) {
      return wrong;
    }
  }
  if (!is_json) {
    return Invalid(
        "* GenerateContentRequest.generation_config.response_schema: only allowed when "
        "response_mime_type is application/json\n");
  }
  request->format = ReplyFormat::kJsonSchema;
  if (const json::object* properties = ObjectMember(schema->get_object(), "properties")) {
    for (const auto& property : *properties) {
      request->schema_names.emplace_back(property.key().data(), property.key().size());
    }
  }
  return std::nullopt;
}

std::optional<ApiError> ReadLogProbabilities(const json::object& config, ApiRequest* request) {
  if (const json::value* wanted = Get(config, "responseLogprobs")) {
    if (!wanted->is_bool()) return WrongValue("generation_config.response_logprobs", "TYPE_BOOL");
    request->log_probabilities = wanted->get_bool();
  }
  const json::value* top = Get(config, "logprobs");
  if (top == nullptr) return std::nullopt;
  if (!top->is_int64()) return WrongValue("generation_config.logprobs", "TYPE_INT32");
  if (!request->log_probabilities) {
    return Invalid("logprobs is only allowed when responseLogprobs is true.");
  }
  if (top->get_int64() < 0 || top->get_int64() > 20) {
    return Invalid("logprobs must be in the range of [0, 20].");
  }
  request->top_log_probabilities = static_cast<int>(top->get_int64());
  return std::nullopt;
}

std::optional<ApiError> ReadConfig(const json::object& document, ApiRequest* request) {
  const json::value* value = Get(document, "generationConfig");
  if (value == nullptr) return std::nullopt;
  const json::object* config = value->if_object();
  if (config == nullptr) return WrongValue("generation_config", "GenerationConfig");
  if (auto wrong = CheckNames(*config, kConfig, "generation_config")) return wrong;
  if (const json::value* temperature = Get(*config, "temperature")) {
    if (!temperature->is_number()) return WrongValue("generation_config.temperature", "TYPE_FLOAT");
    const double number = temperature->to_number<double>();
    if (!(number >= 0 && number <= 2)) {
      return Invalid("Unable to submit request because it has a temperature value of " +
                     ShortestNumber(number) +
                     " but the supported range is from 0 (inclusive) to 2.0 (inclusive).");
    }
    request->newer_models_refuse = "temperature";
  }
  if (const json::value* cap = Get(*config, "maxOutputTokens")) {
    if (!cap->is_int64()) return WrongValue("generation_config.max_output_tokens", "TYPE_INT32");
    if (cap->get_int64() < 1) {
      return Invalid("max_output_tokens must be positive.");
    }
    request->max_tokens = cap->get_int64();
  }
  if (const json::value* count = Get(*config, "candidateCount");
      count != nullptr && (!count->is_int64() || count->get_int64() != 1)) {
    return Invalid("Only one candidate can be specified.");
  }
  if (auto wrong = ReadLogProbabilities(*config, request)) return wrong;
  if (auto wrong = ReadThinking(*config, request)) return wrong;
  return ReadFormat(*config, request);
}

}  // namespace

ApiError Invalid(std::string message, std::string details) {
  return {400, std::move(message), "INVALID_ARGUMENT", {}, {}, std::move(details)};
}

std::optional<ApiError> ReadRequest(const ApiCall& call, ApiRequest* request) {
  const json::object* document = request->Parse(call.body);
  if (document == nullptr) {
    return Invalid("Invalid JSON payload received. Expected an object.");
  }
  request->model = call.path_model;
  request->stream = call.stream_path;
  if (auto wrong = CheckNames(*document, kTopLevel, "")) return wrong;
  if (auto wrong = ReadContents(*document, request)) return wrong;
  return ReadConfig(*document, request);
}

}  // namespace candor::simulator::gemini
