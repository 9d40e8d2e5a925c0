#include "common/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace candor {
namespace {

using Counter = std::array<std::uint32_t, 4>;

// The known-answer vectors that the authors of Philox publish with Random123 (kat_vectors,
// "philox4x32 10").
TEST(Philox4x32, PublishedVectors) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsTheBlocksInOrder) {
  RandomStream random(0, 0);
  EXPECT_EQ(random.Bits(), 0xe169c58d6627e8d5U);
  EXPECT_EQ(random.Bits(), 0x9b00dbd8bc57ac4cU);
  const Counter second = Philox4x32({1, 0, 0, 0}, {0, 0});
  EXPECT_EQ(random.Bits(), (std::uint64_t{second[1]} << 32U) | second[0]);
}

TEST(RandomStream, StreamsOfOneKeyDiffer) {
  EXPECT_NE(RandomStream(7, 0).Bits(), RandomStream(7, 1).Bits());
  EXPECT_NE(RandomStream(7, 0).Bits(), RandomStream(8, 0).Bits());
}

TEST(RandomStream, UniformIsInRangeWithTheRightMean) {
  RandomStream random(42);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double u = random.Uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  // Five standard errors of the mean of 100,000 uniforms.
  EXPECT_NEAR(sum / 100'000, 0.5, 5 * 0.2887 / 316.2);
}

TEST(RandomStream, BelowReachesEveryValueEvenly) {
  RandomStream random(1);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts[random.Below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 5 * 93);
  EXPECT_EQ(RandomStream(3).Below(1), 0U);
}

TEST(IndexStreamTest, IsUniformAndAFunctionOfKeyAndStream) {
  IndexStream once(7, 1);
  IndexStream again(7, 1);
  IndexStream other(7, 2);
  std::array<int, 6> counts{};
  int different = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::uint32_t drawn = once.Below(6);
    ASSERT_LT(drawn, 6U);
    ASSERT_EQ(drawn, again.Below(6));
    ++counts[drawn];
    different += drawn != other.Below(6) ? 1 : 0;
  }
  // 5 degrees of freedom: 20.5 is passed once in a thousand; the key is fixed.
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_square, 20.5);
  EXPECT_GT(different, 45'000);
  EXPECT_EQ(once.Below(1), 0U);
}

}  // namespace
}  // namespace candor
