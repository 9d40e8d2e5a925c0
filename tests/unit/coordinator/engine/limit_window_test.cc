#include "coordinator/engine/limit_window.h"

#include <gtest/gtest.h>

#include <chrono>

namespace candor::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

void Use(LimitWindow& window, TimePoint now, std::int64_t amount) {
  window.Take(now, amount, amount);
  window.Settle(now, amount, amount);
}

TEST(LimitWindowTest, WithoutALimitEverythingGoes) {
  LimitWindow window(LimitWindow::Kind::kMinute);
  EXPECT_EQ(window.Available(TimePoint(seconds(1)), 1'000'000), LimitWindow::kMost);
  EXPECT_EQ(window.NextChance(TimePoint(seconds(1)), 5), TimePoint(seconds(1)));
}

TEST(LimitWindowTest, SixtyAMinuteIsOneASecond) {
  LimitWindow window(LimitWindow::Kind::kMinute);
  window.SetLimit(60);
  int calls = 0;
  for (TimePoint now(seconds(100)); now < TimePoint(seconds(110)); now += milliseconds(10)) {
    const std::int64_t room = window.Available(now, 1);
    ASSERT_LE(room, 1);
    if (room == 0) continue;
    Use(window, now, 1);
    ++calls;
  }
  EXPECT_EQ(calls, 10);
}

TEST(LimitWindowTest, UsesNearlyTheWholeLimit) {
  LimitWindow window(LimitWindow::Kind::kMinute);
  window.SetLimit(6000);
  std::int64_t calls = 0;
  for (TimePoint now(seconds(0)); now < TimePoint(seconds(600)); now += milliseconds(25)) {
    const std::int64_t room = window.Available(now, 1);
    for (std::int64_t i = 0; i < room; ++i) Use(window, now, 1);
    calls += room;
  }
  EXPECT_GT(calls, 59'900);
  EXPECT_LE(calls, 60'050);
}

TEST(LimitWindowTest, ADayIsUsedAsFastAsItGoesAndThenWaits) {
  LimitWindow window(LimitWindow::Kind::kDay);
  window.SetLimit(100);
  const TimePoint now(seconds(1000));
  EXPECT_EQ(window.Available(now, 1), 100);
  for (int i = 0; i < 100; ++i) Use(window, now, 1);
  EXPECT_EQ(window.Available(now + hours(23), 1), 0);
  const auto chance = window.NextChance(now + hours(1), 1);
  ASSERT_TRUE(chance);
  EXPECT_GE(*chance, now + hours(24));
  EXPECT_LE(*chance, now + hours(24) + seconds(15));
  EXPECT_EQ(window.Available(*chance, 1), 100);
}

TEST(LimitWindowTest, ALowerLimitHoldsAtOnceAndAnotherSpreadBeginsAnew) {
  LimitWindow window(LimitWindow::Kind::kMinute);
  window.SetLimit(600);
  TimePoint now(seconds(5));
  for (int i = 0; i < 50; ++i) {
    now += milliseconds(200);
    Use(window, now, 1);
  }
  window.SetLimit(50);
  EXPECT_EQ(window.Available(now + seconds(10), 1), 0);
  // A limit that moves by little does not let one go each time.
  window.SetLimit(60);
  now += seconds(61);
  Use(window, now, 1);
  for (const std::int64_t limit : {61, 60, 59, 60}) {
    window.SetLimit(limit);
    EXPECT_EQ(window.Available(now + milliseconds(10), 1), 0);
  }
  window.SetLimit(0);
  EXPECT_GT(window.Available(now, 1), 1000);
}

TEST(LimitWindowTest, ARampSlowsTheSpreadButNotASlowLimit) {
  LimitWindow fast(LimitWindow::Kind::kMinute);
  fast.SetLimit(6000);
  fast.SetPace(0.2);
  LimitWindow slow(LimitWindow::Kind::kMinute);
  slow.SetLimit(60);
  slow.SetPace(0.2);
  int fast_calls = 0;
  int slow_calls = 0;
  for (TimePoint now(seconds(0)); now < TimePoint(seconds(10)); now += milliseconds(10)) {
    if (fast.Available(now, 1) > 0) Use(fast, now, 1), ++fast_calls;
    if (slow.Available(now, 1) > 0) Use(slow, now, 1), ++slow_calls;
  }
  EXPECT_NEAR(fast_calls, 200, 5);
  EXPECT_EQ(slow_calls, 10);
}

TEST(LimitWindowTest, WhatBeganEarlierLeavesEarlier) {
  LimitWindow window(LimitWindow::Kind::kMinute);
  window.SetLimit(1);
  const TimePoint now(seconds(100));
  window.Take(now, 1, 1);
  EXPECT_FALSE(window.NextChance(now + hours(1), 1)) << "granted, and nobody knows when it begins";
  window.Settle(now + milliseconds(300), 1, 1);
  EXPECT_EQ(window.NextChance(now, 1), now + seconds(60) + milliseconds(300));
  window.Remove(now + milliseconds(300), 1);
  window.Add(now + milliseconds(20), 1);
  EXPECT_EQ(window.NextChance(now, 1), now + seconds(60) + milliseconds(20));
}

// A billion tokens where one was reckoned: 60 s apart they last for two thousand years.
TEST(LimitWindowTest, AnAbsurdUseOfALowLimitStopsForAsLongAsItCounts) {
  for (const std::int64_t used : {std::int64_t{1'000}, std::int64_t{2'000'000'000}}) {
    LimitWindow window(LimitWindow::Kind::kMinute);
    window.SetLimit(1);
    const TimePoint now(seconds(100));
    window.Take(now, 1, 1);
    window.Settle(now, 1, used);
    window.Correct(now, 1 - used);
    EXPECT_EQ(window.Available(now + seconds(59), 1), 0) << used;
    EXPECT_EQ(window.Available(now + seconds(61), 1), 1) << used;
  }
}

}  // namespace
}  // namespace candor::engine
