// The limits of one account: how many calls may be granted now, so that no window of 60 s at the
// provider ever holds more than the limits allow.
//
// A call reaches the provider some time after its grant. Until its lease is sent it counts without
// end; from then on for 60 s and a guard that covers the time within which a worker starts a call.
// So every 60 s at the provider hold at most what one window of ours holds.
//
// Windows are rings of buckets of 100 ms, rounded so that a call counts too long rather than too
// short. Within the minute calls are spread evenly (generic cell rate algorithm, ITU-T I.371): a
// limit of 60 a minute is one a second, because some providers look at shorter windows than they
// say. Up to 100 ms worth of calls may go together.
//
//   const std::int64_t room = pacer.Available(now, tokens);
//   pacer.Take(now, room, tokens);           // granted
//   pacer.Sent(now, tokens);                 // each of them, when its lease is sent
//   pacer.Ended();                           // each of them, when its report is there
//
// Not for concurrent use. `now` never goes back.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "common/base/clock.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace candor::engine {

class Pacer {
 public:
  // What stands against a grant.
  enum class Hold {
    kNone,
    kRequests,  // the requests of the last minute, or their even spread
    kTokens,    // the tokens of the last minute, or their even spread
    kInFlight,
    kTooLarge,  // one call takes more tokens than the limit allows in a minute
  };

  // A call counts for 60 s + `guard` from when it was sent.
  Pacer(const v1::Limits& limits, Duration guard);

  const v1::Limits& limits() const { return limits_; }
  // Windows stay as they are: a lower limit holds at once.
  void SetLimits(const v1::Limits& limits);

  // How many calls of `tokens` each may be granted now; at most 2^31.
  std::int64_t Available(TimePoint now, std::int64_t tokens);
  // Why `Available` is 0.
  Hold Holding(TimePoint now, std::int64_t tokens);
  // When `Available` is above 0 again by the passing of time alone; absent when something else has
  // to happen first.
  std::optional<TimePoint> NextChance(TimePoint now, std::int64_t tokens);

  // `calls` were granted.
  void Take(TimePoint now, std::int64_t calls, std::int64_t tokens);
  // The lease of a granted call is sent now.
  void Sent(TimePoint now, std::int64_t tokens);
  // A granted call is withdrawn before its lease is sent.
  void Withdraw(std::int64_t tokens);
  // A sent call was never made: what it took at `sent` is free again.
  void Refund(TimePoint now, TimePoint sent, std::int64_t tokens);
  // A call used more than was reserved for it.
  void AddTokens(TimePoint now, std::int64_t tokens);
  // The call of a sent or withdrawn lease is not in flight any more.
  void Ended() { --in_flight_; }
  // A call of before a restart; `in_flight` when nobody knows yet what became of it.
  void Restore(TimePoint now, TimePoint sent, std::int64_t tokens, bool in_flight);

  std::int64_t requests(TimePoint now);
  std::int64_t tokens(TimePoint now);
  std::int64_t in_flight() const { return in_flight_; }

 private:
  struct Bucket {
    std::int64_t requests = 0;
    std::int64_t tokens = 0;
  };

  // Emission interval in nanoseconds for one of `limit` a minute.
  std::int64_t Interval(std::int64_t limit) const;
  void Advance(TimePoint now);
  Bucket* At(TimePoint time);
  // When the window has room for `amount` more of `limit`; absent when only a send can start the
  // clock.
  std::optional<TimePoint> Room(std::int64_t Bucket::*what, std::int64_t used, std::int64_t limit,
                                std::int64_t amount) const;

  v1::Limits limits_;
  Duration window_;
  std::vector<Bucket> ring_;
  // The bucket of the latest `now`, counted from the clock's epoch.
  std::int64_t head_ = INT64_MIN;
  Bucket sum_;
  // Granted and not yet sent.
  Bucket unsent_;
  std::int64_t in_flight_ = 0;
  // Theoretical arrival times, in nanoseconds.
  std::int64_t next_request_ = INT64_MIN;
  std::int64_t next_token_ = INT64_MIN;
};

}  // namespace candor::engine
