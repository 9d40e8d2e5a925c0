#include "simulator/decision_model.h"

#include "simulator/reply_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;

const std::vector<std::string_view> kNames = {"price", "quality", "distance", "age"};

double Correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double mx = 0, my = 0, xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mx += x[i] / n;
    my += y[i] / n;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mx) * (y[i] - my);
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
  }
  return xy / std::sqrt(xx * yy);
}

TEST(TrueWeights, AreScaledIntegersAndDependOnTheNamesOnly) {
  const std::vector<double> weights = TrueWeights(1, kNames);
  double largest = 0;
  for (const double w : weights) {
    EXPECT_EQ(w, std::nearbyint(w));
    largest = std::max(largest, std::abs(w));
  }
  EXPECT_EQ(largest, 100);

  // Another order of the names: the same weight for each name.
  const std::vector<std::string_view> shuffled = {"age", "quality", "price", "distance"};
  const std::vector<double> other = TrueWeights(1, shuffled);
  EXPECT_THAT(other, ElementsAre(weights[3], weights[1], weights[0], weights[2]));

  EXPECT_NE(TrueWeights(2, kNames), weights);
  EXPECT_NE(BelievedWeights(1, kNames), weights);
  const std::vector<std::string_view> renamed = {"price", "quality", "distance", "agE"};
  EXPECT_NE(TrueWeights(1, renamed), weights);
}

TEST(TrueWeights, NamesDoNotRunTogether) {
  const std::vector<std::string_view> a = {"ab", "c"};
  const std::vector<std::string_view> b = {"a", "bc"};
  EXPECT_NE(TrueWeights(1, a), TrueWeights(1, b));
}

// Pins the generator: results of runs must be comparable across versions.
TEST(TrueWeights, AreWhatTheyWere) {
  EXPECT_THAT(TrueWeights(7, kNames), ElementsAre(95, -83, 66, -100));
}

TEST(Decision, FollowsTheLogisticModel) {
  Traits traits;
  traits.decisiveness = 3;
  traits.position_bias = 0.5;
  const std::vector<double> weights = {100, -50};
  const std::vector<double> x = {0.2, 0.4};
  EXPECT_DOUBLE_EQ(UtilityDifference(weights, x), 0.0);
  EXPECT_DOUBLE_EQ(LogOddsOfA(traits, weights, x), 0.5);
  EXPECT_THAT(Sigmoid(0.5), DoubleNear(0.6224593312, 1e-9));
}

TEST(Decision, ChoicesFollowTheProbability) {
  Traits traits;
  traits.seed = 3;
  traits.malformed_rate = 0;
  Task task;
  task.kind = Kind::kChoice;
  for (const std::string_view name : kNames) task.attributes.push_back({name, "", 0, 0});
  constexpr int kDraws = 20'000;
  for (const double x0 : {-0.8, -0.1, 0.0, 0.05, 0.3, 1.0}) {
    const std::vector<double> x = {x0, 0.1, -0.2, 0.05};
    const double p = Sigmoid(LogOddsOfA(traits, TrueWeights(traits.seed, kNames), x));
    int chose_a = 0;
    for (std::uint64_t body = 1; body <= kDraws; ++body) {
      const Reply reply = WriteReply(traits, task, x, ReplyFormat::kText, {}, body);
      ASSERT_TRUE(reply.text == "A" || reply.text == "B");
      chose_a += reply.text == "A" ? 1 : 0;
    }
    const double se = std::sqrt(p * (1 - p) / kDraws);
    EXPECT_NEAR(static_cast<double>(chose_a) / kDraws, p, 5 * se + 1e-9) << "x0 " << x0;
  }
}

class SelfKnowledge : public ::testing::Test {
 protected:
  // The correlation of reported and true weights over many scenarios.
  static double CorrelationAt(double self_knowledge) {
    Traits traits;
    traits.self_knowledge = self_knowledge;
    std::vector<double> actual, reported;
    for (std::uint64_t i = 0; i < 2'000; ++i) {
      traits.seed = i;
      const std::vector<double> weights = TrueWeights(i, kNames);
      const std::vector<int> report = ReportedWeights(traits, kNames, 1'000 + i);
      actual.insert(actual.end(), weights.begin(), weights.end());
      reported.insert(reported.end(), report.begin(), report.end());
    }
    return Correlation(actual, reported);
  }
};

TEST_F(SelfKnowledge, OneReportsTheTrueWeights) {
  Traits traits;
  traits.self_knowledge = 1;
  const std::vector<double> weights = TrueWeights(traits.seed, kNames);
  for (std::uint64_t body = 1; body < 20; ++body) {
    const std::vector<int> report = ReportedWeights(traits, kNames, body);
    EXPECT_TRUE(std::equal(report.begin(), report.end(), weights.begin()));
  }
}

TEST_F(SelfKnowledge, ShapesTheCorrelation) {
  // 8,000 pairs: a standard error of 0.011 at 0.
  EXPECT_NEAR(CorrelationAt(0), 0, 0.056);
  const double half = CorrelationAt(0.5);
  EXPECT_GT(half, 0.6);
  EXPECT_LT(half, 0.8);
  EXPECT_GT(CorrelationAt(0.9), 0.95);
  EXPECT_EQ(CorrelationAt(1), 1);
}

TEST_F(SelfKnowledge, ReportsVaryFromBodyToBodyAndStayInRange) {
  Traits traits;
  traits.self_knowledge = 0.2;
  std::set<std::vector<int>> seen;
  for (std::uint64_t body = 1; body <= 200; ++body) {
    const std::vector<int> report = ReportedWeights(traits, kNames, body);
    EXPECT_EQ(report, ReportedWeights(traits, kNames, body));
    EXPECT_THAT(report, Each(::testing::AllOf(::testing::Ge(-100), ::testing::Le(100))));
    seen.insert(report);
  }
  EXPECT_GT(seen.size(), 190U);
}

TEST(Latency, IsLogNormalAroundItsMedian) {
  Traits traits;
  EXPECT_EQ(DrawLatency(traits, 1), Duration{0});
  traits.latency = std::chrono::milliseconds{100};
  EXPECT_EQ(DrawLatency(traits, 1), traits.latency);
  traits.latency_sigma = 0.5;
  std::vector<double> logs;
  for (std::uint64_t body = 1; body <= 4'000; ++body) {
    logs.push_back(std::log(static_cast<double>(DrawLatency(traits, body).count()) / 1e5));
  }
  double mean = 0, square = 0;
  for (const double log : logs) {
    mean += log / 4'000;
    square += log * log / 4'000;
  }
  EXPECT_NEAR(mean, 0, 5 * 0.5 / std::sqrt(4'000));
  EXPECT_NEAR(std::sqrt(square), 0.5, 0.03);
  traits.latency_sigma = 5;
  traits.latency = std::chrono::hours{1};
  for (std::uint64_t body = 1; body <= 100; ++body) {
    EXPECT_LE(DrawLatency(traits, body), std::chrono::hours{1});
  }
}

}  // namespace
}  // namespace candor::simulator
