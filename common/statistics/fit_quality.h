// Does the choice model fit at all? Cross-validated predictions of the choices, beside those of
// simpler rules.
//
//   FitQualityEvaluator evaluator;
//   CANDOR_ASSIGN_OR_RETURN(FitQuality one, evaluator.Evaluate(data.x, data.y, data.pairs, {}));
//   FitQuality all = PoolFitQuality(per_scenario);
//
// The trials of a scenario are dealt into folds; each fold is predicted by what was fitted to the
// others. Both orders of a pair stay in one fold, else one would give the other away. Four
// predictors of p(A), each with everything it needs taken from the training folds:
//
// - model: the posterior predictive of the choice model, p averaged over the posterior by the
//   probit approximation, sigmoid(eta / sqrt(1 + pi/8 v)) with v = z^T S z (MacKay 1992, "The
//   Evidence Framework Applied to Classification Networks", Neural Computation 4, 720-736)
// - majority: the share of A, by Laplace's rule (s + 1) / (n + 2), whatever the options
// - best single attribute: a choice model of one attribute, the one that correlates most with the
//   choices, by magnitude
// - equal weights: a choice model of one number, the sum of the attributes, each with the sign of
//   its correlation with the choices
//
// Accuracy counts p(A) > 1/2 as A, and a p of exactly 1/2 as half right; a trial with soft or
// repeated answers counts with its shares. Log loss is the mean of -y log p - (1 - y) log(1 - p).
// On data without any structure every accuracy is about the share of the more frequent answer.
#pragma once

#include "common/base/status.h"
#include "common/statistics/choice_model.h"

#include <Eigen/Core>

#include <cstdint>
#include <span>
#include <vector>

namespace candor::statistics {

struct FitQualityOptions {
  // Prior standard deviation of the weights.
  double tau = 1;
  // Folds; at least 2. Fewer are used where there are fewer pairs.
  int folds = 5;
  // Of the random stream that deals pairs into folds.
  std::uint64_t seed = 0;
};

struct PredictionScore {
  // Share of the choices predicted right, in [0, 1].
  double accuracy = 0;
  // Mean negative log-likelihood of a choice, in nats.
  double log_loss = 0;
};

struct FitQuality {
  PredictionScore model;
  PredictionScore majority;
  PredictionScore best_single_attribute;
  PredictionScore equal_weights;
  // Folds used; of pooled ones the most.
  int folds = 0;
  // Trials predicted: each once.
  std::int64_t n_choices = 0;
};

// Keeps its workspace from scenario to scenario. The same input gives the same result. One thread
// at a time. About 0.1 ms for 50 trials of 5 attributes in 5 folds.
class FitQualityEvaluator {
 public:
  // x [n_trials, K] and y [n_trials] as for ChoiceFitter::Fit, whose errors it passes on. `pairs`
  // [n_trials] says which trials belong together; empty: every trial is its own pair.
  // FAILED_PRECONDITION when there are fewer than 2 pairs: nothing to predict from.
  StatusOr<FitQuality> Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& x,
                                const Eigen::Ref<const Eigen::VectorXd>& y,
                                std::span<const std::uint32_t> pairs,
                                const FitQualityOptions& options = {});

 private:
  int AssignFolds(Eigen::Index trials, std::span<const std::uint32_t> pairs,
                  const FitQualityOptions& options);
  Status ScoreFold(const Eigen::Ref<const Eigen::MatrixXd>& x,
                   const Eigen::Ref<const Eigen::VectorXd>& y, int fold, double tau,
                   FitQuality* sums);

  ChoiceFitter fitter_;
  ChoiceFit fit_;
  std::vector<std::uint32_t> distinct_;
  std::vector<int> fold_of_pair_;
  std::vector<int> fold_;  // [n_trials]
  std::vector<Eigen::Index> training_;
  std::vector<Eigen::Index> held_out_;
  Eigen::MatrixXd train_x_;
  Eigen::VectorXd train_y_;
  Eigen::MatrixXd feature_;      // [n_training, 1]
  Eigen::VectorXd correlation_;  // [K]
  Eigen::VectorXd direction_;    // [K]
};

// Scores of several scenarios as one: means over all their trials. Of none: zeros.
FitQuality PoolFitQuality(std::span<const FitQuality> scenarios);

}  // namespace candor::statistics
