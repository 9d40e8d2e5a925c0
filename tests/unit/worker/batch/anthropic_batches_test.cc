// Batches of a provider that keeps no token of ours: they are known by the custom ids of their
// lines, which it shows once they have ended.
#include "tests/unit/worker/batch/batch_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace candor::batch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kBatches = "/v1/messages/batches";

std::string Batch(const std::string& id, const std::string& status, int processing, int succeeded,
                  const std::string& created = "2096-10-02T07:06:40Z") {
  return fmt::format(
      R"({{"id":"{}","type":"message_batch","processing_status":"{}","created_at":"{}",)"
      R"("request_counts":{{"processing":{},"succeeded":{},"errored":0,"canceled":0,"expired":0}}}})",
      id, status, created, processing, succeeded);
}

std::string Running(const std::string& id, int lines = 3) {
  return Batch(id, "in_progress", lines, 0);
}

std::string Ended(const std::string& id, int lines = 3) { return Batch(id, "ended", 0, lines); }

std::string Page(const std::string& batches, bool more = false) {
  return fmt::format(R"({{"data":[{}],"has_more":{}}})", batches, more);
}

std::string Succeeded(const std::string& id, const std::string& text) {
  return fmt::format(
      R"({{"custom_id":"{}","result":{{"type":"succeeded","message":{{"type":"message",)"
      R"("role":"assistant","model":"m-2","stop_reason":"end_turn",)"
      R"("content":[{{"type":"text","text":"{}"}}],)"
      R"("usage":{{"input_tokens":90,"output_tokens":1}}}}}}}})"
      "\n",
      id, text);
}

class AnthropicBatchesTest : public BatchRunnerTest {
 protected:
  AnthropicBatchesTest() : BatchRunnerTest("anthropic") {
    // Anthropic wants to be told.
    v1::JobSpecification job = dialect::SmallJob();
    job.mutable_entries(0)->mutable_choices()->mutable_sampling()->set_max_output_tokens(16);
    start_.job = *dialect::JobRenderer::Create(std::move(job));
  }

  // A SUBMIT of a batch that may have been created, when the provider lists these.
  BatchReport Search(const std::string& batches) {
    start_.task.set_may_exist(true);
    http_.calls.clear();
    http_.replies[std::string("GET ") + kBatches] = {{.body = Page(batches)}};
    http_.replies[std::string("POST ") + kBatches] = {{.body = Running("msgbatch_new")}};
    return Run(BatchTask::SUBMIT);
  }
  void SetResults(const std::string& batch, const std::string& lines) {
    http_.replies[fmt::format("GET {}/{}/results", kBatches, batch)] = {{.body = lines}};
  }
  int Creations() const { return http_.Count(std::string("POST ") + kBatches); }
};

TEST_F(AnthropicBatchesTest, CreatesInOneRequestAndShowsNoToken) {
  http_.replies[std::string("POST ") + kBatches] = {{.body = Running("msgbatch_1")}};
  const BatchReport report = Run(BatchTask::SUBMIT);
  EXPECT_EQ(report.state(), BatchReport::IN_PROGRESS);
  EXPECT_EQ(report.provider_batch(), "msgbatch_1");
  ASSERT_THAT(http_.calls, SizeIs(1)) << "nothing is looked for that cannot be there";
  EXPECT_EQ(http_.calls[0].headers.Find("x-api-key"), kKey);
  EXPECT_THAT(http_.calls[0].body, Not(HasSubstr(kToken)));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(http_.calls[0].body, HasSubstr("{\"custom_id\":\"" + Id(i) + "\""));
  }
}

TEST_F(AnthropicBatchesTest, AdoptsWhatHasEndedWithItsLines) {
  SetResults("msgbatch_2", Succeeded("00000009-0000000000000000", "A"));
  // In any order, and the first line says it.
  SetResults("msgbatch_1", Succeeded(Id(2), "B") + Succeeded(Id(0), "A"));
  const BatchReport report =
      Search(Ended("msgbatch_3", 2) + "," + Ended("msgbatch_2") + "," + Ended("msgbatch_1"));
  EXPECT_EQ(report.state(), BatchReport::ENDED);
  EXPECT_EQ(report.provider_batch(), "msgbatch_1");
  EXPECT_EQ(report.lines_done(), 3);
  EXPECT_EQ(Creations(), 0);
  EXPECT_EQ(http_.Count("GET /v1/messages/batches/msgbatch_3/results"), 0)
      << "one of other length is another one";
}

TEST_F(AnthropicBatchesTest, AwaitsWhatMayBeItsOwn) {
  BatchReport report = Search(Running("msgbatch_1"));
  EXPECT_EQ(report.state(), BatchReport::UNDECIDED);
  EXPECT_THAT(report.error_text(), HasSubstr("waits for another batch"));
  EXPECT_EQ(Creations(), 0);
  // Being cancelled it runs still.
  EXPECT_EQ(Search(Batch("msgbatch_1", "canceling", 1, 2)).state(), BatchReport::UNDECIDED);
  EXPECT_EQ(Creations(), 0);
  // A later one in the list decides it all the same.
  SetResults("msgbatch_0", Succeeded(Id(0), "A"));
  report = Search(Running("msgbatch_1") + "," + Ended("msgbatch_0"));
  EXPECT_EQ(report.provider_batch(), "msgbatch_0");
  EXPECT_EQ(Creations(), 0);
}

TEST_F(AnthropicBatchesTest, CreatesWhenNoneOfThoseThereIsItsOwn) {
  // Of another length; claimed by somebody; of another's lines; of before its time.
  start_.task.add_other_provider_batches("msgbatch_3");
  *start_.task.mutable_create_time() = ToProto(WallTime(std::chrono::seconds(4'000'000'000)));
  SetResults("msgbatch_2", Succeeded("00000009-0000000000000000", "A"));
  const BatchReport report =
      Search(Running("msgbatch_4", 2) + "," + Running("msgbatch_3") + "," + Ended("msgbatch_2") +
             "," + Batch("msgbatch_1", "in_progress", 3, 0, "2024-09-24T18:37:24Z"));
  EXPECT_EQ(report.state(), BatchReport::IN_PROGRESS);
  EXPECT_EQ(report.provider_batch(), "msgbatch_new");
  EXPECT_EQ(Creations(), 1);
  EXPECT_EQ(http_.calls.back().method, "POST") << "it looks before it creates";
}

TEST_F(AnthropicBatchesTest, LooksThroughAllPages) {
  start_.task.set_may_exist(true);
  http_.replies[std::string("GET ") + kBatches] = {{.body = Page(Running("msgbatch_9", 2), true)},
                                                   {.body = Page(Ended("msgbatch_1"))}};
  SetResults("msgbatch_1", Succeeded(Id(1), "A"));
  EXPECT_EQ(Run(BatchTask::SUBMIT).provider_batch(), "msgbatch_1");
  ASSERT_THAT(http_.calls, SizeIs(3));
  EXPECT_THAT(http_.calls[1].target, HasSubstr("after_id=msgbatch_9"));
}

TEST_F(AnthropicBatchesTest, CreatesNothingWhileResultsThatMayBeItsOwnCannotBeRead) {
  start_.task.set_may_exist(true);
  http_.replies["GET /v1/messages/batches"] = {
      {.body = R"({"data":[{"id":"msgbatch_1","processing_status":"ended","request_counts":)"
               R"({"processing":0,"succeeded":3}}],"has_more":false})"}};
  auto& results = http_.replies["GET /v1/messages/batches/msgbatch_1/results"];
  results = {{.body = "<html>\n"}};
  EXPECT_EQ(Run(BatchTask::SUBMIT).state(), BatchReport::UNDECIDED);
  EXPECT_EQ(http_.Count("POST /v1/messages/batches"), 0);
  results = {{.body = fmt::format(R"({{"custom_id":"{}","result":{{"type":"expired"}}}})", Id(1))}};
  EXPECT_EQ(Run(BatchTask::SUBMIT).provider_batch(), "msgbatch_1");
  EXPECT_EQ(http_.Count("POST /v1/messages/batches"), 0);
}

TEST_F(AnthropicBatchesTest, KnowsItsOwnByTheBeginningOfALongLine) {
  const std::string long_text(kMaxLineBytes, 'x');
  start_.task.set_may_exist(true);
  http_.replies[std::string("GET ") + kBatches] = {{.body = Page(Ended("msgbatch_1"))}};
  SetResults("msgbatch_1", Succeeded(Id(1), long_text));
  EXPECT_EQ(Run(BatchTask::SUBMIT).provider_batch(), "msgbatch_1");
}

TEST_F(AnthropicBatchesTest, ResultsOfOldAreNoBatchOfToday) {
  // Kept no longer: 404.
  EXPECT_EQ(Search(Ended("msgbatch_1")).provider_batch(), "msgbatch_new");
  EXPECT_EQ(Creations(), 1);
  http_.replies["GET /v1/messages/batches/msgbatch_1/results"] = {{.status = 503, .body = "{}"}};
  EXPECT_EQ(Search(Ended("msgbatch_1")).state(), BatchReport::UNDECIDED);
  EXPECT_EQ(Creations(), 0);
}

TEST_F(AnthropicBatchesTest, CancelsOnlyWhatIsItsOwnForSure) {
  start_.task.set_may_exist(true);
  http_.replies[std::string("GET ") + kBatches] = {{.body = Page(Running("msgbatch_1"))}};
  EXPECT_EQ(Run(BatchTask::CANCEL).state(), BatchReport::UNDECIDED);
  EXPECT_EQ(http_.Count("POST /v1/messages/batches/msgbatch_1/cancel"), 0);
  start_.task.set_provider_batch("msgbatch_1");
  http_.replies["POST /v1/messages/batches/msgbatch_1/cancel"] = {
      {.body = Batch("msgbatch_1", "canceling", 3, 0)}};
  const BatchReport report = Run(BatchTask::CANCEL);
  EXPECT_EQ(report.state(), BatchReport::IN_PROGRESS);
  EXPECT_EQ(report.provider_state(), "canceling");
}

TEST_F(AnthropicBatchesTest, CollectsAnswersErrorsAndWhatWasNotRun) {
  start_.task.set_provider_batch("msgbatch_1");
  http_.replies["GET /v1/messages/batches/msgbatch_1"] = {{.body = Ended("msgbatch_1")}};
  SetResults(
      "msgbatch_1",
      Succeeded(Id(2), "B") +
          fmt::format(R"({{"custom_id":"{}","result":{{"type":"errored","error":{{"type":"error",)"
                      R"("error":{{"type":"overloaded_error","message":"later"}}}}}}}})"
                      "\n",
                      Id(0)) +
          fmt::format(R"({{"custom_id":"{}","result":{{"type":"expired"}}}})", Id(1)));
  EXPECT_EQ(Run(BatchTask::COLLECT).state(), BatchReport::COLLECTED);
  ASSERT_THAT(sink_.taken, SizeIs(3));
  EXPECT_EQ(sink_.taken[0].attempt().state(), Attempt::COMPLETED);
  EXPECT_EQ(sink_.taken[0].outcome().choice(), v1::Outcome::B);
  EXPECT_EQ(sink_.taken[0].attempt().usage().input_tokens(), 90);
  EXPECT_EQ(sink_.taken[1].attempt().state(), Attempt::FAILED);
  EXPECT_EQ(sink_.taken[1].attempt().error_class(), Attempt::OVERLOADED);
  EXPECT_EQ(sink_.taken[2].attempt().state(), Attempt::NOT_SENT);
  EXPECT_EQ(sink_.flushes, 1);
}

}  // namespace
}  // namespace candor::batch
