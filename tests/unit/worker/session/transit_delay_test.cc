#include "worker/session/transit_delay.h"

#include <gtest/gtest.h>

namespace candor::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint At(Duration since_start) { return TimePoint(seconds(1000)) + since_start; }

TEST(TransitDelay, MeasuresAgainstTheShortestWay) {
  TransitDelay transit;
  EXPECT_EQ(transit.Excess(seconds(0), At(milliseconds(5))), Duration(0));
  EXPECT_EQ(transit.Excess(seconds(1), At(milliseconds(1003))), Duration(0));
  EXPECT_NEAR(transit.Excess(seconds(2), At(milliseconds(2303))).count(), 300'000, 1'000);
  EXPECT_LE(transit.Excess(seconds(3), At(milliseconds(3004))), milliseconds(1));
}

TEST(TransitDelay, SeesAWorkerThatWasStopped) {
  TransitDelay transit;
  transit.Excess(seconds(0), At(seconds(0)));
  // Stopped for five minutes; what was sent meanwhile is read at once afterwards.
  EXPECT_NEAR(transit.Excess(seconds(1), At(seconds(301))).count(), 300e6, 50e3);
  EXPECT_NEAR(transit.Excess(seconds(300), At(seconds(301))).count(), 1e6, 50e3);
  EXPECT_LE(transit.Excess(seconds(301), At(seconds(301))), Duration(0));
}

TEST(TransitDelay, FollowsClocksThatDrift) {
  TransitDelay transit;
  for (int second = 0; second < 100'000; ++second) {
    // Ours runs 50 us a second faster: 5 s after a day and more.
    const Duration ours = seconds(second) + Duration(50) * second;
    EXPECT_LT(transit.Excess(seconds(second), At(ours)), milliseconds(10));
  }
}

}  // namespace
}  // namespace candor::session
