#include "coordinator/engine/pacer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace candor::engine {
namespace {

using Dimension = v1::LimitUse::Dimension;

// From a worker's first byte until the request has reached the provider.
constexpr Duration kWay = std::chrono::milliseconds(50);

bool CountsInput(Dimension dimension) {
  return dimension == v1::LimitUse::TOKENS_PER_MINUTE ||
         dimension == v1::LimitUse::TOKENS_PER_DAY ||
         dimension == v1::LimitUse::INPUT_TOKENS_PER_MINUTE;
}

// What the provider counted of a dimension; 0 where it did not say.
std::int64_t Of(Dimension dimension, const Pacer::CallEnd& end) {
  std::int64_t sum = 0;
  if (CountsInput(dimension)) sum += end.input.value_or(0);
  const bool counts_output =
      dimension == v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE ||
      (end.size.count != TokenCount::kInput && dimension != v1::LimitUse::INPUT_TOKENS_PER_MINUTE &&
       CountsInput(dimension));
  if (counts_output) sum += end.output.value_or(0);
  return sum;
}

}  // namespace

Pacer::Pacer(Duration guard)
    : guard_(guard),
      windows_{{{v1::LimitUse::REQUESTS_PER_MINUTE, LimitWindow(LimitWindow::Kind::kMinute)},
                {v1::LimitUse::TOKENS_PER_MINUTE, LimitWindow(LimitWindow::Kind::kMinute)},
                {v1::LimitUse::INPUT_TOKENS_PER_MINUTE, LimitWindow(LimitWindow::Kind::kMinute)},
                {v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE, LimitWindow(LimitWindow::Kind::kMinute)},
                {v1::LimitUse::REQUESTS_PER_DAY, LimitWindow(LimitWindow::Kind::kDay)},
                {v1::LimitUse::TOKENS_PER_DAY, LimitWindow(LimitWindow::Kind::kDay)}}} {}

void Pacer::SetLimits(const v1::Limits& limits) {
  limits_ = limits;
  const std::int64_t values[] = {
      limits.requests_per_minute(),     limits.tokens_per_minute(),
      limits.input_tokens_per_minute(), limits.output_tokens_per_minute(),
      limits.requests_per_day(),        limits.tokens_per_day()};
  for (std::size_t i = 0; i < windows_.size(); ++i) windows_[i].window.SetLimit(values[i]);
}

void Pacer::SetPace(double pace) {
  for (Window& one : windows_) one.window.SetPace(pace);
}

std::int64_t Pacer::AtStart(Dimension dimension, const CallSize& size) {
  switch (dimension) {
    case v1::LimitUse::REQUESTS_PER_MINUTE:
    case v1::LimitUse::REQUESTS_PER_DAY:
      return 1;
    case v1::LimitUse::TOKENS_PER_MINUTE:
    case v1::LimitUse::TOKENS_PER_DAY:
      return size.produced() ? size.input : size.total();
    case v1::LimitUse::INPUT_TOKENS_PER_MINUTE:
      return size.input;
    case v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE:
      return size.produced() ? 0 : size.output;
    default:
      return 0;
  }
}

std::int64_t Pacer::AtEnd(Dimension dimension, const CallSize& size) {
  const bool counts = dimension == v1::LimitUse::TOKENS_PER_MINUTE ||
                      dimension == v1::LimitUse::TOKENS_PER_DAY ||
                      dimension == v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE;
  return size.produced() && counts ? size.output : 0;
}

std::int64_t Pacer::Amount(Dimension dimension, const CallSize& size) {
  return AtStart(dimension, size) + AtEnd(dimension, size);
}

std::int64_t Pacer::Available(TimePoint now, const CallSize& size) {
  std::int64_t room = LimitWindow::kMost;
  if (limits_.in_flight() > 0) room = std::min(room, limits_.in_flight() - in_flight_);
  for (Window& one : windows_) {
    if (room <= 0) return 0;
    const std::int64_t amount = Amount(one.dimension, size);
    room = std::min(room, one.window.Available(now, amount));
  }
  return std::max<std::int64_t>(0, room);
}

Pacer::Hold Pacer::Holding(TimePoint now, const CallSize& size) {
  Hold hold;
  TimePoint longest = now;
  for (Window& one : windows_) {
    const std::int64_t amount = Amount(one.dimension, size);
    if (one.window.limit() > 0 && amount > one.window.limit())
      return {one.dimension, /*too_large=*/true};
    if (one.window.Available(now, amount) > 0) continue;
    const TimePoint chance = one.window.NextChance(now, amount).value_or(TimePoint::max());
    if (hold.dimension != v1::LimitUse::DIMENSION_UNSPECIFIED && chance <= longest) continue;
    longest = chance;
    hold.dimension = one.dimension;
    hold.ramp = one.window.Ramps(amount);
    hold.spread = one.window.used(now) + amount <= one.window.limit();
  }
  if (limits_.in_flight() > 0 && in_flight_ >= limits_.in_flight()) {
    return {v1::LimitUse::IN_FLIGHT};
  }
  return hold;
}

std::optional<TimePoint> Pacer::NextChance(TimePoint now, const CallSize& size) {
  if (limits_.in_flight() > 0 && in_flight_ >= limits_.in_flight()) return std::nullopt;
  TimePoint chance = now;
  for (Window& one : windows_) {
    const std::int64_t amount = Amount(one.dimension, size);
    const auto next = one.window.NextChance(now, amount);
    if (!next) return std::nullopt;
    chance = std::max(chance, *next);
  }
  return chance;
}

void Pacer::Take(TimePoint now, std::int64_t calls, const CallSize& size) {
  in_flight_ += calls;
  for (Window& one : windows_) {
    const std::int64_t amount = Amount(one.dimension, size);
    one.window.Take(now, calls * amount, amount);
  }
}

void Pacer::Sent(TimePoint now, const CallSize& size) {
  for (Window& one : windows_) {
    const std::int64_t amount = AtStart(one.dimension, size);
    one.window.Settle(now + guard_, amount, amount);
  }
}

void Pacer::Withdraw(TimePoint now, const CallSize& size) {
  --in_flight_;
  for (Window& one : windows_) {
    one.window.Settle(now, Amount(one.dimension, size), 0);
  }
}

void Pacer::Refund(TimePoint now, TimePoint sent, const CallSize& size) {
  --in_flight_;
  for (Window& one : windows_) {
    one.window.Remove(sent + guard_, AtStart(one.dimension, size));
    one.window.Settle(now, AtEnd(one.dimension, size), 0);
  }
}

void Pacer::Ended(TimePoint now, const CallEnd& end) {
  --in_flight_;
  // It began `latency` ago or earlier, and had reached its provider a moment later; when that
  // cannot be, the report is wrong, and what is known for sure holds.
  const TimePoint latest = end.sent + guard_;
  TimePoint began = latest;
  if (end.latency && *end.latency >= Duration(0)) {
    began = std::clamp(now - *end.latency + std::min(*end.latency, kWay), end.sent, latest);
  }
  for (Window& one : windows_) {
    const std::int64_t reserved = AtStart(one.dimension, end.size);
    std::int64_t used = reserved;
    std::int64_t more = 0;
    if (end.size.produced()) {
      if (CountsInput(one.dimension)) used = end.input.value_or(reserved);
    } else if (end.size.count != TokenCount::kLarger) {
      more = std::max<std::int64_t>(0, Of(one.dimension, end) - reserved);
    }
    if (began != latest || used != reserved) {
      one.window.Remove(latest, reserved);
      one.window.Add(began, used);
    }
    if (more > 0) one.window.Add(now, more);
    const std::int64_t expected = AtEnd(one.dimension, end.size);
    const std::int64_t produced = expected > 0 ? end.output.value_or(0) : 0;
    one.window.Settle(now, expected, produced);
    const std::int64_t less = reserved - used + expected - produced - more;
    if (less != 0) one.window.Correct(now, less);
  }
}

void Pacer::Lost(TimePoint now, const CallSize& size, std::int64_t output_limit) {
  --in_flight_;
  for (Window& one : windows_) {
    const std::int64_t expected = AtEnd(one.dimension, size);
    if (expected > 0) one.window.Settle(now, expected, std::max(expected, output_limit));
  }
}

void Pacer::Restore(TimePoint now, TimePoint sent, const CallSize& size, bool in_flight) {
  if (in_flight) ++in_flight_;
  for (Window& one : windows_) {
    one.window.Add(sent + guard_, AtStart(one.dimension, size));
    const std::int64_t amount = AtEnd(one.dimension, size);
    if (in_flight) {
      one.window.Take(now, amount, std::max<std::int64_t>(1, amount));
    } else {
      one.window.Add(now, amount);
    }
  }
}

std::int64_t Pacer::used(TimePoint now, Dimension dimension) {
  for (Window& one : windows_) {
    if (one.dimension == dimension) return one.window.used(now);
  }
  return in_flight_;
}

}  // namespace candor::engine
