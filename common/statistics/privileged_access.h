// Does a model know itself better than it knows its neighbour? Every reporter's self-reports are
// held against every chooser's weights: what a reporter says of itself should fit its own weights
// better than those of others, or it tells what is plausible rather than what it does.
//
// Pure; may be called by any number of threads.
#pragma once

#include "common/statistics/bootstrap.h"
#include "common/statistics/comparison.h"

#include <optional>
#include <span>
#include <vector>

namespace candor::statistics {

// One who takes part: scenario i is the same one for everybody.
struct KnownModel {
  // Estimated weights by scenario, [n_scenarios] of [K] each, empty where there are none. An empty
  // list: makes no choices.
  std::vector<std::vector<double>> weights;
  // Mean reports by scenario, likewise. An empty list: makes no reports.
  std::vector<std::vector<double>> reports;
};

// One field of the matrix. Weights and reports are standardised by all values of their model.
struct ModelPair {
  std::size_t chooser = 0;
  std::size_t reporter = 0;
  double r = 0;
  double slope = 0;
  std::optional<Interval> r_interval;
  std::int64_t n_scenarios = 0;
};

// r with the reporter's own weights minus r with another's, over the scenarios that all three have.
struct OwnMinusOther {
  std::size_t reporter = 0;
  // Absent: the mean over all others.
  std::optional<std::size_t> other;
  double difference = 0;
  // Paired: both r of one resample.
  std::optional<Interval> interval;
  std::optional<double> p;
  std::int64_t n_scenarios = 0;
};

struct PrivilegedAccess {
  // By chooser, then reporter; pairs that share fewer than 2 scenarios are left out.
  std::vector<ModelPair> pairs;
  // By reporter: its others, then their mean where there are several.
  std::vector<OwnMinusOther> differences;
  // The mean over reporters, resampled jointly. Absent when nobody both chooses and reports beside
  // another chooser. Its `reporter` means nothing.
  std::optional<OwnMinusOther> overall;
};

// `own[i]` is the position of the model whose weights the reports of model i are about: itself, or
// its `weights_from`; negative: it has none. As long as `models`.
PrivilegedAccess MeasurePrivilegedAccess(std::span<const KnownModel> models,
                                         std::span<const int> own, const BootstrapOptions& options);

}  // namespace candor::statistics
