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

// The worker that had its SUBMIT says, on its next stream, that it is over.
TEST_F(EngineBatchesTest, RestartWaitsNoLongerThanTheWorkerThatHadTheSubmit) {
  Begin();
  const SendBatchTask task = d_->TakeTask(1);
  d_->Restart();
  d_->Connect(2);
  EXPECT_THAT(d_->Reason(job_),
              testing::HasSubstr("1 batch of 19 lines to be created: a worker may be creating it "
                                 "since before its stream or the coordinator ended, so the "
                                 "provider is asked for it in 6m01s"));
  d_->SayBatch(2, task, Said::ABSENT);
  Pass(seconds(2), {2});
  const SendBatchTask again = d_->TakeTask(2);
  EXPECT_EQ(again.task.step(), Task::SUBMIT);
  EXPECT_TRUE(again.task.may_exist());
  EXPECT_THAT(again.leases, SizeIs(19));
}

TEST_F(EngineBatchesTest, CreationThatBrokeOffSettlesBeforeItIsLookedFor) {
  Begin();
  const SendBatchTask task = d_->TakeTask(1);
  d_->Restart();
  d_->Connect(2);
  d_->SayBatch(2, task, Said::UNDECIDED, "", v1::Attempt::TIMEOUT);
  Pass(seconds(59), {2});
  EXPECT_THAT(d_->tasks[2], IsEmpty());
  Pass(seconds(2), {2});
  EXPECT_TRUE(d_->TakeTask(2).task.may_exist());
}

TEST_F(EngineBatchesTest, OnlyWhoHadTheSubmitEndsTheWait) {
  Begin();
  const SendBatchTask task = d_->TakeTask(1);
  d_->Tell(WorkerDisconnected{1});
  d_->Connect(2, "workers/b");
  d_->SayBatch(2, task, Said::ABSENT);
  Pass(seconds(20), {2});
  EXPECT_THAT(d_->tasks[2], IsEmpty());
  d_->Connect(3, "workers/a");
  d_->SayBatch(3, task, Said::ABSENT);
  Pass(seconds(2), {2, 3});
  ASSERT_EQ(d_->tasks[2].size() + d_->tasks[3].size(), 1U);
}

// A batch that was attempted once, at a server that has no batches.
class BatchWithoutApiTest : public EngineBatchesTest {
 protected:
  // The listing is refused so often, by whoever has session `session`.
  void RefuseListing(SessionId session, Task::Step step, int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_THAT(d_->tasks[session], SizeIs(1)) << i;
      const SendBatchTask task = d_->TakeTask(session);
      EXPECT_EQ(task.task.step(), step);
      EXPECT_TRUE(task.task.may_exist());
      d_->SayBatch(session, task, Said::UNDECIDED, "", v1::Attempt::NOT_FOUND);
      EXPECT_THAT(d_->tasks[session], IsEmpty()) << "one stray answer says nothing";
      Pass(seconds(61), {session});
    }
  }
  void BeginAndRestart(v1::Job::Mode mode) {
    Begin(BatchConfig(), mode);
    ASSERT_THAT(d_->tasks[1], SizeIs(1));
    d_->Restart();
    d_->Connect(2);
    Pass(seconds(380), {2});
  }
};

TEST_F(BatchWithoutApiTest, AutoGoesOnLive) {
  BeginAndRestart(v1::Job::AUTO);
  RefuseListing(2, Task::SUBMIT, 3);
  EXPECT_EQ(Only().state(), v1::Batch::REFUSED);
  EXPECT_THAT(d_->leases[2], SizeIs(4));
  d_->Answer(2, v1::Attempt::COMPLETED);
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
  EXPECT_EQ(d_->Choices(job_).unknown_attempts(), 0);
}

TEST_F(BatchWithoutApiTest, BatchStopsItsEntryWithTheWordsAndItsCellsUncalled) {
  BeginAndRestart(v1::Job::BATCH);
  RefuseListing(2, Task::SUBMIT, 3);
  EXPECT_EQ(State(), v1::Job::FAILED);
  EXPECT_THAT(d_->Reason(job_),
              testing::HasSubstr("the provider refuses its batches: so it said; use mode LIVE"));
  EXPECT_EQ(d_->Choices(job_).calls(), 1);
  EXPECT_EQ(d_->Choices(job_).in_flight(), 0);
}

TEST_F(BatchWithoutApiTest, CancelAndDeleteEnd) {
  BeginAndRestart(v1::Job::BATCH);
  ASSERT_THAT(d_->tasks[2], SizeIs(1));
  const SendBatchTask submit = d_->TakeTask(2);
  d_->Tell(JobCancelled{job_});
  EXPECT_FALSE(d_->engine->CheckDelete(job_).ok());
  d_->SayBatch(2, submit, Said::UNDECIDED, "", v1::Attempt::NOT_FOUND);
  Pass(seconds(61), {2});
  RefuseListing(2, Task::CANCEL, 2);
  EXPECT_EQ(State(), v1::Job::CANCELLED);
  EXPECT_EQ(d_->Choices(job_).in_flight(), 0);
  EXPECT_TRUE(d_->engine->CheckDelete(job_).ok());
}

TEST_F(BatchWithoutApiTest, OneStrayAnswerIsNotBelieved) {
  BeginAndRestart(v1::Job::AUTO);
  RefuseListing(2, Task::SUBMIT, 2);
  d_->SayBatch(2, d_->TakeTask(2), Said::UNDECIDED, "", v1::Attempt::SERVER_ERROR);
  Pass(seconds(61), {2});
  RefuseListing(2, Task::SUBMIT, 2);
  d_->SayBatch(2, d_->TakeTask(2), Said::IN_PROGRESS, "b1");
  EXPECT_EQ(Only().state(), v1::Batch::SUBMITTED);
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
