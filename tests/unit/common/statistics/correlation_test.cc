#include "common/statistics/correlation.h"

#include "common/statistics/multiple_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace candor::statistics {
namespace {

using std::nullopt;

const std::vector<double> kA = {1, 2, 2, 3, 5, 8, -1, 0};
const std::vector<double> kB = {2, 1, 4, 4, 6, 5, -2, 1};

// R: a <- c(1,2,2,3,5,8,-1,0); b <- c(2,1,4,4,6,5,-2,1)
//    cor(a, b); cor(a, b, method = "spearman"); cor(a, b, method = "kendall")
TEST(CorrelationTest, AgreesWithR) {
  EXPECT_NEAR(*Pearson(kA, kB), 0.825507202265472, 1e-14);
  EXPECT_NEAR(*Spearman(kA, kB), 0.896986170696192, 1e-14);
  EXPECT_NEAR(*KendallTauB(kA, kB), 0.792593923901217, 1e-14);
}

TEST(CorrelationTest, KendallCountsAsItsDefinitionDoes) {
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < 200; ++i) {
    a.push_back(i * 37 % 53);
    b.push_back(i * 71 % 31);
  }
  double difference = 0;
  double untied_a = 0;
  double untied_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double product = (a[i] - a[j]) * (b[i] - b[j]);
      difference += product > 0 ? 1 : product < 0 ? -1 : 0;
      untied_a += a[i] != a[j] ? 1 : 0;
      untied_b += b[i] != b[j] ? 1 : 0;
    }
  }
  EXPECT_NEAR(*KendallTauB(a, b), difference / std::sqrt(untied_a * untied_b), 1e-12);
}

TEST(CorrelationTest, IsNotDefinedForConstantOrSingleValues) {
  const std::vector<double> constant = {0.1, 0.1, 0.1};
  const std::vector<double> other = {1, 2, 3};
  EXPECT_EQ(Pearson(constant, other), nullopt);
  EXPECT_EQ(Spearman(other, constant), nullopt);
  EXPECT_EQ(KendallTauB(constant, other), nullopt);
  EXPECT_EQ(Pearson({}, {}), nullopt);
  EXPECT_EQ(KendallTauB(Values(other).first(1), Values(other).first(1)), nullopt);
}

TEST(CorrelationTest, TiesShareTheMeanOfTheirRanks) {
  EXPECT_EQ(MidRanks(kA), (std::vector<double>{3, 4.5, 4.5, 6, 7, 8, 1, 2}));
}

TEST(CorrelationTest, CosineAndSigns) {
  const std::vector<double> right = {1, 0};
  const std::vector<double> up = {0, 2};
  const std::vector<double> both = {-3, -3};
  const std::vector<double> zero = {0, 0};
  EXPECT_EQ(Cosine(right, up), 0);
  EXPECT_NEAR(*Cosine(right, both), -std::sqrt(0.5), 1e-15);
  EXPECT_EQ(Cosine(right, zero), nullopt);
  EXPECT_EQ(SignAgreement(right, both), 0);
  EXPECT_EQ(SignAgreement(right, up), nullopt);
  EXPECT_EQ(SignAgreement(kA, kB), 1.0);  // the one 0 is left out
  EXPECT_EQ(LargestMagnitude(both), 0U);
  EXPECT_EQ(LargestMagnitude(kB), 4U);
}

// R: quantile(c(1, 2, 4, 8, 16), c(.025, .3, .975))
TEST(CorrelationTest, QuantilesInterpolateAsRDoes) {
  const std::vector<double> sorted = {1, 2, 4, 8, 16};
  EXPECT_NEAR(Quantile(sorted, 0.025), 1.1, 1e-14);
  EXPECT_NEAR(Quantile(sorted, 0.3), 2.4, 1e-14);
  EXPECT_NEAR(Quantile(sorted, 0.975), 15.2, 1e-14);
  EXPECT_EQ(Quantile(sorted, 1), 16);
}

// R: p.adjust(c(.01, .04, .03, .005), "holm"); p.adjust(..., "BH")
TEST(MultipleTestingTest, AgreesWithR) {
  const PValues p = {0.01, 0.04, nullopt, 0.03, 0.005};
  const std::vector<double> holm = {0.03, 0.06, -1, 0.06, 0.02};
  const std::vector<double> discovery = {0.02, 0.04, -1, 0.04, 0.02};
  const PValues by_holm = Holm(p);
  const PValues by_discovery = BenjaminiHochberg(p);
  for (std::size_t i = 0; i < p.size(); ++i) {
    EXPECT_NEAR(by_holm[i].value_or(-1), holm[i], 1e-15) << i;
    EXPECT_NEAR(by_discovery[i].value_or(-1), discovery[i], 1e-15) << i;
  }
  EXPECT_TRUE(Holm({}).empty());
}

}  // namespace
}  // namespace candor::statistics
