#include "cli/estimate.h"

#include <gmock/gmock.h>
#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

namespace candor::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(EstimateLines, ShowWhatEachKindOfEachEntryTakes) {
  v1::JobEstimate estimate;
  estimate.set_cells(8'000);
  estimate.set_calls(2'000);
  estimate.set_reused(6'000);
  estimate.set_input_tokens(123'456);
  estimate.set_output_tokens(32'000);
  estimate.set_money(1'200'000'000);
  estimate.mutable_duration()->set_seconds(45);
  v1::KindEstimate* choices = estimate.add_kinds();
  choices->set_entry("base");
  choices->set_kind(v1::Cell::CHOICE);
  choices->set_calls(2'000);
  choices->set_reused(4'000);
  choices->set_input_tokens(123'456);
  choices->set_output_tokens(32'000);
  choices->set_money(1'200'000'000);
  choices->mutable_duration()->set_seconds(45);
  const std::string one = EstimateLines(estimate);
  EXPECT_THAT(one, Not(HasSubstr("ENTRY")));
  v1::KindEstimate* reports = estimate.add_kinds();
  reports->set_entry("base");
  reports->set_kind(v1::Cell::SELF_REPORT);
  reports->set_reused(2'000);
  estimate.add_warnings("no price");
  EXPECT_EQ(EstimateLines(estimate),
            "8,000 cells, 2,000 calls, 6,000 reused, about 123k input tokens, at most 32.0k output "
            "tokens, at most 1.20 to pay, 45s at the limits in force\n"
            "ENTRY  KIND          CALLS  REUSED  TOKENS IN  OUT AT MOST  TO PAY AT MOST  TIME\n"
            "base   choices       2,000   4,000       123k        32.0k            1.20   45s\n"
            "base   self-reports      0   2,000          0            0               -     -\n"
            "warning: no price\n");
}

TEST(ParseMoney, IsExactToTheNanoUnit) {
  EXPECT_EQ(ParseMoney("2.50").value(), 2'500'000'000);
  EXPECT_EQ(ParseMoney("0.1").value(), 100'000'000);
  EXPECT_EQ(ParseMoney("0.000000001").value(), 1);
  EXPECT_EQ(ParseMoney("12").value(), 12'000'000'000);
  EXPECT_EQ(ParseMoney("9223372036.854775807").value(), 9'223'372'036'854'775'807);
  for (const char* text : {"", ".", "2.", ".5", "-1", "1e3", "1,50", "$2", "2.50 ", "0.0000000001",
                           "9223372036.854775808", "99999999999"}) {
    EXPECT_FALSE(ParseMoney(text).ok()) << text;
  }
}

}  // namespace
}  // namespace candor::cli
