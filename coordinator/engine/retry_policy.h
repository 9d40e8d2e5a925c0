// What becomes of a failed call: whether its cell is tried again, when, and for whom else it
// matters.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/base/clock.h"
#include "common/base/random.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace candor::engine {

// Errors in a row that repeating cannot mend, until an entry is stopped.
inline constexpr std::int32_t kMaxStreak = 5;
// A cell that failed is tried for so long, in the engine's time, however many attempts it has left.
inline constexpr Duration kMaxRetryTime = std::chrono::hours(24);
// One that is refused because a day's quota is used up, for so long: days on which others use it
// up, or a quota that is none.
inline constexpr Duration kMaxRefusedTime = std::chrono::hours(24 * 7);
// Deaths of a cell's workers, until it goes alone.
inline constexpr std::int32_t kDeathsTogether = 2;

enum class ErrorKind {
  kRepeat,      // this cell again, after a back-off
  kBlock,       // likewise, and its limit group makes no call for a while
  kUnmendable,  // repeating cannot mend it, for this cell: five in a row stop the entry
  kStopEntry,   // nor for any other cell of the entry
  kStopGroup,   // out of quota or credit: nobody of the group may go on
};

// The longest wait that a provider is believed to ask for: who asks for more is broken, or lies. A
// day's quota may be a day away, on the day when clocks change by an hour more.
Duration LongestRetryAfter(v1::Attempt::ErrorClass error_class);

// A class that nobody knows counts as a broken response.
ErrorKind KindOf(v1::Attempt::ErrorClass error_class);

// "HTTP 401: invalid key", of what the worker reported; at most 300 characters of the provider's.
std::string Words(const v1::Attempt& attempt);
// The same of a text alone.
std::string Words(std::string text);

// Full jitter ("Exponential Backoff And Jitter", M. Brooker, AWS Architecture Blog, 2015): uniform
// on 0 to base * 2^(n-1), capped. n counts from 1.
Duration JitteredBackOff(Duration base, Duration cap, std::int32_t n, RandomStream& random);

// Before the n-th repetition of a call.
Duration CellBackOff(std::int32_t n, RandomStream& random);
// For a limit group whose provider refuses for the n-th time in a row and does not say how long.
Duration GroupBackOff(v1::Attempt::ErrorClass error_class, std::int32_t n, RandomStream& random);

}  // namespace candor::engine
