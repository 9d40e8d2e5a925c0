#include "coordinator/engine/first_call.h"

#include <algorithm>

namespace candor::engine {

void FirstCall::Expect(TimePoint until) {
  state_ = State::kDue;
  from_ = std::max(from_, until);
}

std::int64_t FirstCall::Available() const {
  if (state_ == State::kPassed) return INT64_MAX;
  return state_ == State::kDue ? 1 : 0;
}

void FirstCall::Taken() {
  if (state_ == State::kDue) state_ = State::kUnderWay;
}

bool FirstCall::Answered(TimePoint granted, Circuit::Sign sign) {
  if (state_ != State::kUnderWay || granted < from_) return false;
  state_ = sign == Circuit::Sign::kWorks ? State::kPassed : State::kDue;
  return state_ == State::kPassed;
}

void FirstCall::Gone(TimePoint granted) {
  if (state_ == State::kUnderWay && granted >= from_) state_ = State::kDue;
}

}  // namespace candor::engine
