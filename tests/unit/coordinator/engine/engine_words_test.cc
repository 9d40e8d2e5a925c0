// What the engine says of what it waits for: true of now, and with the words of who is to blame.
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace candor::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto kCompleted = v1::Attempt::COMPLETED;
constexpr auto kFailed = v1::Attempt::FAILED;

// Everything that the session has fails as by a connection that is refused at once.
void Refuse(Driver& driver) {
  while (!driver.leases[1].empty()) {
    Report report = MakeReport(driver.Take(1), kFailed, v1::Attempt::CONNECTION);
    v1::Attempt& attempt = *report.report->mutable_attempt();
    attempt.set_error_text("certificate has expired");
    attempt.mutable_latency()->set_nanos(200'000);
    driver.Say(1, std::move(report));
  }
}

v1::JobExplanation::EntryExplanation Explained(const Driver& driver, JobKey job) {
  return driver.engine->Explain(job, driver.instant(), {}).entries(0);
}

TEST(EngineWordsTest, OnlyAFullMinuteIsInUse) {
  Driver driver(MakeConfig(600));
  driver.Connect(1, "workers/a", 1'000);
  const JobKey job = driver.Create({.entries = {{.trials = 10'000}}});
  const auto work = [&](int tenths) {
    for (int i = 0; i < tenths; ++i) {
      driver.Answer(1, kCompleted);
      driver.Tell(WorkerHeartbeat{1, 1'000, false});
      driver.Advance(milliseconds(100));
    }
  };
  driver.Answer(1, kCompleted);
  EXPECT_EQ(
      driver.Reason(job),
      "limit group \"local\": the rate is still rising to the limit of 600 requests a minute");
  work(300);
  EXPECT_EQ(
      driver.Reason(job),
      "limit group \"local\": calls are spread over the minute: 10/s of 600 requests a minute");
  // What was taken by then is more than the new limit.
  v1::Limits limits;
  limits.set_requests_per_minute(120);
  driver.Tell(LimitsChanged{"limitGroups/local", limits});
  EXPECT_EQ(driver.Reason(job), "limit group \"local\": 120 requests a minute are in use");
}

TEST(EngineWordsTest, ADayIsWaitedForInHours) {
  v1::Config config = MakeConfig();
  config.mutable_endpoints(0)->mutable_limits()->set_requests_per_day(1);
  Driver driver(config);
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create();
  driver.Answer(1, kCompleted);
  for (int i = 0; i < 30; ++i) {
    driver.Tell(WorkerHeartbeat{1, 4, false});
    driver.Advance(seconds(3));
  }
  EXPECT_THAT(driver.Reason(job),
              HasSubstr("\"local\": 1 request a day is in use; the next call goes in 23h5"));
}

TEST(EngineWordsTest, ALimitOfPromptsIsNotMendedByShorterReplies) {
  v1::Config config = MakeConfig();
  v1::Limits& limits = *config.mutable_endpoints(0)->mutable_limits();
  limits.set_input_tokens_per_minute(5);
  {
    Driver driver(config);
    driver.Connect(1, "workers/a", 4);
    EXPECT_THAT(driver.Reason(driver.Create()),
                AllOf(HasSubstr("allows 5 input tokens a minute"),
                      HasSubstr("raise the limit or shorten the prompts"),
                      Not(HasSubstr("max_output_tokens"))));
  }
  limits.clear_input_tokens_per_minute();
  limits.set_output_tokens_per_minute(5);
  Driver driver(config);
  driver.Connect(1, "workers/a", 4);
  EXPECT_THAT(driver.Reason(driver.Create()),
              AllOf(HasSubstr("allows 5 output tokens a minute, and one call takes up to 16"),
                    HasSubstr("lower max_output_tokens")));
}

TEST(EngineWordsTest, AProviderThatFailsIsQuoted) {
  Driver driver;
  driver.Connect(1, "workers/a", 16);
  const JobKey job = driver.Create({.entries = {{.trials = 100}}});
  driver.Answer(1, kCompleted, {}, 1);
  Refuse(driver);
  EXPECT_THAT(driver.Reason(job),
              HasSubstr("\"local\": the provider fails (certificate has expired); one call looks"));
  const auto said = Explained(driver, job);
  EXPECT_THAT(said.findings(0).text(), HasSubstr("certificate has expired"));
  // A call that found nobody takes no time, and slots no calls.
  EXPECT_FALSE(said.has_latency_median());
  EXPECT_DOUBLE_EQ(said.slots_rate(), 0);
}

TEST(EngineWordsTest, TheFirstCallThatFailedIsQuotedWhileItWaits) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 1}}});
  Refuse(driver);
  EXPECT_THAT(driver.Reason(job), AllOf(HasSubstr("calls that failed are tried again in "),
                                        HasSubstr("; the latest error: certificate has expired")));
}

TEST(EngineWordsTest, AJobThatCameToNothingSaysTheLatestError) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 1}}});
  for (int i = 0; i < 500 && driver.Status(job).state() == v1::Job::RUNNING; ++i) {
    Refuse(driver);
    driver.Tell(WorkerHeartbeat{1, 1, false});
    driver.Advance(seconds(5));
  }
  EXPECT_EQ(driver.Status(job).state(), v1::Job::FAILED);
  EXPECT_EQ(driver.Status(job).state_reason(),
            "no cell got an outcome; entry0's latest error: certificate has expired");
  EXPECT_EQ(driver.Reason(job), "the latest error: certificate has expired");
}

TEST(EngineWordsTest, WhatIsOverHasNoRate) {
  Driver driver;
  driver.Connect(1, "workers/a", 4);
  const JobKey job = driver.Create({.entries = {{.trials = 100}}});
  driver.Answer(1, kCompleted, {}, 20);
  driver.Advance(seconds(1));
  EXPECT_GT(driver.Status(job).progress(0).rate(), 0);
  EXPECT_EQ(Explained(driver, job).findings(0).text(), "all 4 slots are taken");
  driver.Tell(JobCancelled{job});
  EXPECT_DOUBLE_EQ(driver.Status(job).progress(0).rate(), 0);
  EXPECT_THAT(driver.Reason(job), IsEmpty());
  const auto said = Explained(driver, job);
  EXPECT_DOUBLE_EQ(said.rate(), 0);
  EXPECT_EQ(said.state(), v1::EntryProgress::STATE_UNSPECIFIED);
}

TEST(EngineWordsTest, BudgetsArePlainNumbers) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey cheap = driver.Create({.name = "jobs/cheap", .budget_money = 1'000});
  driver.Answer(1, kCompleted);
  EXPECT_EQ(driver.Status(cheap).state_reason(),
            "the budget of 0.000001 is spent (0.00006 was used)");
  const JobKey one = driver.Create({.name = "jobs/one", .budget_calls = 1});
  driver.Answer(1, kCompleted);
  EXPECT_EQ(driver.Status(one).state_reason(), "the budget of 1 call is spent");
}

TEST(EngineWordsTest, NowIsSaidBeforeThePast) {
  Driver driver;
  driver.Connect(1, "workers/a", 2);
  const JobKey job = driver.Create({.entries = {{.trials = 100}}});
  driver.Answer(1, kCompleted, {}, 4);
  for (int i = 0; i < 12; ++i) {
    driver.Tell(WorkerHeartbeat{1, 2, false});
    driver.Advance(seconds(5));
  }
  driver.Tell(WorkerDisconnected{1});
  driver.Advance(seconds(5));
  const auto gone = Explained(driver, job);
  ASSERT_GE(gone.findings_size(), 2);
  EXPECT_EQ(gone.findings(0).reason(), v1::NO_WORKER);
  EXPECT_EQ(gone.findings(1).reason(), v1::SLOTS) << "most of the time so far";
  driver.Advance(hours(1));
  driver.Connect(2, "workers/b", 2);
  driver.Advance(seconds(1));
  const auto back = Explained(driver, job);
  ASSERT_GE(back.findings_size(), 2);
  EXPECT_EQ(back.findings(0).reason(), v1::SLOTS);
  EXPECT_EQ(back.findings(1).reason(), v1::NO_WORKER);
}

}  // namespace
}  // namespace candor::engine
