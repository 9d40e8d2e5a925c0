// What is made of limits that are known, learned and found; and that they are kept.
#include "tests/unit/coordinator/engine/simulation/limits_world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace candor::engine::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;

JobShape Large(const std::string& name = "jobs/a", const std::string& endpoint = "local") {
  return {.name = name, .entries = {{.endpoint = endpoint, .scenarios = 10, .trials = 100'000}}};
}

LimitsScenario OneJob() {
  LimitsScenario scenario;
  scenario.jobs = {{Duration(0), Large()}};
  return scenario;
}

struct KnownCase {
  const char* name;
  std::int64_t requests;
  Duration latency;
};
void PrintTo(const KnownCase& test, std::ostream* out) { *out << test.name; }

class KnownLimitTest : public testing::TestWithParam<KnownCase> {};

TEST_P(KnownLimitTest, IsUsedUpAndNeverPassed) {
  LimitsScenario scenario = OneJob();
  scenario.endpoint.mutable_limits()->set_requests_per_minute(GetParam().requests);
  scenario.provider.limits = scenario.endpoint.limits();
  scenario.provider.latency = GetParam().latency;
  const LimitsOutcome outcome = RunLimits(scenario);
  EXPECT_THAT(outcome.violations, IsEmpty());
  EXPECT_EQ(outcome.refused, 0);
  EXPECT_GE(outcome.LeastShare(GetParam().requests, 60, seconds(60), scenario.time), 0.99);
  EXPECT_GE(outcome.LeastShare(GetParam().requests, 10, seconds(60), scenario.time), 0.97);
}

INSTANTIATE_TEST_SUITE_P(All, KnownLimitTest,
                         testing::Values(KnownCase{"slow", 600, milliseconds(200)},
                                         KnownCase{"fast", 6000, milliseconds(100)},
                                         KnownCase{"long", 1200, seconds(8)}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(LimitsTest, TokensAreUsedUpAsTheProviderCountsThem) {
  for (const TokenCount count : {TokenCount::kLarger, TokenCount::kAdded}) {
    LimitsScenario scenario = OneJob();
    scenario.jobs[0].second.entries[0].prompt_chars = 600;
    scenario.endpoint.mutable_limits()->set_tokens_per_minute(200'000);
    if (count == TokenCount::kAdded) {
      v1::ModelRule& rule = *scenario.endpoint.add_models();
      rule.set_match("*");
      rule.set_output_counts("reserved");
    }
    scenario.provider.limits = scenario.endpoint.limits();
    scenario.provider.count = count;
    const LimitsOutcome outcome = RunLimits(scenario);
    EXPECT_THAT(outcome.violations, IsEmpty());
    EXPECT_EQ(outcome.refused, 0);
    EXPECT_GE(outcome.LeastShare(200'000, 60, seconds(60), scenario.time), 0.99);
    EXPECT_GE(outcome.LeastShare(200'000, 10, seconds(60), scenario.time), 0.97);
  }
}

TEST(LimitsTest, OutputThatCountsAsItIsProducedIsForeseen) {
  LimitsScenario scenario = OneJob();
  scenario.endpoint.set_dialect("anthropic");
  scenario.endpoint.mutable_limits()->set_output_tokens_per_minute(30'000);
  scenario.provider.limits = scenario.endpoint.limits();
  scenario.provider.count = TokenCount::kProduced;
  scenario.provider.reply_tokens = 10;
  const LimitsOutcome outcome = RunLimits(scenario);
  EXPECT_THAT(outcome.violations, IsEmpty());
  EXPECT_EQ(outcome.refused, 0);
  EXPECT_GE(outcome.MeanShare(30'000, seconds(60), scenario.time), 0.98);
}

TEST(LimitsTest, WorkersComeAndGo) {
  LimitsScenario scenario = OneJob();
  scenario.endpoint.mutable_limits()->set_requests_per_minute(3000);
  scenario.provider.limits = scenario.endpoint.limits();
  scenario.workers = {{Duration(0), 1}, {seconds(100), 8}, {seconds(200), 2}};
  const LimitsOutcome outcome = RunLimits(scenario);
  EXPECT_EQ(outcome.refused, 0);
  EXPECT_GE(outcome.LeastShare(3000, 60, seconds(60), scenario.time), 0.99);
}

struct RestartCase {
  const char* name;
  std::int64_t requests;
  bool configured;
  bool headers;
};
void PrintTo(const RestartCase& test, std::ostream* out) { *out << test.name; }

class RestartTest : public testing::TestWithParam<RestartCase> {};

// Two seconds after the kill, of which the coordinator is away for half of one, everything is as it
// was before.
TEST_P(RestartTest, PassesNothingAndCostsTwoSeconds) {
  const RestartCase& test = GetParam();
  for (const Duration restart : {seconds(40), seconds(130)}) {
    LimitsScenario scenario = OneJob();
    scenario.provider.limits.set_requests_per_minute(test.requests);
    scenario.provider.latency = milliseconds(500);
    scenario.provider.headers = test.headers;
    if (test.configured) *scenario.endpoint.mutable_limits() = scenario.provider.limits;
    scenario.restart = restart;
    const LimitsOutcome outcome = RunLimits(scenario);
    const Duration after = restart + seconds(2);
    EXPECT_THAT(outcome.violations, IsEmpty());
    EXPECT_EQ(outcome.refused, 0);
    EXPECT_GE(outcome.LeastShare(test.requests, 10, after, scenario.time), 0.97);
    EXPECT_GE(outcome.LeastShare(test.requests, 60, after, scenario.time), 0.99);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RestartTest,
                         testing::Values(RestartCase{"configured", 6000, true, false},
                                         RestartCase{"configured_slow", 600, true, false},
                                         RestartCase{"configured_and_said", 6000, true, true},
                                         RestartCase{"learned", 6000, false, true},
                                         RestartCase{"learned_slow", 600, false, true}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(LimitsTest, ARateThatWasFoundIsFoundAgainSoonAfterARestart) {
  for (const std::int64_t limit : {600, 6000}) {
    LimitsScenario scenario = OneJob();
    scenario.provider.limits.set_requests_per_minute(limit);
    scenario.provider.latency = milliseconds(500);
    scenario.restart = seconds(300);
    scenario.time = seconds(600);
    scenario.warm = seconds(180);
    const LimitsOutcome outcome = RunLimits(scenario);
    EXPECT_THAT(outcome.violations, IsEmpty());
    EXPECT_LE(outcome.RefusedShare(), 0.02);
    EXPECT_GE(outcome.LeastShare(limit, 60, seconds(302), scenario.time), 0.90);
  }
}

TEST(LimitsTest, HeadersTeachALimitThatNobodyConfigured) {
  for (const std::int64_t limit : {300, 3000}) {
    LimitsScenario scenario = OneJob();
    scenario.provider.limits.set_requests_per_minute(limit);
    scenario.provider.headers = true;
    const LimitsOutcome outcome = RunLimits(scenario);
    EXPECT_THAT(outcome.violations, IsEmpty());
    EXPECT_LE(outcome.RefusedShare(), 0.001);
    EXPECT_LE(static_cast<double>(outcome.refused), 0.005 * static_cast<double>(outcome.calls));
    EXPECT_GE(outcome.LeastShare(limit, 60, seconds(60), scenario.time), 0.95);
  }
}

TEST(LimitsTest, HeadersTeachRoundedTokensAndAShareOfThem) {
  LimitsScenario scenario = OneJob();
  scenario.jobs[0].second.entries[0].prompt_chars = 600;
  scenario.endpoint.set_dialect("anthropic");
  scenario.endpoint.set_share(0.5);
  scenario.provider.limits.set_input_tokens_per_minute(200'000);
  scenario.provider.limits.set_output_tokens_per_minute(80'000);
  scenario.provider.count = TokenCount::kProduced;
  scenario.provider.headers = true;
  scenario.provider.rounded_to = 1000;
  const LimitsOutcome outcome = RunLimits(scenario);
  EXPECT_THAT(outcome.violations, IsEmpty());
  EXPECT_EQ(outcome.refused, 0);
  const v1::LimitGroup& group = outcome.group.back();
  EXPECT_EQ(group.limits().input_tokens_per_minute(), 100'000);
  EXPECT_EQ(group.limits().output_tokens_per_minute(), 40'000);
  EXPECT_EQ(group.configured().input_tokens_per_minute(), 0);
  EXPECT_EQ(group.uses(0).source(), v1::LimitUse::LEARNED);
}

// Others take 200 of 600 for a while: they are made room for, and what they leave is used.
LimitsOutcome BesideOthers() {
  LimitsScenario scenario = OneJob();
  scenario.endpoint.mutable_limits()->set_requests_per_minute(600);
  scenario.provider.limits = scenario.endpoint.limits();
  scenario.provider.headers = true;
  scenario.provider.others = 200;
  scenario.provider.others_from = seconds(100);
  scenario.provider.others_to = seconds(300);
  scenario.time = seconds(480);
  return RunLimits(scenario);
}

TEST(LimitsTest, OthersOfTheAccountAreMadeRoomFor) {
  const LimitsOutcome outcome = BesideOthers();
  EXPECT_THAT(outcome.violations, IsEmpty());
  EXPECT_LE(static_cast<double>(outcome.warm_refused),
            0.01 * static_cast<double>(outcome.warm_calls));
  EXPECT_NEAR(outcome.MeanShare(600, seconds(180), seconds(300)), 0.667, 0.06);
  EXPECT_GE(outcome.MeanShare(600, seconds(400), seconds(480)), 0.97);
}

struct ProbedCase {
  const char* name;
  std::int64_t requests;
  Duration latency;
  bool retry_after;
};
void PrintTo(const ProbedCase& test, std::ostream* out) { *out << test.name; }

class ProbedLimitTest : public testing::TestWithParam<ProbedCase> {};

TEST_P(ProbedLimitTest, IsFoundAndUsed) {
  LimitsScenario scenario = OneJob();
  scenario.provider.limits.set_requests_per_minute(GetParam().requests);
  scenario.provider.latency = GetParam().latency;
  scenario.provider.retry_after = GetParam().retry_after;
  scenario.time = seconds(900);
  scenario.warm = seconds(180);
  const LimitsOutcome outcome = RunLimits(scenario);
  EXPECT_THAT(outcome.violations, IsEmpty());
  EXPECT_LE(outcome.RefusedShare(), 0.02);
  // One call more or less is much of 60.
  EXPECT_GE(outcome.LeastShare(GetParam().requests, 60, scenario.warm, scenario.time),
            GetParam().requests > 60 ? 0.95 : 0.88);
  EXPECT_GE(outcome.MeanShare(GetParam().requests, scenario.warm, scenario.time), 0.96);
}

INSTANTIATE_TEST_SUITE_P(All, ProbedLimitTest,
                         testing::Values(ProbedCase{"slow", 60, milliseconds(200), true},
                                         ProbedCase{"middle", 600, milliseconds(200), true},
                                         ProbedCase{"silent", 600, milliseconds(200), false},
                                         ProbedCase{"long", 1200, seconds(8), true},
                                         ProbedCase{"fast", 6000, milliseconds(500), true},
                                         ProbedCase{"fast_silent", 6000, milliseconds(500), false}),
                         [](const auto& test) { return std::string(test.param.name); });

struct InFlightCase {
  const char* name;
  std::int64_t in_flight;
  Duration latency;
  bool retry_after;
};
void PrintTo(const InFlightCase& test, std::ostream* out) { *out << test.name; }

class ProbedInFlightTest : public testing::TestWithParam<InFlightCase> {};

TEST_P(ProbedInFlightTest, IsFoundAndUsed) {
  const InFlightCase& test = GetParam();
  LimitsScenario scenario = OneJob();
  scenario.provider.limits.set_in_flight(test.in_flight);
  scenario.provider.latency = test.latency;
  scenario.provider.retry_after = test.retry_after;
  scenario.time = seconds(900);
  scenario.warm = seconds(180);
  const LimitsOutcome outcome = RunLimits(scenario);
  EXPECT_THAT(outcome.violations, IsEmpty());
  EXPECT_LE(outcome.RefusedShare(), 0.02);
  // Work of so many calls in flight, of which their grants and reports take a part.
  const std::int64_t most = test.in_flight * seconds(60) / test.latency;
  EXPECT_GE(outcome.LeastShare(most, 60, scenario.warm, scenario.time),
            test.in_flight > 4 ? 0.90 : 0.85);
  EXPECT_GE(outcome.MeanShare(most, scenario.warm, scenario.time), 0.92);
}

INSTANTIATE_TEST_SUITE_P(All, ProbedInFlightTest,
                         testing::Values(InFlightCase{"one", 1, seconds(1), false},
                                         InFlightCase{"few", 4, seconds(1), false},
                                         InFlightCase{"quick", 24, milliseconds(300), false},
                                         InFlightCase{"some", 24, seconds(1), false},
                                         InFlightCase{"asking", 24, seconds(1), true},
                                         InFlightCase{"long", 24, seconds(5), false},
                                         InFlightCase{"many", 200, seconds(1), false}),
                         [](const auto& test) { return std::string(test.param.name); });

// A limit that is raised or lowered is followed.
TEST(LimitsTest, AFoundLimitIsLeftBehindWhenTheProviderBearsMore) {
  LimitsScenario scenario = OneJob();
  scenario.provider.limits.set_requests_per_minute(600);
  scenario.provider.others = 300;
  scenario.provider.others_from = Duration(0);
  scenario.provider.others_to = seconds(400);
  scenario.time = seconds(1000);
  scenario.warm = seconds(200);
  const LimitsOutcome outcome = RunLimits(scenario);
  EXPECT_THAT(outcome.violations, IsEmpty());
  EXPECT_LE(outcome.RefusedShare(), 0.05);
  EXPECT_GE(outcome.LeastShare(600, 60, seconds(640), scenario.time), 0.90);
}

TEST(LimitsTest, AnOpenServerGetsAllSlotsWithinSeconds) {
  for (const Duration latency : {Duration(milliseconds(500)), Duration(seconds(20))}) {
    LimitsScenario scenario = OneJob();
    scenario.provider.latency = latency;
    scenario.time = latency + seconds(40);
    const LimitsOutcome outcome = RunLimits(scenario);
    // The first call goes alone, and takes one and a half times the latency at most.
    const auto after = static_cast<std::size_t>((latency * 3 / 2) / seconds(1)) + 8;
    ASSERT_GT(outcome.in_flight.size(), after);
    EXPECT_GE(outcome.in_flight[after], 4 * 128 * 9 / 10);
  }
}

// The provider fails for half a minute.
LimitsOutcome ThroughAFailure() {
  LimitsScenario scenario = OneJob();
  scenario.endpoint.mutable_limits()->set_requests_per_minute(3000);
  scenario.provider.limits = scenario.endpoint.limits();
  scenario.provider.fails_from = seconds(100);
  scenario.provider.fails_to = seconds(130);
  scenario.time = seconds(360);
  return RunLimits(scenario);
}

TEST(LimitsTest, AFailingProviderIsLeftAloneAndFoundAgain) {
  const LimitsOutcome outcome = ThroughAFailure();
  EXPECT_THAT(outcome.violations, IsEmpty());
  // Those under way, and one now and then.
  EXPECT_LE(outcome.failed, 60);
  EXPECT_EQ(outcome.group[115].circuit(), v1::LimitGroup::OPEN);
  EXPECT_EQ(outcome.group[115].limits().requests_per_minute(), 3000);
  EXPECT_GE(outcome.MeanShare(3000, seconds(260), seconds(360)), 0.99);
}

TEST(LimitsTest, ADayIsUsedUpAndThenWaitedFor) {
  LimitsScenario scenario = OneJob();
  scenario.endpoint.mutable_limits()->set_requests_per_minute(600);
  scenario.endpoint.mutable_limits()->set_requests_per_day(1000);
  scenario.provider.limits = scenario.endpoint.limits();
  scenario.restart = seconds(60);
  const LimitsOutcome outcome = RunLimits(scenario);
  EXPECT_EQ(outcome.refused, 0);
  EXPECT_LE(outcome.calls, 1000);
  EXPECT_GE(outcome.calls, 990);
  EXPECT_EQ(outcome.group.back().wait_reason(), v1::DAILY_LIMIT);
}

// --- Fairness ---

TEST(FairnessTest, TwoJobsOfEqualPriorityShareALimit) {
  LimitsScenario scenario;
  scenario.jobs = {{Duration(0), Large("jobs/a")}, {seconds(20), Large("jobs/b")}};
  scenario.endpoint.mutable_limits()->set_requests_per_minute(3000);
  scenario.provider.limits = scenario.endpoint.limits();
  scenario.time = seconds(20);
  const LimitsOutcome before = RunLimits(scenario);
  scenario.time = seconds(200);
  const LimitsOutcome outcome = RunLimits(scenario);
  const auto first = static_cast<double>(outcome.answers[0] - before.answers[0]);
  const auto second = static_cast<double>(outcome.answers[1]);
  EXPECT_NEAR(first / second, 1, 0.05);
}

TEST(FairnessTest, TwoJobsOfEqualPriorityShareSlotsAlsoAcrossAccounts) {
  for (const char* endpoint : {"local", "other"}) {
    LimitsScenario scenario;
    scenario.other_latency = milliseconds(200);
    scenario.jobs = {{Duration(0), Large("jobs/a")}, {Duration(0), Large("jobs/b", endpoint)}};
    scenario.workers = {{Duration(0), 1}};
    scenario.slots = 64;
    scenario.time = seconds(120);
    const LimitsOutcome outcome = RunLimits(scenario);
    EXPECT_NEAR(static_cast<double>(outcome.answers[0]) / static_cast<double>(outcome.answers[1]),
                1, 0.05)
        << endpoint;
  }
}

// How long 100 cells take, alone and beside a million.
TEST(FairnessTest, ASmallJobEndsSoonBesideALargeOne) {
  JobShape small{.name = "jobs/small", .entries = {{.scenarios = 10, .trials = 10}}};
  for (const std::int64_t limit : {0, 600}) {
    for (const char* endpoint : {"local", "other"}) {
      LimitsScenario scenario;
      scenario.endpoint.mutable_limits()->set_requests_per_minute(limit);
      scenario.provider.limits = scenario.endpoint.limits();
      scenario.provider.latency = seconds(1);
      scenario.other_latency = seconds(1);
      scenario.workers = {{Duration(0), 2}};
      scenario.slots = 16;
      small.entries[0].endpoint = endpoint;
      scenario.jobs = {{seconds(70), small}};
      const LimitsOutcome alone = RunLimits(scenario);
      scenario.jobs = {{seconds(70), small}, {Duration(0), Large()}};
      const LimitsOutcome beside = RunLimits(scenario);
      ASSERT_TRUE(alone.ended[0] && beside.ended[0]) << endpoint << " " << limit;
      EXPECT_LE((*beside.ended[0] - seconds(70)).count(),
                2 * (*alone.ended[0] - seconds(70)).count())
          << endpoint << " " << limit;
    }
  }
}

}  // namespace
}  // namespace candor::engine::simulation
