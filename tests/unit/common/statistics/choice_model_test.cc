#include "common/statistics/choice_model.h"

#include "common/statistics/normalise.h"
#include "tests/unit/common/statistics/chooser.h"

#include <Eigen/LU>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

namespace candor::statistics {
namespace {

using ::testing::HasSubstr;

// The log posterior as choice_model.h has it, written down once more and plainly.
double LogPosterior(const DrawnScenario& data, double tau, const Eigen::VectorXd& theta) {
  const Eigen::RowVectorXd centre = data.x.colwise().mean();
  double sum = -2 * std::log(1 + theta(0) * theta(0) / 18.75);
  for (Eigen::Index k = 1; k < theta.size(); ++k) sum -= theta(k) * theta(k) / (2 * tau * tau);
  for (Eigen::Index i = 0; i < data.x.rows(); ++i) {
    const double eta = theta(0) + (data.x.row(i) - centre).dot(theta.tail(theta.size() - 1));
    sum += data.y(i) * eta - std::log(1 + std::exp(eta));
  }
  return sum;
}

ChoiceFit MustFit(const DrawnScenario& data, double tau) {
  StatusOr<ChoiceFit> fit = FitChoices(data.x, data.y, {.tau = tau});
  EXPECT_TRUE(fit.ok()) << fit.status();
  return fit.ok() ? *std::move(fit) : ChoiceFit{};
}

void ExpectFinite(const ChoiceFit& fit) {
  ASSERT_GT(fit.mean.size(), 0);
  EXPECT_TRUE(fit.mode.allFinite());
  EXPECT_TRUE(fit.mean.allFinite());
  EXPECT_TRUE(fit.covariance.allFinite());
  EXPECT_TRUE(fit.sd.allFinite());
  EXPECT_GT(fit.sd.minCoeff(), 0);
  EXPECT_TRUE(std::isfinite(fit.position_bias));
  EXPECT_GT(fit.position_bias_sd, 0);
  EXPECT_TRUE(std::isfinite(fit.position_bias_z));
  EXPECT_TRUE(std::isfinite(fit.log_evidence));
}

// The exact posterior means, and the log evidence, by a grid over mode +- 9 sd.
struct Exact {
  Eigen::VectorXd mean;
  Eigen::VectorXd sd;
  double log_evidence = 0;
};

Exact Quadrature(const DrawnScenario& data, double tau, const ChoiceFit& fit, int points) {
  const Eigen::Index d = fit.mode.size();
  const double peak = LogPosterior(data, tau, fit.mode);
  Eigen::VectorXd first = Eigen::VectorXd::Zero(d);
  Eigen::VectorXd second = Eigen::VectorXd::Zero(d);
  double total = 0;
  double volume = 1;
  for (Eigen::Index j = 0; j < d; ++j) volume *= 18 * fit.sd(j) / (points - 1);
  Eigen::VectorXd theta(d);
  const std::function<void(Eigen::Index)> visit = [&](Eigen::Index j) {
    if (j == d) {
      const double density = std::exp(LogPosterior(data, tau, theta) - peak);
      total += density;
      first += density * theta;
      second += density * theta.cwiseAbs2();
      return;
    }
    for (int i = 0; i < points; ++i) {
      theta(j) = fit.mode(j) + fit.sd(j) * (18.0 * i / (points - 1) - 9);
      visit(j + 1);
    }
  };
  visit(0);
  Exact exact;
  exact.mean = first / total;
  exact.sd = (second / total - exact.mean.cwiseAbs2()).cwiseSqrt();
  // Densities at 0 of Student-t(3, 0, 2.5) and of Normal(0, tau^2).
  const double student = 2 / (std::numbers::pi * std::sqrt(3.0) * 2.5);
  exact.log_evidence = peak + std::log(total * volume * student) -
                       static_cast<double>(d - 1) * std::log(tau * std::sqrt(2 * std::numbers::pi));
  return exact;
}

TEST(ChoiceModelTest, GradientIsZeroAtTheModeAndCovarianceIsTheInverseHessian) {
  for (const double tau : {1.0, 5.0}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      RandomStream random(seed, 1);
      const DrawnScenario data = DrawFromPrior(random, 50, 4, tau);
      const ChoiceFit fit = MustFit(data, tau);
      const Eigen::Index d = fit.mode.size();
      constexpr double kStep = 1e-4;
      const auto at = [&](const Eigen::VectorXd& theta) { return LogPosterior(data, tau, theta); };
      Eigen::MatrixXd hessian(d, d);
      for (Eigen::Index j = 0; j < d; ++j) {
        const Eigen::VectorXd e_j = kStep * Eigen::VectorXd::Unit(d, j);
        EXPECT_NEAR((at(fit.mode + e_j) - at(fit.mode - e_j)) / (2 * kStep), 0, 1e-7);
        for (Eigen::Index k = 0; k < d; ++k) {
          const Eigen::VectorXd e_k = kStep * Eigen::VectorXd::Unit(d, k);
          hessian(j, k) = (at(fit.mode + e_j + e_k) - at(fit.mode + e_j - e_k) -
                           at(fit.mode - e_j + e_k) + at(fit.mode - e_j - e_k)) /
                          (4 * kStep * kStep);
        }
      }
      const Eigen::MatrixXd identity = -hessian * fit.covariance;
      EXPECT_TRUE(identity.isApprox(Eigen::MatrixXd::Identity(d, d), 1e-4)) << identity;
    }
  }
}

// Choices of a chooser with these log-odds. Where nearly all choices are alike the intercept's
// posterior follows its heavy-tailed prior, and no expansion about the mode is exact.
DrawnScenario DrawBalanced(std::uint64_t seed, Eigen::Index n, Eigen::Index attributes) {
  RandomStream random(seed, 2);
  DrawnScenario data = DrawFromPrior(random, n, attributes, 1);
  for (Eigen::Index i = 0; i < n; ++i) {
    data.y(i) = DrawChoice(random, 0.5 + data.x.row(i).dot(data.weights));
  }
  return data;
}

TEST(ChoiceModelTest, MeanAndSdAreCloseToTheExactOnes) {
  double mode_error = 0;
  double mean_error = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const DrawnScenario data = DrawBalanced(seed, 40, 1);
    const ChoiceFit fit = MustFit(data, 1);
    const Exact exact = Quadrature(data, 1, fit, 200);
    for (Eigen::Index j = 0; j < fit.mean.size(); ++j) {
      EXPECT_NEAR(fit.mean(j), exact.mean(j), 0.01 * exact.sd(j)) << "seed " << seed;
      EXPECT_NEAR(fit.sd(j), exact.sd(j), 0.03 * exact.sd(j)) << "seed " << seed;
      mode_error += std::abs(fit.mode(j) - exact.mean(j));
      mean_error += std::abs(fit.mean(j) - exact.mean(j));
    }
    EXPECT_NEAR(fit.log_evidence, exact.log_evidence, 0.05) << "seed " << seed;
  }
  EXPECT_LT(mean_error, mode_error / 5);
}

TEST(ChoiceModelTest, MeanOfTwoAttributesIsCloseToTheExactOne) {
  const DrawnScenario data = DrawBalanced(20, 30, 2);
  const ChoiceFit fit = MustFit(data, 1);
  const Exact exact = Quadrature(data, 1, fit, 60);
  for (Eigen::Index j = 0; j < 3; ++j) {
    EXPECT_NEAR(fit.mean(j), exact.mean(j), 0.02 * exact.sd(j));
    EXPECT_NEAR(fit.sd(j), exact.sd(j), 0.03 * exact.sd(j));
  }
}

TEST(ChoiceModelTest, SwappingTheOptionsTurnsTheInterceptAndKeepsTheWeights) {
  RandomStream random(1, 4);
  DrawnScenario data = DrawFromPrior(random, 50, 5, 1);
  const ChoiceFit fit = MustFit(data, 1);
  data.x = -data.x;
  data.y = Eigen::VectorXd::Ones(50) - data.y;
  const ChoiceFit swapped = MustFit(data, 1);
  EXPECT_NEAR(swapped.mean(0), -fit.mean(0), 1e-12);
  EXPECT_NEAR(swapped.position_bias, -fit.position_bias, 1e-12);
  EXPECT_TRUE(swapped.mean.tail(5).isApprox(fit.mean.tail(5), 1e-12));
}

TEST(ChoiceModelTest, PositionBiasIsTheInterceptAtATie) {
  RandomStream random(2, 4);
  const DrawnScenario data = DrawFromPrior(random, 60, 3, 1);
  const ChoiceFit fit = MustFit(data, 1);
  const Eigen::VectorXd centre = data.x.colwise().mean();
  EXPECT_TRUE(fit.centre.isApprox(centre, 1e-12));
  EXPECT_NEAR(fit.position_bias, fit.mean(0) - centre.dot(fit.mean.tail(3)), 1e-12);
  Eigen::VectorXd v(4);
  v << 1, -centre;
  const double sd = kSdFactor * std::sqrt(v.dot(fit.covariance * v));
  EXPECT_NEAR(fit.position_bias_sd, sd, 1e-12);
  EXPECT_NEAR(fit.position_bias_z, fit.position_bias / sd, 1e-12);
}

TEST(ChoiceModelTest, BothOrdersTellPositionFromWeights) {
  // A chooser with log-odds 3 x_1 + 1.5 whatever x: both orders of every pair.
  RandomStream random(3, 4);
  const Eigen::MatrixXd pairs = DrawTrials(random, 2000, 2);
  DrawnScenario data;
  data.x.resize(4000, 2);
  data.x << pairs, -pairs;
  data.y.resize(4000);
  for (Eigen::Index i = 0; i < 4000; ++i) {
    data.y(i) = DrawChoice(random, 3 * data.x(i, 0) + 1.5);
  }
  const ChoiceFit fit = MustFit(data, 5);
  EXPECT_NEAR(fit.position_bias, 1.5, 0.2);
  EXPECT_GT(fit.position_bias_z, 10);
  EXPECT_NEAR(fit.mean(1), 3, 0.3);
  EXPECT_NEAR(fit.mean(2), 0, 0.3);
}

TEST(ChoiceModelTest, SoftChoicesCarryMoreThanLetters) {
  // Probabilities of a noiseless reading: the likelihood's mode is the truth, but for the prior.
  RandomStream random(4, 4);
  DrawnScenario data = DrawFromPrior(random, 400, 3, 1);
  const Eigen::RowVectorXd centre = data.x.colwise().mean();
  data.intercept = 0.5;
  for (Eigen::Index i = 0; i < 400; ++i) {
    data.y(i) = Sigmoid(data.intercept + (data.x.row(i) - centre).dot(data.weights));
  }
  const ChoiceFit fit = MustFit(data, kMaxTau);
  EXPECT_TRUE(fit.mode.tail(3).isApprox(data.weights, 1e-3)) << fit.mode.transpose();
  EXPECT_NEAR(fit.mode(0), 0.5, 1e-2);
}

TEST(ChoiceModelTest, SoftChoicesOfOneHalfSayNothing) {
  RandomStream random(6, 4);
  DrawnScenario data = DrawFromPrior(random, 50, 5, 1);
  data.y.setConstant(0.5);
  const ChoiceFit fit = MustFit(data, 1);
  EXPECT_EQ(fit.mean, Eigen::VectorXd::Zero(6));
  EXPECT_EQ(fit.position_bias, 0);
  EXPECT_EQ(NormaliseWeights(fit.mean.tail(5)).size(), 0);
  ExpectFinite(fit);
}

TEST(ChoiceModelTest, SeparableChoicesHaveFiniteWeights) {
  for (const double tau : {1.0, 5.0, kMaxTau}) {
    for (const Eigen::Index attributes : {1, 2, 5, 64}) {
      RandomStream random(7, 4);
      DrawnScenario data = DrawFromPrior(random, 50, attributes, 1);
      for (Eigen::Index i = 0; i < 50; ++i) data.y(i) = data.x(i, 0) > 0 ? 1 : 0;
      const ChoiceFit fit = MustFit(data, tau);
      ExpectFinite(fit);
      EXPECT_GT(fit.mean(1), 0);
    }
  }
}

TEST(ChoiceModelTest, OneAnswerAlwaysIsPositionAndNoWeight) {
  RandomStream random(8, 4);
  const Eigen::MatrixXd pairs = DrawTrials(random, 25, 5);
  DrawnScenario data;
  data.x.resize(50, 5);
  data.x << pairs, -pairs;  // both orders
  data.y = Eigen::VectorXd::Ones(50);
  const ChoiceFit fit = MustFit(data, 1);
  ExpectFinite(fit);
  EXPECT_GT(fit.position_bias, 3);
  EXPECT_EQ(Normalise(fit).weights.size(), 0);

  // So far out that the prior of the intercept is convex there.
  data.x = DrawTrials(random, 20'000, 5);
  data.y = Eigen::VectorXd::Ones(20'000);
  const ChoiceFit far = MustFit(data, 1);
  ExpectFinite(far);
  EXPECT_GT(far.mode(0), 8);
}

TEST(ChoiceModelTest, AConstantColumnHasItsPrior) {
  RandomStream random(9, 4);
  DrawnScenario data = DrawFromPrior(random, 50, 3, 1);
  data.x.col(1).setConstant(0.1);  // whose mean, summed up, is not exactly 0.1
  const ChoiceFit fit = MustFit(data, 2);
  EXPECT_EQ(fit.mode(2), 0);
  EXPECT_EQ(fit.mean(2), 0);
  EXPECT_NEAR(fit.sd(2), kSdFactor * 2, 1e-12);
  EXPECT_EQ(fit.centre(1), 0.1);
}

TEST(ChoiceModelTest, NoTrialGivesThePriorAndOneGivesPositionOnly) {
  DrawnScenario data;
  data.x.resize(0, 3);
  data.y.resize(0);
  const ChoiceFit none = MustFit(data, 1);
  ExpectFinite(none);
  EXPECT_EQ(none.n_trials, 0);
  EXPECT_EQ(none.mean, Eigen::VectorXd::Zero(4));
  EXPECT_NEAR(none.sd(1), kSdFactor, 1e-12);
  EXPECT_NEAR(none.log_evidence, -0.07, 0.3);  // log 1, but for Laplace's error of the t

  data.x.resize(1, 3);
  data.x << 0.3, -0.2, 0.9;
  data.y.resize(1);
  data.y << 1;
  const ChoiceFit one = MustFit(data, 1);
  ExpectFinite(one);
  EXPECT_GT(one.mean(0), 0);
  EXPECT_EQ(one.mean.tail(3), Eigen::VectorXd::Zero(3));
}

TEST(ChoiceModelTest, AnyKFromTwoToSixtyFour) {
  for (Eigen::Index attributes = 2; attributes <= 64; ++attributes) {
    RandomStream random(10, static_cast<std::uint64_t>(attributes));
    const DrawnScenario data = DrawFromPrior(random, 100, attributes, 1);
    const ChoiceFit fit = MustFit(data, 1);
    ExpectFinite(fit);
    EXPECT_EQ(fit.mean.size(), attributes + 1);
    EXPECT_LE(fit.iterations, 12);
  }
}

TEST(ChoiceModelTest, ConvergesOnUnreasonableData) {
  // Differences, priors and numbers of trials far from any study's, mixed.
  int fits = 0;
  for (const double tau : {kMinTau, 0.1, 1.0, 30.0, kMaxTau}) {
    for (const double scale : {1e-9, 1e-3, 1.0, 30.0, kMaxDifference}) {
      for (const Eigen::Index n : {1, 2, 3, 10, 1000}) {
        for (int kind = 0; kind < 3; ++kind) {
          RandomStream random(11, static_cast<std::uint64_t>(fits++));
          DrawnScenario data = DrawFromPrior(random, n, 3, 1);
          if (kind == 1) data.y.setOnes();
          if (kind == 2) {
            for (Eigen::Index i = 0; i < n; ++i) data.y(i) = data.x(i, 1) > 0 ? 1 : 0;
          }
          data.x *= scale;
          SCOPED_TRACE(fmt::format("tau {}, scale {}, n {}, kind {}", tau, scale, n, kind));
          ExpectFinite(MustFit(data, tau));
        }
      }
    }
  }
}

TEST(ChoiceModelTest, AFitDoesNotDependOnThoseBefore) {
  RandomStream random(12, 4);
  const DrawnScenario large = DrawFromPrior(random, 200, 8, 1);
  const DrawnScenario data = DrawFromPrior(random, 50, 5, 1);
  ChoiceFitter fitter;
  ChoiceFit used;
  ASSERT_TRUE(fitter.Fit(large.x, large.y, {.tau = 5}, &used).ok());
  ASSERT_TRUE(fitter.Fit(data.x, data.y, {.tau = 1}, &used).ok());
  const ChoiceFit fresh = MustFit(data, 1);
  EXPECT_EQ(used.mode, fresh.mode);
  EXPECT_EQ(used.mean, fresh.mean);
  EXPECT_EQ(used.covariance, fresh.covariance);
  EXPECT_EQ(used.log_evidence, fresh.log_evidence);
}

TEST(ChoiceModelTest, EvidencePrefersThePriorThatTheWeightsCameFrom) {
  double narrow = 0;
  double wide = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    RandomStream random(seed, 5);
    const DrawnScenario data = DrawFromPrior(random, 50, 5, 5);
    narrow += MustFit(data, 1).log_evidence;
    wide += MustFit(data, 5).log_evidence;
  }
  EXPECT_GT(wide, narrow + 50);
}

TEST(ChoiceModelTest, NamesWhatIsWrongWithTheInput) {
  RandomStream random(13, 4);
  const DrawnScenario good = DrawFromPrior(random, 10, 3, 1);
  const auto error = [](const DrawnScenario& data, double tau) {
    const Status status = FitChoices(data.x, data.y, {.tau = tau}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return Message(status);
  };
  DrawnScenario bad = good;
  bad.x(7, 2) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error(bad, 1), HasSubstr("x: row 7, column 2 is nan"));
  bad.x(7, 2) = -std::numeric_limits<double>::infinity();
  EXPECT_THAT(error(bad, 1), HasSubstr("x: row 7, column 2 is -inf"));
  bad.x(7, 2) = 1001;
  EXPECT_THAT(error(bad, 1), HasSubstr("is 1001; give (A - B) / (max - min), at most 1000"));
  bad = good;
  bad.y(4) = 1.5;
  EXPECT_THAT(error(bad, 1), HasSubstr("y: row 4 is 1.5"));
  bad.y(4) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error(bad, 1), HasSubstr("y: row 4 is nan"));
  bad.y.resize(9);
  EXPECT_THAT(error(bad, 1), HasSubstr("9 choices for the 10 trials"));
  bad.x.resize(9, 0);
  EXPECT_THAT(error(bad, 1), HasSubstr("no columns"));
  for (const double tau : {0.0, -1.0, 101.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(error(good, tau), HasSubstr("tau"));
  }
}

TEST(ChoiceModelTest, AnErrorLeavesTheFitAsItWas) {
  RandomStream random(14, 4);
  DrawnScenario data = DrawFromPrior(random, 10, 3, 1);
  ChoiceFitter fitter;
  ChoiceFit fit;
  ASSERT_TRUE(fitter.Fit(data.x, data.y, {}, &fit).ok());
  const Eigen::VectorXd mean = fit.mean;
  data.y(0) = 2;
  EXPECT_FALSE(fitter.Fit(data.x, data.y, {}, &fit).ok());
  EXPECT_EQ(fit.mean, mean);
}

}  // namespace
}  // namespace candor::statistics
