#include "common/dialect/limit_headers.h"

#include "common/base/time_proto.h"
#include "common/dialect/error.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace candor::dialect {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Headers = std::vector<std::pair<std::string, std::string>>;

const WallTime kNow = *ParseHttpDate("Wed, 25 Nov 2026 12:00:00 GMT");

// "DIMENSION limit/remaining~rounding reset", each "-" where it was not said.
std::vector<std::string> Read(const Headers& headers, WallTime now = kNow) {
  LimitHeaders limits;
  for (const auto& [name, value] : headers) limits.Add(name, value);
  google::protobuf::RepeatedPtrField<v1::LimitObservation> observations;
  limits.Read(now, &observations);
  std::vector<std::string> lines;
  for (const v1::LimitObservation& o : observations) {
    std::string line = v1::LimitUse::Dimension_Name(o.dimension()) + " ";
    line += o.has_limit() ? std::to_string(o.limit()) : "-";
    line += "/" + (o.has_remaining() ? std::to_string(o.remaining()) : "-");
    if (o.rounded_to() > 0) line += fmt::format("~{}", o.rounded_to());
    line += " ";
    line += o.has_reset_after()
                ? fmt::format("{}", static_cast<double>(ToDuration(o.reset_after()).count()) / 1e6)
                : "-";
    lines.push_back(std::move(line));
  }
  return lines;
}

TEST(LimitHeadersTest, OpenAi) {
  // The documented example, whose reset of the tokens is more than a minute's.
  EXPECT_THAT(Read({{"x-ratelimit-limit-requests", "60"},
                    {"x-ratelimit-limit-tokens", "150000"},
                    {"x-ratelimit-remaining-requests", "59"},
                    {"x-ratelimit-remaining-tokens", "149984"},
                    {"x-ratelimit-reset-requests", "1s"},
                    {"x-ratelimit-reset-tokens", "6m0s"}}),
              ElementsAre("REQUESTS_PER_MINUTE 60/59 1", "TOKENS_PER_MINUTE 150000/149984 -"));
  EXPECT_THAT(Read({{"X-RateLimit-Limit-Requests", "5000"},
                    {"X-RateLimit-Remaining-Requests", "4999"},
                    {"X-RateLimit-Reset-Requests", "12ms"}}),
              ElementsAre("REQUESTS_PER_MINUTE 5000/4999 0.012"));
}

TEST(LimitHeadersTest, OfAccountAndProjectTheTighterCounts) {
  EXPECT_THAT(Read({{"x-ratelimit-limit-tokens", "150000"},
                    {"x-ratelimit-remaining-tokens", "90000"},
                    {"x-ratelimit-limit-project-tokens", "100000"},
                    {"x-ratelimit-remaining-project-tokens", "40000"},
                    {"x-ratelimit-reset-project-tokens", "36s"}}),
              ElementsAre("TOKENS_PER_MINUTE 100000/40000 36"));
}

TEST(LimitHeadersTest, AzureSendsPlainSeconds) {
  EXPECT_THAT(Read({{"x-ratelimit-limit-requests", "600"},
                    {"x-ratelimit-remaining-requests", "599"},
                    {"x-ratelimit-reset-requests", "10"},
                    {"x-ratelimit-limit-tokens", "100000"},
                    {"x-ratelimit-remaining-tokens", "98000"},
                    {"x-ratelimit-reset-tokens", "60"}}),
              ElementsAre("REQUESTS_PER_MINUTE 600/599 10", "TOKENS_PER_MINUTE 100000/98000 60"));
}

TEST(LimitHeadersTest, Anthropic) {
  EXPECT_THAT(Read({{"anthropic-ratelimit-requests-limit", "50"},
                    {"anthropic-ratelimit-requests-remaining", "49"},
                    {"anthropic-ratelimit-requests-reset", "2026-11-25T12:00:01Z"},
                    {"anthropic-ratelimit-tokens-limit", "48000"},
                    {"anthropic-ratelimit-tokens-remaining", "46000"},
                    {"anthropic-ratelimit-tokens-reset", "2026-11-25T12:00:02.5Z"},
                    {"anthropic-ratelimit-input-tokens-limit", "40000"},
                    {"anthropic-ratelimit-input-tokens-remaining", "39000"},
                    {"anthropic-ratelimit-input-tokens-reset", "2026-11-25T13:00:02+01:00"},
                    {"anthropic-ratelimit-output-tokens-limit", "8000"},
                    {"anthropic-ratelimit-output-tokens-remaining", "8000"},
                    {"anthropic-ratelimit-output-tokens-reset", "2026-11-25T12:00:00Z"},
                    {"anthropic-priority-input-tokens-limit", "10"},
                    {"retry-after", "5"}}),
              ElementsAre("REQUESTS_PER_MINUTE 50/49 1", "TOKENS_PER_MINUTE 48000/46000~1000 2.5",
                          "INPUT_TOKENS_PER_MINUTE 40000/39000~1000 2",
                          "OUTPUT_TOKENS_PER_MINUTE 8000/8000~1000 0"));
  // Rounded up above the limit.
  EXPECT_THAT(Read({{"anthropic-ratelimit-input-tokens-limit", "39600"},
                    {"anthropic-ratelimit-input-tokens-remaining", "40000"}}),
              ElementsAre("INPUT_TOKENS_PER_MINUTE 39600/39600~1000 -"));
}

TEST(LimitHeadersTest, TheAnswersOwnDateIsTheClock) {
  // Our clock is three hours off.
  EXPECT_THAT(Read({{"anthropic-ratelimit-requests-limit", "50"},
                    {"anthropic-ratelimit-requests-reset", "2026-11-25T12:00:30Z"},
                    {"Date", "Wed, 25 Nov 2026 12:00:00 GMT"}},
                   kNow + std::chrono::hours(3)),
              ElementsAre("REQUESTS_PER_MINUTE 50/- 30"));
}

TEST(LimitHeadersTest, NamesThatSayTheirWindow) {
  // Cerebras.
  EXPECT_THAT(Read({{"x-ratelimit-limit-requests-day", "1000000000"},
                    {"x-ratelimit-limit-tokens-minute", "1000000000"},
                    {"x-ratelimit-remaining-requests-day", "999997455"},
                    {"x-ratelimit-remaining-tokens-minute", "999998298"},
                    {"x-ratelimit-reset-requests-day", "33011.382867"},
                    {"x-ratelimit-reset-tokens-minute", "11.382867"}}),
              ElementsAre("TOKENS_PER_MINUTE 1000000000/999998298 11.382867",
                          "REQUESTS_PER_DAY 1000000000/999997455 33011.382867"));
  // Mistral, Kong, DigitalOcean, Fireworks.
  EXPECT_THAT(
      Read({{"x-ratelimit-limit-req-minute", "60"}, {"x-ratelimit-limit-tokens-minute", "500000"}}),
      ElementsAre("REQUESTS_PER_MINUTE 60/- -", "TOKENS_PER_MINUTE 500000/- -"));
  EXPECT_THAT(Read({{"X-RateLimit-Limit-Minute", "20"},
                    {"X-RateLimit-Remaining-Minute", "3"},
                    {"X-RateLimit-Limit-Hour", "500"}}),
              ElementsAre("REQUESTS_PER_MINUTE 20/3 -"));
  EXPECT_THAT(Read({{"x-ratelimit-limit-tokens-per-day", "1000000"},
                    {"x-ratelimit-remaining-tokens-per-day", "999000"},
                    {"x-ratelimit-reset-tokens-per-day", "1795608060"}}),
              ElementsAre("TOKENS_PER_DAY 1000000/999000 60"));
  EXPECT_THAT(
      Read({{"x-ratelimit-limit-tokens-prompt", "60000"},
            {"x-ratelimit-limit-tokens-generated", "6000"}}),
      ElementsAre("INPUT_TOKENS_PER_MINUTE 60000/- -", "OUTPUT_TOKENS_PER_MINUTE 6000/- -"));
  EXPECT_THAT(Read({{"x-ratelimit-minute-limit", "10"}, {"x-ratelimit-minute-remaining", "9"}}),
              ElementsAre("REQUESTS_PER_MINUTE 10/9 -"));
}

TEST(LimitHeadersTest, ADayUnderTheNameOfAMinute) {
  // Groq's documented example.
  EXPECT_THAT(
      Read({{"x-ratelimit-limit-requests", "14400"},
            {"x-ratelimit-limit-tokens", "18000"},
            {"x-ratelimit-remaining-requests", "14370"},
            {"x-ratelimit-remaining-tokens", "17997"},
            {"x-ratelimit-reset-requests", "2m59.56s"},
            {"x-ratelimit-reset-tokens", "7.66s"}}),
      ElementsAre("TOKENS_PER_MINUTE 18000/17997 7.66", "REQUESTS_PER_DAY 14400/14370 179.56"));
  // A fixed window that ends at midnight.
  EXPECT_THAT(Read({{"x-ratelimit-limit-requests", "250"},
                    {"x-ratelimit-remaining-requests", "249"},
                    {"x-ratelimit-reset-requests", "12h30m0s"}}),
              ElementsAre("REQUESTS_PER_DAY 250/249 45000"));
}

TEST(LimitHeadersTest, OtherGateways) {
  EXPECT_THAT(Read({{"RateLimit-Limit", "100, 100;w=60"},
                    {"RateLimit-Remaining", "99"},
                    {"RateLimit-Reset", "60"}}),
              ElementsAre("REQUESTS_PER_MINUTE 100/99 60"));
  EXPECT_THAT(Read({{"RateLimit-Policy", "\"default\";q=100;w=60"},
                    {"RateLimit", "\"default\";r=50;t=30"}}),
              ElementsAre("REQUESTS_PER_MINUTE 100/50 30"));
  // OpenRouter: milliseconds since 1970.
  EXPECT_THAT(Read({{"X-RateLimit-Limit", "20"},
                    {"X-RateLimit-Remaining", "0"},
                    {"X-RateLimit-Reset", "1795608059000"}}),
              ElementsAre("REQUESTS_PER_MINUTE 20/0 59"));
  EXPECT_THAT(Read({{"X-RateLimit-Limit", "50"},
                    {"X-RateLimit-Remaining", "0"},
                    {"X-RateLimit-Reset", "1795651200"}}),
              ElementsAre("REQUESTS_PER_DAY 50/0 43200"));
  EXPECT_THAT(
      Read({{"x-ratelimit-limit", "10"}, {"x-ratelimit-reset", "Wed, 25 Nov 2026 12:00:20 GMT"}}),
      ElementsAre("REQUESTS_PER_MINUTE 10/- 20"));
  // A window of a second, or nobody knows of what.
  EXPECT_THAT(Read({{"x-ratelimit-limit", "10"}, {"x-ratelimit-reset", "1"}}), IsEmpty());
  EXPECT_THAT(Read({{"x-ratelimit-limit", "10"}, {"x-ratelimit-remaining", "9"}}), IsEmpty());
  EXPECT_THAT(Read({{"ratelimit-limit", "10;w=1"}, {"ratelimit-reset", "30"}}), IsEmpty());
}

TEST(LimitHeadersTest, LiesAreDropped) {
  for (const char* limit : {"0", "-1", "-9223372036854775808", "1e300", "999999999999999999999",
                            "nan", "inf", "", " ", "many", "0x10", "60 per minute", "0.5"}) {
    EXPECT_THAT(Read({{"x-ratelimit-limit-requests", limit}}), IsEmpty()) << limit;
  }
  // What is left of it is kept when it can be.
  EXPECT_THAT(
      Read({{"x-ratelimit-limit-requests", "60"}, {"x-ratelimit-remaining-requests", "-1"}}),
      ElementsAre("REQUESTS_PER_MINUTE 60/- -"));
  EXPECT_THAT(
      Read({{"x-ratelimit-limit-requests", "60"}, {"x-ratelimit-remaining-requests", "61"}}),
      ElementsAre("REQUESTS_PER_MINUTE 60/- -"));
  EXPECT_THAT(Read({{"x-ratelimit-limit-requests", "-1"}, {"x-ratelimit-remaining-requests", "7"}}),
              ElementsAre("REQUESTS_PER_MINUTE -/7 -"));
  for (const char* reset :
       {"-1s", "-5", "1e300", "nan", "soon", "0001-01-01T00:00:00Z", "2026-11-25T11:59:50Z",
        "2030-01-01T00:00:00Z", "2026-13-45T99:00:00Z", "2026-11-25T12:00:10",
        "2026-11-25T12:00:10+99:00", "1795607000", "Wed, 25 Nov 2026 11:00:00 GMT", "999999h"}) {
    EXPECT_THAT(Read({{"anthropic-ratelimit-requests-limit", "50"},
                      {"anthropic-ratelimit-requests-reset", reset}}),
                ElementsAre("REQUESTS_PER_MINUTE 50/- -"))
        << reset;
  }
  EXPECT_THAT(Read({{"x-ratelimit-limit-requests", "60"},
                    {"x-ratelimit-remaining-requests", "0"},
                    {"x-ratelimit-reset-requests", "-1h"}}),
              ElementsAre("REQUESTS_PER_MINUTE 60/- -"));
  EXPECT_THAT(Read({{"anthropic-ratelimit-requests-remaining", "0"},
                    {"anthropic-ratelimit-requests-reset", "2026-11-25T11:00:00Z"}}),
              IsEmpty());
  // Late by less than the clocks are apart.
  EXPECT_THAT(Read({{"anthropic-ratelimit-requests-remaining", "0"},
                    {"anthropic-ratelimit-requests-reset", "2026-11-25T11:59:59Z"}}),
              ElementsAre("REQUESTS_PER_MINUTE -/0 0"));
  EXPECT_THAT(Read({{"x-ratelimit", "60"},
                    {"x-ratelimit-requests", "60"},
                    {"x-ratelimit-limit-images", "5"},
                    {"x-ratelimit-limit-requests-1h", "5"},
                    {"x-requests-limit", "60"},
                    {std::string(5000, 'x'), "60"},
                    {"", "60"}}),
              IsEmpty());
}

TEST(LimitHeadersTest, AFloodOfHeadersIsBounded) {
  Headers headers;
  for (int i = 0; i < 1000; ++i) {
    headers.emplace_back("x-ratelimit-limit-requests", std::to_string(1000 - i));
    headers.emplace_back(fmt::format("x-ratelimit-limit-{}", i), "1");
  }
  // A repeated header: the last counts.
  EXPECT_THAT(Read(headers), ElementsAre("REQUESTS_PER_MINUTE 1/- -"));
}

TEST(ParseRfc3339Test, Table) {
  EXPECT_EQ(ParseRfc3339("2026-11-25T12:00:00Z"), kNow);
  EXPECT_EQ(ParseRfc3339("2026-11-25t12:00:00.250z"), kNow + std::chrono::milliseconds(250));
  EXPECT_EQ(ParseRfc3339("2026-11-25T06:30:00-05:30"), kNow);
  for (const char* wrong :
       {"", "2026-11-25", "2026-11-25T12:00:00", "2026-02-30T12:00:00Z", "2026-11-25T24:00:00Z",
        "2026-11-25T12:00:00.Z", "2026-11-25T12:00:00+1"}) {
    EXPECT_EQ(ParseRfc3339(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace candor::dialect
