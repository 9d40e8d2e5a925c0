// What earlier batches mean for later ones, and for how long.
#include "tests/unit/coordinator/engine/batches_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace candor::engine {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Task = v1::BatchTask;
using Said = v1::BatchReport;

TEST_F(EngineBatchesTest, AutoStaysLiveAfterARestart) {
  Begin(BatchConfig(), v1::Job::AUTO);
  for (int i = 0; i < 2; ++i) {
    d_->SayBatch(1, d_->TakeTask(1), Said::REFUSED, "", v1::Attempt::INVALID_REQUEST);
    Pass(seconds(5));
  }
  EXPECT_THAT(d_->leases[1], SizeIs(4));
  d_->Restart();
  d_->Connect(3);
  Pass(seconds(40), {3});
  EXPECT_THAT(d_->tasks[3], IsEmpty());
  EXPECT_THAT(d_->leases[3], SizeIs(4));
  d_->Answer(3, v1::Attempt::COMPLETED);
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
  EXPECT_THAT(d_->Reason(job_), IsEmpty());
}

// The ids that a search is told are those that it may meet.
TEST_F(EngineBatchesTest, SearchIsToldOfBatchesOfTheseDays) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  for (const LeaseRecord& line : collect.leases) Report(1, line);
  d_->SayBatch(1, collect, Said::COLLECTED, "b1");
  ASSERT_EQ(State(), v1::Job::SUCCEEDED);
  const auto told = [this](const std::string& name, SessionId session) {
    d_->Connect(session, "workers/a");
    shape_.name = name;
    d_->Create(shape_);
    d_->Answer(session, v1::Attempt::COMPLETED, kNoError, 1);
    // Whether it was created is not known after a restart.
    d_->Restart();
    d_->Connect(session + 1, "workers/a");
    Pass(seconds(380), {session + 1});
    std::vector<std::string> others;
    const std::vector<SendBatchTask> steps = d_->tasks[session + 1];
    for (const SendBatchTask& step : steps) {
      if (step.task.step() != Task::SUBMIT) continue;
      EXPECT_TRUE(step.task.may_exist());
      others.insert(others.end(), step.task.other_provider_batches().begin(),
                    step.task.other_provider_batches().end());
      d_->SayBatch(session + 1, step, Said::IN_PROGRESS, "b of " + name);
    }
    return others;
  };
  EXPECT_THAT(told("jobs/b", 11), testing::ElementsAre("b1"));
  d_->now += std::chrono::hours(5 * 24);
  // What is under way is told for as long as it is.
  EXPECT_THAT(told("jobs/c", 21), testing::ElementsAre("b of jobs/b"));
}

}  // namespace
}  // namespace candor::engine
