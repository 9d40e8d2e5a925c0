#include "common/statistics/choice_trials.h"

#include <algorithm>
#include <cmath>

namespace candor::statistics {
namespace {

bool SameTrial(const SampleKey& a, const SampleKey& b) {
  return a.pair == b.pair && a.order == b.order;
}

// Pairs of samples on different sides of 1/2, where `counts` samples are on each side of it or on
// it.
std::int64_t DifferingPairs(std::span<const std::int64_t> counts) {
  std::int64_t total = 0;
  std::int64_t alike = 0;
  for (const std::int64_t count : counts) {
    total += count;
    alike += count * (count - 1) / 2;
  }
  return total * (total - 1) / 2 - alike;
}

}  // namespace

Status ChoiceTrials::Add(const SampleKey& key, std::span<const double> x, double y) {
  if (x.size() != static_cast<std::size_t>(attributes_)) {
    return InvalidArgument("trial {}, order {}: has {} values; give one an attribute, {}", key.pair,
                           key.order, x.size(), attributes_);
  }
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (!std::isfinite(x[k])) {
      return InvalidArgument("trial {}, order {}: value {} is {}; give a finite number", key.pair,
                             key.order, k, x[k]);
    }
  }
  if (!(y >= 0 && y <= 1)) {
    return InvalidArgument(
        "trial {}, order {}, sample {}: y is {}; give 1 for A, 0 for B, or the "
        "probability of A",
        key.pair, key.order, key.sample, y);
  }
  samples_.push_back({key, y, values_.size()});
  values_.insert(values_.end(), x.begin(), x.end());
  return {};
}

void ChoiceTrials::Clear() {
  samples_.clear();
  values_.clear();
}

StatusOr<TrialData> ChoiceTrials::Build() const {
  std::vector<Sample> sorted = samples_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Sample& a, const Sample& b) { return a.key < b.key; });
  Eigen::Index trials = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const SampleKey& key = sorted[i].key;
    if (i == 0 || !SameTrial(sorted[i - 1].key, key)) {
      ++trials;
    } else if (sorted[i - 1].key == key) {
      return MakeStatus(absl::StatusCode::kAlreadyExists,
                        fmt::format("trial {}, order {}, sample {}: there are two answers; give "
                                    "each sample once",
                                    key.pair, key.order, key.sample));
    } else if (!std::equal(
                   values_.begin() + static_cast<std::ptrdiff_t>(sorted[i].offset),
                   values_.begin() + static_cast<std::ptrdiff_t>(sorted[i].offset) + attributes_,
                   values_.begin() + static_cast<std::ptrdiff_t>(sorted[i - 1].offset))) {
      return InvalidArgument("trial {}, order {}: samples {} and {} were shown different options",
                             key.pair, key.order, sorted[i - 1].key.sample, key.sample);
    }
  }

  TrialData data;
  data.n_choices = static_cast<std::int64_t>(sorted.size());
  data.x.resize(trials, attributes_);
  data.y.resize(trials);
  data.pairs.reserve(static_cast<std::size_t>(trials));
  std::int64_t pairs = 0;
  std::int64_t differing = 0;
  Eigen::Index row = 0;
  for (std::size_t begin = 0; begin < sorted.size(); ++row) {
    std::int64_t sides[3] = {0, 0, 0};  // B, undecided, A
    double sum = 0;
    std::size_t end = begin;
    for (; end < sorted.size() && SameTrial(sorted[begin].key, sorted[end].key); ++end) {
      const double y = sorted[end].y;
      sum += y;
      ++sides[y > 0.5 ? 2 : (y < 0.5 ? 0 : 1)];
    }
    const auto count = static_cast<std::int64_t>(end - begin);
    for (Eigen::Index k = 0; k < attributes_; ++k) {
      data.x(row, k) = values_[sorted[begin].offset + static_cast<std::size_t>(k)];
    }
    data.y(row) = sum / static_cast<double>(count);
    data.pairs.push_back(sorted[begin].key.pair);
    pairs += count * (count - 1) / 2;
    differing += DifferingPairs(sides);
    begin = end;
  }
  if (pairs > 0) data.flip_rate = static_cast<double>(differing) / static_cast<double>(pairs);
  return data;
}

}  // namespace candor::statistics
