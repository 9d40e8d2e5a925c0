// Sums that do not overflow: what providers count is theirs, and a sum of absurd numbers is to be a
// large one and no negative one, which a budget would take for nothing.
#pragma once

#include <cstdint>
#include <limits>

namespace candor::engine {

// Of amounts of at least 0; at most INT64_MAX.
inline std::int64_t AddCapped(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}
inline std::int64_t TimesCapped(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max()
                                                : product;
}

}  // namespace candor::engine
