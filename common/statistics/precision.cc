#include "common/statistics/precision.h"

#include "common/statistics/line.h"

#include <cmath>

namespace candor::statistics {
namespace {

constexpr double kSlope = 0.5;
// Normal quantiles of 97.5 % and 80 %.
constexpr double kTwoSided = 1.959964;
constexpr double kPower = 0.841621;
// Of a difference of two uniform values, over the range.
constexpr double kDifferenceVariance = 1.0 / 6;
constexpr double kProbit = 0.36;

}  // namespace

DesignPrecision ExpectPrecision(const Design& design) {
  const double n = static_cast<double>(design.scenarios) * design.attributes;
  if (n < 3) return {};
  DesignPrecision precision;
  const double error = std::sqrt((1 - kSlope * kSlope) / (n - 2));
  precision.interval_width = 2 * StudentT975(n - 2) * error;
  precision.smallest_contrast = (kTwoSided + kPower) * std::sqrt(2.0) * error;
  const double prior = design.tau * design.tau;
  const double log_odds = design.attributes * prior * kDifferenceVariance;
  const double information =
      design.trials * 0.25 / std::sqrt(1 + kProbit * log_odds) * kDifferenceVariance * prior;
  precision.weights_reliability = information / (1 + information);
  return precision;
}

}  // namespace candor::statistics
