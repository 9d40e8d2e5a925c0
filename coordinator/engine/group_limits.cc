#include "coordinator/engine/group_limits.h"

#include "coordinator/engine/planted_bug.h"
#include "coordinator/engine/retry_policy.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace candor::engine {
namespace {

using Dimension = v1::LimitUse::Dimension;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kRefresh = seconds(1);
constexpr Duration kIdle = seconds(10);
constexpr Duration kRamp = seconds(5);
constexpr double kRampFrom = 0.2;
constexpr Duration kRestartRamp = milliseconds(2500);
constexpr double kRestartFrom = 0.6;
// What is tried of a limit that others seem to use up.
constexpr double kLeastShare = 0.05;
// A Retry-After so long is one of a window of a minute.
constexpr Duration kLongWait = seconds(5);

constexpr Dimension kWindows[] = {
    v1::LimitUse::REQUESTS_PER_MINUTE,     v1::LimitUse::TOKENS_PER_MINUTE,
    v1::LimitUse::INPUT_TOKENS_PER_MINUTE, v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE,
    v1::LimitUse::REQUESTS_PER_DAY,        v1::LimitUse::TOKENS_PER_DAY};

// Rounded down to at least 1; 0 stays 0, no limit.
std::int64_t Share(std::int64_t limit, double share) {
  if (limit <= 0) return 0;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(limit) * share));
}

v1::WaitReason ReasonOf(Dimension dimension) {
  switch (dimension) {
    case v1::LimitUse::REQUESTS_PER_MINUTE:
      return v1::REQUEST_LIMIT;
    case v1::LimitUse::IN_FLIGHT:
      return v1::IN_FLIGHT_LIMIT;
    case v1::LimitUse::REQUESTS_PER_DAY:
    case v1::LimitUse::TOKENS_PER_DAY:
      return v1::DAILY_LIMIT;
    default:
      return v1::TOKEN_LIMIT;
  }
}

}  // namespace

std::int64_t LimitOf(const v1::Limits& limits, Dimension dimension) {
  switch (dimension) {
    case v1::LimitUse::REQUESTS_PER_MINUTE:
      return limits.requests_per_minute();
    case v1::LimitUse::TOKENS_PER_MINUTE:
      return limits.tokens_per_minute();
    case v1::LimitUse::IN_FLIGHT:
      return limits.in_flight();
    case v1::LimitUse::INPUT_TOKENS_PER_MINUTE:
      return limits.input_tokens_per_minute();
    case v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE:
      return limits.output_tokens_per_minute();
    case v1::LimitUse::REQUESTS_PER_DAY:
      return limits.requests_per_day();
    case v1::LimitUse::TOKENS_PER_DAY:
      return limits.tokens_per_day();
    default:
      return 0;
  }
}

GroupLimits::GroupLimits(Configured configured, Duration guard)
    : configured_(std::move(configured)),
      pacer_(guard),
      probe_(Share(configured_.limits.in_flight(), configured_.share)) {
  // In force from the start.
  Refresh(TimePoint{});
}

void GroupLimits::SetConfigured(TimePoint now, const v1::Limits& limits) {
  configured_.limits = limits;
  probe_.SetMost(Share(limits.in_flight(), configured_.share));
  changed_ = true;
  Refresh(now);
}

void GroupLimits::Restarted(TimePoint now) {
  BeginRamp(now, kRestartFrom, kRestartRamp);
  last_taken_ = now;
}

std::int64_t GroupLimits::InForce(TimePoint now, Dimension dimension, LimitOrigin* origin) const {
  const std::int64_t configured = LimitOf(configured_.limits, dimension);
  std::int64_t limit = Share(configured, configured_.share);
  *origin = {};
  if (limit > 0) *origin = {v1::LimitUse::CONFIGURED, configured, configured_.share};
  const auto lower = [&](std::int64_t to, const LimitOrigin& by) {
    if (to <= 0 || (limit > 0 && to >= limit)) return;
    limit = to;
    *origin = by;
  };
  const HeaderLimit& header = headers_[static_cast<std::size_t>(dimension)];
  const std::int64_t reported = header.Limit(now);
  if (reported > 0 && !Planted(PlantedBug::kHeadersNeverLower)) {
    lower(Share(reported, configured_.share), {v1::LimitUse::LEARNED, reported, configured_.share});
    if (const std::int64_t others = header.Others(now); others > 0) {
      lower(std::max(reported - others, Share(reported, kLeastShare)),
            {v1::LimitUse::LEARNED, reported, 1, others});
    }
  }
  const auto probed = [&](std::int64_t to) { lower(to, {v1::LimitUse::PROBED, to}); };
  if (dimension == v1::LimitUse::REQUESTS_PER_MINUTE) {
    probed(probe_.requests_per_minute());
  } else if (dimension == v1::LimitUse::IN_FLIGHT && !KnowsRate(now)) {
    probed(probe_.in_flight());
  }
  return limit;
}

// How many calls that makes in flight is a matter of how long they take.
bool GroupLimits::KnowsRate(TimePoint now) const {
  return std::any_of(std::begin(kWindows), std::end(kWindows), [&](Dimension dimension) {
    return ReasonOf(dimension) != v1::DAILY_LIMIT &&
           (LimitOf(configured_.limits, dimension) > 0 ||
            headers_[static_cast<std::size_t>(dimension)].Limit(now) > 0);
  });
}

void GroupLimits::Refresh(TimePoint now) {
  pacer_.SetPace(Pace(now));
  if (!changed_ && now - refreshed_at_ < kRefresh) return;
  changed_ = false;
  refreshed_at_ = now;
  probe_.Grow(now, pacer_.in_flight());
  LimitOrigin origin;
  v1::Limits limits;
  limits.set_requests_per_minute(InForce(now, v1::LimitUse::REQUESTS_PER_MINUTE, &origin));
  limits.set_tokens_per_minute(InForce(now, v1::LimitUse::TOKENS_PER_MINUTE, &origin));
  limits.set_in_flight(InForce(now, v1::LimitUse::IN_FLIGHT, &origin));
  limits.set_input_tokens_per_minute(InForce(now, v1::LimitUse::INPUT_TOKENS_PER_MINUTE, &origin));
  limits.set_output_tokens_per_minute(
      InForce(now, v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE, &origin));
  limits.set_requests_per_day(InForce(now, v1::LimitUse::REQUESTS_PER_DAY, &origin));
  limits.set_tokens_per_day(InForce(now, v1::LimitUse::TOKENS_PER_DAY, &origin));
  pacer_.SetLimits(limits);
}

void GroupLimits::BeginRamp(TimePoint now, double from, Duration time) {
  // A ramp that has begun lower goes on.
  if (Pace(now) < from) return;
  ramp_from_ = now;
  ramp_pace_ = from;
  ramp_time_ = time;
}

double GroupLimits::Pace(TimePoint now) const {
  if (now - ramp_from_ >= ramp_time_) return 1;
  const double part =
      static_cast<double>((now - ramp_from_).count()) / static_cast<double>(ramp_time_.count());
  return ramp_pace_ + (1 - ramp_pace_) * part;
}

std::int64_t GroupLimits::Available(TimePoint now, const CallSize& size) {
  if (blocked_until_ > now) return 0;
  const std::int64_t calls = std::min(circuit_.Available(now), first_call_.Available());
  if (calls == 0) return 0;
  Refresh(now);
  return std::min(calls, pacer_.Available(now, size));
}

std::optional<TimePoint> GroupLimits::NextChance(TimePoint now, const CallSize& size) {
  Refresh(now);
  if (circuit_.state() == Circuit::State::kHalfOpen || first_call_.under_way()) return std::nullopt;
  TimePoint from = std::max(now, blocked_until_);
  if (circuit_.state() == Circuit::State::kOpen) from = std::max(from, circuit_.retry_at());
  if (const auto chance = pacer_.NextChance(now, size)) return std::max(from, *chance);
  // A limit that others' use lowers rises by itself when nothing is heard of them any more.
  std::optional<TimePoint> rises;
  for (const Dimension dimension : kWindows) {
    const auto forgets = headers_[static_cast<std::size_t>(dimension)].Forgets(now);
    if (forgets && (!rises || *forgets < *rises)) rises = forgets;
  }
  if (rises) return std::max({from, *rises, refreshed_at_ + kRefresh});
  return std::nullopt;
}

GroupLimits::Held GroupLimits::Holding(TimePoint now, const CallSize& size) {
  Refresh(now);
  if (blocked_until_ > now) {
    return {daily_ ? v1::DAILY_LIMIT : v1::PROVIDER_ASKED, {}, false, blocked_until_};
  }
  if (circuit_.Available(now) == 0) {
    std::optional<TimePoint> until;
    if (circuit_.state() == Circuit::State::kOpen) until = circuit_.retry_at();
    return {v1::CIRCUIT_OPEN, {}, false, until};
  }
  if (first_call_.under_way()) return {v1::DAILY_LIMIT, {}, false, std::nullopt};
  const Pacer::Hold hold = pacer_.Holding(now, size);
  if (hold.dimension == v1::LimitUse::DIMENSION_UNSPECIFIED) return {};
  Held held{ReasonOf(hold.dimension), hold.dimension, hold.too_large, pacer_.NextChance(now, size)};
  held.spread = hold.spread;
  held.used = pacer_.used(now, hold.dimension);
  held.takes = Pacer::Amount(hold.dimension, size);
  LimitOrigin origin;
  InForce(now, hold.dimension, &origin);
  if (hold.dimension == v1::LimitUse::IN_FLIGHT && origin.source == v1::LimitUse::PROBED) {
    held.reason = v1::PROBING;
  } else if (hold.ramp) {
    held.reason = v1::RAMP;
  }
  return held;
}

bool GroupLimits::MayStart(TimePoint now, TimePoint granted) const {
  return blocked_until_ <= now && circuit_.Allows(granted) && first_call_.Allows(granted);
}

void GroupLimits::Take(TimePoint now, std::int64_t calls, const CallSize& size) {
  if (calls <= 0) return;
  if (last_taken_ == TimePoint::min() || now - last_taken_ >= kIdle) {
    BeginRamp(now, kRampFrom, kRamp);
    if (pacer_.in_flight() == 0) probe_.Idle();
    pacer_.SetPace(Pace(now));
  }
  last_taken_ = now;
  circuit_.Taken(now);
  first_call_.Taken();
  pacer_.Take(now, calls, size);
}

void GroupLimits::Sent(TimePoint now, const CallSize& size) {
  pacer_.Sent(now, size);
  probe_.Sent(now, 1);
}

void GroupLimits::Withdraw(TimePoint now, TimePoint granted, const CallSize& size) {
  pacer_.Withdraw(now, size);
  Gone(now, granted);
}

void GroupLimits::Refund(TimePoint now, TimePoint granted, TimePoint sent, const CallSize& size) {
  pacer_.Refund(now, sent, size);
  Gone(now, granted);
}

void GroupLimits::Lost(TimePoint now, TimePoint granted, const CallSize& size,
                       std::int64_t output_limit) {
  pacer_.Lost(now, size, output_limit);
  Gone(now, granted);
}

void GroupLimits::Gone(TimePoint now, TimePoint granted) {
  circuit_.Gone(now, granted);
  first_call_.Gone(granted);
}

void GroupLimits::Observe(TimePoint now, const Answer& answer) {
  if (answer.observations == nullptr) return;
  for (const v1::LimitObservation& observation : *answer.observations) {
    const auto dimension = static_cast<std::size_t>(observation.dimension());
    if (std::find(std::begin(kWindows), std::end(kWindows), observation.dimension()) ==
        std::end(kWindows)) {
      continue;
    }
    HeaderLimit& header = headers_[dimension];
    LimitOrigin origin;
    const std::int64_t before = InForce(now, observation.dimension(), &origin);
    const std::int64_t others = header.Others(now);
    const std::int64_t ours = pacer_.used(now, observation.dimension());
    if (header.Observe(now, answer.granted, observation, ours)) {
      changed_ = true;
      // Where that brings a limit that was not known, or a much higher one, it is come up to
      // slowly, unless half of it and more was borne in the last minute, before a restart too.
      const std::int64_t after = InForce(now, observation.dimension(), &origin);
      if ((before == 0 || after > 2 * before) && 2 * ours < after) {
        BeginRamp(now, kRampFrom, kRamp);
      }
    }
    if (header.Others(now) > others) changed_ = true;
  }
}

bool GroupLimits::Answered(TimePoint now, const Answer& answer, RandomStream& random) {
  ++calls_;
  const std::int64_t in_flight = pacer_.in_flight();
  // Before the call leaves the windows: the provider's headers count it.
  Observe(now, answer);
  pacer_.Ended(now, answer.end);
  const Circuit::Sign sign =
      answer.completed ? Circuit::Sign::kWorks : Circuit::SignOf(answer.error_class);
  const bool closed = circuit_.Answered(now, answer.granted, sign, random);
  const bool passed = first_call_.Answered(answer.granted, sign);
  if (closed || passed) BeginRamp(now, kRampFrom, kRamp);
  if (answer.completed) {
    refusals_in_a_row_ = 0;
    const std::int64_t before = probe_.in_flight();
    probe_.Worked(in_flight);
    changed_ = changed_ || probe_.in_flight() != before;
    return false;
  }
  if (answer.error_class == v1::Attempt::RATE_LIMITED) {
    ++refusals_;
    const bool long_wait = answer.retry_after && *answer.retry_after >= kLongWait;
    if (probe_.Refused(now, answer.granted, in_flight, long_wait)) changed_ = true;
  }
  return Block(now, answer.granted, answer.error_class, answer.retry_after, random);
}

bool GroupLimits::AnsweredLate(TimePoint now, v1::Attempt::ErrorClass error_class,
                               std::optional<Duration> retry_after, RandomStream& random) {
  if (!retry_after) return false;
  return Block(now, now, error_class, retry_after, random);
}

bool GroupLimits::Block(TimePoint now, TimePoint granted, v1::Attempt::ErrorClass error_class,
                        std::optional<Duration> retry_after, RandomStream& random) {
  if (KindOf(error_class) != ErrorKind::kBlock || Planted(PlantedBug::kRetryAfterIgnored)) {
    return false;
  }
  const bool daily = error_class == v1::Attempt::DAILY_LIMIT;
  TimePoint until{};
  if (retry_after) {
    until = now + std::clamp(*retry_after, Duration(0), LongestRetryAfter(error_class));
  } else {
    // An overloaded provider that does not say how long is the circuit's matter.
    if (error_class == v1::Attempt::OVERLOADED) return false;
    // Calls that were under way when the group was last refused say nothing new.
    if (granted <= blocked_at_ && refusals_in_a_row_ > 0) return false;
    until = now + GroupBackOff(error_class, ++refusals_in_a_row_, random);
    blocked_at_ = now;
  }
  if (daily) first_call_.Expect(std::max(until, blocked_until_));
  if (until <= blocked_until_) return false;
  blocked_until_ = until;
  blocked_at_ = now;
  provider_said_ = retry_after.has_value();
  daily_ = daily;
  return true;
}

void GroupLimits::RestoreBlock(TimePoint until) {
  blocked_until_ = until;
  provider_said_ = true;
  // Whether a day's quota was used up is not written down.
  first_call_.Expect(until);
}

void GroupLimits::Restore(TimePoint now, TimePoint sent, const CallSize& size, bool in_flight) {
  pacer_.Restore(now, sent, size, in_flight);
  // So that a refusal soon after a restart is set against what the minute held.
  probe_.Sent(sent, 1);
}

const v1::Limits& GroupLimits::in_force(TimePoint now) {
  Refresh(now);
  return pacer_.limits();
}

}  // namespace candor::engine
