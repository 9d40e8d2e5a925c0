#include "coordinator/engine/pacer.h"

#include "common/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>
#include <vector>

namespace candor::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kGuard = milliseconds(300);

v1::Limits MakeLimits(std::int64_t requests, std::int64_t tokens, std::int64_t in_flight) {
  v1::Limits limits;
  limits.set_requests_per_minute(requests);
  limits.set_tokens_per_minute(tokens);
  limits.set_in_flight(in_flight);
  return limits;
}

TEST(PacerTest, WithoutLimitsEverythingGoes) {
  Pacer pacer(MakeLimits(0, 0, 0), kGuard);
  EXPECT_GT(pacer.Available(TimePoint(seconds(1)), 1'000'000), 1'000'000);
}

TEST(PacerTest, SixtyAMinuteIsOneASecond) {
  Pacer pacer(MakeLimits(60, 0, 0), kGuard);
  TimePoint now(seconds(100));
  int calls = 0;
  for (; now < TimePoint(seconds(110)); now += milliseconds(10)) {
    const std::int64_t room = pacer.Available(now, 0);
    EXPECT_LE(room, 1);
    if (room == 0) continue;
    pacer.Take(now, 1, 0);
    pacer.Sent(now, 0);
    ++calls;
  }
  EXPECT_EQ(calls, 10);
}

TEST(PacerTest, UsesNearlyTheWholeLimit) {
  Pacer pacer(MakeLimits(6000, 0, 0), kGuard);
  std::int64_t calls = 0;
  for (TimePoint now(seconds(0)); now < TimePoint(seconds(600)); now += milliseconds(25)) {
    const std::int64_t room = pacer.Available(now, 0);
    pacer.Take(now, room, 0);
    for (std::int64_t i = 0; i < room; ++i) pacer.Sent(now, 0);
    calls += room;
  }
  EXPECT_GT(calls, 59'000);
  EXPECT_LE(calls, 60'100);
}

// Random takes, sends, refunds and withdrawals; no 60 s at the provider may hold more than allowed,
// whenever within the guard a call begins.
TEST(PacerTest, NoWindowIsEverPassed) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    RandomStream random(seed, 5);
    const auto requests = static_cast<std::int64_t>(20 + random.Below(200));
    const auto tokens = static_cast<std::int64_t>(2000 + random.Below(20'000));
    const auto in_flight = static_cast<std::int64_t>(1 + random.Below(50));
    Pacer pacer(MakeLimits(requests, tokens, in_flight), kGuard);
    std::deque<TimePoint> unsent;
    std::vector<std::pair<TimePoint, TimePoint>> calls;  // sent, begun
    std::deque<TimePoint> open;
    constexpr std::int64_t kTokens = 100;
    TimePoint now(seconds(10));
    for (int step = 0; step < 4000; ++step) {
      now += Duration(random.Below(200'000));
      const std::int64_t room = pacer.Available(now, kTokens);
      if (room > 0 && random.Uniform() < 0.8) {
        const auto count =
            static_cast<std::int64_t>(1 + random.Below(static_cast<std::uint64_t>(room)));
        pacer.Take(now, count, kTokens);
        for (std::int64_t i = 0; i < count; ++i) unsent.push_back(now);
      }
      while (!unsent.empty() && random.Uniform() < 0.7) {
        unsent.pop_front();
        if (random.Uniform() < 0.1) {
          pacer.Withdraw(kTokens);
          pacer.Ended();
          continue;
        }
        pacer.Sent(now, kTokens);
        if (random.Uniform() < 0.1) {
          pacer.Refund(now, now, kTokens);
          pacer.Ended();
          continue;
        }
        calls.emplace_back(now, now + Duration(random.Below(300'000)));
        open.push_back(now);
      }
      ASSERT_LE(static_cast<std::int64_t>(open.size() + unsent.size()), in_flight);
      ASSERT_EQ(pacer.in_flight(), static_cast<std::int64_t>(open.size() + unsent.size()));
      while (!open.empty() && random.Uniform() < 0.6) {
        open.pop_front();
        pacer.Ended();
      }
    }
    std::vector<TimePoint> begun;
    for (const auto& call : calls) begun.push_back(call.second);
    std::sort(begun.begin(), begun.end());
    for (std::size_t first = 0, last = 0; last < begun.size(); ++last) {
      while (begun[last] - begun[first] >= seconds(60)) ++first;
      const auto count = static_cast<std::int64_t>(last - first + 1);
      ASSERT_LE(count, requests) << "seed " << seed;
      ASSERT_LE(count * kTokens, tokens) << "seed " << seed;
    }
    ASSERT_GT(calls.size(), 50U);
  }
}

TEST(PacerTest, NextChanceIsWhenSomethingIsAvailable) {
  Pacer pacer(MakeLimits(10, 0, 0), kGuard);
  TimePoint now(seconds(50));
  for (int i = 0; i < 30; ++i) {
    const auto chance = pacer.NextChance(now, 0);
    ASSERT_TRUE(chance);
    if (*chance > now) {
      EXPECT_EQ(pacer.Available(*chance - Duration(1), 0), 0);
      now = *chance;
    }
    ASSERT_EQ(pacer.Available(now, 0), 1);
    pacer.Take(now, 1, 0);
    pacer.Sent(now, 0);
  }
  // What is granted and not sent holds its place without end.
  Pacer unsent(MakeLimits(1, 0, 0), kGuard);
  unsent.Take(now, 1, 0);
  EXPECT_EQ(unsent.Available(now + std::chrono::hours(1), 0), 0);
  EXPECT_FALSE(unsent.NextChance(now + std::chrono::hours(1), 0));
}

TEST(PacerTest, ACallLargerThanTheLimitNeverGoes) {
  Pacer pacer(MakeLimits(0, 1000, 0), kGuard);
  const TimePoint now(seconds(5));
  EXPECT_EQ(pacer.Available(now, 1001), 0);
  EXPECT_EQ(pacer.Holding(now, 1001), Pacer::Hold::kTooLarge);
  EXPECT_FALSE(pacer.NextChance(now, 1001));
  EXPECT_EQ(pacer.Available(now, 1000), 1);
}

TEST(PacerTest, TokensAboveTheReservationCount) {
  Pacer pacer(MakeLimits(0, 1000, 0), kGuard);
  const TimePoint now(seconds(5));
  pacer.Take(now, 1, 100);
  pacer.Sent(now, 100);
  pacer.AddTokens(now, 850);
  EXPECT_EQ(pacer.tokens(now), 950);
  EXPECT_EQ(pacer.Available(now + seconds(30), 100), 0);
  EXPECT_EQ(pacer.Available(now + seconds(61), 100), 1);
}

TEST(PacerTest, OtherLimitsHoldAtOnceAndKeepTheWindow) {
  Pacer pacer(MakeLimits(600, 0, 0), kGuard);
  TimePoint now(seconds(5));
  for (int i = 0; i < 50; ++i) {
    now += milliseconds(200);
    pacer.Take(now, 1, 0);
    pacer.Sent(now, 0);
  }
  pacer.SetLimits(MakeLimits(50, 0, 0));
  EXPECT_EQ(pacer.Available(now + seconds(10), 0), 0);
  pacer.SetLimits(MakeLimits(0, 0, 0));
  EXPECT_GT(pacer.Available(now, 0), 0);
}

TEST(PacerTest, RestoredCallsCount) {
  Pacer pacer(MakeLimits(2, 0, 1), kGuard);
  const TimePoint now(seconds(100));
  pacer.Restore(now, now - seconds(50), 10, true);
  pacer.Restore(now, now - seconds(40), 10, false);
  pacer.Restore(now, now - seconds(70), 10, false);
  EXPECT_EQ(pacer.requests(now), 2);
  EXPECT_EQ(pacer.Holding(now, 0), Pacer::Hold::kInFlight);
  pacer.Ended();
  EXPECT_EQ(pacer.Available(now, 0), 0);
  EXPECT_EQ(pacer.Available(now + seconds(11), 0), 1);
}

}  // namespace
}  // namespace candor::engine
