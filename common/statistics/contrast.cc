#include "common/statistics/contrast.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace candor::statistics {
namespace {

// The lines of one base.
struct Base {
  std::vector<ScenarioSums> trained;
  std::vector<ScenarioSums> untrained;
};

// Means over bases of the difference of each statistic; absent when one is.
template <typename Statistic>
std::optional<double> MeanDifference(const std::vector<ScenarioSums>& trained,
                                     const std::vector<ScenarioSums>& untrained,
                                     Statistic statistic) {
  double sum = 0;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    const std::optional<double> with = statistic(trained[i]);
    const std::optional<double> without = statistic(untrained[i]);
    if (!with || !without) return std::nullopt;
    sum += *with - *without;
  }
  return sum / static_cast<double>(trained.size());
}

void Differences(const std::vector<ScenarioSums>& trained,
                 const std::vector<ScenarioSums>& untrained, std::span<std::optional<double>> to) {
  to[0] = MeanDifference(trained, untrained, [](const auto& s) { return s.pairs.Slope(); });
  to[1] = MeanDifference(trained, untrained, [](const auto& s) { return s.pairs.R(); });
  to[2] = MeanDifference(trained, untrained, [](const auto& s) { return s.DisattenuatedR(); });
}

}  // namespace

std::optional<ContrastResult> MeasureContrast(std::span<const ConditionPair> bases,
                                              const BootstrapOptions& options) {
  if (bases.empty()) return std::nullopt;
  ContrastResult result;
  std::vector<Base> sums;
  double rss = 0;
  double inverse_sxx = 0;
  std::size_t positions = 0;
  for (const ConditionPair& base : bases) {
    Base& own = sums.emplace_back();
    for (const bool trained : {true, false}) {
      const Comparison& comparison = trained ? *base.trained : *base.untrained;
      const PairedReports pairs = PairUp(comparison);
      const std::optional<LineFit> line = FitLine(pairs);
      if (!line) return std::nullopt;
      const double sign = trained ? 1 : -1;
      result.slope += sign * line->slope / static_cast<double>(bases.size());
      result.r += sign * line->r / static_cast<double>(bases.size());
      rss += line->rss;
      inverse_sxx += 1 / line->sxx;
      result.n_pairs += line->n_pairs;
      for (const ComparedScenario& scenario : comparison.scenarios) {
        result.replies_valid += static_cast<std::int64_t>(ReportsOf(scenario));
        result.replies_total += scenario.replies_total;
      }
      (trained ? own.trained : own.untrained) = SumsByScenario(comparison, pairs);
      positions = std::max(positions, comparison.scenarios.size());
    }
    own.trained.resize(std::max(own.trained.size(), own.untrained.size()));
    own.untrained.resize(own.trained.size());
  }
  const auto n_bases = static_cast<double>(bases.size());
  result.degrees_of_freedom = static_cast<double>(result.n_pairs) - 4 * n_bases;
  if (result.degrees_of_freedom >= 1) {
    result.standard_error = std::sqrt(rss / result.degrees_of_freedom * inverse_sxx) / n_bases;
    const double half = StudentT975(result.degrees_of_freedom) * *result.standard_error;
    result.interval = Interval{result.slope - half, result.slope + half};
  }

  // Scenarios in any line are what is drawn; absent ones add zeros.
  std::vector<std::size_t> present;
  for (std::size_t i = 0; i < positions; ++i) {
    const bool in_a_line = std::any_of(sums.begin(), sums.end(), [&](const Base& base) {
      return i < base.trained.size() && base.trained[i].pairs.n + base.untrained[i].pairs.n > 0;
    });
    if (in_a_line) present.push_back(i);
  }
  result.n_scenarios = static_cast<std::int64_t>(present.size());
  for (Base& base : sums) {
    base.trained.resize(positions);
    base.untrained.resize(positions);
  }
  std::vector<ScenarioSums> trained(bases.size());
  std::vector<ScenarioSums> untrained(bases.size());
  for (std::size_t b = 0; b < bases.size(); ++b) {
    trained[b] = Total(sums[b].trained);
    untrained[b] = Total(sums[b].untrained);
  }
  result.r_disattenuated =
      MeanDifference(trained, untrained, [](const auto& s) { return s.DisattenuatedR(); });
  const auto values =
      ScenarioResampler(present.size(), options)
          .Run(3, [&](std::span<const std::uint32_t> drawn, std::span<std::optional<double>> to) {
            for (std::size_t b = 0; b < bases.size(); ++b) {
              trained[b] = {};
              untrained[b] = {};
              for (const std::uint32_t i : drawn) {
                trained[b] += sums[b].trained[present[i]];
                untrained[b] += sums[b].untrained[present[i]];
              }
            }
            Differences(trained, untrained, to);
          });
  result.slope_bootstrap = PercentileInterval(values[0]);
  result.r_bootstrap = PercentileInterval(values[1]);
  result.r_disattenuated_bootstrap = PercentileInterval(values[2]);
  result.p = TwoSidedP(values[0]);
  return result;
}

}  // namespace candor::statistics
