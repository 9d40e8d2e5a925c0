// Counter-based random numbers: number i of a stream is a function of (key, i), so that any trial
// can be made alone, in any order, on any machine.
//
// The generator is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As
// Easy as 1, 2, 3" (SC11); tests pin it with the paper's published vectors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace candor {

// One block: 128 random bits for a 128-bit counter and a 64-bit key.
std::array<std::uint32_t, 4> Philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

// A stream of numbers. `stream` separates streams of one key; the position within the stream is
// counted from 0.
//
//   RandomStream random(/*key=*/seed, /*stream=*/pair);
//   double u = random.Uniform();
//
// Cheap to make (24 bytes of state and one block). Not for concurrent use.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t key, std::uint64_t stream = 0) : key_(key), stream_(stream) {}

  // 64 random bits: words 2i and 2i + 1 of the stream, the first one in the low half.
  std::uint64_t Bits();
  // Uniform on [0, 1), with 53 random bits.
  double Uniform() { return static_cast<double>(Bits() >> 11U) * 0x1.0p-53; }
  // Uniform on 0 .. n - 1, without bias. n >= 1.
  std::uint64_t Below(std::uint64_t n);

 private:
  std::uint64_t key_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, 4> block_{};
};

// Many numbers below a bound, for resampling: four of a block, without a division (Lemire 2019,
// "Fast Random Integer Generation in an Interval"). A tenth of RandomStream's time, and other
// numbers than it gives for the same key.
//
//   IndexStream random(/*key=*/seed, /*stream=*/resample);
//   std::uint32_t drawn = random.Below(n_scenarios);
//
// Not for concurrent use.
class IndexStream {
 public:
  explicit IndexStream(std::uint64_t key, std::uint64_t stream = 0) : key_(key), stream_(stream) {}

  // Uniform on 0 .. n - 1, without bias. n >= 1.
  std::uint32_t Below(std::uint32_t n) {
    std::uint64_t product = std::uint64_t{Word()} * n;
    if (static_cast<std::uint32_t>(product) < n) {
      const std::uint32_t reject_below = (std::uint32_t{0} - n) % n;
      while (static_cast<std::uint32_t>(product) < reject_below) {
        product = std::uint64_t{Word()} * n;
      }
    }
    return static_cast<std::uint32_t>(product >> 32U);
  }

 private:
  std::uint32_t Word() {
    if (next_ == block_.size()) Refill();
    return block_[next_++];
  }
  void Refill();

  std::uint64_t key_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, 4> block_{};
  std::size_t next_ = 4;
};

}  // namespace candor
