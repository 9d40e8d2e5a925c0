// Texts that are made to be slow or deep. A reader that recurses overflows its stack here, and one
// that takes quadratic time runs into the timeout of the test.
#include "common/reply/choice.h"
#include "common/reply/self_report.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

std::string Repeat(std::string_view unit) {
  std::string text;
  text.reserve(kMegabyte + unit.size());
  while (text.size() < kMegabyte) text += unit;
  return text;
}

class Bomb : public testing::TestWithParam<std::string_view> {};

TEST_P(Bomb, IsReadInLinearTime) {
  const std::vector<std::string> names = {"price", "commute_time"};
  for (const std::string_view before : {"", "{\"price\": 80, \"x\": ", "{\"price\": "}) {
    const std::string text = std::string(before) + Repeat(GetParam());
    const ParsedReport report = ParseSelfReport({.text = text}, names);
    EXPECT_NE(report.class_, v1::Outcome::VALID);
    EXPECT_NE(report.class_, v1::Outcome::REPAIRED);
    EXPECT_NE(ParseChoice({.text = text}).class_, v1::Outcome::VALID);
  }
}

INSTANTIATE_TEST_SUITE_P(Units, Bomb,
                         testing::Values("{", "[", "{[", "}", "]", "\"", "'", "\\", "\\\"", "\" ",
                                         "' \n", "`", "```", "(", "*", ",", ":", "/*", "//", "#",
                                         "-", "1", "1,", "1,000,", "a", "A ", "A. ", "a b ", "A\n",
                                         "option ", "i can't ", "<think>", "</think>", "<", "<a",
                                         "{\"a\":", "[{\"a\":", "{}", "{\"price\": 1}",
                                         "{\"price\": 1, ", "\"price\": 1, ", "price: 80\n",
                                         "price: 80, ", "\xe2\x80\x9c", "\xe2\x80", "\xff", "\t\n",
                                         "I choose A or ", "I choose the the ", "the answer ",
                                         "because ", "I choose A because ", "I choose A, ",
                                         "Option A is better than ", "a:1, ", "1\n"));

TEST(ParseSelfReport, ReadsOverWhatIsTooDeepOrTooMuch) {
  const std::vector<std::string> names = {"price", "commute_time"};
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "[{\"x\":";
  deep += "1";
  for (int i = 0; i < 100'000; ++i) deep += "}]";
  const std::string text = "{\"notes\": " + deep + ", \"price\": 80, \"commute_time\": -20}";
  const ParsedReport parsed = ParseSelfReport({.text = text}, names);
  EXPECT_EQ(parsed.class_, v1::Outcome::REPAIRED);
  EXPECT_EQ(parsed.values, (std::vector<std::optional<double>>{80, -20}));
  EXPECT_EQ(parsed.repairs, (std::vector<std::string>{"too_deep", "meta_key"}));
}

}  // namespace
}  // namespace candor::reply
