// The whole life of a job as its user has it: real processes, real grpcurl, nothing else.

#include "tests/integration/cluster.h"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace candor::integration {
namespace {

using testing::HasSubstr;

std::string Example(const std::string& name) {
  return ReadWhole(std::string(CANDOR_SOURCE_DIR) + "/docs/examples/" + name);
}

std::string Named(const std::string& job) { return R"({"name": ")" + job + R"("})"; }

class GrpcurlTest : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.StartSimulator();
    cluster_.StartCoordinator();
  }
  Cluster cluster_;
};

TEST_F(GrpcurlTest, ListsAndDescribesTheContract) {
  const Finished list =
      RunCommand({Tool("grpcurl"), "-plaintext", cluster_.grpc_address(), "list"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  for (const char* service :
       {"candor.v1.EvaluationService", "candor.v1.ScenarioService", "candor.v1.ClusterService",
        "candor.v1.WorkerService", "candor.v1.AnalysisService", "grpc.health.v1.Health"}) {
    EXPECT_THAT(list.out, HasSubstr(service));
  }
  const Finished describe = RunCommand({Tool("grpcurl"), "-plaintext", cluster_.grpc_address(),
                                        "describe", "candor.v1.EvaluationService.CreateJob"});
  EXPECT_THAT(describe.out, HasSubstr("rpc CreateJob"));
}

TEST_F(GrpcurlTest, HealthKnowsLivenessAndReadiness) {
  for (const char* service : {"", "liveness", "readiness"}) {
    const Finished health = RunCommand({Tool("grpcurl"), "-plaintext", "-d",
                                        std::string(R"({"service": ")") + service + "\"}",
                                        cluster_.grpc_address(), "grpc.health.v1.Health/Check"});
    EXPECT_THAT(health.out, HasSubstr("SERVING")) << service << health.err;
  }
  const Finished ready = RunCommand(
      {"curl", "-sS", "--noproxy", "*", "http://" + cluster_.http_address() + "/healthz/ready"});
  EXPECT_EQ(ready.out, "ready\n");
}

TEST_F(GrpcurlTest, WholeLifeOfAJob) {
  const std::string request = Example("first.json");

  // What it would take.
  const auto estimate =
      cluster_.Call("EvaluationService/CreateJob",
                    R"({"validate_only": true, )" + request.substr(request.find('{') + 1));
  EXPECT_EQ(estimate.at("estimate").at("cells").as_string(), "1200");
  EXPECT_EQ(cluster_.Call("EvaluationService/ListJobs").as_object().if_contains("jobs"), nullptr);

  // Nobody to make the calls: it waits, and says why.
  const std::string job = cluster_.CreateJob(request);
  EXPECT_THAT(boost::json::serialize(cluster_.GetJob(job)), HasSubstr("no connected worker"));

  // The same request is the same job; another job under its request_id is refused.
  EXPECT_EQ(cluster_.CreateJob(request), job);
  std::string other = request;
  other.replace(other.find("\"seed\": 7"), 9, "\"seed\": 8");
  const Finished refused = cluster_.Grpcurl("EvaluationService/CreateJob", other);
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("AlreadyExists"));

  // Paused, it stays where it is; resumed, it runs to its end.
  EXPECT_EQ(cluster_.Call("EvaluationService/PauseJob", Named(job)).at("state").as_string(),
            "PAUSED");
  cluster_.StartWorker("w1");
  EXPECT_EQ(cluster_.GetJob(job).at("state").as_string(), "PAUSED");
  cluster_.Call("EvaluationService/ResumeJob", Named(job));
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");

  // Every outcome, once, from the beginning or from a cursor on.
  const Finished stream = cluster_.Grpcurl("EvaluationService/StreamOutcomes", Named(job));
  std::set<std::string> cells;
  std::size_t outcomes = 0;
  std::string first_cursor;
  std::size_t in_first = 0;
  std::string message;
  for (const char c : stream.out) {
    message += c;
    if (c != '\n' || !message.ends_with("\n}\n")) continue;
    const auto value = ParseJsonText(message);
    message.clear();
    if (first_cursor.empty()) {
      first_cursor = value.at("cursor").as_string().c_str();
      in_first = value.at("outcomes").as_array().size();
    }
    for (const auto& outcome : value.at("outcomes").as_array()) {
      ++outcomes;
      cells.insert(boost::json::serialize(outcome.at("kind")) +
                   boost::json::serialize(outcome.at("scenario")) +
                   (outcome.as_object().contains("pair")
                        ? boost::json::serialize(outcome.at("pair"))
                        : "0"));
    }
  }
  EXPECT_EQ(outcomes, 1200U);
  EXPECT_EQ(cells.size(), 1200U);
  const Finished rest =
      cluster_.Grpcurl("EvaluationService/StreamOutcomes",
                       R"({"name": ")" + job + R"(", "cursor": ")" + first_cursor + "\"}");
  std::size_t more = 0;
  for (auto at = rest.out.find("\"prompt_hash\""); at != std::string::npos;
       at = rest.out.find("\"prompt_hash\"", at + 1)) {
    ++more;
  }
  EXPECT_EQ(more, 1200U - in_first);

  // A job that has ended can be deleted, and is gone.
  cluster_.Call("EvaluationService/DeleteJob", Named(job));
  EXPECT_THAT(cluster_.Grpcurl("EvaluationService/GetJob", Named(job)).err, HasSubstr("NotFound"));
}

TEST_F(GrpcurlTest, OperatorsSeeWorkersAndLimits) {
  cluster_.StartWorker("w1", {"--slots", "7"});
  const auto workers = cluster_.Call("ClusterService/ListWorkers");
  ASSERT_EQ(workers.at("workers").as_array().size(), 1U);
  EXPECT_EQ(workers.at("workers").at(0).at("slots").as_int64(), 7);
  EXPECT_EQ(workers.at("workers").at(0).at("endpoints").at(0).at("served").as_bool(), true);
  const auto changed = cluster_.Call(
      "ClusterService/UpdateLimitGroup",
      R"({"limit_group": {"name": "limitGroups/local", "limits": {"requests_per_minute": 90}}})");
  EXPECT_EQ(changed.at("limits").at("requests_per_minute").as_string(), "90");
  // A slip leaves no account without a limit.
  EXPECT_THAT(cluster_
                  .Grpcurl("ClusterService/UpdateLimitGroup",
                           R"({"limit_group": {"name": "limitGroups/local"}})")
                  .err,
              HasSubstr("limit_group.limits"));
  const auto masked = cluster_.Call(
      "ClusterService/UpdateLimitGroup",
      R"({"limit_group": {"name": "limitGroups/local", "limits": {"tokens_per_minute": 9000}},
          "update_mask": {"paths": ["limits.tokens_per_minute"]}})");
  EXPECT_EQ(masked.at("limits").at("requests_per_minute").as_string(), "90");
  const auto groups = cluster_.Call("ClusterService/ListLimitGroups");
  EXPECT_EQ(groups.at("limit_groups").at(0).at("limits").at("requests_per_minute").as_string(),
            "90");
  const auto status = cluster_.Call("ClusterService/GetStatus");
  EXPECT_EQ(status.at("workers").as_int64(), 1);
  EXPECT_EQ(status.at("slots").as_string(), "7");

  // Drained by its operator, a worker ends by itself.
  cluster_.Call(
      "ClusterService/DrainWorker",
      R"({"name": )" + boost::json::serialize(workers.at("workers").at(0).at("name")) + "}");
  EXPECT_EQ(cluster_.worker("w1").Wait(), 0);
}

TEST_F(GrpcurlTest, ScenarioSetsAreCreatedListedUsedAndDeleted) {
  const std::string set =
      R"({"scenario_set_id": "mine", "scenario_set": {"display_name": "Mine", "scenarios": [
    {"id": "lamp", "role": "a reader", "question": "Which lamp?", "attributes": [
      {"name": "price", "unit": "euros", "min": 5, "max": 80}, {"name": "height", "unit": "cm", "min": 20, "max": 60}]}]}})";
  EXPECT_EQ(cluster_.Call("ScenarioService/CreateScenarioSet", set).at("name").as_string(),
            "scenarioSets/mine");
  EXPECT_THAT(cluster_.Grpcurl("ScenarioService/CreateScenarioSet", set).err,
              HasSubstr("AlreadyExists"));
  const auto sets = cluster_.Call("ScenarioService/ListScenarioSets");
  ASSERT_EQ(sets.at("scenario_sets").as_array().size(), 2U);
  EXPECT_EQ(sets.at("scenario_sets").at(0).at("built_in").as_bool(), true);
  EXPECT_GE(sets.at("scenario_sets").at(0).at("scenario_count").as_int64(), 200);
  EXPECT_EQ(cluster_.Call("ScenarioService/GetScenarioSet", R"({"name": "scenarioSets/mine"})")
                .at("scenarios")
                .at(0)
                .at("id")
                .as_string(),
            "lamp");

  cluster_.StartWorker("w1");
  const std::string job =
      cluster_.CreateJob(R"({"job": {"models": [{"endpoint": "local", "model": "m"}],
    "scenario_set": "scenarioSets/mine", "choices": {"trials_per_scenario": 3}}})");
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  cluster_.Call("ScenarioService/DeleteScenarioSet", R"({"name": "scenarioSets/mine"})");
  EXPECT_THAT(
      cluster_.Grpcurl("ScenarioService/DeleteScenarioSet", R"({"name": "scenarioSets/builtin"})")
          .err,
      HasSubstr("FailedPrecondition"));
  // The job keeps what it was created from.
  EXPECT_EQ(cluster_.Call("EvaluationService/GetJobSpecification", Named(job))
                .at("scenarios")
                .as_array()
                .size(),
            1U);
}

// One line of what is wrong, and the field that the error has to name.
struct BadJob {
  const char* name;
  const char* job;
  const char* field;
  const char* words;
};

TEST_F(GrpcurlTest, BadJobsGetFieldViolationsAndCreateNothing) {
  const std::string scenario =
      R"({"id": "s", "question": "Q?", "attributes": [{"name": "a", "min": 0, "max": 1}, {"name": "b", "min": 0, "max": 1}]})";
  const std::string ok =
      R"("choices": {"trials_per_scenario": 2}, "models": [{"endpoint": "local", "model": "m"}])";
  const auto inline_with = [&](const std::string& scenarios) {
    return "{" + ok + R"(, "inline_scenarios": {"scenarios": [)" + scenarios + "]}}";
  };
  const std::string duplicate_ids = inline_with(scenario + "," + scenario);
  const std::string min_max = inline_with(
      R"({"id": "s", "question": "Q?", "attributes": [{"name": "a", "min": 2, "max": 1}, {"name": "b", "min": 0, "max": 1}]})");
  const std::string nan = inline_with(
      R"({"id": "s", "question": "Q?", "attributes": [{"name": "a", "min": 0, "max": "NaN"}, {"name": "b", "min": 0, "max": 1}]})");
  const std::string one_attribute = inline_with(
      R"({"id": "s", "question": "Q?", "attributes": [{"name": "a", "min": 0, "max": 1}]})");
  const std::string same_names = inline_with(
      R"({"id": "s", "question": "Q?", "attributes": [{"name": "a", "min": 0, "max": 1}, {"name": "a", "min": 0, "max": 1}]})");
  const std::string no_id = inline_with(
      R"({"question": "Q?", "attributes": [{"name": "a", "min": 0, "max": 1}, {"name": "b", "min": 0, "max": 1}]})");
  const BadJob bad[] = {
      {"unknown endpoint",
       R"({"models": [{"endpoint": "locl", "model": "m"}], "choices": {"trials_per_scenario": 2}})",
       "job.models[0].endpoint", "local"},
      {"no entries", R"({"choices": {"trials_per_scenario": 2}})", "job.models", ""},
      {"duplicate names",
       R"({"models": [{"endpoint": "local", "model": "m"}, {"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 2}})",
       "job.models[1].name", ""},
      {"weights_from nobody",
       R"({"models": [{"endpoint": "local", "model": "m", "weights_from": "x"}], "choices": {"trials_per_scenario": 2}})",
       "job.models[0].weights_from", ""},
      {"unknown set",
       R"({"scenario_set": "scenarioSets/none", "models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 2}})",
       "job.scenario_set", "scenarioSets/none"},
      {"unknown scenario",
       R"({"scenario_ids": ["nothing_like_it"], "models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 2}})",
       "job.scenario_ids[0]", "nothing_like_it"},
      {"duplicate ids", duplicate_ids.c_str(), "job.inline_scenarios.scenarios[1].id", ""},
      {"empty id", no_id.c_str(), "job.inline_scenarios.scenarios[0].id", ""},
      {"min >= max", min_max.c_str(), "job.inline_scenarios.scenarios[0].attributes[0]", ""},
      {"not a number", nan.c_str(), "job.inline_scenarios.scenarios[0].attributes[0]", ""},
      {"one attribute", one_attribute.c_str(), "job.inline_scenarios.scenarios[0].attributes", ""},
      {"duplicate attributes", same_names.c_str(),
       "job.inline_scenarios.scenarios[0].attributes[1].name", ""},
      {"no cells", R"({"models": [{"endpoint": "local", "model": "m"}]})", "job", ""},
      {"negative count",
       R"({"models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": -1}})",
       "job.choices.trials_per_scenario", "-1"},
      {"absurd count",
       R"({"models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 2000000}})",
       "job", "100"},
      {"negative budget",
       R"({"budget": {"calls": -5}, "models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 2}})",
       "job.budget.calls", "-5"},
      {"unknown placeholder",
       R"({"prompts": {"choice": {"messages": [{"role": "user", "content": "{option_a} {option_b} {rolle}"}]}}, "models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 2}})",
       "job.prompts.choice.messages[0].content", "rolle"},
      {"no option_a",
       R"({"prompts": {"choice": {"messages": [{"role": "user", "content": "{option_b}"}]}}, "models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 2}})",
       "job.prompts.choice", "option_a"},
      {"seed",
       R"({"seed": "9007199254740993", "models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 2}})",
       "job.seed", ""},
  };
  for (const BadJob& item : bad) {
    SCOPED_TRACE(item.name);
    const Finished finished = cluster_.Grpcurl("EvaluationService/CreateJob",
                                               std::string(R"({"job": )") + item.job + "}");
    EXPECT_NE(finished.exit_code, 0);
    EXPECT_THAT(finished.err, HasSubstr("InvalidArgument"));
    EXPECT_THAT(finished.err, HasSubstr(item.field));
    EXPECT_THAT(finished.err, HasSubstr(item.words));
    EXPECT_THAT(finished.err, HasSubstr("BadRequest"));
  }
  const Finished cursor =
      cluster_.Grpcurl("EvaluationService/StreamOutcomes", R"({"name": "jobs/none"})");
  EXPECT_THAT(cursor.err, HasSubstr("NotFound"));
  EXPECT_EQ(cluster_.Call("EvaluationService/ListJobs").as_object().if_contains("jobs"), nullptr);
}

TEST_F(GrpcurlTest, ABadCursorIsRefused) {
  const std::string job = cluster_.CreateJob(Example("first.json"));
  const Finished finished =
      cluster_.Grpcurl("EvaluationService/StreamOutcomes",
                       R"({"name": ")" + job + R"(", "cursor": "abcdef0123456789"})");
  EXPECT_THAT(finished.err, HasSubstr("InvalidArgument"));
  EXPECT_THAT(finished.err, HasSubstr("cursor"));
}

TEST_F(GrpcurlTest, LargeInlineSetsPointToTheUpload) {
  std::string scenarios;
  for (int i = 0; i < 700; ++i) {
    scenarios +=
        (i == 0 ? "" : ",") + std::string(R"({"id": "s)") + std::to_string(i) +
        R"(", "question": ")" + std::string(7000, 'q') +
        R"(?", "attributes": [{"name": "a", "min": 0, "max": 1}, {"name": "b", "min": 0, "max": 1}]})";
  }
  const Finished finished = cluster_.Grpcurl(
      "EvaluationService/CreateJob",
      R"({"job": {"models": [{"endpoint": "local", "model": "m"}], "choices": {"trials_per_scenario": 1}, "inline_scenarios": {"scenarios": [)" +
          scenarios + "]}}}");
  EXPECT_THAT(finished.err, HasSubstr("InvalidArgument"));
  EXPECT_THAT(finished.err, HasSubstr("UploadScenarioSet"));

  // And the upload takes it.
  std::string pieces = R"({"scenario_set_id": "large", "scenarios": [)" +
                       scenarios.substr(0, scenarios.find(",{\"id\": \"s350\"")) + "]}\n" +
                       R"({"scenarios": [)" +
                       scenarios.substr(scenarios.find("{\"id\": \"s350\"")) + "]}";
  EXPECT_EQ(
      cluster_.Call("ScenarioService/UploadScenarioSet", pieces).at("scenario_count").as_int64(),
      700);
}

}  // namespace
}  // namespace candor::integration
