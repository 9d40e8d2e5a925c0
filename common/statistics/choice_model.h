// File: choice_model.h
//
// Weights from choices: the posterior of one scenario's logistic choice model, in closed form.
//
//   ChoiceFitter fitter;
//   ChoiceFit fit;
//   CANDOR_RETURN_IF_ERROR(fitter.Fit(x, y, {.tau = 1}, &fit));
//   fit.mean.tail(fit.mean.size() - 1)    // the weights, in log-odds over an attribute's range
//
// The data of a scenario with K attributes:
//
//   x  [n_trials, K]  x_k = (A_k - B_k) / (max_k - min_k), as shown, not centred
//   y  [n_trials]     1 for A, 0 for B; in between for a soft choice (the probability of A, from
//                     log-probabilities) or for the mean of a trial's samples (choice_trials.h)
//
// The model is the one that the paper fits with brms: x is centred within the scenario, z = x -
// mean(x), and
//
//   logit p(A) = a + b.z,   b_k ~ Normal(0, tau^2),   a ~ Student-t(3 degrees, 0, scale 2.5),
//
// the latter being brms' default prior of an intercept (Buerkner 2017, "brms: An R Package for
// Bayesian Multilevel Models Using Stan", Journal of Statistical Software 80(1)):
//
//   log posterior = sum_i [y_i eta_i - log(1 + exp(eta_i))]
//                   - 1 / (2 tau^2) sum_k b_k^2 - 2 log(1 + a^2 / 18.75) + constant
//
// The estimate is the posterior mean, not the mode: the weights' posterior is skewed away from 0.
// The mode is found by Newton's method with step halving; with S the inverse of the negative
// Hessian there, and t_jkl the third derivatives of the log posterior,
//
//   mean_j = mode_j + 1/2 sum_k S_jk sum_lm t_klm S_lm
//
// This is the mean to the order 1/n that fully exponential Laplace approximations give (Tierney,
// Kass and Kadane 1989, "Fully Exponential Laplace Approximations to Expectations and Variances of
// Nonpositive Functions", JASA 84, 710-716). In a logistic model sum_lm t_klm S_lm is a sum over
// trials, so no third-order tensor is made. Laplace's standard deviation is a little short for the
// same skew: sd = 1.02 sqrt(diag S), the factor measured against exact posteriors of the paper's
// 200 scenarios (method.md, section 3).
//
// Every data set has an answer, since the priors are proper: separable choices, constant columns
// (weight 0, prior sd), one trial, none (the prior).
#pragma once

#include "common/base/status.h"

#include <Eigen/Core>

#include <vector>

namespace candor::statistics {

// Factor from Laplace's standard deviation to the posterior's.
inline constexpr double kSdFactor = 1.02;
// Largest |x| that is taken: a thousand times an attribute's range is a slip, not an option.
inline constexpr double kMaxDifference = 1e3;
// Bounds of tau.
inline constexpr double kMinTau = 1e-3;
inline constexpr double kMaxTau = 1e2;

struct ChoiceModelOptions {
  // Prior standard deviation of the weights, in log-odds over an attribute's range. 1 replicates
  // the paper; 5 is what the evidence prefers there. From kMinTau to kMaxTau.
  double tau = 1;
};

// The posterior of one scenario. Position 0 of the [K + 1] vectors is the centred intercept a,
// position k + 1 the weight of attribute k. Every number is finite.
struct ChoiceFit {
  double tau = 0;
  // Rows of x.
  Eigen::Index n_trials = 0;
  // Newton steps to the mode; 5 to 7 as a rule.
  int iterations = 0;
  // Posterior mode, [K + 1].
  Eigen::VectorXd mode;
  // Posterior mean, [K + 1]: the estimate.
  Eigen::VectorXd mean;
  // Posterior standard deviation, [K + 1].
  Eigen::VectorXd sd;
  // S, [K + 1, K + 1]: the inverse negative Hessian at the mode. sd^2 = kSdFactor^2 diag S.
  Eigen::MatrixXd covariance;
  // mean(x), [K]: z = x - centre.
  Eigen::VectorXd centre;
  // The uncentred intercept, a - mean(x).b at the posterior mean: the log-odds of A at a tie.
  double position_bias = 0;
  // Its standard deviation, with kSdFactor.
  double position_bias_sd = 0;
  // Their ratio; beyond 1.96 the first or second place mattered.
  double position_bias_z = 0;
  // Laplace's approximation of log p(y | x, tau), priors normalised: compares values of tau.
  double log_evidence = 0;
};

// Fits scenarios one after another, keeping its workspace. Once a fitter and a ChoiceFit have seen
// as many trials and this K, `Fit` allocates nothing. About 10 us for 50 trials of 5 attributes.
// The same input gives the same bits, whatever was fitted before. One thread at a time; different
// fitters are independent.
class ChoiceFitter {
 public:
  // x is [n_trials, K] with K >= 1, y is [n_trials]; n_trials may be 0.
  //
  // INVALID_ARGUMENT, with `fit` unchanged, when sizes disagree, tau is out of bounds, an element
  // of x is not finite or beyond kMaxDifference, or one of y is not within [0, 1]; the message
  // names row and column, both counted from 0. INTERNAL when Newton's method does not converge,
  // which no data within these bounds are known to bring about.
  Status Fit(const Eigen::Ref<const Eigen::MatrixXd>& x, const Eigen::Ref<const Eigen::VectorXd>& y,
             const ChoiceModelOptions& options, ChoiceFit* fit);

 private:
  using Index = Eigen::Index;

  void Centre(const Eigen::Ref<const Eigen::MatrixXd>& x);
  double Evaluate(const std::vector<double>& theta);
  void Differentiate();
  bool Factorise(double intercept_curvature);
  double Solve();
  bool FindMode();
  bool Advance();
  void Invert();
  void Finish(ChoiceFit* fit);

  // Sizes and prior of the fit under way; dimension_ is K + 1.
  Index trials_ = 0;
  Index dimension_ = 0;
  double precision_ = 1;
  int iterations_ = 0;
  double log_posterior_ = 0;

  std::vector<double> z_;         // [n_trials, K + 1] by rows, first column 1
  std::vector<double> y_;         // [n_trials]
  std::vector<double> centre_;    // [K]
  std::vector<double> p_;         // p(A), [n_trials]
  std::vector<double> q_;         // 1 - p(A) without cancellation, [n_trials]
  std::vector<double> theta_;     // [K + 1]
  std::vector<double> proposal_;  // [K + 1]
  std::vector<double> gradient_;  // [K + 1]
  std::vector<double> step_;      // [K + 1]
  std::vector<double> hessian_;   // negative, lower triangle by rows, [K + 1, K + 1]
  std::vector<double> factor_;    // its Cholesky factor L, likewise
  std::vector<double> inverse_;   // S, full
};

// What Fit refuses as INVALID_ARGUMENT.
Status CheckChoices(const Eigen::Ref<const Eigen::MatrixXd>& x,
                    const Eigen::Ref<const Eigen::VectorXd>& y,
                    const ChoiceModelOptions& options = {});

// One fit on its own.
StatusOr<ChoiceFit> FitChoices(const Eigen::Ref<const Eigen::MatrixXd>& x,
                               const Eigen::Ref<const Eigen::VectorXd>& y,
                               const ChoiceModelOptions& options = {});

}  // namespace candor::statistics
