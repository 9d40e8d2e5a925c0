#include "coordinator/engine/explain.h"

#include "common/base/time_proto.h"
#include "coordinator/engine/explain_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr StoreTimes kStore{.median = milliseconds(4), .p95 = milliseconds(9)};

void AddUse(v1::LimitUse::Dimension dimension, std::int64_t limit, std::int64_t used,
            v1::LimitUse::Source source, EntryFacts& facts) {
  v1::LimitUse& use = *facts.group.add_uses();
  use.set_dimension(dimension);
  use.set_limit(limit);
  use.set_used(used);
  use.set_source(source);
}

EntryFacts Facts() {
  EntryFacts facts;
  facts.entry = "base";
  facts.endpoint = "local";
  facts.group.set_name("limitGroups/g5");
  facts.total = 40'000;
  facts.done = 12'340;
  facts.pending = 27'596;
  facts.in_flight = 64;
  facts.rate = 27.5;
  facts.calls = 1'000;
  facts.latency_median = milliseconds(2'300);
  facts.latency_p95 = milliseconds(4'100);
  facts.call_tokens = 600;
  facts.workers = 1;
  facts.slots = 64;
  facts.slots_taken = 64;
  return facts;
}

TEST(ExplainTest, SlotsAreReckonedAgainstLimits) {
  EntryFacts facts = Facts();
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 10'000, 1'650, v1::LimitUse::CONFIGURED, facts);
  facts.waits.Charge(v1::SLOTS, seconds(92));
  facts.waits.Charge(v1::NOTHING, seconds(8));
  const auto said = ExplainEntry(facts, kStore);
  ASSERT_EQ(said.findings_size(), 3);
  EXPECT_EQ(said.findings(1).reason(), v1::SLOTS);
  EXPECT_DOUBLE_EQ(said.findings(1).share(), 0.92);
  EXPECT_EQ(
      said.findings(1).text(),
      "all 64 slots were taken. At a median latency of 2.3 s 64 slots give 27.8/s; the limits "
      "would allow 167/s");
  // 166.7/s at 2.3 s are 383 calls in flight.
  EXPECT_EQ(said.findings(1).advice(), "6 workers of 64 slots would reach them (there is 1 now)");
  EXPECT_NEAR(said.limit_rate(), 166.7, 0.1);
  EXPECT_NEAR(said.slots_rate(), 27.8, 0.1);
}

TEST(ExplainTest, SlotsWithoutLimits) {
  EntryFacts facts = Facts();
  facts.waits.Charge(v1::SLOTS, seconds(10));
  const auto said = ExplainEntry(facts, kStore);
  EXPECT_THAT(said.findings(1).text(), HasSubstr("no limit is in the way"));
  EXPECT_THAT(said.findings(1).advice(), HasSubstr("more workers (each of 64 slots adds 27.8/s)"));
  EXPECT_DOUBLE_EQ(said.limit_rate(), 0);
}

TEST(ExplainTest, SlotsThatOthersTake) {
  EntryFacts facts = Facts();
  facts.in_flight = 20;
  facts.waits.Charge(v1::SLOTS, seconds(10));
  EXPECT_THAT(ExplainEntry(facts, kStore).findings(1).text(),
              HasSubstr("44 of them by other entries and jobs"));
}

TEST(ExplainTest, ALimitSaysHowMuchAndWhoSaysSo) {
  EntryFacts facts = Facts();
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 500, 499, v1::LimitUse::LEARNED, facts);
  facts.waits.Charge(v1::REQUEST_LIMIT, seconds(10));
  const auto said = ExplainEntry(facts, kStore);
  EXPECT_EQ(said.findings(1).text(),
            "limit group \"g5\" allows 500 requests a minute (by the provider's headers) and uses "
            "499");
  EXPECT_THAT(said.findings(1).advice(), HasSubstr("a higher usage tier"));
}

TEST(ExplainTest, ALimitThatOthersLowerIsNotTheProviders) {
  EntryFacts facts = Facts();
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 300, 299, v1::LimitUse::LEARNED, facts);
  facts.origins[v1::LimitUse::REQUESTS_PER_MINUTE] = {v1::LimitUse::LEARNED, 600, 1, 300};
  const FindingText said = TextOf(v1::REQUEST_LIMIT, facts, kStore);
  EXPECT_EQ(said.text,
            "limit group \"g5\" is left 300 requests a minute: the provider's headers allow 600, "
            "and others of the account use about 300. It uses 299");
  EXPECT_THAT(said.advice, HasSubstr("less use of the account by others"));
  EXPECT_THAT(said.advice, Not(HasSubstr("nothing here")));
}

TEST(ExplainTest, AShareIsOurs) {
  EntryFacts facts = Facts();
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 150, 150, v1::LimitUse::LEARNED, facts);
  LimitOrigin& origin = facts.origins[v1::LimitUse::REQUESTS_PER_MINUTE];
  origin = {v1::LimitUse::LEARNED, 300, 0.5};
  const FindingText learned = TextOf(v1::REQUEST_LIMIT, facts, kStore);
  EXPECT_EQ(learned.text,
            "limit group \"g5\" allows 150 requests a minute (share 0.5 of 300, by the provider's "
            "headers) and uses 150");
  EXPECT_THAT(learned.advice, HasSubstr("a larger `share` in candor.yaml (now 0.5)"));
  EXPECT_THAT(learned.advice, Not(HasSubstr("nothing here")));

  facts.group.mutable_uses(0)->set_limit(600);
  facts.group.mutable_uses(0)->set_used(600);
  facts.group.mutable_uses(0)->set_source(v1::LimitUse::CONFIGURED);
  origin = {v1::LimitUse::CONFIGURED, 1'200, 0.5};
  const FindingText configured = TextOf(v1::REQUEST_LIMIT, facts, kStore);
  EXPECT_THAT(configured.text, HasSubstr("allows 600 requests a minute (share 0.5 of 1,200, "
                                         "configured)"));
  EXPECT_THAT(
      configured.advice,
      HasSubstr("candor limits set g5 --requests-per-minute N, of which the share is taken"));
}

TEST(ExplainTest, AWindowThatIsNotFullIsSpread) {
  EntryFacts facts = Facts();
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 3'000, 614, v1::LimitUse::CONFIGURED, facts);
  EXPECT_THAT(TextOf(v1::REQUEST_LIMIT, facts, kStore).text,
              HasSubstr("uses 614; calls are spread over the minute, 50/s"));
  facts.group.mutable_uses(0)->set_used(2'990);
  EXPECT_THAT(TextOf(v1::REQUEST_LIMIT, facts, kStore).text, Not(HasSubstr("spread")));
}

TEST(ExplainTest, OfInputTokensNothingIsAdvisedAboutReplies) {
  EntryFacts facts = Facts();
  facts.counts_output = false;
  AddUse(v1::LimitUse::TOKENS_PER_MINUTE, 1'000, 900, v1::LimitUse::CONFIGURED, facts);
  EXPECT_THAT(TextOf(v1::TOKEN_LIMIT, facts, kStore).advice, Not(HasSubstr("max_output_tokens")));
  facts.counts_output = true;
  EXPECT_THAT(TextOf(v1::TOKEN_LIMIT, facts, kStore).advice, HasSubstr("max_output_tokens"));
}

TEST(ExplainTest, WhatItWaitsForNowComesFirst) {
  EntryFacts facts = Facts();
  facts.state = v1::EntryProgress::WAITING;
  facts.rate = 0;
  facts.reason = "no connected worker serves endpoint \"local\"";
  facts.wait_reason = v1::NO_WORKER;
  facts.waits.Charge(v1::SLOTS, seconds(90));
  facts.waits.Charge(v1::NO_WORKER, seconds(10));
  const auto said = ExplainJob("jobs/x", v1::Job::RUNNING, "", {facts}, kStore);
  ASSERT_EQ(said.entries(0).findings_size(), 3);
  const auto& now = said.entries(0).findings(0);
  EXPECT_EQ(now.reason(), v1::NO_WORKER);
  EXPECT_DOUBLE_EQ(now.share(), 0);
  EXPECT_EQ(now.text(), facts.reason);
  EXPECT_THAT(now.advice(), HasSubstr("start a candor-worker"));
  EXPECT_THAT(said.entries(0).findings(2).advice(), IsEmpty()) << "said already";
  EXPECT_THAT(said.summary(),
              HasSubstr("none at present. Now: no connected worker serves endpoint \"local\". So "
                        "far, 90 % of the time: all 64 slots"));
}

TEST(ExplainTest, WhatIsOverWaitsForNothing) {
  EntryFacts facts = Facts();
  facts.over = true;
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 6'000, 0, v1::LimitUse::CONFIGURED, facts);
  const auto said = ExplainEntry(facts, kStore);
  EXPECT_EQ(said.state(), v1::EntryProgress::STATE_UNSPECIFIED);
  EXPECT_DOUBLE_EQ(said.rate() + said.limit_rate() + said.slots_rate(), 0);
  EXPECT_EQ(said.findings_size(), 0);
}

TEST(ExplainTest, WhatNobodyMeasuredIsLeftOut) {
  EntryFacts facts = Facts();
  facts.latency_median = facts.latency_p95 = {};
  const auto said = ExplainJob("jobs/x", v1::Job::RUNNING, "", {facts}, {});
  EXPECT_FALSE(said.entries(0).has_latency_median());
  EXPECT_FALSE(said.entries(0).has_latency_p95());
  EXPECT_FALSE(said.has_commit_median());
  EXPECT_FALSE(said.has_commit_p95());
}

TEST(ExplainTest, AProviderThatFailsSaysHow) {
  EntryFacts facts = Facts();
  facts.group_failure = "connection refused";
  const std::string said = TextOf(v1::CIRCUIT_OPEN, facts, kStore).text;
  EXPECT_THAT(said, HasSubstr("(the latest error: connection refused)"));
  EXPECT_THAT(said, Not(HasSubstr("5xx")));
}

TEST(ExplainTest, TheFullestOfTokenLimits) {
  EntryFacts facts = Facts();
  AddUse(v1::LimitUse::INPUT_TOKENS_PER_MINUTE, 100'000, 20'000, v1::LimitUse::CONFIGURED, facts);
  AddUse(v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE, 10'000, 9'900, v1::LimitUse::CONFIGURED, facts);
  facts.waits.Charge(v1::TOKEN_LIMIT, seconds(10));
  const auto said = ExplainEntry(facts, kStore);
  EXPECT_THAT(said.findings(1).text(), HasSubstr("allows 10,000 output tokens a minute"));
  EXPECT_THAT(said.findings(1).advice(),
              HasSubstr("candor limits set g5 --output-tokens-per-minute N"));
}

TEST(ExplainTest, TheLeastOfTheLimitsBinds) {
  EntryFacts facts = Facts();
  EXPECT_DOUBLE_EQ(RateOfLimits(facts).rate, 0);
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 6'000, 0, v1::LimitUse::CONFIGURED, facts);
  EXPECT_DOUBLE_EQ(RateOfLimits(facts).rate, 100);
  AddUse(v1::LimitUse::TOKENS_PER_MINUTE, 1'800'000, 0, v1::LimitUse::CONFIGURED, facts);
  EXPECT_DOUBLE_EQ(RateOfLimits(facts).rate, 50);
  // Not before it is known how long replies are.
  AddUse(v1::LimitUse::OUTPUT_TOKENS_PER_MINUTE, 24'000, 0, v1::LimitUse::LEARNED, facts);
  EXPECT_DOUBLE_EQ(RateOfLimits(facts).rate, 50);
  facts.call_output_tokens = 10;
  facts.call_input_tokens = 100;
  EXPECT_DOUBLE_EQ(RateOfLimits(facts).rate, 40);
  EXPECT_EQ(RateOfLimits(facts).binding.source(), v1::LimitUse::LEARNED);
  AddUse(v1::LimitUse::INPUT_TOKENS_PER_MINUTE, 180'000, 0, v1::LimitUse::LEARNED, facts);
  EXPECT_DOUBLE_EQ(RateOfLimits(facts).rate, 30);
  // While something of a day is left, it may go.
  AddUse(v1::LimitUse::REQUESTS_PER_DAY, 5, 4, v1::LimitUse::CONFIGURED, facts);
  EXPECT_DOUBLE_EQ(RateOfLimits(facts).rate, 30);
  facts.group.mutable_uses()->rbegin()->set_used(5);
  EXPECT_DOUBLE_EQ(RateOfLimits(facts).rate, 5.0 / 86'400);
  EXPECT_EQ(RateOfLimits(facts).binding.dimension(), v1::LimitUse::REQUESTS_PER_DAY);
}

TEST(ExplainTest, ALimitSmallerThanOneCallLetsNoneGo) {
  EntryFacts facts = Facts();
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 6'000, 0, v1::LimitUse::CONFIGURED, facts);
  AddUse(v1::LimitUse::TOKENS_PER_MINUTE, 599, 0, v1::LimitUse::CONFIGURED, facts);
  EXPECT_TRUE(RateOfLimits(facts).never);
  EXPECT_DOUBLE_EQ(ExplainEntry(facts, kStore).limit_rate(), 0);
  facts.waits.Charge(v1::SLOTS, seconds(10));
  EXPECT_THAT(ExplainEntry(facts, kStore).findings(1).text(), Not(HasSubstr("no limit")));
}

TEST(ExplainTest, CallsInFlightAreReckonedAsARate) {
  EntryFacts facts = Facts();
  AddUse(v1::LimitUse::IN_FLIGHT, 8, 8, v1::LimitUse::CONFIGURED, facts);
  facts.waits.Charge(v1::IN_FLIGHT_LIMIT, seconds(10));
  EXPECT_THAT(ExplainEntry(facts, kStore).findings(1).text(),
              HasSubstr("at a median latency of 2.3 s these give 3.5/s"));
}

TEST(ExplainTest, RefusalsAreCounted) {
  EntryFacts facts = Facts();
  facts.group.set_refusals(12);
  facts.group.set_calls(4'000);
  facts.waits.Charge(v1::PROVIDER_ASKED, seconds(10));
  EXPECT_THAT(ExplainEntry(facts, kStore).findings(1).text(),
              HasSubstr("it refused 12 of 4,000 calls"));
}

TEST(ExplainTest, TheStoreSaysItsTimes) {
  EntryFacts facts = Facts();
  facts.waits.Charge(v1::STORE, seconds(10));
  EXPECT_THAT(ExplainEntry(facts, kStore).findings(1).text(),
              HasSubstr("4.0 ms from hand-over to commit (median), 9.0 ms (95 %)"));
}

TEST(ExplainTest, ManyRepetitionsAreAFindingOfTheirOwn) {
  EntryFacts facts = Facts();
  facts.waits.Charge(v1::NOTHING, seconds(10));
  facts.repeated = 10;
  EXPECT_EQ(ExplainEntry(facts, kStore).findings_size(), 2);
  facts.repeated = 31;
  const auto said = ExplainEntry(facts, kStore);
  ASSERT_EQ(said.findings_size(), 3);
  EXPECT_THAT(said.findings(2).text(), HasSubstr("31 of the last 1,000 calls were repetitions"));
}

TEST(ExplainTest, SmallSharesAreLeftOut) {
  EntryFacts facts = Facts();
  facts.waits.Charge(v1::SLOTS, seconds(990));
  facts.waits.Charge(v1::FIRST_CALL, seconds(10));
  EXPECT_EQ(ExplainEntry(facts, kStore).findings_size(), 2);
}

TEST(ExplainTest, AStoppedEntrySaysWhy) {
  EntryFacts facts = Facts();
  facts.state = v1::EntryProgress::STOPPED;
  facts.reason = "stopped: HTTP 401: invalid key. Mend it, then `candor resume jobs/x`.";
  facts.waits.Charge(v1::SLOTS, seconds(10));
  const auto said = ExplainEntry(facts, kStore);
  ASSERT_EQ(said.findings_size(), 1);
  EXPECT_EQ(said.findings(0).text(), "it was " + facts.reason);
  EXPECT_DOUBLE_EQ(said.rate() + said.slots_rate() + said.limit_rate(), 0);
  EXPECT_THAT(said.findings(0).advice(), IsEmpty());
}

TEST(ExplainTest, EveryReasonHasWords) {
  for (int i = v1::WaitReason_MIN; i <= v1::WaitReason_MAX; ++i) {
    if (i == v1::WAIT_REASON_UNSPECIFIED || !v1::WaitReason_IsValid(i)) continue;
    const FindingText words = TextOf(static_cast<v1::WaitReason>(i), Facts(), kStore);
    EXPECT_THAT(words.text, Not(IsEmpty())) << v1::WaitReason_Name(static_cast<v1::WaitReason>(i));
    EXPECT_THAT(words.text, Not(HasSubstr("no name for")))
        << v1::WaitReason_Name(static_cast<v1::WaitReason>(i));
  }
}

TEST(ExplainTest, TheSummaryNamesWhatTakesLongest) {
  EntryFacts slow = Facts();
  slow.waits.Charge(v1::SLOTS, seconds(10));
  EntryFacts fast = Facts();
  fast.entry = "trained";
  fast.rate = 300;
  fast.waits.Charge(v1::NOTHING, seconds(10));
  const auto said = ExplainJob("jobs/x", v1::Job::RUNNING, "", {fast, slow}, kStore);
  EXPECT_THAT(said.summary(), HasSubstr("jobs/x has 24,680 of 80,000 answers and gets 328/s"));
  EXPECT_THAT(said.summary(),
              HasSubstr("Most of what is left is base's. Now: nothing holds it back: calls go as "
                        "cells come. So far, 100 % of the time: all 64"));
}

TEST(ExplainTest, TheSummaryOfOneEntryNamesNone) {
  EntryFacts facts = Facts();
  facts.waits.Charge(v1::NOTHING, seconds(10));
  EXPECT_EQ(
      ExplainJob("jobs/x", v1::Job::RUNNING, "", {facts}, kStore).summary(),
      "jobs/x has 12,340 of 40,000 answers and gets 27.5/s. Now: nothing holds it back: calls go "
      "as cells come. So it was 100 % of the time so far.");
}

TEST(ExplainTest, TheSummaryOfAJobThatIsOver) {
  const EntryFacts facts = Facts();
  EXPECT_EQ(ExplainJob("jobs/x", v1::Job::BUDGET_EXHAUSTED, "the budget of 5 calls is spent",
                       {facts}, kStore)
                .summary(),
            "jobs/x has 12,340 of 40,000 answers and is BUDGET_EXHAUSTED: the budget of 5 calls is "
            "spent.");
  EXPECT_THAT(ExplainJob("jobs/x", v1::Job::PAUSED, "", {facts}, kStore).summary(),
              HasSubstr("is paused: `candor resume` goes on"));
}

TEST(ExplainTest, TheSummaryCountsAnswersAndEndsOnce) {
  EntryFacts facts = Facts();
  facts.given_up = 1'234;
  EXPECT_EQ(
      ExplainJob("jobs/x", v1::Job::FAILED, "base: stopped: HTTP 401. Mend it.", {facts}, kStore)
          .summary(),
      "jobs/x has 12,340 of 40,000 answers (1,234 came to nothing) and is FAILED: base: "
      "stopped: HTTP 401. Mend it.");
}

TEST(ExplainTest, ADaysQuotaThatNobodyConfiguredIsTheProviders) {
  EntryFacts facts = Facts();
  facts.group.clear_uses();
  EXPECT_THAT(TextOf(v1::DAILY_LIMIT, facts, kStore).text,
              HasSubstr("the provider's quota of a day of limit group"));
}

}  // namespace
}  // namespace candor::engine
