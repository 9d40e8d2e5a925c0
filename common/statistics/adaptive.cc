#include "common/statistics/adaptive.h"

#include <cmath>

namespace candor::statistics {

double ExpectedGain(const ChoiceFit& fit, const Eigen::Ref<const Eigen::VectorXd>& x) {
  // Plain loops, whose order of operations does not depend on the width of a machine's vectors.
  const Eigen::Index attributes = fit.centre.size();
  double eta = fit.mode(0);
  double leverage = fit.covariance(0, 0);
  for (Eigen::Index k = 0; k < attributes; ++k) {
    const double z_k = x(k) - fit.centre(k);
    eta += fit.mode(k + 1) * z_k;
    double sum = fit.covariance(0, k + 1);
    for (Eigen::Index m = 0; m < k; ++m) {
      sum += fit.covariance(m + 1, k + 1) * (x(m) - fit.centre(m));
    }
    leverage += z_k * (2 * sum + fit.covariance(k + 1, k + 1) * z_k);
  }
  const double e = std::exp(-std::abs(eta));
  return e / ((1 + e) * (1 + e)) * leverage;
}

std::size_t MostInformative(const ChoiceFit& fit,
                            const Eigen::Ref<const Eigen::MatrixXd>& candidates) {
  Eigen::Index best = 0;
  double best_gain = 0;
  Eigen::VectorXd x(candidates.cols());
  for (Eigen::Index i = 0; i < candidates.rows(); ++i) {
    x = candidates.row(i);
    const double gain = ExpectedGain(fit, x);
    if (i == 0 || gain > best_gain * (1 + kGainMargin)) {
      best = i;
      best_gain = gain;
    }
  }
  return static_cast<std::size_t>(best);
}

StatusOr<std::size_t> ProposeNext(ChoiceFitter& fitter, const Eigen::Ref<const Eigen::MatrixXd>& x,
                                  const Eigen::Ref<const Eigen::VectorXd>& y,
                                  const Eigen::Ref<const Eigen::MatrixXd>& candidates,
                                  const ChoiceModelOptions& options) {
  if (candidates.rows() == 0) return InvalidArgument("candidates: there are none; give at least 1");
  if (candidates.cols() != x.cols()) {
    return InvalidArgument("candidates: have {} columns, and x has {}; give one an attribute",
                           candidates.cols(), x.cols());
  }
  for (Eigen::Index k = 0; k < candidates.cols(); ++k) {
    for (Eigen::Index i = 0; i < candidates.rows(); ++i) {
      if (!(std::abs(candidates(i, k)) <= kMaxDifference)) {
        return InvalidArgument(
            "candidates: row {}, column {} is {}; give (A - B) / (max - min), at most {} either "
            "way",
            i, k, candidates(i, k), kMaxDifference);
      }
    }
  }
  ChoiceFit fit;
  CANDOR_RETURN_IF_ERROR(fitter.Fit(x, y, options, &fit));
  return MostInformative(fit, candidates);
}

}  // namespace candor::statistics
