// The largest limit that is taken, in a configuration or while running: 15 digits, which a double
// holds exactly, so that a share of it is what it says.
#pragma once

#include <cstdint>

namespace candor {

inline constexpr std::int64_t kMaxLimit = 999'999'999'999'999;
inline constexpr int kMaxLimitDigits = 15;

}  // namespace candor
