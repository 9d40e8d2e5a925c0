// Rate limits as a provider enforces them: requests and tokens in any 60 s (exact sliding windows)
// and calls at the same time, of one model.
//
//   Limiter limiter({.requests_per_minute = 60});
//   Admission admission = limiter.Admit(now, tokens);
//   if (admission.verdict != Verdict::kAdmitted) ... wait admission.retry_after ...
//   limiter.Release();                                 // once the call has been answered
//
// Not for concurrent use.
#pragma once

#include "common/base/clock.h"

#include <cstdint>
#include <deque>
#include <string>

namespace candor::simulator {

// 0: no limit of that kind.
struct LimitSettings {
  std::int64_t requests_per_minute = 0;
  std::int64_t tokens_per_minute = 0;
  std::int64_t in_flight = 0;
  // Whether rejected calls count in the windows too.
  bool count_rejected = false;
};

enum class Verdict { kAdmitted, kRequests, kTokens, kInFlight };

struct Admission {
  Verdict verdict = Verdict::kAdmitted;
  // What the limit is, what of it was used before the call, and what the call wanted.
  std::int64_t limit = 0;
  std::int64_t used = 0;
  std::int64_t requested = 0;
  // When the call would be admitted if nobody else called; 0 when waiting never helps.
  Duration retry_after{0};
  // Calls being answered, this one included when it was admitted.
  std::int64_t in_flight = 0;
};

// What the response headers show, after a call.
struct LimitState {
  std::int64_t remaining_requests = 0;
  std::int64_t remaining_tokens = 0;
  // Until the windows are empty.
  Duration reset_requests{0};
  Duration reset_tokens{0};
};

class Limiter {
 public:
  static constexpr Duration kWindow = std::chrono::seconds{60};

  explicit Limiter(LimitSettings settings) : settings_(settings) {}

  Admission Admit(TimePoint now, std::int64_t tokens);
  void Release() { --in_flight_; }
  LimitState State(TimePoint now);
  const LimitSettings& settings() const { return settings_; }
  std::int64_t in_flight() const { return in_flight_; }

 private:
  struct Entry {
    TimePoint time;
    std::int64_t tokens;
  };

  void Forget(TimePoint now);
  void Record(TimePoint now, std::int64_t tokens);
  Duration UntilRequestsFit(TimePoint now) const;
  Duration UntilTokensFit(TimePoint now, std::int64_t tokens) const;

  LimitSettings settings_;
  // What counts in the window that ends now, oldest first; empty where no window is limited.
  std::deque<Entry> window_;
  std::int64_t window_tokens_ = 0;
  std::int64_t in_flight_ = 0;
};

// As Go prints a duration: "0s", "2ms", "1.234s", "6m0s", "1h0m3s".
std::string GoDuration(Duration duration);

}  // namespace candor::simulator
