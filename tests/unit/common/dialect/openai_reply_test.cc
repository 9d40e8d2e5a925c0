#include "common/dialect/openai.h"
#include "tests/unit/common/dialect/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace candor::dialect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using v1::Attempt;
using v1::Outcome;

const v1::JobSpecification& Job() {
  static const auto* const kJob = new v1::JobSpecification(SmallJob());
  return *kJob;
}

// Reads a body that is a complete reply.
Outcome Read(std::string_view body, v1::Cell::Kind kind = v1::Cell::CHOICE) {
  Outcome outcome;
  const auto error =
      OpenAiDialect().ReadReply(body, {.kind = kind, .scenario = Job().scenarios(0)}, &outcome);
  EXPECT_FALSE(error) << error->text;
  return outcome;
}

ProviderError ReadError(std::string_view body) {
  Outcome outcome;
  const auto error = OpenAiDialect().ReadReply(
      body, {.kind = v1::Cell::CHOICE, .scenario = Job().scenarios(0)}, &outcome);
  EXPECT_TRUE(error) << "read as a reply";
  EXPECT_EQ(outcome.class_(), Outcome::CLASS_UNSPECIFIED);
  return error.value_or(ProviderError());
}

std::string WithMessage(std::string_view message, std::string_view finish_reason = "stop") {
  return "{\"choices\":[{\"index\":0,\"message\":" + std::string(message) +
         ",\"finish_reason\":\"" + std::string(finish_reason) + "\"}]}";
}

TEST(ReadReplyTest, DocumentedExample) {
  const Outcome outcome = Read(R"({
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion",
    "created": 1741569952, "model": "gpt-4.1-2025-04-14",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "B", "refusal": null,
                 "annotations": []}, "logprobs": null, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 190, "completion_tokens": 10, "total_tokens": 29,
              "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
              "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 0}},
    "service_tier": "default", "system_fingerprint": "fp_44709d6fcb"})");
  EXPECT_EQ(outcome.class_(), Outcome::VALID);
  EXPECT_EQ(outcome.choice(), Outcome::B);
  EXPECT_EQ(outcome.raw_text(), "B");
  EXPECT_EQ(outcome.finish_reason(), "stop");
  EXPECT_EQ(outcome.served_model(), "gpt-4.1-2025-04-14");
  EXPECT_EQ(outcome.system_fingerprint(), "fp_44709d6fcb");
  EXPECT_EQ(outcome.usage().input_tokens(), 190);
  EXPECT_EQ(outcome.usage().cached_input_tokens(), 128);
  EXPECT_EQ(outcome.usage().output_tokens(), 10);
  EXPECT_EQ(outcome.usage().reasoning_tokens(), 7);
  EXPECT_FALSE(outcome.has_log_odds_a());
}

TEST(ReadReplyTest, SelfReport) {
  const Outcome outcome = Read(WithMessage(R"({"content":"{\"sunlight\": 80, \"cost\": -20.5}"})"),
                               v1::Cell::SELF_REPORT);
  EXPECT_EQ(outcome.class_(), Outcome::VALID);
  ASSERT_EQ(outcome.report_size(), 2);
  EXPECT_EQ(outcome.report(0).attribute(), "sunlight");
  EXPECT_EQ(outcome.report(0).value(), 80);
  EXPECT_EQ(outcome.report(1).attribute(), "cost");
  EXPECT_EQ(outcome.report(1).value(), -20.5);
  EXPECT_EQ(outcome.choice(), Outcome::CHOICE_UNSPECIFIED);
}

TEST(ReadReplyTest, SelfReportWithAnAttributeMissing) {
  const Outcome outcome =
      Read(WithMessage(R"({"content":"{\"sunlight\": 80}"})"), v1::Cell::SELF_REPORT);
  EXPECT_EQ(outcome.class_(), Outcome::MISSING_ATTRIBUTE);
  ASSERT_EQ(outcome.report_size(), 2);
  EXPECT_TRUE(outcome.report(0).has_value());
  EXPECT_FALSE(outcome.report(1).has_value());
}

TEST(ReadReplyTest, RepairsArePassedOn) {
  const Outcome outcome = Read(WithMessage(R"({"content":"**A**"})"));
  EXPECT_EQ(outcome.class_(), Outcome::REPAIRED);
  EXPECT_EQ(outcome.choice(), Outcome::A);
  EXPECT_THAT(outcome.repairs(), ElementsAre("markdown"));
  EXPECT_EQ(outcome.raw_text(), "**A**");
}

TEST(ReadReplyTest, ContentInParts) {
  EXPECT_EQ(Read(WithMessage(R"({"content":[{"type":"text","text":"A"}]})")).choice(), Outcome::A);
  const Outcome thinking = Read(WithMessage(
      R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"B"}]})"));
  EXPECT_EQ(thinking.choice(), Outcome::B);
  EXPECT_EQ(thinking.reasoning_text(), "hm");
  EXPECT_EQ(Read(WithMessage(R"({"content":[{"type":"refusal","refusal":"No."}]})")).class_(),
            Outcome::REFUSAL);
}

TEST(ReadReplyTest, Refusal) {
  const Outcome outcome = Read(WithMessage(R"({"content":null,"refusal":"I cannot help."})"));
  EXPECT_EQ(outcome.class_(), Outcome::REFUSAL);
  EXPECT_EQ(outcome.raw_text(), "I cannot help.");
}

TEST(ReadReplyTest, Reasoning) {
  for (const char* field : {"reasoning_content", "reasoning"}) {
    const Outcome outcome =
        Read(WithMessage("{\"content\":\"A\",\"" + std::string(field) + "\":\"because\"}"));
    EXPECT_EQ(outcome.class_(), Outcome::VALID);
    EXPECT_EQ(outcome.reasoning_text(), "because");
  }
}

TEST(ReadReplyTest, NothingSaid) {
  EXPECT_EQ(Read(WithMessage(R"({"content":""})")).class_(), Outcome::EMPTY);
  EXPECT_EQ(Read(WithMessage(R"({"content":null})")).class_(), Outcome::EMPTY);
  EXPECT_EQ(Read(WithMessage(R"({"role":"assistant"})")).class_(), Outcome::EMPTY);
  EXPECT_EQ(Read(WithMessage(R"({"content":"","reasoning":"so"})", "length")).class_(),
            Outcome::REASONING_EXHAUSTED);
  // Reasoning that is only counted.
  EXPECT_EQ(Read(R"({"choices":[{"message":{"content":""},"finish_reason":"length"}],
                     "usage":{"completion_tokens_details":{"reasoning_tokens":16}}})")
                .class_(),
            Outcome::REASONING_EXHAUSTED);
  EXPECT_EQ(Read(WithMessage(R"({"content":""})", "content_filter")).class_(),
            Outcome::PROVIDER_BLOCKED);
}

TEST(ReadReplyTest, StrangeUsageCountsNothing) {
  for (const char* usage : {"null", "[]", "{}", R"({"prompt_tokens":-1,"completion_tokens":"x"})",
                            R"({"prompt_tokens":1e300,"prompt_tokens_details":null})"}) {
    const Outcome outcome = Read(
        "{\"choices\":[{\"message\":{\"content\":\"A\"}}],\"usage\":" + std::string(usage) + "}");
    EXPECT_EQ(outcome.choice(), Outcome::A);
    EXPECT_EQ(outcome.usage().input_tokens(), 0) << usage;
    EXPECT_EQ(outcome.usage().output_tokens(), 0) << usage;
  }
}

TEST(ReadReplyTest, NoCompleteReply) {
  for (const char* body :
       {"", "<html><body>Welcome</body></html>", "{\"choices\":[{\"message\":{\"content\":\"A\"",
        "null", "[]", "{}", "7", "\"A\"", "{\"choices\":[]}", "{\"choices\":{}}",
        "{\"choices\":[null]}", "{\"choices\":[{\"text\":\"A\"}]}",
        "{\"choices\":[{\"message\":\"A\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"A\"}}]} x",
        "{\"error\":{\"message\":\"something\"}}",
        "{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}"}) {
    const ProviderError error = ReadError(body);
    EXPECT_EQ(error.error_class, Attempt::MALFORMED_RESPONSE) << body;
    EXPECT_THAT(error.text, HasSubstr("status 200")) << body;
    EXPECT_LE(error.text.size(), kMaxErrorTextBytes);
  }
}

TEST(ReadReplyTest, DeepNestingIsNoReply) {
  const std::string body = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(ReadError(body).error_class, Attempt::MALFORMED_RESPONSE);
}

TEST(ReadReplyTest, ErrorsInsideKeepTheirReason) {
  EXPECT_EQ(ReadError(R"({"error":{"code":"insufficient_quota","message":"x"}})").error_class,
            Attempt::QUOTA_EXHAUSTED);
  const ProviderError error =
      ReadError(R"({"error":{"code":429,"message":"Please try again in 2s"}})");
  EXPECT_EQ(error.error_class, Attempt::RATE_LIMITED);
  EXPECT_EQ(error.retry_after, std::chrono::seconds(2));
  EXPECT_EQ(ReadError(R"({"error":{"code":502,"message":"upstream"}})").error_class,
            Attempt::SERVER_ERROR);
  EXPECT_EQ(ReadError(R"({"choices":[{"error":{"code":503,"message":"busy"}}]})").error_class,
            Attempt::OVERLOADED);
}

std::string WithLogprobs(std::string_view content, std::string_view tokens) {
  return "{\"choices\":[{\"message\":{\"content\":\"" + std::string(content) +
         "\"},\"logprobs\":{\"content\":" + std::string(tokens) + "}}]}";
}

TEST(LogOddsTest, SumsTheVariantsOfALetter) {
  const Outcome outcome = Read(WithLogprobs("A", R"([{"token":"A","logprob":-0.5,"top_logprobs":[
      {"token":"A","logprob":-0.5},{"token":" A","logprob":-2.0},{"token":"B","logprob":-1.5},
      {"token":"\u2581B","logprob":-3.0},{"token":"a","logprob":-4.0}]}])"));
  ASSERT_TRUE(outcome.has_log_odds_a());
  EXPECT_NEAR(outcome.log_odds_a(),
              std::log(std::exp(-0.5) + std::exp(-2.0)) - std::log(std::exp(-1.5) + std::exp(-3.0)),
              1e-12);
  EXPECT_FALSE(outcome.log_odds_truncated());
}

TEST(LogOddsTest, TheTokenOfTheLetterCounts) {
  const Outcome outcome = Read(WithLogprobs("**B**", R"([
      {"token":"**","logprob":-0.1,"top_logprobs":[{"token":"A","logprob":-9},{"token":"B","logprob":-9}]},
      {"token":"B","logprob":-0.2,"top_logprobs":[{"token":"B","logprob":-0.2},{"token":"A","logprob":-1.2}]},
      {"token":"**","logprob":-0.1,"top_logprobs":[]}])"));
  ASSERT_TRUE(outcome.has_log_odds_a());
  EXPECT_NEAR(outcome.log_odds_a(), -1.0, 1e-12);
}

TEST(LogOddsTest, AMissingLetterIsABound) {
  const Outcome likely = Read(WithLogprobs("A", R"([{"token":"A","logprob":-0.1,"top_logprobs":[
      {"token":"A","logprob":-0.1},{"token":"The","logprob":-4.0}]}])"));
  ASSERT_TRUE(likely.has_log_odds_a());
  EXPECT_TRUE(likely.log_odds_truncated());
  EXPECT_NEAR(likely.log_odds_a(), -0.1 + 4.0, 1e-12);
  // One token listed: what it leaves over bounds the other.
  const Outcome alone = Read(WithLogprobs("B", R"([{"token":"B","logprob":-0.1,"top_logprobs":[
      {"token":"B","logprob":-0.1}]}])"));
  EXPECT_TRUE(alone.log_odds_truncated());
  EXPECT_NEAR(alone.log_odds_a(), std::log(1 - std::exp(-0.1)) + 0.1, 1e-12);
  const Outcome certain = Read(WithLogprobs("B", R"([{"token":"B","logprob":0,"top_logprobs":[
      {"token":"B","logprob":0.0},{"token":"A","logprob":-9999.0}]}])"));
  EXPECT_TRUE(certain.log_odds_truncated());
  EXPECT_NEAR(certain.log_odds_a(), std::log(1e-6), 1e-9);
}

TEST(LogOddsTest, ASampledTokenNeedNotBeListed) {
  const Outcome outcome = Read(WithLogprobs("B", R"([{"token":"B","logprob":-3.0,"top_logprobs":[
      {"token":"A","logprob":-0.1}]}])"));
  ASSERT_TRUE(outcome.has_log_odds_a());
  EXPECT_FALSE(outcome.log_odds_truncated());
  EXPECT_NEAR(outcome.log_odds_a(), 2.9, 1e-12);
}

TEST(LogOddsTest, NoneWhereThereAreNone) {
  for (const char* tokens :
       {"null", "[]", "{}", "[null]", R"([{"token":"A"}])", R"([{"token":"A","top_logprobs":{}}])",
        R"([{"token":"A","logprob":"x","top_logprobs":[{"token":"A","logprob":null}]}])",
        R"([{"token":"x","logprob":-1,"top_logprobs":[{"token":"A","logprob":-1}]}])"}) {
    EXPECT_FALSE(Read(WithLogprobs("A", tokens)).has_log_odds_a()) << tokens;
  }
  // Not a choice: the letters in it mean nothing.
  EXPECT_FALSE(Read(WithLogprobs("neither",
                                 R"([{"token":"A","logprob":-1,"top_logprobs":[
                                     {"token":"A","logprob":-1},{"token":"B","logprob":-1}]}])"))
                   .has_log_odds_a());
}

}  // namespace
}  // namespace candor::dialect
