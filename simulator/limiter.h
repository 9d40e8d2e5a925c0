// Rate limits as a provider enforces them: requests and tokens in exact sliding windows, and calls
// at the same time; of one model, or of several that share an account's limits.
//
//   Limiter limiter({.requests_per_minute = 60});
//   Admission admission = limiter.Admit(now, {.tokens = 500, .input_tokens = 180});
//   if (admission.verdict != Verdict::kAdmitted) ... wait admission.retry_after ...
//   limiter.Release(now, {.output_tokens = 8});         // once the call has been answered
//
// What a call charges is the dialect's matter (Dialect::ChargeAtBegin, ChargeAtEnd): so tokens may
// be reserved at the beginning, counted as produced, or both.
//
// Not for concurrent use.
#pragma once

#include "common/base/clock.h"
#include "simulator/dialect.h"

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

namespace candor::simulator {

// 0: no limit of that kind.
struct LimitSettings {
  std::int64_t requests_per_minute = 0;
  std::int64_t tokens_per_minute = 0;
  std::int64_t in_flight = 0;
  // Whether rejected calls count in the windows of requests too.
  bool count_rejected = false;
  std::int64_t input_tokens_per_minute = 0;
  std::int64_t output_tokens_per_minute = 0;
  std::int64_t requests_per_day = 0;
  std::int64_t tokens_per_day = 0;
  // Requests are enforced in windows of this length, by a proportional part of the limit.
  Duration request_window = std::chrono::seconds{60};
  // Requests in 10 s against the best of the six 10 s before; see candor/v1/simulator.proto.
  double acceleration = 0;
  std::int64_t acceleration_floor = 0;
  // Somebody else's use of the same limits.
  std::int64_t background_requests_per_minute = 0;
  std::int64_t background_tokens_per_request = 0;
};

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

// Amounts in the last `length`, each with its time.
class UsageWindow {
 public:
  explicit UsageWindow(Duration length) : length_(length) {}

  void Forget(TimePoint now);
  void Add(TimePoint now, std::int64_t amount);
  void Clear();
  std::int64_t used() const { return used_; }
  // Until `amount` more fit under `limit`; 0 when they never do.
  Duration UntilFits(TimePoint now, std::int64_t amount, std::int64_t limit) const;
  Duration UntilEmpty(TimePoint now) const;

 private:
  struct Entry {
    TimePoint time;
    std::int64_t amount;
  };
  Duration length_;
  std::deque<Entry> entries_;
  std::int64_t used_ = 0;
};

// One limit, as response headers show it.
struct LimitView {
  Verdict kind;
  std::int64_t limit;
  std::int64_t remaining;
  // Until the window is empty.
  Duration reset;
};

class Limiter {
 public:
  explicit Limiter(const LimitSettings& settings);

  // What is in the windows stays; those that were not limited begin empty.
  void Change(const LimitSettings& settings);
  Admission Admit(TimePoint now, const Charge& charge);
  void Release(TimePoint now, const Charge& charge);
  // Those of a minute that are limited, after a call.
  std::vector<LimitView> State(TimePoint now);
  const LimitSettings& settings() const { return settings_; }
  std::int64_t in_flight() const { return in_flight_; }

 private:
  struct Window {
    Verdict kind;
    // 0: not limited, and empty.
    std::int64_t limit;
    UsageWindow usage;
  };

  void Forget(TimePoint now);
  void AddBackground(TimePoint now);
  // Whether all that the charge counts against has room; what has not, otherwise.
  bool Fits(TimePoint now, const Charge& charge, Admission* admission) const;
  bool RampFits(TimePoint now, Admission* admission);
  void Record(TimePoint now, std::int64_t requests, const Charge& charge);
  static std::int64_t AmountOf(Verdict kind, std::int64_t requests, const Charge& charge);

  LimitSettings settings_;
  std::vector<Window> windows_;
  // Requests of a minute, where they are enforced in shorter windows: for the headers.
  UsageWindow minute_{std::chrono::seconds{60}};
  std::int64_t in_flight_ = 0;
  // When somebody else calls next.
  TimePoint next_background_{};
  bool background_begun_ = false;
  // Admitted requests of the 10 s that go on, and of the six before.
  std::int64_t ramp_step_ = 0;
  std::array<std::int64_t, 7> ramp_{};
};

}  // namespace candor::simulator
