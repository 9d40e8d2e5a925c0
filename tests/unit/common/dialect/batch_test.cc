#include "common/dialect/batch.h"

#include "common/dialect/batch_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace candor::dialect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Phase = BatchObject::Phase;

const BatchForm& OpenAi() {
  static const OpenAiBatches kForm("/v1/chat/completions");
  return kForm;
}

const BatchForm& Anthropic() {
  static const AnthropicBatches kForm;
  return kForm;
}

// --- OpenAI: examples of platform.openai.com/docs/guides/batch and api-reference/batch ---

TEST(OpenAiBatchTest, InputIsALineARequest) {
  std::string input = OpenAi().BeginInput();
  OpenAi().AppendLine("request-1", R"({"model":"m","messages":[]})", &input);
  OpenAi().AppendLine("request-2", R"({"model":"m"})", &input);
  OpenAi().EndInput(&input);
  EXPECT_EQ(input,
            "{\"custom_id\":\"request-1\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\","
            "\"body\":{\"model\":\"m\",\"messages\":[]}}\n"
            "{\"custom_id\":\"request-2\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\","
            "\"body\":{\"model\":\"m\"}}\n");
}

TEST(OpenAiBatchTest, UploadIsAForm) {
  const std::string body = MultipartBody("token.jsonl", "{}\n");
  EXPECT_THAT(body, HasSubstr("name=\"purpose\"\r\n\r\nbatch\r\n"));
  EXPECT_THAT(body, HasSubstr("name=\"file\"; filename=\"token.jsonl\"\r\n"));
  EXPECT_THAT(body, HasSubstr("\r\n\r\n{}\n\r\n--"));
  const std::string type = MultipartType();
  const std::string boundary = type.substr(type.find('=') + 1);
  EXPECT_TRUE(body.starts_with("--" + boundary + "\r\n"));
  EXPECT_TRUE(body.ends_with("--" + boundary + "--\r\n"));
}

TEST(OpenAiBatchTest, FileOfAnUpload) {
  const auto file = ReadFile(R"({"id": "file-abc123", "object": "file", "bytes": 120000,
      "created_at": 1677610602, "filename": "mydata.jsonl", "purpose": "batch"})");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->id, "file-abc123");
  EXPECT_EQ(file->name, "mydata.jsonl");
  EXPECT_FALSE(ReadFile(R"({"id": "../batches"})").ok()) << "ids stand in paths";
}

TEST(OpenAiBatchTest, CreationCarriesTheToken) {
  EXPECT_EQ(OpenAi().CreateBody("file-abc123", "batches/x"),
            "{\"input_file_id\":\"file-abc123\",\"endpoint\":\"/v1/chat/completions\","
            "\"completion_window\":\"24h\",\"metadata\":{\"candor_batch\":\"batches/x\"}}");
}

TEST(OpenAiBatchTest, Paths) {
  EXPECT_EQ(OpenAi().BatchPath("batch_1"), "/batches/batch_1");
  EXPECT_EQ(OpenAi().CancelPath("batch_1"), "/batches/batch_1/cancel");
  EXPECT_EQ(OpenAi().ListPath(""), "/batches?limit=100");
  EXPECT_EQ(OpenAi().ListPath("batch_1"), "/batches?limit=100&after=batch_1");
}

constexpr const char* kOpenAiBatch = R"({
  "id": "batch_abc123", "object": "batch", "endpoint": "/v1/chat/completions", "errors": null,
  "input_file_id": "file-abc123", "completion_window": "24h", "status": "completed",
  "output_file_id": "file-cvaTdG", "error_file_id": "file-HOWS94", "created_at": 1711471533,
  "in_progress_at": 1711471538, "expires_at": 1711557933, "finalizing_at": 1711493133,
  "completed_at": 1711493163, "failed_at": null, "expired_at": null, "cancelling_at": null,
  "cancelled_at": null, "request_counts": {"total": 100, "completed": 95, "failed": 5},
  "metadata": {"customer_id": "user_123456789", "candor_batch": "batches/01-02"}})";

TEST(OpenAiBatchTest, DocumentedObject) {
  const auto batch = OpenAi().ReadBatch(kOpenAiBatch);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->id, "batch_abc123");
  EXPECT_EQ(batch->phase, Phase::kEnded);
  EXPECT_EQ(batch->state, "completed");
  EXPECT_EQ(batch->lines_done, 100);
  EXPECT_EQ(batch->create_time, WallTime(std::chrono::seconds(1711471533)));
  EXPECT_EQ(batch->token, "batches/01-02");
  EXPECT_THAT(batch->result_paths,
              ElementsAre("/files/file-cvaTdG/content", "/files/file-HOWS94/content"));
}

TEST(OpenAiBatchTest, TimeOfCreationThatIsNoneIsLeftOut) {
  const auto read = [](const char* created) {
    return OpenAi()
        .ReadBatch(fmt::format(R"({{"id": "batch_1", "status": "validating", "created_at": {}}})",
                               created))
        ->create_time;
  };
  EXPECT_EQ(read("253402300799"), WallTime(std::chrono::seconds(253'402'300'799)));
  // Milliseconds; and what would not fit into a time.
  for (const char* created : {"1711471533000", "900000000000000", "1e300", "-1", "null"}) {
    EXPECT_EQ(read(created), std::nullopt) << created;
  }
}

TEST(OpenAiBatchTest, States) {
  const std::pair<const char*, Phase> states[] = {
      {"validating", Phase::kRunning}, {"in_progress", Phase::kRunning},
      {"finalizing", Phase::kRunning}, {"cancelling", Phase::kRunning},
      {"completed", Phase::kEnded},    {"expired", Phase::kEnded},
      {"cancelled", Phase::kEnded},    {"failed", Phase::kFailed},
      {"a_new_word", Phase::kRunning},
  };
  for (const auto& [state, phase] : states) {
    const auto batch =
        OpenAi().ReadBatch(fmt::format(R"({{"id": "batch_1", "status": "{}"}})", state));
    ASSERT_TRUE(batch.ok()) << state;
    EXPECT_EQ(batch->phase, phase) << state;
    EXPECT_THAT(batch->result_paths, IsEmpty());
  }
}

TEST(OpenAiBatchTest, FailedValidationSaysWhy) {
  const auto read = [](const char* code) {
    return OpenAi()
        .ReadBatch(fmt::format(
            R"({{"id": "batch_1", "status": "failed", "errors": {{"object": "list", "data": [
              {{"code": "{}", "message": "so it is", "param": null, "line": 3}}]}}}})",
            code))
        ->error;
  };
  EXPECT_EQ(read("invalid_json_line").error_class, v1::Attempt::INVALID_REQUEST);
  EXPECT_EQ(read("invalid_json_line").text, "invalid_json_line: so it is (line 3)");
  EXPECT_EQ(read("token_limit_exceeded").error_class, v1::Attempt::RATE_LIMITED);
  EXPECT_EQ(read("insufficient_quota").error_class, v1::Attempt::QUOTA_EXHAUSTED);
}

TEST(OpenAiBatchTest, Page) {
  const auto page = OpenAi().ReadPage(fmt::format(
      R"({{"object": "list", "data": [{}], "first_id": "batch_abc123", "has_more": true}})",
      kOpenAiBatch));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_TRUE(page->more);
  ASSERT_EQ(page->batches.size(), 1U);
  EXPECT_EQ(page->batches[0].id, "batch_abc123");
  EXPECT_FALSE(OpenAi().ReadPage(R"({"data": [], "has_more": true})")->more);
  EXPECT_FALSE(OpenAi().ReadPage(R"({"data": [{"id": 3}]})").ok());
}

TEST(OpenAiBatchTest, StatusOfALineIsThatOfHttp) {
  const auto read = [](const char* status) {
    return OpenAi()
        .ReadResult(fmt::format(
            R"({{"custom_id": "request-2", "response": {{"status_code": {}, "body": {{}}}}}})",
            status))
        ->status;
  };
  EXPECT_EQ(read("599"), 599);
  // 2^32 + 200, which is 200 in an int.
  for (const char* status : {"600", "4294967496", "-200", "true"}) EXPECT_EQ(read(status), 0);
}

TEST(OpenAiBatchTest, DocumentedResults) {
  const auto answered = OpenAi().ReadResult(R"({"id": "batch_req_123", "custom_id": "request-2",
      "response": {"status_code": 200, "request_id": "req_123", "body": {"id": "chatcmpl-123",
      "choices": [{"message": {"content": "Hello."}}]}}, "error": null})");
  ASSERT_TRUE(answered.ok()) << answered.status();
  EXPECT_EQ(answered->custom_id, "request-2");
  EXPECT_EQ(answered->kind, BatchResult::Kind::kAnswered);
  EXPECT_EQ(answered->status, 200);
  EXPECT_EQ(answered->request_id, "req_123");
  EXPECT_EQ(answered->body,
            R"({"id":"chatcmpl-123","choices":[{"message":{"content":"Hello."}}]})");

  const auto expired = OpenAi().ReadResult(R"({"id": "batch_req_123", "custom_id": "request-3",
      "response": null, "error": {"code": "batch_expired", "message":
      "This request could not be executed before the completion window expired."}})");
  ASSERT_TRUE(expired.ok()) << expired.status();
  EXPECT_EQ(expired->kind, BatchResult::Kind::kNotRun);
  EXPECT_THAT(expired->text, HasSubstr("completion window"));

  const auto refused = OpenAi().ReadResult(R"({"id": "batch_req_1", "custom_id": "request-4",
      "response": {"status_code": 400, "body": {"error": {"message": "no"}}}, "error": null})");
  EXPECT_EQ(refused->status, 400);
  EXPECT_EQ(refused->body, R"({"error":{"message":"no"}})");

  const auto failed = OpenAi().ReadResult(
      R"({"custom_id": "a", "response": null, "error": {"code": "server_error", "message": "x"}})");
  EXPECT_EQ(failed->status, 500);
  EXPECT_THAT(failed->body, HasSubstr("server_error"));
}

// --- Anthropic: examples of docs.anthropic.com/en/docs/build-with-claude/batch-processing ---

TEST(AnthropicBatchTest, InputIsOneRequest) {
  std::string input = Anthropic().BeginInput();
  Anthropic().AppendLine("my-first-request", R"({"model":"m","max_tokens":1024})", &input);
  Anthropic().AppendLine("my-second-request", R"({"model":"m"})", &input);
  Anthropic().EndInput(&input);
  EXPECT_EQ(input,
            "{\"requests\":[{\"custom_id\":\"my-first-request\",\"params\":{\"model\":\"m\","
            "\"max_tokens\":1024}},{\"custom_id\":\"my-second-request\",\"params\":{\"model\":"
            "\"m\"}}]}");
}

TEST(AnthropicBatchTest, DocumentedObject) {
  const auto batch = Anthropic().ReadBatch(R"({
    "id": "msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d", "type": "message_batch",
    "processing_status": "in_progress", "request_counts": {"processing": 2, "succeeded": 1,
    "errored": 1, "canceled": 0, "expired": 3}, "ended_at": null,
    "created_at": "2024-09-24T18:37:24.100435Z", "expires_at": "2024-09-25T18:37:24.100435Z",
    "cancel_initiated_at": null, "results_url": null})");
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->id, "msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d");
  EXPECT_EQ(batch->phase, Phase::kRunning);
  EXPECT_EQ(batch->lines, 7);
  EXPECT_EQ(batch->lines_done, 5);
  EXPECT_EQ(batch->create_time, WallTime(std::chrono::microseconds(1'727'203'044'100'435)));
  EXPECT_THAT(batch->result_paths, IsEmpty());
}

TEST(AnthropicBatchTest, AbsurdTimesAreNone) {
  const auto time = [](const char* created) {
    const auto batch = Anthropic().ReadBatch(fmt::format(
        R"({{"id": "msgbatch_1", "processing_status": "ended", "created_at": "{}"}})", created));
    return batch.ok() ? batch->create_time : std::optional<WallTime>(WallTime::min());
  };
  EXPECT_EQ(time("9999-12-31T23:59:59Z"), WallTime(std::chrono::seconds(253'402'300'799)));
  for (const char* absurd : {"", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "soon",
                             "999999999999-01-01T00:00:00Z", "2024-13-01T00:00:00Z"}) {
    EXPECT_EQ(time(absurd), std::nullopt) << absurd;
  }
}

TEST(AnthropicBatchTest, EndedHasResultsUnderOurOwnBase) {
  const auto batch = Anthropic().ReadBatch(
      R"({"id": "msgbatch_1", "processing_status": "ended", "results_url": "http://evil/"})");
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->phase, Phase::kEnded);
  EXPECT_THAT(batch->result_paths, ElementsAre("/messages/batches/msgbatch_1/results"));
  EXPECT_EQ(
      Anthropic().ReadBatch(R"({"id": "msgbatch_1", "processing_status": "canceling"})")->phase,
      Phase::kRunning);
}

TEST(AnthropicBatchTest, DocumentedResults) {
  const auto succeeded = Anthropic().ReadResult(R"({"custom_id": "my-second-request",
      "result": {"type": "succeeded", "message": {"id": "msg_1", "type": "message", "role":
      "assistant", "content": [{"type": "text", "text": "Hello again!"}]}}})");
  ASSERT_TRUE(succeeded.ok()) << succeeded.status();
  EXPECT_EQ(succeeded->custom_id, "my-second-request");
  EXPECT_EQ(succeeded->status, 200);
  EXPECT_THAT(succeeded->body, HasSubstr("Hello again!"));

  const auto errored = Anthropic().ReadResult(R"({"custom_id": "a", "result": {"type": "errored",
      "error": {"type": "error", "error": {"type": "overloaded_error", "message": "later"},
      "request_id": "req_7"}}})");
  ASSERT_TRUE(errored.ok()) << errored.status();
  EXPECT_EQ(errored->status, 529);
  EXPECT_EQ(errored->request_id, "req_7");
  EXPECT_THAT(errored->body, HasSubstr("\"overloaded_error\""));
  EXPECT_EQ(Anthropic()
                .ReadResult(R"({"custom_id": "a", "result": {"type": "errored",
                    "error": {"type": "invalid_request_error", "message": "no"}}})")
                ->status,
            400);

  for (const char* type : {"expired", "canceled"}) {
    const auto result = Anthropic().ReadResult(
        fmt::format(R"({{"custom_id": "a", "result": {{"type": "{}"}}}})", type));
    ASSERT_TRUE(result.ok()) << type;
    EXPECT_EQ(result->kind, BatchResult::Kind::kNotRun);
  }
}

TEST(BatchTest, NonsenseIsAnError) {
  for (const BatchForm* form : {&OpenAi(), &Anthropic()}) {
    for (const char* text : {"", "[]", "{}", "<html>", "{\"id\":", "null",
                             R"({"id": "a b", "status": "ended", "processing_status": "ended"})"}) {
      EXPECT_FALSE(form->ReadBatch(text).ok()) << text;
      EXPECT_FALSE(form->ReadPage(text).ok()) << text;
      EXPECT_FALSE(form->ReadResult(text).ok()) << text;
    }
  }
}

TEST(BatchTest, BeginningOfALineShowsWhoseItIs) {
  EXPECT_EQ(CustomIdOf(R"({"custom_id":"00-a","result":{"type":"succeeded","mess)"), "00-a");
  EXPECT_EQ(CustomIdOf(R"({"id": "batch_req_1", "custom_id" : "b", "response": {"sta)"), "b");
  for (const char* text : {"", "{", R"({"custom_id":7,"x":"y"})", R"({"custom_id":"cut)",
                           R"({"id":"custom_id")", R"({"custom_id")", R"({"custom_id":)"}) {
    EXPECT_EQ(CustomIdOf(text), "") << text;
  }
}

TEST(BatchTest, DialectsThatHaveBatches) {
  const auto openai = FindDialect("openai");
  ASSERT_TRUE(openai.ok());
  ASSERT_NE(FindBatchForm(**openai), nullptr);
  EXPECT_TRUE(FindBatchForm(**openai)->uploads());
}

}  // namespace
}  // namespace candor::dialect
