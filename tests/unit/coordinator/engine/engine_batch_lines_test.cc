// What lines of batches say of their entry: no more than calls would that were made at once.
#include "tests/unit/coordinator/engine/batches_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace candor::engine {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Task = v1::BatchTask;
using Said = v1::BatchReport;

class BatchLinesTest : public EngineBatchesTest {
 protected:
  // The lines from `first` on are refused as they are, the others are answered, in this order.
  void ReportRefusals(const SendBatchTask& collect, std::size_t first) {
    for (std::size_t i = 0; i < collect.leases.size(); ++i) {
      const bool fails = i >= first;
      Report(1, collect.leases[i], fails ? v1::Attempt::FAILED : v1::Attempt::COMPLETED,
             fails ? v1::Attempt::INVALID_REQUEST : kNoError);
    }
  }
};

// OpenAI has the errors of a batch in a file of its own, which is read last.
TEST_F(BatchLinesTest, ErrorsThatAreReadTogetherDoNotStopAnEntryThatGetsReplies) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  ReportRefusals(collect, 9);
  EXPECT_EQ(State(), v1::Job::RUNNING);
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
  EXPECT_EQ(d_->Choices(job_).done(), 10);
  EXPECT_EQ(d_->Choices(job_).failed(), 10);
}

TEST_F(BatchLinesTest, ErrorsThatAreReadFirstDoNotEither) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  for (std::size_t i = 0; i < collect.leases.size(); ++i) {
    const bool fails = i < 10;
    Report(1, collect.leases[i], fails ? v1::Attempt::FAILED : v1::Attempt::COMPLETED,
           fails ? v1::Attempt::INVALID_REQUEST : kNoError);
  }
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
  EXPECT_EQ(d_->Choices(job_).failed(), 10);
}

TEST_F(BatchLinesTest, ABatchWithoutOneReplyStopsItsEntryWithItsCellsPending) {
  Begin(BatchConfig(/*max_lines=*/8));
  const SendBatchTask submit = d_->TakeTask(1);
  d_->SayBatch(1, submit, Said::IN_PROGRESS, "b1");
  const SendBatchTask second = d_->TakeTask(1);
  const SendBatchTask third = d_->TakeTask(1);
  d_->SayBatch(1, second, Said::REFUSED, "", v1::Attempt::RATE_LIMITED);
  d_->SayBatch(1, third, Said::REFUSED, "", v1::Attempt::RATE_LIMITED);
  const SendBatchTask collect = End();
  ReportRefusals(collect, 0);
  EXPECT_EQ(State(), v1::Job::RUNNING);
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_EQ(State(), v1::Job::FAILED);
  EXPECT_THAT(d_->Reason(job_), HasSubstr("stopped after 8 calls: so it said"));
  EXPECT_EQ(d_->Choices(job_).failed(), 0);
  d_->Tell(JobResumed{job_});
  EXPECT_EQ(State(), v1::Job::RUNNING);
}

TEST_F(BatchLinesTest, SoDoesABatchOfAllThatIsLeft) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  ReportRefusals(collect, 0);
  EXPECT_EQ(State(), v1::Job::RUNNING);
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_EQ(State(), v1::Job::FAILED);
  EXPECT_THAT(d_->Reason(job_), HasSubstr("stopped after 19 calls: so it said"));
  EXPECT_EQ(d_->Choices(job_).failed(), 0);
}

TEST_F(BatchLinesTest, AfterARestartTheLinesThatAreLeftStopNothing) {
  Begin();
  Submit();
  SendBatchTask collect = End();
  for (std::size_t i = 0; i < 9; ++i) Report(1, collect.leases[i]);
  d_->Restart();
  d_->Connect(2);
  collect = d_->TakeTask(2);
  ASSERT_THAT(collect.leases, SizeIs(10));
  for (const LeaseRecord& line : collect.leases) {
    Report(2, line, v1::Attempt::FAILED, v1::Attempt::INVALID_REQUEST);
  }
  d_->SayBatch(2, collect, Said::COLLECTED);
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
}

// Fewer cells of a kind than stop an entry, none of which can be asked.
TEST_F(BatchLinesTest, AKindThatIsRefusedHoldsUpNoOther) {
  d_ = std::make_unique<Driver>(BatchConfig());
  shape_.mode = v1::Job::BATCH;
  shape_.entries[0].reports = 1;
  job_ = d_->Create(shape_);
  d_->Connect(1);
  while (!d_->leases[1].empty()) {
    const LeaseRecord lease = d_->Take(1);
    const bool report = lease.cell.kind == v1::Cell::SELF_REPORT;
    Report(1, lease, report ? v1::Attempt::FAILED : v1::Attempt::COMPLETED,
           report ? v1::Attempt::INVALID_REQUEST : kNoError);
  }
  Submit();
  const SendBatchTask collect = End();
  ASSERT_THAT(collect.leases, SizeIs(19));
  for (const LeaseRecord& line : collect.leases) Report(1, line);
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_EQ(State(), v1::Job::SUCCEEDED);
  EXPECT_EQ(d_->Status(job_).progress(0).kinds(1).failed(), 2);
}

TEST_F(BatchLinesTest, AReplyWithoutUsageIsPaidAsALine) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  const std::int64_t before = d_->Choices(job_).money();
  engine::Report report = MakeReport(collect.leases[0], v1::Attempt::COMPLETED);
  report.report->mutable_attempt()->clear_usage();
  d_->Say(1, std::move(report));
  const std::int64_t line = d_->Choices(job_).money() - before;
  EXPECT_GT(line, 0);

  // The same, live.
  Driver live;
  live.Connect(1);
  const JobKey job = live.Create();
  report = MakeReport(live.Take(1), v1::Attempt::COMPLETED);
  report.report->mutable_attempt()->clear_usage();
  live.Say(1, std::move(report));
  EXPECT_EQ(line, live.Choices(job).money() / 4);
}

// What is said of a line whose fate was unknown takes its bound away, and no other's.
TEST_F(BatchLinesTest, ALateLineTakesAwayItsOwnBound) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  d_->SayBatch(1, collect, Said::COLLECTED);
  const std::int64_t bound = d_->Choices(job_).unknown_money();
  ASSERT_EQ(d_->Choices(job_).unknown_attempts(), 19);
  engine::Report report = MakeReport(collect.leases[0], v1::Attempt::COMPLETED);
  report.report->mutable_attempt()->set_batch(collect.task.batch());
  d_->Say(1, std::move(report));
  EXPECT_EQ(d_->Choices(job_).unknown_attempts(), 18);
  EXPECT_EQ(d_->Choices(job_).unknown_money(), bound / 19 * 18);
}

// After a restart two workers may have results that are durable, and whose words were lost.
TEST_F(BatchLinesTest, WhoeverHasAResultIsToldThatItIsDurable) {
  Begin();
  Submit();
  const SendBatchTask collect = End();
  Report(1, collect.leases[0]);
  d_->Connect(2, "workers/b");
  d_->acknowledged.clear();
  d_->answers_lookups = false;
  Report(1, collect.leases[0]);
  Report(2, collect.leases[0]);
  d_->Tell(AttemptsLookedUp{
      1, {collect.leases[0].attempt}, {{collect.leases[0].attempt, v1::Attempt::COMPLETED}}});
  EXPECT_THAT(d_->acknowledged, SizeIs(2));
}

TEST_F(BatchLinesTest, ResultsThatCannotBeHadHoldUpNoOtherBatch) {
  shape_.entries[0].trials = 60;
  Begin(BatchConfig(/*max_lines=*/8));
  for (int i = 0; i < 10; ++i) {
    d_->SayBatch(1, d_->TakeTask(1), Said::IN_PROGRESS, "b" + std::to_string(i));
  }
  ASSERT_THAT(d_->tasks[1], IsEmpty());
  Pass(seconds(60));
  for (int i = 0; i < 10; ++i) {
    d_->SayBatch(1, d_->TakeTask(1), i < 2 ? Said::ENDED : Said::IN_PROGRESS);
  }
  SendBatchTask failing = d_->TakeTask(1);
  const SendBatchTask collect = d_->TakeTask(1);
  for (int i = 0; i < 3; ++i) {
    d_->SayBatch(1, failing, Said::STATE_UNSPECIFIED, "b0", v1::Attempt::CONNECTION);
    if (i == 2) break;
    Pass(seconds(5));
    failing = d_->TakeTask(1);
  }
  ASSERT_EQ(collect.task.step(), Task::COLLECT);
  for (const LeaseRecord& line : collect.leases) Report(1, line);
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  d_->SayBatch(1, collect, Said::COLLECTED);
  EXPECT_EQ(d_->TakeTask(1).task.step(), Task::SUBMIT);
}

TEST_F(BatchLinesTest, ALineThatIsLargerThanABatchGoesAlone) {
  v1::Config config = BatchConfig();
  config.mutable_endpoints(0)->mutable_models(0)->mutable_batch()->set_max_bytes(10);
  Begin(config);
  EXPECT_THAT(d_->TakeTask(1).leases, SizeIs(1));
}

TEST_F(BatchLinesTest, SaysWhatTheNextBatchWaitsForAndWhatStepsFail) {
  Begin();
  d_->SayBatch(1, d_->TakeTask(1), Said::REFUSED, "", v1::Attempt::RATE_LIMITED);
  EXPECT_THAT(d_->Reason(job_), AllOf(HasSubstr("the next batch is made in 1m00s"),
                                      HasSubstr("because of the last: so it said")));
  EXPECT_EQ(d_->Status(job_).progress(0).wait_reason(), v1::PROVIDER_BATCH);
  Pass(seconds(61));
  Submit();
  Pass(seconds(60));
  d_->SayBatch(1, d_->TakeTask(1), Said::STATE_UNSPECIFIED, "b1", v1::Attempt::AUTHENTICATION);
  EXPECT_THAT(d_->Reason(job_), HasSubstr("the last step failed and is tried again: so it said"));
}

}  // namespace
}  // namespace candor::engine
