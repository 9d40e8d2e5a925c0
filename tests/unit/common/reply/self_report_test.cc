#include "common/reply/self_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {
namespace {

using v1::Outcome;
using Class = Outcome::Class;

constexpr Class kValid = Outcome::VALID;
constexpr Class kRepaired = Outcome::REPAIRED;
constexpr Class kOutOfRange = Outcome::OUT_OF_RANGE;
constexpr Class kMissing = Outcome::MISSING_ATTRIBUTE;
constexpr Class kUnknown = Outcome::UNKNOWN_ATTRIBUTE;
constexpr Class kNotJson = Outcome::NOT_JSON;
constexpr Class kRefusal = Outcome::REFUSAL;
constexpr Class kTruncated = Outcome::TRUNCATED;

// No number.
constexpr double kNone = std::numeric_limits<double>::lowest();

const std::vector<std::string>& Names() {
  static const std::vector<std::string> kNames = {"price", "commute_time"};
  return kNames;
}

struct Row {
  std::string_view text;
  Class expected;
  std::vector<double> values;
  std::vector<std::string> repairs;
};

std::vector<double> Plain(const std::vector<std::optional<double>>& values) {
  std::vector<double> plain;
  for (const auto& value : values) plain.push_back(value.value_or(kNone));
  return plain;
}

void Expect(const Row& row, std::string_view finish_reason, const std::vector<std::string>& names) {
  SCOPED_TRACE(row.text);
  const ParsedReport parsed =
      ParseSelfReport({.text = row.text, .finish_reason = finish_reason}, names);
  EXPECT_EQ(Outcome::Class_Name(parsed.class_), Outcome::Class_Name(row.expected));
  EXPECT_EQ(Plain(parsed.values), row.values);
  EXPECT_THAT(parsed.repairs, testing::ElementsAreArray(row.repairs));
}
void ExpectAll(const std::vector<Row>& rows, std::string_view finish_reason = "stop") {
  for (const Row& row : rows) Expect(row, finish_reason, Names());
}

TEST(ParseSelfReport, TakesJsonAsItIs) {
  ExpectAll({
      {R"({"price": 80, "commute_time": -20})", kValid, {80, -20}, {}},
      {R"({"commute_time": -20, "price": 80})", kValid, {80, -20}, {}},
      {R"({"price":80,"commute_time":-20})", kValid, {80, -20}, {}},
      {"\n {\"price\": 80,\n\t\"commute_time\": -20}\n ", kValid, {80, -20}, {}},
      {R"({"price": 12.5, "commute_time": -0.25})", kValid, {12.5, -0.25}, {}},
      {R"({"price": 1e2, "commute_time": -1E+1})", kValid, {100, -10}, {}},
      {R"({"price": 0, "commute_time": -0})", kValid, {0, 0}, {}},
      {R"({"price": 100, "commute_time": -100})", kValid, {100, -100}, {}},
      {R"({"pr\u0069ce": 80, "commute_time": -20})", kValid, {80, -20}, {}},
  });
}

TEST(ParseSelfReport, FindsTheObject) {
  ExpectAll({
      {"```json\n{\"price\": 80, \"commute_time\": -20}\n```",
       kRepaired,
       {80, -20},
       {"code_fence"}},
      {"```\n{\"price\": 80, \"commute_time\": -20}\n```", kRepaired, {80, -20}, {"code_fence"}},
      {"`{\"price\": 80, \"commute_time\": -20}`", kRepaired, {80, -20}, {"code_fence"}},
      {"```json\n{\"price\": 80, \"commute_time\": -20}", kRepaired, {80, -20}, {"code_fence"}},
      {"Here you are:\n\n```json\n{\"price\": 80, \"commute_time\": -20}\n```\nI hope it helps!",
       kRepaired,
       {80, -20},
       {"code_fence", "surrounding_prose"}},
      {"Sure! {\"price\": 80, \"commute_time\": -20}", kRepaired, {80, -20}, {"surrounding_prose"}},
      {"{\"price\": 80, \"commute_time\": -20} because price matters [1].",
       kRepaired,
       {80, -20},
       {"surrounding_prose"}},
      {"[INTROSPECTION TASK] {\"price\": 80, \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"surrounding_prose"}},
      {"I weigh {carefully}: {\"price\": 80, \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"surrounding_prose"}},
      {"<think>price 10?</think>{\"price\": 80, \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"thinking_block"}},
      {"{\\\"price\\\": 80, \\\"commute_time\\\": -20}", kRepaired, {80, -20}, {"escaped_json"}},
      {"{\\n  \\\"price\\\": 80,\\n  \\\"commute_time\\\": -20\\n}",
       kRepaired,
       {80, -20},
       {"escaped_json"}},
      {R"({"weights": {"price": 80, "commute_time": -20}})",
       kRepaired,
       {80, -20},
       {"nested_object"}},
      {R"({"response": {"weights": {"price": 80, "commute_time": -20}}})",
       kRepaired,
       {80, -20},
       {"nested_object"}},
      {R"({"option_a": {"price": 67, "commute_time": 12}, "weights": {"price": 80, "commute_time": -20}})",
       kRepaired,
       {80, -20},
       {"meta_key", "nested_object"}},
      {R"({"price": {"weight": 80, "reason": "dear"}, "commute_time": {"weight": -20, "rank": 2}})",
       kRepaired,
       {80, -20},
       {"nested_value"}},
      {R"({"price": {"percent of all": 80}, "commute_time": [-20]})",
       kRepaired,
       {80, -20},
       {"nested_value"}},
      {R"([{"name": "price", "weight": 80}, {"name": "commute_time", "weight": -20}])",
       kRepaired,
       {80, -20},
       {"array", "named_items"}},
      {R"({"weights": [{"attribute": "price", "value": 80, "reason": "x"}, {"attribute": "commute_time", "value": -20}]})",
       kRepaired,
       {80, -20},
       {"nested_object", "array", "named_items"}},
      {R"([{"price": 80}, {"commute_time": -20}])", kRepaired, {80, -20}, {"array"}},
      {R"([["price", 80], ["commute_time", -20]])", kRepaired, {80, -20}, {"array", "named_items"}},
  });
}

TEST(ParseSelfReport, MendsTheSyntax) {
  ExpectAll({
      {"{'price': 80, 'commute_time': -20}", kRepaired, {80, -20}, {"single_quotes"}},
      {"{\xe2\x80\x9cprice\xe2\x80\x9d: 80, \xe2\x80\x9c"
       "commute_time\xe2\x80\x9d: -20}",
       kRepaired,
       {80, -20},
       {"smart_quotes"}},
      {"{price: 80, commute_time: -20}", kRepaired, {80, -20}, {"bare_key"}},
      {R"({"price": 80, "commute_time": -20,})", kRepaired, {80, -20}, {"extra_comma"}},
      {R"({"price": 80,, "commute_time": -20})", kRepaired, {80, -20}, {"extra_comma"}},
      {"{\"price\": 80\n\"commute_time\": -20}", kRepaired, {80, -20}, {"missing_comma"}},
      {R"({"price": "80" "commute_time": "-20"})",
       kRepaired,
       {80, -20},
       {"missing_comma", "number_in_string"}},
      {R"({"price": 80; "commute_time": -20})", kRepaired, {80, -20}, {"separator"}},
      {R"({"price" = 80, "commute_time" => -20})", kRepaired, {80, -20}, {"separator"}},
      {R"({"price" 80, "commute_time" -20})", kRepaired, {80, -20}, {"missing_colon"}},
      {"{\"price\": 80, // dear\n\"commute_time\": -20}", kRepaired, {80, -20}, {"comment"}},
      {"{\"price\": 80, # dear\n\"commute_time\": -20 /* far */}",
       kRepaired,
       {80, -20},
       {"comment"}},
      {"{\"price\": 80 // dear, \"noise\": 3\n, \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"comment"}},
      {R"({"price": 80, "commute_time": -20)", kRepaired, {80, -20}, {"missing_brace"}},
      {R"({"weights": {"price": 80, "commute_time": -20})",
       kRepaired,
       {80, -20},
       {"missing_brace", "nested_object"}},
      {R"({"price": 80, "commute_time": -20])", kRepaired, {80, -20}, {"mismatched_bracket"}},
      {R"([{"price": 80, "commute_time": -20])", kRepaired, {80, -20}, {"missing_brace", "array"}},
      {"{\"price\": 80, \"reason\": \"it is\ndear\", \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"raw_newline", "meta_key"}},
      {R"({"price": 80, "reason": "the "cheap" one", "commute_time": -20})",
       kRepaired,
       {80, -20},
       {"inner_quotes", "meta_key"}},
      {"{'price': 80, 'reason': 'it's dear', 'commute_time': -20}",
       kRepaired,
       {80, -20},
       {"single_quotes", "inner_quotes", "meta_key"}},
      {R"({"price": 80, "commute\_time": -20})", kRepaired, {80, -20}, {"bad_escape"}},
      {"{\"price\":\xc2\xa0"
       "80, \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"white_space"}},
      {R"({"price": 80, "commute_time": -20, ...})",
       kRepaired,
       {80, -20},
       {"extra_comma", "stray_text"}},
      {R"({"price": 80", "commute_time": -20})", kRepaired, {80, -20}, {"stray_text"}},
  });
}

TEST(ParseSelfReport, ReadsNumbersAsModelsWriteThem) {
  ExpectAll({
      {R"({"price": "80", "commute_time": "-20"})", kRepaired, {80, -20}, {"number_in_string"}},
      {R"({"price": "80%", "commute_time": "-20 %"})",
       kRepaired,
       {80, -20},
       {"number_in_string", "percent_sign"}},
      {R"({"price": 80%, "commute_time": -20 percent})", kRepaired, {80, -20}, {"percent_sign"}},
      {R"({"price": +80, "commute_time": -20})", kRepaired, {80, -20}, {"plus_sign"}},
      {R"({"price": "+15", "commute_time": -20})",
       kRepaired,
       {15, -20},
       {"number_in_string", "plus_sign"}},
      {"{\"price\": 80, \"commute_time\": \xe2\x88\x92"
       "20}",
       kRepaired,
       {80, -20},
       {"unicode_minus"}},
      {R"({"price": 5., "commute_time": -.5})", kRepaired, {5, -0.5}, {"bare_decimal_point"}},
      {R"({"price": 080, "commute_time": -20})", kRepaired, {80, -20}, {"leading_zeros"}},
      {R"({"price": 80/100, "commute_time": "-20/100"})",
       kRepaired,
       {80, -20},
       {"fraction", "number_in_string"}},
      {R"({"price": "80 out of 100", "commute_time": -20})",
       kRepaired,
       {80, -20},
       {"number_in_string", "fraction"}},
      {R"({"price": 80 (very important), "commute_time": -20})",
       kRepaired,
       {80, -20},
       {"number_with_note"}},
      {R"({"price": 1,000, "commute_time": -20})",
       kOutOfRange,
       {1000, -20},
       {"thousands_separator"}},
      {R"({"price": 1,000,000, "commute_time": -20})",
       kOutOfRange,
       {1e6, -20},
       {"thousands_separator"}},
      {R"({"price": 80, "commute_time": "1,000"})",
       kOutOfRange,
       {80, 1000},
       {"number_in_string", "thousands_separator"}},
      {R"({"price": 101, "commute_time": -20})", kOutOfRange, {101, -20}, {}},
      {R"({"price": 80, "commute_time": -100.5})", kOutOfRange, {80, -100.5}, {}},
      {"```\n{'price': 150, 'commute_time': -20}\n```",
       kOutOfRange,
       {150, -20},
       {"code_fence", "single_quotes"}},
      {R"({"price": 80, "commute_time": 1e300})", kOutOfRange, {80, 1e300}, {}},
      // No numbers.
      {R"({"price": null, "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": true, "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": True, "commute_time": None})", kMissing, {kNone, kNone}, {"python_literal"}},
      {R"({"price": NaN, "commute_time": -Infinity})", kMissing, {kNone, kNone}, {"non_finite"}},
      {R"({"price": 1e999, "commute_time": -20})", kMissing, {kNone, -20}, {"non_finite"}},
      {R"({"price": "high", "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": "", "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": , "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": "70-80", "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": 8/10, "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": "67 USD", "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": 80,5, "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": "0x50", "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": <weight>, "commute_time": -20})", kMissing, {kNone, -20}, {}},
      {R"({"price": {"low": 1, "high": 2}, "commute_time": -20})",
       kMissing,
       {kNone, -20},
       {"nested_value"}},
      {R"({"price": [], "commute_time": -20})", kMissing, {kNone, -20}, {"nested_value"}},
  });
}

TEST(ParseSelfReport, MatchesKeysOnlyWhenUnambiguous) {
  ExpectAll({
      {R"({"Price": 80, "Commute Time": -20})", kRepaired, {80, -20}, {"key_case"}},
      {R"({"PRICE": 80, "commute-time": -20})", kRepaired, {80, -20}, {"key_case"}},
      {R"({"price": 80, "commuteTime": -20})", kRepaired, {80, -20}, {"key_case"}},
      {R"({" price ": 80, "commute_time": -20})", kRepaired, {80, -20}, {"key_case"}},
      {R"json({"price (USD)": 80, "commute time [min]": -20})json",
       kRepaired,
       {80, -20},
       {"key_affix"}},
      {R"({"price in euros": 80, "commute_time": -20})", kRepaired, {80, -20}, {"key_affix"}},
      {R"({"price_weight": 80, "importance of commute time": -20})",
       kRepaired,
       {80, -20},
       {"key_affix"}},
      {R"({"pri": 80, "commute": -20})", kRepaired, {80, -20}, {"key_abbreviation"}},
      {R"({"price": 80, "time": -20})", kRepaired, {80, -20}, {"key_abbreviation"}},
      {R"({"price": 80, "CT": -20})", kRepaired, {80, -20}, {"key_abbreviation"}},
      {R"({"price per night": 80, "daily commute time": -20})",
       kRepaired,
       {80, -20},
       {"key_abbreviation"}},
      {R"({"prices": 80, "commute_times": -20})", kRepaired, {80, -20}, {"key_abbreviation"}},
      {R"({"price": 80, "commute_time": -20, "reason": "dear"})",
       kRepaired,
       {80, -20},
       {"meta_key"}},
      {R"({"decision": "A", "price": 80, "commute_time": -20, "final explanation": 5})",
       kRepaired,
       {80, -20},
       {"meta_key"}},
      {R"({"price": 80, "price_reason": "dear", "commute_time": -20})",
       kRepaired,
       {80, -20},
       {"meta_key"}},
      {R"({"price": 10, "commute_time": -20, "price": 80})",
       kRepaired,
       {80, -20},
       {"duplicate_key"}},
      {R"({"price": 80, "Price": 80, "commute_time": -20})",
       kRepaired,
       {80, -20},
       {"duplicate_key", "key_case"}},
      // Unknown, or several.
      {R"({"price": 80, "commute_time": -20, "colour": 5})", kUnknown, {80, -20}, {}},
      {R"({"price": 80, "travel": -20})", kUnknown, {80, kNone}, {}},
      {R"({"Price": 80, "PRICE": 20, "commute_time": 3})", kUnknown, {kNone, 3}, {"key_case"}},
      {R"json({"price (A)": 67, "price (B)": 80, "commute_time": 3})json",
       kUnknown,
       {kNone, 3},
       {"key_affix"}},
      {R"({"price": 80, "price stability": 20, "commute_time": 3})",
       kUnknown,
       {80, 3},
       {"key_abbreviation"}},
      {R"({"price and commute_time": 80})", kUnknown, {kNone, kNone}, {}},
      {R"({"attribute_1": 80, "attribute_2": -20})", kUnknown, {kNone, kNone}, {}},
      {R"({"A": 80, "B": -20})", kUnknown, {kNone, kNone}, {}},
      {R"({"price": 180, "commute": -20, "colour": 5})",
       kUnknown,
       {180, -20},
       {"key_abbreviation"}},
      // Missing.
      {R"({"price": 80})", kMissing, {80, kNone}, {}},
      {R"({"price": 180})", kMissing, {180, kNone}, {}},
      {"{}", kMissing, {kNone, kNone}, {}},
      {"[80, -20]", kMissing, {kNone, kNone}, {"array"}},
      {R"({"reason": "none"})", kMissing, {kNone, kNone}, {"meta_key"}},
  });
}

struct KeyRow {
  std::string key;
  // Index of the attribute, -1 for none.
  int expected;
};

TEST(ParseSelfReport, TellsRelatedAttributesApart) {
  const std::vector<std::string> names = {
      "coat_weight",         "coat_length",   "distance to work", "distance to school",
      "average temperature", "notes allowed", "salary ($)"};
  const std::vector<KeyRow> rows = {
      {"coat_weight", 0},
      {"weight", 0},
      {"coat", -1},
      {"length", 1},
      {"coat length (cm)", 1},
      {"distance", -1},
      {"work", 2},
      {"dist to school", 3},
      {"dist", -1},
      {"avg temp", 4},
      {"AT", 4},
      {"temperature", 4},
      {"notes", 5},
      {"Salary", 6},
      {"salary ($)", 6},
      {"salaries", -1},
      {"coat weight and coat length", -1},
  };
  for (const KeyRow& row : rows) {
    SCOPED_TRACE(row.key);
    const std::string text = "{\"" + row.key + "\": 7}";
    const ParsedReport parsed = ParseSelfReport({.text = text}, names);
    ASSERT_EQ(parsed.values.size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(parsed.values[i].has_value(), static_cast<int>(i) == row.expected) << names[i];
    }
    EXPECT_EQ(parsed.class_, row.expected < 0 ? kUnknown : kMissing);
  }
}

TEST(ParseSelfReport, AttributesMayHaveTheNamesOfMetaKeys) {
  const std::vector<std::string> names = {"name", "weight", "reason"};
  Expect({R"({"name": 1, "weight": 2, "reason": 3})", kValid, {1, 2, 3}, {}}, "stop", names);
}

TEST(ParseSelfReport, ChoosesAmongObjects) {
  ExpectAll({
      {"Draft: {\"price\": 10, \"commute_time\": 5}\nFinal: {\"price\": 80, \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"surrounding_prose", "several_objects"}},
      {"{\"price\": 80, \"commute_time\": -20}\n{\"price\": 1}",
       kRepaired,
       {80, -20},
       {"surrounding_prose", "several_objects"}},
      {"{\"price\": <n>, \"commute_time\": <n>}\n{\"price\": 80, \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"surrounding_prose", "several_objects"}},
      {"{\"price\": 80}\n{\"commute_time\": -20}", kRepaired, {80, -20}, {"merged_objects"}},
      {"{\"name\": \"price\", \"weight\": 80}\n{\"name\": \"commute_time\", \"weight\": -20}",
       kRepaired,
       {80, -20},
       {"named_items", "merged_objects"}},
      {R"({"weights": {"price": 80, "commute_time": -20}, "scaled": {"price": 1, "commute_time": -20}})",
       kUnknown,
       {kNone, -20},
       {"nested_object", "duplicate_key"}},
      {"{\"price\": 10}\n{\"price\": 80}",
       kMissing,
       {80, kNone},
       {"surrounding_prose", "several_objects"}},
      {"{\"note\": \"x\"} {\"price\": 80, \"commute_time\": -20}",
       kRepaired,
       {80, -20},
       {"surrounding_prose"}},
  });
}

TEST(ParseSelfReport, ReadsLinesWithoutAnObject) {
  ExpectAll({
      {"price: 80\ncommute_time: -20", kRepaired, {80, -20}, {"name_value_lines"}},
      {"- **Price**: 80\n- **Commute time**: -20%\n",
       kRepaired,
       {80, -20},
       {"name_value_lines", "key_case", "percent_sign"}},
      {"My weights:\n1. price = 80\n2. commute_time = -20",
       kRepaired,
       {80, -20},
       {"surrounding_prose", "name_value_lines"}},
      {"price: 80, commute_time: -20", kRepaired, {80, -20}, {"name_value_lines"}},
      {"\"price\": 80,\n\"commute_time\": -20", kRepaired, {80, -20}, {"name_value_lines"}},
      {"| attribute | weight |\n|---|---|\n| price | 80 |\n| commute_time | -20 |",
       kRepaired,
       {80, -20},
       {"surrounding_prose", "name_value_lines"}},
      {"price - 80\ncommute_time - 20", kRepaired, {80, 20}, {"name_value_lines"}},
      {"price: 180\ncommute_time: -20", kOutOfRange, {180, -20}, {"name_value_lines"}},
      {"price: 80", kNotJson, {}, {}},
      {"price: 80\nprice: 70\ncommute_time: -20", kNotJson, {}, {}},
      {"price: quite high\ncommute_time: -20", kNotJson, {}, {}},
      {"A:\nprice: 67 USD\ncommute_time: 12 minutes", kNotJson, {}, {}},
  });
}

TEST(ParseSelfReport, SaysWhyNothingWasFound) {
  ExpectAll({
      {"", Outcome::EMPTY, {}, {}},
      {"  \n", Outcome::EMPTY, {}, {}},
      {"A", kNotJson, {}, {}},
      {"80", kNotJson, {}, {}},
      {"null", kNotJson, {}, {}},
      {"I weighed the price most heavily.", kNotJson, {}, {}},
      {"As in [1], price matters.", kNotJson, {}, {}},
      {"[]", kMissing, {kNone, kNone}, {"array"}},
      {"I'm sorry, but I can't help with that.", kRefusal, {}, {}},
      {"As an AI, I don't have the ability to introspect.", kRefusal, {}, {}},
      {R"({"error": "I'm sorry, but I cannot assist with that."})", kRefusal, {}, {}},
      {R"(I cannot really introspect, but: {"price": 80, "commute_time": -20})",
       kRepaired,
       {80, -20},
       {"surrounding_prose"}},
  });
}

TEST(ParseSelfReport, HeedsTheOutputLimit) {
  ExpectAll(
      {
          {R"({"price": 80, "commute_time": -20})", kValid, {80, -20}, {}},
          {R"({"price": 80, "commute_time": -20} and now I expl)",
           kRepaired,
           {80, -20},
           {"surrounding_prose"}},
          // All numbers are there, and the last one is finished.
          {"{\"price\": 80, \"commute_time\": -20\n", kRepaired, {80, -20}, {"missing_brace"}},
          {R"({"price": 80, "commute_time": -20, "reason": "pri)",
           kRepaired,
           {80, -20},
           {"missing_brace", "meta_key"}},
          // "-2" may have been "-20".
          {R"({"price": 80, "commute_time": -2)", kTruncated, {80, kNone}, {"missing_brace"}},
          {R"({"price": 80, "commute)", kTruncated, {80, kNone}, {"missing_brace"}},
          {R"({"price": 8)", kTruncated, {kNone, kNone}, {"missing_brace"}},
          {R"({"price": "80)", kTruncated, {kNone, kNone}, {"missing_brace"}},
          {"{", kTruncated, {}, {}},
          {"```json\n", kTruncated, {}, {}},
          {"Let me think about the", kTruncated, {}, {}},
          {"price: 80\ncommute_time: -2", kTruncated, {}, {}},
          {R"({"price": 80})", kMissing, {80, kNone}, {}},
          {"I'm sorry, but I can't as", kRefusal, {}, {}},
      },
      "length");
  EXPECT_EQ(ParseSelfReport({.finish_reason = "length", .has_reasoning = true}, Names()).class_,
            Outcome::REASONING_EXHAUSTED);
  EXPECT_EQ(ParseSelfReport({.text = "{\"price\"", .finish_reason = "SAFETY"}, Names()).class_,
            Outcome::PROVIDER_BLOCKED);
  EXPECT_EQ(
      ParseSelfReport({.text = "{}", .finish_reason = "stop", .refusal = true}, Names()).class_,
      kRefusal);
}

}  // namespace
}  // namespace candor::reply
