#include "common/statistics/choice_model.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace candor::statistics {
namespace {

// Student-t(3, 0, 2.5): degrees * scale^2.
constexpr double kInterceptSpread = 18.75;
// log of its density at 0: log(Gamma(2) / (Gamma(3/2) sqrt(3 pi) 2.5)).
constexpr double kLogInterceptDensity = -1.9171795814976649;

constexpr int kMaxIterations = 100;
constexpr int kMaxHalvings = 60;
// Newton's decrement (the squared step in units of the posterior's sd) at which S is that of the
// mode to nine digits, and the step that is left to take exact to the last.
constexpr double kConverged = 1e-18;
// The share of the log posterior, a sum of terms of one sign, that may be rounding.
constexpr double kRounding = 1e-12;

std::size_t At(Eigen::Index i) { return static_cast<std::size_t>(i); }

}  // namespace

Status CheckChoices(const Eigen::Ref<const Eigen::MatrixXd>& x,
                    const Eigen::Ref<const Eigen::VectorXd>& y, const ChoiceModelOptions& options) {
  if (!(options.tau >= kMinTau && options.tau <= kMaxTau)) {
    return InvalidArgument("tau: {} is out of bounds; give one from {} to {}", options.tau, kMinTau,
                           kMaxTau);
  }
  if (x.cols() < 1) return InvalidArgument("x: has no columns; give one an attribute");
  if (x.rows() != y.size()) {
    return InvalidArgument("y: has {} choices for the {} trials of x; give one a trial", y.size(),
                           x.rows());
  }
  for (Eigen::Index k = 0; k < x.cols(); ++k) {
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      if (!(std::abs(x(i, k)) <= kMaxDifference)) {
        return InvalidArgument(
            "x: row {}, column {} is {}; give (A - B) / (max - min), at most {} either way", i, k,
            x(i, k), kMaxDifference);
      }
    }
  }
  for (Eigen::Index i = 0; i < y.size(); ++i) {
    if (!(y(i) >= 0 && y(i) <= 1)) {
      return InvalidArgument("y: row {} is {}; give 1 for A, 0 for B, or a share in between", i,
                             y(i));
    }
  }
  return {};
}

Status ChoiceFitter::Fit(const Eigen::Ref<const Eigen::MatrixXd>& x,
                         const Eigen::Ref<const Eigen::VectorXd>& y,
                         const ChoiceModelOptions& options, ChoiceFit* fit) {
  CANDOR_RETURN_IF_ERROR(CheckChoices(x, y, options));
  trials_ = x.rows();
  dimension_ = x.cols() + 1;
  precision_ = 1 / (options.tau * options.tau);
  y_.assign(y.data(), y.data() + y.size());
  p_.resize(At(trials_));
  q_.resize(At(trials_));
  Centre(x);
  if (!FindMode()) {
    return Internal("the choice model of {} trials and {} attributes at tau {} did not converge",
                    trials_, x.cols(), options.tau);
  }
  fit->tau = options.tau;
  Finish(fit);
  return {};
}

// z = [1, x - mean(x)]. A constant column becomes exactly 0: what rounding would leave of it is no
// direction for a weight.
void ChoiceFitter::Centre(const Eigen::Ref<const Eigen::MatrixXd>& x) {
  centre_.resize(At(dimension_ - 1));
  z_.resize(At(trials_ * dimension_));
  for (Index i = 0; i < trials_; ++i) z_[At(i * dimension_)] = 1;
  for (Index k = 0; k + 1 < dimension_; ++k) {
    const double first = trials_ == 0 ? 0 : x(0, k);
    double sum = 0;
    bool constant = true;
    for (Index i = 0; i < trials_; ++i) {
      sum += x(i, k);
      constant = constant && x(i, k) == first;
    }
    const double mean = constant ? first : sum / static_cast<double>(trials_);
    centre_[At(k)] = mean;
    for (Index i = 0; i < trials_; ++i) z_[At(i * dimension_ + k + 1)] = x(i, k) - mean;
  }
}

// The log posterior at `theta` but for constants; sets p_ and q_.
double ChoiceFitter::Evaluate(const std::vector<double>& theta) {
  double sum = -2 * std::log1p(theta[0] * theta[0] / kInterceptSpread);
  for (std::size_t j = 1; j < theta.size(); ++j) sum -= 0.5 * precision_ * theta[j] * theta[j];
  for (std::size_t i = 0; i < y_.size(); ++i) {
    const double* z = &z_[i * theta.size()];
    double eta = 0;
    for (std::size_t j = 0; j < theta.size(); ++j) eta += z[j] * theta[j];
    // Never the exponential of a positive number: no overflow, and the smaller of p and q exact.
    const double e = std::exp(-std::abs(eta));
    const double larger = 1 / (1 + e);
    p_[i] = eta >= 0 ? larger : e * larger;
    q_[i] = eta >= 0 ? e * larger : larger;
    sum += (eta >= 0 ? y_[i] - 1 : y_[i]) * eta - std::log1p(e);
  }
  return sum;
}

// Gradient and negative Hessian of the log posterior at theta_, where p_ and q_ are; without the
// intercept's prior in the Hessian, which Factorise adds.
void ChoiceFitter::Differentiate() {
  const std::size_t d = At(dimension_);
  gradient_[0] = -4 * theta_[0] / (kInterceptSpread + theta_[0] * theta_[0]);
  for (std::size_t j = 1; j < d; ++j) gradient_[j] = -precision_ * theta_[j];
  std::fill(hessian_.begin(), hessian_.end(), 0.0);
  for (std::size_t j = 1; j < d; ++j) hessian_[j * d + j] = precision_;
  for (std::size_t i = 0; i < y_.size(); ++i) {
    const double* z = &z_[i * d];
    const double residual = y_[i] * q_[i] - (1 - y_[i]) * p_[i];  // y - p, without cancellation
    const double weight = p_[i] * q_[i];
    for (std::size_t j = 0; j < d; ++j) {
      gradient_[j] += residual * z[j];
      const double wz = weight * z[j];
      double* row = &hessian_[j * d];
      for (std::size_t k = 0; k <= j; ++k) row[k] += wz * z[k];
    }
  }
}

// Cholesky's L with L L^T = hessian_ + the curvature of the intercept's prior. False when that is
// not positive definite.
bool ChoiceFitter::Factorise(double intercept_curvature) {
  const std::size_t d = At(dimension_);
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t k = 0; k <= j; ++k) {
      double sum = hessian_[j * d + k];
      if (j == 0) sum += intercept_curvature;
      for (std::size_t m = 0; m < k; ++m) sum -= factor_[j * d + m] * factor_[k * d + m];
      if (j != k) {
        factor_[j * d + k] = sum / factor_[k * d + k];
      } else if (sum > 0) {
        factor_[j * d + j] = std::sqrt(sum);
      } else {
        return false;
      }
    }
  }
  return true;
}

// step_ = (L L^T)^-1 gradient_. Returns Newton's decrement, gradient . step.
double ChoiceFitter::Solve() {
  const std::size_t d = At(dimension_);
  double decrement = 0;
  for (std::size_t j = 0; j < d; ++j) {
    double sum = gradient_[j];
    for (std::size_t k = 0; k < j; ++k) sum -= factor_[j * d + k] * step_[k];
    step_[j] = sum / factor_[j * d + j];
    decrement += step_[j] * step_[j];
  }
  for (std::size_t j = d; j-- > 0;) {
    double sum = step_[j];
    for (std::size_t k = j + 1; k < d; ++k) sum -= factor_[k * d + j] * step_[k];
    step_[j] = sum / factor_[j * d + j];
  }
  return decrement;
}

// Newton's method from 0. At the end theta_ is the mode, and factor_, p_ and q_ are of there.
bool ChoiceFitter::FindMode() {
  const std::size_t d = At(dimension_);
  for (std::vector<double>* of_dimension : {&theta_, &proposal_, &gradient_, &step_}) {
    of_dimension->assign(d, 0);
  }
  for (std::vector<double>* square : {&hessian_, &factor_, &inverse_}) square->resize(d * d);
  log_posterior_ = Evaluate(theta_);
  for (iterations_ = 1; iterations_ <= kMaxIterations; ++iterations_) {
    Differentiate();
    const double a2 = theta_[0] * theta_[0];
    const double spread = kInterceptSpread + a2;
    // Student's t is not log-concave: where its curvature, far out, would make the Hessian
    // indefinite, that of the parabola that touches its log density from below takes its place.
    const bool concave = Factorise(4 * (kInterceptSpread - a2) / (spread * spread));
    if (!concave && !Factorise(4 / spread)) return false;
    const double decrement = Solve();
    if (decrement <= kConverged) {
      for (std::size_t j = 0; j < d; ++j) theta_[j] += step_[j];
      return concave;
    }
    if (!Advance()) return false;
  }
  return false;
}

// Takes the step, or the first half, quarter, ... of it that does not lower the log posterior.
bool ChoiceFitter::Advance() {
  const double least = log_posterior_ - kRounding * std::abs(log_posterior_);
  double scale = 1;
  for (int halvings = 0; halvings <= kMaxHalvings; ++halvings, scale /= 2) {
    for (std::size_t j = 0; j < theta_.size(); ++j) proposal_[j] = theta_[j] + scale * step_[j];
    const double value = Evaluate(proposal_);
    if (value < least) continue;
    theta_.swap(proposal_);
    log_posterior_ = value;
    return true;
  }
  return false;
}

// inverse_ = S = (L L^T)^-1, in full.
void ChoiceFitter::Invert() {
  const std::size_t d = At(dimension_);
  // L^-1 first, by columns, into the lower triangle.
  for (std::size_t c = 0; c < d; ++c) {
    for (std::size_t j = c; j < d; ++j) {
      double sum = j == c ? 1 : 0;
      for (std::size_t k = c; k < j; ++k) sum -= factor_[j * d + k] * inverse_[k * d + c];
      inverse_[j * d + c] = sum / factor_[j * d + j];
    }
  }
  // S_jk = sum over m >= max(j, k) of L^-1_mj L^-1_mk. Rows of L^-1 above m are not needed again.
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t k = 0; k <= j; ++k) {
      double sum = 0;
      for (std::size_t m = j; m < d; ++m) sum += inverse_[m * d + j] * inverse_[m * d + k];
      inverse_[j * d + k] = sum;
    }
  }
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t k = 0; k < j; ++k) inverse_[k * d + j] = inverse_[j * d + k];
  }
}

// Mean, sd and position bias from the mode.
void ChoiceFitter::Finish(ChoiceFit* fit) {
  Invert();
  const std::size_t d = At(dimension_);
  const double a = theta_[0];
  const double spread = kInterceptSpread + a * a;
  // c_k = sum_lm t_klm S_lm. gradient_ is free to hold it.
  std::vector<double>& c = gradient_;
  std::fill(c.begin(), c.end(), 0.0);
  c[0] = -8 * a * (a * a - 3 * kInterceptSpread) / (spread * spread * spread) * inverse_[0];
  for (std::size_t i = 0; i < y_.size(); ++i) {
    const double* z = &z_[i * d];
    double leverage = 0;
    for (std::size_t j = 0; j < d; ++j) {
      const double* row = &inverse_[j * d];
      double sum = 0;
      for (std::size_t k = 0; k < j; ++k) sum += row[k] * z[k];
      leverage += z[j] * (2 * sum + row[j] * z[j]);
    }
    const double third = -p_[i] * q_[i] * (q_[i] - p_[i]) * leverage;
    for (std::size_t j = 0; j < d; ++j) c[j] += third * z[j];
  }

  fit->n_trials = trials_;
  fit->iterations = iterations_;
  fit->mode.resize(dimension_);
  fit->mean.resize(dimension_);
  fit->sd.resize(dimension_);
  fit->covariance.resize(dimension_, dimension_);
  fit->centre.resize(dimension_ - 1);
  double log_determinant = 0;  // of S
  for (Index j = 0; j < dimension_; ++j) {
    double correction = 0;
    for (Index k = 0; k < dimension_; ++k) {
      fit->covariance(k, j) = inverse_[At(k * dimension_ + j)];
      correction += inverse_[At(j * dimension_ + k)] * c[At(k)];
    }
    fit->mode(j) = theta_[At(j)];
    fit->mean(j) = theta_[At(j)] + correction / 2;
    fit->sd(j) = kSdFactor * std::sqrt(inverse_[At(j * dimension_ + j)]);
    log_determinant -= 2 * std::log(factor_[At(j * dimension_ + j)]);
  }
  // The intercept at x = 0 is v.theta with v = [1, -mean(x)]; its variance v^T S v = |L^-1 v|^2.
  fit->position_bias = fit->mean(0);
  double variance = 0;
  for (std::size_t j = 0; j < d; ++j) {
    double sum = j == 0 ? 1 : -centre_[j - 1];
    if (j > 0) {
      fit->centre(static_cast<Index>(j) - 1) = centre_[j - 1];
      fit->position_bias += sum * fit->mean(static_cast<Index>(j));
    }
    for (std::size_t k = 0; k < j; ++k) sum -= factor_[j * d + k] * step_[k];
    step_[j] = sum / factor_[j * d + j];
    variance += step_[j] * step_[j];
  }
  fit->position_bias_sd = kSdFactor * std::sqrt(variance);
  fit->position_bias_z = fit->position_bias / fit->position_bias_sd;
  const double weights = static_cast<double>(dimension_ - 1);
  fit->log_evidence = log_posterior_ + kLogInterceptDensity + 0.5 * log_determinant +
                      0.5 * weights * std::log(precision_) + 0.5 * std::log(2 * std::numbers::pi);
}

StatusOr<ChoiceFit> FitChoices(const Eigen::Ref<const Eigen::MatrixXd>& x,
                               const Eigen::Ref<const Eigen::VectorXd>& y,
                               const ChoiceModelOptions& options) {
  ChoiceFitter fitter;
  ChoiceFit fit;
  CANDOR_RETURN_IF_ERROR(fitter.Fit(x, y, options, &fit));
  return fit;
}

}  // namespace candor::statistics
