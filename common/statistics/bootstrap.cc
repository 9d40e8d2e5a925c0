#include "common/statistics/bootstrap.h"

#include "common/base/random.h"

#include <algorithm>

namespace candor::statistics {
namespace {

constexpr std::size_t kFewestValues = 100;
// Tells the streams of the bootstrap from those of permutations and folds with the same seed.
constexpr std::uint64_t kPurpose = 0x626f6f7473747261;  // "bootstra"

}  // namespace

std::vector<std::vector<double>> ScenarioResampler::Run(std::size_t n_statistics,
                                                        const Statistics& statistics) const {
  std::vector<std::vector<double>> values(n_statistics);
  if (n_scenarios_ < 2 || options_.resamples <= 0) return values;
  for (auto& of_one : values) of_one.reserve(static_cast<std::size_t>(options_.resamples));
  std::vector<std::uint32_t> drawn(n_scenarios_);
  std::vector<std::optional<double>> results(n_statistics);
  for (int i = 0; i < options_.resamples; ++i) {
    IndexStream random(options_.seed ^ kPurpose, static_cast<std::uint64_t>(i));
    for (std::uint32_t& scenario : drawn) {
      scenario = random.Below(static_cast<std::uint32_t>(n_scenarios_));
    }
    std::fill(results.begin(), results.end(), std::nullopt);
    statistics(drawn, results);
    for (std::size_t s = 0; s < n_statistics; ++s) {
      if (results[s]) values[s].push_back(*results[s]);
    }
  }
  const double fewest = (1 - kMostUndefined) * options_.resamples;
  for (auto& of_one : values) {
    if (static_cast<double>(of_one.size()) < fewest) of_one.clear();
  }
  return values;
}

std::optional<Interval> PercentileInterval(std::vector<double> values) {
  if (values.size() < kFewestValues) return std::nullopt;
  std::sort(values.begin(), values.end());
  return Interval{Quantile(values, 0.025), Quantile(values, 0.975)};
}

std::optional<double> TwoSidedP(Values values) {
  if (values.size() < kFewestValues) return std::nullopt;
  const auto below = std::count_if(values.begin(), values.end(), [](double v) { return v <= 0; });
  const auto above = std::count_if(values.begin(), values.end(), [](double v) { return v >= 0; });
  const auto smaller = static_cast<double>(std::min(below, above));
  return std::min(1.0, 2 * (1 + smaller) / (1 + static_cast<double>(values.size())));
}

BootstrapResult Bootstrap(const std::vector<ScenarioSums>& scenarios,
                          const BootstrapOptions& options) {
  std::vector<ScenarioSums> in_line;
  for (const ScenarioSums& scenario : scenarios) {
    if (scenario.pairs.n > 0) in_line.push_back(scenario);
  }
  const auto values =
      ScenarioResampler(in_line.size(), options)
          .Run(3, [&](std::span<const std::uint32_t> drawn, std::span<std::optional<double>> to) {
            ScenarioSums sums;
            for (const std::uint32_t scenario : drawn) sums += in_line[scenario];
            to[0] = sums.pairs.Slope();
            to[1] = sums.pairs.R();
            to[2] = sums.DisattenuatedR();
          });
  return {PercentileInterval(values[0]), PercentileInterval(values[1]),
          PercentileInterval(values[2]), options};
}

}  // namespace candor::statistics
