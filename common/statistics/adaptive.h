// Adaptive pairs: which of some candidate trials a scenario should be asked next.
//
//   ChoiceFit fit = ...;                                 // of the answers so far
//   std::size_t next = MostInformative(fit, candidates); // a row of candidates
//
// The design of method.md, section 5: after 5 random trials, of 64 random candidates the one that
// maximises p (1 - p) z^T S z, and a new fit after each answer. That product is what the trial is
// expected to add to the posterior's precision in its own direction, measured by the posterior's
// width there: log(1 + p (1 - p) z^T S z) is the gain in log det S^-1 (D-optimality; Chaloner and
// Verdinelli 1995, "Bayesian Experimental Design: A Review", Statistical Science 10, 273-304).
//
// The same answers give the same trials: the functions are pure, use no random numbers, and are
// compiled without contraction or reordering of floating-point operations. What may differ between
// machines is the last bit of the C library's exp; so a later candidate wins only by more than
// kGainMargin, relatively, and candidates that are equal but for such bits go to the first.
#pragma once

#include "common/base/status.h"
#include "common/statistics/choice_model.h"

#include <Eigen/Core>

#include <cstddef>

namespace candor::statistics {

// Candidates that a proposal is chosen from.
inline constexpr int kAdaptiveCandidates = 64;
// Random trials of a scenario before the first proposal.
inline constexpr int kAdaptiveRandomTrials = 5;
// By which share a later candidate's gain must pass the best one before it.
inline constexpr double kGainMargin = 1e-9;

// p (1 - p) z^T S z of a trial, with p at the posterior mode, where S belongs. x is [K], as
// x_k = (A_k - B_k) / (max_k - min_k), finite.
double ExpectedGain(const ChoiceFit& fit, const Eigen::Ref<const Eigen::VectorXd>& x);

// The row of `candidates` [n_candidates, K] of largest expected gain; the first of equal ones.
// n_candidates >= 1, all elements finite, K that of the fit.
std::size_t MostInformative(const ChoiceFit& fit,
                            const Eigen::Ref<const Eigen::MatrixXd>& candidates);

// The same from the answers so far: x [n_trials, K] and y [n_trials] as for ChoiceFitter::Fit,
// whose errors it passes on. INVALID_ARGUMENT as well when `candidates` is empty, has another K or
// an element that is not finite or beyond kMaxDifference.
StatusOr<std::size_t> ProposeNext(ChoiceFitter& fitter, const Eigen::Ref<const Eigen::MatrixXd>& x,
                                  const Eigen::Ref<const Eigen::VectorXd>& y,
                                  const Eigen::Ref<const Eigen::MatrixXd>& candidates,
                                  const ChoiceModelOptions& options = {});

}  // namespace candor::statistics
