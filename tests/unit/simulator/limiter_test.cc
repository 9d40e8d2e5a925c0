#include "simulator/limiter.h"

#include "common/base/random.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace candor::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TimePoint At(Duration time) { return TimePoint{} + time; }

TEST(Limiter, WithoutLimitsAdmitsAll) {
  Limiter limiter({});
  for (int i = 1; i <= 1'000; ++i) {
    const Admission admission = limiter.Admit(At(seconds{0}), 1'000'000);
    EXPECT_EQ(admission.verdict, Verdict::kAdmitted);
    EXPECT_EQ(admission.in_flight, i);
  }
}

TEST(Limiter, RequestsInAnySlidingMinute) {
  Limiter limiter({.requests_per_minute = 3});
  for (const int s : {0, 10, 20}) {
    EXPECT_EQ(limiter.Admit(At(seconds{s}), 1).verdict, Verdict::kAdmitted);
  }
  const Admission rejected = limiter.Admit(At(seconds{30}), 1);
  EXPECT_EQ(rejected.verdict, Verdict::kRequests);
  EXPECT_EQ(rejected.limit, 3);
  EXPECT_EQ(rejected.used, 3);
  EXPECT_EQ(rejected.requested, 1);
  EXPECT_EQ(rejected.retry_after, seconds{30});
  EXPECT_EQ(rejected.in_flight, 3);
  EXPECT_EQ(limiter.Admit(At(seconds{60} - Duration{1}), 1).retry_after, Duration{1});
  EXPECT_EQ(limiter.Admit(At(seconds{60}), 1).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{60}), 1).retry_after, seconds{10});
}

TEST(Limiter, TokensInAnySlidingMinute) {
  Limiter limiter({.tokens_per_minute = 100});
  EXPECT_EQ(limiter.Admit(At(seconds{0}), 30).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{5}), 30).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{9}), 30).verdict, Verdict::kAdmitted);
  const Admission rejected = limiter.Admit(At(seconds{10}), 50);
  EXPECT_EQ(rejected.verdict, Verdict::kTokens);
  EXPECT_EQ(rejected.limit, 100);
  EXPECT_EQ(rejected.used, 90);
  EXPECT_EQ(rejected.requested, 50);
  // The first two must leave.
  EXPECT_EQ(rejected.retry_after, seconds{55});
  EXPECT_EQ(limiter.Admit(At(seconds{10}), 10).verdict, Verdict::kAdmitted);
  EXPECT_EQ(limiter.Admit(At(seconds{65}), 50).verdict, Verdict::kAdmitted);
  // Above the limit by itself: waiting never helps.
  const Admission hopeless = limiter.Admit(At(seconds{500}), 101);
  EXPECT_EQ(hopeless.verdict, Verdict::kTokens);
  EXPECT_EQ(hopeless.retry_after, Duration{0});
}

TEST(Limiter, CallsInFlight) {
  Limiter limiter({.in_flight = 2});
  EXPECT_EQ(limiter.Admit(At(seconds{0}), 1).in_flight, 1);
  EXPECT_EQ(limiter.Admit(At(seconds{0}), 1).in_flight, 2);
  const Admission rejected = limiter.Admit(At(seconds{0}), 1);
  EXPECT_EQ(rejected.verdict, Verdict::kInFlight);
  EXPECT_EQ(rejected.in_flight, 2);
  EXPECT_GT(rejected.retry_after, Duration{0});
  limiter.Release();
  EXPECT_EQ(limiter.Admit(At(seconds{0}), 1).verdict, Verdict::kAdmitted);
}

TEST(Limiter, RejectedCallsCountOnlyWhenTold) {
  for (const bool count_rejected : {false, true}) {
    Limiter limiter({.requests_per_minute = 1, .count_rejected = count_rejected});
    EXPECT_EQ(limiter.Admit(At(seconds{0}), 1).verdict, Verdict::kAdmitted);
    EXPECT_EQ(limiter.Admit(At(seconds{50}), 1).verdict, Verdict::kRequests);
    EXPECT_EQ(limiter.Admit(At(seconds{60}), 1).verdict,
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
    Admission admission = limiter.Admit(now, tokens);
    if (admission.verdict != Verdict::kAdmitted) {
      ++rejected;
      if (random.Below(2) == 0) continue;
      ASSERT_NE(limiter.Admit(now + admission.retry_after - Duration{1}, tokens).verdict,
                Verdict::kAdmitted);
      now += admission.retry_after;
      // The other window may be the one that is full then.
      admission = limiter.Admit(now, tokens);
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
  Limiter limiter({.requests_per_minute = 10, .tokens_per_minute = 100});
  EXPECT_EQ(limiter.State(At(seconds{0})).reset_requests, Duration{0});
  limiter.Admit(At(seconds{0}), 30);
  limiter.Admit(At(seconds{20}), 30);
  const LimitState state = limiter.State(At(seconds{30}));
  EXPECT_EQ(state.remaining_requests, 8);
  EXPECT_EQ(state.remaining_tokens, 40);
  EXPECT_EQ(state.reset_requests, seconds{50});
  EXPECT_EQ(limiter.State(At(seconds{60})).remaining_requests, 9);
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
