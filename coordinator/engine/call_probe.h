// What a provider bears that says nothing of its limits, found by trying.
//
// Calls in flight (slow start and congestion avoidance, RFC 5681; additive increase and
// multiplicative decrease, Chiu and Jain 1989): the bound begins at 16 and doubles in each round
// trip while calls come back well, or in each second while none is refused. A refusal lowers it to
// 0.7 of the calls that were in flight; up to 0.95 of them it doubles again, and then rises by one
// in each round trip, or for each 100 calls where that takes longer. It rises only while it is what
// holds calls back.
//
// Requests a minute: calls in flight alone would swing about a limit a minute, which does not care
// how many are in flight. So a refusal also sets a bound on the rate,
//
//   rate = max(0.95 * accepted calls of the last 60 s, 0.7 * pace of the last 2 s)
//
// of which the first is what the provider surely gave, and the second keeps a refusal after a few
// calls (a limit of calls in flight, or a window of a second) from being taken for a limit a
// minute; a Retry-After of 5 s and more says that it is one, and leaves the second out. Then it is
// tried upwards, slowly at first and ever faster (as CUBIC does, RFC 9438):
//
//   growth = 0.05 % a second * 2^(u / 10), at most 5 % a second
//
// u counts the seconds since the refusal, but at most one for every three calls, so that at a slow
// rate too no more than about 1 call in 100 is refused. It too rises only while it holds calls
// back.
//
// One decrease an episode: refusals of calls that were granted before the last decrease say nothing
// new. Failures other than refusals change nothing.
//
// Not for concurrent use. `now` never goes back.
#pragma once

#include "common/base/clock.h"

#include <array>
#include <cstdint>
#include <deque>
#include <utility>

namespace candor::engine {

class CallProbe {
 public:
  // Calls in flight: `most` is the configured number, from which it begins then; 0: none.
  explicit CallProbe(std::int64_t most);
  void SetMost(std::int64_t most);

  std::int64_t in_flight() const;
  // Requests a minute; 0 while nothing was refused.
  std::int64_t requests_per_minute() const;

  // So many calls were sent.
  void Sent(TimePoint now, std::int64_t calls);
  // A call came back well; `in_flight` counts it.
  void Worked(std::int64_t in_flight);
  // A call was refused for there being too many. `long_wait`: the provider asked to wait 5 s and
  // more. True when that begins an episode.
  bool Refused(TimePoint now, TimePoint granted, std::int64_t in_flight, bool long_wait);
  // Nothing was sent for a while: what it bore then need not be what it bears at once.
  void Idle();
  // Before the bounds are asked; at least once a second.
  void Grow(TimePoint now, std::int64_t in_flight);

 private:
  // Sent and not refused in the last 60 s; and the pace of the last 2 s, a minute.
  std::int64_t Accepted(TimePoint now);
  double Pace(TimePoint now);
  void Roll(TimePoint now);

  std::int64_t most_;
  double window_;
  double threshold_;
  double rate_ = 0;
  double progress_ = 0;
  TimePoint grown_at_{};
  TimePoint doubled_at_{};
  // Sent since then.
  std::int64_t sent_since_ = 0;
  TimePoint decreased_at_ = TimePoint::min();
  // By seconds: sent less refused.
  std::array<std::int64_t, 61> seconds_{};
  std::int64_t second_ = INT64_MIN;
};

}  // namespace candor::engine
