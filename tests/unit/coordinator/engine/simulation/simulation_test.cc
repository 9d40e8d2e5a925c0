#include "tests/unit/coordinator/engine/simulation/simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace candor::engine::simulation {
namespace {

constexpr std::uint64_t kSeedsPerCase = 300;

std::string Describe(const Outcome& outcome, std::uint64_t seed) {
  std::string text = fmt::format("run it again with CANDOR_SIMULATION_SEED={}\n", seed);
  for (const std::string& violation : outcome.violations) text += violation + "\n";
  return text;
}

Outcome RunSeed(std::uint64_t seed) { return Simulate({.seed = seed, .heals = seed % 2 == 1}); }

// Even seeds are checked for safety under faults that never stop, odd ones also for their end.
class SimulationTest : public testing::TestWithParam<int> {};

TEST_P(SimulationTest, KeepsItsPromises) {
  Outcome sum;
  const auto first = static_cast<std::uint64_t>(GetParam()) * kSeedsPerCase;
  for (std::uint64_t seed = first; seed < first + kSeedsPerCase; ++seed) {
    const Outcome outcome = RunSeed(seed);
    ASSERT_TRUE(outcome.violations.empty()) << Describe(outcome, seed);
    if (seed % 10 == 0) {
      ASSERT_EQ(RunSeed(seed).trace_hash, outcome.trace_hash)
          << "the same seed took another way; CANDOR_SIMULATION_SEED=" << seed;
    }
    sum.calls += outcome.calls;
    sum.outcomes += outcome.outcomes;
    sum.coordinator_deaths += outcome.coordinator_deaths;
    sum.worker_deaths += outcome.worker_deaths;
    sum.late_reports += outcome.late_reports;
    sum.refusals += outcome.refusals;
    sum.sleeps += outcome.sleeps;
    sum.reused += outcome.reused;
    sum.proposals += outcome.proposals;
    sum.proposals_again += outcome.proposals_again;
    sum.batches += outcome.batches;
    sum.lines += outcome.lines;
    sum.adopted += outcome.adopted;
  }
  RecordProperty("calls", std::to_string(sum.calls));
  // Something has to happen, or nothing was shown.
  EXPECT_GT(sum.outcomes, 10'000);
  EXPECT_GT(sum.coordinator_deaths, 50);
  EXPECT_GT(sum.worker_deaths, 50);
  EXPECT_GT(sum.late_reports, 20);
  EXPECT_GT(sum.refusals, 20);
  EXPECT_GT(sum.sleeps, 20);
  EXPECT_GT(sum.reused, 500);
  EXPECT_GT(sum.proposals, 1'000);
  EXPECT_GT(sum.proposals_again, 20);
  EXPECT_GT(sum.batches, 100);
  EXPECT_GT(sum.lines, 1'000);
  EXPECT_GT(sum.adopted, 5);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimulationTest, testing::Range(0, 10));

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Any seed, or any number of them: CANDOR_SIMULATION_SEED=10000 CANDOR_SIMULATION_COUNT=100000.
TEST(SimulationTest, ChosenSeeds) {
  const std::uint64_t first = FromEnvironment("CANDOR_SIMULATION_SEED", 4711);
  const std::uint64_t count = FromEnvironment("CANDOR_SIMULATION_COUNT", 1);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = RunSeed(seed);
    ASSERT_TRUE(outcome.violations.empty()) << Describe(outcome, seed);
  }
}

}  // namespace
}  // namespace candor::engine::simulation
