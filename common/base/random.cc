#include "common/base/random.h"

namespace candor {
namespace {

// Multipliers and Weyl constants of the paper.
constexpr std::uint32_t kM0 = 0xD2511F53;
constexpr std::uint32_t kM1 = 0xCD9E8D57;
constexpr std::uint32_t kW0 = 0x9E3779B9;
constexpr std::uint32_t kW1 = 0xBB67AE85;
constexpr int kRounds = 10;

std::array<std::uint32_t, 4> BlockOf(std::uint64_t key, std::uint64_t stream, std::uint64_t block) {
  return Philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32U),
                     static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32U)},
                    {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32U)});
}

}  // namespace

std::array<std::uint32_t, 4> Philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{kM0} * counter[0];
    const std::uint64_t p1 = std::uint64_t{kM1} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32U) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32U) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(p0)};
    key[0] += kW0;
    key[1] += kW1;
  }
  return counter;
}

std::uint64_t RandomStream::Bits() {
  const auto half = static_cast<unsigned>(position_ % 2);
  if (half == 0) block_ = BlockOf(key_, stream_, position_ / 2);
  ++position_;
  return std::uint64_t{block_[2 * half]} | (std::uint64_t{block_[2 * half + 1]} << 32U);
}

std::uint64_t RandomStream::Below(std::uint64_t n) {
  // Rejection of the incomplete last multiple of n (2^64 mod n values, all of them below n) keeps
  // every remainder equally likely. The second division is hardly ever needed.
  std::uint64_t bits = Bits();
  if (bits < n) {
    const std::uint64_t reject_below = (std::uint64_t{0} - n) % n;
    while (bits < reject_below) bits = Bits();
  }
  return bits % n;
}

void IndexStream::Refill() {
  block_ = BlockOf(key_, stream_, position_++);
  next_ = 0;
}

}  // namespace candor
