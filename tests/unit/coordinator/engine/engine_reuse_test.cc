// Jobs that take over outcomes of other jobs: what is there is not asked again, and costs nothing.
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace candor::engine {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kCompleted = v1::Attempt::COMPLETED;
constexpr auto kChoice = v1::Cell::CHOICE;

class ReuseTest : public testing::Test {
 protected:
  void SetUp() override { driver_.Connect(1, "workers/a", 16); }

  // A finished job of two scenarios with three trials.
  JobKey Old() {
    const JobKey job = driver_.Create({.entries = {{.trials = 3}}});
    driver_.Answer(1, kCompleted);
    EXPECT_EQ(driver_.Status(job).state(), v1::Job::SUCCEEDED);
    return job;
  }
  // A job that takes over these choices of entry 0, cell by cell.
  JobKey Create(const JobShape& shape, JobKey source, const std::vector<std::uint32_t>& indexes) {
    JobCreated event = MakeJob(shape);
    ReusedOutcomesRecord& reused = event.reused.emplace_back();
    reused.source = source;
    reused.source_name = "jobs/a";
    for (const std::uint32_t index : indexes) {
      reused.items.push_back({{0, kChoice, index}, {0, kChoice, index}, v1::Outcome::VALID});
    }
    driver_.Tell(std::move(event));
    return driver_.engine->FindJob(shape.name).value_or(0);
  }
  std::vector<std::uint32_t> Leased() const {
    std::vector<std::uint32_t> indexes;
    for (const LeaseRecord& lease : driver_.leases.at(1)) indexes.push_back(lease.cell.index);
    return indexes;
  }
  void ExpectSound() {
    driver_.store.Recount();
    EXPECT_THAT(driver_.store.violations(), IsEmpty());
  }

  Driver driver_;
};

TEST_F(ReuseTest, OnlyWhatIsMissingIsAsked) {
  const JobKey old = Old();
  const JobKey job =
      Create({.name = "jobs/b", .entries = {{.trials = 5}}}, old, {0, 1, 2, 3, 4, 5});
  v1::KindProgress kind = driver_.Choices(job);
  EXPECT_EQ(kind.done(), 6);
  EXPECT_EQ(kind.reused(), 6);
  EXPECT_EQ(kind.classes(0).count(), 6);
  EXPECT_EQ(kind.calls(), 0);
  EXPECT_EQ(kind.money(), 0);
  EXPECT_EQ(kind.usage().input_tokens(), 0);
  // What was taken over says nothing of whether calls go well now.
  EXPECT_THAT(Leased(), ElementsAre(6));
  EXPECT_EQ(driver_.Answer(1, kCompleted), 4);
  EXPECT_EQ(driver_.Status(job).state(), v1::Job::SUCCEEDED);
  kind = driver_.Choices(job);
  EXPECT_EQ(kind.done(), 10);
  EXPECT_EQ(kind.reused(), 6);
  EXPECT_EQ(kind.calls(), 4);
  ExpectSound();
}

TEST_F(ReuseTest, AJobThatFindsEverythingSucceedsWithoutACall) {
  const JobKey old = Old();
  const JobKey job =
      Create({.name = "jobs/b", .entries = {{.trials = 3}}}, old, {0, 1, 2, 3, 4, 5});
  EXPECT_EQ(driver_.Status(job).state(), v1::Job::SUCCEEDED);
  EXPECT_TRUE(driver_.engine->Settled(job));
  EXPECT_FALSE(driver_.Status(job).has_start_time());
  ExpectSound();
}

TEST_F(ReuseTest, SurvivesARestartAndGoesOnWithOneCall) {
  const JobKey old = Old();
  Create({.name = "jobs/b", .entries = {{.trials = 5}}}, old, {1, 3});
  driver_.Restart();
  const JobKey job = driver_.engine->FindJob("jobs/b").value();
  EXPECT_EQ(driver_.Choices(job).done(), 2);
  EXPECT_EQ(driver_.Choices(job).reused(), 2);
  driver_.Connect(1, "workers/a", 16);
  driver_.Advance(seconds(3));
  EXPECT_THAT(Leased(), SizeIs(1));
  EXPECT_EQ(driver_.Answer(1, kCompleted), 8);
  EXPECT_EQ(driver_.Status(job).state(), v1::Job::SUCCEEDED);
  ExpectSound();
}

TEST_F(ReuseTest, WhatBelongsToNoCellIsLeftOut) {
  const JobKey old = Old();
  // Cell 6 is beyond the job, and cell 0 comes twice.
  const JobKey job = Create({.name = "jobs/b", .entries = {{.trials = 3}}}, old, {0, 6, 0});
  EXPECT_EQ(driver_.Choices(job).reused(), 1);
  EXPECT_EQ(driver_.Choices(job).done(), 1);
  ExpectSound();
}

TEST_F(ReuseTest, AJobThatIsBeingDeletedGivesNothing) {
  const JobKey old = Old();
  driver_.commits = false;
  driver_.Tell(JobDeleted{old});
  EXPECT_EQ(driver_.engine->CheckReuse(old).code(), absl::StatusCode::kNotFound);
  const JobShape shape{.name = "jobs/b", .entries = {{.trials = 3}}};
  JobCreated event = MakeJob(shape);
  event.reused.push_back({.source = old,
                          .source_name = "jobs/a",
                          .items = {{{0, kChoice, 0}, {0, kChoice, 0}, v1::Outcome::VALID}}});
  driver_.Tell(std::move(event));
  driver_.commits = true;
  driver_.Commit();
  EXPECT_EQ(driver_.Choices(driver_.engine->FindJob("jobs/b").value()).reused(), 0);
  ExpectSound();
}

TEST_F(ReuseTest, AChainGoesOnWhereTheOldOneEnded) {
  const EntryShape entry{.scenarios = 2, .trials = 6, .adaptive = true};
  const JobKey old = driver_.Create({.entries = {entry}});
  while (driver_.Status(old).state() != v1::Job::SUCCEEDED) {
    driver_.Answer(1, kCompleted);
    driver_.Propose();
  }
  EntryShape longer = entry;
  longer.trials = 8;
  driver_.commits = false;
  // Scenario 0 has five answers, scenario 1 has one: a drawn pair follows there.
  const JobCreated made = MakeJob({.name = "jobs/b", .entries = {longer}});
  JobCreated event = made;
  ReusedOutcomesRecord& reused = event.reused.emplace_back();
  reused.source = old;
  for (const std::uint32_t index : {0U, 1U, 2U, 4U, 6U, 8U}) {
    reused.items.push_back({{0, kChoice, index}, {0, kChoice, index}, v1::Outcome::VALID});
  }
  driver_.Tell(std::move(event));
  EXPECT_THAT(driver_.wanted, IsEmpty());  // what it rests on is not durable yet
  driver_.commits = true;
  driver_.Commit();
  const JobKey job = driver_.engine->FindJob("jobs/b").value();
  EXPECT_THAT(driver_.wanted,
              ElementsAre(WantedPair{.job = job, .entry = 0, .scenario = 0, .pair = 5}));
  EXPECT_THAT(Leased(), ElementsAre(3));
  while (driver_.Status(job).state() != v1::Job::SUCCEEDED) {
    driver_.Propose();
    driver_.Answer(1, kCompleted);
  }
  EXPECT_EQ(driver_.Choices(job).calls(), 16 - 6);
  ExpectSound();
}

TEST_F(ReuseTest, TheEstimateLeavesOutWhatIsThere) {
  const JobCreated created = MakeJob({.entries = {{.trials = 5, .reports = 2}}});
  const auto whole = driver_.engine->Estimate(*created.job, *created.specification);
  ReusedOutcomesRecord reused;
  for (std::uint32_t index = 0; index < 5; ++index) {
    reused.items.push_back({{0, kChoice, index}, {0, kChoice, index}, v1::Outcome::VALID});
  }
  const auto rest =
      driver_.engine->Estimate(*created.job, *created.specification, CountReused({&reused, 1}));
  EXPECT_EQ(whole.cells(), 14);
  EXPECT_EQ(whole.calls(), 14);
  EXPECT_EQ(whole.reused(), 0);
  EXPECT_EQ(rest.cells(), 14);
  EXPECT_EQ(rest.calls(), 9);
  EXPECT_EQ(rest.reused(), 5);
  ASSERT_EQ(rest.kinds_size(), 2);
  EXPECT_EQ(rest.kinds(0).calls(), 5);
  EXPECT_EQ(rest.kinds(0).reused(), 5);
  EXPECT_EQ(rest.kinds(0).money() * 2, whole.kinds(0).money());
  EXPECT_EQ(rest.kinds(1).calls(), 4);
  EXPECT_EQ(rest.money(), rest.kinds(0).money() + rest.kinds(1).money());
  EXPECT_EQ(rest.output_tokens(), 5 * 16 + 4 * 64);
}

TEST_F(ReuseTest, BatchesAreEstimatedAtTheirPrice) {
  JobCreated created = MakeJob({.entries = {{.trials = 5}}});
  v1::Job job = *created.job;
  const auto live = driver_.engine->Estimate(job, *created.specification);
  ASSERT_GT(live.money(), 0);
  for (const auto mode : {v1::Job::BATCH, v1::Job::AUTO}) {
    job.set_mode(mode);
    EXPECT_EQ(driver_.engine->Estimate(job, *created.specification).money() * 2, live.money());
  }
  job.mutable_budget()->set_money(1);
  EXPECT_THAT(driver_.engine->Estimate(job, *created.specification).warnings(),
              Contains(HasSubstr("may end the job early")));
}

}  // namespace
}  // namespace candor::engine
