#include "common/base/json_proto.h"

#include "candor/v1/config.pb.h"
#include "candor/v1/evaluation_service.pb.h"
#include "candor/v1/job.pb.h"
#include "common/base/files.h"
#include "common/base/json_writer.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cmath>

namespace candor {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::ElementsAre;
using testing::HasSubstr;

std::string JsonError(std::string_view text) {
  v1::Job job;
  const Status status = ParseJson(text, &job);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return Message(status);
}

std::string YamlError(std::string_view text) {
  v1::Job job;
  const Status status = ParseYaml(text, &job);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return Message(status);
}

constexpr std::string_view kJob = R"({
  "display_name": "first",
  "labels": {"team": "a", "b": "c"},
  "models": [{"name": "base", "endpoint": "local", "model": "m", "choices": {"trialsPerScenario": 3}}],
  "inlineScenarios": {"scenarios": [{"id": "s", "attributes": [{"name": "x", "min": -1.5, "max": 1e3}]}]},
  "scenario_limit": null,
  "attribute_order": "SHUFFLED",
  "choices": {
    "trials_per_scenario": 50, "orders": "BOTH", "samples_per_trial": 0,
    "sampling": {"temperature": 0, "seed": "9007199254740993",
                 "extra_body": {"grammar": "x", "list": [1, true, null, {"y": "2"}]}}},
  "priority": -5, "seed": 18446744073709551615,
  "create_time": "2026-01-31T12:00:00.5Z"
})";

TEST(ParseJson, ReadsEveryKindOfField) {
  v1::Job job;
  ASSERT_TRUE(ParseJson(kJob, &job).ok());
  EXPECT_EQ(job.display_name(), "first");
  EXPECT_EQ(job.labels().at("team"), "a");
  EXPECT_EQ(job.models(0).choices().trials_per_scenario(), 3);
  EXPECT_EQ(job.inline_scenarios().scenarios(0).attributes(0).min(), -1.5);
  EXPECT_EQ(job.inline_scenarios().scenarios(0).attributes(0).max(), 1000);
  EXPECT_EQ(job.attribute_order(), v1::Job::SHUFFLED);
  EXPECT_EQ(job.choices().orders(), v1::Choices::BOTH);
  EXPECT_TRUE(job.choices().has_samples_per_trial());
  EXPECT_TRUE(job.choices().sampling().has_temperature());
  EXPECT_FALSE(job.choices().sampling().has_top_p());
  EXPECT_EQ(job.choices().sampling().seed(), 9007199254740993);
  EXPECT_EQ(job.choices().sampling().extra_body().fields().at("list").list_value().values_size(),
            4);
  EXPECT_EQ(job.priority(), -5);
  EXPECT_EQ(job.seed(), 18446744073709551615U);
  EXPECT_EQ(job.create_time().nanos(), 500'000'000);
}

TEST(ParseJson, ReadsDoublesExactly) {
  // Boost.JSON 1.81 alone reads the first one an ulp off.
  for (const double value :
       {7.2057594037927933e+16, 0.1, 5e-324, 1.7976931348623157e308, 123456.789e-7}) {
    v1::Price price;
    ASSERT_TRUE(ParseJson(fmt::format(R"({{"input": {}}})", value), &price).ok());
    EXPECT_EQ(price.input(), value);
  }
}

TEST(ParseJson, PrintsWhatItReads) {
  v1::Job job;
  ASSERT_TRUE(ParseJson(kJob, &job).ok());
  for (const int indent : {0, 2}) {
    v1::Job again;
    ASSERT_TRUE(ParseJson(PrintJson(job, {.indent = indent}), &again).ok());
    EXPECT_TRUE(MessageDifferencer::Equals(job, again)) << PrintJson(job);
  }
}

TEST(ParseJson, NamesPathValueAndNearestField) {
  EXPECT_EQ(JsonError(R"({"models": [{"endpont": "x"}]})"),
            "models[0].endpont: no such field; did you mean 'endpoint'?");
  EXPECT_THAT(JsonError(R"({"budget": {"zebra": 1}})"),
              HasSubstr("budget.zebra: no such field; Budget has calls, tokens, money"));
  EXPECT_EQ(JsonError(R"({"choices": {"orders": "TWO"}})"),
            "choices.orders: \"TWO\" is none of ONE, BOTH");
  EXPECT_EQ(JsonError(R"({"attribute_order": "SHUFFLE"})"),
            "attribute_order: \"SHUFFLE\" is none of FIXED, SHUFFLED; did you mean 'SHUFFLED'?");
  EXPECT_EQ(JsonError(R"({"scenario_limit": "many"})"),
            "scenario_limit: \"many\" is no whole number from -2147483648 to 2147483647");
  EXPECT_THAT(JsonError(R"({"scenario_limit": 3000000000})"), HasSubstr("3000000000 is no whole"));
  EXPECT_THAT(JsonError(R"({"scenario_limit": 1.5})"), HasSubstr("1.5 is no whole number"));
  EXPECT_THAT(JsonError(R"({"seed": -1})"), HasSubstr("seed: -1 is no whole number from 0"));
  EXPECT_EQ(JsonError(R"({"display_name": 7})"), "display_name: is 7; give a text, in quotes");
  EXPECT_EQ(JsonError(R"({"models": {}})"), "models: is a map; give a list");
  EXPECT_EQ(JsonError(R"({"models": ["m"]})"),
            "models[0]: is \"m\"; give fields of Entry, such as \"name\"");
  EXPECT_EQ(JsonError(R"({"models": [null]})"),
            "models[0]: is null; leave it out, or give a value");
  EXPECT_EQ(JsonError(R"({"labels": {"a": 1}})"), "labels[\"a\"]: is 1; give a text, in quotes");
  EXPECT_EQ(JsonError(R"({"choices": {"sampling": {"temperature": true}}})"),
            "choices.sampling.temperature: true is no number");
  EXPECT_EQ(JsonError(R"({"scenario_set": "a", "scenarioSet": "b"})"),
            "scenarioSet: given twice, as scenario_set and as scenarioSet");
  EXPECT_THAT(JsonError(R"({"create_time": "soon"})"),
              HasSubstr("create_time: \"soon\" is no time"));
  EXPECT_EQ(JsonError("[]"), "is a list; give fields of Job, such as \"name\"");
}

TEST(ParseJson, NamesLineAndColumnOfWhatIsNoJson) {
  EXPECT_THAT(JsonError("{\n  \"seed\": 1,\n  oops\n}"), HasSubstr("line 3, column 3: no JSON"));
  EXPECT_THAT(JsonError("{\"seed\": 1"), HasSubstr("ends too early"));
  EXPECT_THAT(JsonError("{} x"), HasSubstr("line 1, column 4: text after the end"));
  EXPECT_THAT(JsonError(""), HasSubstr("ends too early"));
  EXPECT_THAT(JsonError(R"({"seed": 1, "seed": 2})"), HasSubstr("\"seed\" stands twice"));
  EXPECT_THAT(JsonError(std::string(100'000, '[')), HasSubstr("nested more than 64 levels deep"));
  EXPECT_THAT(JsonError("{\"display_name\": \"\xFF\"}"), HasSubstr("no JSON"));
}

TEST(ParseYaml, LetsTheFieldDecideWhatAPlainWordIs) {
  v1::Job job;
  ASSERT_TRUE(ParseYaml(R"(
display_name: yes
labels: {version: 1.10, zip: 007, quoted: "on", nothing: ""}
models:
  - name: null
    model: "null"
    endpoint: 42
scenario_limit: "20"
seed: 1e6
choices:
  sampling:
    temperature: .5
    extra_body: {a: 1, b: "1", c: true, d: "true", e: ~, f: no}
)",
                        &job)
                  .ok());
  EXPECT_EQ(job.display_name(), "yes");
  EXPECT_EQ(job.labels().at("version"), "1.10");
  EXPECT_EQ(job.labels().at("zip"), "007");
  EXPECT_EQ(job.labels().at("quoted"), "on");
  EXPECT_EQ(job.labels().at("nothing"), "");
  EXPECT_EQ(job.models(0).name(), "");
  EXPECT_EQ(job.models(0).model(), "null");
  EXPECT_EQ(job.models(0).endpoint(), "42");
  EXPECT_EQ(job.scenario_limit(), 20);
  EXPECT_EQ(job.seed(), 1'000'000U);
  EXPECT_EQ(job.choices().sampling().temperature(), 0.5);
  const auto& body = job.choices().sampling().extra_body().fields();
  EXPECT_EQ(body.at("a").number_value(), 1);
  EXPECT_EQ(body.at("b").string_value(), "1");
  EXPECT_TRUE(body.at("c").bool_value());
  EXPECT_EQ(body.at("d").string_value(), "true");
  EXPECT_TRUE(body.at("e").has_null_value());
  EXPECT_EQ(body.at("f").string_value(), "no");
}

TEST(ParseYaml, FollowsAnchorsAndMergeKeys) {
  v1::Job job;
  ASSERT_TRUE(ParseYaml(R"(
models:
  - &base {endpoint: local, model: m, name: a}
  - <<: *base
    name: b
  - {<<: [{model: n}, *base], name: c}
)",
                        &job)
                  .ok());
  EXPECT_EQ(job.models(1).name(), "b");
  EXPECT_EQ(job.models(1).model(), "m");
  EXPECT_EQ(job.models(2).model(), "n");
  EXPECT_EQ(job.models(2).endpoint(), "local");
}

TEST(ParseYaml, AnEmptyFileIsAnEmptyMessage) {
  v1::Job job;
  EXPECT_TRUE(ParseYaml("", &job).ok());
  EXPECT_TRUE(ParseYaml("# nothing but a remark\n", &job).ok());
}

TEST(ParseYaml, NamesPathAndLine) {
  EXPECT_EQ(YamlError("seed: 1\nchoices:\n  ordres: ONE\n"),
            "choices.ordres (line 3): no such field; did you mean 'orders'?");
  EXPECT_THAT(YamlError("seed: 1\nseed: 2\n"), HasSubstr("line 2: \"seed\" stands twice"));
  EXPECT_THAT(YamlError("a: [1\nb: 2"), HasSubstr("line 2"));
  EXPECT_THAT(YamlError("seed: 1\n---\nseed: 2\n"), HasSubstr("2 YAML documents"));
  EXPECT_THAT(YamlError("? [a, b]\n: 1\n"), HasSubstr("a key that is a list or a map"));
  EXPECT_THAT(YamlError("display_name: \"\\xff\"\nscenario_limit: x"), HasSubstr("scenario_limit"));
}

TEST(ParseYaml, BoundsNestingAndAliases) {
  std::string deep = "labels: ";
  for (int i = 0; i < 200; ++i) deep += "[";
  for (int i = 0; i < 200; ++i) deep += "]";
  EXPECT_THAT(YamlError(deep), HasSubstr("nested more than 64 levels deep"));
  // A billion values in 500 bytes.
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    bomb += fmt::format("{0}: &{0} [", c);
    for (int i = 0; i < 10; ++i) bomb += fmt::format("*{},", static_cast<char>(c - 1));
    bomb += "]\n";
  }
  EXPECT_THAT(YamlError(bomb), HasSubstr("more than 2000000 values"));
}

TEST(ParseYaml, ReadsFriendlyDurations) {
  const std::pair<const char*, double> cases[] = {{"30s", 30},    {"250ms", 0.25}, {"2m", 120},
                                                  {"1.5h", 5400}, {"1d", 86400},   {"10us", 1e-5},
                                                  {"0s", 0},      {"-1.5s", -1.5}};
  for (const auto& [text, seconds] : cases) {
    v1::WorkerConfig worker;
    ASSERT_TRUE(ParseYaml(fmt::format("grace: {}", text), &worker).ok()) << text;
    EXPECT_DOUBLE_EQ(static_cast<double>(worker.grace().seconds()) + worker.grace().nanos() * 1e-9,
                     seconds)
        << text;
  }
  v1::WorkerConfig worker;
  EXPECT_EQ(Message(ParseYaml("grace: 30", &worker)),
            "grace (line 1): \"30\" has no unit; write \"30s\" for seconds");
  EXPECT_THAT(Message(ParseYaml("grace: 3 parsecs", &worker)),
              HasSubstr("use ns, us, ms, s, m, h or d"));
  EXPECT_THAT(Message(ParseYaml("grace: soon", &worker)), HasSubstr("is no duration"));
  EXPECT_THAT(Message(ParseYaml("grace: 999999999999d", &worker)),
              HasSubstr("longer than 10,000 years"));
}

TEST(ParseTextproto, ReadsAndSuggests) {
  v1::Job job;
  ASSERT_TRUE(ParseTextproto("models { name: \"a\" }\nseed: 7", &job).ok());
  EXPECT_EQ(job.models(0).name(), "a");
  const std::string error = Message(ParseTextproto("seed: 7\nmodles { name: \"a\" }", &job));
  EXPECT_THAT(error, HasSubstr("line 2"));
  EXPECT_THAT(error, HasSubstr("did you mean 'models'?"));
}

TEST(TextFormatOf, GoesByExtensionThenByContent) {
  EXPECT_EQ(TextFormatOf("a.json", ""), TextFormat::kJson);
  EXPECT_EQ(TextFormatOf("a.yml", "{}"), TextFormat::kYaml);
  EXPECT_EQ(TextFormatOf("a.textproto", ""), TextFormat::kTextproto);
  EXPECT_EQ(TextFormatOf("-", " \n{\"seed\": 1}"), TextFormat::kJson);
  EXPECT_EQ(TextFormatOf("-", "# remark\nmodels {\n name: \"x\" }"), TextFormat::kTextproto);
  EXPECT_EQ(TextFormatOf("-", "models: {a: 1}\n"), TextFormat::kYaml);
}

TEST(TopLevelNames, TellJobFromEnvelope) {
  EXPECT_THAT(*TopLevelNames(TextFormat::kJson, R"({"job": {"seed": 1}, "request_id": "x"})"),
              ElementsAre("job", "request_id"));
  EXPECT_THAT(*TopLevelNames(TextFormat::kYaml, "seed: 1\n"), ElementsAre("seed"));
  EXPECT_THAT(*TopLevelNames(TextFormat::kTextproto, "# x\njob { seed: 1 }\nvalidate_only: true"),
              ElementsAre("job", "validate_only"));
}

TEST(SetField, SetsOneFieldAndLeavesOthers) {
  v1::Config config;
  config.mutable_worker()->set_threads(3);
  ASSERT_TRUE(SetField(&config, "worker.slots", "64").ok());
  ASSERT_TRUE(SetField(&config, "worker.grace", "250ms").ok());
  ASSERT_TRUE(SetField(&config, "coordinator.allow_open", "true").ok());
  EXPECT_EQ(config.worker().slots(), 64);
  EXPECT_EQ(config.worker().threads(), 3);
  EXPECT_EQ(GetField(config, "worker.slots"), "64");
  EXPECT_EQ(GetField(config, "worker.grace"), "0.250s");
  EXPECT_EQ(GetField(config, "worker.coordinator"), "");
  EXPECT_EQ(Message(SetField(&config, "worker.slots", "many")),
            "slots: \"many\" is no whole number from -2147483648 to 2147483647");
  v1::Job job;
  ASSERT_TRUE(SetField(&job, "scenario_ids", "a,b").ok());
  EXPECT_THAT(job.scenario_ids(), ElementsAre("a", "b"));
}

TEST(ParseFile, BeginsErrorsWithThePath) {
  const std::string path = testing::TempDir() + "/json_proto_test.yaml";
  ASSERT_TRUE(WriteFileAtomically(path, "sed: 1\n").ok());
  v1::Job job;
  EXPECT_EQ(Message(ParseFile(path, &job)),
            path + ": sed (line 1): no such field; did you mean 'seed'?");
  EXPECT_EQ(ParseFile(path + ".none", &job).code(), absl::StatusCode::kNotFound);
}

TEST(JsonWriter, WritesNumbersThatReadBackAlike) {
  EXPECT_EQ(ShortestNumber(1), "1");
  EXPECT_EQ(ShortestNumber(0.1), "0.1");
  EXPECT_EQ(ShortestNumber(-0.0), "-0");
  EXPECT_EQ(ShortestNumber(1e300), "1e+300");
  EXPECT_EQ(std::strtod(ShortestNumber(1.0 / 3).c_str(), nullptr), 1.0 / 3);
}

TEST(JsonWriter, EscapesTextAndMendsBytesThatAreNoUtf8) {
  std::string out;
  AppendJsonString("a\"\\\n\x01 \xC3\xA9 \xFF \xED\xA0\x80", &out);
  EXPECT_EQ(out,
            "\"a\\\"\\\\\\n\\u0001 \xC3\xA9 \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_TRUE(IsUtf8("\xF0\x9F\x98\x80"));
  EXPECT_FALSE(IsUtf8("\xC0\x80"));
}

TEST(JsonWriter, IndentsOnRequest) {
  JsonWriter json(2);
  json.BeginObject().Key("a").BeginArray().Number(std::int64_t{1}).Null().EndArray();
  json.Key("b").BeginObject().EndObject().EndObject();
  EXPECT_EQ(json.text(), "{\n  \"a\": [\n    1,\n    null\n  ],\n  \"b\": {}\n}");
}

}  // namespace
}  // namespace candor
