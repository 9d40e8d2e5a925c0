// From a study to its figures: weights, agreement, contrasts, privileged access, the plan.
//
//   CANDOR_ASSIGN_OR_RETURN(const v1::Analysis analysis, Analyze(study, {.seed = 7}));
//
// Deterministic: the same study and options give the same analysis, and the builders put the same
// outcomes in whatever order into the same study. `create_time` and `candor_version` are the
// caller's to set.
#pragma once

#include "candor/v1/analysis.pb.h"
#include "common/analysis/study.h"
#include "common/base/status.h"

#include <cstdint>

namespace candor::analysis {

// How the figures are made. A plan's tau comes before `tau`.
struct Options {
  // Prior standard deviation of the weights: 1 replicates the paper. Above 0, at most 100.
  double tau = 1;
  // The prior beside it.
  double wide_tau = 5;
  // Bootstrap resamples by scenarios; 0 leaves the bootstrap out. At most 1,000,000.
  int resamples = 10'000;
  // Reassignments of reports among scenarios for the permutation p; 0 leaves it out.
  int permutations = 10'000;
  // Seed of bootstrap, permutations and folds.
  std::uint64_t seed = 0;
  // Folds of the cross-validation, at least 2.
  int folds = 5;
  // Per-scenario fits, agreement and fit quality: left out for a quick look at the aggregates.
  bool scenarios = true;
};

// Options from the message, defaults where it says nothing. INVALID_ARGUMENT names the field, with
// its value and the range.
StatusOr<Options> OptionsFrom(const v1::AnalysisSettings& settings);

// INVALID_ARGUMENT for options out of range. Whatever else cannot be computed is no error: it is
// left out of the analysis, and `left_out` says why.
StatusOr<v1::Analysis> Analyze(const Study& study, const Options& options = {});

}  // namespace candor::analysis
