#include "common/statistics/privileged_access.h"

#include <algorithm>
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

std::optional<double> R(const std::vector<PairSums>& sums, std::span<const std::uint32_t> drawn,
                        const std::vector<std::uint32_t>& among) {
  PairSums total;
  for (const std::uint32_t i : drawn) total += sums[among[i]];
  return total.R();
}

// One reporter with its own chooser and one other.
struct Rivalry {
  std::size_t reporter = 0;
  std::size_t other = 0;
  const std::vector<PairSums>* with_own = nullptr;
  const std::vector<PairSums>* with_other = nullptr;
};

OwnMinusOther Resample(const std::vector<std::vector<Rivalry>>& reporters, std::size_t n_scenarios,
                       const BootstrapOptions& options, bool* defined) {
  // Scenarios that everybody in every rivalry has.
  std::vector<std::uint32_t> shared;
  for (std::size_t i = 0; i < n_scenarios; ++i) {
    const bool all = std::all_of(reporters.begin(), reporters.end(), [&](const auto& rivalries) {
      return std::all_of(rivalries.begin(), rivalries.end(), [&](const Rivalry& rivalry) {
        return (*rivalry.with_own)[i].n > 0 && (*rivalry.with_other)[i].n > 0;
      });
    });
    if (all) shared.push_back(static_cast<std::uint32_t>(i));
  }
  const auto difference = [&](std::span<const std::uint32_t> drawn) -> std::optional<double> {
    double sum = 0;
    for (const auto& rivalries : reporters) {
      double of_reporter = 0;
      for (const Rivalry& rivalry : rivalries) {
        const auto with_own = R(*rivalry.with_own, drawn, shared);
        const auto with_other = R(*rivalry.with_other, drawn, shared);
        if (!with_own || !with_other) return std::nullopt;
        of_reporter += *with_own - *with_other;
      }
      sum += of_reporter / static_cast<double>(rivalries.size());
    }
    return sum / static_cast<double>(reporters.size());
  };
  OwnMinusOther result;
  result.n_scenarios = static_cast<std::int64_t>(shared.size());
  std::vector<std::uint32_t> all(shared.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint32_t>(i);
  const std::optional<double> observed = shared.size() < 2 ? std::nullopt : difference(all);
  *defined = observed.has_value();
  if (!observed) return result;
  result.difference = *observed;
  const auto values =
      ScenarioResampler(shared.size(), options)
          .Run(1, [&](std::span<const std::uint32_t> drawn, std::span<std::optional<double>> to) {
            to[0] = difference(drawn);
          });
  result.interval = PercentileInterval(values[0]);
  result.p = TwoSidedP(values[0]);
  return result;
}

}  // namespace

PrivilegedAccess MeasurePrivilegedAccess(std::span<const KnownModel> models,
                                         std::span<const int> own,
                                         const BootstrapOptions& options) {
  PrivilegedAccess access;
  std::size_t n_scenarios = 0;
  std::vector<ByScenario> weights;
  std::vector<ByScenario> reports;
  for (const KnownModel& model : models) {
    n_scenarios = std::max({n_scenarios, model.weights.size(), model.reports.size()});
    weights.push_back(Standardised(model.weights));
    reports.push_back(Standardised(model.reports));
  }
  // [chooser][reporter]
  std::vector<std::vector<std::vector<PairSums>>> sums(models.size());
  for (std::size_t chooser = 0; chooser < models.size(); ++chooser) {
    for (std::size_t reporter = 0; reporter < models.size(); ++reporter) {
      sums[chooser].push_back(SumsOf(reports[reporter], weights[chooser], n_scenarios));
      const std::vector<PairSums>& of_pair = sums[chooser][reporter];
      PairSums total;
      std::vector<PairSums> shared;
      for (const PairSums& scenario : of_pair) {
        if (scenario.n == 0) continue;
        total += scenario;
        shared.push_back(scenario);
      }
      const std::optional<double> r = total.R();
      if (shared.size() < 2 || !r) continue;
      const auto values = ScenarioResampler(shared.size(), options)
                              .Run(1, [&](std::span<const std::uint32_t> drawn,
                                          std::span<std::optional<double>> to) {
                                PairSums resampled;
                                for (const std::uint32_t i : drawn) resampled += shared[i];
                                to[0] = resampled.R();
                              });
      access.pairs.push_back({.chooser = chooser,
                              .reporter = reporter,
                              .r = *r,
                              .slope = total.Slope().value_or(0),
                              .r_interval = PercentileInterval(values[0]),
                              .n_scenarios = static_cast<std::int64_t>(shared.size())});
    }
  }

  const auto measured = [&](std::size_t chooser, std::size_t reporter) {
    return std::any_of(access.pairs.begin(), access.pairs.end(), [&](const ModelPair& pair) {
      return pair.chooser == chooser && pair.reporter == reporter;
    });
  };
  std::vector<std::vector<Rivalry>> reporters;
  for (std::size_t reporter = 0; reporter < models.size(); ++reporter) {
    if (own[reporter] < 0) continue;
    const auto self = static_cast<std::size_t>(own[reporter]);
    if (!measured(self, reporter)) continue;
    std::vector<Rivalry> rivalries;
    for (std::size_t other = 0; other < models.size(); ++other) {
      if (other == self || !measured(other, reporter)) continue;
      const Rivalry rivalry{reporter, other, &sums[self][reporter], &sums[other][reporter]};
      bool defined = false;
      OwnMinusOther one = Resample({{rivalry}}, n_scenarios, options, &defined);
      if (!defined) continue;
      one.reporter = reporter;
      one.other = other;
      access.differences.push_back(one);
      rivalries.push_back(rivalry);
    }
    if (rivalries.size() > 1) {
      bool defined = false;
      OwnMinusOther mean = Resample({rivalries}, n_scenarios, options, &defined);
      mean.reporter = reporter;
      if (defined) access.differences.push_back(mean);
    }
    if (!rivalries.empty()) reporters.push_back(std::move(rivalries));
  }
  if (!reporters.empty()) {
    bool defined = false;
    OwnMinusOther overall = Resample(reporters, n_scenarios, options, &defined);
    if (defined) access.overall = overall;
  }
  return access;
}

}  // namespace candor::statistics
