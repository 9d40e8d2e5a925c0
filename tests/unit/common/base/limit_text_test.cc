#include "common/base/limit_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LimitText, EveryDimensionAndSourceHasWordsOfItsOwn) {
  std::set<std::string> units;
  for (int i = 1; i < v1::LimitUse::Dimension_ARRAYSIZE; ++i) {
    if (!v1::LimitUse::Dimension_IsValid(i)) continue;
    const std::string text = UnitText(static_cast<v1::LimitUse::Dimension>(i));
    EXPECT_THAT(text, Not(HasSubstr("unknown"))) << i;
    EXPECT_TRUE(units.insert(text).second) << text;
  }
  std::set<std::string> sources;
  for (int i = 1; i < v1::LimitUse::Source_ARRAYSIZE; ++i) {
    if (!v1::LimitUse::Source_IsValid(i)) continue;
    EXPECT_TRUE(sources.insert(SourceText(static_cast<v1::LimitUse::Source>(i))).second) << i;
  }
}

TEST(LimitText, ReadsBehindANumber) {
  EXPECT_STREQ(UnitText(v1::LimitUse::INPUT_TOKENS_PER_MINUTE), "input tokens a minute");
  EXPECT_STREQ(SourceText(v1::LimitUse::LEARNED), "by the provider's headers");
}

TEST(LimitText, CountsOneAndMany) {
  EXPECT_EQ(AmountText(3'000, v1::LimitUse::REQUESTS_PER_MINUTE), "3,000 requests a minute");
  EXPECT_EQ(AmountText(1, v1::LimitUse::REQUESTS_PER_DAY), "1 request a day");
  EXPECT_EQ(AmountText(1, v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE), "1 output token a minute");
  EXPECT_EQ(AmountText(1, v1::LimitUse::IN_FLIGHT), "1 call in flight");
}

TEST(LimitText, SpreadsAMinute) {
  EXPECT_EQ(SpreadText(600, v1::LimitUse::REQUESTS_PER_MINUTE), "10/s");
  EXPECT_EQ(SpreadText(500, v1::LimitUse::REQUESTS_PER_MINUTE), "8.33/s");
  EXPECT_EQ(SpreadText(5, v1::LimitUse::REQUESTS_PER_MINUTE), "one every 12 s");
  EXPECT_EQ(SpreadText(100'000, v1::LimitUse::TOKENS_PER_MINUTE), "1,667/s");
  EXPECT_EQ(SpreadText(30, v1::LimitUse::TOKENS_PER_MINUTE), "0.5/s");
}

}  // namespace
}  // namespace candor
