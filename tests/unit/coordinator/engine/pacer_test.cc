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

Pacer MakePacer(std::int64_t requests, std::int64_t tokens, std::int64_t in_flight) {
  Pacer pacer(kGuard);
  pacer.SetLimits(MakeLimits(requests, tokens, in_flight));
  return pacer;
}

CallSize Tokens(std::int64_t tokens) { return {tokens, 0, TokenCount::kAdded}; }

// Random takes, sends, refunds and withdrawals; no 60 s at the provider may hold more than allowed,
// whenever within the guard a call begins, and also when the reports say precisely when it did.
TEST(PacerTest, NoWindowIsEverPassed) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    RandomStream random(seed, 5);
    const auto requests = static_cast<std::int64_t>(20 + random.Below(200));
    const auto tokens = static_cast<std::int64_t>(2000 + random.Below(20'000));
    const auto in_flight = static_cast<std::int64_t>(1 + random.Below(50));
    Pacer pacer = MakePacer(requests, tokens, in_flight);
    struct Open {
      TimePoint sent;
      TimePoint worker_start;
    };
    std::deque<TimePoint> unsent;
    std::vector<TimePoint> begun;
    std::deque<Open> open;
    const CallSize size = Tokens(100);
    TimePoint now(seconds(10));
    for (int step = 0; step < 4000; ++step) {
      now += Duration(random.Below(200'000));
      const std::int64_t room = pacer.Available(now, size);
      if (room > 0 && random.Uniform() < 0.8) {
        const auto count =
            static_cast<std::int64_t>(1 + random.Below(static_cast<std::uint64_t>(room)));
        pacer.Take(now, count, size);
        for (std::int64_t i = 0; i < count; ++i) unsent.push_back(now);
      }
      while (!unsent.empty() && random.Uniform() < 0.7) {
        unsent.pop_front();
        if (random.Uniform() < 0.1) {
          pacer.Withdraw(now, size);
          continue;
        }
        pacer.Sent(now, size);
        if (random.Uniform() < 0.1) {
          pacer.Refund(now, now, size);
          continue;
        }
        // The worker starts within 250 ms, and the request is at the provider within 50 ms more.
        const TimePoint start = now + Duration(random.Below(250'000));
        begun.push_back(start + Duration(random.Below(50'000)));
        open.push_back({now, start});
      }
      ASSERT_EQ(pacer.in_flight(), static_cast<std::int64_t>(open.size() + unsent.size()));
      ASSERT_LE(pacer.in_flight(), in_flight);
      while (!open.empty() && random.Uniform() < 0.6 &&
             now > open.front().worker_start + milliseconds(60)) {
        Pacer::CallEnd end;
        end.sent = open.front().sent;
        end.size = size;
        // The report may come later than the call's end, never sooner.
        const auto most = static_cast<std::uint64_t>((now - open.front().worker_start).count());
        if (random.Uniform() < 0.8) {
          end.latency = Duration(static_cast<std::int64_t>(most - random.Below(most / 2)));
        }
        open.pop_front();
        pacer.Ended(now, end);
      }
    }
    std::sort(begun.begin(), begun.end());
    for (std::size_t first = 0, last = 0; last < begun.size(); ++last) {
      while (begun[last] - begun[first] >= seconds(60)) ++first;
      const auto count = static_cast<std::int64_t>(last - first + 1);
      ASSERT_LE(count, requests) << "seed " << seed;
      ASSERT_LE(count * size.total(), tokens) << "seed " << seed;
    }
    ASSERT_GT(begun.size(), 50U);
  }
}

TEST(PacerTest, NextChanceIsWhenSomethingIsAvailable) {
  Pacer pacer = MakePacer(10, 0, 0);
  TimePoint now(seconds(50));
  for (int i = 0; i < 30; ++i) {
    const auto chance = pacer.NextChance(now, {});
    ASSERT_TRUE(chance);
    if (*chance > now) {
      EXPECT_EQ(pacer.Available(*chance - Duration(1), {}), 0);
      now = *chance;
    }
    ASSERT_EQ(pacer.Available(now, {}), 1);
    pacer.Take(now, 1, {});
    pacer.Sent(now, {});
  }
  // What is granted and not sent holds its place without end.
  Pacer unsent = MakePacer(1, 0, 0);
  unsent.Take(now, 1, {});
  EXPECT_EQ(unsent.Available(now + std::chrono::hours(1), {}), 0);
  EXPECT_FALSE(unsent.NextChance(now + std::chrono::hours(1), {}));
}

TEST(PacerTest, ACallLargerThanTheLimitNeverGoes) {
  Pacer pacer = MakePacer(0, 1000, 0);
  const TimePoint now(seconds(5));
  EXPECT_EQ(pacer.Available(now, Tokens(1001)), 0);
  EXPECT_TRUE(pacer.Holding(now, Tokens(1001)).too_large);
  EXPECT_FALSE(pacer.NextChance(now, Tokens(1001)));
  EXPECT_EQ(pacer.Available(now, Tokens(1000)), 1);
}

struct CountCase {
  const char* what;
  CallSize size;
  std::int64_t in_flight;  // what counts of 1,000 tokens a minute while the call is in flight
  std::int64_t after;      // and when it has used 120 of input and 80 of output
};

class PacerCountTest : public testing::TestWithParam<CountCase> {};

TEST_P(PacerCountTest, TokensCountAsTheProviderCountsThem) {
  Pacer pacer = MakePacer(0, 10'000, 0);
  const TimePoint now(seconds(5));
  const CountCase& test = GetParam();
  pacer.Take(now, 1, test.size);
  EXPECT_EQ(pacer.used(now, v1::LimitUse::TOKENS_PER_MINUTE), test.in_flight);
  pacer.Sent(now, test.size);
  EXPECT_EQ(pacer.used(now, v1::LimitUse::TOKENS_PER_MINUTE), test.in_flight);
  Pacer::CallEnd end;
  end.sent = now;
  end.size = test.size;
  end.input = 120;
  end.output = 80;
  pacer.Ended(now + seconds(1), end);
  EXPECT_EQ(pacer.used(now + seconds(1), v1::LimitUse::TOKENS_PER_MINUTE), test.after);
  EXPECT_EQ(pacer.used(now + seconds(62), v1::LimitUse::TOKENS_PER_MINUTE), 0);
}

INSTANTIATE_TEST_SUITE_P(All, PacerCountTest,
                         testing::Values(
                             // OpenAI: the larger of both, whatever was used.
                             CountCase{"larger", {100, 300, TokenCount::kLarger}, 300, 300},
                             CountCase{"larger", {100, 16, TokenCount::kLarger}, 100, 100},
                             // Both, never given back; what was used above that counts.
                             CountCase{"added", {100, 300, TokenCount::kAdded}, 400, 400},
                             CountCase{"added", {100, 16, TokenCount::kAdded}, 116, 200},
                             // Gemini: input only, and more when it was more.
                             CountCase{"input", {100, 300, TokenCount::kInput}, 100, 120},
                             // Anthropic: corrected by the usage, up and down.
                             CountCase{"produced", {150, 300, TokenCount::kProduced}, 450, 200},
                             CountCase{"produced", {100, 16, TokenCount::kProduced}, 116, 200}));

TEST(PacerTest, OutputCountsFromWhenItWasProduced) {
  Pacer pacer(kGuard);
  v1::Limits limits;
  limits.set_output_tokens_per_minute(100);
  pacer.SetLimits(limits);
  const CallSize size{10, 40, TokenCount::kProduced};
  TimePoint now(seconds(5));
  pacer.Take(now, 1, size);
  pacer.Sent(now, size);
  now += seconds(30);
  EXPECT_EQ(pacer.Available(now, size), 1);
  Pacer::CallEnd end;
  end.sent = now - seconds(30);
  end.size = size;
  end.output = 70;
  pacer.Ended(now, end);
  EXPECT_EQ(pacer.Available(now + seconds(40), size), 0);
  EXPECT_EQ(pacer.Holding(now + seconds(40), size).dimension,
            v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE);
  EXPECT_EQ(pacer.Available(now + seconds(61), size), 1);
}

TEST(PacerTest, ALostCallCountsWithTheMostThatItCanHaveProduced) {
  Pacer pacer(kGuard);
  v1::Limits limits;
  limits.set_output_tokens_per_minute(100);
  pacer.SetLimits(limits);
  const CallSize size{10, 40, TokenCount::kProduced};
  const TimePoint now(seconds(5));
  pacer.Take(now, 1, size);
  pacer.Sent(now, size);
  pacer.Lost(now + seconds(30), size, 90);
  EXPECT_EQ(pacer.in_flight(), 0);
  EXPECT_EQ(pacer.used(now + seconds(80), v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE), 90);
}

TEST(PacerTest, RestoredCallsCount) {
  Pacer pacer = MakePacer(2, 0, 1);
  const TimePoint now(seconds(100));
  const CallSize size = Tokens(10);
  pacer.Restore(now, now - seconds(50), size, true);
  pacer.Restore(now, now - seconds(40), size, false);
  pacer.Restore(now, now - seconds(70), size, false);
  EXPECT_EQ(pacer.used(now, v1::LimitUse::REQUESTS_PER_MINUTE), 2);
  EXPECT_EQ(pacer.Holding(now, {}).dimension, v1::LimitUse::IN_FLIGHT);
  Pacer::CallEnd end;
  end.sent = now - seconds(50);
  end.size = size;
  pacer.Ended(now, end);
  EXPECT_EQ(pacer.Available(now, size), 0);
  EXPECT_EQ(pacer.Available(now + seconds(11), size), 1);
}

TEST(PacerTest, ADayIsKeptBesideTheMinute) {
  Pacer pacer(kGuard);
  v1::Limits limits = MakeLimits(60, 0, 0);
  limits.set_requests_per_day(3);
  pacer.SetLimits(limits);
  const TimePoint now(std::chrono::hours(100));
  const TimePoint before = now - std::chrono::hours(23);
  pacer.Restore(now, before, {}, false);
  pacer.Restore(now, before, {}, false);
  EXPECT_EQ(pacer.Available(now, {}), 1);
  pacer.Take(now, 1, {});
  pacer.Sent(now, {});
  EXPECT_EQ(pacer.Holding(now + seconds(10), {}).dimension, v1::LimitUse::REQUESTS_PER_DAY);
  const auto chance = pacer.NextChance(now, {});
  ASSERT_TRUE(chance);
  EXPECT_GE(*chance, now + std::chrono::hours(1));
  EXPECT_LE(*chance, now + std::chrono::hours(1) + seconds(15));
}

}  // namespace
}  // namespace candor::engine
