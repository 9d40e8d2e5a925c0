#include "worker/session/batch_desk.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace candor::session {
namespace {

namespace asio = boost::asio;
using ::testing::SizeIs;
using v1::BatchReport;
using v1::BatchTask;

v1::AttemptReport Result(int number) {
  v1::AttemptReport report;
  report.mutable_attempt()->set_id(fmt::format("{}", number));
  return report;
}

// Does what the test says.
class ScriptedRunner final : public batch::BatchRunner {
 public:
  using Script = std::function<asio::awaitable<void>(batch::BatchSink&, BatchReport&)>;
  asio::awaitable<BatchReport> Run(batch::BatchStart start, batch::BatchSink& sink) override {
    BatchReport report;
    report.set_batch(start.task.batch());
    report.set_step(start.task.step());
    co_await script(sink, report);
    co_return report;
  }
  Script script;
};

class BatchDeskTest : public ::testing::Test {
 protected:
  void Begin(BatchTask::Step step) {
    batch::BatchStart start;
    start.task.set_batch("batches/b");
    start.task.set_step(step);
    start.create_by = clock_.Now() + std::chrono::minutes(5);
    start.create_within = std::chrono::minutes(1);
    desk_.Begin(std::move(start));
    Run();
  }
  void Run() {
    io_.restart();
    io_.poll();
  }
  // All that can be sent now.
  std::vector<v1::ConnectRequest> Sent() {
    std::vector<v1::ConnectRequest> messages;
    for (v1::ConnectRequest message; desk_.Next(&message); message.Clear()) {
      messages.push_back(message);
    }
    return messages;
  }
  void AcknowledgeAll(const std::vector<v1::ConnectRequest>& messages) {
    v1::Acknowledgement acknowledgement;
    for (const v1::ConnectRequest& message : messages) {
      for (const auto& report : message.reports().reports()) {
        acknowledgement.add_attempt_ids(report.attempt().id());
      }
    }
    desk_.Acknowledge(acknowledgement);
    Run();
  }

  asio::io_context io_{1};
  ScriptedRunner runner_;
  int changes_ = 0;
  ManualClock clock_;
  BatchDesk desk_{io_.get_executor(), &runner_, clock_, [this] { ++changes_; }};
};

TEST_F(BatchDeskTest, ResultsGoUpAndThenTheReport) {
  runner_.script = [](batch::BatchSink& sink, BatchReport& report) -> asio::awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const bool goes_on = co_await sink.Take(Result(i));
      EXPECT_TRUE(goes_on);
    }
    const bool all = co_await sink.Flush();
    EXPECT_TRUE(all);
    report.set_state(BatchReport::COLLECTED);
  };
  Begin(BatchTask::COLLECT);
  EXPECT_GT(changes_, 0);
  const auto results = Sent();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].reports().reports_size(), 3);
  EXPECT_EQ(desk_.running(), 1U) << "waits for their acknowledgement";
  AcknowledgeAll(results);
  const auto report = Sent();
  ASSERT_THAT(report, SizeIs(1));
  EXPECT_EQ(report[0].batch_report().state(), BatchReport::COLLECTED);
  EXPECT_EQ(desk_.running(), 0U);
}

TEST_F(BatchDeskTest, ManyResultsWaitForTheirTurn) {
  int taken = 0;
  runner_.script = [&](batch::BatchSink& sink, BatchReport&) -> asio::awaitable<void> {
    for (; taken < 5'000; ++taken) {
      const bool goes_on = co_await sink.Take(Result(taken));
      if (!goes_on) co_return;
    }
    co_await sink.Flush();
  };
  Begin(BatchTask::COLLECT);
  EXPECT_LT(taken, 2'000);
  int rounds = 0;
  while (desk_.running() > 0 && ++rounds < 100) AcknowledgeAll(Sent());
  EXPECT_EQ(taken, 5'000);
}

TEST_F(BatchDeskTest, LargeResultsWaitSooner) {
  runner_.script = [&](batch::BatchSink& sink, BatchReport&) -> asio::awaitable<void> {
    for (int i = 0; i < 50; ++i) {
      v1::AttemptReport report = Result(i);
      report.mutable_outcome()->set_raw_text(std::string(std::size_t{1} << 20U, 'x'));
      co_await sink.Take(std::move(report));
    }
  };
  Begin(BatchTask::COLLECT);
  std::size_t results = 0;
  while (desk_.running() > 0 || desk_.has_next()) {
    const auto sent = Sent();
    ASSERT_THAT(sent, testing::Not(testing::IsEmpty()));
    EXPECT_LE(sent.size(), 17U) << "a megabyte each";
    for (const v1::ConnectRequest& message : sent) {
      results += static_cast<std::size_t>(message.reports().reports_size());
    }
    AcknowledgeAll(sent);
  }
  EXPECT_EQ(results, 50U);
}

TEST_F(BatchDeskTest, StepEndsWithItsStream) {
  bool ended = false;
  runner_.script = [&](batch::BatchSink& sink, BatchReport& report) -> asio::awaitable<void> {
    co_await sink.Take(Result(1));
    const bool all = co_await sink.Flush();
    EXPECT_FALSE(all);
    EXPECT_TRUE(sink.stopped());
    report.set_provider_batch("b1");
    ended = true;
  };
  Begin(BatchTask::COLLECT);
  desk_.Close();
  Run();
  EXPECT_TRUE(ended);
  EXPECT_EQ(desk_.running(), 0U);
  EXPECT_THAT(Sent(), SizeIs(0)) << "it is given out again";
}

TEST_F(BatchDeskTest, CreationIsToldOfOnTheNextStream) {
  asio::steady_timer answer(io_, asio::steady_timer::time_point::max());
  runner_.script = [&](batch::BatchSink&, BatchReport& report) -> asio::awaitable<void> {
    boost::system::error_code ignored;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await answer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    report.set_provider_batch("b1");
    report.set_state(BatchReport::IN_PROGRESS);
  };
  Begin(BatchTask::SUBMIT);
  desk_.Close();
  Run();
  EXPECT_EQ(desk_.running(), 1U);
  answer.cancel();
  Run();
  const auto sent = Sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].batch_report().provider_batch(), "b1");
}

// The coordinator that starts anew need not wait for a creation that is not to come.
TEST_F(BatchDeskTest, SubmitThatBrokeOffIsToldOfOnTheNextStreamWithinItsTime) {
  runner_.script = [](batch::BatchSink& sink, BatchReport& report) -> asio::awaitable<void> {
    co_await sink.Take(Result(1));
    const bool all = co_await sink.Flush();
    EXPECT_FALSE(all);
    report.set_state(BatchReport::ABSENT);
  };
  Begin(BatchTask::SUBMIT);
  desk_.Close();
  Run();
  EXPECT_EQ(desk_.running(), 0U);
  clock_.Advance(std::chrono::minutes(6));
  const auto sent = Sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].batch_report().state(), BatchReport::ABSENT);
  // Later, another worker may have been given it.
  Begin(BatchTask::SUBMIT);
  desk_.Close();
  Run();
  clock_.Advance(std::chrono::minutes(6) + Duration(1));
  EXPECT_FALSE(desk_.has_next());
  EXPECT_THAT(Sent(), SizeIs(0));
}

TEST_F(BatchDeskTest, ReportOfASubmitOutlivesTheStreamThatItCouldNotTake) {
  runner_.script = [](batch::BatchSink&, BatchReport& report) -> asio::awaitable<void> {
    report.set_state(BatchReport::ABSENT);
    co_return;
  };
  Begin(BatchTask::SUBMIT);
  Begin(BatchTask::POLL);
  desk_.Close();
  ASSERT_THAT(Sent(), SizeIs(1));
  // On its own stream a report is waited for, however late it is.
  Begin(BatchTask::SUBMIT);
  clock_.Advance(std::chrono::hours(1));
  EXPECT_THAT(Sent(), SizeIs(1));
}

TEST_F(BatchDeskTest, WorkerThatEndsSaysHowItsStepsWent) {
  runner_.script = [&](batch::BatchSink& sink, BatchReport& report) -> asio::awaitable<void> {
    co_await sink.Take(Result(1));
    co_await sink.Flush();
    report.set_state(BatchReport::ABSENT);
  };
  Begin(BatchTask::SUBMIT);
  desk_.Stop();
  Run();
  EXPECT_EQ(desk_.running(), 0U);
  const auto sent = Sent();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[1].batch_report().state(), BatchReport::ABSENT);
}

// The coordinator may have sent it before it heard that the worker is to end.
TEST_F(BatchDeskTest, StepThatComesToAWorkerThatEndsIsHandedBack) {
  bool stopped = false;
  runner_.script = [&](batch::BatchSink& sink, BatchReport&) -> asio::awaitable<void> {
    stopped = sink.stopped();
    co_return;
  };
  desk_.Stop();
  Begin(BatchTask::COLLECT);
  EXPECT_TRUE(stopped);
  EXPECT_THAT(Sent(), SizeIs(1)) << "said, so that another takes it";
  EXPECT_EQ(desk_.running(), 0U);
}

}  // namespace
}  // namespace candor::session
