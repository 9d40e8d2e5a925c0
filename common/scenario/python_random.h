// Python's random module, for what was once made with it: the Mersenne Twister MT19937 (Matsumoto
// and Nishimura 1998) seeded as random.seed(int), and the functions of method.md section 6. New
// random numbers come from common/base/random.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace candor::scenario {

// Not for concurrent use.
class PythonRandom {
 public:
  explicit PythonRandom(std::uint64_t seed);

  // The next 32 bits, getrandbits(32).
  std::uint32_t Word();
  // random(): uniform on [0, 1) with 53 bits.
  double Random();
  // uniform(a, b): a + (b - a) random(), without fused multiply-add.
  double Uniform(double a, double b);
  // randbelow(n): uniform on 0 .. n - 1. n >= 1.
  std::uint32_t Below(std::uint32_t n);
  // shuffle(items).
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i-- > 1;) {
      std::swap(items[i], items[Below(static_cast<std::uint32_t>(i + 1))]);
    }
  }

 private:
  static constexpr std::size_t kSize = 624;
  void Twist();

  std::array<std::uint32_t, kSize> state_;
  std::size_t next_ = kSize;
};

}  // namespace candor::scenario
