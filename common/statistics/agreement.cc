#include "common/statistics/agreement.h"

#include "common/statistics/multiple_testing.h"

#include <cmath>
#include <utility>

namespace candor::statistics {
namespace {

std::optional<double> Mean(Values values) {
  if (values.empty()) return std::nullopt;
  return MomentsOf(values).mean;
}

std::vector<double> SdOfReports(const ComparedScenario& scenario) {
  const std::size_t reports = ReportsOf(scenario);
  if (reports < 2) return {};
  const std::size_t k = AttributesOf(scenario);
  std::vector<double> sds;
  std::vector<double> column(reports);
  for (std::size_t attribute = 0; attribute < k; ++attribute) {
    for (std::size_t i = 0; i < reports; ++i)
      column[i] = Bounded(scenario.reports[i * k + attribute]);
    sds.push_back(MomentsOf(column).sd);
  }
  return sds;
}

bool NamesTop(Values weights, Values report) {
  const std::size_t named = LargestMagnitude(report);
  for (std::size_t k = 0; k < report.size(); ++k) {
    if (k != named && std::abs(report[k]) == std::abs(report[named])) return false;
  }
  return std::abs(weights[named]) == std::abs(weights[LargestMagnitude(weights)]);
}

std::vector<double> Copy(Values values) { return {values.begin(), values.end()}; }

ScenarioAgreement OfScenario(const Comparison& comparison, const PairedReports& pairs,
                             const PairedScenario& paired, std::uint64_t seed) {
  const ComparedScenario& scenario = comparison.scenarios[paired.scenario];
  const Values weights = pairs.RawWeightOf(paired);
  const Values report = pairs.RawReportOf(paired);
  ScenarioAgreement own;
  own.scenario = paired.scenario;
  own.report = Copy(report);
  own.report_sd = SdOfReports(scenario);
  own.n_reports = static_cast<std::int64_t>(ReportsOf(scenario));
  own.r = Pearson(report, weights);
  own.cosine = Cosine(report, weights);
  own.sign_agreement = SignAgreement(report, weights);
  own.top_attribute_named = NamesTop(weights, report);
  own.standardised_weights = Copy(pairs.WeightOf(paired));
  own.standardised_report = Copy(pairs.ReportOf(paired));
  own.p = AttributePermutationP(weights, report, seed, paired.scenario);
  return own;
}

void MeasureScenarios(const Comparison& comparison, const PairedReports& pairs, std::uint64_t seed,
                      Agreement* agreement) {
  std::vector<double> cosines;
  PValues p;
  std::int64_t named = 0;
  for (const PairedScenario& paired : pairs.scenarios) {
    ScenarioAgreement own = OfScenario(comparison, pairs, paired, seed);
    if (own.cosine) cosines.push_back(*own.cosine);
    p.push_back(own.p);
    named += own.top_attribute_named ? 1 : 0;
    agreement->scenarios.push_back(std::move(own));
  }
  const PValues q = BenjaminiHochberg(p);
  for (std::size_t i = 0; i < q.size(); ++i) agreement->scenarios[i].q = q[i];
  agreement->mean_cosine = Mean(cosines);
  if (!pairs.scenarios.empty()) {
    agreement->top_attribute_share =
        static_cast<double>(named) / static_cast<double>(pairs.scenarios.size());
  }
}

}  // namespace

TreatedLine MeasureLine(const Comparison& comparison) {
  const PairedReports pairs = PairUp(comparison);
  return {FitLine(pairs), Spearman(pairs.report, pairs.weight)};
}

Agreement MeasureAgreement(const Comparison& comparison, const AgreementOptions& options) {
  const PairedReports pairs = PairUp(comparison);
  Agreement agreement;
  agreement.line = FitLine(pairs);
  agreement.spearman = Spearman(pairs.report, pairs.weight);
  agreement.kendall = KendallTauB(pairs.report, pairs.weight);
  agreement.pearson_spearman_gap = agreement.line && agreement.spearman &&
                                   std::abs(agreement.line->r - *agreement.spearman) > kGap;
  agreement.sign_agreement = SignAgreement(pairs.raw_report, pairs.raw_weight);

  const std::vector<ScenarioSums> sums = SumsByScenario(comparison, pairs);
  const ScenarioSums total = Total(sums);
  agreement.bootstrap = Bootstrap(sums, {.resamples = options.resamples, .seed = options.seed});
  agreement.permutation = PermuteReports(
      comparison, pairs, {.permutations = options.permutations, .seed = options.seed});
  agreement.weights_reliability = total.WeightsReliability();
  agreement.reports_reliability = total.reports.Reliability();
  agreement.r_disattenuated = total.DisattenuatedR();

  agreement.scenarios_total = static_cast<std::int64_t>(comparison.scenarios.size());
  agreement.scenarios_lost =
      agreement.scenarios_total - static_cast<std::int64_t>(pairs.scenarios.size());
  for (const ComparedScenario& scenario : comparison.scenarios) {
    agreement.replies_valid += static_cast<std::int64_t>(ReportsOf(scenario));
    agreement.replies_total += scenario.replies_total;
  }
  agreement.complete_cases = MeasureLine(CompleteCases(comparison));
  agreement.worst_case_slope = WorstCaseSlope(comparison);

  agreement.out_of_range_values = CountOutOfRange(comparison);
  agreement.as_is = {agreement.line, agreement.spearman};
  if (agreement.out_of_range_values == 0) {
    agreement.clipped = agreement.as_is;
    agreement.dropped = agreement.as_is;
  } else {
    agreement.clipped = MeasureLine(Treat(comparison, OutOfRangeAs::kClipped));
    agreement.dropped = MeasureLine(Treat(comparison, OutOfRangeAs::kDropped));
  }
  MeasureScenarios(comparison, pairs, options.seed, &agreement);
  return agreement;
}

}  // namespace candor::statistics
