// A limit group as others see it.
#include "common/base/time_proto.h"
#include "coordinator/engine/group_limits.h"

namespace candor::engine {

using Dimension = v1::LimitUse::Dimension;

void GroupLimits::Fill(TimePoint now, WallTime wall, v1::LimitGroup& view) {
  const auto on_the_wall = [&](TimePoint time) { return ToProto(wall + (time - now)); };
  *view.mutable_limits() = in_force(now);
  *view.mutable_configured() = configured_.limits;
  view.set_share(configured_.share);
  view.set_requests_last_minute(pacer_.used(now, v1::LimitUse::REQUESTS_PER_MINUTE));
  view.set_tokens_last_minute(pacer_.used(now, v1::LimitUse::TOKENS_PER_MINUTE));
  view.set_in_flight(pacer_.in_flight());
  view.set_refusals(refusals_);
  view.set_calls(calls_);
  view.set_ramp(Pace(now));
  if (blocked_until_ > now) *view.mutable_blocked_until() = on_the_wall(blocked_until_);
  switch (circuit_.state()) {
    case Circuit::State::kClosed:
      view.set_circuit(v1::LimitGroup::CLOSED);
      break;
    case Circuit::State::kOpen:
      view.set_circuit(v1::LimitGroup::OPEN);
      // A time that is over is none to wait for: the next call looks.
      if (circuit_.retry_at() > now) {
        *view.mutable_circuit_retry_time() = on_the_wall(circuit_.retry_at());
      }
      break;
    case Circuit::State::kHalfOpen:
      view.set_circuit(v1::LimitGroup::HALF_OPEN);
      break;
  }
  for (const Dimension dimension :
       {v1::LimitUse::REQUESTS_PER_MINUTE, v1::LimitUse::TOKENS_PER_MINUTE,
        v1::LimitUse::INPUT_TOKENS_PER_MINUTE, v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE,
        v1::LimitUse::REQUESTS_PER_DAY, v1::LimitUse::TOKENS_PER_DAY, v1::LimitUse::IN_FLIGHT}) {
    LimitOrigin origin;
    const std::int64_t limit = InForce(now, dimension, &origin);
    if (limit == 0) continue;
    v1::LimitUse& use = *view.add_uses();
    use.set_dimension(dimension);
    use.set_limit(limit);
    use.set_source(origin.source);
    use.set_used(pacer_.used(now, dimension));
    const HeaderLimit& header = headers_[static_cast<std::size_t>(dimension)];
    if (header.remaining()) use.set_remaining(*header.remaining());
    if (header.reset_at()) *use.mutable_reset_time() = on_the_wall(*header.reset_at());
  }
}

LimitOrigin GroupLimits::OriginOf(TimePoint now, Dimension dimension) const {
  LimitOrigin origin;
  InForce(now, dimension, &origin);
  return origin;
}

}  // namespace candor::engine
