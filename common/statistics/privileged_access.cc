#include "common/statistics/privileged_access.h"

#include <algorithm>
#include <map>
#include <utility>

namespace candor::statistics {
namespace {

using ByScenario = std::vector<std::vector<double>>;

ByScenario Standardised(const ByScenario& values) {
  std::vector<double> all;
  for (const auto& of_one : values) {
    for (const double value : of_one) all.push_back(Bounded(value));
  }
  const Moments scale = ScaleOf(all);
  ByScenario standardised = values;
  for (auto& of_one : standardised) {
    for (double& value : of_one) value = Standardise(Bounded(value), scale);
  }
  return standardised;
}

bool Has(const ByScenario& values, std::size_t scenario) {
  return scenario < values.size() && !values[scenario].empty();
}

// The sums of (report, weight) in each scenario; zeros where one is missing.
std::vector<PairSums> SumsOf(const ByScenario& reports, const ByScenario& weights,
                             std::size_t n_scenarios) {
  std::vector<PairSums> sums(n_scenarios);
  for (std::size_t i = 0; i < n_scenarios; ++i) {
    if (!Has(reports, i) || !Has(weights, i) || reports[i].size() != weights[i].size()) continue;
    sums[i] = PairSums::Of(reports[i], weights[i]);
  }
  return sums;
}

// r of a reporter with its own chooser minus r with one other; positions of pairs.
struct Rivalry {
  std::size_t with_own = 0;
  std::size_t with_other = 0;
};

// One figure of the matrix and its resampling: the r of one pair, or, where there are reporters,
// the mean over them of the mean over their rivalries.
struct Figure {
  std::size_t pair = 0;
  std::vector<std::vector<Rivalry>> reporters;
  // Scenarios that everybody in it has.
  std::vector<std::uint32_t> shared;
  std::optional<double> observed;
  std::vector<double> resampled;
};

// Measures figures over the same pairs. Those over the same scenarios see the same resamples, which
// are drawn once for all of them, as is the r of a pair that several rest on.
class Measuring {
 public:
  // The sums of each pair by scenario.
  explicit Measuring(const std::vector<std::vector<PairSums>>& sums) : sums_(sums) {}

  // Sets what they share and what is observed: absent when that is not defined.
  void Observe(Figure* figure) const {
    const std::vector<std::size_t> pairs = PairsOf(*figure);
    const std::size_t n_scenarios = sums_[pairs.front()].size();
    for (std::size_t i = 0; i < n_scenarios; ++i) {
      if (std::all_of(pairs.begin(), pairs.end(),
                      [&](std::size_t pair) { return sums_[pair][i].n > 0; })) {
        figure->shared.push_back(static_cast<std::uint32_t>(i));
      }
    }
    if (figure->shared.size() < 2) return;
    figure->observed = Value(*figure, [&](std::size_t pair) {
      PairSums total;
      for (const std::uint32_t i : figure->shared) total += sums_[pair][i];
      return total.R();
    });
  }

  void Resample(const std::vector<Figure*>& figures, const BootstrapOptions& options) const {
    std::map<std::vector<std::uint32_t>, std::vector<Figure*>> by_scenarios;
    for (Figure* figure : figures) by_scenarios[figure->shared].push_back(figure);
    for (const auto& [shared, group] : by_scenarios) ResampleGroup(shared, group, options);
  }

 private:
  static std::vector<std::size_t> PairsOf(const Figure& figure) {
    if (figure.reporters.empty()) return {figure.pair};
    std::vector<std::size_t> pairs;
    for (const auto& rivalries : figure.reporters) {
      for (const Rivalry& rivalry : rivalries) {
        pairs.push_back(rivalry.with_own);
        pairs.push_back(rivalry.with_other);
      }
    }
    return pairs;
  }

  // `r` gives that of a pair.
  template <typename R>
  static std::optional<double> Value(const Figure& figure, const R& r) {
    if (figure.reporters.empty()) return r(figure.pair);
    double sum = 0;
    for (const auto& rivalries : figure.reporters) {
      double of_reporter = 0;
      for (const Rivalry& rivalry : rivalries) {
        const std::optional<double> with_own = r(rivalry.with_own);
        const std::optional<double> with_other = r(rivalry.with_other);
        if (!with_own || !with_other) return std::nullopt;
        of_reporter += *with_own - *with_other;
      }
      sum += of_reporter / static_cast<double>(rivalries.size());
    }
    return sum / static_cast<double>(figure.reporters.size());
  }

  void ResampleGroup(const std::vector<std::uint32_t>& shared, const std::vector<Figure*>& group,
                     const BootstrapOptions& options) const {
    // The sums of the pairs that matter, the shared scenarios side by side.
    std::map<std::size_t, std::vector<PairSums>> sums;
    for (const Figure* figure : group) {
      for (const std::size_t pair : PairsOf(*figure)) {
        std::vector<PairSums>& of_pair = sums[pair];
        if (!of_pair.empty()) continue;
        for (const std::uint32_t i : shared) of_pair.push_back(sums_[pair][i]);
      }
    }
    std::vector<std::optional<double>> r(sums_.size());
    const auto values = ScenarioResampler(shared.size(), options)
                            .Run(group.size(), [&](std::span<const std::uint32_t> drawn,
                                                   std::span<std::optional<double>> to) {
                              for (const auto& [pair, of_pair] : sums) {
                                PairSums total;
                                for (const std::uint32_t i : drawn) total += of_pair[i];
                                r[pair] = total.R();
                              }
                              for (std::size_t i = 0; i < group.size(); ++i)
                                to[i] = Value(*group[i], [&](std::size_t pair) { return r[pair]; });
                            });
    for (std::size_t i = 0; i < group.size(); ++i) group[i]->resampled = values[i];
  }

  const std::vector<std::vector<PairSums>>& sums_;
};

OwnMinusOther ResultOf(const Figure& figure) {
  OwnMinusOther result;
  result.difference = *figure.observed;
  result.interval = PercentileInterval(figure.resampled);
  result.p = TwoSidedP(figure.resampled);
  result.n_scenarios = static_cast<std::int64_t>(figure.shared.size());
  return result;
}

}  // namespace

PrivilegedAccess MeasurePrivilegedAccess(std::span<const KnownModel> models,
                                         std::span<const int> own,
                                         const BootstrapOptions& options) {
  std::size_t n_scenarios = 0;
  std::vector<ByScenario> weights;
  std::vector<ByScenario> reports;
  for (const KnownModel& model : models) {
    n_scenarios = std::max({n_scenarios, model.weights.size(), model.reports.size()});
    weights.push_back(Standardised(model.weights));
    reports.push_back(Standardised(model.reports));
  }
  // By chooser, then reporter.
  const std::size_t n = models.size();
  std::vector<std::vector<PairSums>> sums;
  for (std::size_t chooser = 0; chooser < n; ++chooser) {
    for (std::size_t reporter = 0; reporter < n; ++reporter)
      sums.push_back(SumsOf(reports[reporter], weights[chooser], n_scenarios));
  }
  const Measuring measuring(sums);
  std::vector<Figure> pairs(n * n);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].pair = i;
    measuring.Observe(&pairs[i]);
  }

  struct Difference {
    std::size_t reporter = 0;
    std::optional<std::size_t> other;
    Figure figure;
  };
  std::vector<Difference> differences;
  const auto add = [&](std::size_t reporter, std::optional<std::size_t> other,
                       std::vector<std::vector<Rivalry>> reporters) {
    Difference difference{reporter, other, {}};
    difference.figure.reporters = std::move(reporters);
    measuring.Observe(&difference.figure);
    if (!difference.figure.observed) return false;
    differences.push_back(std::move(difference));
    return true;
  };
  std::vector<std::vector<Rivalry>> reporters;
  for (std::size_t reporter = 0; reporter < n; ++reporter) {
    if (own[reporter] < 0) continue;
    const auto self = static_cast<std::size_t>(own[reporter]);
    if (!pairs[self * n + reporter].observed) continue;
    std::vector<Rivalry> rivalries;
    for (std::size_t other = 0; other < n; ++other) {
      if (other == self || !pairs[other * n + reporter].observed) continue;
      const Rivalry rivalry{self * n + reporter, other * n + reporter};
      if (add(reporter, other, {{rivalry}})) rivalries.push_back(rivalry);
    }
    if (rivalries.size() > 1) add(reporter, std::nullopt, {rivalries});
    if (!rivalries.empty()) reporters.push_back(std::move(rivalries));
  }
  // The last one, if there is any: the mean over reporters.
  const bool overall = !reporters.empty() && add(0, std::nullopt, reporters);

  std::vector<Figure*> figures;
  for (Figure& pair : pairs) {
    if (pair.observed) figures.push_back(&pair);
  }
  for (Difference& difference : differences) figures.push_back(&difference.figure);
  measuring.Resample(figures, options);

  PrivilegedAccess access;
  for (const Figure& pair : pairs) {
    if (!pair.observed) continue;
    PairSums total;
    for (const std::uint32_t i : pair.shared) total += sums[pair.pair][i];
    access.pairs.push_back({.chooser = pair.pair / n,
                            .reporter = pair.pair % n,
                            .r = *pair.observed,
                            .slope = total.Slope().value_or(0),
                            .r_interval = PercentileInterval(pair.resampled),
                            .n_scenarios = static_cast<std::int64_t>(pair.shared.size())});
  }
  for (const Difference& difference : differences) {
    OwnMinusOther result = ResultOf(difference.figure);
    result.reporter = difference.reporter;
    result.other = difference.other;
    access.differences.push_back(result);
  }
  if (overall) {
    access.overall = access.differences.back();
    access.differences.pop_back();
  }
  return access;
}

}  // namespace candor::statistics
