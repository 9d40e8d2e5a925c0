#include "worker/batch/batch_runner.h"

#include "common/base/time_proto.h"
#include "tests/unit/worker/batch/batch_fixture.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace candor::batch {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string OpenAiBatch(const std::string& id, const std::string& status,
                        const std::string& token = "", const std::string& more = "") {
  return fmt::format(
      R"({{"id":"{}","object":"batch","status":"{}","created_at":4000000000,
          "metadata":{{"candor_batch":"{}"}},
          "request_counts":{{"total":3,"completed":2,"failed":0}}{}}})",
      id, status, token, more);
}

TEST_F(BatchRunnerTest, CreatesFromAnUploadedFile) {
  http_.replies["POST /v1/files"] = {{.body = R"({"id":"file-1"})"}};
  http_.replies["POST /v1/batches"] = {{.body = OpenAiBatch("batch_1", "validating")}};
  const BatchReport report = Run(BatchTask::SUBMIT);
  EXPECT_EQ(report.state(), BatchReport::IN_PROGRESS);
  EXPECT_EQ(report.provider_batch(), "batch_1");
  EXPECT_EQ(report.provider_state(), "validating");
  ASSERT_THAT(http_.calls, SizeIs(2)) << "nothing is looked for that cannot be there";
  const net::HttpRequest& upload = http_.calls[0];
  EXPECT_EQ(upload.headers.Find("authorization"), std::string("Bearer ") + kKey);
  EXPECT_THAT(upload.body,
              HasSubstr("filename=\"candor-batches-00000001-0000010000000007.jsonl\""));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(upload.body, HasSubstr("{\"custom_id\":\"" + Id(i) + "\""));
  }
  EXPECT_THAT(http_.calls[1].body, HasSubstr("\"input_file_id\":\"file-1\""));
  EXPECT_THAT(http_.calls[1].body, HasSubstr(kToken));
}

// Ten batches of an entry are decided on in a row, and each input may have a hundred megabytes.
TEST_F(BatchRunnerTest, HasOneInputInMemoryAtATime) {
  http_.replies["POST /v1/files"] = {{.body = R"({"id":"file-1"})"}};
  http_.replies["POST /v1/batches"] = {{.body = OpenAiBatch("batch_1", "validating")}};
  start_.task.set_step(BatchTask::SUBMIT);
  asio::io_context io(1);
  asio::steady_timer hold(io, asio::steady_timer::time_point::max());
  http_.hold = &hold;
  const auto runner = MakeBatchRunner(*endpoints_, http_, clock_);
  Sink others;
  std::vector<BatchReport::State> ended;
  const auto begin = [&](BatchSink& sink) {
    asio::co_spawn(io, runner->Run(start_, sink),
                   [&](const std::exception_ptr& error, const BatchReport& report) {
                     EXPECT_FALSE(error);
                     ended.push_back(report.state());
                   });
  };
  for (int i = 0; i < 3; ++i) begin(sink_);
  begin(others);
  io.poll();
  EXPECT_EQ(http_.Count("POST /v1/files"), 1);
  // Who is stopped while it waits is not waited for.
  others.stop = true;
  for (int uploads = 1; uploads <= 3; ++uploads) {
    EXPECT_EQ(http_.Count("POST /v1/files"), uploads);
    hold.cancel();
    io.poll();
  }
  http_.hold = nullptr;
  hold.cancel();
  io.run();
  EXPECT_THAT(ended,
              testing::UnorderedElementsAre(BatchReport::ABSENT, BatchReport::IN_PROGRESS,
                                            BatchReport::IN_PROGRESS, BatchReport::IN_PROGRESS));
}

// A worker whose grace has passed ends while a batch is being created: the runner goes, and what
// waited with the executor goes after it, the step with its turn among it.
TEST_F(BatchRunnerTest, StepUnderWayMayOutlastItsRunner) {
  start_.task.set_step(BatchTask::SUBMIT);
  bool ended = false;
  {
    asio::io_context io(1);
    asio::steady_timer hold(io, asio::steady_timer::time_point::max());
    http_.hold = &hold;
    const auto runner = MakeBatchRunner(*endpoints_, http_, clock_);
    for (int i = 0; i < 2; ++i) {
      asio::co_spawn(io, runner->Run(start_, sink_),
                     [&](const std::exception_ptr&, const BatchReport&) { ended = true; });
    }
    io.poll();
    EXPECT_EQ(http_.Count("POST /v1/files"), 1) << "one has its turn, and the other waits for it";
  }
  http_.hold = nullptr;
  EXPECT_FALSE(ended);
}

TEST_F(BatchRunnerTest, FileThatIsNotSeenYetIsTriedAgain) {
  http_.replies["POST /v1/files"] = {{.body = R"({"id":"file-1"})"}};
  http_.replies["POST /v1/batches"] = {
      {.status = 400, .body = R"({"error":{"message":"No such File object: file-1"}})"},
      {.body = OpenAiBatch("batch_1", "validating")}};
  EXPECT_EQ(Run(BatchTask::SUBMIT).state(), BatchReport::IN_PROGRESS);
}

TEST_F(BatchRunnerTest, AdoptsWhatIsThere) {
  start_.task.set_may_exist(true);
  http_.replies["GET /v1/batches"] = {
      {.body = fmt::format(R"({{"data":[{}],"has_more":true}})",
                           OpenAiBatch("batch_9", "in_progress", "batches/another"))},
      {.body = fmt::format(R"({{"data":[{}],"has_more":true}})",
                           OpenAiBatch("batch_1", "in_progress", kToken))}};
  const BatchReport report = Run(BatchTask::SUBMIT);
  EXPECT_EQ(report.state(), BatchReport::IN_PROGRESS);
  EXPECT_EQ(report.provider_batch(), "batch_1");
  EXPECT_EQ(report.lines_done(), 2);
  EXPECT_EQ(http_.Count("POST /v1/batches"), 0);
  EXPECT_THAT(http_.calls[1].target, HasSubstr("after=batch_9"));
}

TEST_F(BatchRunnerTest, LooksNoFurtherBackThanItsOwnCreation) {
  start_.task.set_may_exist(true);
  std::string old = OpenAiBatch("batch_old", "completed", "batches/another");
  old.replace(old.find("4000000000"), 10, "1000000000");
  *start_.task.mutable_create_time() = ToProto(WallTime(std::chrono::hours(1'000'000)));
  http_.replies["GET /v1/batches"] = {
      {.body = fmt::format(R"({{"data":[{}],"has_more":true}})", old)}};
  http_.replies["POST /v1/files"] = {{.body = R"({"id":"file-1"})"}};
  http_.replies["POST /v1/batches"] = {{.body = OpenAiBatch("batch_1", "validating")}};
  EXPECT_EQ(Run(BatchTask::SUBMIT).provider_batch(), "batch_1");
  EXPECT_EQ(http_.Count("GET /v1/batches"), 1);
}

TEST_F(BatchRunnerTest, SearchThatFailsCreatesNothing) {
  start_.task.set_may_exist(true);
  http_.replies["GET /v1/batches"] = {{.status = 500, .body = "{}"}};
  EXPECT_EQ(Run(BatchTask::SUBMIT).state(), BatchReport::UNDECIDED);
  EXPECT_THAT(http_.calls, SizeIs(1));
}

// A server without a batch API, when a step is given that may have been tried there before.
TEST_F(BatchRunnerTest, SearchWhereNoBatchesAreListedSaysSo) {
  start_.task.set_may_exist(true);
  for (const int status : {404, 405, 501}) {
    for (const BatchTask::Step step : {BatchTask::SUBMIT, BatchTask::CANCEL}) {
      http_.replies["GET /v1/batches"] = {
          {.status = status, .body = R"({"error":{"message":"Not Found"}})"}};
      const BatchReport report = Run(step);
      EXPECT_EQ(report.state(), BatchReport::UNDECIDED);
      EXPECT_EQ(report.error_class(), Attempt::NOT_FOUND);
      EXPECT_EQ(report.error_text(), fmt::format("GET /v1/batches answered {}: Not Found", status));
    }
  }
  EXPECT_EQ(http_.Count("POST /v1/files"), 0);
  // Who shows one page has batches.
  http_.replies["GET /v1/batches"] = {
      {.body = fmt::format(R"({{"data":[{}],"has_more":true}})",
                           OpenAiBatch("batch_9", "in_progress", "batches/another"))},
      {.status = 404, .body = "{}"}};
  const BatchReport report = Run(BatchTask::SUBMIT);
  EXPECT_EQ(report.state(), BatchReport::UNDECIDED);
  EXPECT_NE(report.error_class(), Attempt::NOT_FOUND);
}

TEST_F(BatchRunnerTest, WhatACreationComesTo) {
  const struct {
    FakeProvider::Reply reply;
    BatchReport::State state;
  } cases[] = {
      {{.status = 400, .body = R"({"error":{"message":"no"}})"}, BatchReport::REFUSED},
      {{.status = 401, .body = "{}"}, BatchReport::REFUSED},
      {{.status = 405, .body = "{}"}, BatchReport::REFUSED},
      {{.status = 501, .body = "{}"}, BatchReport::REFUSED},
      {{.status = 302, .body = "<html>"}, BatchReport::REFUSED},
      {{.status = 429, .body = "{}"}, BatchReport::ABSENT},
      // Of a gateway that gave up waiting, or of a provider that does not say what it did.
      {{.status = 408, .body = "{}"}, BatchReport::UNDECIDED},
      {{.status = 409, .body = "{}"}, BatchReport::UNDECIDED},
      {{.status = 425, .body = "{}"}, BatchReport::UNDECIDED},
      {{.status = 499, .body = "{}"}, BatchReport::UNDECIDED},
      {{.status = 429, .body = R"({"error":{"code":"insufficient_quota"}})"}, BatchReport::ABSENT},
      {{.status = 500, .body = "{}"}, BatchReport::UNDECIDED},
      {{.body = "<html>"}, BatchReport::UNDECIDED},
      {{.failure = net::HttpFailure::kTotalTimeout}, BatchReport::UNDECIDED},
      {{.failure = net::HttpFailure::kConnect, .written = false}, BatchReport::ABSENT},
  };
  for (const auto& one : cases) {
    http_.replies["POST /v1/files"] = {{.body = R"({"id":"file-1"})"}};
    http_.replies["POST /v1/batches"] = {one.reply};
    EXPECT_EQ(Run(BatchTask::SUBMIT).state(), one.state) << one.reply.status << one.reply.body;
  }
}

TEST_F(BatchRunnerTest, ServerWithoutFilesRefuses) {
  const BatchReport report = Run(BatchTask::SUBMIT);
  EXPECT_EQ(report.state(), BatchReport::REFUSED);
  EXPECT_EQ(report.error_class(), Attempt::NOT_FOUND);
  EXPECT_EQ(report.error_text(), "POST /v1/files answered 404: no such path");
}

TEST_F(BatchRunnerTest, ServerThatDoesNotTakeFilesRefuses) {
  for (const int status : {405, 501}) {
    http_.replies["POST /v1/files"] = {{.status = status, .body = "{}"}};
    const BatchReport report = Run(BatchTask::SUBMIT);
    EXPECT_EQ(report.state(), BatchReport::REFUSED) << status;
    EXPECT_EQ(report.error_class(), Attempt::NOT_FOUND) << status;
  }
}

TEST_F(BatchRunnerTest, LateCreationIsNotMade) {
  start_.create_by = clock_.Now() - Duration(1);
  EXPECT_EQ(Run(BatchTask::SUBMIT).state(), BatchReport::ABSENT);
  EXPECT_THAT(http_.calls, IsEmpty());
}

TEST_F(BatchRunnerTest, StoppedStepCreatesNothing) {
  sink_.stop = true;
  EXPECT_EQ(Run(BatchTask::SUBMIT).state(), BatchReport::ABSENT);
  EXPECT_THAT(http_.calls, IsEmpty());
}

TEST_F(BatchRunnerTest, JobWithoutSpecificationIsHandedBack) {
  start_.job = nullptr;
  start_.error = "it has not come";
  EXPECT_EQ(Run(BatchTask::SUBMIT).state(), BatchReport::ABSENT);
  EXPECT_EQ(Run(BatchTask::POLL).state(), BatchReport::STATE_UNSPECIFIED);
}

TEST_F(BatchRunnerTest, Polls) {
  start_.task.set_provider_batch("batch_1");
  auto& replies = http_.replies["GET /v1/batches/batch_1"];
  replies = {{.body = OpenAiBatch("batch_1", "in_progress")}};
  BatchReport report = Run(BatchTask::POLL);
  EXPECT_EQ(report.state(), BatchReport::IN_PROGRESS);
  EXPECT_EQ(report.lines_done(), 2);
  replies = {{.body = OpenAiBatch("batch_1", "expired")}};
  EXPECT_EQ(Run(BatchTask::POLL).state(), BatchReport::ENDED);
  replies = {{.body = OpenAiBatch("batch_1", "failed", "",
                                  R"(,"errors":{"data":[{"code":"token_limit_exceeded"}]})")}};
  report = Run(BatchTask::POLL);
  EXPECT_EQ(report.state(), BatchReport::REFUSED);
  EXPECT_EQ(report.error_class(), Attempt::RATE_LIMITED);
  replies = {{.status = 404, .body = "{}"}};
  EXPECT_EQ(Run(BatchTask::POLL).state(), BatchReport::ABSENT);
  replies = {{.status = 503, .body = "{}"}};
  EXPECT_EQ(Run(BatchTask::POLL).state(), BatchReport::STATE_UNSPECIFIED);
}

std::string Answered(const std::string& id, const std::string& text) {
  return fmt::format(
      R"({{"custom_id":"{}","response":{{"status_code":200,"request_id":"r","body":{{"choices":)"
      R"([{{"message":{{"content":"{}"}},"finish_reason":"stop"}}],"model":"m-2",)"
      R"("usage":{{"prompt_tokens":90,"completion_tokens":1}}}}}},"error":null}})"
      "\n",
      id, text);
}

TEST_F(BatchRunnerTest, CollectsAnswersAndErrorsAsLiveCallsWouldBe) {
  start_.task.set_provider_batch("batch_1");
  http_.replies["GET /v1/batches/batch_1"] = {
      {.body = OpenAiBatch("batch_1", "completed", "",
                           R"(,"output_file_id":"file-o","error_file_id":"file-e")")}};
  // Order is not that of the input; there are strangers, nonsense and repetitions.
  http_.replies["GET /v1/files/file-o/content"] = {
      {.body = Answered(Id(2), "B") + "\n{\"custom_id\": 7}\n<html>\n" + Answered("other", "A") +
               Answered(Id(0), std::string("A ") + kKey) + Answered(Id(0), "A")}};
  http_.replies["GET /v1/files/file-e/content"] = {
      {.body = fmt::format(R"({{"custom_id":"{}","response":{{"status_code":400,"body":)"
                           R"({{"error":{{"message":"so it said"}}}}}},"error":null}})",
                           Id(1))}};
  const BatchReport report = Run(BatchTask::COLLECT);
  EXPECT_EQ(report.state(), BatchReport::COLLECTED);
  EXPECT_EQ(sink_.flushes, 1);
  for (const net::HttpRequest& call : http_.calls) {
    EXPECT_GT(call.timeouts.total.count(), 0) << "a body that drips ends: " << call.target;
  }
  ASSERT_THAT(sink_.taken, SizeIs(3));
  const v1::AttemptReport& first = sink_.taken[0];
  EXPECT_EQ(first.attempt().id(), Id(2));
  EXPECT_EQ(first.attempt().state(), Attempt::COMPLETED);
  EXPECT_EQ(first.attempt().batch(), kToken);
  EXPECT_EQ(first.attempt().provider_request_id(), "r");
  EXPECT_EQ(first.attempt().usage().input_tokens(), 90);
  EXPECT_EQ(first.outcome().choice(), v1::Outcome::B);
  EXPECT_EQ(first.outcome().index(), 2U);
  EXPECT_EQ(first.outcome().served_model(), "m-2");
  EXPECT_THAT(first.outcome().prompt_hash(), SizeIs(64));
  EXPECT_GT(first.outcome().option_a_size(), 0);
  EXPECT_THAT(sink_.taken[1].DebugString(), Not(HasSubstr(kKey)));
  EXPECT_EQ(sink_.taken[2].attempt().state(), Attempt::FAILED);
  EXPECT_EQ(sink_.taken[2].attempt().error_class(), Attempt::INVALID_REQUEST);
  EXPECT_EQ(sink_.taken[2].attempt().error_text(), "so it said");
}

TEST_F(BatchRunnerTest, LinesOfACancelledBatchWithoutResultWereNotRun) {
  start_.task.set_provider_batch("batch_1");
  http_.replies["GET /v1/batches/batch_1"] = {
      {.body = OpenAiBatch("batch_1", "cancelled", "", R"(,"output_file_id":"file-o")")}};
  http_.replies["GET /v1/files/file-o/content"] = {{.body = Answered(Id(0), "A")}};
  EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::COLLECTED);
  ASSERT_THAT(sink_.taken, SizeIs(3));
  EXPECT_EQ(sink_.taken[1].attempt().state(), Attempt::NOT_SENT);
  EXPECT_THAT(sink_.taken[1].attempt().error_text(), HasSubstr("cancelled"));
}

// NOT_SENT says that nothing was paid.
TEST_F(BatchRunnerTest, LinesOfACancelledBatchMayBeThoseThatCouldNotBeRead) {
  start_.task.set_provider_batch("batch_1");
  http_.replies["GET /v1/batches/batch_1"] = {
      {.body = OpenAiBatch("batch_1", "cancelled", "", R"(,"output_file_id":"file-o")")}};
  for (const std::string& strange :
       {std::string("{\"custom_id\": 7}\n"), std::string(kMaxLineBytes + 1, 'x') + "\n"}) {
    sink_.taken.clear();
    http_.replies["GET /v1/files/file-o/content"] = {{.body = Answered(Id(0), "A") + strange}};
    EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::COLLECTED);
    EXPECT_THAT(sink_.taken, SizeIs(1));
  }
}

// What was paid is not asked again only because much stands beside it; and what is too long for
// any message counts as a try.
TEST_F(BatchRunnerTest, LongResultsAreResults) {
  start_.task.set_provider_batch("batch_1");
  http_.replies["GET /v1/batches/batch_1"] = {
      {.body = OpenAiBatch("batch_1", "cancelled", "", R"(,"output_file_id":"file-o")")}};
  std::string beside = Answered(Id(0), "A");
  beside.insert(beside.find("\"error\":null"), "\"x\":\"" + std::string(3 << 20, 'x') + "\",");
  http_.replies["GET /v1/files/file-o/content"] = {
      {.body = beside + Answered(Id(1), std::string((1 << 20) + 1, 'x')) +
               Answered(Id(2), std::string(kMaxLineBytes, 'x'))}};
  EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::COLLECTED);
  ASSERT_THAT(sink_.taken, SizeIs(3));
  EXPECT_EQ(sink_.taken[0].attempt().state(), Attempt::COMPLETED);
  EXPECT_EQ(sink_.taken[0].outcome().choice(), v1::Outcome::A);
  for (int i = 1; i < 3; ++i) {
    const Attempt& attempt = sink_.taken[static_cast<std::size_t>(i)].attempt();
    EXPECT_EQ(attempt.id(), Id(i));
    EXPECT_EQ(attempt.state(), Attempt::FAILED);
    EXPECT_EQ(attempt.error_class(), Attempt::MALFORMED_RESPONSE);
    EXPECT_LT(sink_.taken[static_cast<std::size_t>(i)].ByteSizeLong(), 1000U);
  }
  EXPECT_EQ(sink_.taken[1].attempt().error_text(), "the text of the reply is above 1048576 bytes");
  EXPECT_EQ(sink_.taken[1].attempt().usage().input_tokens(), 90);
  EXPECT_EQ(sink_.taken[2].attempt().error_text(),
            "the line of the batch's results is above 8388608 bytes");
}

TEST_F(BatchRunnerTest, CollectionThatBreaksIsNotDone) {
  start_.task.set_provider_batch("batch_1");
  http_.replies["GET /v1/batches/batch_1"] = {
      {.body = OpenAiBatch("batch_1", "completed", "", R"(,"output_file_id":"file-o")")}};
  http_.replies["GET /v1/files/file-o/content"] = {{.failure = net::HttpFailure::kTruncated}};
  EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::STATE_UNSPECIFIED);
  http_.replies["GET /v1/files/file-o/content"] = {
      {.body = Answered(Id(0), "A") + Answered(Id(1), "A")}};
  sink_.most = 1;
  EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::STATE_UNSPECIFIED);
  EXPECT_EQ(sink_.flushes, 0);
}

// What is COLLECTED is over, and its lines without a result are asked and paid once more.
TEST_F(BatchRunnerTest, PageOfAProxyIsNoFileOfResults) {
  start_.task.set_provider_batch("batch_1");
  http_.replies["GET /v1/batches/batch_1"] = {
      {.body = OpenAiBatch("batch_1", "completed", "", R"(,"output_file_id":"file-o")")}};
  auto& file = http_.replies["GET /v1/files/file-o/content"];
  file = {{.body = "<html>\n<title>Sign in</title>\n</html>\n"}};
  testing::internal::CaptureStderr();
  BatchReport report = Run(BatchTask::COLLECT);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << "not a line for each of its lines";
  EXPECT_THAT(log, Not(HasSubstr("Sign in")));
  EXPECT_EQ(report.state(), BatchReport::STATE_UNSPECIFIED);
  EXPECT_EQ(report.error_class(), Attempt::MALFORMED_RESPONSE);
  EXPECT_THAT(report.error_text(), HasSubstr("<html>"));
  EXPECT_EQ(sink_.flushes, 0);
  // Half a file, or none, is no file of results either.
  for (const int status : {204, 206}) {
    file = {{.status = status, .body = ""}};
    EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::STATE_UNSPECIFIED) << status;
  }
  // Without any result is not without any file: all lines may have failed.
  file = {{.body = ""}};
  EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::COLLECTED);
}

TEST_F(BatchRunnerTest, ResultsThatAreGoneAreAwaitedForTwoDays) {
  start_.task.set_provider_batch("batch_1");
  http_.replies["GET /v1/batches/batch_1"] = {
      {.body = OpenAiBatch("batch_1", "completed", "",
                           R"(,"output_file_id":"file-o","error_file_id":"file-e")")}};
  http_.replies["GET /v1/files/file-e/content"] = {{.body = Answered(Id(0), "A")}};
  clock_.SetWall(WallTime(std::chrono::seconds(4'000'000'000)) + std::chrono::hours(47));
  BatchReport report = Run(BatchTask::COLLECT);
  EXPECT_EQ(report.state(), BatchReport::STATE_UNSPECIFIED);
  EXPECT_EQ(report.error_class(), Attempt::NOT_FOUND);
  EXPECT_THAT(sink_.taken, IsEmpty());
  clock_.Advance(std::chrono::hours(2));
  EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::COLLECTED);
  EXPECT_THAT(sink_.taken, SizeIs(1)) << "what is there is read";
  // Who has lost its key has lost no results.
  http_.replies["GET /v1/files/file-o/content"] = {{.status = 401, .body = "{}"}};
  EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::STATE_UNSPECIFIED);
}

TEST_F(BatchRunnerTest, LooksForItThoughTheClockHadJumpedByADay) {
  start_.task.set_may_exist(true);
  *start_.task.mutable_create_time() =
      ToProto(WallTime(std::chrono::seconds(4'000'000'000)) + std::chrono::hours(24));
  http_.replies["GET /v1/batches"] = {
      {.body = fmt::format(R"({{"data":[{}],"has_more":false}})",
                           OpenAiBatch("batch_1", "in_progress", kToken))}};
  EXPECT_EQ(Run(BatchTask::SUBMIT).provider_batch(), "batch_1");
  EXPECT_THAT(http_.calls, SizeIs(1));
}

TEST_F(BatchRunnerTest, Cancels) {
  start_.task.set_provider_batch("batch_1");
  http_.replies["POST /v1/batches/batch_1/cancel"] = {
      {.body = OpenAiBatch("batch_1", "cancelling")}};
  BatchReport report = Run(BatchTask::CANCEL);
  EXPECT_EQ(report.state(), BatchReport::IN_PROGRESS);
  EXPECT_EQ(report.provider_state(), "cancelling");
  // It had ended.
  http_.replies["POST /v1/batches/batch_1/cancel"] = {{.status = 400, .body = "{}"}};
  http_.replies["GET /v1/batches/batch_1"] = {{.body = OpenAiBatch("batch_1", "completed")}};
  EXPECT_EQ(Run(BatchTask::CANCEL).state(), BatchReport::ENDED);
}

TEST_F(BatchRunnerTest, CancelsWhatItHasToLookFor) {
  start_.task.set_may_exist(true);
  http_.replies["GET /v1/batches"] = {{.body = R"({"data":[],"has_more":false})"}};
  EXPECT_EQ(Run(BatchTask::CANCEL).state(), BatchReport::ABSENT);
  http_.replies["GET /v1/batches"] = {
      {.body = fmt::format(R"({{"data":[{}],"has_more":false}})",
                           OpenAiBatch("batch_1", "in_progress", kToken))}};
  http_.replies["POST /v1/batches/batch_1/cancel"] = {
      {.body = OpenAiBatch("batch_1", "cancelling")}};
  const BatchReport report = Run(BatchTask::CANCEL);
  EXPECT_EQ(report.state(), BatchReport::IN_PROGRESS);
  EXPECT_EQ(report.provider_batch(), "batch_1");
  EXPECT_EQ(http_.Count("POST /v1/batches/batch_1/cancel"), 1);
}

}  // namespace
}  // namespace candor::batch
