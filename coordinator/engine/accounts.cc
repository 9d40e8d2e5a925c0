#include "coordinator/engine/accounts.h"

#include "common/base/time_proto.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace candor::engine {
namespace {

constexpr Duration kLongest = std::chrono::minutes(30);

}  // namespace

void WaitAccount::Charge(v1::WaitReason reason, Duration time) {
  if (!v1::WaitReason_IsValid(reason)) reason = v1::WAIT_REASON_UNSPECIFIED;
  times_[static_cast<std::size_t>(reason)] += time;
}

Duration WaitAccount::Of(v1::WaitReason reason) const {
  return times_[static_cast<std::size_t>(reason)];
}

Duration WaitAccount::total() const {
  Duration sum{};
  for (const Duration time : times_) sum += time;
  return sum;
}

std::vector<v1::WaitTime> WaitAccount::Times() const {
  std::vector<std::pair<Duration, v1::WaitReason>> order;
  for (std::size_t i = 0; i < times_.size(); ++i) {
    if (times_[i] > Duration(0)) order.emplace_back(times_[i], static_cast<v1::WaitReason>(i));
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<v1::WaitTime> out;
  for (const auto& [time, reason] : order) {
    v1::WaitTime& wait = out.emplace_back();
    wait.set_reason(reason);
    *wait.mutable_time() = ToProto(time);
  }
  return out;
}

void RecentTimes::Add(Duration time, bool marked) {
  const auto micros = static_cast<std::uint32_t>(std::clamp(time, Duration(0), kLongest).count());
  const std::uint32_t value = micros << 1U | (marked ? 1U : 0U);
  marked_ += marked ? 1 : 0;
  if (times_.size() < kMost) {
    times_.push_back(value);
    return;
  }
  marked_ -= static_cast<std::int32_t>(times_[next_] & 1U);
  times_[next_] = value;
  next_ = (next_ + 1) % kMost;
}

Duration RecentTimes::Quantile(double q) const {
  if (times_.empty()) return Duration(0);
  std::vector<std::uint32_t> sorted = times_;
  const auto rank = static_cast<std::ptrdiff_t>(
      std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size())));
  const auto at = sorted.begin() + std::max<std::ptrdiff_t>(0, rank - 1);
  std::nth_element(sorted.begin(), at, sorted.end());
  return Duration(*at >> 1U);
}

}  // namespace candor::engine
