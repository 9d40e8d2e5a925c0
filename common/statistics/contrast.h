// Did training change how well a model knows itself? The difference of two slopes, trained minus
// untrained, for one base model or as the mean over several.
//
// Separate lines per (base model, condition), as the paper's model has them; with the residual
// variance pooled over all lines,
//
//   estimate = mean over bases of (slope trained - slope untrained)
//   sigma^2  = sum RSS / (N - 4 bases)
//   variance = sigma^2 sum(1 / Sxx) / bases^2,   N - 4 bases degrees of freedom
//
// (method.md, section 4). Beside it the bootstrap: scenarios are resampled for all conditions and
// bases together, because they share them.
//
// Pure; may be called by any number of threads.
#pragma once

#include "common/statistics/bootstrap.h"
#include "common/statistics/comparison.h"

#include <optional>
#include <span>

namespace candor::statistics {

// The two conditions of one base model. Position i of their scenarios is the same scenario, in all
// pairs of a contrast.
struct ConditionPair {
  const Comparison* trained = nullptr;
  const Comparison* untrained = nullptr;
};

struct ContrastResult {
  double slope = 0;
  double r = 0;
  // Absent without degrees of freedom.
  std::optional<double> standard_error;
  std::optional<Interval> interval;
  double degrees_of_freedom = 0;
  // Two-sided, of no difference of slopes, from the bootstrap.
  std::optional<double> p;
  std::optional<Interval> slope_bootstrap;
  std::optional<Interval> r_bootstrap;
  // Difference of the disattenuated r: what is left when reports merely became more consistent.
  std::optional<double> r_disattenuated;
  std::optional<Interval> r_disattenuated_bootstrap;
  // Of both lines together; scenarios in either line of any base.
  std::int64_t n_pairs = 0;
  std::int64_t n_scenarios = 0;
  std::int64_t replies_valid = 0;
  std::int64_t replies_total = 0;
};

// Absent when `bases` is empty or one of the lines is.
std::optional<ContrastResult> MeasureContrast(std::span<const ConditionPair> bases,
                                              const BootstrapOptions& options);

}  // namespace candor::statistics
