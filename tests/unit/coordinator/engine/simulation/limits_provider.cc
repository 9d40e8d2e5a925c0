#include "tests/unit/coordinator/engine/simulation/limits_provider.h"

#include "common/base/time_proto.h"
#include "coordinator/engine/group_limits.h"

#include <algorithm>
#include <chrono>

namespace candor::engine::simulation {
namespace {

using Dimension = v1::LimitUse::Dimension;

bool IsTokens(Dimension dimension) {
  return dimension != v1::LimitUse::REQUESTS_PER_MINUTE &&
         dimension != v1::LimitUse::REQUESTS_PER_DAY;
}

}  // namespace

ProviderLimits::ProviderLimits(const LimitsProvider& settings) : settings_(settings) {
  for (const Dimension dimension :
       {v1::LimitUse::REQUESTS_PER_MINUTE, v1::LimitUse::TOKENS_PER_MINUTE,
        v1::LimitUse::INPUT_TOKENS_PER_MINUTE, v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE,
        v1::LimitUse::REQUESTS_PER_DAY, v1::LimitUse::TOKENS_PER_DAY}) {
    const std::int64_t limit = LimitOf(settings.limits, dimension);
    if (limit == 0) continue;
    const bool day =
        dimension == v1::LimitUse::REQUESTS_PER_DAY || dimension == v1::LimitUse::TOKENS_PER_DAY;
    Window& window = windows_.emplace_back();
    window.dimension = dimension;
    window.limit = limit;
    window.length = day ? Duration(std::chrono::hours(24)) : Duration(std::chrono::seconds(60));
  }
}

std::int64_t ProviderLimits::AtStart(Dimension dimension, const CallSize& size) {
  if (!IsTokens(dimension)) return 1;
  if (dimension == v1::LimitUse::INPUT_TOKENS_PER_MINUTE) return size.input;
  if (dimension == v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE) {
    return size.produced() ? 0 : size.output;
  }
  return size.produced() ? size.input : size.total();
}

std::int64_t ProviderLimits::AtEnd(Dimension dimension, const CallSize& size,
                                   std::int64_t produced) {
  const bool counts = IsTokens(dimension) && dimension != v1::LimitUse::INPUT_TOKENS_PER_MINUTE;
  return size.produced() && counts ? produced : 0;
}

void ProviderLimits::Forget(TimePoint now, Window& window) {
  while (!window.uses.empty() && window.uses.front().first + window.length <= now) {
    window.sum -= window.uses.front().second;
    window.uses.pop_front();
  }
}

std::optional<Duration> ProviderLimits::Admit(TimePoint now, const CallSize& size) {
  if (settings_.limits.in_flight() > 0 && in_flight_ >= settings_.limits.in_flight()) {
    return std::chrono::milliseconds(200);
  }
  std::optional<Duration> wait;
  for (Window& window : windows_) {
    Forget(now, window);
    // Of what is counted as it is produced, nothing is known of this call yet.
    std::int64_t excess =
        window.sum + std::max<std::int64_t>(1, AtStart(window.dimension, size)) - window.limit;
    if (excess <= 0) continue;
    Duration until = window.length;
    for (const auto& [time, amount] : window.uses) {
      excess -= amount;
      if (excess > 0) continue;
      until = time + window.length - now;
      break;
    }
    wait = std::max(wait.value_or(until), until);
  }
  if (wait) return wait;
  ++in_flight_;
  for (Window& window : windows_) {
    const std::int64_t amount = AtStart(window.dimension, size);
    window.uses.emplace_back(now, amount);
    window.sum += amount;
  }
  return std::nullopt;
}

void ProviderLimits::Finish(TimePoint now, const CallSize& size, std::int64_t produced) {
  --in_flight_;
  for (Window& window : windows_) {
    const std::int64_t amount = AtEnd(window.dimension, size, produced);
    if (amount == 0) continue;
    window.uses.emplace_back(now, amount);
    window.sum += amount;
  }
}

void ProviderLimits::Headers(TimePoint now,
                             google::protobuf::RepeatedPtrField<v1::LimitObservation>* out) {
  if (!settings_.headers) return;
  for (Window& window : windows_) {
    Forget(now, window);
    v1::LimitObservation& one = *out->Add();
    one.set_dimension(window.dimension);
    one.set_limit(window.limit);
    std::int64_t left = std::max<std::int64_t>(0, window.limit - window.sum);
    if (settings_.rounded_to > 0 && IsTokens(window.dimension)) {
      left = (left + settings_.rounded_to / 2) / settings_.rounded_to * settings_.rounded_to;
      left = std::min(left, window.limit);
      one.set_rounded_to(settings_.rounded_to);
    }
    one.set_remaining(left);
    *one.mutable_reset_after() =
        ToProto(window.uses.empty() ? Duration(0) : window.uses.back().first + window.length - now);
  }
}

}  // namespace candor::engine::simulation
