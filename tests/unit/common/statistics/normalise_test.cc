#include "common/statistics/normalise.h"

#include <gtest/gtest.h>

#include <cmath>

namespace candor::statistics {
namespace {

TEST(NormaliseTest, LargestMagnitudeIsExactlyAHundredWithItsSign) {
  const Eigen::Vector3d weights(0.3, -1.7, 0.1);
  const Eigen::VectorXd normalised = NormaliseWeights(weights);
  ASSERT_EQ(normalised.size(), 3);
  EXPECT_EQ(normalised(1), -100);
  EXPECT_NEAR(normalised(0), 30 / 1.7, 1e-12);
  EXPECT_GT(normalised(2), 0);
}

TEST(NormaliseTest, WeightsOfZeroHaveNoDirection) {
  EXPECT_EQ(NormaliseWeights(Eigen::VectorXd::Zero(5)).size(), 0);
  EXPECT_EQ(NormaliseWeights(Eigen::VectorXd::Constant(5, 1e-16)).size(), 0);
  EXPECT_EQ(NormaliseWeights(Eigen::VectorXd()).size(), 0);
}

TEST(NormaliseTest, RoundsHalvesToEven) {
  EXPECT_EQ(RoundHalfEven(0.5), 0);
  EXPECT_EQ(RoundHalfEven(1.5), 2);
  EXPECT_EQ(RoundHalfEven(2.5), 2);
  EXPECT_EQ(RoundHalfEven(-2.5), -2);
  EXPECT_EQ(RoundHalfEven(2.5000001), 3);
  EXPECT_FALSE(std::signbit(RoundHalfEven(-0.2)));
}

TEST(NormaliseTest, IntervalsAreOnTheSameScale) {
  ChoiceFit fit;
  fit.mean = Eigen::Vector3d(9, -2, 1);  // the intercept does not count
  fit.sd = Eigen::Vector3d(1, 0.5, 0.25);
  const NormalisedWeights normalised = Normalise(fit);
  ASSERT_EQ(normalised.weights.size(), 2);
  EXPECT_EQ(normalised.weights(0), -100);
  EXPECT_EQ(normalised.weights(1), 50);
  EXPECT_NEAR(normalised.low(0), -149, 1e-12);
  EXPECT_NEAR(normalised.high(0), -51, 1e-12);
  EXPECT_NEAR(normalised.low(1), 25.5, 1e-12);
  EXPECT_NEAR(normalised.high(1), 74.5, 1e-12);
}

}  // namespace
}  // namespace candor::statistics
