#include "common/statistics/normalise.h"

#include <cmath>

namespace candor::statistics {
namespace {

constexpr double kNormal975 = 1.96;

// The largest magnitude, or 0 when it is a rounding error of 0.
double Scale(const Eigen::Ref<const Eigen::VectorXd>& weights) {
  const double largest = weights.size() == 0 ? 0 : weights.cwiseAbs().maxCoeff();
  return largest > kZeroWeight ? largest : 0;
}

}  // namespace

Eigen::VectorXd NormaliseWeights(const Eigen::Ref<const Eigen::VectorXd>& weights) {
  const double scale = Scale(weights);
  if (scale == 0) return {};
  return 100 * (weights / scale);  // in this order the largest becomes 100 exactly
}

double RoundHalfEven(double value) {
  return std::nearbyint(value) + 0.0;  // the rounding mode that nothing changes; -0.0 + 0.0 is 0.0
}

NormalisedWeights Normalise(const ChoiceFit& fit) {
  const auto weights = fit.mean.tail(fit.mean.size() - 1);
  const double scale = Scale(weights);
  if (scale == 0) return {};
  const Eigen::VectorXd half_width = kNormal975 * fit.sd.tail(fit.sd.size() - 1);
  return {.weights = 100 * (weights / scale),
          .low = 100 * ((weights - half_width) / scale),
          .high = 100 * ((weights + half_width) / scale)};
}

}  // namespace candor::statistics
