// Every dialect end to end: the worker's renderers and readers against the simulator, which was
// written from the providers' documentation and not from them.

#include "tests/integration/cluster.h"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace candor::integration {
namespace {

using boost::json::value;
using testing::HasSubstr;

struct Spoken {
  // Of the endpoint, which is named like it.
  const char* dialect;
  // What the simulator calls it.
  const char* at_simulator;
  // How a finished reply ends.
  const char* finish_reason;
  bool log_probabilities;
};

constexpr Spoken kSpoken[] = {{"openai", "chat", "stop", true},
                              {"openai-responses", "responses", "completed", true},
                              {"anthropic", "anthropic", "end_turn", false},
                              {"gemini", "gemini", "STOP", true}};

// An endpoint a dialect. Models that begin with "stream" come as server-sent events.
Cluster::Endpoints EndpointsOfAllDialects() {
  Cluster::Endpoints endpoints;
  for (const Spoken& spoken : kSpoken) {
    endpoints[spoken.dialect] =
        "    base_url: {base_url}\n    dialect: " + std::string(spoken.dialect) +
        "\n    models: [{match: \"stream*\", stream: always}]";
  }
  return endpoints;
}

// An entry of each dialect that asks `model`, named DIALECT or, for others than "m",
// DIALECT-MODEL.
std::string Entries(const std::string& model, const std::string& sampling,
                    bool log_probabilities = false) {
  std::string entries;
  for (const Spoken& spoken : kSpoken) {
    if (!entries.empty()) entries += ",";
    std::string choice = sampling;
    if (log_probabilities && spoken.log_probabilities) choice += ", \"log_probabilities\": 10";
    entries += "{\"name\": \"" + std::string(spoken.dialect) + (model == "m" ? "" : "-" + model) +
               "\", \"endpoint\": \"" + spoken.dialect + "\", \"model\": \"" + model +
               "\", \"choices\": {\"trials_per_scenario\": 6, \"sampling\": {" + choice + "}}}";
  }
  return entries;
}

std::string JobOf(const std::string& entries, int reports = 2) {
  return R"({"job": {"display_name": "dialects", "scenario_limit": 4, "seed": 7, "models": [)" +
         entries + R"(], "self_reports": {"reports_per_scenario": )" + std::to_string(reports) +
         R"(, "sampling": {"max_output_tokens": 300, "response_schema": "SCHEMA"}}}})";
}

std::int64_t Number(const value& object, const char* name) {
  const value* number = object.as_object().if_contains(name);
  if (number == nullptr) return 0;
  return number->is_string() ? std::stoll(number->as_string().c_str())
                             : number->to_number<std::int64_t>();
}

std::string Text(const value& object, const char* name) {
  const value* text = object.as_object().if_contains(name);
  return text == nullptr || !text->is_string() ? "" : text->as_string().c_str();
}

TEST(DialectsTest, ASmallJobOfEachInOnePieceAndAsAStream) {
  Cluster cluster;
  cluster.SetEndpoints(EndpointsOfAllDialects());
  cluster.StartSimulator(
      "models: [{match: \"stream*\", self_knowledge: 1, streams_only: true}, "
      "{match: \"*\", self_knowledge: 1}]");
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  const std::string sampling = R"("max_output_tokens": 16)";
  const std::string job = cluster.CreateJob(
      JobOf(Entries("m", sampling, true) + "," + Entries("stream-1", sampling, true)));
  ASSERT_EQ(cluster.WaitForEnd(job), "SUCCEEDED")
      << boost::json::serialize(cluster.GetJob(job).at("progress"));

  const std::string path = cluster.Export(job);
  std::map<std::string, int> choices;
  std::map<std::string, int> reports;
  std::map<std::string, int> with_log_odds;
  for (const value& outcome : ParseJsonLines(ReadWhole(path + "/outcomes.jsonl"))) {
    const std::string entry = Text(outcome, "entry");
    EXPECT_EQ(Text(outcome, "class"), "VALID") << boost::json::serialize(outcome);
    EXPECT_EQ(Text(outcome, "served_model"), entry.ends_with("-stream-1") ? "stream-1" : "m");
    EXPECT_GT(Number(outcome.at("usage"), "input_tokens"), 50) << entry;
    EXPECT_GT(Number(outcome.at("usage"), "output_tokens"), 0) << entry;
    const bool choice = Text(outcome, "kind") == "CHOICE";
    ++(choice ? choices : reports)[entry];
    if (!outcome.at("log_odds_a").is_null()) ++with_log_odds[entry];
    for (const Spoken& spoken : kSpoken) {
      if (entry != spoken.dialect && entry != spoken.dialect + std::string("-stream-1")) continue;
      EXPECT_EQ(Text(outcome, "finish_reason"), spoken.finish_reason) << entry;
    }
  }
  for (const Spoken& spoken : kSpoken) {
    for (const char* kind : {"", "-stream-1"}) {
      const std::string entry = spoken.dialect + std::string(kind);
      EXPECT_EQ(choices[entry], 24) << entry;
      EXPECT_EQ(reports[entry], 8) << entry;
      EXPECT_EQ(with_log_odds[entry], spoken.log_probabilities ? 24 : 0) << entry;
    }
  }
  std::map<std::string, int> calls;
  for (const value& call : cluster.Ledger()) {
    EXPECT_EQ(Number(call, "status"), 200) << boost::json::serialize(call);
    ++calls[Text(call, "dialect")];
  }
  for (const Spoken& spoken : kSpoken) EXPECT_EQ(calls[spoken.at_simulator], 64);
}

TEST(DialectsTest, ThinkingThatLeavesNothingIsAClassOfItsOwnEverywhere) {
  Cluster cluster;
  cluster.SetEndpoints(EndpointsOfAllDialects());
  cluster.StartSimulator(
      "models: [{match: \"*-error\", reasoning_tokens: 200, exhausted_is_error: true}, "
      "{match: \"*\", reasoning_tokens: 200}]");
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  const std::string sampling = R"("max_output_tokens": 16)";
  const std::string job =
      cluster.CreateJob(JobOf(Entries("m", sampling) + "," + Entries("stream-2", sampling) +
                                  R"(, {"endpoint": "openai", "model": "m-error",
                     "choices": {"trials_per_scenario": 6, "sampling": {"max_output_tokens": 16}}})",
                              0));
  ASSERT_EQ(cluster.WaitForEnd(job), "SUCCEEDED")
      << boost::json::serialize(cluster.GetJob(job).at("progress"));
  std::map<std::string, int> exhausted;
  for (const value& outcome : ParseJsonLines(ReadWhole(cluster.Export(job) + "/outcomes.jsonl"))) {
    EXPECT_EQ(Text(outcome, "class"), "REASONING_EXHAUSTED") << boost::json::serialize(outcome);
    ++exhausted[Text(outcome, "entry")];
  }
  EXPECT_EQ(exhausted.size(), 9U);
  for (const auto& [entry, count] : exhausted) EXPECT_EQ(count, 24) << entry;
}

TEST(DialectsTest, AFilteredReplyIsAnOutcomeEverywhere) {
  Cluster cluster;
  cluster.SetEndpoints(EndpointsOfAllDialects());
  cluster.StartSimulator("models: [{match: \"*\", filtered_rate: 1}]");
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  const std::string job = cluster.CreateJob(JobOf(Entries("m", R"("max_output_tokens": 16)"), 0));
  ASSERT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
  std::map<std::string, std::set<std::string>> classes;
  for (const value& outcome : ParseJsonLines(ReadWhole(cluster.Export(job) + "/outcomes.jsonl"))) {
    classes[Text(outcome, "entry")].insert(Text(outcome, "class"));
  }
  EXPECT_EQ(classes["openai"], std::set<std::string>{"PROVIDER_BLOCKED"});
  EXPECT_EQ(classes["openai-responses"], std::set<std::string>{"REFUSAL"});
  EXPECT_EQ(classes["anthropic"], std::set<std::string>{"REFUSAL"});
  EXPECT_EQ(classes["gemini"], std::set<std::string>{"PROVIDER_BLOCKED"});
}

TEST(DialectsTest, ARefusedParameterIsNamedEverywhere) {
  Cluster cluster;
  cluster.SetEndpoints(EndpointsOfAllDialects());
  cluster.StartSimulator("models: [{match: \"*\", strict_parameters: true}]");
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  const std::string job =
      cluster.CreateJob(JobOf(Entries("m", R"("max_output_tokens": 16, "temperature": 0.5)"), 0));
  EXPECT_EQ(cluster.WaitForEnd(job), "FAILED");
  std::set<std::string> refused;
  for (const value& attempt : ParseJsonLines(ReadWhole(cluster.Export(job) + "/attempts.jsonl"))) {
    if (Text(attempt, "state") != "FAILED") continue;
    EXPECT_EQ(Text(attempt, "error_class"), "REFUSED_PARAMETER") << boost::json::serialize(attempt);
    refused.insert(Text(attempt, "entry"));
  }
  EXPECT_EQ(refused.size(), 4U);
}

TEST(DialectsTest, WhatIsNoReplyIsNeverTakenForOne) {
  Cluster cluster;
  cluster.SetEndpoints(EndpointsOfAllDialects());
  cluster.StartSimulator(
      "models: [{match: \"*\", self_knowledge: 1}]\n"
      "limits: {requests_per_minute: 1000000}\n"
      "faults: {truncated_body: 0.04, wrong_json: 0.04, half_json: 0.04, html: 0.04, "
      "error_200: 0.04, broken_stream: 0.08, overloaded: 0.02, lying_headers: 0.3}");
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  const std::string sampling = R"("max_output_tokens": 16)";
  std::string request =
      JobOf(Entries("m", sampling) + "," + Entries("stream-1", sampling), /*reports=*/1);
  request.insert(request.find("\"scenario_limit\""), R"("retry": {"max_attempts": 20}, )");
  const std::string job = cluster.CreateJob(request);
  ASSERT_EQ(cluster.WaitForEnd(job), "SUCCEEDED")
      << boost::json::serialize(cluster.GetJob(job).at("progress"));
  const std::string path = cluster.Export(job);
  int outcomes = 0;
  for (const value& outcome : ParseJsonLines(ReadWhole(path + "/outcomes.jsonl"))) {
    EXPECT_EQ(Text(outcome, "class"), "VALID") << boost::json::serialize(outcome);
    ++outcomes;
  }
  EXPECT_EQ(outcomes, 8 * 4 * (6 + 1));
  std::map<std::string, int> failed;
  for (const value& attempt : ParseJsonLines(ReadWhole(path + "/attempts.jsonl"))) {
    const std::string state = Text(attempt, "state");
    if (state == "FAILED" || state == "UNANSWERED") ++failed[Text(attempt, "error_class")];
  }
  EXPECT_GT(failed["MALFORMED_RESPONSE"], 0);
  // A page of a proxy, an overload, a cut connection, and nothing that would end an entry.
  for (const auto& [error_class, count] : failed) {
    EXPECT_THAT(error_class, testing::AnyOf("MALFORMED_RESPONSE", "SERVER_ERROR", "OVERLOADED",
                                            "CONNECTION", "RATE_LIMITED"))
        << count;
  }
}

TEST(DialectsTest, WhatAnEndpointCannotDoIsRefusedBeforeTheFirstCall) {
  Cluster cluster;
  cluster.SetEndpoints(EndpointsOfAllDialects());
  cluster.StartSimulator();
  cluster.StartCoordinator();
  const Finished refused = cluster.Grpcurl("EvaluationService/CreateJob",
                                           R"({"job": {"scenario_limit": 1, "models": [
        {"endpoint": "openai-responses", "model": "a"},
        {"endpoint": "anthropic", "model": "b", "choices": {"trials_per_scenario": 1,
          "sampling": {"max_output_tokens": 8, "log_probabilities": 5}}}],
        "choices": {"trials_per_scenario": 1, "sampling": {"max_output_tokens": 8, "seed": 1}}}})");
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("job.choices.sampling.max_output_tokens: is 8; "
                                     "openai-responses takes no less than 16; give 16 or more"));
  EXPECT_THAT(refused.err, HasSubstr("job.choices.sampling.seed: is 1; openai-responses has no "
                                     "sampling seed"));
  EXPECT_THAT(refused.err, HasSubstr("job.models[1].choices.sampling.log_probabilities: is 5; "
                                     "anthropic has no log-probabilities"));
  // The client says so without anybody's being asked.
  const Finished preview = cluster.Candor(
      {"preview", "-", "--config", cluster.directory() + "/candor.yaml"},
      R"({"job": {"scenario_limit": 1, "models": [{"endpoint": "anthropic", "model": "b"}],
          "choices": {"trials_per_scenario": 1}}})");
  EXPECT_NE(preview.exit_code, 0);
  EXPECT_THAT(preview.err,
              HasSubstr("job.choices.sampling.max_output_tokens: is missing; anthropic "
                        "requires an output limit"));
  EXPECT_TRUE(cluster.Ledger().empty());
}

}  // namespace
}  // namespace candor::integration
