// Intervals by resampling whole scenarios: the pairs of one scenario are not independent, and an
// interval that takes them for independent was 2.8 times too narrow.
//
//   const ScenarioResampler resampler(n_scenarios, {.resamples = 10'000, .seed = 7});
//   std::vector<double> slopes = resampler.Run([&](std::span<const std::uint32_t> drawn) {
//     PairSums sums;
//     for (std::uint32_t scenario : drawn) sums += by_scenario[scenario].pairs;
//     return sums.Slope();
//   });
//   PercentileInterval(slopes)
//
// Resample i draws n scenarios with replacement from stream i of the seed (common/base/random.h):
// the same for every statistic, so that conditions are resampled jointly. Standardisation is that
// of the data and is not done anew. Percentile intervals: Efron and Tibshirani 1993, chapter 13.
//
// Pure; may be called by any number of threads. 10,000 resamples of 100 scenarios take about 0.1 s.
#pragma once

#include "common/statistics/line.h"
#include "common/statistics/reliability.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace candor::statistics {

// The share of resamples in which a statistic may be undefined and still have an interval.
inline constexpr double kMostUndefined = 0.05;

struct BootstrapOptions {
  // 0: no bootstrap.
  int resamples = 10'000;
  std::uint64_t seed = 0;
};

// Draws scenarios, for any statistics of one draw at once.
//
// `statistics` gets the positions drawn, n of them, and writes `n_statistics` values; a value that
// is not defined in this resample stays absent. What comes back are the values of each statistic,
// in the order of the resamples, absent ones left out; none at all when more than kMostUndefined of
// them are absent, since an interval over the others would be one of the lucky resamples.
class ScenarioResampler {
 public:
  ScenarioResampler(std::size_t n_scenarios, const BootstrapOptions& options)
      : n_scenarios_(n_scenarios), options_(options) {}

  using Statistics =
      std::function<void(std::span<const std::uint32_t> drawn, std::span<std::optional<double>>)>;
  std::vector<std::vector<double>> Run(std::size_t n_statistics,
                                       const Statistics& statistics) const;

 private:
  std::size_t n_scenarios_;
  BootstrapOptions options_;
};

// The middle 95 %. Absent when there are fewer than 100 values: intervals of less are noise.
std::optional<Interval> PercentileInterval(std::vector<double> values);

// Two-sided p of 0: twice the smaller share of values on either side of it, (1 + count) / (1 + n)
// so that it is never 0, at most 1. Absent as above.
std::optional<double> TwoSidedP(Values values);

struct BootstrapResult {
  std::optional<Interval> slope;
  std::optional<Interval> r;
  std::optional<Interval> r_disattenuated;
  BootstrapOptions options;
};

// Of one condition; `scenarios` as SumsByScenario gives them. Scenarios that are not in the line
// are not drawn.
BootstrapResult Bootstrap(const std::vector<ScenarioSums>& scenarios,
                          const BootstrapOptions& options);

}  // namespace candor::statistics
