#include "coordinator/engine/circuit.h"

#include "coordinator/engine/planted_bug.h"
#include "coordinator/engine/retry_policy.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>

namespace candor::engine {
namespace {

constexpr std::int32_t kInARow = 5;
constexpr std::int32_t kRecent = 20;
constexpr Duration kFirstBackOff = std::chrono::seconds(1);
constexpr Duration kLongestBackOff = std::chrono::seconds(60);

}  // namespace

Circuit::Sign Circuit::SignOf(v1::Attempt::ErrorClass error_class) {
  switch (error_class) {
    case v1::Attempt::OVERLOADED:
    case v1::Attempt::SERVER_ERROR:
    case v1::Attempt::CONNECTION:
    case v1::Attempt::TIMEOUT:
    case v1::Attempt::MALFORMED_RESPONSE:
      return Sign::kFails;
    case v1::Attempt::RATE_LIMITED:
    case v1::Attempt::DAILY_LIMIT:
      return Sign::kNothing;
    default:
      return Sign::kWorks;
  }
}

std::int64_t Circuit::Available(TimePoint now) const {
  if (state_ == State::kClosed) return INT64_MAX;
  return state_ == State::kOpen && retry_at_ <= now ? 1 : 0;
}

void Circuit::Taken(TimePoint now) {
  if (state_ == State::kOpen && retry_at_ <= now) state_ = State::kHalfOpen;
}

bool Circuit::Allows(TimePoint granted) const {
  return state_ == State::kClosed || granted > changed_at_;
}

void Circuit::Open(TimePoint now, RandomStream& random) {
  state_ = State::kOpen;
  changed_at_ = now;
  retry_at_ = now + JitteredBackOff(kFirstBackOff, kLongestBackOff, ++openings_, random);
}

bool Circuit::Answered(TimePoint now, TimePoint granted, Sign sign, RandomStream& random) {
  if (granted <= changed_at_) return false;
  if (state_ != State::kClosed) {
    if (sign == Sign::kFails) {
      Open(now, random);
      return false;
    }
    if (Planted(PlantedBug::kCircuitNeverCloses)) {
      Gone(now, granted);
      retry_at_ = now + kLongestBackOff;
      return false;
    }
    // Also a refusal: who counts calls is back.
    state_ = State::kClosed;
    changed_at_ = now;
    in_a_row_ = 0;
    seen_ = 0;
    recent_ = 0;
    return true;
  }
  if (sign == Sign::kNothing) return false;
  const bool fails = sign == Sign::kFails;
  recent_ = ((recent_ << 1U) | (fails ? 1U : 0U)) & ((1U << static_cast<unsigned>(kRecent)) - 1);
  seen_ = std::min(seen_ + 1, kRecent);
  in_a_row_ = fails ? in_a_row_ + 1 : 0;
  if (in_a_row_ >= kInARow || (seen_ >= kRecent && std::popcount(recent_) * 2 > kRecent)) {
    Open(now, random);
  } else if (seen_ >= kRecent) {
    // It has worked for a while: the next time begins with a short back-off.
    openings_ = 0;
  }
  return false;
}

void Circuit::Gone(TimePoint now, TimePoint granted) {
  if (state_ != State::kHalfOpen || granted <= changed_at_) return;
  state_ = State::kOpen;
  retry_at_ = now;
}

}  // namespace candor::engine
