#include "simulator/limiter.h"

#include "common/base/random.h"
#include "simulator/durations.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace candor::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint At(Duration time) { return TimePoint{} + time; }

Charge Tokens(std::int64_t tokens) { return {tokens, tokens, 0}; }

TEST(Limiter, WithoutLimitsAdmitsAll) {
  Limiter limiter({});
  for (int i = 1; i <= 1'000; ++i) {
    const Admission admission = limiter.Admit(At(seconds{0}), Tokens(1'000'000));
    EXPECT_EQ(admission.verdict, Verdict::kAdmitted);
    EXPECT_EQ(admission.in_flight, i);
  }
}

TEST(Limiter, RequestsInAnySlidingMinute) {
  Limiter limiter({.requests_per_minute = 3});
  for (const int s : {0, 10, 20}) {
    EXPECT_EQ(limiter.Admit(At(seconds{s}), Tokens(1)).verdict, Verdict::kAdmitted);
  }
  const Admission rejected = limiter.Admit(At(seconds{30}), Tokens(1));
  EXPECT_EQ(rejected.verdict, Verdict::kRequests);
  EXPECT_EQ(rejected.limit, 3);
  EXPECT_EQ(rejected.used, 3);
  EXPECT_EQ(rejected.requested, 1);
  EXPECT_EQ(rejected.retry_after, seconds{30});
  EXPECT_EQ(rejected.in_flight, 3);
  EXPECT_EQ(limiter.Admit(At(seconds{60} - Duration{1}), Tokens(1)).retry_after, Duration{1});
  EXPECT_EQ(limiter.Admit(At(seconds{60}), Tokens(1)).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{60}), Tokens(1)).retry_after, seconds{10});
}

TEST(Limiter, TokensInAnySlidingMinute) {
  Limiter limiter({.tokens_per_minute = 100});
  EXPECT_EQ(limiter.Admit(At(seconds{0}), Tokens(30)).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{5}), Tokens(30)).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{9}), Tokens(30)).verdict, Verdict::kAdmitted);
  const Admission rejected = limiter.Admit(At(seconds{10}), Tokens(50));
  EXPECT_EQ(rejected.verdict, Verdict::kTokens);
  EXPECT_EQ(rejected.limit, 100);
  EXPECT_EQ(rejected.used, 90);
  EXPECT_EQ(rejected.requested, 50);
  // The first two must leave.
  EXPECT_EQ(rejected.retry_after, seconds{55});
  EXPECT_EQ(limiter.Admit(At(seconds{10}), Tokens(10)).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{65}), Tokens(50)).verdict, Verdict::kAdmitted);
  // Above the limit by itself: waiting never helps.
  const Admission hopeless = limiter.Admit(At(seconds{500}), Tokens(101));
  EXPECT_EQ(hopeless.verdict, Verdict::kTokens);
  EXPECT_EQ(hopeless.retry_after, Duration{0});
}

TEST(Limiter, CallsInFlight) {
  Limiter limiter({.in_flight = 2});
  EXPECT_EQ(limiter.Admit(At(seconds{0}), Tokens(1)).in_flight, 1);
  EXPECT_EQ(limiter.Admit(At(seconds{0}), Tokens(1)).in_flight, 2);
  const Admission rejected = limiter.Admit(At(seconds{0}), Tokens(1));
  EXPECT_EQ(rejected.verdict, Verdict::kInFlight);
  EXPECT_EQ(rejected.in_flight, 2);
  EXPECT_GT(rejected.retry_after, Duration{0});
  limiter.Release(At(seconds{0}), {});
  EXPECT_EQ(limiter.Admit(At(seconds{0}), Tokens(1)).verdict, Verdict::kAdmitted);
}

TEST(Limiter, RejectedCallsCountOnlyWhenTold) {
  for (const bool count_rejected : {false, true}) {
    Limiter limiter({.requests_per_minute = 1, .count_rejected = count_rejected});
    EXPECT_EQ(limiter.Admit(At(seconds{0}), Tokens(1)).verdict, Verdict::kAdmitted);
    EXPECT_EQ(limiter.Admit(At(seconds{50}), Tokens(1)).verdict, Verdict::kRequests);
    EXPECT_EQ(limiter.Admit(At(seconds{60}), Tokens(1)).verdict,
              count_rejected ? Verdict::kRequests : Verdict::kAdmitted);
  }
}

// Whatever the calls, no 60 s hold more than the limits, and a rejected call that waits as told is
// admitted when nobody else calls.
TEST(Limiter, HoldsInEveryWindowAndTellsTheExactWait) {
  RandomStream random(11);
  Limiter limiter({.requests_per_minute = 20, .tokens_per_minute = 1'000});
  struct Call {
    TimePoint time;
    std::int64_t tokens;
  };
  std::vector<Call> admitted;
  TimePoint now{};
  int rejected = 0;
  for (int i = 0; i < 2'000; ++i) {
    now += Duration{static_cast<std::int64_t>(random.Below(3'000'000))};
    const auto tokens = static_cast<std::int64_t>(1 + random.Below(120));
    Admission admission = limiter.Admit(now, Tokens(tokens));
    if (admission.verdict != Verdict::kAdmitted) {
      ++rejected;
      if (random.Below(2) == 0) continue;
      ASSERT_NE(limiter.Admit(now + admission.retry_after - Duration{1}, Tokens(tokens)).verdict,
                Verdict::kAdmitted);
      now += admission.retry_after;
      // The other window may be the one that is full then.
      admission = limiter.Admit(now, Tokens(tokens));
      if (admission.verdict != Verdict::kAdmitted) continue;
    }
    admitted.push_back({now, tokens});
    std::int64_t requests_in_window = 0;
    std::int64_t tokens_in_window = 0;
    for (auto it = admitted.rbegin(); it != admitted.rend() && it->time > now - seconds{60}; ++it) {
      ++requests_in_window;
      tokens_in_window += it->tokens;
    }
    ASSERT_LE(requests_in_window, 20);
    ASSERT_LE(tokens_in_window, 1'000);
  }
  EXPECT_GT(rejected, 100);
  EXPECT_GT(admitted.size(), 300U);
}

TEST(Limiter, StateIsWhatHeadersShow) {
  Limiter limiter({.requests_per_minute = 10, .tokens_per_minute = 100, .requests_per_day = 50});
  std::vector<LimitView> state = limiter.State(At(seconds{0}));
  ASSERT_EQ(state.size(), 2U);
  EXPECT_EQ(state[0].reset, Duration{0});
  limiter.Admit(At(seconds{0}), Tokens(30));
  limiter.Admit(At(seconds{20}), Tokens(30));
  state = limiter.State(At(seconds{30}));
  EXPECT_EQ(state[0].kind, Verdict::kRequests);
  EXPECT_EQ(state[0].remaining, 8);
  EXPECT_EQ(state[0].reset, seconds{50});
  EXPECT_EQ(state[1].kind, Verdict::kTokens);
  EXPECT_EQ(state[1].remaining, 40);
  EXPECT_EQ(limiter.State(At(seconds{60}))[0].remaining, 9);
}

TEST(Limiter, OutputCountsAsItIsProduced) {
  Limiter limiter({.input_tokens_per_minute = 100, .output_tokens_per_minute = 50});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.Admit(At(seconds{0}), Tokens(20)).verdict, Verdict::kAdmitted);
  }
  limiter.Release(At(seconds{1}), {0, 0, 30});
  limiter.Release(At(seconds{2}), {0, 0, 30});
  const Admission output = limiter.Admit(At(seconds{3}), Tokens(20));
  EXPECT_EQ(output.verdict, Verdict::kOutputTokens);
  EXPECT_EQ(output.used, 60);
  EXPECT_EQ(output.retry_after, seconds{58});
  EXPECT_EQ(limiter.Admit(At(seconds{61}), Tokens(20)).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{61}), Tokens(90)).verdict, Verdict::kInputTokens);
}

TEST(Limiter, ShortWindowsOfRequests) {
  Limiter limiter({.requests_per_minute = 120, .request_window = seconds{1}});
  EXPECT_EQ(limiter.Admit(At(milliseconds{0}), {}).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(milliseconds{100}), {}).verdict, Verdict::kAdmitted);
  const Admission rejected = limiter.Admit(At(milliseconds{200}), {});
  EXPECT_EQ(rejected.verdict, Verdict::kRequests);
  EXPECT_EQ(rejected.limit, 120);
  EXPECT_EQ(rejected.retry_after, milliseconds{800});
  EXPECT_EQ(limiter.Admit(At(milliseconds{1'000}), {}).verdict, Verdict::kAdmitted);
  // The headers show the minute.
  EXPECT_EQ(limiter.State(At(milliseconds{1'000}))[0].remaining, 117);
}

TEST(Limiter, DaysAndRamps) {
  Limiter day({.requests_per_day = 2});
  for (const int h : {0, 3}) {
    EXPECT_EQ(day.Admit(At(std::chrono::hours{h}), {}).verdict, Verdict::kAdmitted);
  }
  EXPECT_EQ(day.Admit(At(std::chrono::hours{23}), {}).verdict, Verdict::kRequestsPerDay);
  EXPECT_EQ(day.Admit(At(std::chrono::hours{24}), {}).verdict, Verdict::kAdmitted);

  Limiter ramp({.acceleration = 2, .acceleration_floor = 3});
  const auto admitted = [&](int s, int calls) {
    int count = 0;
    for (int i = 0; i < calls; ++i) {
      count += ramp.Admit(At(seconds{s}), {}).verdict == Verdict::kAdmitted ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(admitted(0, 20), 3);
  EXPECT_EQ(admitted(10, 20), 6);
  EXPECT_EQ(admitted(25, 20), 12);
  EXPECT_EQ(ramp.Admit(At(seconds{26}), {}).verdict, Verdict::kAcceleration);
  EXPECT_EQ(ramp.Admit(At(seconds{26}), {}).retry_after, seconds{4});
  // All forgotten.
  EXPECT_EQ(admitted(500, 20), 3);
}

TEST(Limiter, SomebodyElseTakesHisPart) {
  Limiter limiter({.requests_per_minute = 60,
                   .tokens_per_minute = 60'000,
                   .background_requests_per_minute = 30,
                   .background_tokens_per_request = 100});
  int admitted = 0;
  for (int i = 0; i < 100; ++i) {
    admitted += limiter.Admit(At(seconds{200}), {}).verdict == Verdict::kAdmitted ? 1 : 0;
  }
  // He has called every 2 s, also at the very instant.
  EXPECT_EQ(admitted, 30);
  EXPECT_EQ(limiter.State(At(seconds{200}))[1].remaining, 57'000);
}

TEST(Limiter, LimitsChangeWhileRunning) {
  Limiter limiter({.requests_per_minute = 10});
  for (int i = 0; i < 5; ++i) limiter.Admit(At(seconds{0}), Tokens(10));
  limiter.Change({.requests_per_minute = 4, .tokens_per_minute = 20});
  EXPECT_EQ(limiter.Admit(At(seconds{30}), Tokens(10)).verdict, Verdict::kRequests);
  EXPECT_EQ(limiter.Admit(At(seconds{60}), Tokens(20)).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{60}), Tokens(1)).verdict, Verdict::kTokens);
}

TEST(GoDuration, PrintsAsGoDoes) {
  EXPECT_EQ(GoDuration(Duration{0}), "0s");
  EXPECT_EQ(GoDuration(Duration{-5}), "0s");
  EXPECT_EQ(GoDuration(Duration{250}), "250\u00b5s");
  EXPECT_EQ(GoDuration(milliseconds{2}), "2ms");
  EXPECT_EQ(GoDuration(Duration{1'500}), "1.5ms");
  EXPECT_EQ(GoDuration(seconds{1}), "1s");
  EXPECT_EQ(GoDuration(milliseconds{41'724}), "41.724s");
  EXPECT_EQ(GoDuration(seconds{360}), "6m0s");
  EXPECT_EQ(GoDuration(seconds{3'603}), "1h0m3s");
}

}  // namespace
}  // namespace candor::simulator
