#include "common/statistics/fit_quality.h"

#include "common/base/random.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace candor::statistics {
namespace {

using Index = Eigen::Index;

// Adds the prediction of one trial with log-odds `eta` of A.
void Score(double eta, double y, PredictionScore* sum) {
  sum->accuracy += eta > 0 ? y : (eta < 0 ? 1 - y : 0.5);
  sum->log_loss += std::max(eta, 0.0) + std::log1p(std::exp(-std::abs(eta))) - y * eta;
}

// Log-odds of A at `x`, averaged over the posterior by MacKay's approximation.
template <typename Row>
double PredictiveLogOdds(const ChoiceFit& fit, const Row& x) {
  double eta = fit.mean(0);
  double variance = fit.covariance(0, 0);
  for (Index k = 0; k < fit.centre.size(); ++k) {
    const double z_k = x(k) - fit.centre(k);
    eta += fit.mean(k + 1) * z_k;
    double sum = fit.covariance(0, k + 1);
    for (Index m = 0; m < k; ++m) sum += fit.covariance(m + 1, k + 1) * (x(m) - fit.centre(m));
    variance += z_k * (2 * sum + fit.covariance(k + 1, k + 1) * z_k);
  }
  return eta / std::sqrt(1 + std::numbers::pi / 8 * variance);
}

// Pearson's correlation of each column with the choices; 0 for a constant one.
void Correlate(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, Eigen::VectorXd* correlation) {
  const double n = static_cast<double>(x.rows());
  double y_mean = y(0);
  for (Index i = 0; i < y.size(); ++i) y_mean += (y(i) - y(0)) / n;
  correlation->resize(x.cols());
  for (Index k = 0; k < x.cols(); ++k) {
    double mean = x(0, k);  // exactly the value of a constant column
    for (Index i = 0; i < x.rows(); ++i) mean += (x(i, k) - x(0, k)) / n;
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (Index i = 0; i < x.rows(); ++i) {
      xx += (x(i, k) - mean) * (x(i, k) - mean);
      xy += (x(i, k) - mean) * (y(i) - y_mean);
      yy += (y(i) - y_mean) * (y(i) - y_mean);
    }
    (*correlation)(k) = xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
  }
}

void AddTimes(double factor, const PredictionScore& from, PredictionScore* to) {
  to->accuracy += factor * from.accuracy;
  to->log_loss += factor * from.log_loss;
}

void Divide(double by, FitQuality* quality) {
  for (PredictionScore* score : {&quality->model, &quality->majority,
                                 &quality->best_single_attribute, &quality->equal_weights}) {
    score->accuracy /= by;
    score->log_loss /= by;
  }
}

}  // namespace

StatusOr<FitQuality> FitQualityEvaluator::Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& x,
                                                   const Eigen::Ref<const Eigen::VectorXd>& y,
                                                   std::span<const std::uint32_t> pairs,
                                                   const FitQualityOptions& options) {
  if (options.folds < 2) {
    return InvalidArgument("folds: {} is too few; give at least 2", options.folds);
  }
  if (!pairs.empty() && pairs.size() != static_cast<std::size_t>(x.rows())) {
    return InvalidArgument("pairs: has {} elements for {} trials; give one a trial, or none",
                           pairs.size(), x.rows());
  }
  // Before trials are dealt into folds: a message names rows as the caller counts them.
  CANDOR_RETURN_IF_ERROR(CheckChoices(x, y, {.tau = options.tau}));
  FitQuality quality;
  quality.folds = AssignFolds(x.rows(), pairs, options);
  if (quality.folds < 2) {
    return FailedPrecondition(
        "{} trials of one pair leave nothing to predict from; 2 pairs or "
        "more are wanted",
        x.rows());
  }
  quality.n_choices = x.rows();
  for (int fold = 0; fold < quality.folds; ++fold) {
    CANDOR_RETURN_IF_ERROR(ScoreFold(x, y, fold, options.tau, &quality));
  }
  Divide(static_cast<double>(quality.n_choices), &quality);
  return quality;
}

// Deals the pairs, shuffled, into folds of equal size but for one. Returns how many folds.
int FitQualityEvaluator::AssignFolds(Index trials, std::span<const std::uint32_t> pairs,
                                     const FitQualityOptions& options) {
  const auto n = static_cast<std::size_t>(trials);
  distinct_.assign(pairs.begin(), pairs.end());
  if (pairs.empty()) {
    for (std::size_t i = 0; i < n; ++i) distinct_.push_back(static_cast<std::uint32_t>(i));
  }
  std::sort(distinct_.begin(), distinct_.end());
  distinct_.erase(std::unique(distinct_.begin(), distinct_.end()), distinct_.end());
  const int folds = std::min(options.folds, static_cast<int>(distinct_.size()));
  fold_of_pair_.resize(distinct_.size());
  for (std::size_t i = 0; i < distinct_.size(); ++i) {
    fold_of_pair_[i] = static_cast<int>(i % static_cast<std::size_t>(std::max(folds, 1)));
  }
  RandomStream random(options.seed);
  for (std::size_t i = fold_of_pair_.size(); i-- > 1;) {
    std::swap(fold_of_pair_[i], fold_of_pair_[random.Below(i + 1)]);
  }
  fold_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t pair = pairs.empty() ? static_cast<std::uint32_t>(i) : pairs[i];
    const auto at = std::lower_bound(distinct_.begin(), distinct_.end(), pair);
    fold_[i] = fold_of_pair_[static_cast<std::size_t>(at - distinct_.begin())];
  }
  return folds;
}

// Adds the scores of the trials in `fold` to the sums.
Status FitQualityEvaluator::ScoreFold(const Eigen::Ref<const Eigen::MatrixXd>& x,
                                      const Eigen::Ref<const Eigen::VectorXd>& y, int fold,
                                      double tau, FitQuality* sums) {
  training_.clear();
  held_out_.clear();
  for (Index i = 0; i < x.rows(); ++i) {
    (fold_[static_cast<std::size_t>(i)] == fold ? held_out_ : training_).push_back(i);
  }
  const auto n = static_cast<Index>(training_.size());
  train_x_.resize(n, x.cols());
  train_y_.resize(n);
  double a_sum = 0;
  for (Index i = 0; i < n; ++i) {
    const Index row = training_[static_cast<std::size_t>(i)];
    train_x_.row(i) = x.row(row);
    train_y_(i) = y(row);
    a_sum += y(row);
  }

  const double majority = std::log((a_sum + 1) / (static_cast<double>(n) - a_sum + 1));
  for (const Index i : held_out_) Score(majority, y(i), &sums->majority);

  CANDOR_RETURN_IF_ERROR(fitter_.Fit(train_x_, train_y_, {.tau = tau}, &fit_));
  for (const Index i : held_out_) Score(PredictiveLogOdds(fit_, x.row(i)), y(i), &sums->model);

  // Both simple rules are one number a trial, x.direction. The mean of the attributes with prior sd
  // K tau is their sum with tau, and in bounds whatever K.
  Correlate(train_x_, train_y_, &correlation_);
  Index best = 0;
  correlation_.cwiseAbs().maxCoeff(&best);
  for (PredictionScore* score : {&sums->best_single_attribute, &sums->equal_weights}) {
    direction_.setZero(x.cols());
    double feature_tau = tau;
    if (score == &sums->best_single_attribute) {
      direction_(best) = 1;
    } else {
      const auto attributes = static_cast<double>(x.cols());
      feature_tau = std::min(tau * attributes, kMaxTau);
      for (Index k = 0; k < x.cols(); ++k) {
        direction_(k) = (correlation_(k) > 0 ? 1 : (correlation_(k) < 0 ? -1 : 0)) / attributes;
      }
    }
    feature_.resize(n, 1);
    feature_.col(0).noalias() = train_x_ * direction_;
    CANDOR_RETURN_IF_ERROR(fitter_.Fit(feature_, train_y_, {.tau = feature_tau}, &fit_));
    for (const Index i : held_out_) {
      const Eigen::Matrix<double, 1, 1> feature(x.row(i).dot(direction_));
      Score(PredictiveLogOdds(fit_, feature), y(i), score);
    }
  }
  return {};
}

FitQuality PoolFitQuality(std::span<const FitQuality> scenarios) {
  FitQuality pooled;
  for (const FitQuality& one : scenarios) {
    const auto n = static_cast<double>(one.n_choices);
    AddTimes(n, one.model, &pooled.model);
    AddTimes(n, one.majority, &pooled.majority);
    AddTimes(n, one.best_single_attribute, &pooled.best_single_attribute);
    AddTimes(n, one.equal_weights, &pooled.equal_weights);
    pooled.folds = std::max(pooled.folds, one.folds);
    pooled.n_choices += one.n_choices;
  }
  if (pooled.n_choices > 0) Divide(static_cast<double>(pooled.n_choices), &pooled);
  return pooled;
}

}  // namespace candor::statistics
