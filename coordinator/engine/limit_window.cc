#include "coordinator/engine/limit_window.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace candor::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What may go together, and the spread from which on nothing does and no ramp holds.
constexpr std::int64_t kBurstNanos = 100'000'000;
constexpr double kWideNanos = 500e6;

std::int64_t Nanos(TimePoint time) { return time.time_since_epoch().count() * 1000; }

// When the next of uses `step` apart is due: up to 100 ms worth of them may go together, and uses
// further apart than that never come early.
std::int64_t Due(std::int64_t next, TimePoint now, std::int64_t step) {
  return std::max(next, Nanos(now) - std::max<std::int64_t>(0, kBurstNanos - step));
}

// The first microsecond at or after so many nanoseconds.
TimePoint FromNanos(std::int64_t nanos) { return TimePoint(Duration((nanos + 999) / 1000)); }

}  // namespace

Duration LimitWindow::length() const {
  return kind_ == Kind::kMinute ? Duration(seconds(60)) : Duration(hours(24));
}

Duration LimitWindow::grain() const {
  return kind_ == Kind::kMinute ? Duration(milliseconds(10)) : Duration(seconds(15));
}

std::int64_t LimitWindow::Leaves(TimePoint began) const {
  const std::int64_t end = (began + length()).time_since_epoch().count();
  const std::int64_t width = grain().count();
  return end >= 0 ? (end + width - 1) / width : -(-end / width);
}

double LimitWindow::Spread(std::int64_t amount) const {
  return static_cast<double>(length().count()) * 1000 / static_cast<double>(limit_) *
         static_cast<double>(amount);
}

std::int64_t LimitWindow::Step(std::int64_t amount) const {
  const double spread = Spread(amount);
  const double paced = spread >= kWideNanos ? spread : std::min(spread / pace_, kWideNanos);
  return std::max<std::int64_t>(1, std::llround(paced));
}

bool LimitWindow::Ramps(std::int64_t amount) const {
  return limit_ > 0 && kind_ == Kind::kMinute && pace_ < 1 && Spread(amount) < kWideNanos;
}

void LimitWindow::SetLimit(std::int64_t limit) {
  if (limit == limit_) return;
  // The next one was reckoned with another spread: it may be far off. When it is not, it stays, or
  // a limit that changes often would let one go each time.
  if (limit_ <= 0 || limit > 2 * limit_) next_ = INT64_MIN;
  limit_ = limit;
}

void LimitWindow::Advance(TimePoint now) {
  const std::int64_t micros = now.time_since_epoch().count();
  while (!buckets_.empty() && buckets_.front().leaves * grain().count() <= micros) {
    settled_ -= buckets_.front().amount;
    buckets_.pop_front();
  }
}

std::int64_t LimitWindow::Available(TimePoint now, std::int64_t amount) {
  if (limit_ <= 0 || amount <= 0) return kMost;
  Advance(now);
  std::int64_t room = std::max<std::int64_t>(0, limit_ - settled_ - taken_) / amount;
  if (kind_ == Kind::kMinute && room > 0) {
    const std::int64_t step = Step(amount);
    const std::int64_t next = Due(next_, now, step);
    room = next > Nanos(now) ? 0 : std::min(room, (Nanos(now) - next) / step + 1);
  }
  return std::min(room, kMost);
}

std::optional<TimePoint> LimitWindow::NextChance(TimePoint now, std::int64_t amount) {
  if (limit_ <= 0 || amount <= 0) return now;
  Advance(now);
  if (amount > limit_) return std::nullopt;
  TimePoint chance = now;
  if (kind_ == Kind::kMinute && next_ > Nanos(now)) chance = FromNanos(next_);
  std::int64_t excess = settled_ + taken_ + amount - limit_;
  for (const Bucket& bucket : buckets_) {
    if (excess <= 0) break;
    excess -= bucket.amount;
    chance = std::max(chance, TimePoint(grain() * bucket.leaves));
  }
  if (excess > 0) return std::nullopt;
  return chance;
}

void LimitWindow::Take(TimePoint now, std::int64_t total, std::int64_t amount) {
  if (total <= 0) return;
  taken_ += total;
  if (limit_ <= 0 || kind_ != Kind::kMinute) return;
  const std::int64_t step = Step(amount);
  next_ = Due(next_, now, step) + total / amount * step;
}

void LimitWindow::Settle(TimePoint began, std::int64_t taken, std::int64_t used) {
  taken_ -= taken;
  Add(began, used);
}

void LimitWindow::Add(TimePoint began, std::int64_t used) {
  if (used == 0) return;
  const std::int64_t leaves = Leaves(began);
  settled_ += used;
  if (buckets_.empty() || buckets_.back().leaves < leaves) {
    buckets_.push_back({leaves, used});
    return;
  }
  auto place = std::prev(buckets_.end());
  if (place->leaves != leaves) {
    place =
        std::lower_bound(buckets_.begin(), buckets_.end(), leaves,
                         [](const Bucket& bucket, std::int64_t at) { return bucket.leaves < at; });
    if (place == buckets_.end() || place->leaves != leaves) {
      buckets_.insert(place, {leaves, used});
      return;
    }
  }
  place->amount += used;
}

void LimitWindow::Remove(TimePoint began, std::int64_t used) {
  if (used == 0) return;
  const std::int64_t leaves = Leaves(began);
  const auto place =
      std::lower_bound(buckets_.begin(), buckets_.end(), leaves,
                       [](const Bucket& bucket, std::int64_t at) { return bucket.leaves < at; });
  // It has left already.
  if (place == buckets_.end() || place->leaves != leaves) return;
  const std::int64_t gone = std::min(used, place->amount);
  place->amount -= gone;
  settled_ -= gone;
}

void LimitWindow::Correct(TimePoint now, std::int64_t less) {
  if (limit_ <= 0 || kind_ != Kind::kMinute || next_ == INT64_MIN) return;
  // Thirty years stand for whatever is longer: an absurd use of a low limit would not fit.
  constexpr double kLongestNanos = 1e18;
  const auto back = static_cast<std::int64_t>(
      std::clamp(Spread(1) * static_cast<double>(less), -kLongestNanos, kLongestNanos));
  next_ = std::max(next_ - back, Nanos(now) - kBurstNanos);
  // One absurd use does not stop everything for longer than it counts.
  next_ = std::min(next_, Nanos(now) + length().count() * 1000);
}

std::int64_t LimitWindow::used(TimePoint now) {
  Advance(now);
  return settled_ + taken_;
}

}  // namespace candor::engine
