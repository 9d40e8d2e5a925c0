#include "coordinator/engine/accounts.h"

#include "common/base/time_proto.h"
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Duration Waited(const v1::LimitGroup& group, v1::WaitReason reason) {
  for (const v1::WaitTime& wait : group.waits()) {
    if (wait.reason() == reason) return ToDuration(wait.time());
  }
  return Duration(0);
}

TEST(RecentTimesTest, QuantilesOfWhatIsThere) {
  RecentTimes times;
  EXPECT_EQ(times.Quantile(0.5), Duration(0));
  for (int i = 1; i <= 100; ++i) times.Add(milliseconds(i), i % 10 == 0);
  EXPECT_EQ(times.Quantile(0.5), milliseconds(50));
  EXPECT_EQ(times.Quantile(0.95), milliseconds(95));
  EXPECT_EQ(times.Quantile(1), milliseconds(100));
  EXPECT_EQ(times.marked(), 10);
}

TEST(RecentTimesTest, ForgetsAllButTheLatestThousand) {
  RecentTimes times;
  for (int i = 0; i < 1'000; ++i) times.Add(seconds(9), true);
  for (int i = 0; i < 1'000; ++i) times.Add(seconds(1), i == 0);
  EXPECT_EQ(times.size(), 1'000U);
  EXPECT_EQ(times.Quantile(1), seconds(1));
  EXPECT_EQ(times.marked(), 1);
}

TEST(RecentTimesTest, BoundsWhatIsAbsurd) {
  RecentTimes times;
  times.Add(std::chrono::hours(5));
  EXPECT_EQ(times.Quantile(0.5), std::chrono::minutes(30));
  times.Add(seconds(-5));
  EXPECT_EQ(times.Quantile(0), Duration(0));
}

TEST(WaitAccountTest, ListsTheLongestFirst) {
  WaitAccount account;
  account.Charge(v1::SLOTS, seconds(2));
  account.Charge(v1::NOTHING, seconds(5));
  account.Charge(v1::SLOTS, seconds(1));
  account.Charge(static_cast<v1::WaitReason>(999), seconds(1));
  EXPECT_EQ(account.total(), seconds(9));
  const auto times = account.Times();
  ASSERT_EQ(times.size(), 3U);
  EXPECT_EQ(times[0].reason(), v1::NOTHING);
  EXPECT_EQ(times[1].reason(), v1::SLOTS);
  EXPECT_EQ(ToDuration(times[1].time()), seconds(3));
}

TEST(WaitsTest, TimeWithoutWorkersIsTheirs) {
  Driver driver;
  driver.Create();
  driver.Advance(seconds(10));
  driver.Advance(seconds(10));
  const auto groups = driver.engine->LimitGroups(driver.instant());
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(Waited(groups[0], v1::NO_WORKER), seconds(20));
  EXPECT_EQ(driver.engine->GetOverview(driver.instant()).waits.Of(v1::NO_WORKER), seconds(20));
}

TEST(WaitsTest, TimeWithAllSlotsTakenIsTheSlots) {
  Driver driver;
  const JobKey job = driver.Create();
  driver.Connect(1, "workers/a", 4);
  driver.Answer(1, v1::Attempt::COMPLETED, v1::Attempt::ERROR_CLASS_UNSPECIFIED, 2);
  ASSERT_THAT(driver.Reason(job), HasSubstr("all 4 slots are taken"));
  const auto before = driver.engine->GetOverview(driver.instant()).waits.Of(v1::SLOTS);
  driver.Advance(seconds(7));
  driver.Tell(WorkerHeartbeat{1, 4, false});
  EXPECT_EQ(driver.engine->GetOverview(driver.instant()).waits.Of(v1::SLOTS) - before, seconds(7));
}

TEST(WaitsTest, TimeAtTheLimitIsTheLimits) {
  Driver driver(MakeConfig(/*requests=*/6));
  driver.Create();
  driver.Connect(1, "workers/a", 4);
  driver.Answer(1, v1::Attempt::COMPLETED);
  for (int i = 0; i < 30; ++i) {
    driver.Advance(seconds(1));
    driver.Tell(WorkerHeartbeat{1, 4, false});
    driver.Answer(1, v1::Attempt::COMPLETED);
  }
  const auto groups = driver.engine->LimitGroups(driver.instant());
  EXPECT_GE(Waited(groups[0], v1::REQUEST_LIMIT), seconds(25));
}

TEST(WaitsTest, WhatIsNotDurableIsTheStores) {
  Driver driver;
  driver.Create();
  driver.Connect(1, "workers/a", 4);
  driver.Answer(1, v1::Attempt::COMPLETED, v1::Attempt::ERROR_CLASS_UNSPECIFIED, 1);
  driver.commits = false;
  driver.Answer(1, v1::Attempt::COMPLETED);
  driver.Advance(seconds(3));
  driver.Tell(WorkerHeartbeat{1, 4, false});
  EXPECT_GE(driver.engine->GetOverview(driver.instant()).waits.Of(v1::STORE), seconds(2));
}

TEST(WaitsTest, SleepIsNobodys) {
  Driver driver;
  driver.Create();
  driver.Connect(1, "workers/a", 4);
  // The machine sleeps for an hour: nothing wakes the engine when it asked for it.
  driver.now += std::chrono::hours(1);
  driver.Tell(TimePassed{});
  EXPECT_LT(driver.engine->GetOverview(driver.instant()).waits.total(), seconds(31));
}

TEST(OverviewTest, CountsWhatThereIs) {
  Driver driver;
  JobShape shape{.budget_calls = 10};
  driver.Create(shape);
  driver.Connect(1, "workers/a", 4);
  driver.Connect(2, "workers/b", 2);
  driver.Tell(WorkerHeartbeat{2, 2, true});
  driver.Answer(1, v1::Attempt::COMPLETED, v1::Attempt::ERROR_CLASS_UNSPECIFIED, 5);
  const Overview overview = driver.engine->GetOverview(driver.instant());
  EXPECT_EQ(overview.jobs[v1::Job::RUNNING], 1);
  EXPECT_EQ(overview.entries[v1::EntryProgress::RUNNING], 1);
  EXPECT_EQ(overview.workers_ready, 1);
  EXPECT_EQ(overview.workers_draining, 1);
  EXPECT_EQ(overview.slots_taken, overview.leases);
  EXPECT_EQ(overview.slots_free + overview.slots_taken, 4);
  EXPECT_DOUBLE_EQ(overview.budget_used, 0.5);
  EXPECT_EQ(overview.cells_pending + overview.cells_in_flight, 20 - 5);
}

TEST(ExplainTest, OfARunningJob) {
  Driver driver(MakeConfig(/*requests=*/6000));
  const JobKey job = driver.Create();
  driver.Connect(1, "workers/a", 4);
  driver.Answer(1, v1::Attempt::COMPLETED, v1::Attempt::ERROR_CLASS_UNSPECIFIED, 1);
  for (int i = 0; i < 3; ++i) {
    driver.Advance(seconds(2));
    LeaseRecord lease = driver.Take(1);
    Report report = MakeReport(lease, v1::Attempt::COMPLETED);
    *report.report->mutable_attempt()->mutable_latency() = ToProto(seconds(2));
    driver.Say(1, std::move(report));
  }
  const v1::JobExplanation said = driver.engine->Explain(
      job, driver.instant(), {.median = milliseconds(3), .p95 = milliseconds(8)});
  ASSERT_EQ(said.entries_size(), 1);
  ASSERT_GE(said.entries(0).findings_size(), 2);
  EXPECT_EQ(said.entries(0).findings(0).reason(), v1::SLOTS);
  EXPECT_THAT(said.entries(0).findings(1).text(), HasSubstr("all 4 slots were taken"));
  EXPECT_EQ(ToDuration(said.entries(0).latency_p95()), seconds(2));
  EXPECT_DOUBLE_EQ(said.entries(0).limit_rate(), 100);
  EXPECT_DOUBLE_EQ(said.entries(0).slots_rate(), 2);
  EXPECT_THAT(said.summary(), HasSubstr("jobs/a has 4 of 20 answers"));
  EXPECT_EQ(ToDuration(said.commit_p95()), milliseconds(8));
}

}  // namespace
}  // namespace candor::engine
