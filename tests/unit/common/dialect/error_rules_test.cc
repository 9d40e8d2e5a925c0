// The table of error.h: what providers say beyond the usual, and what it is taken for.
#include "common/dialect/error.h"
#include "common/dialect/openai.h"
#include "tests/unit/common/dialect/reading.h"

#include <gmock/gmock.h>

namespace candor::dialect {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using v1::Attempt;
using v1::Outcome;

const WallTime kNow = *ParseHttpDate("Wed, 25 Nov 2026 12:00:00 GMT");

ProviderError Classify(int status, std::string_view body, const Headers& headers = {}) {
  const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto at = headers.find(name);
    if (at == headers.end()) return std::nullopt;
    return at->second;
  };
  return ClassifyError({.status = status, .body = body, .header = find, .now = kNow});
}

struct Case {
  const char* name;
  int status;
  const char* body;
  Attempt::ErrorClass error_class;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ErrorRulesTest : public ::testing::TestWithParam<Case> {};

TEST_P(ErrorRulesTest, Documented) {
  const Case& c = GetParam();
  const ProviderError error = Classify(c.status, c.body);
  EXPECT_EQ(error.error_class, c.error_class)
      << "got " << Attempt::ErrorClass_Name(error.error_class) << ": " << error.text;
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(
    All, ErrorRulesTest,
    ::testing::Values(
        // A parameter that every request of the entry has.
        Case{"openai_temperature", 400, R"({"error":{"message":"Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}})", Attempt::REFUSED_PARAMETER},
        Case{"openai_role", 400, R"({"error":{"message":"Unsupported value: 'messages[0].role' does not support 'system' with this model.","type":"invalid_request_error","param":"messages[0].role","code":"unsupported_value"}})", Attempt::REFUSED_PARAMETER},
        Case{"openai_below_minimum", 400, R"({"error":{"message":"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 8 instead.","type":"invalid_request_error","param":"max_output_tokens","code":"integer_below_min_value"}})", Attempt::REFUSED_PARAMETER},
        Case{"openai_unknown", 400, R"({"error":{"message":"Unknown parameter: 'seed'.","type":"invalid_request_error","param":"seed","code":"unknown_parameter"}})", Attempt::REFUSED_PARAMETER},
        Case{"openai_content", 400, R"({"error":{"message":"Invalid 'messages[1].content': string too long.","type":"invalid_request_error","param":"messages[1].content","code":"string_above_max_length"}})", Attempt::INVALID_REQUEST},
        Case{"azure_logprobs", 400, R"({"error":{"code":"BadRequest","message":"This model does not support logprobs."}})", Attempt::REFUSED_PARAMETER},
        Case{"vllm_extra", 400, R"({"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'foo'), 'msg': 'Extra inputs are not permitted'}] thinking","type":"BadRequestError","param":null,"code":400})", Attempt::REFUSED_PARAMETER},
        Case{"vllm_context", 400, R"({"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":"max_tokens","code":400}})", Attempt::INVALID_REQUEST},
        Case{"vllm_system", 400, R"({"object":"error","message":"System role not supported","type":"BadRequestError","param":null,"code":400})", Attempt::REFUSED_PARAMETER},
        Case{"fastapi_extra", 422, R"({"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]})", Attempt::REFUSED_PARAMETER},
        Case{"qwen_stream", 400, R"({"error":{"message":"This model only support stream mode, please enable the stream parameter to access the model. ","type":"invalid_request_error","param":null,"code":"invalid_parameter_error"}})", Attempt::REFUSED_PARAMETER},
        Case{"anthropic_max_tokens", 400, R"({"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: 300000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-5"}})", Attempt::REFUSED_PARAMETER},
        Case{"anthropic_extra_body", 400, R"({"type":"error","error":{"type":"invalid_request_error","message":"topk: Extra inputs are not permitted"}})", Attempt::REFUSED_PARAMETER},
        Case{"anthropic_temperature", 400, R"({"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}})", Attempt::REFUSED_PARAMETER},
        Case{"anthropic_schema", 400, R"({"type":"error","error":{"type":"invalid_request_error","message":"output_config.format.schema: For 'number' type, properties maximum, minimum are not supported"}})", Attempt::REFUSED_PARAMETER},
        Case{"anthropic_content", 400, R"({"type":"error","error":{"type":"invalid_request_error","message":"messages.0.content: text content blocks must be non-empty"}})", Attempt::INVALID_REQUEST},
        Case{"anthropic_long", 400, R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})", Attempt::INVALID_REQUEST},
        Case{"gemini_unknown_name", 400, R"({"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"foo\" at 'generation_config': Cannot find field.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"generation_config","description":"Invalid JSON payload received."}]}]}})", Attempt::REFUSED_PARAMETER},
        Case{"gemini_logprobs", 400, R"({"error":{"code":400,"message":"Logprobs is not supported for the current model.","status":"INVALID_ARGUMENT"}})", Attempt::REFUSED_PARAMETER},
        Case{"gemini_thinking", 400, R"({"error":{"code":400,"message":"Thinking level is not supported for this model.","status":"INVALID_ARGUMENT"}})", Attempt::REFUSED_PARAMETER},
        Case{"prose_is_no_path", 400, R"({"error":{"message":"error: something broke"}})", Attempt::INVALID_REQUEST},
        // A model that is gone.
        Case{"groq_decommissioned", 400, R"({"error":{"message":"The model `x` has been decommissioned and is no longer supported.","type":"invalid_request_error","code":"model_decommissioned"}})", Attempt::NOT_FOUND},
        Case{"openai_deprecated", 404, R"({"error":{"message":"The model `gpt-4-vision-preview` has been deprecated, learn more here","type":"invalid_request_error","param":null,"code":"model_not_found"}})", Attempt::NOT_FOUND},
        Case{"shut_down", 400, R"({"error":{"message":"This model was shut down on 2027-01-14."}})", Attempt::NOT_FOUND},
        Case{"gone", 410, "", Attempt::NOT_FOUND},
        Case{"anthropic_model", 404, R"({"type":"error","error":{"type":"not_found_error","message":"model: claude-3-opus"}})", Attempt::NOT_FOUND},
        Case{"gemini_model", 404, R"({"error":{"code":404,"message":"models/x is not found for API version v1beta","status":"NOT_FOUND"}})", Attempt::NOT_FOUND},
        // A day.
        Case{"openai_rpd", 429, R"({"error":{"message":"Rate limit reached for gpt-4o in organization org-x on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.","type":"requests","param":null,"code":"rate_limit_exceeded"}})", Attempt::DAILY_LIMIT},
        Case{"groq_tpd", 429, R"({"error":{"message":"Rate limit reached for model `x` in organization `org` on tokens per day (TPD): Limit 100000, Used 99336, Requested 1234. Please try again in 8m12.5s.","type":"tokens","code":"rate_limit_exceeded"}})", Attempt::DAILY_LIMIT},
        Case{"openrouter_day", 429, R"({"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1795651200000"},"provider_name":null}}})", Attempt::DAILY_LIMIT},
        Case{"gemini_all_three", 429, R"({"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"},{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}})", Attempt::DAILY_LIMIT},
        Case{"a_minute_that_speaks_of_days", 500, R"({"error":{"message":"1000 per day"}})", Attempt::SERVER_ERROR},
        // Money.
        Case{"gemini_no_free_tier", 429, R"({"error":{"code":429,"message":"You exceeded your current quota. * Quota exceeded for metric: x, limit: 0, model: y","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}})", Attempt::QUOTA_EXHAUSTED},
        Case{"gemini_spend_cap", 429, R"({"error":{"code":429,"message":"Your project has exceeded its monthly spending cap. Please go to AI Studio to manage your project spend cap.","status":"RESOURCE_EXHAUSTED"}})", Attempt::QUOTA_EXHAUSTED},
        Case{"gemini_prepaid", 429, R"({"error":{"code":429,"message":"Your prepayment credits are depleted.","status":"RESOURCE_EXHAUSTED"}})", Attempt::QUOTA_EXHAUSTED},
        Case{"anthropic_spend", 400, R"({"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."}})", Attempt::QUOTA_EXHAUSTED},
        Case{"gemini_country", 400, R"({"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}})", Attempt::PERMISSION},
        // Overload and the like.
        Case{"gemini_unavailable", 503, R"({"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}})", Attempt::OVERLOADED},
        Case{"gemini_internal", 500, R"({"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}})", Attempt::SERVER_ERROR},
        Case{"gemini_deadline", 504, R"({"error":{"code":504,"message":"Deadline expired.","status":"DEADLINE_EXCEEDED"}})", Attempt::TIMEOUT},
        Case{"gemini_exhausted_alone", 429, R"({"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED"}})", Attempt::RATE_LIMITED},
        Case{"gemini_within_a_gateway", 429, R"({"error":{"message":"{\n \"error\": {\n \"code\": 429,\n \"message\": \"Resource has been exhausted (e.g. check quota).\",\n \"status\": \"RESOURCE_EXHAUSTED\"\n }\n}\n","code":429,"status":"Too Many Requests"}})", Attempt::RATE_LIMITED},
        Case{"anthropic_timeout", 504, R"({"type":"error","error":{"type":"timeout_error","message":"x"}})", Attempt::TIMEOUT},
        Case{"bedrock", 400, R"({"error":{"type":"ThrottlingException","message":"Too many requests"}})", Attempt::RATE_LIMITED},
        Case{"openai_larger_than_a_minute", 429, R"({"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 35000.","type":"tokens","param":null,"code":"rate_limit_exceeded"}})", Attempt::INVALID_REQUEST},
        Case{"client_closed", 499, "", Attempt::SERVER_ERROR}),
    [](const auto& c) { return std::string(c.param.name); });
// clang-format on

TEST(DailyLimitTest, WaitsForAsLongAsTheDayLasts) {
  // OpenAI's window slides, and its message says when the next request fits.
  EXPECT_EQ(
      Classify(
          429,
          R"({"error":{"message":"on requests per day (RPD): Limit 200. Please try again in 7m12s.","code":"rate_limit_exceeded"}})")
          .retry_after,
      minutes(7) + seconds(12));
  // Longer than an hour, which other waits are cut to.
  EXPECT_EQ(Classify(429, R"({"error":{"message":"daily limit"}})", {{"retry-after", "43200"}})
                .retry_after,
            hours(12));
  // Google's 22 seconds are the answer to another question: 12:00 UTC is 4:00 in Los Angeles.
  const char* google =
      R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x","details":[
      {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"RequestsPerDay"}]},
      {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22s"}]}})";
  EXPECT_EQ(Classify(429, google).retry_after, hours(20));
  EXPECT_EQ(Classify(429, google, {{"date", "Wed, 25 Nov 2026 13:00:00 GMT"}}).retry_after,
            hours(19));
  EXPECT_EQ(Classify(429, R"({"error":{"code":429,"message":"free-models-per-day",
                     "metadata":{"headers":{"X-RateLimit-Reset":"1795651200000"}}}})")
                .retry_after,
            hours(12));
}

TEST(UntilPacificMidnightTest, KnowsSummerTime) {
  const auto until = [](const char* date) { return UntilPacificMidnight(*ParseHttpDate(date)); };
  EXPECT_EQ(until("Fri, 01 Jan 2027 07:59:59 GMT"), seconds(1));
  EXPECT_EQ(until("Fri, 01 Jan 2027 08:00:00 GMT"), hours(24));
  EXPECT_EQ(until("Thu, 01 Jul 2027 06:59:00 GMT"), minutes(1));
  EXPECT_EQ(until("Thu, 01 Jul 2027 07:00:00 GMT"), hours(24));
  // Sunday, 14 March 2027, has 23 hours, and Sunday, 7 November 2027, has 25.
  EXPECT_EQ(until("Sun, 14 Mar 2027 08:00:00 GMT"), hours(23));
  EXPECT_EQ(until("Sun, 14 Mar 2027 10:00:00 GMT"), hours(21));
  EXPECT_EQ(until("Sun, 07 Nov 2027 07:00:00 GMT"), hours(25));
  EXPECT_EQ(until("Sun, 07 Nov 2027 09:30:00 GMT"), hours(22) + minutes(30));
}

TEST(ShouldRetryTest, DecidesWhereOnlyTheStatusSpoke) {
  EXPECT_EQ(Classify(500, "", {{"x-should-retry", "false"}}).error_class, Attempt::INVALID_REQUEST);
  EXPECT_EQ(Classify(400, "", {{"x-should-retry", "true"}}).error_class, Attempt::SERVER_ERROR);
  EXPECT_EQ(Classify(429, "", {{"x-should-retry", "false"}}).error_class, Attempt::RATE_LIMITED);
  EXPECT_EQ(Classify(401, "", {{"x-should-retry", "true"}}).error_class, Attempt::AUTHENTICATION);
  EXPECT_EQ(Classify(500, "", {{"x-should-retry", "maybe"}}).error_class, Attempt::SERVER_ERROR);
  // A body that names its reason is not overruled.
  EXPECT_EQ(Classify(400, R"({"error":{"code":"insufficient_quota","message":"x"}})",
                     {{"x-should-retry", "true"}})
                .error_class,
            Attempt::QUOTA_EXHAUSTED);
}

TEST(AdviceTest, SaysWhatWouldMendAParameter) {
  EXPECT_THAT(
      Classify(
          400,
          R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}})")
          .text,
      HasSubstr("`max_tokens_field: max_completion_tokens`"));
  EXPECT_THAT(Classify(400, R"({"message":"System role not supported"})").text,
              HasSubstr("`system_as: user`"));
  EXPECT_THAT(Classify(400, R"({"error":{"message":"only support stream mode"}})").text,
              HasSubstr("`stream: always`"));
  EXPECT_THAT(
      Classify(
          400,
          R"({"error":{"message":"Unsupported parameter: 'temperature' is not supported with this model.","code":"unsupported_parameter"}})")
          .text,
      HasSubstr("(a new job may leave temperature out)"));
  EXPECT_THAT(Classify(400, R"({"error":{"message":"bad","param":"top_p"}})").text,
              Not(HasSubstr("candor.yaml")));
}

TEST(ReadAnswerTest, FiltersAndUsedUpLimitsAreReplies) {
  const OpenAiDialect dialect;
  const auto read = [&](int status, std::string_view body) {
    return ReadBody(dialect, body, v1::Cell::CHOICE, status);
  };
  const ReadAs azure = read(
      400,
      R"({"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}})");
  ASSERT_FALSE(azure.error);
  EXPECT_EQ(azure.outcome.class_(), Outcome::PROVIDER_BLOCKED);
  EXPECT_EQ(azure.outcome.finish_reason(), "content_filter");
  const ReadAs openrouter = read(
      403,
      R"({"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["violence"],"flagged_input":"x"}}})");
  EXPECT_EQ(openrouter.outcome.class_(), Outcome::PROVIDER_BLOCKED);
  const ReadAs openai = read(
      400,
      R"({"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}})");
  EXPECT_EQ(openai.outcome.class_(), Outcome::PROVIDER_BLOCKED);
  const ReadAs used_up = read(
      400,
      R"({"error":{"message":"Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.","type":"invalid_request_error","param":null,"code":null}})");
  EXPECT_EQ(used_up.outcome.class_(), Outcome::REASONING_EXHAUSTED);
  EXPECT_EQ(used_up.outcome.finish_reason(), "length");
  EXPECT_TRUE(read(403, "Forbidden").error);
  EXPECT_TRUE(read(500, R"({"error":{"code":"content_filter","message":"x"}})").error);
}

}  // namespace
}  // namespace candor::dialect
