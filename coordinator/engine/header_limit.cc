#include "coordinator/engine/header_limit.h"

#include "common/base/time_proto.h"

#include <algorithm>
#include <chrono>

namespace candor::engine {
namespace {

// What is more is no limit that anybody has.
constexpr std::int64_t kMostLimit = 1'000'000'000'000;
constexpr std::int32_t kAgree = 3;
constexpr Duration kForget = std::chrono::seconds(60);
constexpr Duration kForgetLimit = std::chrono::minutes(10);
constexpr Duration kLongestReset = std::chrono::hours(24 * 31);

}  // namespace

std::int64_t HeaderLimit::Limit(TimePoint now) const {
  return limit_ == 0 || now - said_at_ >= kForgetLimit ? 0 : limit_;
}

bool HeaderLimit::ObserveLimit(TimePoint now, TimePoint granted, std::int64_t limit) {
  if (Limit(now) == 0) limit_ = 0;
  said_at_ = now;
  if (limit == limit_) {
    agree_ = 0;
    return false;
  }
  if (limit_ != 0) {
    if (limit > limit_ && granted <= changed_at_) return false;
    agree_ = limit == candidate_ ? agree_ + 1 : 1;
    candidate_ = limit;
    if (agree_ < kAgree) return false;
  }
  limit_ = limit;
  changed_at_ = now;
  agree_ = 0;
  return true;
}

bool HeaderLimit::Observe(TimePoint now, TimePoint granted, const v1::LimitObservation& observation,
                          std::int64_t ours) {
  bool changed = false;
  if (observation.has_limit()) {
    if (observation.limit() <= 0 || observation.limit() > kMostLimit) return false;
    changed = ObserveLimit(now, granted, observation.limit());
  }
  if (observation.has_reset_after()) {
    const Duration reset = ToDuration(observation.reset_after());
    if (reset >= Duration(0) && reset <= kLongestReset) reset_at_ = now + reset;
  }
  if (!observation.has_remaining() || limit_ == 0) return changed;
  // Of a window of another size than ours is nothing can be told.
  const std::int64_t limit = observation.has_limit() ? observation.limit() : limit_;
  if (observation.remaining() < 0 || observation.remaining() > limit) return changed;
  remaining_ = observation.remaining();
  if (limit != limit_) return changed;
  const std::int64_t rounding = std::clamp<std::int64_t>(observation.rounded_to(), 0, limit) / 2;
  const std::int64_t others =
      std::max<std::int64_t>(0, limit - observation.remaining() - rounding - ours);
  if (seen_at_ == TimePoint::min() || now - seen_at_ > kForget) {
    since_ = now;
    least_before_ = others;
    least_ = others;
  } else if (now - since_ >= std::chrono::seconds(1)) {
    since_ = now;
    least_before_ = least_;
    least_ = others;
  } else {
    least_ = std::min(least_, others);
  }
  seen_at_ = now;
  return changed;
}

std::int64_t HeaderLimit::Others(TimePoint now) const {
  if (seen_at_ == TimePoint::min() || now - seen_at_ >= kForget) return 0;
  return std::min(least_, least_before_);
}

std::optional<TimePoint> HeaderLimit::Forgets(TimePoint now) const {
  if (Others(now) == 0) return std::nullopt;
  return seen_at_ + kForget;
}

}  // namespace candor::engine
