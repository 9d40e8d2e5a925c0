// The texts with which a simulated model answers: what was asked for, or, for a share of the
// requests, one of the things that real models send instead.
//
//   Reply reply = WriteReply(traits, task, x, ReplyFormat::kText, {}, body_key);
//   reply.text                ->  "A"
//   reply.log_odds_a          ->  1.58...
//
// Everything is a function of the arguments.
#pragma once

#include "simulator/decision_model.h"
#include "simulator/message_reader.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

// What `response_format` asks for.
enum class ReplyFormat { kText, kJsonObject, kJsonSchema };

// How a reply differs from what was asked for.
enum class Shape {
  kAsAsked,
  // Of choices and self-reports:
  kRefusal,
  kEmpty,
  // Of choices:
  kLowerCase,
  kOptionWord,
  kBold,
  kSentence,
  kBoth,
  // Of self-reports:
  kCodeFence,
  kProse,
  kSingleQuotes,
  kTrailingComma,
  kPercentSigns,
  kNumbersAsText,
  kNested,
  kOutOfRange,
  kMissingAttribute,
  kRenamedAttribute,
  kUnfinished,
  kNotJson,
};
// "AS_ASKED", "REFUSAL", ...
std::string_view ToString(Shape shape);

struct Reply {
  std::string text;
  Shape shape = Shape::kAsAsked;
  // The true log-odds of choosing A; only for choices.
  std::optional<double> log_odds_a;
};

// `x` holds the differences of ScenarioRanges. With kJsonSchema the reply is always as asked, and
// its names are `schema_names` where there are any; with kJsonObject it is always a JSON object.
// Asked for JSON, a model reports weights even where the text reads like a choice. Without two
// options in the text the model says so.
Reply WriteReply(const Traits& traits, const Task& task, std::span<const double> x,
                 ReplyFormat format, std::span<const std::string_view> schema_names,
                 std::uint64_t body_key);

// The two texts by themselves, in one shape.
std::string WriteChoice(char letter, const Task& task, Shape shape);
std::string WriteReport(std::span<const std::string_view> names, std::span<const int> weights,
                        Shape shape);

}  // namespace candor::simulator
