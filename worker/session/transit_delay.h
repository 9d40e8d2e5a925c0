// How much longer than usual a message was on its way, between two clocks that do not agree: the
// shortest way seen is taken for the usual one.
//
//   Duration late = transit.Excess(send_clock, now);     // 0 for the quickest message
#pragma once

#include "common/base/clock.h"

#include <algorithm>

namespace candor::session {

// Not for concurrent use.
class TransitDelay {
 public:
  // `sent` is the sender's monotonic clock at the sending, `now` ours at the receipt. Takes this
  // message into account, so the first one is never late.
  Duration Excess(Duration sent, TimePoint now) {
    const Duration way = now.time_since_epoch() - sent;
    // Clocks drift apart, so the shortest way seen is allowed to grow meanwhile: by 100 us a
    // second, which is more than quartzes need, and no more than 30 ms for a process that was
    // stopped for five minutes.
    usual_ = any_ ? std::min(way, usual_ + (now - last_) / kDriftDivisor) : way;
    any_ = true;
    last_ = now;
    return way - usual_;
  }

 private:
  static constexpr int kDriftDivisor = 10'000;
  bool any_ = false;
  TimePoint last_{};
  Duration usual_{};
};

}  // namespace candor::session
