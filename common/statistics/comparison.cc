#include "common/statistics/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace candor::statistics {
namespace {

std::vector<double> MeanReport(const ComparedScenario& scenario) {
  const std::size_t reports = ReportsOf(scenario);
  const std::size_t k = AttributesOf(scenario);
  std::vector<double> mean(k);
  for (std::size_t i = 0; i < reports * k; ++i) mean[i % k] += Bounded(scenario.reports[i]);
  for (double& value : mean) value /= static_cast<double>(reports);
  return mean;
}

// Below this share of the largest magnitude, a standard deviation is rounding.
constexpr double kRounding = 1e-12;

std::map<int, Moments> ScalesOf(const std::map<int, std::vector<double>>& sets) {
  std::map<int, Moments> scales;
  for (const auto& [set, values] : sets) scales.emplace(set, ScaleOf(values));
  return scales;
}

bool Beyond(double value) { return std::abs(value) > kScale; }

}  // namespace

double Bounded(double value) { return std::clamp(value, -kLargestNumber, kLargestNumber); }

Moments ScaleOf(Values set) {
  Moments scale = MomentsOf(set);
  if (!set.empty() && scale.sd <= kRounding * std::abs(set[LargestMagnitude(set)])) scale.sd = 0;
  return scale;
}

double Standardise(double value, const Moments& scale) {
  return scale.sd > 0 ? (value - scale.mean) / scale.sd : 0;
}

std::size_t AttributesOf(const ComparedScenario& scenario) {
  return scenario.weights.empty() ? scenario.attributes : scenario.weights.size();
}

std::size_t ReportsOf(const ComparedScenario& scenario) {
  const std::size_t k = AttributesOf(scenario);
  return k == 0 ? 0 : scenario.reports.size() / k;
}

Comparison Treat(const Comparison& comparison, OutOfRangeAs treatment) {
  Comparison treated = comparison;
  if (treatment == OutOfRangeAs::kIs) return treated;
  for (ComparedScenario& scenario : treated.scenarios) {
    if (treatment == OutOfRangeAs::kClipped) {
      for (double& value : scenario.reports) value = std::clamp(value, -kScale, kScale);
      continue;
    }
    const std::size_t k = AttributesOf(scenario);
    std::vector<double> kept;
    for (std::size_t i = 0; i < ReportsOf(scenario); ++i) {
      const Values reply = Values(scenario.reports).subspan(i * k, k);
      if (std::none_of(reply.begin(), reply.end(), Beyond)) {
        kept.insert(kept.end(), reply.begin(), reply.end());
      }
    }
    scenario.reports = std::move(kept);
  }
  return treated;
}

std::int64_t CountOutOfRange(const Comparison& comparison) {
  std::int64_t count = 0;
  for (const ComparedScenario& scenario : comparison.scenarios) {
    count += std::count_if(scenario.reports.begin(), scenario.reports.end(), Beyond);
  }
  return count;
}

Comparison CompleteCases(const Comparison& comparison) {
  Comparison complete = comparison;
  for (ComparedScenario& scenario : complete.scenarios) {
    if (static_cast<std::int64_t>(ReportsOf(scenario)) >= scenario.replies_total) continue;
    scenario.attributes = AttributesOf(scenario);
    scenario.weights.clear();
    scenario.reports.clear();
  }
  return complete;
}

PairedReports PairUp(const Comparison& comparison) {
  std::map<int, std::vector<double>> weight_sets;
  std::map<int, std::vector<double>> report_sets;
  std::vector<std::vector<double>> means(comparison.scenarios.size());
  for (std::size_t i = 0; i < comparison.scenarios.size(); ++i) {
    const ComparedScenario& scenario = comparison.scenarios[i];
    std::vector<double>& weights = weight_sets[scenario.weight_set];
    for (const double weight : scenario.weights) weights.push_back(Bounded(weight));
    if (ReportsOf(scenario) == 0) continue;
    means[i] = MeanReport(scenario);
    std::vector<double>& reports = report_sets[scenario.report_set];
    reports.insert(reports.end(), means[i].begin(), means[i].end());
  }
  const std::map<int, Moments> of_weights = ScalesOf(weight_sets);
  const std::map<int, Moments> of_reports = ScalesOf(report_sets);

  PairedReports pairs;
  for (std::size_t i = 0; i < comparison.scenarios.size(); ++i) {
    const ComparedScenario& scenario = comparison.scenarios[i];
    if (scenario.weights.empty() || means[i].empty()) continue;
    const Moments& weight_scale = of_weights.at(scenario.weight_set);
    const Moments& report_scale = of_reports.at(scenario.report_set);
    pairs.scenarios.push_back({i, pairs.weight.size(), scenario.weights.size()});
    for (std::size_t k = 0; k < scenario.weights.size(); ++k) {
      pairs.weight.push_back(Standardise(Bounded(scenario.weights[k]), weight_scale));
      pairs.report.push_back(Standardise(means[i][k], report_scale));
      pairs.raw_weight.push_back(Bounded(scenario.weights[k]));
      pairs.raw_report.push_back(means[i][k]);
    }
  }
  return pairs;
}

}  // namespace candor::statistics
