// A group whose quota of a day was used up does not know when the provider's new day begins: what a
// refusal says of it is a guess, and often none. So when its block is over one call goes first and
// tells, and the rest follow when it was answered, where all that wait would be refused at once.
//
// Not for concurrent use.
#pragma once

#include "common/base/clock.h"
#include "coordinator/engine/circuit.h"

#include <cstdint>

namespace candor::engine {

class FirstCall {
 public:
  // The quota is used up, and no call goes before `until`.
  void Expect(TimePoint until);
  // Calls that may be granted from then on: one, none while it is under way, or any number
  // (INT64_MAX).
  std::int64_t Available() const;
  bool under_way() const { return state_ == State::kUnderWay; }
  // A call was granted.
  void Taken();
  // A call that was granted at `granted` may start.
  bool Allows(TimePoint granted) const { return state_ == State::kPassed || granted >= from_; }
  // It was answered: a provider that works lets the rest go, for which this is true; one that fails
  // or asks to wait has said nothing yet, and the next one goes.
  bool Answered(TimePoint granted, Circuit::Sign sign);
  // It came to nothing: another one goes.
  void Gone(TimePoint granted);

 private:
  enum class State { kPassed, kDue, kUnderWay };

  State state_ = State::kPassed;
  // Calls granted before then were under way when it was refused, and say nothing new.
  TimePoint from_ = TimePoint::min();
};

}  // namespace candor::engine
