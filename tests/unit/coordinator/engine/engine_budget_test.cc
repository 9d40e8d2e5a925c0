// Budgets are hard: what calls in flight may take is reserved, and nothing is counted as free
// because nobody said what it cost.
#include "coordinator/engine/job_table.h"
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace candor::engine {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;

constexpr auto kCompleted = v1::Attempt::COMPLETED;

// 24 tokens and 60,000 nano-units each (MakeReport, MakeConfig).
constexpr std::int64_t kTokens = 24;
constexpr std::int64_t kMoney = 60'000;

class BudgetTest : public testing::Test {
 protected:
  void SetUp() override { driver_.Connect(1, "workers/a", 16); }
  std::int64_t Money(JobKey job) const {
    return driver_.Choices(job).money() + driver_.Choices(job).unknown_money();
  }
  void Say(v1::Attempt::State state, bool usage) {
    Report report = MakeReport(driver_.Take(1), state);
    if (!usage) report.report->mutable_attempt()->clear_usage();
    driver_.Say(1, std::move(report));
  }

  Driver driver_;
};

TEST_F(BudgetTest, MoneyAndTokensArePassedByLessThanACall) {
  for (std::int64_t budget = kMoney; budget < 8 * kMoney; budget += kMoney / 3) {
    const std::string name = "jobs/" + std::to_string(budget);
    const JobKey job = driver_.Create({.name = name, .budget_money = budget});
    driver_.Answer(1, kCompleted);
    EXPECT_EQ(driver_.Status(job).state(), v1::Job::BUDGET_EXHAUSTED);
    EXPECT_GE(Money(job), budget);
    EXPECT_LT(Money(job), budget + kMoney);
    EXPECT_THAT(driver_.Status(job).state_reason(), HasSubstr("is spent"));
  }
  const JobKey job = driver_.Create({.budget_tokens = 5 * kTokens});
  driver_.Answer(1, kCompleted);
  EXPECT_EQ(driver_.Status(job).state(), v1::Job::BUDGET_EXHAUSTED);
  EXPECT_EQ(driver_.Choices(job).calls(), 5);
}

TEST_F(BudgetTest, WhatCallsInFlightMayTakeIsReserved) {
  const JobKey job = driver_.Create({.budget_money = 7 * kMoney});
  driver_.Answer(1, kCompleted, {}, 1);
  // 360,000 are left, and each may cost nearly half of it: the others wait for these.
  EXPECT_THAT(driver_.leases[1].size(), AllOf(Ge(2U), Le(3U)));
  EXPECT_THAT(driver_.Reason(job),
              HasSubstr("the calls in flight may cost what is left of the budget"));
  driver_.Answer(1, kCompleted, {}, 1);
  EXPECT_LE(driver_.leases[1].size(), 3U);
  driver_.Answer(1, kCompleted);
  EXPECT_EQ(driver_.Choices(job).calls(), 7);
}

TEST_F(BudgetTest, AReplyWithoutUsageCountsAtTheMost) {
  const JobKey job = driver_.Create({.entries = {{.scenarios = 20}}, .budget_money = 1'000'000});
  while (!driver_.leases[1].empty()) Say(kCompleted, /*usage=*/false);
  EXPECT_EQ(driver_.Status(job).state(), v1::Job::BUDGET_EXHAUSTED);
  EXPECT_EQ(driver_.Choices(job).usage().input_tokens(), 0);
  EXPECT_GE(driver_.Choices(job).money(), 1'000'000);
  EXPECT_LT(driver_.Choices(job).calls(), 10);

  const JobKey tokens =
      driver_.Create({.name = "jobs/b", .entries = {{.scenarios = 20}}, .budget_tokens = 200});
  while (!driver_.leases[1].empty()) Say(kCompleted, /*usage=*/false);
  EXPECT_EQ(driver_.Status(tokens).state(), v1::Job::BUDGET_EXHAUSTED);
  EXPECT_LT(driver_.Choices(tokens).calls(), 10);
  driver_.store.Recount();
  EXPECT_THAT(driver_.store.violations(), IsEmpty());
}

TEST_F(BudgetTest, ACallThatBrokeOffMayHaveBeenPaidFor) {
  const JobKey job = driver_.Create();
  driver_.Answer(1, kCompleted, {}, 1);
  EXPECT_EQ(driver_.Choices(job).unknown_money(), 0);
  Say(v1::Attempt::UNANSWERED, /*usage=*/false);
  const std::int64_t most = driver_.Choices(job).unknown_money();
  EXPECT_GT(most, kMoney);
  EXPECT_EQ(driver_.Choices(job).money(), kMoney);
  // A lost worker's call as well, until it is known what became of it.
  const std::vector<LeaseRecord> late = driver_.leases[1];
  driver_.Advance(seconds(31));
  EXPECT_GT(driver_.Choices(job).unknown_money(), most);
  std::vector<AttemptId> held;
  for (const LeaseRecord& lease : late) held.push_back(lease.attempt);
  driver_.Connect(2, "workers/a", 0, held);
  for (const LeaseRecord& lease : late) driver_.Say(2, MakeReport(lease, kCompleted));
  EXPECT_EQ(driver_.Choices(job).unknown_attempts(), 0);
  EXPECT_EQ(driver_.Choices(job).unknown_money(), most);
  driver_.Restart();
  EXPECT_EQ(driver_.Choices(driver_.engine->FindJob("jobs/a").value()).unknown_money(), most);
}

// Beside calls of unknown fate, and after a restart, when the store knows no more than their sum.
TEST_F(BudgetTest, ACallThatBrokeOffIsStillCountedWhenThoseBesideItAreKnown) {
  const JobKey job = driver_.Create();
  driver_.Answer(1, kCompleted, {}, 1);
  Say(v1::Attempt::UNANSWERED, /*usage=*/false);
  const std::int64_t most = driver_.Choices(job).unknown_money();
  const std::vector<LeaseRecord> late = driver_.leases[1];
  ASSERT_THAT(late, testing::Not(IsEmpty()));
  driver_.Advance(seconds(31));
  const auto lost = static_cast<std::int64_t>(late.size());
  EXPECT_EQ(driver_.Choices(job).unknown_money(), most * (1 + lost));
  driver_.Restart();
  std::vector<AttemptId> held;
  for (const LeaseRecord& lease : late) held.push_back(lease.attempt);
  driver_.Connect(2, "workers/a", 0, held);
  for (const LeaseRecord& lease : late) driver_.Say(2, MakeReport(lease, kCompleted));
  EXPECT_EQ(driver_.Choices(job).unknown_attempts(), 0);
  EXPECT_EQ(driver_.Choices(job).unknown_money(), most);
}

// What a call was seen to take beyond what its text seemed to.
TEST_F(BudgetTest, ALargerCallThanWasThoughtBoundsThoseThatAreLostAndThoseAfterARestart) {
  const JobKey job = driver_.Create({.budget_money = 100 * kMoney});
  Report large = MakeReport(driver_.Take(1), kCompleted);
  large.report->mutable_attempt()->mutable_usage()->set_input_tokens(2'000);
  driver_.Say(1, std::move(large));
  const std::int64_t each = driver_.Choices(job).money();
  ASSERT_GT(each, 30 * kMoney);
  // 66 % of the budget are left.
  ASSERT_EQ(driver_.leases[1].size(), 2U);
  driver_.Advance(seconds(31));
  EXPECT_EQ(driver_.Choices(job).unknown_attempts(), 2);
  EXPECT_GE(driver_.Choices(job).unknown_money(), 2 * each);

  const JobKey other = driver_.Create({.name = "jobs/b", .budget_money = 100 * kMoney});
  driver_.Connect(2, "workers/a", 16);
  large = MakeReport(driver_.Take(2), kCompleted);
  large.report->mutable_attempt()->mutable_usage()->set_input_tokens(2'000);
  driver_.commits = false;
  driver_.Say(2, std::move(large));
  // Dies when that is durable, and before another call goes.
  driver_.committed = driver_.store.last_written();
  driver_.store.CommitUpTo(driver_.committed);
  driver_.commits = true;
  driver_.Restart();
  driver_.Connect(3, "workers/a", 16);
  driver_.Advance(seconds(5));
  EXPECT_LE(driver_.leases[3].size(), 2U);
  EXPECT_LE(driver_.Choices(other).in_flight(), 2);
}

TEST_F(BudgetTest, TokensOfACallThatBrokeOffCountAtTheMost) {
  // Room for a few calls at the most; each of them breaks off, and nobody says what it took.
  const JobKey job = driver_.Create({.entries = {{.scenarios = 20}}, .budget_tokens = 500});
  driver_.Answer(1, kCompleted, {}, 1);
  const auto used = [&] {
    return driver_.engine->GetOverview(driver_.instant()).budget_used * 500;
  };
  EXPECT_EQ(used(), kTokens);
  for (int i = 0; i < 3; ++i) Say(v1::Attempt::UNANSWERED, /*usage=*/false);
  const double broken = used();
  EXPECT_GT(broken, 4 * kTokens);
  EXPECT_EQ(driver_.Choices(job).usage().output_tokens(), 4);
  // Still so after a restart, when nothing but the rows says it.
  driver_.Restart();
  EXPECT_GE(used(), broken - 1);
  driver_.store.Recount();
  EXPECT_THAT(driver_.store.violations(), IsEmpty());
}

TEST_F(BudgetTest, FailedCallsCountAndReusedOutcomesDoNot) {
  const JobKey old = driver_.Create({.entries = {{.trials = 3}}});
  driver_.Answer(1, kCompleted);
  JobCreated event = MakeJob({.name = "jobs/b", .entries = {{.trials = 5}}, .budget_calls = 4});
  ReusedOutcomesRecord& reused = event.reused.emplace_back();
  reused.source = old;
  for (std::uint32_t index = 0; index < 6; ++index) {
    reused.items.push_back(
        {{0, v1::Cell::CHOICE, index}, {0, v1::Cell::CHOICE, index}, v1::Outcome::VALID});
  }
  driver_.Tell(std::move(event));
  const JobKey job = driver_.engine->FindJob("jobs/b").value();
  driver_.Answer(1, kCompleted, {}, 1);
  driver_.Answer(1, v1::Attempt::FAILED, v1::Attempt::SERVER_ERROR, 1);
  driver_.Answer(1, kCompleted);
  EXPECT_EQ(driver_.Status(job).state(), v1::Job::BUDGET_EXHAUSTED);
  EXPECT_EQ(driver_.Choices(job).done(), 6 + 3);
  EXPECT_EQ(driver_.Choices(job).calls(), 4);
}

// What providers count is theirs: a sum that is too large for an integer is no small one.
TEST(JobBudgetTest, AbsurdCountsSpendABudget) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto spent = [](const v1::Budget& budget, const KindState& kind) {
    auto described = std::make_shared<v1::Job>();
    *described->mutable_budget() = budget;
    JobState job;
    job.record.job = std::move(described);
    job.entries.emplace_back().kinds.push_back(kind);
    EXPECT_EQ(job.BudgetLeft(job.entries[0], job.entries[0].kinds[0]), 0);
    return !job.BudgetReserved().empty();
  };
  v1::Budget budget;
  budget.set_money(kMost);
  EXPECT_TRUE(spent(budget, {.money = kMost - 5, .unknown_money = 10}));
  EXPECT_TRUE(spent(budget, {.open = 100'000, .largest_money = 1'000'000'000'000'000}));
  budget.Clear();
  budget.set_tokens(kMost);
  EXPECT_TRUE(spent(budget, {.input_tokens = kMost - 5, .output_tokens = 10}));
}

}  // namespace
}  // namespace candor::engine
