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
constexpr double kMostInFlight = 1e9;
// What is kept of a bound where it is not known what refused, and where it is.
constexpr double kDecrease = 0.7;
constexpr double kKeepUnknown = 0.95;
constexpr double kPaceKept = 0.7;
constexpr double kKeepInFlight = 0.97;
constexpr double kKeepRate = 0.98;
// So near to it a ceiling is the one that was met before.
constexpr double kAbout = 0.05;
// Fewer accepted calls are about as many as before by chance.
constexpr double kTellingCalls = 30;
// Seconds until a bound is back at its ceiling, and how it grows beyond.
constexpr double kReturn = 60;
constexpr double kUnknownLead = 30;
constexpr double kSlowest = 0.0005;
constexpr double kFastest = 0.05;
constexpr double kDoubling = 10;
constexpr double kCallsASecond = 3;
constexpr double kLeastRate = 6;
constexpr double kMostRate = 1e9;
// It holds calls back when so much of it is used; in the last seconds, and at this instant.
constexpr double kBinding = 0.8;
constexpr double kBindingNow = 0.9;

// Just under so many calls in flight.
double Under(double calls) { return std::max({1.0, calls - 1, calls * kKeepInFlight}); }

}  // namespace

void CallProbe::Ceiling::Meet(double at, double from, bool again) {
  at_ = at;
  from_ = std::min(from, at);
  progress_ = again ? 0 : kReturn + kUnknownLead;
}

bool CallProbe::Ceiling::IsAbout(double value) const {
  return at_ > 0 && std::abs(value - at_) <= 1 + at_ * kAbout;
}

double CallProbe::Ceiling::Return(double progress) const {
  const double left = 1 - std::min(progress, kReturn) / kReturn;
  return at_ - (at_ - from_) * left * left * left;
}

double CallProbe::Ceiling::Raised(double value, double seconds) {
  const double before = progress_;
  progress_ += seconds;
  if (before < kReturn) return value + Return(progress_) - Return(before);
  const double growth = std::min(kFastest, kSlowest * std::exp2((progress_ - kReturn) / kDoubling));
  return value * (1 + growth * seconds);
}

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

std::int64_t& CallProbe::Second(std::int64_t ago) {
  const auto size = static_cast<std::int64_t>(seconds_.size());
  return seconds_[static_cast<std::size_t>(((second_ - ago) % size + size) % size)];
}

void CallProbe::Roll(TimePoint now) {
  const std::int64_t second =
      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  if (second_ == INT64_MIN || second - second_ >= static_cast<std::int64_t>(seconds_.size())) {
    seconds_.fill(0);
    second_ = second;
  }
  while (second_ < second) {
    ++second_;
    Second(0) = 0;
  }
}

double CallProbe::Accepted(TimePoint now) {
  Roll(now);
  // The second of 60 s ago lies in the window in part.
  const double part =
      std::chrono::duration<double>(now.time_since_epoch()).count() - static_cast<double>(second_);
  const auto sum = std::accumulate(seconds_.begin(), seconds_.end(), std::int64_t{0});
  return std::max(0.0, static_cast<double>(sum) - part * static_cast<double>(Second(60)));
}

double CallProbe::Pace(TimePoint now) {
  Roll(now);
  const double part =
      std::chrono::duration<double>(now.time_since_epoch()).count() - static_cast<double>(second_);
  return static_cast<double>(Second(0) + Second(1) + Second(2)) / (2 + part) * 60;
}

void CallProbe::Sent(TimePoint now, std::int64_t calls) {
  Roll(now);
  Second(0) += calls;
  sent_since_ += calls;
}

void CallProbe::Worked(std::int64_t in_flight) {
  // It held calls back, or nearly did; from there on `Grow` raises it.
  if (window_ >= threshold_ || static_cast<double>(in_flight) < std::floor(window_) / 2) return;
  window_ = std::min({window_ + 1, threshold_, kMostInFlight});
}

void CallProbe::MeetInFlight(double borne, bool again) {
  threshold_ = Under(borne);
  const double window = again ? threshold_ : std::max(1.0, borne * kDecrease);
  window_ = std::min(window_, window);
  in_flight_ceiling_.Meet(borne, threshold_, again);
}

void CallProbe::MeetRate(double accepted, bool again) {
  double rate = accepted * kKeepRate;
  if (!again) rate = std::max(accepted * kKeepUnknown, episode_.pace_kept);
  if (Planted(PlantedBug::kDecreasePerRefusal) && rate_ > 0) rate = rate_ * 0.5;
  rate_ = std::clamp(rate, kLeastRate, kMostRate);
  rate_ceiling_.Meet(accepted, rate_, again);
}

bool CallProbe::Refused(TimePoint now, TimePoint granted, std::int64_t in_flight, bool long_wait) {
  Roll(now);
  --Second(0);
  if (granted <= decreased_at_ && !Planted(PlantedBug::kDecreasePerRefusal)) {
    // One less was borne, and accepted, than it seemed.
    if (episode_.least != kAbsent && in_flight_ceiling_.at() > episode_.least) {
      MeetInFlight(in_flight_ceiling_.at() - 1, false);
    }
    if (episode_.pace_kept != kAbsent && rate_ceiling_.at() > 1) {
      MeetRate(rate_ceiling_.at() - 1, false);
    }
    return false;
  }
  decreased_at_ = now;
  const double calls = static_cast<double>(in_flight);
  const double accepted = Accepted(now);
  // One of them may just have come back.
  const double bound = static_cast<double>(this->in_flight());
  const bool full = calls + 1 >= bound * kBindingNow;
  const double pace = Pace(now);
  const bool fast = rate_ > 0 && pace >= rate_ * kBindingNow;
  const double borne = std::max(1.0, full ? bound : calls);
  bool met_in_flight = full && in_flight_ceiling_.IsAbout(borne);
  bool met_rate = (accepted >= kTellingCalls || long_wait) && rate_ceiling_.IsAbout(accepted);
  const bool again = met_in_flight || met_rate;
  if (met_in_flight == met_rate) {
    if (rate_ > 0 && full != fast) {
      met_in_flight = full;
      met_rate = fast;
    } else {
      met_in_flight = !again;
      met_rate = true;
    }
  }
  episode_ = {};
  if (met_in_flight && !again) episode_.least = std::max(1.0, borne / 2);
  if (met_rate && !again) {
    episode_.pace_kept = long_wait ? 0 : kPaceKept * (rate_ > 0 ? std::min(pace, rate_) : pace);
  }
  if (met_in_flight) MeetInFlight(borne, again);
  if (met_rate) MeetRate(accepted, again);
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
  const double calls = static_cast<double>(in_flight);
  if (window_ < threshold_ && calls >= std::floor(window_) &&
      now - doubled_at_ >= std::chrono::seconds(1)) {
    // Refusals come at once, replies may take a minute.
    if (doubled_at_ != TimePoint{}) window_ = std::min({2 * window_, threshold_, kMostInFlight});
    doubled_at_ = now;
  }
  if (!std::isfinite(threshold_)) return;
  const double seconds = std::chrono::duration<double>(now - grown_at_).count();
  if (seconds < 1) return;
  const double sent = static_cast<double>(sent_since_);
  grown_at_ = now;
  sent_since_ = 0;
  const double step = std::min(seconds, sent / kCallsASecond);
  if (step <= 0) return;
  if (window_ >= threshold_ && calls >= std::floor(window_) * kBindingNow) {
    const double most = most_ > 0 ? static_cast<double>(most_) : kMostInFlight;
    window_ = std::min(most, in_flight_ceiling_.Raised(window_, step));
  }
  if (rate_ > 0 && sent / seconds * 60 >= rate_ * kBinding) {
    rate_ = std::min(kMostRate, rate_ceiling_.Raised(rate_, step));
  }
}

}  // namespace candor::engine
