#include "cli/export_rows.h"

#include "common/base/json_proto.h"

#include <gtest/gtest.h>

namespace candor::cli {
namespace {

v1::Scenario Plot() {
  v1::Scenario scenario;
  EXPECT_TRUE(ParseYaml(R"(
id: plot
attributes:
  - {name: sun, min: 0, max: 10}
  - {name: "cost, monthly", min: 1, max: 2}
)",
                        &scenario)
                  .ok());
  return scenario;
}

v1::Outcome Choice() {
  v1::Outcome outcome;
  // Shown in another order than the scenario's.
  EXPECT_TRUE(ParseYaml(R"(
entry: base
scenario: plot
kind: CHOICE
index: 4000000000
pair: 3
order: 1
sample: 2
class: REPAIRED
repairs: [code_fence, case]
choice: A
log_odds_a: 0.1
option_a: [{attribute: "cost, monthly", value: 1.5}, {attribute: sun, value: 7}]
option_b: [{attribute: "cost, monthly", value: 1.2}, {attribute: sun, value: 2}]
raw_text: "A\n\"so\""
finish_reason: stop
served_model: m-1
usage: {input_tokens: 9007199254740993, output_tokens: 1}
prompt_hash: abc
attempt_id: canary
)",
                        &outcome)
                  .ok());
  return outcome;
}

v1::Outcome Report() {
  v1::Outcome outcome;
  EXPECT_TRUE(ParseYaml(R"(
entry: base
scenario: plot
kind: SELF_REPORT
class: MISSING_ATTRIBUTE
report: [{attribute: sun, value: -12.5}, {attribute: "cost, monthly"}]
)",
                        &outcome)
                  .ok());
  return outcome;
}

TEST(OutcomeJson, WritesEveryFieldOfAChoice) {
  EXPECT_EQ(
      OutcomeJson(Choice()),
      R"({"entry":"base","scenario":"plot","kind":"CHOICE","index":4000000000,"pair":3,"order":1,)"
      R"("sample":2,"class":"REPAIRED","repairs":["code_fence","case"],"choice":"A","report":null,)"
      R"("log_odds_a":0.1,"log_odds_truncated":false,"option_a":{"cost, monthly":1.5,"sun":7},)"
      R"("option_b":{"cost, monthly":1.2,"sun":2},"raw_text":"A\n\"so\"","reasoning_text":"",)"
      R"("finish_reason":"stop","served_model":"m-1","system_fingerprint":"",)"
      R"("usage":{"input_tokens":9007199254740993,"cached_input_tokens":0,"output_tokens":1,)"
      R"("reasoning_tokens":0},"prompt_hash":"abc","reused_from":null})");
}

TEST(OutcomeJson, WritesReportsAsObjectsWithNulls) {
  const std::string json = OutcomeJson(Report());
  EXPECT_NE(
      json.find(R"("choice":null,"report":{"sun":-12.5,"cost, monthly":null},"log_odds_a":null)"),
      std::string::npos)
      << json;
}

TEST(OutcomeJson, DependsOnNothingButTheReply) {
  v1::Outcome other = Choice();
  other.set_attempt_id("another");
  EXPECT_EQ(OutcomeJson(other), OutcomeJson(Choice()));
  EXPECT_EQ(OutcomeJson(other).find("canary"), std::string::npos);
}

TEST(AttemptJson, WritesTimesAndNulls) {
  v1::Attempt attempt;
  ASSERT_TRUE(ParseYaml(R"(
id: a1
entry: base
scenario: plot
kind: CHOICE
state: FAILED
error_class: RATE_LIMITED
error_text: slow down
http_status: 429
worker: workers/w
grant_time: 2026-01-31T12:00:00.5Z
latency: 250ms
money: 7
)",
                        &attempt)
                  .ok());
  EXPECT_EQ(
      AttemptJson(attempt),
      R"({"id":"a1","entry":"base","scenario":"plot","kind":"CHOICE","index":0,"state":"FAILED",)"
      R"("error_class":"RATE_LIMITED","error_text":"slow down","http_status":429,)"
      R"("worker":"workers/w","grant_time":"2026-01-31T12:00:00.500Z","start_time":null,)"
      R"("latency_seconds":0.25,"provider_request_id":"","usage":{"input_tokens":0,)"
      R"("cached_input_tokens":0,"output_tokens":0,"reasoning_tokens":0},"money":7})");
}

TEST(ChoicesRow, StandsInTheScenariosOwnOrder) {
  EXPECT_EQ(ChoicesHeader(3),
            "entry,scenario,pair,order,sample,class,y,a_1,a_2,a_3,b_1,b_2,b_3,x_1,x_2,x_3\n");
  EXPECT_EQ(*ChoicesRow(Choice(), Plot(), 3),
            "base,plot,3,1,2,REPAIRED,1,7,1.5,,2,1.2,,0.5,0.30000000000000004,\n");
  v1::Outcome none = Choice();
  none.set_choice(v1::Outcome::B);
  EXPECT_EQ(*ChoicesRow(none, Plot(), 2),
            "base,plot,3,1,2,REPAIRED,0,7,1.5,2,1.2,0.5,0.30000000000000004\n");
  none.clear_choice();
  none.set_class_(v1::Outcome::NOT_A_CHOICE);
  EXPECT_EQ(*ChoicesRow(none, Plot(), 2),
            "base,plot,3,1,2,NOT_A_CHOICE,,7,1.5,2,1.2,0.5,0.30000000000000004\n");
}

TEST(ChoicesRow, RefusesAnOutcomeOfAnotherScenario) {
  v1::Outcome outcome = Choice();
  outcome.clear_option_b();
  EXPECT_EQ(ChoicesRow(outcome, Plot(), 2).status().code(), absl::StatusCode::kDataLoss);
}

TEST(ReportsRows, HaveOneAttributeEach) {
  EXPECT_EQ(ReportsHeader(), "entry,scenario,pair,sample,class,attribute,value\n");
  EXPECT_EQ(ReportsRows(Report(), Plot()),
            "base,plot,0,0,MISSING_ATTRIBUTE,sun,-12.5\n"
            "base,plot,0,0,MISSING_ATTRIBUTE,\"cost, monthly\",\n");
  v1::Outcome unread = Report();
  unread.clear_report();
  EXPECT_EQ(ReportsRows(unread, Plot()),
            "base,plot,0,0,MISSING_ATTRIBUTE,sun,\n"
            "base,plot,0,0,MISSING_ATTRIBUTE,\"cost, monthly\",\n");
}

}  // namespace
}  // namespace candor::cli
