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
  EXPECT_EQ(RateText(0.005), "18/h");
  EXPECT_EQ(RateText(5.0 / 86'400), "5/day");
  EXPECT_EQ(RateText(0), "0/s");
}

TEST(SpanText, AsPeopleReadThem) {
  EXPECT_EQ(SpanText(45), "45s");
  EXPECT_EQ(SpanText(3'596), "59m56s");
  EXPECT_EQ(SpanText(86'391), "23h59m");
  EXPECT_EQ(SpanText(273'600), "3d04h");
}

}  // namespace
}  // namespace candor
