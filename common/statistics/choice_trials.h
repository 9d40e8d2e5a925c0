// From single answers to the rows that the choice model is fitted to.
//
//   ChoiceTrials trials(/*attributes=*/5);
//   CANDOR_RETURN_IF_ERROR(trials.Add({.pair = 3, .order = 0, .sample = 1}, x, y));
//   CANDOR_ASSIGN_OR_RETURN(TrialData data, trials.Build());
//   CANDOR_RETURN_IF_ERROR(fitter.Fit(data.x, data.y, {}, &fit));
//
// A trial is (pair, order): the two orders of a pair are two trials, each with its options as
// shown. A trial counts once, however often it was asked: y is the mean of its samples. So asking
// the same thing again and getting the same reply adds nothing, where counting every sample would
// narrow the intervals without a new observation.
#pragma once

#include "common/base/status.h"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace candor::statistics {

// Which answer of a scenario.
struct SampleKey {
  std::uint32_t pair = 0;
  // 0: as drawn, 1: A and B swapped.
  std::uint32_t order = 0;
  // Which repetition of the same prompt.
  std::uint32_t sample = 0;

  auto operator<=>(const SampleKey&) const = default;
};

// The data of one scenario, one row a trial, by ascending (pair, order).
struct TrialData {
  // [n_trials, K]
  Eigen::MatrixXd x;
  // [n_trials]: the mean of the trial's samples.
  Eigen::VectorXd y;
  // [n_trials]: the pair. Rows of one pair belong together where trials are split
  // (cross-validation).
  std::vector<std::uint32_t> pairs;
  // Samples altogether.
  std::int64_t n_choices = 0;
  // Of all pairs of samples of one trial, the share that chose differently (y on different sides of
  // 1/2). Absent when no trial has two samples.
  std::optional<double> flip_rate;
};

// Gathers the answers of one scenario. The data do not depend on the order in which answers come.
// Not for concurrent use.
class ChoiceTrials {
 public:
  explicit ChoiceTrials(Eigen::Index attributes) : attributes_(attributes) {}

  // One readable answer: x [K] of the options as shown, y its choice as for the choice model.
  // INVALID_ARGUMENT, and nothing is added, when x has another size, an element is not finite, or y
  // is not within [0, 1].
  Status Add(const SampleKey& key, std::span<const double> x, double y);

  // Answers added.
  std::size_t size() const { return samples_.size(); }
  // Forgets the answers and keeps the memory.
  void Clear();

  // The rows. ALREADY_EXISTS when a key was added twice; INVALID_ARGUMENT when samples of a trial
  // were shown different options.
  StatusOr<TrialData> Build() const;

 private:
  struct Sample {
    SampleKey key;
    double y;
    std::size_t offset;  // of its x in values_
  };

  Eigen::Index attributes_;
  std::vector<Sample> samples_;
  std::vector<double> values_;
};

}  // namespace candor::statistics
