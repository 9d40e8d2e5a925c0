#include "coordinator/engine/pacer.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace candor::engine {
namespace {

constexpr Duration kBucket = std::chrono::milliseconds(100);
constexpr Duration kMinute = std::chrono::seconds(60);
// What may go together.
constexpr std::int64_t kBurstNanos = 100'000'000;
constexpr std::int64_t kMost = std::int64_t{1} << 31U;

std::int64_t BucketOf(TimePoint time) {
  const std::int64_t ticks = time.time_since_epoch().count();
  const std::int64_t width = kBucket.count();
  return ticks >= 0 ? ticks / width : -((-ticks + width - 1) / width);
}

std::int64_t Nanos(TimePoint time) { return time.time_since_epoch().count() * 1000; }

// When the next of calls `interval` apart is due: up to 100 ms worth of them may go together, and
// calls further apart than that never come early.
std::int64_t Due(std::int64_t next, TimePoint now, std::int64_t interval) {
  return std::max(next, Nanos(now) - std::max<std::int64_t>(0, kBurstNanos - interval));
}

// The first microsecond at or after so many nanoseconds.
TimePoint FromNanos(std::int64_t nanos) { return TimePoint(Duration((nanos + 999) / 1000)); }

}  // namespace

Pacer::Pacer(const v1::Limits& limits, Duration guard)
    : limits_(limits),
      window_(kMinute + guard),
      // One more for the bucket that has begun, one for the one that ends within the window.
      ring_(static_cast<std::size_t>(window_ / kBucket) + 2) {}

void Pacer::SetLimits(const v1::Limits& limits) {
  limits_ = limits;
  // The next arrival was reckoned with another interval.
  next_request_ = INT64_MIN;
  next_token_ = INT64_MIN;
}

std::int64_t Pacer::Interval(std::int64_t limit) const {
  return std::max<std::int64_t>(1, window_.count() * 1000 / limit);
}

void Pacer::Advance(TimePoint now) {
  const std::int64_t bucket = BucketOf(now);
  const auto size = static_cast<std::int64_t>(ring_.size());
  if (head_ == INT64_MIN || bucket - head_ >= size) {
    if (bucket <= head_) return;
    std::fill(ring_.begin(), ring_.end(), Bucket{});
    sum_ = {};
    head_ = bucket;
    return;
  }
  for (; head_ < bucket; ++head_) {
    Bucket& oldest = ring_[static_cast<std::size_t>(((head_ + 1) % size + size) % size)];
    sum_.requests -= oldest.requests;
    sum_.tokens -= oldest.tokens;
    oldest = {};
  }
}

Pacer::Bucket* Pacer::At(TimePoint time) {
  const std::int64_t bucket = BucketOf(time);
  const auto size = static_cast<std::int64_t>(ring_.size());
  if (bucket > head_ || head_ - bucket >= size) return nullptr;
  return &ring_[static_cast<std::size_t>((bucket % size + size) % size)];
}

std::int64_t Pacer::Available(TimePoint now, std::int64_t tokens) {
  Advance(now);
  std::int64_t room = kMost;
  if (limits_.in_flight() > 0) room = std::min(room, limits_.in_flight() - in_flight_);
  if (limits_.requests_per_minute() > 0 && room > 0) {
    const std::int64_t limit = limits_.requests_per_minute();
    room = std::min(room, limit - sum_.requests - unsent_.requests);
    const std::int64_t next = Due(next_request_, now, Interval(limit));
    room = next > Nanos(now) ? 0 : std::min(room, (Nanos(now) - next) / Interval(limit) + 1);
  }
  if (limits_.tokens_per_minute() > 0 && tokens > 0 && room > 0) {
    const std::int64_t limit = limits_.tokens_per_minute();
    room = std::min(room, (limit - sum_.tokens - unsent_.tokens) / tokens);
    const std::int64_t next = Due(next_token_, now, Interval(limit) * tokens);
    room = next > Nanos(now) ? 0
                             : std::min(room, (Nanos(now) - next) / (Interval(limit) * tokens) + 1);
  }
  return std::max<std::int64_t>(0, room);
}

Pacer::Hold Pacer::Holding(TimePoint now, std::int64_t tokens) {
  Advance(now);
  if (limits_.tokens_per_minute() > 0 && tokens > limits_.tokens_per_minute()) {
    return Hold::kTooLarge;
  }
  if (limits_.in_flight() > 0 && in_flight_ >= limits_.in_flight()) return Hold::kInFlight;
  if (limits_.requests_per_minute() > 0 &&
      (sum_.requests + unsent_.requests >= limits_.requests_per_minute() ||
       next_request_ > Nanos(now))) {
    return Hold::kRequests;
  }
  if (limits_.tokens_per_minute() > 0 &&
      (sum_.tokens + unsent_.tokens + tokens > limits_.tokens_per_minute() ||
       next_token_ > Nanos(now))) {
    return Hold::kTokens;
  }
  return Hold::kNone;
}

std::optional<TimePoint> Pacer::Room(std::int64_t Bucket::*what, std::int64_t used,
                                     std::int64_t limit, std::int64_t amount) const {
  std::int64_t excess = used + amount - limit;
  const auto size = static_cast<std::int64_t>(ring_.size());
  for (std::int64_t bucket = head_ - size + 1; bucket <= head_; ++bucket) {
    if (excess <= 0) return TimePoint(kBucket * (bucket - 1 + size));
    excess -= ring_[static_cast<std::size_t>((bucket % size + size) % size)].*what;
  }
  if (excess <= 0) return TimePoint(kBucket * (head_ + size));
  return std::nullopt;
}

std::optional<TimePoint> Pacer::NextChance(TimePoint now, std::int64_t tokens) {
  Advance(now);
  TimePoint chance = now;
  if (limits_.in_flight() > 0 && in_flight_ >= limits_.in_flight()) return std::nullopt;
  if (const std::int64_t limit = limits_.requests_per_minute(); limit > 0) {
    if (next_request_ > Nanos(now)) chance = std::max(chance, FromNanos(next_request_));
    if (sum_.requests + unsent_.requests >= limit) {
      const auto room = Room(&Bucket::requests, sum_.requests + unsent_.requests, limit, 1);
      if (!room) return std::nullopt;
      chance = std::max(chance, *room);
    }
  }
  if (const std::int64_t limit = limits_.tokens_per_minute(); limit > 0 && tokens > 0) {
    if (tokens > limit) return std::nullopt;
    if (next_token_ > Nanos(now)) chance = std::max(chance, FromNanos(next_token_));
    if (sum_.tokens + unsent_.tokens + tokens > limit) {
      const auto room = Room(&Bucket::tokens, sum_.tokens + unsent_.tokens, limit, tokens);
      if (!room) return std::nullopt;
      chance = std::max(chance, *room);
    }
  }
  return chance;
}

void Pacer::Take(TimePoint now, std::int64_t calls, std::int64_t tokens) {
  Advance(now);
  unsent_.requests += calls;
  unsent_.tokens += calls * tokens;
  in_flight_ += calls;
  if (const std::int64_t limit = limits_.requests_per_minute(); limit > 0) {
    next_request_ = Due(next_request_, now, Interval(limit)) + calls * Interval(limit);
  }
  if (const std::int64_t limit = limits_.tokens_per_minute(); limit > 0) {
    const std::int64_t interval = Interval(limit) * tokens;
    next_token_ = Due(next_token_, now, interval) + calls * interval;
  }
}

void Pacer::Sent(TimePoint now, std::int64_t tokens) {
  Withdraw(tokens);
  Advance(now);
  Bucket* bucket = At(now);
  ++bucket->requests;
  bucket->tokens += tokens;
  ++sum_.requests;
  sum_.tokens += tokens;
}

void Pacer::Withdraw(std::int64_t tokens) {
  --unsent_.requests;
  unsent_.tokens -= tokens;
}

void Pacer::Refund(TimePoint now, TimePoint sent, std::int64_t tokens) {
  Advance(now);
  Bucket* bucket = At(sent);
  if (bucket == nullptr) return;
  --bucket->requests;
  bucket->tokens -= tokens;
  --sum_.requests;
  sum_.tokens -= tokens;
}

void Pacer::AddTokens(TimePoint now, std::int64_t tokens) {
  Advance(now);
  At(now)->tokens += tokens;
  sum_.tokens += tokens;
}

void Pacer::Restore(TimePoint now, TimePoint sent, std::int64_t tokens, bool in_flight) {
  Advance(now);
  if (in_flight) ++in_flight_;
  Bucket* bucket = At(sent);
  if (bucket == nullptr) return;
  ++bucket->requests;
  bucket->tokens += tokens;
  ++sum_.requests;
  sum_.tokens += tokens;
}

std::int64_t Pacer::requests(TimePoint now) {
  Advance(now);
  return sum_.requests + unsent_.requests;
}

std::int64_t Pacer::tokens(TimePoint now) {
  Advance(now);
  return sum_.tokens + unsent_.tokens;
}

}  // namespace candor::engine
