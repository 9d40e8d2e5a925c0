#include "cli/inspect_rows.h"

#include "common/base/json_proto.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace candor::cli {
namespace {

namespace json = boost::json;

ExportedJob Exported() {
  ExportedJob exported;
  EXPECT_TRUE(ParseYaml(R"(
name: jobs/x
state: SUCCEEDED
create_time: "2025-11-25T10:00:00Z"
progress:
  - entry: tuned
    kinds:
      - {kind: CHOICE, total: 4, done: 3, failed: 1, classes: [{class: VALID, count: 2}, {class: EMPTY, count: 1}], usage: {input_tokens: 30, output_tokens: 3}}
      - {kind: SELF_REPORT, total: 2, done: 2, classes: [{class: OUT_OF_RANGE, count: 2}]}
)",
                        &exported.job)
                  .ok());
  EXPECT_TRUE(ParseYaml(R"(
job: jobs/x
seed: 7
scenarios:
  - id: tea
    role: Zeus
    question: Which?
    attributes: [{name: size, unit: cm, min: 0, max: 10}, {name: price, min: 1, max: 3}]
    instilled_weights: [100, -20]
entries:
  - name: tuned
    endpoint: local
    model: m
    condition: tuned
    scenario_indexes: [0]
    choice_prompt: {messages: [{role: user, content: "{role}: {question}\n{option_a}\nor\n{option_b}"}]}
    self_report_prompt: {messages: [{role: user, content: "{option_a} {option_b} why?"}]}
    choices: {trials_per_scenario: 2, samples_per_trial: 2, sampling: {temperature: 0}}
    self_reports: {reports_per_scenario: 2}
)",
                        &exported.specification)
                  .ok());
  return exported;
}

v1::Outcome Choice() {
  v1::Outcome outcome;
  EXPECT_TRUE(ParseYaml(R"(
entry: tuned
scenario: tea
kind: CHOICE
index: 3
pair: 1
sample: 1
class: VALID
choice: A
option_a: [{attribute: price, value: 1.5}, {attribute: size, value: 7}]
option_b: [{attribute: price, value: 3}, {attribute: size, value: 2}]
raw_text: "A\n"
finish_reason: stop
served_model: m-1
usage: {input_tokens: 10, output_tokens: 1}
)",
                        &outcome)
                  .ok());
  return outcome;
}

std::string Text(const json::value& value) { return std::string(value.as_string().c_str()); }

TEST(InspectRowsTest, ALogIsOneJsonValueWithItsHeadFirst) {
  const ExportedJob exported = Exported();
  auto log = InspectLog::Create(exported, {.entry = 0, .kind = v1::Cell::CHOICE}, "1.2");
  ASSERT_TRUE(log.ok()) << log.status();
  std::string text = log->Head();
  text += *log->Sample(Choice());
  text += *log->Sample(Choice());
  text += log->Tail();
  const json::value parsed = json::parse(text);
  EXPECT_EQ(parsed.at("version").as_int64(), 2);
  EXPECT_EQ(Text(parsed.at("status")), "success");
  EXPECT_EQ(Text(parsed.at("eval").at("task")), "candor/choice");
  EXPECT_EQ(Text(parsed.at("eval").at("model")), "local/m");
  EXPECT_EQ(parsed.at("eval").at("config").at("epochs").as_int64(), 2);
  EXPECT_EQ(parsed.at("results").at("completed_samples").as_int64(), 3);
  EXPECT_DOUBLE_EQ(
      parsed.at("results").at("scores").at(0).at("metrics").at("mean").at("value").as_double(),
      2.0 / 3);
  EXPECT_EQ(parsed.at("stats").at("model_usage").at("local/m").at("total_tokens").as_int64(), 33);
  EXPECT_LT(text.find("\"stats\""), text.find("\"samples\": ["));

  const json::value& sample = parsed.at("samples").at(1);
  EXPECT_EQ(Text(sample.at("id")), "tea/1");
  EXPECT_EQ(sample.at("epoch").as_int64(), 2);
  // As it was shown.
  EXPECT_EQ(Text(sample.at("input").at(0).at("content")),
            "Zeus: Which?\nprice: 1.5\nsize: 7.0 cm\nor\nprice: 3.0\nsize: 2.0 cm");
  EXPECT_EQ(Text(sample.at("messages").at(1).at("content")), "A\n");
  EXPECT_EQ(Text(sample.at("output").at("model")), "m-1");
  EXPECT_EQ(Text(sample.at("output").at("choices").at(0).at("stop_reason")), "stop");
  EXPECT_EQ(sample.at("scores").at("readable").at("value").as_int64(), 1);
  EXPECT_EQ(Text(sample.at("scores").at("readable").at("answer")), "A");
  // 100 * 0.5 - 20 * -0.75 is above 0.
  EXPECT_EQ(Text(sample.at("target")), "A");
  EXPECT_EQ(sample.at("metadata").at("index").as_int64(), 3);
}

TEST(InspectRowsTest, AWholeJobTellsItsSamplesApart) {
  const ExportedJob exported = Exported();
  auto log = InspectLog::Create(exported, {}, "1.2");
  ASSERT_TRUE(log.ok()) << log.status();
  v1::Outcome report = Choice();
  report.set_kind(v1::Cell::SELF_REPORT);
  report.set_class_(v1::Outcome::NOT_JSON);
  report.clear_choice();
  report.set_reasoning_text("hm");
  std::string text = log->Head();
  text += *log->Sample(Choice());
  text += *log->Sample(report);
  text += log->Tail();
  const json::value parsed = json::parse(text);
  EXPECT_EQ(parsed.at("eval").at("dataset").at("samples").as_int64(), 6);
  EXPECT_EQ(Text(parsed.at("samples").at(0).at("id")), "tuned/CHOICE/tea/1");
  const json::value& sample = parsed.at("samples").at(1);
  EXPECT_EQ(Text(sample.at("id")), "tuned/SELF_REPORT/tea/1");
  EXPECT_EQ(sample.at("scores").at("readable").at("value").as_int64(), 0);
  EXPECT_EQ(Text(sample.at("scores").at("readable").at("explanation")), "NOT_JSON");
  EXPECT_EQ(Text(sample.at("messages").at(1).at("content").at(0).at("reasoning")), "hm");
}

TEST(InspectRowsTest, AnEmptyLogIsWhole) {
  const ExportedJob exported = Exported();
  auto log = InspectLog::Create(exported, {}, "1.2");
  EXPECT_TRUE(json::parse(log->Head() + log->Tail()).at("samples").as_array().empty());
  v1::Outcome other = Choice();
  other.set_scenario("coffee");
  EXPECT_EQ(log->Sample(other).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace candor::cli
