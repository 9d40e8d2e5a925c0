// A job whose choices go in a provider's batch, and the steps that every test of batches takes.
#pragma once

#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace candor::engine {

inline constexpr v1::Attempt::ErrorClass kNoError = v1::Attempt::ERROR_CLASS_UNSPECIFIED;

inline v1::Config BatchConfig(int max_lines = 0, std::int64_t queue_tokens = 0,
                              const std::string& dialect = "openai") {
  v1::Config config = MakeConfig();
  config.mutable_endpoints(0)->set_dialect(dialect);
  v1::ModelRule& rule = *config.mutable_endpoints(0)->mutable_models(0);
  rule.mutable_batch()->set_max_lines(max_lines);
  rule.mutable_batch()->set_queue_tokens(queue_tokens);
  rule.mutable_price()->set_batch(0.25);
  return config;
}

class EngineBatchesTest : public ::testing::Test {
 protected:
  // A job of 20 choices whose first one is answered: the others are in a batch.
  void Begin(v1::Config config = BatchConfig(), v1::Job::Mode mode = v1::Job::BATCH) {
    d_ = std::make_unique<Driver>(std::move(config));
    shape_.mode = mode;
    job_ = d_->Create(shape_);
    d_->Connect(1);
    ASSERT_THAT(d_->leases[1], testing::SizeIs(1)) << "the first call goes alone, live";
    d_->Answer(1, v1::Attempt::COMPLETED, kNoError, 1);
  }
  // Time passes, and workers say that they live.
  void Pass(Duration time, const std::vector<SessionId>& sessions = {1}) {
    for (const TimePoint end = d_->now + time; d_->now < end;) {
      for (const SessionId session : sessions) d_->Tell(WorkerHeartbeat{session, 4, false});
      d_->Advance(std::min<Duration>(std::chrono::seconds(10), end - d_->now));
    }
  }
  // The batch of Begin is at the provider as "b1".
  void Submit() {
    const SendBatchTask task = d_->TakeTask(1);
    ASSERT_EQ(task.task.step(), v1::BatchTask::SUBMIT);
    lines_ = task.leases;
    d_->SayBatch(1, task, v1::BatchReport::IN_PROGRESS, "b1");
  }
  // It has ended, and its COLLECT is given to session 1.
  SendBatchTask End() {
    Pass(std::chrono::seconds(60));
    const SendBatchTask poll = d_->TakeTask(1);
    EXPECT_EQ(poll.task.step(), v1::BatchTask::POLL);
    EXPECT_EQ(poll.task.provider_batch(), "b1");
    d_->SayBatch(1, poll, v1::BatchReport::ENDED, "b1");
    SendBatchTask collect = d_->TakeTask(1);
    EXPECT_EQ(collect.task.step(), v1::BatchTask::COLLECT);
    return collect;
  }
  void Report(SessionId session, const LeaseRecord& line,
              v1::Attempt::State state = v1::Attempt::COMPLETED,
              v1::Attempt::ErrorClass error_class = kNoError) {
    d_->Say(session, MakeReport(line, state, error_class));
  }
  v1::Batch Only() {
    const std::vector<v1::Batch> batches = d_->engine->Batches(job_);
    EXPECT_THAT(batches, testing::SizeIs(1));
    return batches.empty() ? v1::Batch() : batches[0];
  }
  v1::Job::State State() { return d_->Status(job_).state(); }

  JobShape shape_;
  std::unique_ptr<Driver> d_;
  JobKey job_ = 0;
  std::vector<LeaseRecord> lines_;
};

}  // namespace candor::engine
