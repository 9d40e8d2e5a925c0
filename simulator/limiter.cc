#include "simulator/limiter.h"

#include <algorithm>

namespace candor::simulator {
namespace {

constexpr Duration kMinute = std::chrono::seconds{60};
constexpr Duration kDay = std::chrono::hours{24};
constexpr Duration kRampStep = std::chrono::seconds{10};
// Nobody knows when a call in flight ends.
constexpr Duration kInFlightRetry = std::chrono::milliseconds{200};

}  // namespace

void UsageWindow::Forget(TimePoint now) {
  while (!entries_.empty() && entries_.front().time + length_ <= now) {
    used_ -= entries_.front().amount;
    entries_.pop_front();
  }
}

void UsageWindow::Add(TimePoint now, std::int64_t amount) {
  if (amount == 0) return;
  entries_.push_back({now, amount});
  used_ += amount;
}

void UsageWindow::Clear() {
  entries_.clear();
  used_ = 0;
}

Duration UsageWindow::UntilFits(TimePoint now, std::int64_t amount, std::int64_t limit) const {
  if (amount > limit) return Duration{0};
  std::int64_t left = used_ + amount - limit;
  for (const Entry& entry : entries_) {
    left -= entry.amount;
    if (left <= 0) return entry.time + length_ - now;
  }
  return Duration{0};
}

Duration UsageWindow::UntilEmpty(TimePoint now) const {
  return entries_.empty() ? Duration{0} : entries_.back().time + length_ - now;
}

Limiter::Limiter(const LimitSettings& settings) { Change(settings); }

void Limiter::Change(const LimitSettings& settings) {
  const Duration short_window = std::clamp(settings.request_window, Duration{1'000}, kMinute);
  const bool same_window = !windows_.empty() && short_window == settings_.request_window;
  const auto in_short = static_cast<std::int64_t>(
      static_cast<double>(settings.requests_per_minute) *
      static_cast<double>(short_window.count()) / static_cast<double>(kMinute.count()));
  const std::int64_t requests =
      settings.requests_per_minute == 0 ? 0 : std::max<std::int64_t>(1, in_short);
  const struct {
    Verdict kind;
    std::int64_t limit;
    Duration length;
  } wanted[] = {
      {Verdict::kRequests, requests, short_window},
      {Verdict::kTokens, settings.tokens_per_minute, kMinute},
      {Verdict::kInputTokens, settings.input_tokens_per_minute, kMinute},
      {Verdict::kOutputTokens, settings.output_tokens_per_minute, kMinute},
      {Verdict::kRequestsPerDay, settings.requests_per_day, kDay},
      {Verdict::kTokensPerDay, settings.tokens_per_day, kDay},
  };
  const bool is_new = windows_.empty();
  for (std::size_t i = 0; i < std::size(wanted); ++i) {
    if (is_new) windows_.push_back({wanted[i].kind, 0, UsageWindow(wanted[i].length)});
    windows_[i].limit = wanted[i].limit;
    if (wanted[i].limit == 0) windows_[i].usage.Clear();
    if (wanted[i].kind == Verdict::kRequests && !same_window) {
      windows_[i].usage = UsageWindow(wanted[i].length);
    }
  }
  settings_ = settings;
  settings_.request_window = short_window;
}

void Limiter::Forget(TimePoint now) {
  for (Window& window : windows_) window.usage.Forget(now);
  minute_.Forget(now);
}

std::int64_t Limiter::AmountOf(Verdict kind, std::int64_t requests, const Charge& charge) {
  switch (kind) {
    case Verdict::kTokens:
    case Verdict::kTokensPerDay:
      return charge.tokens;
    case Verdict::kInputTokens:
      return charge.input_tokens;
    case Verdict::kOutputTokens:
      return charge.output_tokens;
    default:
      return requests;
  }
}

void Limiter::Record(TimePoint now, std::int64_t requests, const Charge& charge) {
  for (Window& window : windows_) {
    if (window.limit == 0) continue;
    window.usage.Add(now, AmountOf(window.kind, requests, charge));
  }
  if (settings_.requests_per_minute > 0 && settings_.request_window < kMinute) {
    minute_.Add(now, requests);
  }
}

bool Limiter::Fits(TimePoint now, const Charge& charge, Admission* admission) const {
  for (const Window& window : windows_) {
    if (window.limit == 0) continue;
    std::int64_t amount = AmountOf(window.kind, 1, charge);
    // Output is counted as it is produced: a call begins while there is any room.
    if (window.kind == Verdict::kOutputTokens) amount = std::max<std::int64_t>(1, amount);
    if (window.usage.used() + amount <= window.limit) continue;
    *admission = {window.kind,
                  window.limit,
                  window.usage.used(),
                  amount,
                  window.usage.UntilFits(now, amount, window.limit),
                  in_flight_};
    if (window.kind == Verdict::kRequests && settings_.request_window < kMinute) {
      admission->limit = settings_.requests_per_minute;
      admission->used = minute_.used();
    }
    return false;
  }
  if (settings_.in_flight > 0 && in_flight_ + 1 > settings_.in_flight) {
    *admission = {Verdict::kInFlight, settings_.in_flight, in_flight_, 1,
                  kInFlightRetry,     in_flight_};
    return false;
  }
  return true;
}

bool Limiter::RampFits(TimePoint now, Admission* admission) {
  if (settings_.acceleration <= 0) return true;
  const std::int64_t step = now.time_since_epoch() / kRampStep;
  const std::int64_t gone = std::min<std::int64_t>(step - ramp_step_, 7);
  for (std::int64_t i = 0; i < gone; ++i) {
    std::rotate(ramp_.rbegin(), ramp_.rbegin() + 1, ramp_.rend());
    ramp_[0] = 0;
  }
  ramp_step_ = step;
  const std::int64_t floor = settings_.acceleration_floor > 0
                                 ? settings_.acceleration_floor
                                 : std::max<std::int64_t>(1, settings_.requests_per_minute / 10);
  const auto best = static_cast<double>(*std::max_element(ramp_.begin() + 1, ramp_.end()));
  const auto allowed = std::max(floor, static_cast<std::int64_t>(settings_.acceleration * best));
  if (ramp_[0] + 1 <= allowed) return true;
  *admission = {Verdict::kAcceleration,
                allowed,
                ramp_[0],
                1,
                TimePoint{} + (step + 1) * kRampStep - now,
                in_flight_};
  return false;
}

void Limiter::AddBackground(TimePoint now) {
  if (settings_.background_requests_per_minute <= 0) return;
  const Duration spacing{
      std::max<std::int64_t>(1, kMinute.count() / settings_.background_requests_per_minute)};
  // He has called all the time, also before the first of our calls.
  if (!background_begun_ || next_background_ + kMinute < now) next_background_ = now - kMinute;
  background_begun_ = true;
  const std::int64_t output = settings_.background_tokens_per_request / 4;
  const Charge charge{settings_.background_tokens_per_request,
                      settings_.background_tokens_per_request - output, output};
  for (; next_background_ <= now; next_background_ += spacing) {
    Forget(next_background_);
    Admission unused;
    if (Fits(next_background_, charge, &unused)) Record(next_background_, 1, charge);
  }
}

Admission Limiter::Admit(TimePoint now, const Charge& charge) {
  AddBackground(now);
  Forget(now);
  Admission admission;
  if (Fits(now, charge, &admission) && RampFits(now, &admission)) {
    admission.in_flight = ++in_flight_;
    ++ramp_[0];
    Record(now, 1, charge);
    return admission;
  }
  // A rejected call takes a request; nothing was generated, so no tokens.
  if (settings_.count_rejected) Record(now, 1, {});
  return admission;
}

void Limiter::Release(TimePoint now, const Charge& charge) {
  --in_flight_;
  if (charge.tokens == 0 && charge.output_tokens == 0 && charge.input_tokens == 0) return;
  Record(now, 0, charge);
}

std::vector<LimitView> Limiter::State(TimePoint now) {
  Forget(now);
  std::vector<LimitView> views;
  for (const Window& window : windows_) {
    if (window.limit == 0 || window.kind == Verdict::kRequestsPerDay ||
        window.kind == Verdict::kTokensPerDay) {
      continue;
    }
    const bool is_short = window.kind == Verdict::kRequests && settings_.request_window < kMinute;
    const UsageWindow& usage = is_short ? minute_ : window.usage;
    const std::int64_t limit = is_short ? settings_.requests_per_minute : window.limit;
    views.push_back({window.kind, limit, std::max<std::int64_t>(0, limit - usage.used()),
                     usage.UntilEmpty(now)});
  }
  return views;
}

}  // namespace candor::simulator
