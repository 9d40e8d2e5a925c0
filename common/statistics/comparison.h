// From weights and self-reports to the pairs that agreement is measured on.
//
//   Comparison comparison;                                  // a condition of the paper
//   comparison.scenarios.push_back({.weights = {...}, .reports = {...}, .replies_total = 10});
//   const PairedReports pairs = PairUp(comparison);
//   Pearson(pairs.report, pairs.weight);
//
// As the paper does it (method.md, section 4):
//
// - The estimated weights are standardised by the mean and sd (n - 1) of all values of their weight
//   set, one results file of the paper or one entry of a job.
// - A scenario's report is the mean of its readable self-reports, attribute by attribute, and is
//   standardised by the mean and sd of all mean reports of its report set.
// - Both before scenarios that lack the one or the other are dropped. Sets are standardised apart,
//   such as the paper's two halves of introspection training.
#pragma once

#include "common/statistics/correlation.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace candor::statistics {

// The scale on which models are asked to report: [-kScale, kScale].
inline constexpr double kScale = 100;
// A reply may say anything, 1e300 too, whose square no double holds. Numbers beyond this are taken
// as this.
inline constexpr double kLargestNumber = 1e100;

// One scenario of K attributes in one condition.
struct ComparedScenario {
  // Estimated weights, [K], normalised to 100; empty: none could be estimated.
  std::vector<double> weights;
  // Which weights are standardised together.
  int weight_set = 0;
  // Readable self-reports as given, [n_reports, K] row by row; empty: none.
  std::vector<double> reports;
  // Which reports are standardised together.
  int report_set = 0;
  // Self-reports that were asked for. At least n_reports.
  std::int64_t replies_total = 0;
  // Weights estimated from one half of the trials and from the other, [K] each; empty: not known.
  std::vector<double> first_half;
  std::vector<double> second_half;
  // K. Needed where `weights` and `reports` are both empty; 0 otherwise allowed.
  std::size_t attributes = 0;
};

// All scenarios of one condition, in the same order for every condition that is resampled with it:
// position i is the same scenario everywhere. Every number is finite.
struct Comparison {
  std::vector<ComparedScenario> scenarios;
};

// The number within [-kLargestNumber, kLargestNumber].
double Bounded(double value);

// What a set of values is standardised by. An sd that is but rounding errors is 0: the means of the
// same reports in another order differ in their last bits.
Moments ScaleOf(Values set);
// (value - mean) / sd, and 0 for an sd of 0.
double Standardise(double value, const Moments& scale);

// K of a scenario.
std::size_t AttributesOf(const ComparedScenario& scenario);
// n_reports of a scenario; 0 while its K is not known.
std::size_t ReportsOf(const ComparedScenario& scenario);

// What becomes of reports beyond the scale.
enum class OutOfRangeAs {
  // Kept: replicates the paper.
  kIs,
  // Clipped to the scale.
  kClipped,
  // The reply is left out.
  kDropped,
};

// The same comparison with its reports treated so.
Comparison Treat(const Comparison& comparison, OutOfRangeAs treatment);
// Reported values beyond the scale.
std::int64_t CountOutOfRange(const Comparison& comparison);
// Only the scenarios of which every reply is readable; the others keep their place and lose
// weights and reports, so that standardisation is that of the complete cases.
Comparison CompleteCases(const Comparison& comparison);

// A scenario in the line.
struct PairedScenario {
  // Position in Comparison::scenarios.
  std::size_t scenario = 0;
  // Its first pair, and how many.
  std::size_t begin = 0;
  std::size_t size = 0;
};

// The pairs of (scenario, attribute), scenario by scenario. A set whose values are all the same, up
// to rounding errors of their means, is standardised to zeros.
struct PairedReports {
  // Standardised, [n_pairs] each.
  std::vector<double> weight;
  std::vector<double> report;
  // As they were, [n_pairs] each.
  std::vector<double> raw_weight;
  std::vector<double> raw_report;
  std::vector<PairedScenario> scenarios;

  Values WeightOf(const PairedScenario& s) const { return Values(weight).subspan(s.begin, s.size); }
  Values ReportOf(const PairedScenario& s) const { return Values(report).subspan(s.begin, s.size); }
  Values RawWeightOf(const PairedScenario& s) const {
    return Values(raw_weight).subspan(s.begin, s.size);
  }
  Values RawReportOf(const PairedScenario& s) const {
    return Values(raw_report).subspan(s.begin, s.size);
  }
};

PairedReports PairUp(const Comparison& comparison);

}  // namespace candor::statistics
