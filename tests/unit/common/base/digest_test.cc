#include "common/base/digest.h"

#include <gtest/gtest.h>

namespace candor {
namespace {

// FIPS 180-2, appendix B.
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hex, PrintsEveryByte) { EXPECT_EQ(Hex(std::string_view("\x00\x7f\xff", 3)), "007fff"); }

}  // namespace
}  // namespace candor
