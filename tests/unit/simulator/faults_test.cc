#include "simulator/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

namespace candor::simulator {
namespace {

using ::testing::HasSubstr;

v1::ScriptedFault* AddScript(v1::SimulatorConfig* config, const std::string& fault, int arrival,
                             int count = 0, const std::string& body_contains = {}) {
  v1::ScriptedFault* scripted = config->add_scripted_faults();
  scripted->set_fault(fault);
  scripted->set_arrival(arrival);
  scripted->set_count(count);
  scripted->set_body_contains(body_contains);
  return scripted;
}

TEST(FaultPlan, NothingConfiguredIsNoFault) {
  const auto plan = FaultPlan::Create({});
  ASSERT_TRUE(plan.ok());
  for (std::uint32_t arrival = 1; arrival < 100; ++arrival) {
    EXPECT_EQ(plan->Draw("body", arrival, arrival).kind, FaultKind::kNone);
  }
}

TEST(FaultPlan, ScriptsHitTheirBodiesAndArrivals) {
  v1::SimulatorConfig config;
  AddScript(&config, "503", 2, 2, "apple")->mutable_retry_after()->set_seconds(7);
  AddScript(&config, "hang", 1, 0, "pear");
  AddScript(&config, "quota", 0, 0, "plum");
  AddScript(&config, "429", 1, 0, "fig");
  const auto plan = FaultPlan::Create(config);
  ASSERT_TRUE(plan.ok());
  const auto draw = [&](std::string_view body, std::uint32_t arrival) {
    return plan->Draw(body, 1, arrival).kind;
  };
  EXPECT_EQ(draw("an apple", 1), FaultKind::kNone);
  EXPECT_EQ(draw("an apple", 2), FaultKind::kUnavailable);
  EXPECT_EQ(draw("an apple", 3), FaultKind::kUnavailable);
  EXPECT_EQ(draw("an apple", 4), FaultKind::kNone);
  EXPECT_EQ(plan->Draw("an apple", 1, 2).retry_after, std::chrono::seconds{7});
  EXPECT_EQ(draw("a pear", 1), FaultKind::kHang);
  EXPECT_EQ(draw("a pear", 2), FaultKind::kNone);
  for (const std::uint32_t arrival : {1U, 2U, 4'000'000U}) {
    EXPECT_EQ(draw("a plum", arrival), FaultKind::kQuota);
  }
  EXPECT_EQ(plan->Draw("a fig", 1, 1).retry_after, FaultPlan::kDefaultRetryAfter);
}

TEST(FaultPlan, ChanceKeepsItsRatesAndIsAFunctionOfBodyAndArrival) {
  v1::SimulatorConfig config;
  config.mutable_faults()->set_server_error(0.2);
  config.mutable_faults()->set_reset(0.1);
  config.mutable_faults()->set_too_many_requests(0.05);
  const auto plan = FaultPlan::Create(config);
  ASSERT_TRUE(plan.ok());
  std::map<FaultKind, int> counts;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const auto key = static_cast<std::uint64_t>(i / 4);
    const auto arrival = static_cast<std::uint32_t>(i % 4 + 1);
    const Fault fault = plan->Draw("", key, arrival);
    EXPECT_EQ(fault.kind, plan->Draw("", key, arrival).kind);
    ++counts[fault.kind];
  }
  // 5 standard errors.
  EXPECT_NEAR(counts[FaultKind::kServerError], 0.2 * kDraws, 285);
  EXPECT_NEAR(counts[FaultKind::kReset], 0.1 * kDraws, 213);
  EXPECT_NEAR(counts[FaultKind::kTooManyRequests], 0.05 * kDraws, 155);
  EXPECT_EQ(counts.size(), 4U);
}

TEST(FaultPlan, LyingHeadersLieInEachWay) {
  v1::SimulatorConfig config;
  config.mutable_faults()->set_lying_headers(1);
  const auto plan = FaultPlan::Create(config);
  ASSERT_TRUE(plan.ok());
  std::map<HeaderLie, int> counts;
  for (std::uint64_t key = 0; key < 400; ++key) ++counts[LieOf(plan->Draw("", key, 1).kind)];
  EXPECT_EQ(counts.size(), 4U);
  EXPECT_EQ(counts.count(HeaderLie::kNone), 0U);
}

TEST(FaultPlan, NamesWhatIsWrong) {
  const auto message = [](const v1::SimulatorConfig& config) {
    const auto plan = FaultPlan::Create(config);
    EXPECT_FALSE(plan.ok());
    return plan.ok() ? "" : Message(plan.status());
  };
  v1::SimulatorConfig word;
  AddScript(&word, "418", 1);
  EXPECT_THAT(message(word), HasSubstr("scripted_faults[0].fault: \"418\" is none of 429, 500"));
  v1::SimulatorConfig negative;
  AddScript(&negative, "429", -1);
  EXPECT_THAT(message(negative), HasSubstr("must not be negative"));
  v1::SimulatorConfig share;
  share.mutable_faults()->set_hang(1.5);
  EXPECT_THAT(message(share), HasSubstr("faults.hang: 1.5"));
  v1::SimulatorConfig sum;
  sum.mutable_faults()->set_hang(0.6);
  sum.mutable_faults()->set_reset(0.6);
  EXPECT_THAT(message(sum), HasSubstr("add up to 1.2"));
}

TEST(FaultKind, WordsReadBack) {
  for (int i = 1; i <= static_cast<int>(FaultKind::kHeadersPast); ++i) {
    const auto kind = static_cast<FaultKind>(i);
    EXPECT_EQ(ParseFault(ToString(kind)), kind);
  }
  EXPECT_EQ(ParseFault(""), std::nullopt);
  EXPECT_EQ(ParseFault("eof"), std::nullopt);
}

}  // namespace
}  // namespace candor::simulator
