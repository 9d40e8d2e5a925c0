// The windows of one account: how many calls may be granted now, so that no window at the provider
// ever holds more than the limits allow.
//
// A call reaches the provider some time after its grant: until its lease is sent it counts without
// end, and then from the latest instant at which a worker may start it (`guard`). When its report
// comes, the instant is known better, and the guard is given back: all but the 50 ms that a request
// may need to reach its provider.
//
// What a call takes of a token limit is counted in one of four ways, as its provider does:
// - larger: the larger of the output limit and the tokens that the prompt's characters make, when
//   the call begins (OpenAI). Never given back, whatever the call used.
// - added: the prompt and the whole output limit, when the call begins (Azure). Never given back; a
//   call that used more counts with what it used.
// - input: the prompt, when the call begins (Gemini); more when it was more.
// - produced: the prompt when it begins, corrected by the usage; the output when it ends. While the
//   call is in flight the expected output holds its place.
//
//   const std::int64_t room = pacer.Available(now, size);
//   pacer.Take(now, room, size);             // granted
//   pacer.Sent(now, size);                   // each of them, when its lease is sent
//   pacer.Ended(now, end);                   // each of them, when its report is there
//
// Not for concurrent use. `now` never goes back.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "common/base/clock.h"
#include "coordinator/engine/limit_window.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace candor::engine {

// How a provider counts: see above.
enum class TokenCount : std::uint8_t { kLarger, kAdded, kInput, kProduced };

// What a call is expected to take of the token limits.
struct CallSize {
  std::int64_t input = 0;
  std::int64_t output = 0;
  TokenCount count = TokenCount::kAdded;

  bool produced() const { return count == TokenCount::kProduced; }
  // Of a limit on input and output together.
  std::int64_t total() const {
    if (count == TokenCount::kLarger) return std::max(input, output);
    return count == TokenCount::kInput ? input : input + output;
  }
};

class Pacer {
 public:
  // What stands against a grant.
  struct Hold {
    // DIMENSION_UNSPECIFIED: nothing.
    v1::LimitUse::Dimension dimension = v1::LimitUse::DIMENSION_UNSPECIFIED;
    // One call takes more than the limit allows in a whole window.
    bool too_large = false;
    // It would go by now but for the pace.
    bool ramp = false;
    // The window has room: only the even spread stands against it.
    bool spread = false;
  };
  // A call that was made.
  struct CallEnd {
    TimePoint sent{};
    CallSize size;
    // What the provider counted; absent where it did not say.
    std::optional<std::int64_t> input;
    std::optional<std::int64_t> output;
    // From its first byte to its last; absent when it is not known.
    std::optional<Duration> latency;
  };

  // A sent call begins within `guard`.
  explicit Pacer(Duration guard);

  // Windows stay as they are: a lower limit holds at once.
  void SetLimits(const v1::Limits& limits);
  const v1::Limits& limits() const { return limits_; }
  void SetPace(double pace);

  // How many calls of this size may be granted now; at most 2^31.
  std::int64_t Available(TimePoint now, const CallSize& size);
  // Why `Available` is 0: what will last longest.
  Hold Holding(TimePoint now, const CallSize& size);
  // When `Available` is above 0 again by the passing of time alone; absent when something else has
  // to happen first.
  std::optional<TimePoint> NextChance(TimePoint now, const CallSize& size);

  // `calls` were granted.
  void Take(TimePoint now, std::int64_t calls, const CallSize& size);
  // The lease of a granted call is sent now.
  void Sent(TimePoint now, const CallSize& size);
  // A granted call is withdrawn before its lease is sent.
  void Withdraw(TimePoint now, const CallSize& size);
  // A sent call was never made: what it took is free again.
  void Refund(TimePoint now, TimePoint sent, const CallSize& size);
  // The provider answered, or would not.
  void Ended(TimePoint now, const CallEnd& end);
  // A sent call of which nobody knows what became: it counts with what it can have taken at most.
  void Lost(TimePoint now, const CallSize& size, std::int64_t output_limit);
  // A call of before a restart; `in_flight` when nobody knows yet what became of it.
  void Restore(TimePoint now, TimePoint sent, const CallSize& size, bool in_flight);

  // What a call takes of a dimension at most.
  static std::int64_t Amount(v1::LimitUse::Dimension dimension, const CallSize& size);
  // What counts now of a dimension.
  std::int64_t used(TimePoint now, v1::LimitUse::Dimension dimension);
  std::int64_t in_flight() const { return in_flight_; }

 private:
  struct Window {
    v1::LimitUse::Dimension dimension;
    LimitWindow window;
  };

  // What a call takes of a dimension when it begins, and when it ends.
  static std::int64_t AtStart(v1::LimitUse::Dimension dimension, const CallSize& size);
  static std::int64_t AtEnd(v1::LimitUse::Dimension dimension, const CallSize& size);

  Duration guard_;
  v1::Limits limits_;
  std::array<Window, 6> windows_;
  std::int64_t in_flight_ = 0;
};

}  // namespace candor::engine
