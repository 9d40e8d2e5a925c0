// A simulation that no known mistake can turn red proves nothing: here each does.
#include "coordinator/engine/planted_bug.h"

#include "tests/unit/coordinator/engine/simulation/simulation.h"

#include <gtest/gtest.h>

namespace candor::engine::simulation {
namespace {

class PlantedBugTest : public testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedBugTest, TurnsTheSimulationRed) {
  planted_bug = GetParam();
  bool red = false;
  for (std::uint64_t seed = 0; seed < 200 && !red; ++seed) {
    red = !Simulate({.seed = seed, .heals = seed % 2 == 1}).violations.empty();
  }
  planted_bug = PlantedBug::kNone;
  EXPECT_TRUE(red);
}

INSTANTIATE_TEST_SUITE_P(
    All, PlantedBugTest,
    testing::Values(PlantedBug::kAcknowledgeBeforeCommit, PlantedBug::kSendBeforeCommit,
                    PlantedBug::kLimitsResetAtRestart, PlantedBug::kOutcomeCountedTwice,
                    PlantedBug::kRetryAfterIgnored, PlantedBug::kExpiredCellLost,
                    PlantedBug::kProposedTooSoon, PlantedBug::kSubmittedTooSoon));

}  // namespace
}  // namespace candor::engine::simulation
