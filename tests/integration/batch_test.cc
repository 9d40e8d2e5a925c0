// Jobs in providers' batches, on real processes: the same outcomes as live calls, and no batch lost
// or created twice, whichever process dies.

#include "tests/integration/cluster.h"
#include "tests/integration/relay.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace candor::integration {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr std::int64_t kCells = 20 * (20 + 5);

std::string JobOf(const std::string& mode, const std::string& endpoint = "local") {
  return fmt::format(R"({{"job": {{"display_name": "batches", "mode": "{}",
      "models": [{{"name": "base", "endpoint": "{}", "model": "m"}}], "scenario_limit": 20,
      "choices": {{"trials_per_scenario": 20,
                   "sampling": {{"temperature": 0, "max_output_tokens": 16}}}},
      "self_reports": {{"reports_per_scenario": 5,
                        "sampling": {{"temperature": 0, "max_output_tokens": 300}}}},
      "seed": 7}}}})",
                     mode, endpoint);
}

// Batches of 200 lines, looked at five times a second.
std::string EndpointOf(const std::string& dialect) {
  return fmt::format(
      "    base_url: \"{{base_url}}\"\n    dialect: {}\n    models:\n"
      "      - match: \"*\"\n        price: {{input: 1, output: 2}}\n"
      "        batch: {{max_lines: 200, poll_interval: 0.2s}}\n",
      dialect);
}

class BatchTest : public ::testing::TestWithParam<const char*> {
 protected:
  void Start(const std::string& simulator, const std::string& lease_ttl = "1s") {
    cluster_.SetEndpoints({{"local", EndpointOf(GetParam())}});
    cluster_.StartSimulator(simulator);
    cluster_.StartCoordinator({"--lease-ttl", lease_ttl});
    cluster_.StartWorker("w1", {"--slots", "8"});
  }
  std::string Live() {
    const std::string job = cluster_.CreateJob(JobOf("LIVE"));
    EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
    return ReadWhole(cluster_.Export(job, "live") + "/outcomes.jsonl");
  }
  boost::json::array Batches(const std::string& job) {
    const auto response =
        cluster_.Call("EvaluationService/ListBatches", fmt::format(R"({{"name": "{}"}})", job));
    const auto* batches = response.as_object().if_contains("batches");
    return batches == nullptr ? boost::json::array() : batches->as_array();
  }
  // Looks until a batch of the job is in this state, or the job has ended.
  bool WaitForBatch(const std::string& job, const std::string& state) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      for (const auto& batch : Batches(job)) {
        if (batch.at("state").as_string() == state) return true;
      }
      const auto now = cluster_.GetJob(job);
      if (now.at("state").as_string() != "RUNNING" && now.at("state").as_string() != "QUEUED") {
        return false;
      }
    }
    ADD_FAILURE() << "no batch became " << state;
    return false;
  }
  // R5 for lines: each that was run joins one attempt, and none ran twice.
  void ExpectLedgerJoins(const std::string& job, const std::string& path) {
    std::map<std::string, std::string> attempts;
    for (const auto& attempt : ParseJsonLines(ReadWhole(path + "/attempts.jsonl"))) {
      attempts[attempt.at("id").as_string().c_str()] = boost::json::serialize(attempt.at("state"));
    }
    std::set<std::string> lines;
    for (const auto& call : cluster_.Ledger()) {
      if (!call.at("batch").as_bool()) continue;
      const std::string id = call.at("attempt_id").as_string().c_str();
      EXPECT_TRUE(lines.insert(id).second) << "a line ran twice: " << id;
      EXPECT_TRUE(attempts.contains(id)) << "a line without an attempt: " << id;
    }
    EXPECT_GE(lines.size(), static_cast<std::size_t>(kCells - 2)) << job;
  }
  // As many batches at the provider as the job knows of.
  void ExpectNoBatchTwice(const std::string& job) {
    std::set<std::string> ids;
    for (const auto& batch : Batches(job)) {
      const auto* id = batch.as_object().if_contains("provider_batch");
      if (id == nullptr) continue;
      EXPECT_TRUE(ids.insert(id->as_string().c_str()).second);
    }
    EXPECT_GE(ids.size(), 3U);
  }

  Cluster cluster_;
};

TEST_P(BatchTest, GivesWhatLiveCallsGiveAtHalfThePrice) {
  Start("batches: {delay: 500ms, visibility_lag: 200ms}");
  const std::string expected = Live();
  const std::string job = cluster_.CreateJob(JobOf("BATCH"));
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  const std::string path = cluster_.Export(job, "batches");
  EXPECT_EQ(ReadWhole(path + "/outcomes.jsonl"), expected);
  ExpectLedgerJoins(job, path);
  ExpectNoBatchTwice(job);
  for (const auto& batch : Batches(job)) {
    EXPECT_EQ(batch.at("state").as_string(), "DONE");
    EXPECT_EQ(batch.at("lines"), batch.at("lines_collected"));
  }
  // The first call of each kind was live; all others cost half.
  const boost::json::value ended = cluster_.GetJob(job);
  const auto& kinds = ended.at("progress").at(0).at("kinds").as_array();
  ASSERT_EQ(kinds.size(), 2U);
  EXPECT_EQ(kinds.at(0).at("batch_calls").as_string(), "399");
  EXPECT_EQ(kinds.at(1).at("batch_calls").as_string(), "99");
  const auto listed = cluster_.Candor({"batches", job});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("done"));
}

TEST_P(BatchTest, ProcessesDieAtAnyInstantAndNothingChanges) {
  Start("batches: {delay: 1.5s, visibility_lag: 100ms}");
  const std::string expected = Live();
  const std::string job = cluster_.CreateJob(JobOf("BATCH"));
  int workers = 1;
  const auto new_worker = [&] {
    cluster_.worker(fmt::format("w{}", workers)).Stop(SIGKILL);
    cluster_.StartWorker(fmt::format("w{}", ++workers), {"--slots", "8"});
  };
  // While the first batch is decided on or created, at the provider, and read.
  for (const char* state : {"INTENDED", "SUBMITTED", "COLLECTING"}) {
    if (!WaitForBatch(job, state)) break;
    new_worker();
    if (!WaitForBatch(job, state)) break;
    cluster_.KillAndRestartCoordinator();
  }
  // And at instants that nobody chose.
  for (int kill = 1; kill <= 4; ++kill) {
    cluster_.WaitForDone(job, kill * kCells / 6);
    if (kill % 2 == 0) {
      new_worker();
    } else {
      cluster_.KillAndRestartCoordinator();
    }
  }
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  const std::string path = cluster_.Export(job, "disturbed");
  EXPECT_EQ(ReadWhole(path + "/outcomes.jsonl"), expected);
  ExpectLedgerJoins(job, path);
  ExpectNoBatchTwice(job);
}

// The provider has the batch, and nobody else knows: its answer was on its way to a worker that
// died.
TEST_P(BatchTest, BatchOfAWorkerThatDiedBeforeItsReportIsAdopted) {
  cluster_.StartSimulator("batches: {delay: 500ms}");
  Relay relay(cluster_.simulator_address());
  std::string endpoint = EndpointOf(GetParam());
  const std::string base = "{base_url}";
  endpoint.replace(endpoint.find(base), base.size(), "http://" + relay.address() + "/v1");
  cluster_.SetEndpoints({{"local", endpoint}});
  cluster_.StartCoordinator({"--lease-ttl", "1s"});
  cluster_.StartWorker("w1", {"--slots", "8"});
  const std::string expected = Live();
  const bool keeps_token = GetParam() == std::string("openai");
  relay.KeepBack(keeps_token ? "POST /v1/batches " : "POST /v1/messages/batches ");
  const std::string job = cluster_.CreateJob(JobOf("BATCH"));
  relay.WaitUntilKeptBack();
  cluster_.worker("w1").Stop(SIGKILL);
  cluster_.StartWorker("w2", {"--slots", "8"});
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  EXPECT_THAT(ReadWhole(cluster_.directory() + "/w2.log"), HasSubstr("found at the provider as"));
  const std::string path = cluster_.Export(job, "adopted");
  EXPECT_EQ(ReadWhole(path + "/outcomes.jsonl"), expected);
  ExpectLedgerJoins(job, path);
  ExpectNoBatchTwice(job);
}

TEST_P(BatchTest, LinesThatFailOrExpireGoAgain) {
  Start("batches: {delay: 300ms, line_error_rate: 0.1, line_expiry_rate: 0.1, expire_first: 1}");
  const std::string expected = Live();
  const std::string job = cluster_.CreateJob(JobOf("AUTO"));
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  const std::string path = cluster_.Export(job, "batches");
  EXPECT_EQ(ReadWhole(path + "/outcomes.jsonl"), expected);
  bool unrun = false;
  for (const auto& attempt : ParseJsonLines(ReadWhole(path + "/attempts.jsonl"))) {
    if (attempt.at("state").as_string() != "NOT_SENT") continue;
    unrun = true;
    EXPECT_EQ(attempt.at("money").to_number<std::int64_t>(), 0);
  }
  EXPECT_TRUE(unrun);
}

TEST_P(BatchTest, CancelledJobEndsWithWhatItHas) {
  Start("batches: {delay: 60s, cancel_delay: 100ms}");
  const std::string job = cluster_.CreateJob(JobOf("BATCH"));
  ASSERT_TRUE(WaitForBatch(job, "SUBMITTED"));
  cluster_.Call("EvaluationService/CancelJob", fmt::format(R"({{"name": "{}"}})", job));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto all_done = [&] {
    for (const auto& batch : Batches(job)) {
      if (batch.at("state").as_string() != "DONE") return false;
    }
    return true;
  };
  while (!all_done()) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  cluster_.Call("EvaluationService/DeleteJob", fmt::format(R"({{"name": "{}"}})", job));
}

INSTANTIATE_TEST_SUITE_P(Dialects, BatchTest, testing::Values("openai", "anthropic"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(BatchCreationTest, BatchIsRefusedWhereThereIsNone) {
  Cluster cluster;
  cluster.SetEndpoints({{"local", EndpointOf("openai")}});
  cluster.StartSimulator();
  cluster.StartCoordinator();
  const auto refused = cluster.Grpcurl("EvaluationService/CreateJob", R"({"job": {"mode": "BATCH",
      "models": [{"endpoint": "local", "model": "m"}], "scenario_limit": 1,
      "choices": {"trials_per_scenario": 20, "design": "ADAPTIVE"}}})");
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("job.mode"), HasSubstr("ADAPTIVE")));
}

}  // namespace
}  // namespace candor::integration
