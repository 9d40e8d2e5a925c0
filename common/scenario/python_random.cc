#include "common/scenario/python_random.h"

#include <algorithm>
#include <bit>

namespace candor::scenario {

PythonRandom::PythonRandom(std::uint64_t seed) {
  // init_by_array of the reference implementation, the key being the 32-bit words of the seed.
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed),
                                            static_cast<std::uint32_t>(seed >> 32U)};
  const std::size_t length = key[1] == 0 ? 1 : 2;
  state_[0] = 19650218U;
  for (std::uint32_t i = 1; i < kSize; ++i) {
    state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30U)) + i;
  }
  std::size_t i = 1;
  const auto step = [&] {
    if (++i == kSize) {
      state_[0] = state_[kSize - 1];
      i = 1;
    }
  };
  for (std::size_t k = 0; k < std::max(kSize, length); ++k) {
    const auto j = static_cast<std::uint32_t>(k % length);
    state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30U)) * 1664525U)) + key[j] + j;
    step();
  }
  for (std::size_t k = 1; k < kSize; ++k) {
    state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30U)) * 1566083941U)) -
                static_cast<std::uint32_t>(i);
    step();
  }
  state_[0] = 0x80000000U;
}

void PythonRandom::Twist() {
  constexpr std::size_t kShift = 397;
  for (std::size_t i = 0; i < kSize; ++i) {
    const std::uint32_t bits = (state_[i] & 0x80000000U) | (state_[(i + 1) % kSize] & 0x7fffffffU);
    state_[i] = state_[(i + kShift) % kSize] ^ (bits >> 1U) ^ ((bits & 1U) * 0x9908b0dfU);
  }
  next_ = 0;
}

std::uint32_t PythonRandom::Word() {
  if (next_ == kSize) Twist();
  std::uint32_t word = state_[next_++];
  word ^= word >> 11U;
  word ^= (word << 7U) & 0x9d2c5680U;
  word ^= (word << 15U) & 0xefc60000U;
  return word ^ (word >> 18U);
}

double PythonRandom::Random() {
  const std::uint32_t high = Word() >> 5U;
  const std::uint32_t low = Word() >> 6U;
  return (high * 67108864.0 + low) * 0x1.0p-53;
}

double PythonRandom::Uniform(double a, double b) { return a + (b - a) * Random(); }

std::uint32_t PythonRandom::Below(std::uint32_t n) {
  const auto bits = static_cast<unsigned>(std::bit_width(n));
  std::uint32_t word = Word() >> (32U - bits);
  while (word >= n) word = Word() >> (32U - bits);
  return word;
}

}  // namespace candor::scenario
