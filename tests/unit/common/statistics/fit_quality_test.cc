#include "common/statistics/fit_quality.h"

#include "tests/unit/common/statistics/chooser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace candor::statistics {
namespace {

using ::testing::HasSubstr;

// A chooser with these log-odds over an attribute's range.
DrawnScenario Drawn(std::uint64_t seed, Eigen::Index n, const Eigen::VectorXd& weights,
                    double bias) {
  RandomStream random(seed, 7);
  DrawnScenario data;
  data.weights = weights;
  data.x = DrawTrials(random, n, weights.size());
  data.y.resize(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    data.y(i) = DrawChoice(random, data.x.row(i).dot(weights) + bias);
  }
  return data;
}

FitQuality MustEvaluate(const DrawnScenario& data, std::span<const std::uint32_t> pairs = {},
                        const FitQualityOptions& options = {}) {
  FitQualityEvaluator evaluator;
  const StatusOr<FitQuality> quality = evaluator.Evaluate(data.x, data.y, pairs, options);
  EXPECT_TRUE(quality.ok()) << quality.status();
  return quality.ok() ? *quality : FitQuality{};
}

FitQuality PoolOf(const Eigen::VectorXd& weights, double bias, double tau = 1) {
  std::vector<FitQuality> all;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    all.push_back(MustEvaluate(Drawn(seed, 60, weights, bias), {}, {.tau = tau}));
  }
  return PoolFitQuality(all);
}

TEST(FitQualityTest, TheModelPredictsAWeighingChooserBest) {
  Eigen::VectorXd weights(5);
  weights << 6, -4, 3, -1, 2;
  const FitQuality quality = PoolOf(weights, 0, 5);
  EXPECT_EQ(quality.n_choices, 6000);
  EXPECT_EQ(quality.folds, 5);
  EXPECT_GT(quality.model.accuracy, quality.equal_weights.accuracy + 0.02);
  EXPECT_GT(quality.model.accuracy, quality.best_single_attribute.accuracy + 0.05);
  EXPECT_LT(quality.model.log_loss, quality.equal_weights.log_loss - 0.03);
  EXPECT_NEAR(quality.majority.accuracy, 0.5, 0.05);
  EXPECT_NEAR(quality.majority.log_loss, std::log(2), 0.02);
}

TEST(FitQualityTest, OneAttributePredictsAOneAttributeChooserBest) {
  Eigen::VectorXd weights(5);
  weights << 0, 0, 8, 0, 0;
  const FitQuality quality = PoolOf(weights, 0);
  EXPECT_GE(quality.best_single_attribute.accuracy, quality.model.accuracy);
  EXPECT_LT(quality.best_single_attribute.log_loss, quality.model.log_loss);
}

TEST(FitQualityTest, EqualWeightsPredictAnEqualWeigherBest) {
  Eigen::VectorXd weights(5);
  weights << 4, -4, 4, 4, -4;
  const FitQuality quality = PoolOf(weights, 0);
  EXPECT_GE(quality.equal_weights.accuracy, quality.model.accuracy);
  EXPECT_LT(quality.equal_weights.log_loss, quality.model.log_loss);
}

TEST(FitQualityTest, NothingPredictsACoin) {
  const FitQuality quality = PoolOf(Eigen::VectorXd::Zero(5), 0);
  for (const PredictionScore& score :
       {quality.model, quality.majority, quality.best_single_attribute, quality.equal_weights}) {
    EXPECT_NEAR(score.accuracy, 0.5, 0.05);
    EXPECT_GT(score.log_loss, std::log(2) - 0.01);
  }
}

TEST(FitQualityTest, TheMajorityPredictsAPositionBias) {
  const FitQuality quality = PoolOf(Eigen::VectorXd::Zero(5), 2);
  const double expected = Sigmoid(2);
  EXPECT_NEAR(quality.majority.accuracy, expected, 0.01);
  EXPECT_NEAR(quality.model.accuracy, expected, 0.02);
}

TEST(FitQualityTest, BothOrdersOfAPairStayInOneFold) {
  // Log-odds that are a coin's for every pair, the same in both orders: whoever sees one order
  // while predicting the other beats the coin.
  RandomStream random(3, 8);
  std::vector<FitQuality> together;
  std::vector<FitQuality> apart;
  for (int s = 0; s < 40; ++s) {
    const Eigen::MatrixXd pairs = DrawTrials(random, 10, 9);
    DrawnScenario data;
    data.x.resize(20, 9);
    data.y.resize(20);
    std::vector<std::uint32_t> of_row;
    for (Eigen::Index i = 0; i < 10; ++i) {
      const double y = DrawChoice(random, 0);
      data.x.row(2 * i) = pairs.row(i);
      data.x.row(2 * i + 1) = -pairs.row(i);
      data.y(2 * i) = y;
      data.y(2 * i + 1) = 1 - y;
      of_row.insert(of_row.end(), 2, static_cast<std::uint32_t>(i));
    }
    together.push_back(MustEvaluate(data, of_row, {.tau = 5}));
    apart.push_back(MustEvaluate(data, {}, {.tau = 5}));
  }
  EXPECT_NEAR(PoolFitQuality(together).model.accuracy, 0.5, 0.08);
  EXPECT_GT(PoolFitQuality(apart).model.accuracy, 0.6);
}

TEST(FitQualityTest, TheSeedDealsTheFoldsAndNothingElseDoes) {
  const DrawnScenario data = Drawn(5, 50, Eigen::VectorXd::LinSpaced(5, -3, 3), 0);
  const FitQuality one = MustEvaluate(data, {}, {.seed = 1});
  EXPECT_EQ(one.model.log_loss, MustEvaluate(data, {}, {.seed = 1}).model.log_loss);
  EXPECT_NE(one.model.log_loss, MustEvaluate(data, {}, {.seed = 2}).model.log_loss);
}

TEST(FitQualityTest, TwoTrialsAreTwoFoldsAndOneIsTooFew) {
  const DrawnScenario data = Drawn(6, 2, Eigen::VectorXd::Ones(3), 0);
  const FitQuality two = MustEvaluate(data);
  EXPECT_EQ(two.folds, 2);
  EXPECT_EQ(two.n_choices, 2);
  EXPECT_TRUE(std::isfinite(two.model.log_loss));
  FitQualityEvaluator evaluator;
  EXPECT_EQ(evaluator.Evaluate(data.x.topRows(1), data.y.head(1), {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(evaluator.Evaluate(data.x.topRows(0), data.y.head(0), {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const std::vector<std::uint32_t> same = {4, 4};
  EXPECT_EQ(evaluator.Evaluate(data.x, data.y, same).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(FitQualityTest, DegenerateDataHaveFiniteScores) {
  for (const double value : {0.0, 0.1, kMaxDifference}) {
    for (const double y : {0.0, 0.5, 1.0}) {
      DrawnScenario data;
      data.x = Eigen::MatrixXd::Constant(20, 7, value);
      data.y = Eigen::VectorXd::Constant(20, y);
      const FitQuality quality = MustEvaluate(data);
      for (const PredictionScore& score : {quality.model, quality.majority,
                                           quality.best_single_attribute, quality.equal_weights}) {
        EXPECT_TRUE(std::isfinite(score.log_loss));
        EXPECT_EQ(score.accuracy, y == 0.5 ? 0.5 : 1);
      }
    }
  }
}

TEST(FitQualityTest, NamesWhatIsWrong) {
  DrawnScenario data = Drawn(6, 10, Eigen::VectorXd::Ones(3), 0);
  FitQualityEvaluator evaluator;
  const std::vector<std::uint32_t> pairs = {1, 2};
  EXPECT_THAT(Message(evaluator.Evaluate(data.x, data.y, pairs).status()),
              HasSubstr("2 elements for 10 trials"));
  EXPECT_THAT(Message(evaluator.Evaluate(data.x, data.y, {}, {.folds = 1}).status()),
              HasSubstr("folds: 1"));
  data.x(9, 0) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Message(evaluator.Evaluate(data.x, data.y, {}).status()),
              HasSubstr("row 9, column 0 is nan"));
}

TEST(FitQualityTest, PoolingWeighsByTrials) {
  FitQuality a;
  a.model = {.accuracy = 1, .log_loss = 0.1};
  a.n_choices = 30;
  a.folds = 5;
  FitQuality b;
  b.model = {.accuracy = 0.5, .log_loss = 0.5};
  b.n_choices = 10;
  b.folds = 4;
  const FitQuality pooled = PoolFitQuality(std::vector{a, b});
  EXPECT_DOUBLE_EQ(pooled.model.accuracy, 0.875);
  EXPECT_DOUBLE_EQ(pooled.model.log_loss, 0.2);
  EXPECT_EQ(pooled.n_choices, 40);
  EXPECT_EQ(pooled.folds, 5);
  EXPECT_EQ(PoolFitQuality({}).n_choices, 0);
}

}  // namespace
}  // namespace candor::statistics
