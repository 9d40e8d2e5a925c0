// Quotas of a day, which a provider tells by refusing.
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <utility>

namespace candor::engine {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr auto kCompleted = v1::Attempt::COMPLETED;
constexpr auto kFailed = v1::Attempt::FAILED;

// Eight calls are in flight when the quota is used up, on three days: that costs each day what was
// in flight, and one call after it; and no cell.
TEST(EngineQuotaTest, AQuotaOfADayCostsNoCellAndOneCallADay) {
  Driver driver;
  driver.Connect(1, "workers/a", 8);
  const JobKey job = driver.Create({.max_attempts = 2});
  driver.Answer(1, kCompleted, {}, 1);
  ASSERT_EQ(driver.leases[1].size(), 8U);
  const auto refuse = [&] {
    Report report = MakeReport(driver.Take(1), kFailed, v1::Attempt::DAILY_LIMIT, 429);
    report.report->mutable_retry_after()->set_seconds(3600);
    driver.Say(1, std::move(report));
  };
  const auto wait = [&] {
    for (int i = 0; i < 361; ++i) {
      driver.Tell(WorkerHeartbeat{1, 8, false});
      driver.Advance(seconds(10));
    }
  };
  while (!driver.leases[1].empty()) refuse();
  for (int day = 0; day < 4; ++day) {
    EXPECT_THAT(driver.Reason(job), HasSubstr("the provider's quota of a day is used up"));
    // What is known of it outlives a coordinator.
    if (day == 2) {
      driver.Restart();
      driver.Connect(1, "workers/a", 8);
    }
    wait();
    ASSERT_EQ(driver.leases[1].size(), 1U) << day;
    EXPECT_THAT(driver.Reason(job), HasSubstr("one call is under way to see whether it is there"));
    if (day < 3) refuse();
  }
  driver.Answer(1, kCompleted, {}, 1);
  driver.Advance(seconds(6));
  EXPECT_GT(driver.leases[1].size(), 1U);
  while (driver.Status(job).state() == v1::Job::RUNNING) {
    driver.Answer(1, kCompleted);
    driver.Tell(WorkerHeartbeat{1, 8, false});
    driver.Advance(seconds(1));
  }
  EXPECT_EQ(driver.Choices(job).done(), 20);
  EXPECT_EQ(driver.Choices(job).failed(), 0);
  EXPECT_EQ(driver.Choices(job).calls(), 20 + 8 + 3);
  EXPECT_GE(driver.Choices(job).repeated_calls(), 8);
}

TEST(EngineQuotaTest, ACellThatOnlyADaysQuotaRefusesIsGivenUpAfterAWeek) {
  Driver driver;
  driver.Connect(1, "workers/a", 1);
  const JobKey job = driver.Create({.entries = {{.scenarios = 1, .trials = 1}}, .max_attempts = 1});
  int calls = 0;
  const TimePoint start = driver.now;
  while (driver.Status(job).state() == v1::Job::RUNNING) {
    ASSERT_LT(driver.now, start + std::chrono::hours(24 * 9));
    if (!driver.leases[1].empty()) {
      Report report = MakeReport(driver.Take(1), kFailed, v1::Attempt::DAILY_LIMIT, 429);
      report.report->mutable_retry_after()->set_seconds(20 * 3600);
      driver.Say(1, std::move(report));
      ++calls;
    }
    driver.Tell(WorkerHeartbeat{1, 1, false});
    driver.Advance(seconds(20));
  }
  EXPECT_EQ(calls, 1 + 9) << "every 20 hours, until a week has passed";
  EXPECT_EQ(driver.Status(job).state(), v1::Job::FAILED);
  EXPECT_GE(driver.now - start, std::chrono::hours(24 * 7));
}

}  // namespace
}  // namespace candor::engine
