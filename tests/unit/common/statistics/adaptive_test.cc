#include "common/statistics/adaptive.h"

#include "tests/unit/common/statistics/chooser.h"

#include <Eigen/LU>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace candor::statistics {
namespace {

using ::testing::HasSubstr;

ChoiceFit FitSome(std::uint64_t seed) {
  RandomStream random(seed, 1);
  const DrawnScenario data = DrawFromPrior(random, 12, 4, 1);
  StatusOr<ChoiceFit> fit = FitChoices(data.x, data.y);
  EXPECT_TRUE(fit.ok()) << fit.status();
  return *std::move(fit);
}

TEST(AdaptiveTest, GainIsThatOfTheFormula) {
  const ChoiceFit fit = FitSome(1);
  RandomStream random(2);
  for (int i = 0; i < 20; ++i) {
    const Eigen::VectorXd x = DrawTrials(random, 1, 4).row(0);
    Eigen::VectorXd z(5);
    z << 1, x - fit.centre;
    const double p = Sigmoid(fit.mode.dot(z));
    EXPECT_NEAR(ExpectedGain(fit, x), p * (1 - p) * z.dot(fit.covariance * z), 1e-14);
    // The matrix determinant lemma: what the trial adds to log det of the precision.
    const Eigen::MatrixXd precision = fit.covariance.inverse();
    const double before = std::log(precision.determinant());
    const double after = std::log((precision + p * (1 - p) * z * z.transpose()).determinant());
    EXPECT_NEAR(after - before, std::log1p(ExpectedGain(fit, x)), 1e-10);
  }
}

TEST(AdaptiveTest, PicksTheLargestAndOfEqualOnesTheFirst) {
  const ChoiceFit fit = FitSome(3);
  RandomStream random(4);
  Eigen::MatrixXd candidates = DrawTrials(random, 64, 4);
  const std::size_t best = MostInformative(fit, candidates);
  const double gain = ExpectedGain(fit, candidates.row(static_cast<Eigen::Index>(best)));
  for (Eigen::Index i = 0; i < 64; ++i) {
    EXPECT_LE(ExpectedGain(fit, candidates.row(i)), gain * (1 + kGainMargin));
  }
  // The same one again, before and after, and once more but for the last bits.
  const auto row = static_cast<Eigen::Index>(best);
  ASSERT_GT(best, 0U);
  ASSERT_LT(best, 63U);
  candidates.row(row + 1) = candidates.row(row) * (1 + 1e-15);
  EXPECT_EQ(MostInformative(fit, candidates), best);
  candidates.row(0) = candidates.row(row);
  EXPECT_EQ(MostInformative(fit, candidates), 0U);
}

TEST(AdaptiveTest, TheSameAnswersGiveTheSameTrials) {
  // Pinned: a change of these is a change of what running jobs ask next.
  RandomStream random(5);
  Eigen::VectorXd weights(5);
  weights << 3, -2, 1, 0, 0.5;
  Eigen::MatrixXd x(25, 5);
  Eigen::VectorXd y(25);
  std::vector<std::size_t> proposed;
  ChoiceFitter fitter;
  for (Eigen::Index t = 0; t < 25; ++t) {
    const Eigen::MatrixXd candidates =
        DrawTrials(random, t < kAdaptiveRandomTrials ? 1 : kAdaptiveCandidates, 5);
    Eigen::Index row = 0;
    if (t >= kAdaptiveRandomTrials) {
      const auto next = ProposeNext(fitter, x.topRows(t), y.head(t), candidates);
      ASSERT_TRUE(next.ok()) << next.status();
      row = static_cast<Eigen::Index>(*next);
      proposed.push_back(*next);
    }
    x.row(t) = candidates.row(row);
    y(t) = x.row(t).dot(weights) > 0 ? 1 : 0;
  }
  EXPECT_THAT(proposed, ::testing::ElementsAre(47, 63, 6, 15, 3, 61, 10, 45, 2, 23, 14, 1, 27, 5,
                                               53, 9, 41, 9, 43, 45));
}

TEST(AdaptiveTest, NamesWhatIsWrongWithCandidates) {
  ChoiceFitter fitter;
  const Eigen::MatrixXd x = Eigen::MatrixXd::Zero(1, 2);
  const Eigen::VectorXd y = Eigen::VectorXd::Ones(1);
  const auto error = [&](const Eigen::MatrixXd& candidates) {
    const Status status = ProposeNext(fitter, x, y, candidates).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return Message(status);
  };
  EXPECT_THAT(error(Eigen::MatrixXd(0, 2)), HasSubstr("there are none"));
  EXPECT_THAT(error(Eigen::MatrixXd::Zero(4, 3)), HasSubstr("3 columns, and x has 2"));
  Eigen::MatrixXd bad = Eigen::MatrixXd::Zero(4, 2);
  bad(3, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error(bad), HasSubstr("candidates: row 3, column 1 is nan"));
  EXPECT_FALSE(ProposeNext(fitter, x, 2 * y, Eigen::MatrixXd::Zero(4, 2)).ok());
}

TEST(AdaptiveTest, ProposesFromThePriorToo) {
  ChoiceFitter fitter;
  Eigen::MatrixXd candidates(2, 2);
  candidates << 0.1, 0, 0.9, -0.9;
  const auto next = ProposeNext(fitter, Eigen::MatrixXd(0, 2), Eigen::VectorXd(0), candidates);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(*next, 1U);
}

}  // namespace
}  // namespace candor::statistics
