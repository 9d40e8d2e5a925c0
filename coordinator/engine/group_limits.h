// Everything that decides when one account's calls go: its limits, configured, learned from headers
// and found by probing; the ramp; a provider's wish to be left alone; the circuit; the one call
// that looks whether a day's quota is there again.
//
// The limit in force of each dimension is the least of
//
//   configured * share           what the operator gave, in candor.yaml or while running
//   reported * share             what the provider's headers say
//   reported - others            what they show that others leave of the account
//   probed                       of requests a minute; and of calls in flight where no limit a
//                                minute is known: see call_probe.h
//
// so nothing is ever above what is configured. Where others use nearly all, 5 % of the reported
// limit is tried on.
//
// The ramp: after 10 s without a call, and when a limit was just learned of which less than half
// was in use, calls go at 20 % of their even spread, rising to all of it within 5 s; after a
// restart at 60 %, within 2.5 s.
//
//   if (limits.Available(now, size) > 0) { limits.Take(now, 1, size); ... }
//
// Not for concurrent use. `now` never goes back.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "coordinator/engine/call_probe.h"
#include "coordinator/engine/circuit.h"
#include "coordinator/engine/first_call.h"
#include "coordinator/engine/header_limit.h"
#include "coordinator/engine/pacer.h"

#include <array>
#include <cstdint>
#include <optional>

namespace candor::engine {

// One of them; 0: none.
std::int64_t LimitOf(const v1::Limits& limits, v1::LimitUse::Dimension dimension);

// Where a limit in force is from.
struct LimitOrigin {
  v1::LimitUse::Source source = v1::LimitUse::SOURCE_UNSPECIFIED;
  // What that source says of the account; 0 where there is no limit.
  std::int64_t account = 0;
  // What part of it was taken, where that is what makes the limit.
  double share = 1;
  // What others use of it, where that is what makes the limit; 0 where it is not.
  std::int64_t others = 0;
};

class GroupLimits {
 public:
  // What the operator gave.
  struct Configured {
    // Of the account, before the share.
    v1::Limits limits;
    double share = 1;
  };
  // What stands against a grant.
  struct Held {
    v1::WaitReason reason = v1::NOTHING;
    // Which limit, where it is one.
    v1::LimitUse::Dimension dimension = v1::LimitUse::DIMENSION_UNSPECIFIED;
    // A call takes more than the limit allows in a whole window.
    bool too_large = false;
    // Until when at the longest, by the passing of time alone; absent when that is not known.
    std::optional<TimePoint> until;
    // The window has room: only the even spread stands against it.
    bool spread = false;
    // Of that limit: what is used, and what one call takes at most.
    std::int64_t used = 0;
    std::int64_t takes = 0;
  };
  // An answer, or its absence.
  struct Answer {
    Pacer::CallEnd end;
    TimePoint granted{};
    // A complete reply.
    bool completed = false;
    v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED;
    // What the provider asked for.
    std::optional<Duration> retry_after;
    const google::protobuf::RepeatedPtrField<v1::LimitObservation>* observations = nullptr;
  };

  GroupLimits(Configured configured, Duration guard);

  const Configured& configured() const { return configured_; }
  // An operator changed them; windows stay as they are.
  void SetConfigured(TimePoint now, const v1::Limits& limits);
  // A coordinator went on after a restart.
  void Restarted(TimePoint now);

  // How many calls of this size may be granted now.
  std::int64_t Available(TimePoint now, const CallSize& size);
  // When that may be above 0 again by the passing of time alone; absent when something else has to
  // happen first.
  std::optional<TimePoint> NextChance(TimePoint now, const CallSize& size);
  Held Holding(TimePoint now, const CallSize& size);
  // A call that was granted at `granted` may start.
  bool MayStart(TimePoint now, TimePoint granted) const;

  // See Pacer. A granted call comes to one end of these.
  void Take(TimePoint now, std::int64_t calls, const CallSize& size);
  void Sent(TimePoint now, const CallSize& size);
  void Withdraw(TimePoint now, TimePoint granted, const CallSize& size);
  void Refund(TimePoint now, TimePoint granted, TimePoint sent, const CallSize& size);
  void Lost(TimePoint now, TimePoint granted, const CallSize& size, std::int64_t output_limit);
  // True when the group makes no call for a while because of it.
  bool Answered(TimePoint now, const Answer& answer, RandomStream& random);
  // The answer to a call that is in no window any more. True likewise.
  bool AnsweredLate(TimePoint now, v1::Attempt::ErrorClass error_class,
                    std::optional<Duration> retry_after, RandomStream& random);
  void Restore(TimePoint now, TimePoint sent, const CallSize& size, bool in_flight);

  // No call before this time: the provider said so, or refused without saying how long.
  TimePoint blocked_until() const { return blocked_until_; }
  bool provider_said() const { return provider_said_; }
  bool daily() const { return daily_; }
  void RestoreBlock(TimePoint until);

  // For a view: `limits` in force, `uses`, `circuit`, `ramp` and what else is of the group alone.
  void Fill(TimePoint now, WallTime wall, v1::LimitGroup& view);
  const v1::Limits& in_force(TimePoint now);
  LimitOrigin OriginOf(TimePoint now, v1::LimitUse::Dimension dimension) const;
  std::int64_t in_flight() const { return pacer_.in_flight(); }
  // A limit a day is in force.
  bool HasDay() const {
    return pacer_.limits().requests_per_day() > 0 || pacer_.limits().tokens_per_day() > 0;
  }

 private:
  static constexpr std::size_t kDimensions = 8;

  // Works out the limits in force, when a second has passed or something changed.
  void Refresh(TimePoint now);
  std::int64_t InForce(TimePoint now, v1::LimitUse::Dimension dimension, LimitOrigin* origin) const;
  // A limit a minute is configured or learned.
  bool KnowsRate(TimePoint now) const;
  double Pace(TimePoint now) const;
  void BeginRamp(TimePoint now, double from, Duration time);
  void Gone(TimePoint now, TimePoint granted);
  void Observe(TimePoint now, const Answer& answer);
  bool Block(TimePoint now, TimePoint granted, v1::Attempt::ErrorClass error_class,
             std::optional<Duration> retry_after, RandomStream& random);

  Configured configured_;
  Pacer pacer_;
  CallProbe probe_;
  Circuit circuit_;
  FirstCall first_call_;
  // By dimension; IN_FLIGHT is not in headers.
  std::array<HeaderLimit, kDimensions> headers_;

  bool changed_ = true;
  TimePoint refreshed_at_ = TimePoint::min();
  TimePoint ramp_from_{};
  double ramp_pace_ = 1;
  Duration ramp_time_{1};
  TimePoint last_taken_ = TimePoint::min();

  TimePoint blocked_until_{};
  // When that was last decided: what was granted before counts as the same refusal.
  TimePoint blocked_at_ = TimePoint::min();
  bool provider_said_ = false;
  bool daily_ = false;
  std::int32_t refusals_in_a_row_ = 0;

  std::int64_t refusals_ = 0;
  std::int64_t calls_ = 0;
};

}  // namespace candor::engine
