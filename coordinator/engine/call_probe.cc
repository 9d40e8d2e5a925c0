#include "coordinator/engine/call_probe.h"

#include "coordinator/engine/planted_bug.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

namespace candor::engine {
namespace {

constexpr double kFirst = 16;
constexpr double kDecrease = 0.7;
constexpr double kMostInFlight = 1e9;
constexpr double kCallsAStep = 100;
constexpr double kKeep = 0.95;
constexpr double kPaceKept = 0.7;
constexpr double kSlowest = 0.0005;
constexpr double kFastest = 0.05;
constexpr double kDoubling = 10;
constexpr double kCallsASecond = 3;
constexpr double kLeastRate = 6;
constexpr double kMostRate = 1e9;
// It holds calls back when so much of it is used.
constexpr double kBinding = 0.8;

}  // namespace

CallProbe::CallProbe(std::int64_t most)
    : most_(most),
      window_(most > 0 ? static_cast<double>(most) : kFirst),
      threshold_(std::numeric_limits<double>::infinity()) {}

void CallProbe::SetMost(std::int64_t most) {
  if (most == most_) return;
  most_ = most;
  if (most > 0) window_ = static_cast<double>(most);
  threshold_ = std::numeric_limits<double>::infinity();
}

std::int64_t CallProbe::in_flight() const {
  const double most = most_ > 0 ? static_cast<double>(most_) : kMostInFlight;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(window_, most)));
}

std::int64_t CallProbe::requests_per_minute() const { return static_cast<std::int64_t>(rate_); }

void CallProbe::Roll(TimePoint now) {
  const std::int64_t second =
      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto size = static_cast<std::int64_t>(seconds_.size());
  if (second_ == INT64_MIN || second - second_ >= size) {
    seconds_.fill(0);
    second_ = second;
  }
  while (second_ < second) {
    ++second_;
    seconds_[static_cast<std::size_t>((second_ % size + size) % size)] = 0;
  }
}

std::int64_t CallProbe::Accepted(TimePoint now) {
  Roll(now);
  // The second of 60 s ago lies in the window in part.
  const auto size = static_cast<std::int64_t>(seconds_.size());
  const std::int64_t oldest =
      seconds_[static_cast<std::size_t>(((second_ + 1) % size + size) % size)];
  return std::accumulate(seconds_.begin(), seconds_.end(), std::int64_t{0}) - oldest / 2;
}

double CallProbe::Pace(TimePoint now) {
  Roll(now);
  const auto size = static_cast<std::int64_t>(seconds_.size());
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < 3; ++i) {
    sum += seconds_[static_cast<std::size_t>(((second_ - i) % size + size) % size)];
  }
  const double part =
      std::chrono::duration<double>(now.time_since_epoch()).count() - static_cast<double>(second_);
  return static_cast<double>(sum) / (2 + part) * 60;
}

void CallProbe::Sent(TimePoint now, std::int64_t calls) {
  Roll(now);
  const auto size = static_cast<std::int64_t>(seconds_.size());
  seconds_[static_cast<std::size_t>((second_ % size + size) % size)] += calls;
  sent_since_ += calls;
}

void CallProbe::Worked(std::int64_t in_flight) {
  const bool slow_start = window_ < threshold_;
  // It held calls back, or nearly did.
  if (static_cast<double>(in_flight) < std::floor(window_) * (slow_start ? 0.5 : 0.9)) return;
  const double step = slow_start ? 1 : 1 / std::max(window_, kCallsAStep);
  window_ = std::min(window_ + step, kMostInFlight);
}

bool CallProbe::Refused(TimePoint now, TimePoint granted, std::int64_t in_flight, bool long_wait) {
  Roll(now);
  const auto size = static_cast<std::int64_t>(seconds_.size());
  --seconds_[static_cast<std::size_t>((second_ % size + size) % size)];
  if (granted <= decreased_at_ && !Planted(PlantedBug::kDecreasePerRefusal)) return false;
  decreased_at_ = now;
  const double borne = std::min(window_, static_cast<double>(in_flight));
  window_ = std::max(1.0, borne * kDecrease);
  threshold_ = std::max(1.0, borne * kKeep);
  double pace = Pace(now);
  if (rate_ > 0) pace = std::min(pace, rate_);
  double rate = kKeep * static_cast<double>(std::max<std::int64_t>(0, Accepted(now)));
  if (!long_wait) rate = std::max(rate, kPaceKept * pace);
  if (Planted(PlantedBug::kDecreasePerRefusal) && rate_ > 0) rate = rate_ * 0.5;
  rate_ = std::clamp(rate, kLeastRate, kMostRate);
  progress_ = 0;
  grown_at_ = now;
  sent_since_ = 0;
  return true;
}

void CallProbe::Idle() {
  // Up to where it was it doubles again.
  if (std::isfinite(threshold_)) threshold_ = std::max(threshold_, window_);
  window_ = std::min(window_, most_ > 0 ? static_cast<double>(most_) : kFirst);
}

void CallProbe::Grow(TimePoint now, std::int64_t in_flight) {
  if (window_ < threshold_ && static_cast<double>(in_flight) >= std::floor(window_) &&
      now - doubled_at_ >= std::chrono::seconds(1)) {
    // Refusals come at once, replies may take a minute.
    if (doubled_at_ != TimePoint{}) window_ = std::min({2 * window_, threshold_, kMostInFlight});
    doubled_at_ = now;
  }
  if (rate_ <= 0) return;
  const double seconds = std::chrono::duration<double>(now - grown_at_).count();
  if (seconds < 1) return;
  const double sent = static_cast<double>(sent_since_);
  grown_at_ = now;
  sent_since_ = 0;
  if (sent / seconds * 60 < rate_ * kBinding) return;
  const double step = std::min(seconds, sent / kCallsASecond);
  progress_ += step;
  const double growth = std::min(kFastest, kSlowest * std::exp2(progress_ / kDoubling));
  rate_ = std::min(kMostRate, rate_ * (1 + growth * step));
}

}  // namespace candor::engine
