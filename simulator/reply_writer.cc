#include "simulator/reply_writer.h"

#include "common/base/json_writer.h"
#include "common/base/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace candor::simulator {
namespace {

constexpr std::array kChoiceShapes = {Shape::kLowerCase, Shape::kOptionWord, Shape::kBold,
                                      Shape::kSentence,  Shape::kBoth,       Shape::kRefusal,
                                      Shape::kEmpty};
constexpr std::array kReportShapes = {
    Shape::kCodeFence,        Shape::kProse,        Shape::kSingleQuotes,
    Shape::kTrailingComma,    Shape::kPercentSigns, Shape::kNumbersAsText,
    Shape::kNested,           Shape::kOutOfRange,   Shape::kMissingAttribute,
    Shape::kRenamedAttribute, Shape::kUnfinished,   Shape::kNotJson,
    Shape::kRefusal,          Shape::kEmpty};
// Those that are a JSON object.
constexpr std::array kJsonObjectShapes = {Shape::kNumbersAsText, Shape::kNested, Shape::kOutOfRange,
                                          Shape::kMissingAttribute, Shape::kRenamedAttribute};

constexpr std::string_view kRefusalText =
    "I'm sorry, but I can't make that decision on somebody else's behalf.";

Shape DrawShape(double rate, std::span<const Shape> shapes, std::uint64_t body_key) {
  RandomStream random(body_key, static_cast<std::uint64_t>(Draw::kMalformed));
  if (random.Uniform() >= rate) return Shape::kAsAsked;
  return shapes[random.Below(shapes.size())];
}

// "sunlight_hours" -> "sunlight"; a name of one word gets a new one.
std::string Renamed(std::string_view name) {
  const auto end = name.find_last_of("_ ");
  if (end == std::string_view::npos || end == 0) return std::string(name) + "_overall";
  return std::string(name.substr(0, end));
}

std::string SingleQuoted(std::string_view json) {
  std::string text(json);
  std::replace(text.begin(), text.end(), '"', '\'');
  return text;
}

Reply Choose(const Traits& traits, const Task& task, std::span<const double> x,
             std::span<const std::string_view> names, std::uint64_t body_key) {
  Reply reply;
  reply.log_odds_a = LogOddsOfA(traits, TrueWeights(traits.seed, names), x);
  RandomStream random(body_key, static_cast<std::uint64_t>(Draw::kChoice));
  const char letter = random.Uniform() < Sigmoid(*reply.log_odds_a) ? 'A' : 'B';
  reply.shape = DrawShape(traits.malformed_rate, kChoiceShapes, body_key);
  reply.text = WriteChoice(letter, task, reply.shape);
  return reply;
}

Reply Report(const Traits& traits, std::span<const std::string_view> names, ReplyFormat format,
             std::span<const std::string_view> schema_names, std::uint64_t body_key) {
  const std::vector<int> weights = ReportedWeights(traits, names, body_key);
  Reply reply;
  if (format == ReplyFormat::kJsonSchema && !schema_names.empty()) {
    // What the schema wants and the options do not have weighs nothing.
    std::vector<int> by_schema;
    for (const std::string_view name : schema_names) {
      const auto at = std::find(names.begin(), names.end(), name);
      by_schema.push_back(
          at == names.end() ? 0 : weights[static_cast<std::size_t>(at - names.begin())]);
    }
    reply.text = WriteReport(schema_names, by_schema, Shape::kAsAsked);
    return reply;
  }
  if (format == ReplyFormat::kText) {
    reply.shape = DrawShape(traits.malformed_rate, kReportShapes, body_key);
  } else if (format == ReplyFormat::kJsonObject) {
    reply.shape = DrawShape(traits.malformed_rate, kJsonObjectShapes, body_key);
  }
  reply.text = WriteReport(names, weights, reply.shape);
  return reply;
}

}  // namespace

std::string_view ToString(Shape shape) {
  constexpr std::string_view kNames[] = {"AS_ASKED",
                                         "REFUSAL",
                                         "EMPTY",
                                         "LOWER_CASE",
                                         "OPTION_WORD",
                                         "BOLD",
                                         "SENTENCE",
                                         "BOTH",
                                         "CODE_FENCE",
                                         "PROSE",
                                         "SINGLE_QUOTES",
                                         "TRAILING_COMMA",
                                         "PERCENT_SIGNS",
                                         "NUMBERS_AS_TEXT",
                                         "NESTED",
                                         "OUT_OF_RANGE",
                                         "MISSING_ATTRIBUTE",
                                         "RENAMED_ATTRIBUTE",
                                         "UNFINISHED",
                                         "NOT_JSON"};
  return kNames[static_cast<std::size_t>(shape)];
}

std::string WriteChoice(char letter, const Task& task, Shape shape) {
  const char lower = letter == 'A' ? 'a' : 'b';
  switch (shape) {
    case Shape::kRefusal:
      return std::string(kRefusalText);
    case Shape::kEmpty:
      return {};
    case Shape::kLowerCase:
      return std::string(1, lower);
    case Shape::kOptionWord:
      return fmt::format("Option {}", letter);
    case Shape::kBold:
      return fmt::format("**{}**.", letter);
    case Shape::kSentence:
      return fmt::format("I would choose option {} because of its {}.", letter,
                         task.attributes.empty() ? "merits" : task.attributes.front().name);
    case Shape::kBoth:
      return "A and B are equally good here.";
    default:
      return std::string(1, letter);
  }
}

std::string WriteReport(std::span<const std::string_view> names, std::span<const int> weights,
                        Shape shape) {
  if (shape == Shape::kRefusal) return std::string(kRefusalText);
  if (shape == Shape::kEmpty) return {};
  if (shape == Shape::kNotJson) {
    std::string text = "I weighted the attributes as follows:";
    for (std::size_t k = 0; k < names.size(); ++k) {
      text += fmt::format("\n- {}: {}", names[k], weights[k]);
    }
    return text;
  }
  std::string json = shape == Shape::kNested ? "{\"weights\": {" : "{";
  const std::size_t last = names.size() - 1;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (shape == Shape::kMissingAttribute && k == last) break;
    if (k > 0) json += ", ";
    AppendJsonString(shape == Shape::kRenamedAttribute && k == 0 ? Renamed(names[k]) : names[k],
                     &json);
    json += ": ";
    int weight = weights[k];
    if (shape == Shape::kOutOfRange && k == 0) weight = weight < 0 ? -150 : 150;
    if (shape == Shape::kPercentSigns) {
      fmt::format_to(std::back_inserter(json), "{}%", weight);
    } else if (shape == Shape::kNumbersAsText) {
      fmt::format_to(std::back_inserter(json), "\"{}\"", weight);
    } else {
      fmt::format_to(std::back_inserter(json), "{}", weight);
    }
  }
  if (shape == Shape::kTrailingComma) json += ',';
  json += shape == Shape::kNested ? "}}" : "}";
  switch (shape) {
    case Shape::kCodeFence:
      return fmt::format("```json\n{}\n```", json);
    case Shape::kProse:
      return fmt::format("Here is how I weighted them:\n\n{}\n\nI hope this helps!", json);
    case Shape::kSingleQuotes:
      return SingleQuoted(json);
    case Shape::kUnfinished:
      return json.substr(0, json.size() * 2 / 3);
    default:
      return json;
  }
}

Reply WriteReply(const Traits& traits, const Task& task, std::span<const double> x,
                 ReplyFormat format, std::span<const std::string_view> schema_names,
                 std::uint64_t body_key) {
  std::vector<std::string_view> names;
  names.reserve(task.attributes.size());
  for (const ShownAttribute& attribute : task.attributes) names.push_back(attribute.name);

  if (task.kind == Kind::kSelfReport ||
      (format != ReplyFormat::kText && task.kind != Kind::kUnknown)) {
    return Report(traits, names, format, schema_names, body_key);
  }
  if (task.kind == Kind::kChoice) return Choose(traits, task, x, names, body_key);
  if (format != ReplyFormat::kText)
    return {
        WriteReport(schema_names, std::vector<int>(schema_names.size()), Shape::kAsAsked), {}, {}};
  return {"I cannot find two options to compare in what you wrote.", {}, {}};
}

}  // namespace candor::simulator
