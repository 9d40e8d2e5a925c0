// What an entry or a limit group has waited for, and how its latest calls went: the figures behind
// metrics and explanations. Nothing of it is durable; it counts from the coordinator's start.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "common/base/clock.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace candor::engine {

// Time by what was waited for.
class WaitAccount {
 public:
  void Charge(v1::WaitReason reason, Duration time);
  Duration Of(v1::WaitReason reason) const;
  Duration total() const;
  // What there is, the longest time first; NOTHING, too.
  std::vector<v1::WaitTime> Times() const;

 private:
  std::array<Duration, v1::WaitReason_ARRAYSIZE> times_{};
};

// The latest times of something, at most 1,000, some of them marked.
class RecentTimes {
 public:
  static constexpr std::size_t kMost = 1'000;

  // Times above half an hour count as half an hour.
  void Add(Duration time, bool marked = false);
  std::size_t size() const { return times_.size(); }
  std::int32_t marked() const { return marked_; }
  // By the nearest rank; 0 while there are none. 0.5 is the median.
  Duration Quantile(double q) const;

 private:
  // Microseconds, and whether it is marked in the lowest bit. Grows as calls come: most entries of
  // a large job wait for their turn.
  std::vector<std::uint32_t> times_;
  std::size_t next_ = 0;
  std::int32_t marked_ = 0;
};

}  // namespace candor::engine
