// What is left over from batches: when it makes another one, and what it waits for.
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

class BatchLeftoversTest : public EngineBatchesTest {
 protected:
  // The results of `collect`: the first `back` lines were not run.
  void Collect(const SendBatchTask& collect, std::size_t back) {
    ASSERT_EQ(collect.task.step(), Task::COLLECT);
    for (std::size_t i = 0; i < collect.leases.size(); ++i) {
      Report(1, collect.leases[i], i < back ? v1::Attempt::NOT_SENT : v1::Attempt::COMPLETED);
    }
    d_->SayBatch(1, collect, Said::COLLECTED);
  }
  // Of two batches, of 10 lines and of 9, the first ends and gives `back` lines back. The step of
  // the second one, a POLL.
  SendBatchTask EndFirstOfTwo(std::size_t back) {
    Begin(BatchConfig(/*max_lines=*/10));
    EXPECT_THAT(d_->tasks[1], SizeIs(2));
    for (int i = 0; i < 2; ++i) {
      d_->SayBatch(1, d_->TakeTask(1), Said::IN_PROGRESS, "b" + std::to_string(i));
    }
    Pass(seconds(60));
    EXPECT_THAT(d_->tasks[1], SizeIs(2));
    const SendBatchTask first = d_->TakeTask(1);
    SendBatchTask second = d_->TakeTask(1);
    d_->SayBatch(1, first, Said::ENDED);
    Collect(d_->TakeTask(1), back);
    return second;
  }
};

TEST_F(BatchLeftoversTest, CrumbsWaitForTheOtherBatches) {
  const SendBatchTask second = EndFirstOfTwo(/*back=*/3);
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_THAT(d_->Reason(job_), HasSubstr("1 batch of 9 lines at the provider, 0 done; 3 cells "
                                          "wait for the next batch"));
  d_->SayBatch(1, second, Said::ENDED);
  Collect(d_->TakeTask(1), 1);
  const SendBatchTask next = d_->TakeTask(1);
  EXPECT_EQ(next.task.step(), Task::SUBMIT);
  EXPECT_THAT(next.leases, SizeIs(4));
}

TEST_F(BatchLeftoversTest, HalfABatchIsWorthOne) {
  EndFirstOfTwo(/*back=*/5);
  const SendBatchTask next = d_->TakeTask(1);
  EXPECT_EQ(next.task.step(), Task::SUBMIT);
  EXPECT_THAT(next.leases, SizeIs(5));
}

// What a call may cost is more than what it costs: each result leaves room for another line.
TEST_F(BatchLeftoversTest, BudgetThatIsFreedMakesNoCrumbs) {
  shape_.entries[0].trials = 60;
  shape_.budget_calls = 40;
  Begin(BatchConfig(/*max_lines=*/20));
  ASSERT_THAT(d_->tasks[1], SizeIs(2));
  EXPECT_THAT(d_->tasks[1].at(0).leases, SizeIs(20));
  EXPECT_THAT(d_->tasks[1].at(1).leases, SizeIs(19));
  for (int i = 0; i < 2; ++i) {
    d_->SayBatch(1, d_->TakeTask(1), Said::IN_PROGRESS, "b" + std::to_string(i));
  }
  Pass(seconds(60));
  const SendBatchTask first = d_->TakeTask(1);
  d_->SayBatch(1, first, Said::ENDED);
  const SendBatchTask second = d_->TakeTask(1);
  Collect(d_->TakeTask(1), 6);
  EXPECT_THAT(d_->tasks[1], IsEmpty()) << "room for 6 of 20 lines";
  d_->SayBatch(1, second, Said::ENDED);
  Collect(d_->TakeTask(1), 2);
  EXPECT_THAT(d_->TakeTask(1).leases, SizeIs(8));
}

TEST_F(BatchLeftoversTest, FewGoLiveAlsoAfterAStepThatFailed) {
  Begin(BatchConfig(), v1::Job::AUTO);
  Submit();
  SendBatchTask collect = End();
  for (std::size_t i = 0; i < 17; ++i) {
    Report(1, collect.leases[i], i < 4 ? v1::Attempt::FAILED : v1::Attempt::COMPLETED,
           i < 4 ? v1::Attempt::SERVER_ERROR : kNoError);
  }
  d_->SayBatch(1, collect, Said::STATE_UNSPECIFIED, "b1", v1::Attempt::CONNECTION);
  EXPECT_THAT(d_->tasks[1], IsEmpty()) << "what it gives back comes soon";
  EXPECT_THAT(d_->leases[1], IsEmpty());
  Pass(seconds(2));
  collect = d_->TakeTask(1);
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_THAT(collect.leases, SizeIs(2));
  Collect(collect, 0);
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_THAT(d_->leases[1], SizeIs(4));
}

TEST_F(BatchLeftoversTest, FewGoLiveWhenTheRestCannotBeHad) {
  Begin(BatchConfig(), v1::Job::AUTO);
  Submit();
  SendBatchTask collect = End();
  for (std::size_t i = 0; i < 4; ++i) Report(1, collect.leases[i], v1::Attempt::NOT_SENT);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(d_->leases[1], IsEmpty());
    d_->SayBatch(1, collect, Said::STATE_UNSPECIFIED, "b1", v1::Attempt::CONNECTION);
    if (i == 2) break;
    Pass(seconds(5));
    collect = d_->TakeTask(1);
    EXPECT_EQ(collect.task.step(), Task::COLLECT);
  }
  EXPECT_THAT(d_->tasks[1], IsEmpty());
  EXPECT_THAT(d_->leases[1], SizeIs(4));
}

TEST_F(BatchLeftoversTest, SaysThatCellsWaitForTheQueue) {
  Begin(BatchConfig(0, /*queue_tokens=*/300));
  const std::size_t rest = 19 - d_->tasks[1].at(0).leases.size();
  Submit();
  EXPECT_THAT(d_->Reason(job_),
              HasSubstr(std::to_string(rest) +
                        " cells wait for room in the provider's queue of 300 tokens"));
}

}  // namespace
}  // namespace candor::engine
