// Mistakes about limits, each of which a measurement of limits_test.cc shows.
#include "coordinator/engine/planted_bug.h"
#include "tests/unit/coordinator/engine/simulation/limits_world.h"

#include <gtest/gtest.h>

#include <chrono>

namespace candor::engine::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

LimitsScenario OneJob() {
  LimitsScenario scenario;
  scenario.jobs = {
      {Duration(0), {.name = "jobs/a", .entries = {{.scenarios = 10, .trials = 100'000}}}}};
  return scenario;
}

LimitsOutcome With(PlantedBug bug, const LimitsScenario& scenario) {
  planted_bug = bug;
  LimitsOutcome outcome = RunLimits(scenario);
  planted_bug = PlantedBug::kNone;
  return outcome;
}

TEST(PlantedLimitBugTest, HeadersThatNeverLowerPassTheProvidersLimit) {
  LimitsScenario scenario = OneJob();
  scenario.endpoint.mutable_limits()->set_requests_per_minute(1200);
  scenario.provider.limits.set_requests_per_minute(600);
  scenario.provider.headers = true;
  EXPECT_EQ(With(PlantedBug::kNone, scenario).refused, 0);
  EXPECT_GT(With(PlantedBug::kHeadersNeverLower, scenario).refused, 0);
}

TEST(PlantedLimitBugTest, ADecreaseForEachRefusalLeavesALimitUnused) {
  LimitsScenario scenario = OneJob();
  scenario.provider.limits.set_requests_per_minute(6000);
  scenario.provider.latency = milliseconds(500);
  scenario.time = seconds(600);
  EXPECT_GE(With(PlantedBug::kNone, scenario).MeanShare(6000, seconds(180), scenario.time), 0.9);
  EXPECT_LT(
      With(PlantedBug::kDecreasePerRefusal, scenario).MeanShare(6000, seconds(180), scenario.time),
      0.9);
}

TEST(PlantedLimitBugTest, ACircuitThatNeverClosesStopsEverything) {
  LimitsScenario scenario = OneJob();
  scenario.endpoint.mutable_limits()->set_requests_per_minute(3000);
  scenario.provider.limits = scenario.endpoint.limits();
  scenario.provider.fails_from = seconds(60);
  scenario.provider.fails_to = seconds(70);
  EXPECT_GE(With(PlantedBug::kNone, scenario).MeanShare(3000, seconds(200), scenario.time), 0.99);
  EXPECT_LT(
      With(PlantedBug::kCircuitNeverCloses, scenario).MeanShare(3000, seconds(200), scenario.time),
      0.1);
}

}  // namespace
}  // namespace candor::engine::simulation
