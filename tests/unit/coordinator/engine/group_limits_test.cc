#include "coordinator/engine/group_limits.h"

#include "common/base/time_proto.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

namespace candor::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto kRequests = v1::LimitUse::REQUESTS_PER_MINUTE;
constexpr TimePoint kStart = TimePoint(seconds(1000));

v1::LimitObservation Say(std::int64_t limit, std::int64_t remaining, std::int64_t rounded_to = 0) {
  v1::LimitObservation one;
  one.set_dimension(kRequests);
  one.set_limit(limit);
  one.set_remaining(remaining);
  one.set_rounded_to(rounded_to);
  return one;
}

// --- HeaderLimit ---

TEST(HeaderLimitTest, BelievesTheFirstAndThenThreeThatAgree) {
  HeaderLimit header;
  EXPECT_TRUE(header.Observe(kStart, kStart, Say(600, 599), 1));
  EXPECT_EQ(header.Limit(kStart), 600);
  const TimePoint now = kStart + seconds(1);
  EXPECT_FALSE(header.Observe(now, now, Say(300, 299), 1));
  EXPECT_FALSE(header.Observe(now, now, Say(600, 599), 1));
  EXPECT_FALSE(header.Observe(now, now, Say(300, 299), 1));
  EXPECT_FALSE(header.Observe(now, now, Say(300, 299), 1));
  EXPECT_TRUE(header.Observe(now, now, Say(300, 299), 1));
  EXPECT_EQ(header.Limit(now), 300);
  // Answers to calls of before say what was true before.
  for (int i = 0; i < 5; ++i) header.Observe(now, kStart, Say(600, 599), 1);
  EXPECT_EQ(header.Limit(now), 300);
  const TimePoint later = now + seconds(1);
  for (int i = 0; i < 3; ++i) header.Observe(later, later, Say(600, 599), 1);
  EXPECT_EQ(header.Limit(later), 600);
  EXPECT_EQ(header.Limit(later + minutes(11)), 0) << "said no more, and so forgotten";
}

TEST(HeaderLimitTest, LeavesOutWhatCannotBe) {
  HeaderLimit header;
  for (const std::int64_t limit : {std::int64_t{0}, std::int64_t{-5}, INT64_MAX}) {
    EXPECT_FALSE(header.Observe(kStart, kStart, Say(limit, 1), 0));
    EXPECT_EQ(header.Limit(kStart), 0);
  }
  header.Observe(kStart, kStart, Say(600, 700), 0);
  EXPECT_FALSE(header.remaining());
  header.Observe(kStart, kStart, Say(600, -1), 0);
  EXPECT_FALSE(header.remaining());
  v1::LimitObservation past = Say(600, 500);
  past.mutable_reset_after()->set_seconds(-30);
  header.Observe(kStart, kStart, past, 100);
  EXPECT_EQ(header.remaining(), 500);
  // What is past is over.
  EXPECT_EQ(header.reset_at().value_or(kStart), kStart);
  EXPECT_EQ(header.Others(kStart), 0);
  v1::LimitObservation nothing;
  EXPECT_FALSE(header.Observe(kStart, kStart, nothing, 0));
}

TEST(HeaderLimitTest, OthersAreWhatIsUsedAndNotOurs) {
  HeaderLimit header;
  TimePoint now = kStart;
  for (int i = 0; i < 40; ++i, now += milliseconds(100)) {
    header.Observe(now, now, Say(600, 300), 100);
  }
  EXPECT_EQ(header.Others(now), 200);
  // An answer that is out of date shows more than there is; the others of its second decide.
  header.Observe(now, now, Say(600, 0), 100);
  EXPECT_EQ(header.Others(now), 200);
  EXPECT_EQ(header.Others(now + seconds(61)), 0);
  ASSERT_TRUE(header.Forgets(now));
  EXPECT_EQ(header.Others(*header.Forgets(now)), 0);
  // Half of the rounding may be ours.
  HeaderLimit rounded;
  rounded.Observe(kStart, kStart, Say(100'000, 50'000, 1000), 49'600);
  EXPECT_EQ(rounded.Others(kStart), 0);
}

// --- CallProbe ---

TEST(CallProbeTest, SlowStartDoublesWhileItBinds) {
  CallProbe probe(0);
  EXPECT_EQ(probe.in_flight(), 16);
  for (int i = 0; i < 16; ++i) probe.Worked(16);
  EXPECT_EQ(probe.in_flight(), 32);
  for (int i = 0; i < 100; ++i) probe.Worked(3);
  EXPECT_EQ(probe.in_flight(), 32) << "it holds nothing back";
  // No answer yet, and no refusal either.
  probe.Grow(kStart, 32);
  probe.Grow(kStart + seconds(1), 32);
  EXPECT_EQ(probe.in_flight(), 64);
}

TEST(CallProbeTest, OneDecreaseAnEpisode) {
  CallProbe probe(100);
  EXPECT_EQ(probe.in_flight(), 100);
  probe.Sent(kStart, 100);
  const TimePoint now = kStart + milliseconds(50);
  EXPECT_TRUE(probe.Refused(now, kStart, 100, false));
  EXPECT_EQ(probe.in_flight(), 70);
  const std::int64_t rate = probe.requests_per_minute();
  // The rest of those that were under way tells only how many were borne.
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(probe.Refused(now, kStart, 100, false));
  EXPECT_EQ(probe.in_flight(), 56);
  EXPECT_EQ(probe.requests_per_minute(), rate);
  for (int i = 0; i < 70; ++i) EXPECT_FALSE(probe.Refused(now, kStart, 100, false));
  EXPECT_EQ(probe.in_flight(), 35) << "half of them at the least";
  for (int i = 0; i < 1000; ++i) probe.Worked(probe.in_flight());
  EXPECT_EQ(probe.in_flight(), 49) << "quickly to just under what was borne";
  TimePoint later = now;
  for (int i = 0; i < 1000; ++i) {
    probe.Sent(later, 1000);
    probe.Grow(later += seconds(1), probe.in_flight());
  }
  EXPECT_EQ(probe.in_flight(), 100) << "never more than is configured";
}

// A provider that was met at 20 in flight, and then at 20 again.
TEST(CallProbeTest, ACeilingOfCallsInFlightThatIsMetAgainIsKeptUnderByOneCall) {
  CallProbe probe(20);
  TimePoint now = kStart;
  const auto refused = [&](std::int64_t in_flight) {
    probe.Refused(now, now - milliseconds(20), in_flight, false);
  };
  const auto work = [&](int times) {
    for (int i = 0; i < times; ++i) {
      probe.Sent(now, 40);
      now += seconds(1);
      for (int call = 0; call < 40; ++call) probe.Worked(probe.in_flight());
      probe.Grow(now, probe.in_flight());
    }
  };
  probe.Sent(now, 40);
  now += seconds(1);
  refused(20);
  EXPECT_EQ(probe.in_flight(), 14);
  work(100);
  EXPECT_EQ(probe.in_flight(), 20);
  const std::int64_t rate = probe.requests_per_minute();
  refused(20);
  EXPECT_EQ(probe.in_flight(), 19);
  EXPECT_EQ(probe.requests_per_minute(), rate) << "it was not the rate";
  work(59);
  EXPECT_EQ(probe.in_flight(), 19);
  work(5);
  EXPECT_EQ(probe.in_flight(), 20) << "tried again after a minute";
}

TEST(CallProbeTest, ACeilingOfTheRateThatIsMetAgainIsKeptUnderByTwoPerCent) {
  CallProbe probe(0);
  TimePoint now = kStart;
  const auto work = [&](int calls) {
    for (int i = 0; i < calls; ++i, now += milliseconds(100)) {
      probe.Sent(now, 1);
      probe.Grow(now, 2);
    }
  };
  work(600);
  probe.Refused(now, now - milliseconds(10), 12, true);
  const std::int64_t in_flight = probe.in_flight();
  EXPECT_NEAR(static_cast<double>(probe.requests_per_minute()), 0.95 * 600, 2);
  work(610);
  probe.Refused(now, now - milliseconds(10), 2, false);
  EXPECT_NEAR(static_cast<double>(probe.requests_per_minute()), 0.98 * 600, 3);
  EXPECT_GE(probe.in_flight(), in_flight) << "it was not the calls in flight";
  work(600);
  EXPECT_NEAR(static_cast<double>(probe.requests_per_minute()), 600, 2);
  work(300);
  EXPECT_GT(probe.requests_per_minute(), 620) << "and then beyond";
}

TEST(CallProbeTest, TheRateIsWhatWasAccepted) {
  CallProbe probe(0);
  TimePoint now = kStart;
  for (int i = 0; i < 600; ++i, now += milliseconds(100)) probe.Sent(now, 1);
  EXPECT_EQ(probe.requests_per_minute(), 0);
  EXPECT_TRUE(probe.Refused(now, now - milliseconds(10), 2, false));
  EXPECT_NEAR(static_cast<double>(probe.requests_per_minute()), 0.95 * 600, 8);
  // A refusal after a few calls need not be one of a minute, unless it says so.
  for (const bool long_wait : {false, true}) {
    CallProbe burst(0);
    burst.Sent(kStart, 40);
    burst.Refused(kStart + milliseconds(500), kStart, 40, long_wait);
    EXPECT_NEAR(static_cast<double>(burst.requests_per_minute()), long_wait ? 37 : 655, 3);
  }
}

TEST(CallProbeTest, TheRateRisesSlowlyThenFasterAndOnlyWhileItBinds) {
  CallProbe probe(0);
  TimePoint now = kStart;
  for (int i = 0; i < 600; ++i, now += milliseconds(100)) probe.Sent(now, 1);
  probe.Refused(now, now - milliseconds(10), 2, false);
  const auto first = static_cast<double>(probe.requests_per_minute());
  for (int i = 0; i < 60; ++i) probe.Grow(now += seconds(1), 0);
  EXPECT_EQ(static_cast<double>(probe.requests_per_minute()), first) << "nothing was sent";
  std::vector<double> rates;
  for (int i = 0; i < 60; ++i) {
    probe.Sent(now, 20);
    probe.Grow(now += seconds(1), 0);
    rates.push_back(static_cast<double>(probe.requests_per_minute()));
  }
  EXPECT_LT(rates[9], first * 1.1);
  EXPECT_GT(rates[59], first * 1.3);
  EXPECT_LT(rates[9] / first, rates[29] / rates[19]);
}

// --- Circuit ---

TEST(CircuitTest, OpensAfterFiveInARowAndClosesWithASuccess) {
  Circuit circuit;
  RandomStream random(1);
  TimePoint now = kStart;
  for (int i = 0; i < 4; ++i) circuit.Answered(now, now, Circuit::Sign::kFails, random);
  circuit.Answered(now, now, Circuit::Sign::kWorks, random);
  for (int i = 0; i < 4; ++i) circuit.Answered(now, now, Circuit::Sign::kFails, random);
  EXPECT_EQ(circuit.state(), Circuit::State::kClosed);
  circuit.Answered(now, now, Circuit::Sign::kFails, random);
  EXPECT_EQ(circuit.state(), Circuit::State::kOpen);
  EXPECT_FALSE(circuit.Allows(now));
  now = circuit.retry_at() + Duration(1);
  EXPECT_EQ(circuit.Available(now), 1);
  circuit.Taken(now);
  EXPECT_EQ(circuit.state(), Circuit::State::kHalfOpen);
  EXPECT_EQ(circuit.Available(now), 0);
  // Calls of before say nothing.
  circuit.Answered(now, kStart, Circuit::Sign::kWorks, random);
  EXPECT_EQ(circuit.state(), Circuit::State::kHalfOpen);
  // The one call came to nothing: another one goes.
  circuit.Gone(now, now);
  EXPECT_EQ(circuit.Available(now), 1);
  circuit.Taken(now);
  EXPECT_TRUE(circuit.Answered(now + seconds(1), now, Circuit::Sign::kWorks, random));
  EXPECT_EQ(circuit.state(), Circuit::State::kClosed);
}

TEST(CircuitTest, OpensWhenMostOfTheRecentOnesFail) {
  Circuit circuit;
  RandomStream random(1);
  for (int i = 0; i < 60; ++i) {
    circuit.Answered(kStart, kStart, i % 2 == 0 ? Circuit::Sign::kFails : Circuit::Sign::kWorks,
                     random);
  }
  EXPECT_EQ(circuit.state(), Circuit::State::kClosed) << "half is not most";
  for (int i = 0; i < 60; ++i) {
    circuit.Answered(kStart, kStart, i % 3 != 0 ? Circuit::Sign::kFails : Circuit::Sign::kWorks,
                     random);
  }
  EXPECT_EQ(circuit.state(), Circuit::State::kOpen);
}

// --- GroupLimits ---

class GroupLimitsTest : public testing::Test {
 protected:
  GroupLimits Make(std::int64_t requests, std::int64_t in_flight = 0, double share = 1) {
    GroupLimits::Configured configured;
    configured.limits.set_requests_per_minute(requests);
    configured.limits.set_in_flight(in_flight);
    configured.share = share;
    return {configured, milliseconds(300)};
  }
  // A call that begins and ends now.
  bool Call(GroupLimits& limits, TimePoint now, v1::Attempt::ErrorClass error_class = {},
            std::optional<Duration> retry_after = {},
            const std::vector<v1::LimitObservation>& said = {}) {
    limits.Take(now, 1, {});
    limits.Sent(now, {});
    GroupLimits::Answer answer;
    answer.end.sent = now;
    answer.granted = now;
    answer.completed = error_class == v1::Attempt::ERROR_CLASS_UNSPECIFIED;
    answer.error_class = error_class;
    answer.retry_after = retry_after;
    const google::protobuf::RepeatedPtrField<v1::LimitObservation> list(said.begin(), said.end());
    answer.observations = &list;
    return limits.Answered(now, answer, random_);
  }
  v1::LimitGroup View(GroupLimits& limits, TimePoint now) {
    v1::LimitGroup view;
    limits.Fill(now, WallTime(now.time_since_epoch()), view);
    return view;
  }
  RandomStream random_{3};
};

TEST_F(GroupLimitsTest, TheLeastHoldsAndNothingIsAboveWhatIsConfigured) {
  GroupLimits limits = Make(600, 0, 0.5);
  EXPECT_EQ(limits.in_force(kStart).requests_per_minute(), 300);
  Call(limits, kStart, {}, {}, {Say(10'000, 9'999)});
  EXPECT_EQ(limits.in_force(kStart).requests_per_minute(), 300);
  TimePoint now = kStart + seconds(2);
  for (int i = 0; i < 3; ++i) Call(limits, now, {}, {}, {Say(400, 390)});
  EXPECT_EQ(limits.in_force(now).requests_per_minute(), 200);
  const v1::LimitGroup view = View(limits, now);
  EXPECT_EQ(view.uses(0).source(), v1::LimitUse::LEARNED);
  EXPECT_EQ(view.uses(0).remaining(), 390);
  EXPECT_EQ(view.configured().requests_per_minute(), 600);
  EXPECT_EQ(view.share(), 0.5);
  EXPECT_EQ(view.calls(), 4);
}

TEST_F(GroupLimitsTest, WhatOthersLeaveHoldsAndIsForgotten) {
  GroupLimits limits = Make(600);
  TimePoint now = kStart;
  for (int i = 0; i < 30; ++i, now += milliseconds(200)) {
    Call(limits, now, {}, {}, {Say(600, 600 - 250 - i - 1)});
  }
  EXPECT_NEAR(static_cast<double>(limits.in_force(now).requests_per_minute()), 350, 2);
  EXPECT_EQ(limits.in_force(now + seconds(65)).requests_per_minute(), 600);
}

TEST_F(GroupLimitsTest, TheLongestRetryAfterHoldsWithinReason) {
  GroupLimits limits = Make(6000);
  EXPECT_TRUE(Call(limits, kStart, v1::Attempt::RATE_LIMITED, seconds(20)));
  EXPECT_FALSE(Call(limits, kStart, v1::Attempt::RATE_LIMITED, seconds(5)));
  EXPECT_EQ(limits.blocked_until(), kStart + seconds(20));
  EXPECT_EQ(limits.Available(kStart + seconds(19), {}), 0);
  EXPECT_EQ(limits.Holding(kStart, {}).reason, v1::PROVIDER_ASKED);
  EXPECT_EQ(limits.NextChance(kStart, {}), kStart + seconds(20));
  Call(limits, kStart, v1::Attempt::RATE_LIMITED, hours(900));
  EXPECT_EQ(limits.blocked_until(), kStart + hours(1));
  Call(limits, kStart, v1::Attempt::DAILY_LIMIT, hours(20));
  EXPECT_EQ(limits.blocked_until(), kStart + hours(20));
  EXPECT_EQ(limits.Holding(kStart, {}).reason, v1::DAILY_LIMIT);
  EXPECT_EQ(View(limits, kStart).refusals(), 3);
}

TEST_F(GroupLimitsTest, AfterADayOneCallGoesFirst) {
  GroupLimits limits = Make(6000);
  for (int i = 0; i < 3; ++i) Call(limits, kStart, v1::Attempt::DAILY_LIMIT, hours(10));
  TimePoint now = kStart + hours(10);
  EXPECT_EQ(limits.Available(now - seconds(1), {}), 0);
  EXPECT_EQ(limits.NextChance(kStart, {}), now);
  ASSERT_EQ(limits.Available(now, {}), 1);
  limits.Take(now, 1, {});
  EXPECT_EQ(limits.Available(now, {}), 0);
  EXPECT_EQ(limits.NextChance(now, {}), std::nullopt);
  EXPECT_EQ(limits.Holding(now, {}).reason, v1::DAILY_LIMIT);
  EXPECT_EQ(limits.Holding(now, {}).until, std::nullopt);
  // What was granted before the refusal does not start now.
  EXPECT_FALSE(limits.MayStart(now, kStart));
  EXPECT_TRUE(limits.MayStart(now, now));
  // It came to nothing: another one goes, is refused again, and the next one fails.
  limits.Withdraw(now, now, {});
  ASSERT_EQ(limits.Available(now, {}), 1);
  EXPECT_TRUE(Call(limits, now, v1::Attempt::DAILY_LIMIT, hours(1)));
  now += hours(1);
  ASSERT_EQ(limits.Available(now, {}), 1);
  Call(limits, now, v1::Attempt::SERVER_ERROR);
  ASSERT_EQ(limits.Available(now, {}), 1) << "nothing is said of the quota";
  Call(limits, now);
  EXPECT_GT(limits.Available(now + seconds(6), {}), 1);
  EXPECT_EQ(View(limits, now).ramp(), 0.2);
}

TEST_F(GroupLimitsTest, AfterARestartOneCallGoesFirstToo) {
  GroupLimits limits = Make(6000);
  limits.RestoreBlock(kStart + hours(3));
  EXPECT_EQ(limits.Available(kStart, {}), 0);
  EXPECT_EQ(limits.Available(kStart + hours(3), {}), 1);
}

TEST_F(GroupLimitsTest, AFailingProviderShrinksNoEstimate) {
  GroupLimits limits = Make(0, 50);
  for (int i = 0; i < 5; ++i) Call(limits, kStart, v1::Attempt::OVERLOADED);
  EXPECT_EQ(View(limits, kStart).circuit(), v1::LimitGroup::OPEN);
  EXPECT_EQ(limits.Available(kStart, {}), 0);
  EXPECT_EQ(limits.Holding(kStart, {}).reason, v1::CIRCUIT_OPEN);
  const auto chance = limits.NextChance(kStart, {});
  ASSERT_TRUE(chance);
  const TimePoint later = *chance + Duration(1);
  EXPECT_EQ(limits.Available(later, {}), 1);
  Call(limits, later);
  EXPECT_EQ(View(limits, later).circuit(), v1::LimitGroup::CLOSED);
  EXPECT_EQ(limits.in_force(later).in_flight(), 50);
  EXPECT_EQ(limits.in_force(later).requests_per_minute(), 0);
}

TEST_F(GroupLimitsTest, AnIdleGroupRampsUp) {
  GroupLimits limits = Make(6000);
  Call(limits, kStart);
  EXPECT_LT(View(limits, kStart).ramp(), 0.3);
  EXPECT_EQ(View(limits, kStart + seconds(5)).ramp(), 1);
  TimePoint now = kStart;
  for (; now < kStart + seconds(8); now += milliseconds(100)) Call(limits, now);
  EXPECT_EQ(View(limits, now).ramp(), 1);
  now += seconds(11);
  Call(limits, now);
  EXPECT_LT(View(limits, now).ramp(), 0.3);
  Call(limits, now);
  EXPECT_EQ(limits.Available(now, {}), 0);
  EXPECT_EQ(limits.Holding(now, {}).reason, v1::RAMP);
}

TEST_F(GroupLimitsTest, AnOperatorsChangeHoldsAtOnce) {
  GroupLimits limits = Make(600, 0, 0.5);
  v1::Limits changed;
  changed.set_requests_per_minute(100);
  changed.set_in_flight(8);
  limits.SetConfigured(kStart, changed);
  EXPECT_EQ(limits.in_force(kStart).requests_per_minute(), 50);
  EXPECT_EQ(limits.in_force(kStart).in_flight(), 0 + 4);
  limits.SetConfigured(kStart, {});
  EXPECT_EQ(limits.in_force(kStart).requests_per_minute(), 0);
}

// Where the limit in force is from: the headers, a share of them, or what others leave of them.
TEST(GroupLimitsOriginTest, SaysWhatLowersALimit) {
  constexpr Duration kGuard = milliseconds(500);
  const auto observe = [](GroupLimits& limits, std::int64_t limit, std::int64_t remaining) {
    RandomStream random(1, 2);
    google::protobuf::RepeatedPtrField<v1::LimitObservation> said;
    *said.Add() = Say(limit, remaining);
    TimePoint now = kStart;
    for (int i = 0; i < 40; ++i, now += milliseconds(100)) {
      limits.Take(now, 1, CallSize{});
      limits.Sent(now, CallSize{});
      GroupLimits::Answer answer;
      answer.end.sent = answer.granted = now;
      answer.completed = true;
      answer.observations = &said;
      limits.Answered(now, answer, random);
    }
    return limits.OriginOf(now, kRequests);
  };
  GroupLimits whole({.limits = {}, .share = 1}, kGuard);
  LimitOrigin origin = observe(whole, 600, 600);
  EXPECT_EQ(origin.source, v1::LimitUse::LEARNED);
  EXPECT_EQ(origin.account, 600);
  EXPECT_EQ(origin.others, 0);
  EXPECT_EQ(origin.share, 1);

  GroupLimits others({.limits = {}, .share = 1}, kGuard);
  origin = observe(others, 600, 260);
  EXPECT_EQ(origin.source, v1::LimitUse::LEARNED);
  EXPECT_EQ(origin.account, 600);
  EXPECT_NEAR(static_cast<double>(origin.others), 320, 20);

  GroupLimits shared({.limits = {}, .share = 0.5}, kGuard);
  origin = observe(shared, 300, 300);
  EXPECT_EQ(origin.source, v1::LimitUse::LEARNED);
  EXPECT_EQ(origin.account, 300);
  EXPECT_EQ(origin.share, 0.5);

  v1::Limits limits;
  limits.set_requests_per_minute(1'200);
  GroupLimits configured({.limits = limits, .share = 0.5}, kGuard);
  origin = configured.OriginOf(kStart, kRequests);
  EXPECT_EQ(origin.source, v1::LimitUse::CONFIGURED);
  EXPECT_EQ(origin.account, 1'200);
  EXPECT_EQ(origin.share, 0.5);
  EXPECT_EQ(configured.OriginOf(kStart, v1::LimitUse::TOKENS_PER_DAY).account, 0);
}

}  // namespace
}  // namespace candor::engine
