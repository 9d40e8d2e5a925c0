// The promise, on real processes: no answer that was paid for is lost or counted twice, whichever
// process dies.

#include "tests/integration/cluster.h"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <map>
#include <set>

namespace candor::integration {
namespace {

using testing::HasSubstr;

constexpr const char* kJob = R"({"job": {"display_name": "chaos",
  "models": [{"name": "base", "endpoint": "local", "model": "m"}],
  "scenario_limit": 40,
  "choices": {"trials_per_scenario": 40, "sampling": {"temperature": 0, "max_output_tokens": 16}},
  "self_reports": {"reports_per_scenario": 10, "sampling": {"temperature": 0, "max_output_tokens": 300}},
  "seed": 7}})";
constexpr std::int64_t kCells = 40 * (40 + 10);

std::string UndisturbedOutcomes(Cluster& cluster) {
  const std::string job = cluster.CreateJob(kJob);
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
  return ReadWhole(cluster.Export(job, "undisturbed") + "/outcomes.jsonl");
}

// R5: every call at the provider joins exactly one attempt; attempts without a call are those that
// need none.
void ExpectLedgerJoins(const Cluster& cluster, const std::vector<std::string>& exports) {
  std::map<std::string, std::string> states;
  for (const std::string& path : exports) {
    for (const auto& attempt : ParseJsonLines(ReadWhole(path + "/attempts.jsonl"))) {
      const bool fresh = states
                             .emplace(attempt.at("id").as_string().c_str(),
                                      attempt.at("state").as_string().c_str())
                             .second;
      EXPECT_TRUE(fresh) << "attempt exported twice: " << boost::json::serialize(attempt);
    }
  }
  std::set<std::string> called;
  for (const auto& call : cluster.Ledger()) {
    const std::string id = call.at("attempt_id").as_string().c_str();
    EXPECT_TRUE(called.insert(id).second) << "called twice: " << id;
    EXPECT_EQ(states.count(id), 1U)
        << "a call without an attempt: " << boost::json::serialize(call);
  }
  for (const auto& [id, state] : states) {
    if (called.count(id) != 0) continue;
    EXPECT_THAT(state, testing::AnyOf("NOT_SENT", "UNANSWERED", "UNKNOWN")) << id;
  }
}

TEST(FaultsTest, TheCoordinatorIsKilledTenTimesAndNothingChanges) {
  Cluster cluster;
  cluster.StartSimulator("models: [{match: \"*\", latency: 20ms, latency_sigma: 0.5}]");
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {"--slots", "16"});
  cluster.StartWorker("w2", {"--slots", "16"});
  const std::string expected = UndisturbedOutcomes(cluster);

  const std::string job = cluster.CreateJob(kJob);
  for (int kill = 1; kill <= 10; ++kill) {
    cluster.WaitForDone(job, kill * kCells / 12);
    cluster.KillAndRestartCoordinator();
  }
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
  EXPECT_EQ(cluster.GetJob(job).at("progress").at(0).at("state").as_string(), "FINISHED");
  const std::string disturbed = cluster.Export(job, "disturbed");
  EXPECT_EQ(ReadWhole(disturbed + "/outcomes.jsonl"), expected);
  ExpectLedgerJoins(cluster, {cluster.directory() + "/undisturbed", disturbed});
}

TEST(FaultsTest, WorkersJoinLeaveAndAreKilled) {
  Cluster cluster;
  cluster.StartSimulator("models: [{match: \"*\", latency: 20ms}]");
  cluster.StartCoordinator({"--lease-ttl", "2s"});
  cluster.StartWorker("w0", {"--slots", "8"});
  const std::string expected = UndisturbedOutcomes(cluster);

  const std::string job = cluster.CreateJob(kJob);
  cluster.StartWorker("w1", {"--slots", "8"});
  cluster.WaitForDone(job, kCells / 8);
  cluster.worker("w0").Stop(SIGKILL);
  cluster.StartWorker("w2", {"--slots", "8"});
  cluster.WaitForDone(job, kCells / 4);
  // A drained worker leaves nothing behind.
  EXPECT_EQ(cluster.worker("w1").Stop(SIGTERM), 0);
  cluster.StartWorker("w3", {"--slots", "8"});
  cluster.WaitForDone(job, kCells / 2);
  cluster.worker("w2").Stop(SIGKILL);
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");

  const std::string disturbed = cluster.Export(job, "disturbed");
  EXPECT_EQ(ReadWhole(disturbed + "/outcomes.jsonl"), expected);
  ExpectLedgerJoins(cluster, {cluster.directory() + "/undisturbed", disturbed});
  int unknown = 0;
  for (const auto& attempt : ParseJsonLines(ReadWhole(disturbed + "/attempts.jsonl"))) {
    unknown += attempt.at("state").as_string() == "UNKNOWN" ? 1 : 0;
  }
  EXPECT_LE(unknown, 2 * 8) << "more than the slots of the two killed workers";
}

// R4: a worker that was stopped past its leases' end comes back as a zombie.
TEST(FaultsTest, AStoppedWorkerComesBackAndNothingChanges) {
  Cluster cluster;
  cluster.StartSimulator("default_model: {latency: 20ms}");
  cluster.StartCoordinator({"--lease-ttl", "1s"});
  cluster.StartWorker("w1", {"--slots", "8"});
  const std::string expected = UndisturbedOutcomes(cluster);

  const std::string job = cluster.CreateJob(kJob);
  cluster.StartWorker("w2", {"--slots", "8"});
  cluster.WaitForDone(job, kCells / 8);
  cluster.worker("w1").Signal(SIGSTOP);
  // Until its leases have run out.
  cluster.WaitForUnknown(job, 1);
  cluster.worker("w1").Signal(SIGCONT);
  cluster.WaitForDone(job, kCells / 2);
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");

  const std::string disturbed = cluster.Export(job, "disturbed");
  EXPECT_EQ(ReadWhole(disturbed + "/outcomes.jsonl"), expected);
  ExpectLedgerJoins(cluster, {cluster.directory() + "/undisturbed", disturbed});
}

TEST(FaultsTest, AProviderThatFailsOftenChangesNothing) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {"--slots", "32"});
  const std::string expected = UndisturbedOutcomes(cluster);

  Cluster faulty;
  faulty.StartSimulator(
      "faults: {server_error: 0.02, unavailable: 0.01, reset: 0.02, truncated_body: 0.01, "
      "wrong_json: 0.01}");
  faulty.StartCoordinator();
  faulty.StartWorker("w1", {"--slots", "32"});
  const std::string job = faulty.CreateJob(kJob);
  EXPECT_EQ(faulty.WaitForEnd(job), "SUCCEEDED");
  const std::string path = faulty.Export(job, "faulty");
  EXPECT_EQ(ReadWhole(path + "/outcomes.jsonl"), expected);
  ExpectLedgerJoins(faulty, {path});
}

TEST(FaultsTest, LimitsHoldAtTheProvider) {
  Cluster cluster;
  cluster.SetEndpoints(
      {{"local",
        "    base_url: \"{base_url}\"\n    limits: {requests_per_minute: 6000, in_flight: 10}"}});
  cluster.StartSimulator(
      "models: [{match: \"*\", latency: 10ms}]\nlimits: {requests_per_minute: 6000, in_flight: "
      "10}");
  cluster.StartCoordinator();
  for (const char* name : {"w1", "w2", "w3"}) cluster.StartWorker(name, {"--slots", "16"});
  const std::string job =
      cluster.CreateJob(R"({"job": {"models": [{"endpoint": "local", "model": "m"}],
    "scenario_limit": 20, "choices": {"trials_per_scenario": 25}}})");
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
  std::set<std::int64_t> statuses;
  for (const auto& call : cluster.Ledger()) statuses.insert(call.at("status").as_int64());
  EXPECT_EQ(statuses, std::set<std::int64_t>{200});
}

TEST(FaultsTest, AWrongKeyStopsItsEntryAndResumeGoesOn) {
  Cluster cluster;
  cluster.SetEndpoints({{"open", "    base_url: \"{base_url}\"\n    api_key_env: RIGHT_KEY"},
                        {"shut", "    base_url: \"{base_url}\"\n    api_key_env: OTHER_KEY"}});
  cluster.StartSimulator("api_key: right");
  cluster.StartCoordinator();
  cluster.StartWorker("w1", {}, {{"RIGHT_KEY", "right"}, {"OTHER_KEY", "wrong-canary-key"}});
  const std::string job = cluster.CreateJob(R"({"job": {"models": [
      {"name": "a", "endpoint": "open", "model": "m"}, {"name": "b", "endpoint": "shut", "model": "m"}],
    "scenario_limit": 5, "choices": {"trials_per_scenario": 10}, "self_reports": {"reports_per_scenario": 4}}})");
  EXPECT_EQ(cluster.WaitForEnd(job), "FAILED");
  const auto stopped = cluster.GetJob(job);
  EXPECT_EQ(stopped.at("progress").at(0).at("state").as_string(), "FINISHED");
  EXPECT_EQ(stopped.at("progress").at(1).at("state").as_string(), "STOPPED");
  EXPECT_THAT(std::string(stopped.at("progress").at(1).at("reason").as_string()), HasSubstr("401"));
  int refused = 0;
  for (const auto& call : cluster.Ledger()) refused += call.at("status").as_int64() == 401 ? 1 : 0;
  EXPECT_GE(refused, 1);
  EXPECT_LE(refused, 5);
  // The key is nowhere that Candor writes.
  EXPECT_EQ(RunCommand({"grep", "-rl", "wrong-canary-key", cluster.directory()}).out, "");

  // Mended, it goes on with what was pending.
  cluster.worker("w1").Stop(SIGTERM);
  cluster.StartWorker("w2", {}, {{"RIGHT_KEY", "right"}, {"OTHER_KEY", "right"}});
  EXPECT_EQ(cluster.Candor({"resume", job}).exit_code, 0);
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
}

TEST(FaultsTest, AWorkerWithoutAKeyTakesNoLeasesAndTheJobSaysWhy) {
  Cluster cluster;
  cluster.SetEndpoints(
      {{"keyed", "    base_url: \"{base_url}\"\n    api_key_env: KEY_THAT_IS_NOT_SET"}});
  cluster.StartSimulator();
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  const std::string job = cluster.CreateJob(
      R"({"job": {"models": [{"endpoint": "keyed", "model": "m"}], "scenario_limit": 2, "choices": {"trials_per_scenario": 2}}})");
  EXPECT_THAT(boost::json::serialize(cluster.GetJob(job)), HasSubstr("KEY_THAT_IS_NOT_SET"));
  EXPECT_TRUE(cluster.Ledger().empty());
  cluster.StartWorker("w2", {}, {{"KEY_THAT_IS_NOT_SET", "k"}});
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
}

TEST(FaultsTest, TheCoordinatorSaysWhatItCannotOpen) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  const std::string config = cluster.directory() + "/candor.yaml";
  const auto start = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> command = {Bin("candor-coordinator"), "--http", "127.0.0.1:0"};
    command.insert(command.end(), flags.begin(), flags.end());
    return RunCommand(command);
  };
  const std::string elsewhere = cluster.directory() + "/other";
  const Finished port = start({"--listen", cluster.grpc_address(), "--data", elsewhere});
  EXPECT_EQ(port.exit_code, 1);
  EXPECT_THAT(port.err, HasSubstr(cluster.grpc_address()));
  const Finished data = start({"--listen", "127.0.0.1:0", "--data", cluster.directory() + "/data"});
  EXPECT_EQ(data.exit_code, 1);
  EXPECT_THAT(data.err, HasSubstr(cluster.directory() + "/data"));
  const Finished file = start({"--listen", "127.0.0.1:0", "--config", "/no/such/file.yaml"});
  EXPECT_EQ(file.exit_code, 1);
  EXPECT_THAT(file.err, HasSubstr("/no/such/file.yaml"));
  WriteWhole(config,
             "endpoints:\n  - name: local\n    base_ulr: http://x/v1\n    dialect: openai\n");
  const Finished field = start({"--listen", "127.0.0.1:0", "--config", config});
  EXPECT_EQ(field.exit_code, 1);
  EXPECT_THAT(field.err, testing::AllOf(HasSubstr("base_ulr"), HasSubstr("base_url")));
  const Finished open = start({"--listen", "0.0.0.0:0", "--data", elsewhere});
  EXPECT_EQ(open.exit_code, 1);
  EXPECT_THAT(open.err, HasSubstr("loopback"));
}

}  // namespace
}  // namespace candor::integration
