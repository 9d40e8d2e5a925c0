// How well reported weights agree with estimated ones in one condition: everything of method.md,
// section 4, from one Comparison.
//
//   const Agreement agreement = MeasureAgreement(comparison, {.seed = 7});
//   if (agreement.line) Print(agreement.line->slope, agreement.bootstrap.slope);
//
// What the data do not define is absent, never NaN: no scenario, one scenario, constant reports.
// Pure and deterministic; may be called by any number of threads. 100 scenarios with 10,000
// resamples and 10,000 permutations take about 0.3 s.
#pragma once

#include "common/statistics/bootstrap.h"
#include "common/statistics/comparison.h"
#include "common/statistics/line.h"
#include "common/statistics/permutation.h"
#include "common/statistics/reliability.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace candor::statistics {

struct AgreementOptions {
  int resamples = 10'000;
  int permutations = 10'000;
  std::uint64_t seed = 0;
};

// The line for one way of treating the data.
struct TreatedLine {
  std::optional<LineFit> line;
  std::optional<double> spearman;
};
TreatedLine MeasureLine(const Comparison& comparison);

// One scenario of the line.
struct ScenarioAgreement {
  // Position in Comparison::scenarios.
  std::size_t scenario = 0;
  // Mean report, [K], and the standard deviation of its reports, [K]; empty for a single report.
  std::vector<double> report;
  std::vector<double> report_sd;
  std::int64_t n_reports = 0;
  // Over the attributes.
  std::optional<double> r;
  std::optional<double> cosine;
  std::optional<double> sign_agreement;
  // Whether the attribute of largest weight is that of the largest report, by magnitude. A report
  // in which several attributes are the largest names none; of equally large weights any will do.
  bool top_attribute_named = false;
  // As they enter the line, [K] each.
  std::vector<double> standardised_weights;
  std::vector<double> standardised_report;
  // Of the cosine, under exchange of attributes; q adjusts it over the scenarios (Benjamini and
  // Hochberg).
  std::optional<double> p;
  std::optional<double> q;
};

struct Agreement {
  std::optional<LineFit> line;
  std::optional<double> spearman;
  std::optional<double> kendall;
  // r and Spearman's correlation differ by more than kGap: a few extreme reports carry the line.
  bool pearson_spearman_gap = false;
  // Over all pairs, zeros left out.
  std::optional<double> sign_agreement;
  // Mean over scenarios.
  std::optional<double> mean_cosine;
  // Share of scenarios whose attribute of largest weight has the largest report.
  std::optional<double> top_attribute_share;

  BootstrapResult bootstrap;
  std::optional<PermutationResult> permutation;
  std::optional<double> weights_reliability;
  std::optional<double> reports_reliability;
  std::optional<double> r_disattenuated;

  // Scenarios of the comparison, and those of them without weights or without a readable report.
  std::int64_t scenarios_total = 0;
  std::int64_t scenarios_lost = 0;
  std::int64_t replies_valid = 0;
  std::int64_t replies_total = 0;
  TreatedLine complete_cases;
  // See WorstCaseSlope.
  std::optional<Interval> worst_case_slope;

  std::int64_t out_of_range_values = 0;
  TreatedLine as_is;
  TreatedLine clipped;
  TreatedLine dropped;

  std::vector<ScenarioAgreement> scenarios;
};

inline constexpr double kGap = 0.05;

Agreement MeasureAgreement(const Comparison& comparison, const AgreementOptions& options);

// The smallest and the largest slope that the missing replies could bring about: the missing
// replies of every (scenario, attribute) with a weight may have any mean from -kScale to kScale,
// and everything is standardised anew. Readable reports are taken as they are; with nothing missing
// both ends are the slope. Absent without a line.
//
// Found by moving one mean at a time to its best place until a pass gains nothing, from the ends
// that the weights' signs suggest. r is pseudo-concave in the reports where it is positive, so with
// one report set the upper end is exact when it is positive, and the lower one when it is negative;
// else they are local optima.
std::optional<Interval> WorstCaseSlope(const Comparison& comparison);

}  // namespace candor::statistics
