#include "coordinator/engine/engine.h"

#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace candor::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr auto kCompleted = v1::Attempt::COMPLETED;
constexpr auto kFailed = v1::Attempt::FAILED;

TEST(EngineTest, AJobRunsToItsEnd) {
  Driver driver;
  driver.Connect(1);
  const JobKey job = driver.Create({.request_id = "r"});
  ASSERT_NE(job, 0U);
  EXPECT_EQ(driver.engine->FindRequest("r")->job, job);
  EXPECT_EQ(driver.engine->FindRequest("r")->specification_hash, "hash of jobs/a");
  EXPECT_EQ(driver.Answer(1, kCompleted), 20);
  const v1::Job status = driver.engine->GetJob(job, driver.instant());
  EXPECT_EQ(status.state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(status.progress(0).kinds(0).done(), 20);
  EXPECT_EQ(status.progress(0).kinds(0).calls(), 20);
  EXPECT_EQ(status.progress(0).kinds(0).usage().input_tokens(), 400);
  // 20 calls of 20 tokens at 1 and 4 at 10 a million.
  EXPECT_EQ(status.progress(0).kinds(0).money(), 20 * (20 * 1000 + 4 * 10'000));
  EXPECT_EQ(status.models_size(), 1);
  EXPECT_TRUE(driver.engine->Settled(job));
  EXPECT_EQ(driver.Said<ForgetJob>().size(), 1U);
  EXPECT_EQ(driver.acknowledged.size(), 20U);
  driver.store.Recount();
  EXPECT_TRUE(driver.store.violations().empty());
}

TEST(EngineTest, AnImportIsOneBatchAndThereAtOnce) {
  Driver driver;
  driver.Connect(1);
  driver.commits = false;
  const JobShape shape{.request_id = "r",
                       .entries = {{.endpoint = "imported", .reports = 3}, {.trials = 4}}};
  driver.Tell(MakeImport(shape));
  EXPECT_FALSE(driver.engine->FindJob("jobs/a"));
  EXPECT_EQ(driver.engine->FindRequest("r")->import_hash, "outcomes of jobs/a");
  // A client that asks again before it is durable.
  driver.Tell(MakeImport(shape));
  EXPECT_EQ(driver.store.last_written(), 1U);
  driver.Commit();
  const JobKey job = driver.engine->FindJob("jobs/a").value();
  const auto check = [&] {
    const v1::Job status = driver.engine->GetJob(job, driver.instant());
    EXPECT_TRUE(status.imported());
    EXPECT_TRUE(driver.Status(job).imported());
    EXPECT_EQ(status.state(), v1::Job::SUCCEEDED);
    EXPECT_TRUE(status.has_end_time());
    EXPECT_FALSE(status.has_start_time());
    EXPECT_EQ(status.progress(0).state(), v1::EntryProgress::FINISHED);
    const v1::KindProgress& choices = status.progress(0).kinds(0);
    EXPECT_EQ(choices.total(), 20);
    EXPECT_EQ(choices.done(), 10);
    EXPECT_EQ(choices.failed(), 10);
    EXPECT_EQ(choices.calls(), 0);
    EXPECT_EQ(choices.money(), 0);
    ASSERT_EQ(choices.classes_size(), 2);
    EXPECT_EQ(choices.classes(0).count(), 5);
    EXPECT_EQ(status.progress(0).kinds(1).done(), 3);
    EXPECT_EQ(status.progress(1).kinds(0).failed(), 4);
    EXPECT_TRUE(driver.engine->Settled(job));
    EXPECT_EQ(driver.engine->CheckResume(job).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(driver.engine->CheckCancel(job).code(), absl::StatusCode::kFailedPrecondition);
    // Names of endpoints that nobody calls make no limit groups.
    EXPECT_EQ(driver.engine->LimitGroups(driver.instant()).size(), 1U);
    driver.store.Recount();
    EXPECT_TRUE(driver.store.violations().empty());
  };
  check();
  EXPECT_TRUE(driver.leases[1].empty());
  driver.commits = true;
  driver.Restart();
  check();
  EXPECT_EQ(driver.engine->FindRequest("r")->job, job);
  driver.Tell(JobDeleted{job});
  EXPECT_FALSE(driver.engine->FindJob("jobs/a"));
  driver.Restart();
  EXPECT_FALSE(driver.engine->FindJob("jobs/a"));
}

TEST(EngineTest, AnImportThatIsNotDurableNeverWas) {
  Driver driver;
  driver.commits = false;
  driver.Tell(MakeImport({.request_id = "r"}));
  driver.Restart();
  EXPECT_FALSE(driver.engine->FindRequest("r"));
  EXPECT_TRUE(driver.engine->Jobs().empty());
}

TEST(EngineTest, NothingIsVisibleSentOrAcknowledgedBeforeItIsDurable) {
  Driver driver;
  driver.commits = false;
  driver.Connect(1);
  driver.Tell(MakeJob({.request_id = "r"}));
  EXPECT_FALSE(driver.engine->FindJob("jobs/a"));
  EXPECT_TRUE(driver.engine->FindRequest("r"));
  EXPECT_TRUE(driver.leases[1].empty());
  driver.Commit();
  const JobKey job = driver.engine->FindJob("jobs/a").value();
  ASSERT_EQ(driver.leases[1].size(), 1U);
  driver.Say(1, MakeReport(driver.Take(1), kCompleted));
  EXPECT_TRUE(driver.acknowledged.empty());
  EXPECT_EQ(driver.Choices(job).done(), 0);
  driver.Commit();
  EXPECT_EQ(driver.acknowledged.size(), 1U);
  EXPECT_EQ(driver.Choices(job).done(), 1);
}

TEST(EngineTest, OneCellOfEachKindGoesFirst) {
  Driver driver;
  driver.Connect(1, "workers/a", 16);
  const JobKey job = driver.Create({.entries = {{.reports = 3}}});
  ASSERT_EQ(driver.leases[1].size(), 2U);
  EXPECT_EQ(driver.leases[1][0].cell.kind, v1::Cell::CHOICE);
  EXPECT_EQ(driver.leases[1][1].cell.kind, v1::Cell::SELF_REPORT);
  EXPECT_THAT(driver.Reason(job), HasSubstr("one call goes first"));
  driver.Answer(1, kCompleted, {}, 1);
  // The choices follow; the first self-report is not answered yet.
  EXPECT_EQ(driver.leases[1].size(), 16U);
  driver.Answer(1, kCompleted);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
}

TEST(EngineTest, AFailedCallIsTriedAgainAfterABackOffAndThenGivenUp) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 1}}, .max_attempts = 3});
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(driver.Answer(1, kFailed, v1::Attempt::SERVER_ERROR), 1) << i;
    driver.Advance(seconds(3));
  }
  EXPECT_TRUE(driver.leases[1].empty());
  EXPECT_EQ(driver.Status(job).state(), v1::Job::FAILED);
  EXPECT_EQ(driver.Choices(job).failed(), 1);
  EXPECT_EQ(driver.Choices(job).calls(), 3);
  EXPECT_EQ(driver.Choices(job).repeated_calls(), 2);
  EXPECT_FALSE(driver.engine->CheckResume(job).ok());
}

TEST(EngineTest, AJobWithSomeOutcomesSucceeds) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 2}}, .max_attempts = 1});
  driver.Answer(1, kCompleted, {}, 1);
  driver.Answer(1, v1::Attempt::UNANSWERED, v1::Attempt::TIMEOUT, 1);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(driver.Choices(job).failed(), 1);
}

TEST(EngineTest, WhatWasNotSentGoesAgainAtOnceAndCountsForNothing) {
  Driver driver(MakeConfig(60));
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.max_attempts = 1});
  ASSERT_EQ(driver.leases[1].size(), 1U);
  driver.Answer(1, v1::Attempt::NOT_SENT, {}, 1);
  EXPECT_EQ(driver.engine->LimitGroups(driver.instant())[0].requests_last_minute(), 0);
  driver.Advance(seconds(2));
  ASSERT_EQ(driver.leases[1].size(), 1U);
  EXPECT_EQ(driver.leases[1][0].cell.index, 0U);
  EXPECT_EQ(driver.Choices(job).calls(), 0);
}

TEST(EngineTest, AWrongKeyStopsItsEntryAtOnceAndResumeContinues) {
  Driver driver;
  driver.Connect(1, "workers/a", 64);
  const JobKey job = driver.Create({.entries = {{.reports = 10}, {.endpoint = "local"}}});
  // Entry 0 is refused, entry 1 is not.
  int refused = 0;
  while (!driver.leases[1].empty()) {
    const LeaseRecord lease = driver.Take(1);
    if (lease.cell.entry == 0) ++refused;
    driver.Say(1, lease.cell.entry == 0
                      ? MakeReport(lease, kFailed, v1::Attempt::AUTHENTICATION, 401)
                      : MakeReport(lease, kCompleted));
  }
  // The first call of each kind.
  EXPECT_EQ(refused, 2);
  const v1::Job status = driver.Status(job);
  EXPECT_EQ(status.state(), v1::Job::FAILED);
  EXPECT_EQ(status.progress(0).state(), v1::EntryProgress::STOPPED);
  EXPECT_EQ(status.progress(0).reason(),
            "stopped: HTTP 401: so it said. Mend it, then `candor resume jobs/a`.");
  EXPECT_EQ(status.progress(1).state(), v1::EntryProgress::FINISHED);
  EXPECT_EQ(status.progress(0).kinds(0).failed(), 0);

  ASSERT_TRUE(driver.engine->CheckResume(job).ok());
  driver.Tell(JobResumed{job});
  driver.Answer(1, kCompleted);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(driver.Choices(job).done(), 20);
}

TEST(EngineTest, AnEntryIsStoppedAlsoWhenItHasFewerThanFiveCells) {
  Driver driver;
  driver.Connect(1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 2}}});
  driver.Answer(1, kFailed, v1::Attempt::INVALID_REQUEST);
  EXPECT_EQ(driver.Status(job).progress(0).state(), v1::EntryProgress::STOPPED);
  EXPECT_EQ(driver.Choices(job).failed(), 0);
}

TEST(EngineTest, ASuccessInBetweenMakesSuchFailuresFinal) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 9}}});
  driver.Answer(1, kCompleted, {}, 1);
  driver.Answer(1, kFailed, v1::Attempt::INVALID_REQUEST, 4);
  EXPECT_EQ(driver.Choices(job).failed(), 0);
  driver.Answer(1, kCompleted, {}, 1);
  EXPECT_EQ(driver.Choices(job).failed(), 4);
  driver.Answer(1, kCompleted);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
}

TEST(EngineTest, AnExhaustedQuotaStopsTheWholeGroupAtOnce) {
  Driver driver;
  driver.Connect(1, "workers/a", 8);
  const JobKey first = driver.Create();
  const JobKey second = driver.Create({.name = "jobs/b"});
  driver.Answer(1, kFailed, v1::Attempt::QUOTA_EXHAUSTED, 1);
  driver.Answer(1, kCompleted);
  EXPECT_EQ(driver.Status(first).state(), v1::Job::FAILED);
  EXPECT_EQ(driver.Status(second).state(), v1::Job::FAILED);
  EXPECT_THAT(driver.Reason(second), HasSubstr("so it said"));
  // What was in flight counts.
  EXPECT_EQ(driver.Choices(first).done() + driver.Choices(second).done(), 1);
}

TEST(EngineTest, RetryAfterHoldsTheWholeGroup) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create();
  driver.Answer(1, kCompleted, {}, 1);
  Report report = MakeReport(driver.Take(1), kFailed, v1::Attempt::RATE_LIMITED, 429);
  report.report->mutable_retry_after()->set_seconds(12);
  driver.Say(1, std::move(report));
  EXPECT_TRUE(driver.leases[1].empty());
  EXPECT_EQ(driver.Reason(job), "limit group \"local\" waits 12s, because the provider said so");
  driver.Advance(milliseconds(11'999));
  EXPECT_TRUE(driver.leases[1].empty());
  driver.Advance(milliseconds(1));
  EXPECT_EQ(driver.leases[1].size(), 1U);
}

TEST(EngineTest, LeasesThatAreNotSentYetAreWithdrawnFromARefusedGroup) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  driver.Connect(2, "workers/b", 1);
  driver.Create();
  driver.Answer(1, kCompleted, {}, 1);
  ASSERT_EQ(driver.leases[1].size() + driver.leases[2].size(), 2U);
  driver.commits = false;
  driver.Say(1, MakeReport(driver.Take(1), kCompleted));
  driver.Tell(CommitFinished{driver.store.last_written()});
  // A grant for the free slot waits for its commit; meanwhile the provider refuses.
  Report report = MakeReport(driver.Take(2), kFailed, v1::Attempt::RATE_LIMITED, 429);
  report.report->mutable_retry_after()->set_seconds(5);
  driver.Say(2, std::move(report));
  driver.commits = true;
  driver.Commit();
  EXPECT_TRUE(driver.leases[1].empty());
  driver.Advance(seconds(5));
  // One refusal of three calls leaves one in flight at first.
  EXPECT_EQ(driver.leases[1].size() + driver.leases[2].size(), 1U);
}

TEST(EngineTest, ABudgetOfCallsIsNeverPassed) {
  Driver driver;
  driver.Connect(1, "workers/a", 16);
  const JobKey job = driver.Create({.budget_calls = 7});
  EXPECT_EQ(driver.Answer(1, kCompleted), 7);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::BUDGET_EXHAUSTED);
  EXPECT_EQ(driver.Status(job).state_reason(), "the budget of 7 calls is spent");
  EXPECT_FALSE(driver.engine->CheckResume(job).ok());
}

TEST(EngineTest, BudgetsOfTokensAndMoneyArePassedByWhatWasInFlight) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create({.budget_tokens = 100});
  const int calls = driver.Answer(1, kCompleted);
  // 24 tokens each: the fifth passes the budget, and none was beside it.
  EXPECT_EQ(calls, 5);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::BUDGET_EXHAUSTED);
  const JobKey other = driver.Create({.name = "jobs/b", .budget_money = 150'000});
  driver.Answer(1, kCompleted);
  EXPECT_EQ(driver.Status(other).state(), v1::Job::BUDGET_EXHAUSTED);
}

TEST(EngineTest, PauseLetsCallsFinishAndResumeGoesOn) {
  Driver driver;
  driver.Connect(1, "workers/a", 2);
  const JobKey job = driver.Create();
  driver.Answer(1, kCompleted, {}, 1);
  ASSERT_TRUE(driver.engine->CheckPause(job).ok());
  driver.Tell(JobPaused{job});
  EXPECT_EQ(driver.Answer(1, kCompleted), 2);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::PAUSED);
  EXPECT_EQ(driver.Choices(job).done(), 3);
  EXPECT_FALSE(driver.engine->CheckPause(job).ok());
  driver.Restart();
  EXPECT_EQ(driver.Status(job).state(), v1::Job::PAUSED);
  driver.Connect(2, "workers/a", 2);
  EXPECT_TRUE(driver.leases[2].empty());
  driver.Tell(JobResumed{job});
  driver.Advance(seconds(3));
  EXPECT_EQ(driver.Answer(2, kCompleted), 17);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
}

TEST(EngineTest, CancelEndsAtOnceAndCallsInFlightCount) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create();
  driver.Answer(1, kCompleted, {}, 1);
  driver.Tell(JobCancelled{job});
  EXPECT_EQ(driver.Status(job).state(), v1::Job::CANCELLED);
  EXPECT_FALSE(driver.engine->Settled(job));
  EXPECT_FALSE(driver.engine->CheckDelete(job).ok());
  driver.Answer(1, kCompleted);
  EXPECT_EQ(driver.Choices(job).done(), 5);
  EXPECT_TRUE(driver.engine->Settled(job));
  driver.Tell(JobDeleted{job});
  EXPECT_FALSE(driver.engine->FindJob("jobs/a"));
  EXPECT_TRUE(driver.store.jobs().empty());
}

TEST(EngineTest, AHigherPriorityGoesFirstAndEqualOnesShare) {
  Driver driver(MakeConfig(0, 0, 0));
  driver.Create({.name = "jobs/low", .priority = 0});
  driver.Create({.name = "jobs/high1", .entries = {{.trials = 100}}, .priority = 5});
  driver.Create({.name = "jobs/high2", .entries = {{.trials = 100}}, .priority = 5});
  driver.Connect(1, "workers/a", 16);
  std::map<JobKey, int> calls;
  for (int i = 0; i < 200; ++i) {
    ASSERT_FALSE(driver.leases[1].empty());
    const LeaseRecord lease = driver.Take(1);
    ++calls[lease.job];
    driver.Say(1, MakeReport(lease, kCompleted));
  }
  // The low one got what the first-cell check of the others left free.
  EXPECT_LE(calls[1], 20);
  EXPECT_NEAR(calls[2], calls[3], 24);
}

TEST(EngineTest, RequestsAreSpreadOverTheMinute) {
  Driver driver(MakeConfig(60));
  driver.Connect(1, "workers/a", 100);
  const JobKey job = driver.Create({.entries = {{.trials = 100}}});
  int calls = 0;
  for (int second = 0; second < 30; ++second) {
    calls += driver.Answer(1, kCompleted);
    EXPECT_EQ(
        driver.Reason(job),
        "limit group \"local\": calls are spread over the minute: 1/s of 60 requests a minute");
    driver.Advance(seconds(1));
  }
  EXPECT_NEAR(calls, 30, 2);
  v1::Limits limits;
  limits.set_requests_per_minute(6000);
  driver.Tell(LimitsChanged{"limitGroups/local", limits});
  driver.Advance(seconds(1));
  EXPECT_GT(driver.leases[1].size(), 50U);
}

TEST(EngineTest, SaysWhyItWaits) {
  Driver driver;
  const JobKey job = driver.Create();
  EXPECT_EQ(driver.Reason(job), "no connected worker serves endpoint \"local\"");
  auto hello = std::make_shared<v1::Hello>(*MakeHello("workers/x", 1));
  hello->mutable_endpoints(0)->set_served(false);
  hello->mutable_endpoints(0)->set_reason("environment variable LOCAL_API_KEY is not set");
  driver.Tell(WorkerConnected{1, hello, {}});
  EXPECT_EQ(driver.Reason(job),
            "no connected worker serves endpoint \"local\" (workers/x: environment variable "
            "LOCAL_API_KEY is not set)");
  EXPECT_EQ(driver.Status(job).progress(0).state(), v1::EntryProgress::WAITING);
  driver.Connect(2, "workers/a", 2);
  driver.Answer(2, kCompleted, {}, 1);
  EXPECT_EQ(driver.Reason(job), "all 2 slots are taken");
  driver.Tell(JobPaused{job});
  EXPECT_EQ(driver.Reason(job), "the job is paused");
}

TEST(EngineTest, EstimatesNoMoreThanADurationHolds) {
  v1::Config config = MakeConfig();
  config.mutable_endpoints(0)->mutable_limits()->set_tokens_per_day(1);
  Driver driver(config);
  const JobCreated job = MakeJob({.entries = {{.reports = 5, .report_limit = 2'000'000'000}}});
  // Some 55 million years.
  const v1::JobEstimate estimate = driver.engine->Estimate(*job.job, *job.specification);
  EXPECT_EQ(estimate.duration().seconds(), 315'576'000'000);
}

TEST(EngineTest, TellsTheTimeLeft) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create();
  EXPECT_FALSE(driver.engine->TimeLeft(job, driver.instant()));
  for (int i = 0; i < 10; ++i) {
    driver.Answer(1, kCompleted, {}, 1);
    driver.Advance(seconds(1));
  }
  EXPECT_NEAR(driver.Status(job).progress(0).rate(), 1.0, 0.2);
  EXPECT_NEAR(static_cast<double>(driver.engine->TimeLeft(job, driver.instant())->count()), 10e6,
              3e6);
}

}  // namespace
}  // namespace candor::engine
