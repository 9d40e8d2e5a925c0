#include "simulator/limit_headers.h"

#include "simulator/limit_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace candor::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using v1::ScriptedFault;
using v1::SimulatorConfig;

constexpr WallTime kNow{seconds{1'795'600'000}};
const std::vector<LimitView> kLimits = {{Verdict::kRequests, 60, 41, milliseconds{41'500}},
                                        {Verdict::kInputTokens, 50'000, 48'600, seconds{9}}};

std::string Get(const net::HttpHeaders& headers, std::string_view name) {
  return std::string(headers.Find(name).value_or("-"));
}

TEST(LimitHeaders, AreInTheFormatsOfTheirProviders) {
  net::HttpHeaders openai;
  AddLimitHeaders(SimulatorConfig::OPENAI, kLimits, kNow, HeaderLie::kNone, &openai);
  EXPECT_EQ(Get(openai, "x-ratelimit-limit-requests"), "60");
  EXPECT_EQ(Get(openai, "x-ratelimit-remaining-requests"), "41");
  EXPECT_EQ(Get(openai, "x-ratelimit-reset-requests"), "41.5s");
  net::HttpHeaders azure;
  AddLimitHeaders(SimulatorConfig::AZURE, kLimits, kNow, HeaderLie::kNone, &azure);
  EXPECT_EQ(Get(azure, "x-ratelimit-reset-requests"), "42");
  net::HttpHeaders anthropic;
  AddLimitHeaders(SimulatorConfig::ANTHROPIC, kLimits, kNow, HeaderLie::kNone, &anthropic);
  EXPECT_EQ(Get(anthropic, "anthropic-ratelimit-requests-remaining"), "41");
  EXPECT_EQ(Get(anthropic, "anthropic-ratelimit-input-tokens-remaining"), "49000");
  EXPECT_EQ(Get(anthropic, "anthropic-ratelimit-input-tokens-reset"), "2026-11-25T09:46:49Z");
  net::HttpHeaders none;
  AddLimitHeaders(SimulatorConfig::NONE, kLimits, kNow, HeaderLie::kNone, &none);
  EXPECT_TRUE(none.empty());
}

TEST(LimitHeaders, LieWhenTold) {
  const auto with = [](HeaderLie lie) {
    net::HttpHeaders headers;
    AddLimitHeaders(SimulatorConfig::OPENAI, kLimits, kNow, lie, &headers);
    return headers;
  };
  EXPECT_EQ(Get(with(HeaderLie::kNegative), "x-ratelimit-remaining-requests"), "-5");
  EXPECT_EQ(Get(with(HeaderLie::kNegative), "x-ratelimit-reset-requests"), "-1h0m0s");
  EXPECT_EQ(Get(with(HeaderLie::kAbsurd), "x-ratelimit-limit-requests").size(), 23U);
  EXPECT_TRUE(with(HeaderLie::kMissing).empty());
  EXPECT_EQ(Get(with(HeaderLie::kPast), "x-ratelimit-reset-requests"), "-1h0m0s");
}

TEST(RetryAfter, ComesInAllForms) {
  const auto with = [](ScriptedFault::RetryAfterFormat format, DialectKind dialect) {
    net::HttpHeaders headers;
    AddRetryAfter(format, dialect, milliseconds{1'250}, kNow, &headers);
    return Get(headers, "retry-after") + " " + Get(headers, "retry-after-ms");
  };
  const auto own = ScriptedFault::RETRY_AFTER_FORMAT_UNSPECIFIED;
  EXPECT_EQ(with(own, DialectKind::kChat), "2 1250");
  EXPECT_EQ(with(own, DialectKind::kAnthropic), "2 -");
  EXPECT_EQ(with(own, DialectKind::kGemini), "- -");
  EXPECT_EQ(with(ScriptedFault::SECONDS, DialectKind::kGemini), "2 -");
  EXPECT_EQ(with(ScriptedFault::DECIMAL_SECONDS, DialectKind::kChat), "1.25 -");
  EXPECT_EQ(with(ScriptedFault::MILLISECONDS, DialectKind::kChat), "- 1250");
  EXPECT_EQ(with(ScriptedFault::HTTP_DATE, DialectKind::kChat), "Wed, 25 Nov 2026 09:46:42 GMT -");
  EXPECT_EQ(with(ScriptedFault::NOT_SENT, DialectKind::kChat), "- -");
}

TEST(LimitBook, PoolsModelsAndTakesChanges) {
  SimulatorConfig config;
  config.mutable_limits()->set_requests_per_minute(5);
  v1::LimitRule* rule = config.add_limit_rules();
  rule->set_match("a-*");
  rule->set_pool("a");
  rule->mutable_limits()->set_requests_per_minute(1);
  auto book = LimitBook::Create(config);
  ASSERT_TRUE(book.ok()) << book.status();
  Limiter& first = book->Find("a-1");
  EXPECT_EQ(&first, &book->Find("a-2"));
  EXPECT_NE(&book->Find("b"), &book->Find("c"));
  EXPECT_EQ(book->Find("b").settings().requests_per_minute, 5);

  v1::LimitRule change;
  change.mutable_limits()->set_requests_per_minute(3);
  change.set_match("a-*");
  const std::uint64_t version = book->version();
  ASSERT_TRUE(book->Change(change).ok());
  EXPECT_NE(book->version(), version);
  EXPECT_EQ(&book->Find("a-1"), &first);
  EXPECT_EQ(&book->Find("a-3"), &first);
  EXPECT_EQ(first.settings().requests_per_minute, 3);
  EXPECT_EQ(book->Find("b").settings().requests_per_minute, 5);
  change.clear_match();
  ASSERT_TRUE(book->Change(change).ok());
  EXPECT_EQ(book->Find("d").settings().requests_per_minute, 3);
  EXPECT_THAT(book->Print(), ::testing::HasSubstr("\"pool\": \"a\""));
  change.mutable_limits()->set_in_flight(-1);
  EXPECT_EQ(book->Change(change).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace candor::simulator
