#include "common/statistics/agreement.h"

#include "common/statistics/contrast.h"
#include "common/statistics/precision.h"
#include "common/statistics/privileged_access.h"
#include "tests/unit/common/statistics/study.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

namespace candor::statistics {
namespace {

constexpr std::uint64_t kSeed = 20251125;

// Weights and single reports that are standardised already enough for the numbers below: the line
// is invariant to both scales.
Comparison Small() {
  const std::vector<double> report = {1, 2, 2, 3, 5, 8, -1, 0};
  const std::vector<double> weight = {2, 1, 4, 4, 6, 5, -2, 1};
  Comparison comparison;
  for (std::size_t i = 0; i < 8; i += 2) {
    ComparedScenario scenario;
    scenario.weights = {weight[i], weight[i + 1]};
    scenario.reports = {report[i], report[i + 1]};
    scenario.replies_total = 1;
    comparison.scenarios.push_back(scenario);
  }
  return comparison;
}

Comparison Drawn(SimulatedStudy study, std::uint64_t stream = 0) {
  RandomStream random(kSeed, stream);
  return Simulate(study, random);
}

// R: m <- lm(b ~ a); confint(m); and the CR1 sandwich with clusters of two, by hand:
//    g <- rep(1:4, each = 2); X <- cbind(1, a); u <- resid(m); B <- solve(t(X) %*% X); M <-
//    matrix(0, 2, 2) for (k in 1:4) { s <- t(X[g == k,]) %*% u[g == k]; M <- M + s %*% t(s) }
//    sqrt((B %*% M %*% B * (4/3) * (7/6))[2, 2])
// The slope is multiplied by sd(a) / sd(b), since both sides are standardised.
TEST(LineTest, AgreesWithR) {
  const std::vector<double> report = {1, 2, 2, 3, 5, 8, -1, 0};
  const std::vector<double> weight = {2, 1, 4, 4, 6, 5, -2, 1};
  const double scale = MomentsOf(report).sd / MomentsOf(weight).sd;
  const auto line = FitLine(PairUp(Small()));
  ASSERT_TRUE(line);
  EXPECT_NEAR(line->slope, 0.75 * scale, 1e-12);
  EXPECT_NEAR(line->r, 0.825507202265472, 1e-12);
  EXPECT_NEAR(*line->standard_error, 0.209336664443809 * scale, 1e-12);
  EXPECT_NEAR(line->interval->low, 0.237771634893287 * scale, 1e-12);
  EXPECT_NEAR(line->interval->high, 1.262228365106713 * scale, 1e-12);
  EXPECT_NEAR(*line->cluster_standard_error, 0.186615753064548 * scale, 1e-12);
  EXPECT_NEAR(line->cluster_interval->low, 0.156105386151993 * scale, 1e-12);
  EXPECT_NEAR(line->cluster_interval->high, 1.343894613848007 * scale, 1e-12);
  EXPECT_NEAR(*line->p, 0.027663858156220, 1e-12);
  EXPECT_EQ(line->n_pairs, 8);
  EXPECT_EQ(line->n_scenarios, 4);
}

TEST(ComparisonTest, StandardisesBeforeScenariosAreDropped) {
  Comparison comparison = Small();
  comparison.scenarios.push_back({.weights = {100, -100}, .replies_total = 1});  // no report
  comparison.scenarios.push_back(
      {.reports = {50, -50}, .replies_total = 1, .attributes = 2});  // no weights
  const PairedReports pairs = PairUp(comparison);
  ASSERT_EQ(pairs.weight.size(), 8U);
  const std::vector<double> weights = {2, 1, 4, 4, 6, 5, -2, 1, 100, -100};
  const std::vector<double> reports = {1, 2, 2, 3, 5, 8, -1, 0, 50, -50};
  EXPECT_NEAR(pairs.weight[0], (2 - MomentsOf(weights).mean) / MomentsOf(weights).sd, 1e-12);
  EXPECT_NEAR(pairs.report[0], (1 - MomentsOf(reports).mean) / MomentsOf(reports).sd, 1e-12);
}

TEST(ComparisonTest, StandardisesSetsApart) {
  Comparison comparison = Small();
  for (std::size_t i = 2; i < 4; ++i) {
    comparison.scenarios[i].report_set = 1;
    for (double& value : comparison.scenarios[i].reports) value = 1000 + 7 * value;
  }
  const PairedReports pairs = PairUp(comparison);
  EXPECT_NEAR(std::accumulate(pairs.report.begin(), pairs.report.begin() + 4, 0.0), 0, 1e-12);
  EXPECT_NEAR(std::accumulate(pairs.report.begin() + 4, pairs.report.end(), 0.0), 0, 1e-12);
}

TEST(ComparisonTest, TreatsReportsBeyondTheScaleThreeWays) {
  Comparison comparison;
  comparison.scenarios.push_back(
      {.weights = {1, 2}, .reports = {150, 20, 10, -300, 30, 40}, .replies_total = 3});
  EXPECT_EQ(CountOutOfRange(comparison), 2);
  EXPECT_EQ(Treat(comparison, OutOfRangeAs::kIs).scenarios[0].reports,
            comparison.scenarios[0].reports);
  EXPECT_EQ(Treat(comparison, OutOfRangeAs::kClipped).scenarios[0].reports,
            (std::vector<double>{100, 20, 10, -100, 30, 40}));
  EXPECT_EQ(Treat(comparison, OutOfRangeAs::kDropped).scenarios[0].reports,
            (std::vector<double>{30, 40}));
}

TEST(AgreementTest, IsTheSameInAnyUnitAndOrder) {
  const Comparison comparison = Drawn({.self_knowledge = 0.6});
  const Agreement agreement = MeasureAgreement(comparison, {.resamples = 0, .permutations = 0});
  Comparison other = comparison;
  std::reverse(other.scenarios.begin(), other.scenarios.end());
  for (ComparedScenario& scenario : other.scenarios) {
    for (double& weight : scenario.weights) weight *= 3;
    for (double& report : scenario.reports) report = report / 4 + 7;
  }
  const Agreement same = MeasureAgreement(other, {.resamples = 0, .permutations = 0});
  EXPECT_NEAR(agreement.line->slope, same.line->slope, 1e-12);
  EXPECT_NEAR(*agreement.kendall, *same.kendall, 1e-12);
  EXPECT_NEAR(*agreement.line->cluster_standard_error, *same.line->cluster_standard_error, 1e-12);
  EXPECT_NEAR(*agreement.reports_reliability, *same.reports_reliability, 1e-9);
}

TEST(AgreementTest, ResamplingIsSeeded) {
  const Comparison comparison = Drawn({});
  const auto once =
      MeasureAgreement(comparison, {.resamples = 500, .permutations = 500, .seed = 7});
  const auto twice =
      MeasureAgreement(comparison, {.resamples = 500, .permutations = 500, .seed = 7});
  const auto other =
      MeasureAgreement(comparison, {.resamples = 500, .permutations = 500, .seed = 8});
  EXPECT_EQ(once.bootstrap.slope->low, twice.bootstrap.slope->low);
  EXPECT_EQ(once.permutation->mean_r, twice.permutation->mean_r);
  EXPECT_NE(once.bootstrap.slope->low, other.bootstrap.slope->low);
}

TEST(AgreementTest, WhatIsNotDefinedIsAbsent) {
  Comparison nothing;
  EXPECT_FALSE(MeasureAgreement(nothing, {}).line);
  EXPECT_FALSE(MeasureAgreement(nothing, {}).top_attribute_share);

  Comparison one;
  one.scenarios.push_back({.weights = {100, -20}, .reports = {50, 10}, .replies_total = 1});
  const Agreement of_one = MeasureAgreement(one, {});
  EXPECT_TRUE(of_one.line);
  EXPECT_FALSE(of_one.line->interval);
  EXPECT_FALSE(of_one.bootstrap.slope);
  EXPECT_FALSE(of_one.permutation);

  Comparison constant = Small();
  for (ComparedScenario& scenario : constant.scenarios) scenario.reports = {30, 30};
  const Agreement of_constant = MeasureAgreement(constant, {});
  EXPECT_FALSE(of_constant.line);
  EXPECT_FALSE(of_constant.spearman);
  EXPECT_FALSE(of_constant.worst_case_slope);
  EXPECT_EQ(of_constant.replies_valid, 4);

  Comparison zero = Small();
  for (ComparedScenario& scenario : zero.scenarios) scenario.weights = {0, 0};
  EXPECT_FALSE(MeasureAgreement(zero, {}).line);
  EXPECT_FALSE(MeasureAgreement(zero, {}).mean_cosine);
}

TEST(AgreementTest, ModelsOfLittleAndMuchSelfKnowledgeAreToldApartInFortyScenarios) {
  std::vector<Interval> intervals;
  for (const double self_knowledge : {0.0, 0.5, 1.0}) {
    const Agreement agreement = MeasureAgreement(
        Drawn({.scenarios = 40, .self_knowledge = self_knowledge}), {.permutations = 2000});
    intervals.push_back(*agreement.bootstrap.slope);
    EXPECT_EQ(agreement.permutation->p > 0.05, self_knowledge == 0) << self_knowledge;
  }
  EXPECT_LT(intervals[0].high, intervals[1].low);
  EXPECT_LT(intervals[1].high, intervals[2].low);
}

TEST(PermutationTest, RejectsUnrelatedReportsInFivePercent) {
  constexpr int kStudies = 4000;
  int rejected = 0;
  for (int i = 0; i < kStudies; ++i) {
    const Comparison comparison =
        Drawn({.scenarios = 20, .self_knowledge = 0, .reports = 2}, static_cast<std::uint64_t>(i));
    const auto result =
        PermuteReports(comparison, PairUp(comparison),
                       {.permutations = 199, .seed = static_cast<std::uint64_t>(i)});
    rejected += result->p <= 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(rejected) / kStudies, 0.05, 0.01) << rejected;
}

TEST(PermutationTest, KnowsThatAttributesStandInAnOrder) {
  // Every scenario likes its first attribute, and every report says so: agreement by custom.
  RandomStream random(kSeed, 3);
  Comparison comparison;
  for (int i = 0; i < 30; ++i) {
    comparison.scenarios.push_back({.weights = {100, 40 * random.Uniform(), -40 * random.Uniform()},
                                    .reports = {90, 30 * random.Uniform(), -30 * random.Uniform()},
                                    .replies_total = 1});
  }
  const PairedReports pairs = PairUp(comparison);
  const auto result = PermuteReports(comparison, pairs, {.permutations = 999});
  EXPECT_GT(FitLine(pairs)->r, 0.9);
  EXPECT_GT(result->mean_r, 0.9);
  EXPECT_GT(result->p, 0.05);
}

TEST(PermutationTest, AttributeOrdersAreCountedExactly) {
  const std::vector<double> weights = {100, 50, -20};
  const std::vector<double> report = {90, 40, -10};
  EXPECT_NEAR(*AttributePermutationP(weights, report, 0, 0), 1.0 / 6, 1e-12);
  const std::vector<double> opposite = {-90, -40, 10};
  EXPECT_NEAR(*AttributePermutationP(weights, opposite, 0, 0), 1.0, 1e-12);
  const std::vector<double> many = {9, 8, 7, 6, 5, 4, 3, 2, 1};
  EXPECT_LT(*AttributePermutationP(many, many, 0, 0), 0.001);
}

TEST(ReliabilityTest, IntraclassCorrelationIsThatOfTheAnalysisOfVariance) {
  // R: items 1..3 with reports (1,2,3), (4,6,5), (9,8,7): MSB = 27, MSW = 1 -> (27 - 1) / 27.
  ReportSums sums;
  for (const double mean : {2.0, 5.0, 8.0}) {
    sums += {.items = 1,
             .n = 3,
             .n_squared = 9,
             .inverse = 1.0 / 3,
             .mean = 3 * mean,
             .mean_squared = 3 * mean * mean,
             .within = 2};
  }
  EXPECT_NEAR(*sums.Reliability(), 26.0 / 27, 1e-12);
  EXPECT_FALSE(ReportSums().Reliability());
}

// R: v <- list(c(10,30,20), c(50,70), c(-40,-20,-30,-10), c(5,0,10)); n <- lengths(v)
//    g <- factor(rep(seq_along(v), n)); a <- anova(lm(unlist(v) ~ g)); N <- sum(n)
//    b <- (a[1,3] - a[2,3]) / ((N - sum(n^2) / N) / (length(v) - 1))
//    b / (b + a[2,3] * mean(1 / n))
TEST(ReliabilityTest, UnequalNumbersOfReportsAgreeWithR) {
  Comparison comparison;
  for (const std::vector<double>& reports :
       {std::vector<double>{10, 30, 20}, {50, 70}, {-40, -20, -30, -10}, {5, 0, 10}}) {
    comparison.scenarios.push_back(
        {.weights = {1}, .reports = reports, .replies_total = std::ssize(reports)});
  }
  const ScenarioSums total = Total(SumsByScenario(comparison, PairUp(comparison)));
  EXPECT_NEAR(*total.reports.Reliability(), 0.963713634677548, 1e-12);
}

TEST(ReliabilityTest, DisattenuationUndoesTheNoise) {
  const Agreement agreement = MeasureAgreement(Drawn({.scenarios = 400,
                                                      .self_knowledge = 1,
                                                      .estimation_error = 40,
                                                      .report_noise = 80,
                                                      .reports = 4}),
                                               {.permutations = 0});
  EXPECT_LT(agreement.line->r, 0.8);
  EXPECT_NEAR(*agreement.r_disattenuated, 1, 0.05);
  EXPECT_LT(agreement.bootstrap.r_disattenuated->low, *agreement.r_disattenuated);
  EXPECT_GT(agreement.bootstrap.r_disattenuated->high, *agreement.r_disattenuated);
}

TEST(WorstCaseTest, BracketsTheSlopeAndEveryWayToFillIn) {
  Comparison comparison = Drawn({.scenarios = 8, .attributes = 2, .self_knowledge = 0.5});
  EXPECT_NEAR(WorstCaseSlope(comparison)->low, FitLine(PairUp(comparison))->slope, 1e-12);
  comparison.scenarios[0].reports.resize(8);  // of 10 replies 4 are left
  comparison.scenarios[1].reports.clear();
  const Interval bounds = *WorstCaseSlope(comparison);
  for (int fill = 0; fill < 16; ++fill) {
    Comparison filled = comparison;
    const auto value = [&](int bit) { return (fill >> bit) % 2 == 0 ? -100.0 : 100.0; };
    for (int i = 0; i < 6; ++i) {
      filled.scenarios[0].reports.insert(filled.scenarios[0].reports.end(), {value(0), value(1)});
    }
    for (int i = 0; i < 10; ++i) {
      filled.scenarios[1].reports.insert(filled.scenarios[1].reports.end(), {value(2), value(3)});
    }
    const double slope = FitLine(PairUp(filled))->slope;
    EXPECT_GE(slope, bounds.low - 1e-9) << fill;
    EXPECT_LE(slope, bounds.high + 1e-9) << fill;
  }
}

TEST(WorstCaseTest, HoldsWhateverTheMissingRepliesWere) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Comparison comparison = Drawn({.scenarios = 12, .attributes = 3, .self_knowledge = 0.6}, seed);
    for (std::size_t i = 0; i < 5; ++i) comparison.scenarios[i].reports.resize(3 * 2 * i);
    const Interval bounds = *WorstCaseSlope(comparison);
    RandomStream random(seed, 99);
    for (int fill = 0; fill < 200; ++fill) {
      Comparison filled = comparison;
      for (ComparedScenario& scenario : filled.scenarios) {
        while (scenario.reports.size() < 30)
          scenario.reports.push_back(200 * random.Uniform() - 100);
      }
      const double slope = FitLine(PairUp(filled))->slope;
      EXPECT_GE(slope, bounds.low) << seed;
      EXPECT_LE(slope, bounds.high) << seed;
    }
  }
}

TEST(WorstCaseTest, FindsTheRepliesThatFitBest) {
  // What is left is true to the last digit: so may be what is missing, within the scale.
  Comparison comparison = Drawn({.scenarios = 12, .attributes = 3});
  for (ComparedScenario& scenario : comparison.scenarios) {
    for (double& weight : scenario.weights) weight = std::clamp(weight, -90.0, 90.0);
    scenario.reports.clear();
    for (int report = 0; report < 10; ++report) {
      scenario.reports.insert(scenario.reports.end(), scenario.weights.begin(),
                              scenario.weights.end());
    }
  }
  for (std::size_t i = 0; i < 6; ++i) comparison.scenarios[i].reports.resize(3 * i);
  EXPECT_NEAR(WorstCaseSlope(comparison)->high, 1, 1e-6);
  EXPECT_LT(WorstCaseSlope(comparison)->low, 0.5);
}

TEST(ContrastTest, IsTheMeanOfTheDifferencesWithPooledVariance) {
  std::vector<Comparison> conditions;
  for (const double knowledge : {0.9, 0.4, 0.8, 0.5}) {
    conditions.push_back(Drawn({.self_knowledge = knowledge}, conditions.size()));
  }
  const std::vector<ConditionPair> bases = {{conditions.data(), &conditions[1]},
                                            {&conditions[2], &conditions[3]}};
  const auto contrast = MeasureContrast(bases, {.resamples = 1000});
  ASSERT_TRUE(contrast);
  std::vector<LineFit> lines;
  for (const Comparison& condition : conditions) lines.push_back(*FitLine(PairUp(condition)));
  double rss = 0;
  double inverse = 0;
  for (const LineFit& line : lines) {
    rss += line.rss;
    inverse += 1 / line.sxx;
  }
  EXPECT_NEAR(contrast->slope,
              (lines[0].slope - lines[1].slope + lines[2].slope - lines[3].slope) / 2, 1e-12);
  EXPECT_EQ(contrast->degrees_of_freedom, 4 * 200 - 8);
  EXPECT_NEAR(*contrast->standard_error, std::sqrt(rss / 792 * inverse / 4), 1e-12);
  EXPECT_EQ(contrast->n_pairs, 800);
  EXPECT_EQ(contrast->n_scenarios, 40);
  EXPECT_LT(contrast->slope_bootstrap->low, contrast->slope);
  EXPECT_LE(*contrast->p, 0.05);
  EXPECT_FALSE(MeasureContrast({}, {}));
  EXPECT_NEAR(MeasureContrast(std::vector<ConditionPair>{{conditions.data(), conditions.data()}},
                              {.resamples = 200})
                  ->slope,
              0, 1e-15);
}

// R: z <- function(v) (v - mean(v)) / sd(v); y <- c(2,1,4,4,6,5,-2,1)
//    x1 <- c(1,2,2,3,5,8,-1,0); x0 <- c(3,-1,0,4,2,6,1,5)
//    m <- lm(y ~ t * x, data.frame(x = c(z(x1), z(x0)), y = c(z(y), z(y)), t = rep(1:0, each = 8)))
//    summary(m)$coefficients["t:x",]; confint(m)["t:x",]
TEST(ContrastTest, AgreesWithR) {
  const Comparison trained = Small();
  Comparison untrained = trained;
  const std::vector<double> report = {3, -1, 0, 4, 2, 6, 1, 5};
  for (std::size_t i = 0; i < 4; ++i) {
    untrained.scenarios[i].reports = {report[2 * i], report[2 * i + 1]};
  }
  const ConditionPair base{&trained, &untrained};
  const auto contrast = MeasureContrast(std::span(&base, 1), {.resamples = 0});
  ASSERT_TRUE(contrast);
  EXPECT_NEAR(contrast->slope, 0.524446042850449, 1e-12);
  EXPECT_NEAR(contrast->r, 0.524446042850449, 1e-12);
  EXPECT_NEAR(*contrast->standard_error, 0.452382588321639, 1e-12);
  EXPECT_EQ(contrast->degrees_of_freedom, 12);
  EXPECT_NEAR(contrast->interval->low, -0.461210944502807, 1e-12);
  EXPECT_NEAR(contrast->interval->high, 1.510103030203705, 1e-12);
  EXPECT_FALSE(contrast->slope_bootstrap);
}

// `knowledge` of its own weights, else of nobody's.
KnownModel Model(double knowledge, std::uint64_t stream) {
  RandomStream random(kSeed, stream);
  KnownModel model;
  for (int i = 0; i < 60; ++i) {
    std::vector<double> weights;
    std::vector<double> report;
    for (int k = 0; k < 5; ++k) {
      weights.push_back(200 * random.Uniform() - 100);
      report.push_back(knowledge * weights.back() +
                       (1 - knowledge) * (200 * random.Uniform() - 100));
    }
    model.weights.push_back(weights);
    model.reports.push_back(report);
  }
  return model;
}

TEST(PrivilegedAccessTest, TellsWhoKnowsItselfFromWhoKnowsItsNeighbour) {
  std::vector<KnownModel> models = {Model(0.8, 1), Model(0.8, 2), Model(0.8, 3)};
  models[2].reports = models[0].reports;  // speaks of the first one
  const std::vector<int> own = {0, 1, 2};
  const PrivilegedAccess access = MeasurePrivilegedAccess(models, own, {.resamples = 1000});
  EXPECT_EQ(access.pairs.size(), 9U);
  // Two others each, and their mean.
  ASSERT_EQ(access.differences.size(), 9U);
  EXPECT_GT(access.differences[0].interval->low, 0.5);
  EXPECT_EQ(access.differences[0].n_scenarios, 60);
  EXPECT_EQ(access.differences[2].other, std::nullopt);
  // The third: worse on itself than on the first.
  EXPECT_EQ(access.differences[6].other, std::size_t{0});
  EXPECT_LT(access.differences[6].interval->high, -0.5);
  ASSERT_TRUE(access.overall);
  EXPECT_LT(access.overall->difference, access.differences[2].difference);
}

TEST(PrivilegedAccessTest, NeedsAnOtherAndSharedScenarios) {
  std::vector<KnownModel> models = {Model(0.8, 1)};
  const std::vector<int> one = {0};
  EXPECT_EQ(MeasurePrivilegedAccess(models, one, {.resamples = 200}).pairs.size(), 1U);
  EXPECT_FALSE(MeasurePrivilegedAccess(models, one, {.resamples = 200}).overall);
  EXPECT_TRUE(MeasurePrivilegedAccess({}, {}, {}).pairs.empty());
  models.push_back(Model(0.8, 2));
  for (std::size_t i = 0; i < 59; ++i) models[1].weights[i].clear();
  const std::vector<int> two = {0, -1};
  EXPECT_FALSE(MeasurePrivilegedAccess(models, two, {.resamples = 200}).overall);
}

TEST(PrecisionTest, WidthIsThatOfSimulatedStudies) {
  const DesignPrecision expected =
      ExpectPrecision({.scenarios = 60, .attributes = 5, .trials = 50});
  double width = 0;
  int studies = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const auto line = FitLine(PairUp(Drawn({.scenarios = 60, .self_knowledge = 0.42}, i)));
    width += line->interval->high - line->interval->low;
    ++studies;
  }
  EXPECT_NEAR(width / studies / expected.interval_width, 1, 0.1);
  EXPECT_GT(expected.smallest_contrast, 0);
  EXPECT_GT(expected.weights_reliability, 0.5);
  EXPECT_EQ(ExpectPrecision({.scenarios = 0, .attributes = 5, .trials = 50}).interval_width, 0);
}

}  // namespace
}  // namespace candor::statistics
