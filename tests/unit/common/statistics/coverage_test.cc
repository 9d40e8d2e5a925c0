// Do the intervals mean what they say? Weights drawn from the prior, and how often 95 % intervals
// hold them. tests/bench/statistics/coverage_bench.cc prints the whole table.
#include "common/statistics/choice_model.h"
#include "tests/unit/common/statistics/chooser.h"

#include <gtest/gtest.h>

namespace candor::statistics {
namespace {

TEST(CoverageTest, IntervalsOfWeightsFromThePriorCover93To97Percent) {
  constexpr int kScenarios = 4000;
  constexpr Eigen::Index kAttributes = 5;
  ChoiceFitter fitter;
  ChoiceFit fit;
  for (const Eigen::Index trials : {50, 100}) {
    int covered = 0;
    for (int s = 0; s < kScenarios; ++s) {
      RandomStream random(/*key=*/1, static_cast<std::uint64_t>(s));
      const DrawnScenario drawn = DrawFromPrior(random, trials, kAttributes, 1);
      ASSERT_TRUE(fitter.Fit(drawn.x, drawn.y, {.tau = 1}, &fit).ok());
      for (Eigen::Index k = 0; k < kAttributes; ++k) {
        if (std::abs(fit.mean(k + 1) - drawn.weights(k)) <= 1.96 * fit.sd(k + 1)) ++covered;
      }
    }
    const double share = static_cast<double>(covered) / (kScenarios * kAttributes);
    EXPECT_GE(share, 0.93) << trials << " trials";
    EXPECT_LE(share, 0.97) << trials << " trials";
  }
}

}  // namespace
}  // namespace candor::statistics
