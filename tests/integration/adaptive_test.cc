// Adaptive designs on real processes: the same answers give the same trials, whoever dies.

#include "tests/integration/cluster.h"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace candor::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kJob = R"({"job": {"display_name": "adaptive",
  "models": [
    {"name": "letters", "endpoint": "local", "model": "m"},
    {"name": "soft", "endpoint": "local", "model": "m", "choices": {
      "trials_per_scenario": 10, "design": "ADAPTIVE", "adaptive": {"random_pairs": 3, "candidates": 16},
      "sampling": {"temperature": 0, "max_output_tokens": 16, "log_probabilities": 10}}}],
  "scenario_limit": 16,
  "attribute_order": "SHUFFLED",
  "choices": {"trials_per_scenario": 20, "orders": "BOTH", "design": "ADAPTIVE",
              "sampling": {"temperature": 0, "max_output_tokens": 16}},
  "self_reports": {"reports_per_scenario": 2, "sampling": {"temperature": 0, "max_output_tokens": 300}},
  "seed": 7}})";
constexpr std::int64_t kCells = 16 * (20 + 2) + 16 * (10 + 2);

// What a pair of an entry's scenario showed, as text; both orders alike.
std::map<std::string, std::string> PairsShown(const std::string& outcomes) {
  std::map<std::string, std::string> shown;
  for (const auto& outcome : ParseJsonLines(outcomes)) {
    if (outcome.at("kind").as_string() != "CHOICE") continue;
    const bool swapped = outcome.at("order").as_int64() == 1;
    const std::string pair = std::string(outcome.at("entry").as_string()) + '/' +
                             std::string(outcome.at("scenario").as_string()) + '/' +
                             std::to_string(outcome.at("pair").as_int64());
    const std::string values =
        boost::json::serialize(outcome.at(swapped ? "option_b" : "option_a")) +
        boost::json::serialize(outcome.at(swapped ? "option_a" : "option_b"));
    const auto [first, added] = shown.emplace(pair, values);
    EXPECT_EQ(first->second, values) << "two orders of one pair differ: " << pair;
  }
  return shown;
}

TEST(AdaptiveTest, TheCoordinatorIsKilledAndTheTrialsStayTheSame) {
  Cluster cluster;
  cluster.StartSimulator("models: [{match: \"*\", latency: 5ms, latency_sigma: 0.5}]");
  cluster.StartCoordinator({"--lease-ttl", "2s"});
  cluster.StartWorker("w1", {"--slots", "8"});
  cluster.StartWorker("w2", {"--slots", "8"});
  const std::string undisturbed = cluster.CreateJob(kJob);
  ASSERT_EQ(cluster.WaitForEnd(undisturbed), "SUCCEEDED");
  const std::string expected =
      ReadWhole(cluster.Export(undisturbed, "undisturbed") + "/outcomes.jsonl");

  const std::string job = cluster.CreateJob(kJob);
  for (int kill = 1; kill <= 4; ++kill) {
    cluster.WaitForDone(job, kill * kCells / 6);
    cluster.KillAndRestartCoordinator();
  }
  // A worker with calls under way, too.
  cluster.WaitForDone(job, 5 * kCells / 6);
  cluster.worker("w2").Stop(SIGKILL);
  cluster.StartWorker("w3", {"--slots", "8"});
  ASSERT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
  EXPECT_EQ(ReadWhole(cluster.Export(job, "disturbed") + "/outcomes.jsonl"), expected);

  // 5 drawn pairs and 5 proposed ones; 3 and 7.
  const auto shown = PairsShown(expected);
  EXPECT_EQ(shown.size(), 16U * (10 + 10));
  std::int64_t soft = 0;
  std::int64_t valid = 0;
  for (const auto& outcome : ParseJsonLines(expected)) {
    if (outcome.at("entry").as_string() != "soft" || outcome.at("kind").as_string() != "CHOICE") {
      continue;
    }
    // In words around the letter no token is the letter alone.
    if (outcome.at("class").as_string() != "VALID") continue;
    ++valid;
    soft += outcome.at("log_odds_a").is_null() ? 0 : 1;
  }
  EXPECT_GE(valid, 16 * 10 * 3 / 4);
  EXPECT_EQ(soft, valid);

  // The drawn pairs are those of a random design, the proposed ones are not.
  std::string random = kJob;
  for (std::size_t at = 0; (at = random.find("ADAPTIVE", at)) != std::string::npos;) {
    random.replace(at, 8, "RANDOM");
  }
  const std::string options = R"( "adaptive": {"random_pairs": 3, "candidates": 16},)";
  random.erase(random.find(options), options.size());
  const std::string other = cluster.CreateJob(random);
  ASSERT_EQ(cluster.WaitForEnd(other), "SUCCEEDED");
  const auto drawn = PairsShown(ReadWhole(cluster.Export(other, "random") + "/outcomes.jsonl"));
  ASSERT_EQ(drawn.size(), shown.size());
  int same = 0;
  for (const auto& [pair, values] : shown) same += drawn.at(pair) == values ? 1 : 0;
  EXPECT_EQ(same, 16 * (5 + 3));
}

TEST(AdaptiveTest, PreviewAndValidationSayWhatFollowsFromAnswers) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  const std::string file = cluster.directory() + "/adaptive-job.json";
  WriteWhole(file, kJob);
  const Finished preview = cluster.Candor(
      {"preview", file, "-n", "200", "--config", cluster.directory() + "/candor.yaml"});
  EXPECT_EQ(preview.exit_code, 0) << preview.err;
  EXPECT_THAT(preview.err, AllOf(HasSubstr("letters: the first 5 pairs of a scenario are drawn"),
                                 HasSubstr("each of the other 5 follows from the answers"),
                                 HasSubstr("letters CHOICE: 160 of 320 requests"),
                                 HasSubstr("soft CHOICE: 48 of 160 requests")));
  EXPECT_EQ(ParseJsonLines(preview.out).size(), 160U + 48U + 32U + 32U);

  std::string request = kJob;
  request.insert(1, R"("validate_only": true, )");
  const std::string estimate =
      boost::json::serialize(cluster.Call("EvaluationService/CreateJob", request));
  EXPECT_THAT(estimate, AllOf(HasSubstr("at most 16 (one a scenario) are in flight at once"),
                              HasSubstr("20 choices of a scenario follow one another"),
                              Not(HasSubstr("all 10 pairs"))));

  const Finished refused = cluster.Grpcurl("EvaluationService/CreateJob", R"({"job": {
    "models": [{"endpoint": "local", "model": "m"}],
    "choices": {"trials_per_scenario": 10, "adaptive": {"candidates": 1}}}})");
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("job.choices.adaptive"), HasSubstr("give design ADAPTIVE"),
                    HasSubstr("give a number from 2 to 1,024")));
}

}  // namespace
}  // namespace candor::integration
