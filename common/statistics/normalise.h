// Weights on the scale on which people and models report them: the largest magnitude is 100.
#pragma once

#include "common/statistics/choice_model.h"

#include <Eigen/Core>

namespace candor::statistics {

// Weights of at most this magnitude, in log-odds, are rounding errors of 0.
inline constexpr double kZeroWeight = 1e-9;

// 100 w / max |w|, signs kept, [K]: the weight of largest magnitude becomes exactly 100 or -100.
// Empty when every weight is 0 (at most kZeroWeight): such weights have no direction.
Eigen::VectorXd NormaliseWeights(const Eigen::Ref<const Eigen::VectorXd>& weights);

// The nearest integer, halves to the even one, as R and Python round: the published weights are
// such integers. Not -0.
double RoundHalfEven(double value);

// Normalised weights with 95 % intervals, [K] each, or all empty.
struct NormalisedWeights {
  Eigen::VectorXd weights;
  Eigen::VectorXd low;
  Eigen::VectorXd high;
};

// b +- 1.96 sd of each weight, on the scale on which the largest |mean| is 100. The scale is taken
// as known: an interval says how sure the weight's log-odds are, so that of the largest weight has
// a width too, and ends may pass 100.
NormalisedWeights Normalise(const ChoiceFit& fit);

}  // namespace candor::statistics
