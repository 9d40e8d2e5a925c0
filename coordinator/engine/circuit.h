// Whether a provider works at all (circuit breaker: M. Nygard, "Release It!", 2007).
//
// Answers that say that the provider fails (529, 503, 5xx, timeouts, broken connections and
// replies) open the circuit: five in a row without a success, or more than half of the last twenty.
// While it is open no call goes, until a back-off with full jitter has passed; then one call goes
// and tells. A success closes it. Nothing of this says anything about limits, so no estimate of a
// limit changes.
//
// Not for concurrent use. `now` never goes back.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/base/clock.h"
#include "common/base/random.h"

#include <cstdint>

namespace candor::engine {

class Circuit {
 public:
  enum class State { kClosed, kOpen, kHalfOpen };
  // What an answer says of its provider.
  enum class Sign { kWorks, kFails, kNothing };

  // Of a call that was answered with this class; a complete reply has none.
  static Sign SignOf(v1::Attempt::ErrorClass error_class);

  State state() const { return state_; }
  // When a call may look whether the provider is back; only while it is open.
  TimePoint retry_at() const { return retry_at_; }
  // Calls that may be granted: none, one, or any number (INT64_MAX).
  std::int64_t Available(TimePoint now) const;
  // A call was granted.
  void Taken(TimePoint now);
  // A call that was granted at `granted` may start; false when the circuit opened since.
  bool Allows(TimePoint granted) const;
  // It was answered. True when that closed the circuit.
  bool Answered(TimePoint now, TimePoint granted, Sign sign, RandomStream& random);
  // It came to nothing: the one call, if that is it, is granted again.
  void Gone(TimePoint now, TimePoint granted);

 private:
  void Open(TimePoint now, RandomStream& random);

  State state_ = State::kClosed;
  TimePoint retry_at_{};
  // When it was opened or closed last: calls granted before then say nothing new.
  TimePoint changed_at_ = TimePoint::min();
  std::int32_t openings_ = 0;
  std::int32_t in_a_row_ = 0;
  // The last twenty answers, a bit each: 1 for a failure.
  std::uint32_t recent_ = 0;
  std::int32_t seen_ = 0;
};

}  // namespace candor::engine
