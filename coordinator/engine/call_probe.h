// What a provider bears that says nothing of its limits, found by trying.
//
// Calls in flight (slow start, RFC 5681): the bound begins at 16 and doubles in each round trip
// while calls come back well, or in each second while none is refused. Requests a minute: no bound
// until something is refused, because a limit a minute does not care how many are in flight, and a
// limit of calls in flight not how many go in a minute.
//
// A refusal meets a ceiling of one of them, or of both: as many as were in flight; as many as were
// accepted in the last 60 s. It was the one that is within 5 % of where it was met before; if that
// is said of both or of neither, the one whose bound held calls back. The other bound stays.
//
// Met again, a ceiling is known. The bound goes a little under it: to 0.98 of the rate; to one call
// less, or 0.97 of them where that is more. From there it returns as CUBIC does (RFC 9438), quickly
// at first and hardly any more after 60 s; then it is tried beyond, slowly and ever faster:
//
//   growth = 0.05 % a second * 2^(u / 10), at most 5 % a second
//
// Met for the first time, or elsewhere than before, or without its being known which one it was,
// it is left well: calls in flight go to 0.7 of what was borne, and double again until just under
// it; the rate to
//
//   rate = max(0.95 * accepted calls of the last 60 s, 0.7 * pace of the last 2 s)
//
// of which the first is what the provider surely gave, and the second keeps a refusal after a few
// calls (a limit of calls in flight, or a window of a second) from being taken for a limit a
// minute; a Retry-After of 5 s and more says that it is one, and leaves the second out. Then the
// bound is tried upwards by the growth above, with u = 30.
//
// All of these are seconds in which the bound held calls back, but at most one for every three
// calls, so that at a slow rate too no more than about 1 call in 100 is refused.
//
// One decrease an episode: refusals of calls that were granted before the last decrease say nothing
// new but how many of those in flight were not borne. Failures other than refusals change nothing.
//
// Not for concurrent use. `now` never goes back.
#pragma once

#include "common/base/clock.h"

#include <array>
#include <cstdint>

namespace candor::engine {

class CallProbe {
 public:
  // Calls in flight: `most` is the configured number, from which it begins then; 0: none.
  explicit CallProbe(std::int64_t most);
  void SetMost(std::int64_t most);

  std::int64_t in_flight() const;
  // Requests a minute; 0 while nothing was refused.
  std::int64_t requests_per_minute() const;

  // So many calls were sent; before a restart too.
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
  static constexpr double kAbsent = -1;
  // What a bound was refused at, and how it returns there and goes beyond.
  class Ceiling {
   public:
    // Met at `at`; the bound goes on from `from`. `again`: it was met there before.
    void Meet(double at, double from, bool again);
    double at() const { return at_; }
    // About where it was met before; whole calls differ by one.
    bool IsAbout(double value) const;
    // What a bound of `value` is after so many seconds more in which it held calls back.
    double Raised(double value, double seconds);

   private:
    double Return(double progress) const;

    // 0: never met.
    double at_ = 0;
    double from_ = 0;
    double progress_ = 0;
  };

  void MeetInFlight(double borne, bool again);
  void MeetRate(double accepted, bool again);
  // Sent and not refused in the last 60 s; and the pace of the last 2 s, a minute.
  double Accepted(TimePoint now);
  double Pace(TimePoint now);
  void Roll(TimePoint now);
  std::int64_t& Second(std::int64_t ago);

  std::int64_t most_;
  // Of calls in flight: the bound, up to where it doubles, and what it was refused at.
  double window_;
  double threshold_;
  Ceiling in_flight_ceiling_;
  // Of requests a minute; 0: none.
  double rate_ = 0;
  Ceiling rate_ceiling_;
  TimePoint grown_at_{};
  TimePoint doubled_at_{};
  // Sent since it was grown.
  std::int64_t sent_since_ = 0;
  TimePoint decreased_at_ = TimePoint::min();
  // Of what the last decrease met that was not known: how many calls in flight were borne at the
  // least, and what is kept of the pace; absent where it was known, or not met.
  struct Episode {
    double least = kAbsent;
    double pace_kept = kAbsent;
  };
  Episode episode_;
  // By seconds: sent less refused.
  std::array<std::int64_t, 61> seconds_{};
  std::int64_t second_ = INT64_MIN;
};

}  // namespace candor::engine
