#include "tests/unit/coordinator/engine/batches_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace candor::engine {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Task = v1::BatchTask;
using Said = v1::BatchReport;

TEST_F(EngineBatchesTest, CellsGoInABatchAndComeBackAsOutcomes) {
  Begin();
  const SendBatchTask submit = d_->TakeTask(1);
  EXPECT_EQ(submit.task.step(), Task::SUBMIT);
  EXPECT_FALSE(submit.task.may_exist());
  EXPECT_THAT(submit.leases, SizeIs(19));
  EXPECT_THAT(d_->leases[1], IsEmpty());
  EXPECT_EQ(Only().state(), v1::Batch::INTENDED);
  EXPECT_THAT(d_->Reason(job_), HasSubstr("1 batch of 19 lines to be created"));
  d_->SayBatch(1, submit, Said::IN_PROGRESS, "b1");
  EXPECT_EQ(Only().state(), v1::Batch::SUBMITTED);
  EXPECT_EQ(Only().provider_batch(), "b1");
  EXPECT_THAT(d_->Reason(job_), HasSubstr("1 batch of 19 lines at the provider, 0 done"));
  EXPECT_EQ(d_->Choices(job_).in_flight(), 19);

  const SendBatchTask collect = End();
  ASSERT_THAT(collect.leases, SizeIs(19));
  for (const LeaseRecord& line : collect.leases) Report(1, line);
  EXPECT_THAT(d_->acknowledged, SizeIs(20));
  d_->SayBatch(1, collect, Said::COLLECTED, "b1");
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
  EXPECT_EQ(Only().state(), v1::Batch::DONE);
  EXPECT_EQ(Only().lines_collected(), 19);
  const v1::KindProgress choices = d_->Choices(job_);
  EXPECT_EQ(choices.batch_calls(), 19);
  EXPECT_EQ(choices.calls(), 20);
  // 20 input tokens at 1 and 4 output tokens at 10 a million; a quarter of it in a batch.
  EXPECT_EQ(choices.money(), 60'000 + 19 * 15'000);
  EXPECT_TRUE(d_->engine->Settled(job_));
}

TEST_F(EngineBatchesTest, LinesTakeNoLiveLimits) {
  v1::Config config = BatchConfig();
  config.mutable_endpoints(0)->mutable_limits()->set_in_flight(1);
  config.mutable_endpoints(0)->mutable_limits()->set_requests_per_minute(60);
  Begin(config);
  Submit();
  EXPECT_THAT(lines_, SizeIs(19));
  EXPECT_EQ(d_->engine->LimitGroups(d_->instant())[0].in_flight(), 0);
}

TEST_F(EngineBatchesTest, SizesFollowTheConfiguration) {
  Begin(BatchConfig(/*max_lines=*/8));
  EXPECT_THAT(d_->tasks[1], SizeIs(3));
  EXPECT_THAT(d_->tasks[1].at(0).leases, SizeIs(8));
  EXPECT_THAT(d_->tasks[1].at(2).leases, SizeIs(3));
}

TEST_F(EngineBatchesTest, QueueLimitHoldsOverAllBatches) {
  // Each prompt is some 50 tokens.
  Begin(BatchConfig(0, /*queue_tokens=*/300));
  ASSERT_THAT(d_->tasks[1], SizeIs(1));
  const std::size_t first = d_->tasks[1].at(0).leases.size();
  EXPECT_GT(first, 0U);
  EXPECT_LT(first, 19U);
  Submit();
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  const SendBatchTask collect = End();
  for (const LeaseRecord& line : collect.leases) Report(1, line);
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_EQ(d_->TakeTask(1).task.step(), Task::SUBMIT);
}

TEST_F(EngineBatchesTest, BudgetCountsLinesAsInFlight) {
  shape_.budget_calls = 12;
  Begin();
  EXPECT_THAT(d_->tasks[1].at(0).leases, SizeIs(11));
}

TEST_F(EngineBatchesTest, DialectWithoutBatchesGoesLive) {
  Begin(BatchConfig(0, 0, "gemini"), v1::Job::AUTO);
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_THAT(d_->leases[1], SizeIs(4));
}

TEST_F(EngineBatchesTest, SubmitOfALostWorkerIsGivenAgainAfterItsTimeAndLooksFirst) {
  Begin();
  const SendBatchTask first = d_->TakeTask(1);
  d_->Connect(2, "workers/b");
  d_->Tell(WorkerDisconnected{1});
  Pass(seconds(300), {2});
  EXPECT_THAT(d_->tasks[2], IsEmpty()) << "it may still be creating it";
  Pass(seconds(80), {2});
  const SendBatchTask again = d_->TakeTask(2);
  EXPECT_EQ(again.task.step(), Task::SUBMIT);
  EXPECT_TRUE(again.task.may_exist());
  EXPECT_EQ(again.task.batch(), first.task.batch());
  EXPECT_EQ(again.leases.size(), first.leases.size());
  d_->SayBatch(2, again, Said::IN_PROGRESS, "b1");
  EXPECT_EQ(Only().state(), v1::Batch::SUBMITTED);
}

TEST_F(EngineBatchesTest, CreationThatOutlivedItsSessionIsBelieved) {
  Begin();
  const SendBatchTask task = d_->TakeTask(1);
  d_->Tell(WorkerDisconnected{1});
  d_->Connect(2);
  d_->SayBatch(2, task, Said::IN_PROGRESS, "b1");
  EXPECT_EQ(Only().provider_batch(), "b1");
}

TEST_F(EngineBatchesTest, RestartGoesOnWithItsBatches) {
  Begin();
  Submit();
  d_->Restart();
  d_->Connect(3);
  EXPECT_EQ(Only().provider_batch(), "b1");
  const SendBatchTask poll = d_->TakeTask(3);
  EXPECT_EQ(poll.task.step(), Task::POLL);
  d_->SayBatch(3, poll, Said::ENDED);
  SendBatchTask collect = d_->TakeTask(3);
  ASSERT_THAT(collect.leases, SizeIs(19));
  for (int i = 0; i < 9; ++i) Report(3, collect.leases[static_cast<std::size_t>(i)]);
  d_->Restart();
  d_->Connect(4);
  EXPECT_EQ(Only().lines_collected(), 9);
  collect = d_->TakeTask(4);
  EXPECT_EQ(collect.task.step(), Task::COLLECT);
  EXPECT_THAT(collect.leases, SizeIs(10)) << "only what is not here yet";
  for (const LeaseRecord& line : collect.leases) Report(4, line);
  d_->Restart();
  d_->Connect(5);
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
  EXPECT_EQ(Only().state(), v1::Batch::DONE);
}

TEST_F(EngineBatchesTest, RestartDoesNotKnowWhetherItWasCreated) {
  Begin();
  EXPECT_THAT(d_->tasks[1], SizeIs(1));
  d_->Restart();
  d_->Connect(2);
  EXPECT_THAT(d_->tasks[2], IsEmpty());
  Pass(seconds(380), {2});
  const SendBatchTask again = d_->TakeTask(2);
  EXPECT_TRUE(again.task.may_exist());
}

TEST_F(EngineBatchesTest, ResultsThatTwoWorkersReadAreAcknowledgedToBothAndCountOnce) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  d_->Connect(2, "workers/b");
  d_->commits = false;
  Report(1, collect.leases[0]);
  Report(2, collect.leases[0]);
  EXPECT_THAT(d_->acknowledged, SizeIs(1));
  d_->Commit();
  d_->commits = true;
  EXPECT_THAT(d_->acknowledged, SizeIs(3));
  // And once more, when it is no lease any more.
  Report(2, collect.leases[0]);
  EXPECT_THAT(d_->acknowledged, SizeIs(4));
  EXPECT_EQ(d_->Choices(job_).done(), 2);
}

TEST_F(EngineBatchesTest, ExpiredLinesGoAgainUnpaid) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  for (std::size_t i = 0; i < collect.leases.size(); ++i) {
    Report(1, collect.leases[i], i < 10 ? v1::Attempt::COMPLETED : v1::Attempt::NOT_SENT);
  }
  d_->SayBatch(1, collect, Said::COLLECTED);
  const SendBatchTask next = d_->TakeTask(1);
  EXPECT_EQ(next.task.step(), Task::SUBMIT);
  EXPECT_NE(next.task.batch(), collect.task.batch());
  EXPECT_THAT(next.leases, SizeIs(9));
  EXPECT_EQ(d_->Choices(job_).calls(), 11);
}

TEST_F(EngineBatchesTest, FailedLinesCountAsTriesAndGoInTheNextBatch) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  for (std::size_t i = 0; i < collect.leases.size(); ++i) {
    const bool fails = i >= 10;
    Report(1, collect.leases[i], fails ? v1::Attempt::FAILED : v1::Attempt::COMPLETED,
           fails ? v1::Attempt::SERVER_ERROR : kNoError);
  }
  EXPECT_THAT(d_->tasks[1], IsEmpty()) << "they wait for the end of this one";
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_THAT(d_->TakeTask(1).leases, SizeIs(9));
  EXPECT_EQ(d_->Choices(job_).calls(), 20);
}

TEST_F(EngineBatchesTest, FewThatAreLeftGoLiveWhereTheyMay) {
  Begin(BatchConfig(), v1::Job::AUTO);
  Submit();
  const SendBatchTask collect = End();
  for (std::size_t i = 0; i < collect.leases.size(); ++i) {
    Report(1, collect.leases[i], i < 10 ? v1::Attempt::COMPLETED : v1::Attempt::NOT_SENT);
  }
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_THAT(d_->leases[1], SizeIs(4));
  d_->Answer(1, v1::Attempt::COMPLETED);
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
}

TEST_F(EngineBatchesTest, RefusedBatchGivesItsCellsBackAndStopsTheEntryInTheEnd) {
  Begin();
  for (int i = 0; i < 3; ++i) {
    const SendBatchTask task = d_->TakeTask(1);
    ASSERT_THAT(task.leases, SizeIs(19));
    d_->SayBatch(1, task, Said::REFUSED, "", v1::Attempt::INVALID_REQUEST);
    EXPECT_THAT(d_->tasks[1], IsEmpty());
    Pass(seconds(20));
  }
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_EQ(State(), v1::Job::FAILED);
  EXPECT_THAT(d_->Reason(job_), HasSubstr("the provider refuses its batches: so it said"));
  EXPECT_EQ(d_->Choices(job_).calls(), 1);
  d_->Tell(JobResumed{job_});
  Pass(seconds(30));
  EXPECT_EQ(d_->TakeTask(1).task.step(), Task::SUBMIT);
}

TEST_F(EngineBatchesTest, RefusedBatchesMakeAutoGoLive) {
  Begin(BatchConfig(), v1::Job::AUTO);
  d_->SayBatch(1, d_->TakeTask(1), Said::REFUSED, "", v1::Attempt::NOT_FOUND);
  EXPECT_THAT(d_->leases[1], SizeIs(4));
  EXPECT_EQ(Only().state(), v1::Batch::REFUSED);
}

TEST_F(EngineBatchesTest, FullQueueIsWaitedFor) {
  Begin();
  d_->SayBatch(1, d_->TakeTask(1), Said::REFUSED, "", v1::Attempt::RATE_LIMITED);
  EXPECT_EQ(State(), v1::Job::RUNNING);
  Pass(seconds(59));
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  Pass(seconds(2));
  EXPECT_THAT(d_->tasks[1], SizeIs(1));
}

TEST_F(EngineBatchesTest, SpentCreditStopsTheEntryAndLeavesNothingBehind) {
  Begin();
  d_->SayBatch(1, d_->TakeTask(1), Said::ABSENT, "", v1::Attempt::QUOTA_EXHAUSTED);
  EXPECT_EQ(State(), v1::Job::FAILED);
  EXPECT_EQ(d_->Choices(job_).in_flight(), 0);
}

TEST_F(EngineBatchesTest, FailedStepIsTakenAgain) {
  Begin();
  Submit();
  Pass(seconds(60));
  d_->SayBatch(1, d_->TakeTask(1), Said::STATE_UNSPECIFIED, "b1", v1::Attempt::CONNECTION);
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_EQ(Only().error_text(), "so it said");
  Pass(seconds(2));
  EXPECT_EQ(d_->TakeTask(1).task.step(), Task::POLL);
}

TEST_F(EngineBatchesTest, CancelledJobCancelsItsBatchAndKeepsWhatIsPaid) {
  Begin();
  Submit();
  d_->Tell(JobCancelled{job_});
  const SendBatchTask cancel = d_->TakeTask(1);
  EXPECT_EQ(cancel.task.step(), Task::CANCEL);
  EXPECT_EQ(cancel.task.provider_batch(), "b1");
  EXPECT_FALSE(d_->engine->CheckDelete(job_).ok());
  d_->SayBatch(1, cancel, Said::IN_PROGRESS, "b1");
  const SendBatchTask collect = End();
  for (std::size_t i = 0; i < collect.leases.size(); ++i) {
    Report(1, collect.leases[i], i < 3 ? v1::Attempt::COMPLETED : v1::Attempt::NOT_SENT);
  }
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_EQ(State(), v1::Job::CANCELLED);
  EXPECT_EQ(d_->Choices(job_).done(), 4);
  EXPECT_TRUE(d_->engine->Settled(job_));
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_TRUE(d_->engine->CheckDelete(job_).ok());
  d_->Tell(JobDeleted{job_});
  EXPECT_THAT(d_->store.provider_batches(), IsEmpty());
}

TEST_F(EngineBatchesTest, BatchThatNobodyBeganIsWithdrawn) {
  Begin(BatchConfig());
  // The worker is lost, and so nobody is given the step of the next batch.
  Submit();
  const SendBatchTask collect = End();
  d_->commits = false;
  for (const LeaseRecord& line : collect.leases) Report(1, line, v1::Attempt::NOT_SENT);
  d_->Commit();
  d_->SayBatch(1, collect, Said::COLLECTED);
  d_->Tell(JobPaused{job_});
  d_->Commit();
  d_->commits = true;
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_EQ(d_->Choices(job_).in_flight(), 0);
}

TEST_F(EngineBatchesTest, PausedJobFindsOutWhetherItsBatchWasCreated) {
  Begin();
  const SendBatchTask submit = d_->TakeTask(1);
  d_->SayBatch(1, submit, Said::UNDECIDED, "", v1::Attempt::TIMEOUT);
  d_->Tell(JobPaused{job_});
  EXPECT_THAT(d_->tasks[1], IsEmpty()) << "what is under way is to settle first";
  Pass(seconds(80), {1});
  const SendBatchTask cancel = d_->TakeTask(1);
  EXPECT_EQ(cancel.task.step(), Task::CANCEL);
  EXPECT_TRUE(cancel.task.may_exist());
  d_->SayBatch(1, cancel, Said::ABSENT);
  EXPECT_EQ(d_->Choices(job_).in_flight(), 0);
  EXPECT_EQ(Only().state(), v1::Batch::DONE);
  d_->Tell(JobResumed{job_});
  EXPECT_EQ(d_->TakeTask(1).task.step(), Task::SUBMIT);
}

TEST_F(EngineBatchesTest, BatchThatVanishedMayHaveBeenPaid) {
  Begin();
  Submit();
  Pass(seconds(60));
  for (int i = 0; i < 3; ++i) {
    d_->SayBatch(1, d_->TakeTask(1), Said::ABSENT, "", v1::Attempt::NOT_FOUND);
    EXPECT_EQ(d_->Choices(job_).unknown_attempts(), i < 2 ? 0 : 19);
    Pass(seconds(50));
    if (i < 2) {
      EXPECT_THAT(d_->tasks[1], IsEmpty()) << "what is new is seen late";
    }
    Pass(seconds(20));
  }
  EXPECT_EQ(d_->Choices(job_).unknown_attempts(), 19);
  EXPECT_GT(d_->Choices(job_).unknown_money(), 0);
  EXPECT_EQ(d_->TakeTask(1).task.step(), Task::SUBMIT) << "its cells go again";
}

TEST_F(EngineBatchesTest, PollsSlowDownWithoutProgress) {
  Begin();
  Submit();
  Pass(seconds(60));
  d_->SayBatch(1, d_->TakeTask(1), Said::IN_PROGRESS, "b1");
  Pass(seconds(68));
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  Pass(seconds(10));
  EXPECT_THAT(d_->tasks[1], SizeIs(1));
}

}  // namespace
}  // namespace candor::engine
