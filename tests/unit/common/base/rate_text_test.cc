#include "common/base/rate_text.h"

#include <gtest/gtest.h>

namespace candor {
namespace {

TEST(SecondsText, AsPeopleReadThem) {
  EXPECT_EQ(SecondsText(240), "240 s");
  EXPECT_EQ(SecondsText(2.3), "2.3 s");
  EXPECT_EQ(SecondsText(0.34), "340 ms");
  EXPECT_EQ(SecondsText(0.0008), "0.8 ms");
}

TEST(RateText, AsPeopleReadThem) {
  EXPECT_EQ(RateText(1'666), "1,666/s");
  EXPECT_EQ(RateText(27.83), "27.8/s");
  EXPECT_EQ(RateText(0.4167), "0.42/s");
}

}  // namespace
}  // namespace candor
