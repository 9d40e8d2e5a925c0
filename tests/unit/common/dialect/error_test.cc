#include "common/dialect/error.h"

#include "common/base/json_writer.h"
#include "common/dialect/openai.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace candor::dialect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using v1::Attempt;

using Headers = std::map<std::string, std::string, std::less<>>;

const WallTime kNow = *ParseHttpDate("Mon, 23 Nov 2026 12:00:00 GMT");

struct Case {
  const char* name;
  int status;
  const char* body;
  Attempt::ErrorClass error_class;
  const char* text;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

ProviderError Classify(int status, std::string_view body, const Headers& headers = {}) {
  const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto at = headers.find(name);
    if (at == headers.end()) return std::nullopt;
    return at->second;
  };
  return OpenAiDialect().ClassifyError(
      {.status = status, .body = body, .header = find, .now = kNow});
}

class ClassifyErrorTest : public ::testing::TestWithParam<Case> {};

TEST_P(ClassifyErrorTest, Documented) {
  const Case& c = GetParam();
  const ProviderError error = Classify(c.status, c.body);
  EXPECT_EQ(error.error_class, c.error_class)
      << "got " << Attempt::ErrorClass_Name(error.error_class);
  EXPECT_THAT(error.text, HasSubstr(c.text));
}

INSTANTIATE_TEST_SUITE_P(All, ClassifyErrorTest,
                         ::testing::Values(Case{"openai_rate_limit", 429,
                                                R"({"error":{"message":"Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29500, Requested 1200. Please try again in 1.4s.","type":"tokens","param":null,"code":"rate_limit_exceeded"}})",
                                                Attempt::RATE_LIMITED, "Limit 30000"},
                                           Case{
                                               "openai_quota", 429,
                                               R"({"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})",
                                               Attempt::QUOTA_EXHAUSTED,
                                               "exceeded your current quota"},
                                           Case{
                                               "openai_quota_by_sentence_alone", 429,
                                               R"({"error":{"message":"You exceeded your current quota, please check your plan."}})",
                                               Attempt::QUOTA_EXHAUSTED, "quota"},
                                           Case{
                                               "openai_billing_hard_limit", 400,
                                               R"({"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","param":null,"code":"billing_hard_limit_reached"}})",
                                               Attempt::QUOTA_EXHAUSTED, "hard limit"},
                                           Case{
                                               "openai_wrong_key", 401,
                                               R"({"error":{"message":"Incorrect API key provided: sk-x.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}})",
                                               Attempt::AUTHENTICATION, "Incorrect API key"},
                                           Case{
                                               "openai_region", 403,
                                               R"({"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","param":null,"type":"request_forbidden"}})",
                                               Attempt::PERMISSION, "not supported"},
                                           Case{
                                               "openai_model_not_found", 404,
                                               R"({"error":{"message":"The model `x` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}})",
                                               Attempt::NOT_FOUND, "does not exist"},
                                           Case{
                                               "openai_unsupported_parameter", 400,
                                               R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}})",
                                               Attempt::REFUSED_PARAMETER, "max_completion_tokens"},
                                           Case{
                                               "openai_context", 400,
                                               R"({"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}})",
                                               Attempt::INVALID_REQUEST, "maximum context"},
                                           Case{
                                               "openai_server_error", 500,
                                               R"({"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}})",
                                               Attempt::SERVER_ERROR, "had an error"},
                                           Case{
                                               "openai_overloaded", 503,
                                               R"({"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error","param":null,"code":null}})",
                                               Attempt::OVERLOADED, "overloaded"},
                                           Case{
                                               "azure_429", 429,
                                               R"({"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation have exceeded token rate limit of your current pricing tier. Please retry after 6 seconds."}})",
                                               Attempt::RATE_LIMITED, "token rate limit"},
                                           Case{
                                               "azure_deployment", 404,
                                               R"({"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}})",
                                               Attempt::NOT_FOUND, "deployment"},
                                           Case{
                                               "azure_content_filter", 400,
                                               R"({"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
                                               Attempt::INVALID_REQUEST, "filtered"},
                                           Case{
                                               "anthropic_overloaded", 529,
                                               R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
                                               Attempt::OVERLOADED, "Overloaded"},
                                           Case{
                                               "anthropic_overloaded_as_429", 429,
                                               R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
                                               Attempt::OVERLOADED, "Overloaded"},
                                           Case{
                                               "anthropic_rate_limit", 429,
                                               R"({"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit"}})",
                                               Attempt::RATE_LIMITED, "organization"},
                                           Case{
                                               "anthropic_billing", 402,
                                               R"({"type":"error","error":{"type":"billing_error","message":"Your payment failed."}})",
                                               Attempt::QUOTA_EXHAUSTED, "payment"},
                                           Case{
                                               "anthropic_credit", 400,
                                               R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}})",
                                               Attempt::QUOTA_EXHAUSTED, "credit balance"},
                                           Case{
                                               "anthropic_authentication", 401,
                                               R"({"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}})",
                                               Attempt::AUTHENTICATION, "x-api-key"},
                                           Case{
                                               "anthropic_too_large", 413,
                                               R"({"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}})",
                                               Attempt::INVALID_REQUEST, "maximum size"},
                                           Case{
                                               "gemini_per_day", 429, R"([{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"x","quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaValue":"250"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22s"}]}}])",
                                               Attempt::DAILY_LIMIT, "exceeded"},
                                           Case{
                                               "gemini_per_minute", 429,
                                               R"([{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"x","quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quotaValue":"10"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22s"}]}}])",
                                               Attempt::RATE_LIMITED, "exceeded"},
                                           Case{
                                               "gemini_key", 400,
                                               R"([{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}])",
                                               Attempt::AUTHENTICATION, "not valid"},
                                           Case{
                                               "vllm_old_shape", 400,
                                               R"({"object":"error","message":"This model's maximum context length is 2048 tokens.","type":"BadRequestError","param":null,"code":400})",
                                               Attempt::INVALID_REQUEST, "2048"},
                                           Case{
                                               "vllm_not_found", 404,
                                               R"({"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}})",
                                               Attempt::NOT_FOUND, "does not exist"},
                                           Case{
                                               "llama_cpp_loading", 503,
                                               R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})",
                                               Attempt::OVERLOADED, "Loading model"},
                                           Case{"ollama_text", 404,
                                                R"({"error":"model 'x' not found"})",
                                                Attempt::NOT_FOUND, "model 'x' not found"},
                                           Case{"fastapi_text", 401,
                                                R"({"detail":"Not authenticated"})",
                                                Attempt::AUTHENTICATION, "Not authenticated"},
                                           Case{
                                               "fastapi_list", 422,
                                               R"({"detail":[{"loc":["body","messages"],"msg":"field required","type":"value_error.missing"}]})",
                                               Attempt::INVALID_REQUEST, "field required"},
                                           Case{
                                               "openrouter_credit", 402,
                                               R"({"error":{"code":402,"message":"Insufficient credits. Add more using https://openrouter.ai/credits"}})",
                                               Attempt::QUOTA_EXHAUSTED, "Insufficient credits"},
                                           Case{
                                               "openrouter_upstream", 429,
                                               R"({"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"x is temporarily rate-limited upstream","provider_name":"P"}}})",
                                               Attempt::RATE_LIMITED, "rate-limited upstream"},
                                           Case{
                                               "deepseek_balance", 402,
                                               R"({"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}})",
                                               Attempt::QUOTA_EXHAUSTED, "Insufficient Balance"},
                                           Case{"nginx_502", 502,
                                                "<html><head><title>502 Bad "
                                                "Gateway</title></head><body>x</body></html>",
                                                Attempt::SERVER_ERROR, "502 Bad Gateway"},
                                           Case{"html_without_title", 504,
                                                "<p>upstream <b>timed</b> out</p>",
                                                Attempt::SERVER_ERROR, "upstream timed out"},
                                           Case{"cloudflare_timeout", 524, "error code: 524",
                                                Attempt::SERVER_ERROR, "524"},
                                           Case{"gateway_timeout", 504, "", Attempt::SERVER_ERROR,
                                                "504 without a text"},
                                           Case{"request_timeout", 408, "", Attempt::TIMEOUT,
                                                "408"},
                                           Case{"conflict", 409, "", Attempt::SERVER_ERROR, "409"},
                                           Case{"payment", 402, "", Attempt::QUOTA_EXHAUSTED,
                                                "402"},
                                           Case{"forbidden", 403, "Forbidden", Attempt::PERMISSION,
                                                "Forbidden"},
                                           Case{"not_found", 404, "404 page not found",
                                                Attempt::NOT_FOUND, "page not found"},
                                           Case{"method", 405, "", Attempt::INVALID_REQUEST, "405"},
                                           Case{"too_large", 413, "", Attempt::INVALID_REQUEST,
                                                "413"},
                                           Case{"unprocessable", 422, "", Attempt::INVALID_REQUEST,
                                                "422"},
                                           Case{"too_many", 429, "slow down", Attempt::RATE_LIMITED,
                                                "slow down"},
                                           Case{"internal", 500, "{", Attempt::SERVER_ERROR, "{"},
                                           Case{"unavailable", 503, "", Attempt::OVERLOADED, "503"},
                                           Case{"redirect", 302, "", Attempt::INVALID_REQUEST,
                                                "redirects are not followed"},
                                           Case{"no_content", 204, "", Attempt::MALFORMED_RESPONSE,
                                                "204"}),
                         [](const auto& test) { return test.param.name; });

TEST(ClassifyErrorTest, LongAndDirtyTextIsBoundedAndClean) {
  std::string text(10'000, 'x');
  text[3] = '\n';
  text[5] = '\x01';
  text[7] = '\xff';
  const ProviderError error = Classify(500, text);
  EXPECT_LE(error.text.size(), kMaxErrorTextBytes);
  EXPECT_TRUE(IsUtf8(error.text));
  EXPECT_THAT(error.text, Not(HasSubstr("\n")));
  EXPECT_THAT(error.text, ::testing::EndsWith("..."));
}

TEST(CleanTextTest, Table) {
  EXPECT_EQ(CleanText("", 10), "");
  EXPECT_EQ(CleanText("  a \n\t b  ", 10), "a b");
  EXPECT_EQ(CleanText("a\x80z", 10), "a\xEF\xBF\xBDz");
  EXPECT_EQ(CleanText("\xC3\xA9t\xC3\xA9", 10), "\xC3\xA9t\xC3\xA9");
  EXPECT_EQ(CleanText("\xF0\x9F\x98\x80!", 10), "\xF0\x9F\x98\x80!");
  EXPECT_EQ(CleanText("0123456789", 10), "0123456789");
  EXPECT_EQ(CleanText("0123456789a", 10), "0123456...");
  // Never half a character.
  EXPECT_EQ(CleanText("012345\xC3\xA9\xC3\xA9\xC3\xA9", 10), "012345...");
  EXPECT_TRUE(IsUtf8(CleanText(std::string(100, '\xE2'), 10)));
}

struct WaitCase {
  const char* name;
  int status;
  const char* body;
  Headers headers;
  std::optional<Duration> wait;
};

void PrintTo(const WaitCase& c, std::ostream* out) { *out << c.name; }

class RetryAfterTest : public ::testing::TestWithParam<WaitCase> {};

TEST_P(RetryAfterTest, Documented) {
  const WaitCase& c = GetParam();
  EXPECT_EQ(Classify(c.status, c.body, c.headers).retry_after, c.wait);
}

INSTANTIATE_TEST_SUITE_P(
    All, RetryAfterTest,
    ::testing::Values(
        WaitCase{"none", 429, "", {}, std::nullopt},
        WaitCase{"seconds", 429, "", {{"retry-after", "20"}}, seconds(20)},
        WaitCase{"fraction", 429, "", {{"retry-after", "0.5"}}, milliseconds(500)},
        WaitCase{"milliseconds_first",
                 429,
                 "",
                 {{"retry-after", "1"}, {"retry-after-ms", "250"}},
                 milliseconds(250)},
        WaitCase{"date_by_our_clock",
                 503,
                 "",
                 {{"retry-after", "Mon, 23 Nov 2026 12:00:30 GMT"}},
                 seconds(30)},
        WaitCase{"date_by_theirs",
                 503,
                 "",
                 {{"retry-after", "Mon, 23 Nov 2026 15:00:07 GMT"},
                  {"date", "Mon, 23 Nov 2026 15:00:00 GMT"}},
                 seconds(7)},
        WaitCase{
            "past_date", 503, "", {{"retry-after", "Mon, 23 Nov 2026 11:00:00 GMT"}}, std::nullopt},
        WaitCase{"negative", 429, "", {{"retry-after", "-5"}}, std::nullopt},
        WaitCase{"zero", 429, "", {{"retry-after", "0"}}, std::nullopt},
        WaitCase{"not_a_number", 429, "", {{"retry-after", "nan"}}, std::nullopt},
        WaitCase{"infinite", 429, "", {{"retry-after", "inf"}}, std::nullopt},
        WaitCase{"word", 429, "", {{"retry-after", "soon"}}, std::nullopt},
        WaitCase{"long_is_cut", 429, "", {{"retry-after", "90000"}}, kMaxRetryAfter},
        WaitCase{"absurd_is_ignored", 429, "", {{"retry-after", "1763900000"}}, std::nullopt},
        WaitCase{"bad_milliseconds_leave_seconds",
                 429,
                 "",
                 {{"retry-after", "3"}, {"retry-after-ms", "x"}},
                 seconds(3)},
        WaitCase{
            "retry_info",
            429,
            R"({"error":{"code":429,"message":"m","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"22.5s"}]}})",
            {},
            milliseconds(22'500)},
        WaitCase{"message_seconds",
                 429,
                 R"({"error":{"message":"Please try again in 41.724s. Visit x."}})",
                 {},
                 milliseconds(41'724)},
        WaitCase{"message_minutes",
                 429,
                 R"({"error":{"message":"Please try again in 7m12s."}})",
                 {},
                 seconds(432)},
        WaitCase{"message_milliseconds",
                 429,
                 R"({"error":{"message":"try again in 120ms"}})",
                 {},
                 milliseconds(120)},
        WaitCase{"message_words",
                 429,
                 R"({"error":{"message":"Please retry after 6 seconds."}})",
                 {},
                 seconds(6)},
        WaitCase{"message_without_number",
                 429,
                 R"({"error":{"message":"Please try again in a moment."}})",
                 {},
                 std::nullopt},
        WaitCase{"header_before_message",
                 429,
                 R"({"error":{"message":"try again in 9s"}})",
                 {{"retry-after", "2"}},
                 seconds(2)},
        WaitCase{"server_error_too", 500, "", {{"retry-after", "4"}}, seconds(4)}),
    [](const auto& test) { return test.param.name; });

TEST(ParseHttpDateTest, TheThreeForms) {
  const auto imf = ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(imf);
  EXPECT_EQ(imf->time_since_epoch(), seconds(784'111'777));
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), imf);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994"), imf);
  for (const char* bad :
       {"", "x", "Sun, 06 Nov 1994 08:49:37", "Sun, 36 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nvo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 28:49:37 GMT",
        "Sun, 06 Nov 1994 08-49-37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"}) {
    EXPECT_EQ(ParseHttpDate(bad), std::nullopt) << bad;
  }
}

TEST(ParseGoDurationTest, Table) {
  EXPECT_EQ(ParseGoDuration("1s"), seconds(1));
  EXPECT_EQ(ParseGoDuration("6m0s"), seconds(360));
  EXPECT_EQ(ParseGoDuration("2ms"), milliseconds(2));
  EXPECT_EQ(ParseGoDuration("1h2m3.5s"), milliseconds(3'723'500));
  EXPECT_EQ(ParseGoDuration("5us"), Duration(5));
  for (const char* bad : {"", "s", "1", "-1s", "1x", "1s2", "1e9999h", "9999999999999h", "1 s"}) {
    EXPECT_EQ(ParseGoDuration(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace candor::dialect
