// Times and durations as protobuf's well-known types.
#pragma once

#include "common/base/clock.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace candor {

// What a Timestamp is for, in seconds: the years 1 to 9999.
inline constexpr std::int64_t kFirstTimestamp = -62'135'596'800;
inline constexpr std::int64_t kLastTimestamp = 253'402'300'799;

// Whatever the other side sent: from 0 to 10^9 s, so that nothing overflows, and rounded up,
// because a call a microsecond too early is too early.
inline Duration ToDuration(const google::protobuf::Duration& proto) {
  const std::int64_t seconds = std::clamp<std::int64_t>(proto.seconds(), 0, 1'000'000'000);
  const std::int64_t nanos = std::clamp<std::int64_t>(proto.nanos(), 0, 999'999'999);
  return Duration(seconds * 1'000'000 + (nanos + 999) / 1000);
}

// Whatever the other side sent: within the years 1 to 9999 that a Timestamp is for, so that nothing
// overflows.
inline WallTime ToWall(const google::protobuf::Timestamp& proto) {
  const std::int64_t seconds = std::clamp(proto.seconds(), kFirstTimestamp, kLastTimestamp);
  const std::int64_t nanos = std::clamp<std::int64_t>(proto.nanos(), 0, 999'999'999);
  return WallTime(Duration(seconds * 1'000'000 + nanos / 1000));
}

inline google::protobuf::Duration ToProto(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  google::protobuf::Duration proto;
  proto.set_seconds(seconds.count());
  proto.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(duration - seconds).count()));
  return proto;
}

inline google::protobuf::Timestamp ToProto(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  google::protobuf::Timestamp proto;
  proto.set_seconds(seconds.time_since_epoch().count());
  proto.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(time - seconds).count()));
  return proto;
}

}  // namespace candor
