#include "common/base/time_proto.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace candor {
namespace {

using std::chrono::seconds;

google::protobuf::Timestamp At(std::int64_t whole, std::int32_t nanos = 0) {
  google::protobuf::Timestamp proto;
  proto.set_seconds(whole);
  proto.set_nanos(nanos);
  return proto;
}

TEST(ToWall, KeepsMicroseconds) {
  const WallTime time(Duration(1'727'203'044'100'435));
  EXPECT_EQ(ToWall(ToProto(time)), time);
  EXPECT_EQ(ToWall(ToProto(WallTime(Duration(-1)))), WallTime(Duration(-1)));
  EXPECT_EQ(ToWall(At(0)), WallTime());
}

TEST(ToWall, DoesNotOverflow) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(ToWall(At(kMost)), WallTime(seconds(253'402'300'799)));
  EXPECT_EQ(ToWall(At(-kMost)), WallTime(seconds(-62'135'596'800)));
  EXPECT_EQ(ToWall(At(1, -5)), WallTime(seconds(1)));
  EXPECT_EQ(ToWall(At(1, std::numeric_limits<std::int32_t>::max())),
            WallTime(seconds(1) + Duration(999'999)));
}

TEST(ToDuration, DoesNotOverflow) {
  google::protobuf::Duration proto;
  proto.set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(ToDuration(proto), seconds(1'000'000'000));
  proto.set_seconds(-1);
  EXPECT_EQ(ToDuration(proto), Duration(0));
  proto.set_seconds(0);
  proto.set_nanos(1);
  EXPECT_EQ(ToDuration(proto), Duration(1)) << "a moment too early is too early";
}

}  // namespace
}  // namespace candor
