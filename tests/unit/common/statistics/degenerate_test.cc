// Whatever replies say, agreement is a number or absent: never NaN, never out of bounds, never a
// crash. And what must not change it, does not.
#include "common/statistics/agreement.h"
#include "common/statistics/contrast.h"
#include "common/statistics/privileged_access.h"
#include "tests/unit/common/statistics/study.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace candor::statistics {
namespace {

constexpr AgreementOptions kQuick{.resamples = 200, .permutations = 50, .seed = 3};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void ExpectWithin(const std::optional<double>& value, double low, double high, const char* what) {
  if (!value) return;
  EXPECT_TRUE(*value >= low - 1e-9 && *value <= high + 1e-9) << what << ": " << *value;
}

void ExpectOrdered(const std::optional<Interval>& interval, const char* what) {
  if (!interval) return;
  EXPECT_TRUE(std::isfinite(interval->low) && std::isfinite(interval->high)) << what;
  EXPECT_LE(interval->low, interval->high) << what;
}

void ExpectSound(const std::optional<LineFit>& line) {
  if (!line) return;
  EXPECT_TRUE(std::isfinite(line->slope) && std::isfinite(line->intercept));
  ExpectWithin(line->r, -1, 1, "r");
  ExpectWithin(line->p, 0, 1, "p");
  EXPECT_TRUE(std::isfinite(line->standard_error.value_or(0)));
  EXPECT_TRUE(std::isfinite(line->cluster_standard_error.value_or(0)));
  ExpectOrdered(line->interval, "interval");
  ExpectOrdered(line->cluster_interval, "cluster interval");
}

void ExpectSound(const Agreement& agreement) {
  ExpectSound(agreement.line);
  for (const TreatedLine* treated :
       {&agreement.complete_cases, &agreement.as_is, &agreement.clipped, &agreement.dropped}) {
    ExpectSound(treated->line);
    ExpectWithin(treated->spearman, -1, 1, "spearman of treated");
  }
  ExpectWithin(agreement.spearman, -1, 1, "spearman");
  ExpectWithin(agreement.kendall, -1, 1, "kendall");
  ExpectWithin(agreement.sign_agreement, 0, 1, "signs");
  ExpectWithin(agreement.mean_cosine, -1, 1, "cosine");
  ExpectWithin(agreement.top_attribute_share, 0, 1, "top");
  ExpectWithin(agreement.weights_reliability, 0, 1, "reliability of weights");
  ExpectWithin(agreement.reports_reliability, 0, 1, "reliability of reports");
  EXPECT_TRUE(std::isfinite(agreement.r_disattenuated.value_or(0)));
  ExpectOrdered(agreement.bootstrap.slope, "bootstrap slope");
  ExpectOrdered(agreement.bootstrap.r, "bootstrap r");
  ExpectOrdered(agreement.bootstrap.r_disattenuated, "bootstrap disattenuated");
  ExpectOrdered(agreement.worst_case_slope, "worst case");
  if (agreement.permutation) {
    ExpectWithin(agreement.permutation->p, 0, 1, "permutation p");
    EXPECT_GT(agreement.permutation->p, 0);
    ExpectWithin(agreement.permutation->mean_r, -1, 1, "permutation mean");
  }
  for (const ScenarioAgreement& scenario : agreement.scenarios) {
    ExpectWithin(scenario.r, -1, 1, "r of a scenario");
    ExpectWithin(scenario.cosine, -1, 1, "cosine of a scenario");
    ExpectWithin(scenario.p, 0, 1, "p of a scenario");
    ExpectWithin(scenario.q, 0, 1, "q of a scenario");
    for (const double sd : scenario.report_sd) EXPECT_TRUE(std::isfinite(sd));
  }
}

// A number that somebody might report: ordinary, on the edge, beyond, absurd.
double AnyNumber(RandomStream& random) {
  switch (random.Below(10)) {
    case 0:
      return 0;
    case 1:
      return random.Uniform() < 0.5 ? kScale : -kScale;
    case 2:
      return 1e308 * (2 * random.Uniform() - 1);
    case 3:
      return std::numeric_limits<double>::denorm_min();
    case 4:
      return 1'000 * random.Uniform();
    default:
      return 50;
  }
}

Comparison AnyComparison(RandomStream& random) {
  Comparison comparison;
  const std::uint64_t scenarios = random.Below(7);
  for (std::uint64_t i = 0; i < scenarios; ++i) {
    ComparedScenario scenario;
    const std::size_t k = random.Below(4);
    scenario.attributes = k;
    const bool plain = random.Uniform() < 0.5;
    const auto number = [&] { return plain ? 20 * random.Uniform() : AnyNumber(random); };
    if (random.Uniform() < 0.8) {
      for (std::size_t j = 0; j < k; ++j) scenario.weights.push_back(number());
    }
    const std::size_t reports = random.Below(4);
    for (std::size_t j = 0; j < reports * k; ++j) scenario.reports.push_back(number());
    scenario.replies_total = static_cast<std::int64_t>(reports + random.Below(3));
    scenario.weight_set = static_cast<int>(random.Below(2));
    scenario.report_set = static_cast<int>(random.Below(2));
    if (random.Uniform() < 0.5) {
      for (std::size_t j = 0; j < k; ++j) {
        scenario.first_half.push_back(20 * random.Uniform());
        scenario.second_half.push_back(20 * random.Uniform());
      }
    }
    comparison.scenarios.push_back(scenario);
  }
  return comparison;
}

TEST(DegenerateTest, WhateverComesIsANumberOrAbsent) {
  for (std::uint64_t seed = 0; seed < 3'000 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomStream random(seed);
    const Comparison first = AnyComparison(random);
    const Comparison second = AnyComparison(random);
    ExpectSound(MeasureAgreement(first, kQuick));
    const ConditionPair base{&first, &second};
    if (const auto contrast = MeasureContrast(std::span(&base, 1), {.resamples = 120})) {
      EXPECT_TRUE(std::isfinite(contrast->slope) && std::isfinite(contrast->r));
      EXPECT_TRUE(std::isfinite(contrast->standard_error.value_or(0)));
      ExpectOrdered(contrast->interval, "contrast");
      ExpectOrdered(contrast->slope_bootstrap, "contrast, bootstrap");
      ExpectWithin(contrast->p, 0, 1, "contrast p");
    }
  }
}

TEST(DegenerateTest, PrivilegedAccessOfWhateverComes) {
  for (std::uint64_t seed = 0; seed < 1'000 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomStream random(seed);
    std::vector<KnownModel> models(1 + random.Below(3));
    std::vector<int> own;
    for (KnownModel& model : models) {
      own.push_back(static_cast<int>(random.Below(models.size() + 1)) - 1);
      for (auto* values : {&model.weights, &model.reports}) {
        values->resize(random.Below(6));
        for (auto& scenario : *values) {
          scenario.resize(random.Below(3));
          for (double& value : scenario) value = AnyNumber(random);
        }
      }
    }
    const PrivilegedAccess access = MeasurePrivilegedAccess(models, own, {.resamples = 120});
    for (const ModelPair& pair : access.pairs) {
      ExpectWithin(pair.r, -1, 1, "r");
      EXPECT_TRUE(std::isfinite(pair.slope));
      ExpectOrdered(pair.r_interval, "r");
    }
    for (const OwnMinusOther& difference : access.differences) {
      ExpectWithin(difference.difference, -2, 2, "difference");
      ExpectWithin(difference.p, 0, 1, "p");
    }
  }
}

TEST(DegenerateTest, OneAbsurdReportLeavesNumbers) {
  RandomStream random(1);
  Comparison comparison = Simulate({.scenarios = 20}, random);
  comparison.scenarios[3].reports[2] = 1.7e308;
  comparison.scenarios[4].reports[2] = -1.7e308;
  const Agreement agreement = MeasureAgreement(comparison, kQuick);
  ExpectSound(agreement);
  EXPECT_EQ(agreement.out_of_range_values, CountOutOfRange(comparison));
  ASSERT_TRUE(agreement.line);
  EXPECT_TRUE(agreement.pearson_spearman_gap);
  EXPECT_GT(agreement.clipped.line->r, 0.6);
}

TEST(DegenerateTest, RoundingIsNoVariation) {
  Comparison comparison;
  // The same three reports in every order: their means differ in the last bit.
  for (const std::vector<double>& reports : {std::vector<double>{0.1, 0.1, 0.2, 0.2, 0.3, 0.3},
                                             {0.3, 0.3, 0.2, 0.2, 0.1, 0.1},
                                             {0.2, 0.3, 0.3, 0.1, 0.1, 0.2}}) {
    comparison.scenarios.push_back(
        {.weights = {static_cast<double>(comparison.scenarios.size()), 7},
         .reports = reports,
         .replies_total = 3});
  }
  EXPECT_FALSE(FitLine(PairUp(comparison)));
  EXPECT_FALSE(MeasureAgreement(comparison, kQuick).bootstrap.slope);
}

TEST(DegenerateTest, ReportsOfUnknownAttributesAreNone) {
  Comparison comparison;
  comparison.scenarios.push_back({.reports = {1, 2, 3}, .replies_total = 1});
  comparison.scenarios.push_back({.weights = {1, 2}, .reports = {1, 2}, .replies_total = 1});
  EXPECT_EQ(PairUp(comparison).scenarios.size(), 1U);
  EXPECT_TRUE(Treat(comparison, OutOfRangeAs::kDropped).scenarios[0].reports.empty());
}

TEST(InvarianceTest, FlippingReportsFlipsTheLineAndNothingElse) {
  RandomStream random(2);
  const Comparison comparison = Simulate({.self_knowledge = 0.7, .scenario_effect = 40}, random);
  Comparison flipped = comparison;
  for (ComparedScenario& scenario : flipped.scenarios) {
    for (double& report : scenario.reports) report = -report;
  }
  const Agreement one = MeasureAgreement(comparison, kQuick);
  const Agreement other = MeasureAgreement(flipped, kQuick);
  EXPECT_NEAR(one.line->slope, -other.line->slope, 1e-12);
  EXPECT_NEAR(one.line->r, -other.line->r, 1e-12);
  EXPECT_NEAR(*one.spearman, -*other.spearman, 1e-12);
  EXPECT_NEAR(*one.kendall, -*other.kendall, 1e-12);
  EXPECT_NEAR(*one.mean_cosine, -*other.mean_cosine, 1e-12);
  EXPECT_NEAR(*one.sign_agreement, 1 - *other.sign_agreement, 1e-12);
  EXPECT_NEAR(*one.top_attribute_share, *other.top_attribute_share, 1e-12);
  EXPECT_NEAR(one.bootstrap.slope->low, -other.bootstrap.slope->high, 1e-9);
  EXPECT_NEAR(one.permutation->p, other.permutation->p, 1e-12);
  EXPECT_NEAR(*one.reports_reliability, *other.reports_reliability, 1e-12);
  EXPECT_NEAR(*one.line->p, *other.line->p, 1e-12);
}

TEST(InvarianceTest, EverySetHasItsOwnUnit) {
  RandomStream random(3);
  Comparison comparison = Simulate({.self_knowledge = 0.8}, random);
  for (std::size_t i = 0; i < 20; ++i) comparison.scenarios[i].report_set = 1;
  Comparison other = comparison;
  for (std::size_t i = 0; i < 20; ++i) {
    for (double& report : other.scenarios[i].reports) report = 300 + 5 * report;
  }
  const Agreement one = MeasureAgreement(comparison, kQuick);
  const Agreement same = MeasureAgreement(other, kQuick);
  EXPECT_NEAR(one.line->slope, same.line->slope, 1e-12);
  EXPECT_NEAR(*one.reports_reliability, *same.reports_reliability, 1e-9);
  EXPECT_NEAR(*one.r_disattenuated, *same.r_disattenuated, 1e-9);
  EXPECT_NEAR(one.bootstrap.r_disattenuated->low, same.bootstrap.r_disattenuated->low, 1e-9);
  EXPECT_NEAR(one.permutation->p, same.permutation->p, 1e-12);
}

TEST(InvarianceTest, AttributesMayStandInAnyOrder) {
  RandomStream random(4);
  const Comparison comparison = Simulate({}, random);
  Comparison turned = comparison;
  for (ComparedScenario& scenario : turned.scenarios) {
    const std::size_t k = scenario.weights.size();
    const auto turn = [&](std::vector<double>* values) {
      for (std::size_t row = 0; row < values->size(); row += k) {
        std::rotate(values->begin() + static_cast<std::ptrdiff_t>(row),
                    values->begin() + static_cast<std::ptrdiff_t>(row + 2),
                    values->begin() + static_cast<std::ptrdiff_t>(row + k));
      }
    };
    turn(&scenario.weights);
    turn(&scenario.reports);
    turn(&scenario.first_half);
    turn(&scenario.second_half);
  }
  const Agreement one = MeasureAgreement(comparison, kQuick);
  const Agreement same = MeasureAgreement(turned, kQuick);
  EXPECT_NEAR(one.line->slope, same.line->slope, 1e-12);
  EXPECT_NEAR(*one.line->cluster_standard_error, *same.line->cluster_standard_error, 1e-12);
  EXPECT_NEAR(*one.scenarios[5].p, *same.scenarios[5].p, 1e-12);
  EXPECT_NEAR(one.bootstrap.slope->high, same.bootstrap.slope->high, 1e-9);
}

TEST(TopAttributeTest, ATieNamesNothing) {
  Comparison comparison;
  comparison.scenarios.push_back({.weights = {100, 20}, .reports = {90, 10}, .replies_total = 1});
  comparison.scenarios.push_back({.weights = {100, 20}, .reports = {50, -50}, .replies_total = 1});
  comparison.scenarios.push_back({.weights = {100, 20}, .reports = {0, 0}, .replies_total = 1});
  comparison.scenarios.push_back({.weights = {100, -100}, .reports = {0, 9}, .replies_total = 1});
  const Agreement agreement = MeasureAgreement(comparison, {.resamples = 0, .permutations = 0});
  EXPECT_TRUE(agreement.scenarios[0].top_attribute_named);
  EXPECT_FALSE(agreement.scenarios[1].top_attribute_named);
  EXPECT_FALSE(agreement.scenarios[2].top_attribute_named);
  EXPECT_TRUE(agreement.scenarios[3].top_attribute_named);
  EXPECT_EQ(agreement.top_attribute_share, 0.5);
}

TEST(BootstrapTest, SpreadsAsTheClusterRobustErrorSays) {
  RandomStream random(5);
  const Comparison comparison =
      Simulate({.scenarios = 400, .self_knowledge = 0.5, .scenario_effect = 60}, random);
  const PairedReports pairs = PairUp(comparison);
  const LineFit line = *FitLine(pairs);
  const BootstrapResult result =
      Bootstrap(SumsByScenario(comparison, pairs), {.resamples = 4'000, .seed = 1});
  const double half = (result.slope->high - result.slope->low) / 2;
  EXPECT_NEAR(half / (1.96 * *line.cluster_standard_error), 1, 0.08);
  // Scenarios share a shift: pairs that pass for independent give too narrow an interval.
  EXPECT_GT(*line.cluster_standard_error, 1.2 * *line.standard_error);
}

TEST(BootstrapTest, NoIntervalWhenManyResamplesAreUndefined) {
  // 3 of 4 scenarios have the same report: a resample misses the fourth in 32 %.
  Comparison comparison;
  for (const double report : {30.0, 30.0, 30.0, 70.0}) {
    comparison.scenarios.push_back(
        {.weights = {report + static_cast<double>(comparison.scenarios.size()), 2},
         .reports = {report, 30},
         .replies_total = 1});
  }
  const Agreement agreement = MeasureAgreement(comparison, {.resamples = 2'000});
  EXPECT_TRUE(agreement.line);
  EXPECT_FALSE(agreement.bootstrap.slope);
}

TEST(ContrastTest, ConditionsAreResampledTogether) {
  // Both conditions share what the scenarios contribute, so that their difference varies less than
  // independent draws would have it: for the same reports not at all.
  RandomStream random(6);
  const Comparison untrained = Simulate({.scenarios = 60, .scenario_effect = 80}, random);
  Comparison trained = untrained;
  for (ComparedScenario& scenario : trained.scenarios) {
    for (double& report : scenario.reports) report += 5 * DrawNormal(random);
  }
  const ConditionPair base{&trained, &untrained};
  const auto contrast = MeasureContrast(std::span(&base, 1), {.resamples = 2'000});
  const auto alone = MeasureAgreement(trained, {.resamples = 2'000, .permutations = 0});
  EXPECT_LT(contrast->slope_bootstrap->high - contrast->slope_bootstrap->low,
            0.3 * (alone.bootstrap.slope->high - alone.bootstrap.slope->low));
}

TEST(ContrastTest, WithoutDegreesOfFreedomThereIsNoInterval) {
  Comparison two;
  two.scenarios.push_back({.weights = {1, 5}, .reports = {2, 9}, .replies_total = 1});
  const ConditionPair base{&two, &two};
  const auto contrast = MeasureContrast(std::span(&base, 1), {.resamples = 200});
  ASSERT_TRUE(contrast);
  EXPECT_FALSE(contrast->interval);
  EXPECT_FALSE(contrast->slope_bootstrap);
  EXPECT_LT(contrast->slope, kInfinity);
}

}  // namespace
}  // namespace candor::statistics
