// An export as `candor export` writes it: job.json, scenarios.json, outcomes.jsonl.
#pragma once

#include "common/base/json_proto.h"
#include "common/base/json_writer.h"
#include "common/scenario/catalogue.h"
#include "testing.h"

#include <string>
#include <vector>

namespace candor::analysis {

inline std::string OutcomeLine(const v1::Outcome& outcome) {
  JsonWriter json;
  json.BeginObject();
  json.Key("entry").String(outcome.entry());
  json.Key("scenario").String(outcome.scenario());
  json.Key("kind").String(v1::Cell::Kind_Name(outcome.kind()));
  json.Key("index").Number(std::uint64_t{outcome.index()});
  json.Key("pair").Number(std::uint64_t{outcome.pair()});
  json.Key("order").Number(std::uint64_t{outcome.order()});
  json.Key("sample").Number(std::uint64_t{outcome.sample()});
  json.Key("class").String(v1::Outcome::Class_Name(outcome.class_()));
  json.Key("repairs").BeginArray().EndArray();
  json.Key("choice");
  outcome.choice() == v1::Outcome::CHOICE_UNSPECIFIED
      ? json.Null()
      : json.String(v1::Outcome::Choice_Name(outcome.choice()));
  json.Key("report");
  if (outcome.report().empty()) {
    json.Null();
  } else {
    json.BeginObject();
    for (const v1::ReportedWeight& weight : outcome.report()) {
      json.Key(weight.attribute());
      weight.has_value() ? json.Number(weight.value()) : json.Null();
    }
    json.EndObject();
  }
  json.Key("log_odds_a");
  outcome.has_log_odds_a() ? json.Number(outcome.log_odds_a()) : json.Null();
  json.Key("log_odds_truncated").Bool(false);
  for (const bool a : {true, false}) {
    json.Key(a ? "option_a" : "option_b").BeginObject();
    for (const v1::ShownValue& value : a ? outcome.option_a() : outcome.option_b())
      json.Key(value.attribute()).Number(value.value());
    json.EndObject();
  }
  json.Key("raw_text").String(outcome.raw_text());
  json.Key("reasoning_text").String("");
  json.Key("served_model").String(outcome.served_model());
  json.Key("usage").BeginObject().Key("input_tokens").Number(std::int64_t{81}).EndObject();
  json.Key("prompt_hash").String(std::string(64, 'a'));
  json.Key("reused_from").Null();
  json.EndObject();
  return json.Take();
}

inline std::string JobFile(const v1::Job& job) {
  return "{\"versions\": {\"export\": 1, \"job\": \"}\"},\n\"cells\": [],\n\"job\": " +
         PrintJson(job) + "}\n";
}

inline void WriteExport(const TempFolder& folder, const TestJob& test,
                        const std::vector<v1::Outcome>& outcomes) {
  folder.Write("job.json", JobFile(test.job));
  v1::ScenarioSet set;
  for (const v1::Scenario& scenario : test.specification.scenarios())
    *set.add_scenarios() = scenario;
  folder.Write("scenarios.json", scenario::PrintScenarioSet(set));
  std::string lines;
  for (const v1::Outcome& outcome : outcomes) lines += OutcomeLine(outcome) + "\n";
  folder.Write("outcomes.jsonl", lines);
}

}  // namespace candor::analysis
