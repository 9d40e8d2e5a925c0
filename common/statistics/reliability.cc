#include "common/statistics/reliability.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace candor::statistics {
namespace {

// Reports brought to the mean and sd of their set.
ReportSums SumsOfReports(const ComparedScenario& scenario, const Moments& set) {
  ReportSums sums;
  const auto standardised = [&](std::size_t i) {
    return Standardise(Bounded(scenario.reports[i]), set);
  };
  const std::size_t k = AttributesOf(scenario);
  const std::size_t reports = ReportsOf(scenario);
  const auto n = static_cast<double>(reports);
  for (std::size_t attribute = 0; attribute < k; ++attribute) {
    double mean = 0;
    for (std::size_t i = 0; i < reports; ++i) mean += standardised(i * k + attribute);
    mean /= n;
    for (std::size_t i = 0; i < reports; ++i) {
      const double error = standardised(i * k + attribute) - mean;
      sums.within += error * error;
    }
    sums.items += 1;
    sums.n += n;
    sums.n_squared += n * n;
    sums.inverse += 1 / n;
    sums.mean += n * mean;
    sums.mean_squared += n * mean * mean;
  }
  return sums;
}

}  // namespace

std::optional<double> ReportSums::Reliability() const {
  if (items < 2 || n <= items) return std::nullopt;
  const double between = std::max(0.0, mean_squared - mean * mean / n) / (items - 1);
  const double error = within / (n - items);
  const double per_item = (n - n_squared / n) / (items - 1);
  const double variance = std::max(0.0, (between - error) / per_item);
  if (variance <= 0) return 0;
  return variance / (variance + error * inverse / items);
}

std::optional<double> ScenarioSums::WeightsReliability() const {
  const std::optional<double> r = halves.R();
  if (!r) return std::nullopt;
  return *r <= 0 ? 0 : 2 * *r / (1 + *r);
}

std::optional<double> ScenarioSums::DisattenuatedR() const {
  const std::optional<double> r = pairs.R();
  const std::optional<double> of_weights = WeightsReliability();
  const std::optional<double> of_reports = reports.Reliability();
  if (!r || !of_weights || !of_reports || *of_weights <= 0 || *of_reports <= 0) return std::nullopt;
  return *r / std::sqrt(*of_weights * *of_reports);
}

std::vector<ScenarioSums> SumsByScenario(const Comparison& comparison, const PairedReports& pairs) {
  // Mean and sd of the mean reports of each set, so that sets can be pooled.
  std::map<int, std::vector<double>> means;
  for (const PairedScenario& paired : pairs.scenarios) {
    std::vector<double>& set = means[comparison.scenarios[paired.scenario].report_set];
    const Values report = pairs.RawReportOf(paired);
    set.insert(set.end(), report.begin(), report.end());
  }
  std::map<int, Moments> scales;
  for (const auto& [set, values] : means) scales.emplace(set, ScaleOf(values));
  std::vector<ScenarioSums> sums(comparison.scenarios.size());
  for (const PairedScenario& paired : pairs.scenarios) {
    const ComparedScenario& scenario = comparison.scenarios[paired.scenario];
    ScenarioSums& own = sums[paired.scenario];
    own.pairs = PairSums::Of(pairs.ReportOf(paired), pairs.WeightOf(paired));
    if (!scenario.first_half.empty() && scenario.first_half.size() == scenario.second_half.size()) {
      own.halves = PairSums::Of(scenario.first_half, scenario.second_half);
    }
    own.reports = SumsOfReports(scenario, scales.at(scenario.report_set));
  }
  return sums;
}

ScenarioSums Total(const std::vector<ScenarioSums>& scenarios) {
  ScenarioSums total;
  for (const ScenarioSums& scenario : scenarios) total += scenario;
  return total;
}

}  // namespace candor::statistics
