#include "simulator/limiter.h"

#include <fmt/format.h>

#include <algorithm>

namespace candor::simulator {
namespace {

// Nobody knows when a call in flight ends.
constexpr Duration kInFlightRetry = std::chrono::milliseconds{200};

}  // namespace

void Limiter::Forget(TimePoint now) {
  while (!window_.empty() && window_.front().time + kWindow <= now) {
    window_tokens_ -= window_.front().tokens;
    window_.pop_front();
  }
}

void Limiter::Record(TimePoint now, std::int64_t tokens) {
  if (settings_.requests_per_minute == 0 && settings_.tokens_per_minute == 0) return;
  window_.push_back({now, tokens});
  window_tokens_ += tokens;
}

Duration Limiter::UntilRequestsFit(TimePoint now) const {
  // So many of the oldest must leave the window.
  const std::size_t leave =
      window_.size() + 1 - static_cast<std::size_t>(settings_.requests_per_minute);
  return window_[leave - 1].time + kWindow - now;
}

Duration Limiter::UntilTokensFit(TimePoint now, std::int64_t tokens) const {
  std::int64_t left = window_tokens_ + tokens - settings_.tokens_per_minute;
  for (const Entry& entry : window_) {
    left -= entry.tokens;
    if (left <= 0) return entry.time + kWindow - now;
  }
  return Duration{0};
}

Admission Limiter::Admit(TimePoint now, std::int64_t tokens) {
  Forget(now);
  const auto requests = static_cast<std::int64_t>(window_.size());
  Admission admission;
  admission.in_flight = in_flight_;
  if (settings_.requests_per_minute > 0 && requests + 1 > settings_.requests_per_minute) {
    admission = {
        Verdict::kRequests, settings_.requests_per_minute, requests, 1, UntilRequestsFit(now),
        in_flight_};
  } else if (settings_.tokens_per_minute > 0 &&
             window_tokens_ + tokens > settings_.tokens_per_minute) {
    admission = {Verdict::kTokens,
                 settings_.tokens_per_minute,
                 window_tokens_,
                 tokens,
                 tokens > settings_.tokens_per_minute ? Duration{0} : UntilTokensFit(now, tokens),
                 in_flight_};
  } else if (settings_.in_flight > 0 && in_flight_ + 1 > settings_.in_flight) {
    admission = {Verdict::kInFlight, settings_.in_flight, in_flight_, 1,
                 kInFlightRetry,     in_flight_};
  } else {
    admission.in_flight = ++in_flight_;
    Record(now, tokens);
    return admission;
  }
  // A rejected call takes a request; nothing was generated, so no tokens.
  if (settings_.count_rejected) Record(now, 0);
  return admission;
}

LimitState Limiter::State(TimePoint now) {
  Forget(now);
  const Duration reset = window_.empty() ? Duration{0} : window_.back().time + kWindow - now;
  const auto requests = static_cast<std::int64_t>(window_.size());
  return {std::max<std::int64_t>(0, settings_.requests_per_minute - requests),
          std::max<std::int64_t>(0, settings_.tokens_per_minute - window_tokens_), reset, reset};
}

std::string GoDuration(Duration duration) {
  const std::int64_t micros = std::max<std::int64_t>(0, duration.count());
  if (micros == 0) return "0s";
  if (micros < 1'000) return fmt::format("{}\u00b5s", micros);
  if (micros < 1'000'000) return fmt::format("{}ms", static_cast<double>(micros) / 1e3);
  const std::int64_t minutes = micros / 60'000'000;
  const std::string seconds = fmt::format("{}s", static_cast<double>(micros % 60'000'000) / 1e6);
  if (minutes == 0) return seconds;
  if (minutes < 60) return fmt::format("{}m{}", minutes, seconds);
  return fmt::format("{}h{}m{}", minutes / 60, minutes % 60, seconds);
}

}  // namespace candor::simulator
