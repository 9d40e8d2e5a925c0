// Workers that are lost or come back, reports that are late, doubled or broken, and restarts.
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace candor::engine {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

constexpr auto kCompleted = v1::Attempt::COMPLETED;
constexpr auto kFailed = v1::Attempt::FAILED;

TEST(EngineFaultsTest, LeasesOfALostWorkerGoToAnother) {
  Driver driver(MakeConfig(0, 0, 100));
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create();
  driver.Answer(1, kCompleted, {}, 1);
  ASSERT_EQ(driver.leases[1].size(), 4U);
  driver.Tell(WorkerDisconnected{1});
  driver.Advance(seconds(25));
  driver.Connect(2, "workers/b", 64);
  EXPECT_EQ(driver.leases[2].size(), 15U);
  driver.Advance(seconds(6));
  EXPECT_EQ(driver.leases[2].size(), 19U);
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 4);
  EXPECT_GT(driver.Choices(job).unknown_money(), 0);
  EXPECT_FALSE(driver.engine->FindWorker("workers/a"));
}

TEST(EngineFaultsTest, AHeartbeatKeepsLeases) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create();
  for (int i = 0; i < 20; ++i) {
    driver.Advance(seconds(5));
    driver.Tell(WorkerHeartbeat{1, 4, false});
  }
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
  driver.Advance(seconds(31));
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 1);
  EXPECT_EQ(driver.Said<CloseSession>().size(), 1U);
}

TEST(EngineFaultsTest, AReconnectionKeepsWhatIsHeldAndReturnsWhatNeverArrived) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create();
  driver.Answer(1, kCompleted, {}, 1);
  const std::vector<LeaseRecord> before = driver.leases[1];
  ASSERT_EQ(before.size(), 4U);
  driver.Connect(2, "workers/a", 4, {before[0].attempt, before[1].attempt, 77});
  EXPECT_EQ(driver.Said<CloseSession>().size(), 1U);
  EXPECT_THAT(driver.Said<WelcomeWorker>().back().unknown, ElementsAre(77));
  // The two that never arrived are leased anew, under other ids.
  ASSERT_EQ(driver.leases[2].size(), 2U);
  EXPECT_EQ(driver.leases[2][0].cell, before[2].cell);
  EXPECT_NE(driver.leases[2][0].attempt, before[2].attempt);
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
  // Its old stream is dead to us.
  driver.Say(1, MakeReport(before[0], kCompleted));
  EXPECT_EQ(driver.Choices(job).done(), 1);
  driver.Say(2, MakeReport(before[0], kCompleted));
  EXPECT_EQ(driver.Choices(job).done(), 2);
}

TEST(EngineFaultsTest, ALateReplyIsTheOutcomeAndTheNextOneADuplicate) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 1}}});
  const LeaseRecord late = driver.Take(1);
  driver.Advance(seconds(31));
  driver.Connect(2, "workers/b", 1);
  ASSERT_EQ(driver.leases[2].size(), 1U);
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 1);
  driver.Connect(3, "workers/a", 1, {late.attempt});
  EXPECT_THAT(driver.Said<WelcomeWorker>().back().unknown, ElementsAre(late.attempt));
  driver.Say(3, MakeReport(late, kCompleted));
  EXPECT_EQ(driver.Choices(job).done(), 1);
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
  EXPECT_EQ(driver.Choices(job).unknown_money(), 0);
  driver.Answer(2, kCompleted);
  EXPECT_EQ(driver.Choices(job).done(), 1);
  EXPECT_EQ(driver.Choices(job).calls(), 2);
  EXPECT_EQ(driver.Choices(job).repeated_calls(), 1);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
  driver.store.Recount();
  EXPECT_TRUE(driver.store.violations().empty());
}

TEST(EngineFaultsTest, AReplyForACellThatWasGivenUpCounts) {
  Driver driver;
  driver.Connect(1, "workers/a", 2);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 3}}, .max_attempts = 1});
  const LeaseRecord late = driver.Take(1);
  driver.Advance(seconds(31));
  driver.Connect(2, "workers/b", 1);
  driver.Answer(2, kFailed, v1::Attempt::SERVER_ERROR, 1);
  EXPECT_EQ(driver.Choices(job).failed(), 1);
  driver.Connect(3, "workers/a", 1, {late.attempt});
  driver.Say(3, MakeReport(late, kCompleted));
  EXPECT_EQ(driver.Choices(job).failed(), 0);
  EXPECT_EQ(driver.Choices(job).done(), 1);
}

TEST(EngineFaultsTest, AReportThatComesAgainIsAcknowledgedAndCountsOnce) {
  Driver driver;
  driver.commits = false;
  driver.Connect(1, "workers/a", 1);
  driver.Tell(MakeJob({}));
  driver.Commit();
  const JobKey job = driver.engine->FindJob("jobs/a").value();
  const LeaseRecord lease = driver.Take(1);
  driver.Say(1, MakeReport(lease, kCompleted));
  driver.Say(1, MakeReport(lease, kCompleted));
  driver.Commit();
  EXPECT_THAT(driver.acknowledged, ElementsAre(lease.attempt));
  EXPECT_EQ(driver.Choices(job).done(), 1);
  // Its acknowledgement was lost: once more, from the store.
  driver.Say(1, MakeReport(lease, kCompleted));
  EXPECT_THAT(driver.acknowledged, ElementsAre(lease.attempt, lease.attempt));
  EXPECT_EQ(driver.Choices(job).calls(), 1);
}

TEST(EngineFaultsTest, BrokenReportsDoNoHarm) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.max_attempts = 2});
  // No outcome: a broken response, and the cell is tried again.
  Report report = MakeReport(driver.Take(1), kCompleted);
  report.report->clear_outcome();
  driver.Say(1, std::move(report));
  EXPECT_EQ(driver.Choices(job).calls(), 1);
  EXPECT_EQ(driver.Choices(job).done(), 0);
  // A cell that does not exist, an attempt that was never granted, no content at all.
  for (const AttemptId attempt :
       {AttemptId{0}, AttemptId{5}, AttemptId{1} << 40U | 1000, ~AttemptId{0}}) {
    LeaseRecord nobody{attempt, job, {9, v1::Cell::SELF_REPORT, 4'000'000'000U}, 0, false};
    driver.Say(1, MakeReport(nobody, kCompleted));
    driver.Say(1, {attempt, job, nullptr});
    nobody.job = 99;
    driver.Say(1, MakeReport(nobody, kCompleted));
  }
  driver.Advance(seconds(1));
  ASSERT_FALSE(driver.leases[1].empty());
  // Numbers that make no sense.
  report = MakeReport(driver.Take(1), kCompleted);
  report.report->mutable_attempt()->mutable_usage()->set_input_tokens(-5);
  report.report->mutable_attempt()->mutable_usage()->set_output_tokens(INT64_MAX);
  report.report->mutable_outcome()->set_class_(static_cast<v1::Outcome::Class>(1000));
  driver.Say(1, std::move(report));
  EXPECT_EQ(driver.Choices(job).done(), 1);
  EXPECT_EQ(driver.Choices(job).usage().input_tokens(), 20);  // of the first one
  driver.Say(42, {1, job, nullptr});
  driver.Tell(WorkerHeartbeat{42, -1, true});
  driver.Tell(WorkerDisconnected{42});
  driver.Tell(JobPaused{1234});
  driver.Tell(CommitFinished{1'000'000});
}

TEST(EngineFaultsTest, ACellThatKillsItsWorkersGoesAloneAndThenFails) {
  Driver driver;
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 8}}, .max_attempts = 2});
  int deaths = 0;
  bool together = false;
  SessionId session = 0;
  for (int worker = 0; worker < 30; ++worker) {
    if (driver.Status(job).state() == v1::Job::SUCCEEDED) break;
    driver.Connect(++session, "workers/" + std::to_string(worker), 4);
    bool dead = false;
    while (!dead && !driver.leases[session].empty()) {
      const auto poison =
          std::find_if(driver.leases[session].begin(), driver.leases[session].end(),
                       [](const LeaseRecord& lease) { return lease.cell.index == 3; });
      if (poison != driver.leases[session].end()) {
        dead = true;
        if (poison->alone) together = together || driver.leases[session].size() > 1;
        ++deaths;
        driver.Tell(WorkerDisconnected{session});
        driver.Advance(seconds(31));
        break;
      }
      driver.Answer(session, kCompleted, {}, 1);
    }
    if (!dead) {
      driver.Tell(WorkerDisconnected{session});
      driver.Advance(seconds(31));
    }
  }
  EXPECT_EQ(deaths, 4);  // two together with others, two alone
  EXPECT_FALSE(together);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(driver.Choices(job).done(), 7);
  EXPECT_EQ(driver.Choices(job).failed(), 1);
}

TEST(EngineFaultsTest, AnAloneCellGetsABusyWorkerInTheEnd) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  driver.Create({.entries = {{.trials = 500}}});
  driver.Answer(1, kCompleted, {}, 1);
  const CellKey victim = driver.leases[1][0].cell;
  for (SessionId session = 1; session <= 2; ++session) {
    driver.Advance(seconds(31));
    driver.Connect(session + 1, "workers/b" + std::to_string(session), 4);
  }
  // Its third worker is busy with others; it is emptied for the cell.
  bool alone = false;
  for (int i = 0; i < 40 && !alone; ++i) {
    ASSERT_FALSE(driver.leases[3].empty());
    const LeaseRecord lease = driver.Take(3);
    if (lease.alone && lease.cell == victim) {
      alone = true;
      EXPECT_TRUE(driver.leases[3].empty());
    }
    driver.Say(3, MakeReport(lease, kCompleted));
  }
  EXPECT_TRUE(alone);
}

TEST(EngineFaultsTest, ADrainingWorkerGetsNothing) {
  Driver driver;
  driver.Connect(1, "workers/a", 2);
  const JobKey job = driver.Create();
  driver.Tell(WorkerDrained{"workers/a"});
  EXPECT_EQ(driver.Said<DrainWorker>().size(), 1U);
  EXPECT_EQ(driver.Answer(1, kCompleted), 1);
  EXPECT_EQ(driver.Choices(job).done(), 1);
  EXPECT_TRUE(driver.engine->FindWorker("workers/a")->draining());
}

TEST(EngineFaultsTest, ARestartFindsLeasesCountsAndLimits) {
  Driver driver(MakeConfig(600, 0, 8));
  driver.Connect(1, "workers/a", 8);
  const JobKey job = driver.Create();
  for (int i = 0; i < 6; ++i) {
    driver.Answer(1, kCompleted, {}, 1);
    driver.Advance(std::chrono::milliseconds(300));
  }
  const std::vector<LeaseRecord> held = driver.leases[1];
  ASSERT_FALSE(held.empty());
  const v1::Job before = driver.Status(job);
  const v1::LimitGroup group = driver.engine->LimitGroups(driver.instant())[0];
  driver.Restart();
  EXPECT_EQ(driver.engine->term(), 2);
  EXPECT_EQ(driver.Choices(job).done(), before.progress(0).kinds(0).done());
  EXPECT_EQ(driver.engine->LimitGroups(driver.instant())[0].in_flight(), group.in_flight());
  EXPECT_EQ(driver.engine->LimitGroups(driver.instant())[0].requests_last_minute(),
            group.requests_last_minute());
  EXPECT_EQ(driver.engine->FindRequest(""), std::nullopt);

  // Another worker waits until the first one has said what it holds.
  driver.Connect(2, "workers/b", 8);
  EXPECT_TRUE(driver.leases[2].empty());
  driver.Connect(3, "workers/a", 8, {held[0].attempt});
  driver.Say(3, MakeReport(held[0], kCompleted));
  driver.Advance(seconds(3));
  EXPECT_FALSE(driver.leases[2].empty());
  for (int i = 0; i < 20; ++i) {
    driver.Answer(2, kCompleted);
    driver.Answer(3, kCompleted);
    driver.Advance(seconds(1));
    driver.Tell(WorkerHeartbeat{2, 8, false});
    driver.Tell(WorkerHeartbeat{3, 8, false});
  }
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(driver.Choices(job).done(), 20);
  EXPECT_EQ(driver.Choices(job).calls(), 20);
  driver.Restart();
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
  driver.store.Recount();
  EXPECT_TRUE(driver.store.violations().empty());
}

TEST(EngineFaultsTest, ABlockedGroupStaysBlockedAcrossARestart) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create();
  Report report = MakeReport(driver.Take(1), kFailed, v1::Attempt::RATE_LIMITED, 429);
  report.report->mutable_retry_after()->set_seconds(60);
  driver.Say(1, std::move(report));
  driver.Restart();
  driver.Connect(2, "workers/a", 1);
  driver.Advance(seconds(20));
  EXPECT_TRUE(driver.leases[2].empty());
  EXPECT_THAT(driver.Reason(job), testing::HasSubstr("because the provider said so"));
}

TEST(EngineFaultsTest, AStoppedJobIsResumedAfterARestart) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create();
  driver.Answer(1, kFailed, v1::Attempt::AUTHENTICATION);
  ASSERT_EQ(driver.Status(job).state(), v1::Job::FAILED);
  driver.Restart();
  EXPECT_EQ(driver.Status(job).progress(0).state(), v1::EntryProgress::STOPPED);
  driver.Connect(2, "workers/b", 4);
  EXPECT_TRUE(driver.leases[2].empty());
  ASSERT_TRUE(driver.engine->CheckResume(job).ok());
  driver.Tell(JobResumed{job});
  EXPECT_EQ(driver.Answer(2, kCompleted), 20);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
}

TEST(EngineFaultsTest, LeaseBatchesAreClosedOnceTheyCountNoMore) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  driver.Create();
  driver.Answer(1, kCompleted);
  EXPECT_FALSE(driver.store.lease_batches().empty());
  driver.Advance(seconds(90));
  EXPECT_TRUE(driver.store.lease_batches().empty());
  EXPECT_TRUE(driver.store.violations().empty());
}

TEST(EngineFaultsTest, AJobIsSettledOnceItsEndIsDurable) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 1}}});
  const LeaseRecord late = driver.Take(1);
  driver.Advance(seconds(31));
  driver.Connect(2, "workers/a", 0, {late.attempt});
  driver.commits = false;
  // Its report comes late, so that nothing is in flight any more.
  driver.Say(2, MakeReport(late, kCompleted));
  EXPECT_FALSE(driver.engine->Settled(job));
  driver.said.clear();
  driver.Commit();
  EXPECT_TRUE(driver.engine->Settled(job));
  EXPECT_EQ(driver.Said<PublishJob>().size(), 1U);
}

TEST(EngineFaultsTest, ThatTheLastCallOfACancelledJobIsGoneIsPublished) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create();
  const LeaseRecord lease = driver.Take(1);
  driver.Tell(JobCancelled{job});
  EXPECT_FALSE(driver.engine->Settled(job));
  driver.said.clear();
  // The worker comes back without it: it never got there.
  driver.Connect(2, "workers/a", 1);
  EXPECT_TRUE(driver.engine->Settled(job));
  EXPECT_EQ(driver.Said<PublishJob>().size(), 1U);
  EXPECT_EQ(driver.store.FindAttempt(lease.attempt)->state, v1::Attempt::NOT_SENT);
}

TEST(EngineFaultsTest, NoWorkerIsLostBecauseTheCoordinatorSlept) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  driver.Connect(2, "workers/b", 4);
  const JobKey job = driver.Create();
  driver.Advance(seconds(5));
  // It is stopped for an hour: the timer comes before what waits in the sockets.
  driver.now += std::chrono::hours(1);
  driver.Tell(TimePassed{});
  driver.Tell(WorkerHeartbeat{1, 4, false});
  driver.Tell(WorkerHeartbeat{2, 4, false});
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
  EXPECT_TRUE(driver.Said<CloseSession>().empty());
  // Who stays silent after that is lost.
  driver.Advance(seconds(29));
  EXPECT_TRUE(driver.Said<CloseSession>().empty());
  driver.Advance(seconds(2));
  EXPECT_EQ(driver.Said<CloseSession>().size(), 2U);
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 1);
}

TEST(EngineFaultsTest, NoWorkerOfBeforeARestartIsLostBecauseTheCoordinatorSlept) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create();
  const LeaseRecord lease = driver.Take(1);
  driver.Restart();
  driver.Tell(TimePassed{});
  driver.now += seconds(100);
  driver.Tell(TimePassed{});
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
  driver.Connect(2, "workers/a", 4, {lease.attempt});
  driver.Say(2, MakeReport(lease, kCompleted));
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
  EXPECT_EQ(driver.Choices(job).done(), 1);
}

TEST(EngineFaultsTest, ACallThatWasTakenForNeverReceivedCountsAllTheSame) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 1}}});
  const LeaseRecord lease = driver.Take(1);
  driver.Connect(2, "workers/a", 1);
  ASSERT_EQ(driver.store.FindAttempt(lease.attempt)->state, v1::Attempt::NOT_SENT);
  const LeaseRecord second = driver.Take(2);
  driver.Say(2, MakeReport(lease, kCompleted));
  EXPECT_EQ(driver.store.FindAttempt(lease.attempt)->state, kCompleted);
  EXPECT_EQ(driver.Choices(job).done(), 1);
  EXPECT_EQ(driver.Choices(job).calls(), 1);
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
  EXPECT_THAT(driver.acknowledged, ElementsAre(lease.attempt));
  driver.Say(2, MakeReport(lease, kCompleted));
  EXPECT_EQ(driver.Choices(job).calls(), 1);
  driver.Say(2, MakeReport(second, kCompleted));
  EXPECT_EQ(driver.store.FindAttempt(second.attempt)->state, v1::Attempt::DUPLICATE);
  driver.store.Recount();
  EXPECT_TRUE(driver.store.violations().empty());
}

TEST(EngineFaultsTest, AHandedBackLeaseThatIsReportedAgainIsOnlyAcknowledged) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create();
  const LeaseRecord lease = driver.Take(1);
  driver.Say(1, MakeReport(lease, v1::Attempt::NOT_SENT));
  driver.said.clear();
  driver.Say(1, MakeReport(lease, v1::Attempt::NOT_SENT));
  EXPECT_THAT(driver.acknowledged, ElementsAre(lease.attempt, lease.attempt));
  EXPECT_EQ(driver.Choices(job).calls(), 0);
  EXPECT_TRUE(driver.Said<PublishJob>().empty());
  EXPECT_TRUE(driver.store.violations().empty());
}

TEST(EngineFaultsTest, TheTimeIsWrittenWhileSomethingWaitsForIt) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  driver.Create();
  Report report = MakeReport(driver.Take(1), kFailed, v1::Attempt::RATE_LIMITED, 429);
  report.report->mutable_retry_after()->set_seconds(60);
  driver.Say(1, std::move(report));
  driver.Tell(WorkerDisconnected{1});
  driver.Advance(seconds(40));
  const Recovery recovery = driver.store.Recover();
  ASSERT_EQ(recovery.blocked_groups.size(), 1U);
  EXPECT_LE(recovery.blocked_groups[0].until - recovery.engine_now, seconds(26));
  // Once nothing waits for it any more, nothing is written.
  driver.Advance(std::chrono::minutes(10));
  const TimePoint written = driver.store.Recover().engine_now;
  EXPECT_LT(written, driver.now - std::chrono::minutes(5));
}

TEST(EngineFaultsTest, ADrainIsAskedForAgainUntilTheWorkerHasHeardIt) {
  Driver driver;
  driver.Connect(1, "workers/a", 2);
  driver.Create();
  const LeaseRecord lease = driver.Take(1);
  driver.Tell(WorkerDrained{"workers/a"});
  // It was lost with the stream.
  driver.Connect(2, "workers/a", 2, {lease.attempt});
  ASSERT_EQ(driver.Said<DrainWorker>().size(), 2U);
  EXPECT_EQ(driver.Said<DrainWorker>().back().session, 2U);
  driver.Say(2, MakeReport(lease, kCompleted));
  EXPECT_TRUE(driver.leases[2].empty());
  // It says so; the process that comes after it is another one.
  driver.Tell(WorkerHeartbeat{2, 2, true});
  driver.Connect(3, "workers/a", 2);
  EXPECT_EQ(driver.Said<DrainWorker>().size(), 2U);
  EXPECT_EQ(driver.leases[3].size(), 2U);
}

TEST(EngineFaultsTest, AWorkerThatHandsEverythingBackGetsItMoreAndMoreSlowly) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create();
  driver.Answer(1, kCompleted, {}, 1);
  int leases = 0;
  const auto hand_back = [&](Duration time) {
    for (const TimePoint end = driver.now + time; driver.now < end;) {
      leases += driver.Answer(1, v1::Attempt::NOT_SENT, {}, 100);
      driver.Advance(std::chrono::milliseconds(10));
      driver.Tell(WorkerHeartbeat{1, 4, false});
    }
  };
  hand_back(seconds(30));
  // 50 ms, 100 ms, ... 3.2 s, and then 5 s each.
  EXPECT_LE(leases, 12 * 4);
  EXPECT_GE(leases, 10 * 4);
  EXPECT_THAT(driver.Reason(job), testing::HasSubstr("handed calls back"));
  // One reply, and it is as good as any.
  while (driver.leases[1].empty()) driver.Advance(seconds(1));
  driver.Answer(1, kCompleted, {}, 1);
  leases = 0;
  hand_back(std::chrono::milliseconds(100));
  EXPECT_GE(leases, 2 * 4 - 1);
  EXPECT_EQ(driver.Answer(1, kCompleted), 0);
  driver.Advance(seconds(1));
  EXPECT_EQ(driver.Answer(1, kCompleted), 18);
  EXPECT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
}

TEST(EngineFaultsTest, AFirstReplyForAJobThatIsOverIsItsOutcome) {
  Driver driver;
  driver.Connect(1, "workers/a", 3);
  const JobKey job = driver.Create();
  driver.Answer(1, kCompleted, {}, 1);
  const std::vector<LeaseRecord> late = driver.leases[1];
  ASSERT_EQ(late.size(), 3U);
  driver.Tell(JobCancelled{job});
  driver.Advance(seconds(31));
  ASSERT_EQ(driver.Choices(job).unknown_attempts(), 3);
  ASSERT_TRUE(driver.engine->Settled(job));
  driver.Connect(2, "workers/a", 3, {late[0].attempt, late[1].attempt, late[2].attempt});
  driver.Say(2, MakeReport(late[0], kCompleted));
  driver.Say(2, MakeReport(late[1], kFailed, v1::Attempt::SERVER_ERROR, 500));
  driver.Say(2, MakeReport(late[2], kCompleted));
  EXPECT_EQ(driver.Status(job).state(), v1::Job::CANCELLED);
  EXPECT_EQ(driver.Choices(job).done(), 3);
  EXPECT_EQ(driver.Choices(job).calls(), 4);
  EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
  EXPECT_EQ(driver.Choices(job).unknown_money(), 0);
  EXPECT_EQ(driver.store.FindAttempt(late[2].attempt)->state, kCompleted);
  driver.store.Recount();
  EXPECT_TRUE(driver.store.violations().empty());
  driver.Tell(JobDeleted{job});
  EXPECT_TRUE(driver.store.jobs().empty());
}

TEST(EngineFaultsTest, ALateReplyIsTheOutcomeOfACellThatASucceededJobGaveUp) {
  Driver driver;
  driver.Connect(1, "workers/a", 2);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 2}}, .max_attempts = 1});
  driver.Answer(1, kCompleted, {}, 1);
  const LeaseRecord late = driver.Take(1);
  driver.Advance(seconds(31));
  driver.Connect(2, "workers/b", 1);
  driver.Answer(2, kFailed, v1::Attempt::SERVER_ERROR, 1);
  ASSERT_EQ(driver.Status(job).state(), v1::Job::SUCCEEDED);
  ASSERT_EQ(driver.Choices(job).failed(), 1);
  driver.Connect(3, "workers/a", 2, {late.attempt});
  driver.Say(3, MakeReport(late, kCompleted));
  EXPECT_EQ(driver.Choices(job).failed(), 0);
  EXPECT_EQ(driver.Choices(job).done(), 2);
}

TEST(EngineFaultsTest, UnknownMoneyIsNeverLessThanNothingNorWithoutAnUnknownCall) {
  for (const double price : {0.5, 1000.0}) {
    Driver driver;
    driver.Connect(1, "workers/a", 2);
    const JobKey job = driver.Create();
    driver.Answer(1, kCompleted, {}, 1);
    const std::vector<LeaseRecord> late = driver.leases[1];
    ASSERT_EQ(late.size(), 2U);
    driver.Advance(seconds(31));
    ASSERT_GT(driver.Choices(job).unknown_money(), 0);
    // Its price is another one when the coordinator comes back.
    v1::Price& other =
        *driver.options.config.mutable_endpoints(0)->mutable_models(0)->mutable_price();
    other.set_input(price);
    other.set_output(price);
    driver.Restart();
    driver.Connect(2, "workers/a", 0, {late[0].attempt, late[1].attempt});
    driver.Say(2, MakeReport(late[0], kCompleted));
    EXPECT_EQ(driver.Choices(job).unknown_attempts(), 1);
    EXPECT_GE(driver.Choices(job).unknown_money(), 0);
    driver.Say(2, MakeReport(late[1], kCompleted));
    EXPECT_EQ(driver.Choices(job).unknown_attempts(), 0);
    EXPECT_EQ(driver.Choices(job).unknown_money(), 0);
  }
}

TEST(EngineFaultsTest, ACellIsTriedForADayAtMost) {
  Driver driver;
  const JobKey job =
      driver.Create({.entries = {{.scenarios = 1, .trials = 1}}, .max_attempts = 1000});
  int calls = 0;
  for (SessionId session = 1; session <= 20; ++session) {
    // The one before was silent for too long.
    driver.Connect(session);
    calls += driver.Answer(session, kFailed, v1::Attempt::SERVER_ERROR);
    driver.Advance(std::chrono::hours(3));
  }
  // At 0, 3, ..., 24 hours.
  EXPECT_EQ(calls, 9);
  EXPECT_EQ(driver.Choices(job).failed(), 1);
}

TEST(EngineFaultsTest, WhatNoCallCanMendStopsItsEntryAtOnceAndNoOther) {
  for (const auto error_class : {v1::Attempt::AUTHENTICATION, v1::Attempt::PERMISSION,
                                 v1::Attempt::NOT_FOUND, v1::Attempt::REFUSED_PARAMETER}) {
    Driver driver;
    const JobKey job = driver.Create({.entries = {{}, {}}});
    driver.Connect(1);
    int refused = 0;
    while (!driver.leases[1].empty()) {
      const LeaseRecord lease = driver.Take(1);
      const bool bad = lease.cell.entry == 0;
      if (bad) ++refused;
      driver.Say(1, bad ? MakeReport(lease, kFailed, error_class) : MakeReport(lease, kCompleted));
    }
    EXPECT_EQ(refused, 1);
    EXPECT_EQ(driver.Status(job).progress(0).state(), v1::EntryProgress::STOPPED);
    EXPECT_EQ(driver.Status(job).progress(1).state(), v1::EntryProgress::FINISHED);
    EXPECT_EQ(driver.Choices(job).failed(), 0);
  }
}

}  // namespace
}  // namespace candor::engine
