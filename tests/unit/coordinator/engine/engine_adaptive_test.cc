// Adaptive designs: one cell of a scenario at a time, each pair proposed from the answers before.
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace candor::engine {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kCompleted = v1::Attempt::COMPLETED;

// Two scenarios of six trials; two pairs are drawn.
EntryShape Adaptive() { return {.scenarios = 2, .trials = 6, .adaptive = true}; }

std::string ValuesOf(const LeaseRecord& lease) {
  return lease.trial == nullptr ? std::string() : lease.trial->ShortDebugString();
}

class AdaptiveTest : public testing::Test {
 protected:
  void SetUp() override { driver_.Connect(1, "workers/a", 16); }

  void Answer(v1::Attempt::State state = kCompleted,
              v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED) {
    driver_.Say(1, MakeReport(driver_.Take(1), state, error_class));
  }
  std::vector<std::uint32_t> Leased() const {
    std::vector<std::uint32_t> indexes;
    for (const LeaseRecord& lease : driver_.leases.at(1)) indexes.push_back(lease.cell.index);
    return indexes;
  }
  static WantedPair Pair(std::uint32_t scenario, std::uint32_t pair) {
    return {.job = 1, .entry = 0, .scenario = scenario, .pair = pair};
  }

  Driver driver_;
};

TEST_F(AdaptiveTest, OneCellOfAScenarioIsAskedAtATime) {
  const JobKey job = driver_.Create({.entries = {Adaptive()}});
  EXPECT_THAT(Leased(), ElementsAre(0));  // one call goes first
  Answer();
  EXPECT_THAT(Leased(), ElementsAre(1, 2));
  EXPECT_THAT(driver_.Reason(job), HasSubstr("one choice of a scenario is asked at a time"));
  Answer();  // cell 1: scenario 1 goes on
  EXPECT_THAT(Leased(), ElementsAre(2, 3));
  EXPECT_THAT(driver_.wanted, IsEmpty());
}

TEST_F(AdaptiveTest, APairIsAskedForWhenTheAnswersBeforeItAreDurable) {
  driver_.Create({.entries = {Adaptive()}});
  Answer();
  Answer();
  driver_.commits = false;
  Answer();  // cell 2, the last drawn one of scenario 0
  EXPECT_THAT(driver_.wanted, IsEmpty());
  driver_.Commit();
  EXPECT_THAT(driver_.wanted, ElementsAre(Pair(0, 2)));
  EXPECT_THAT(Leased(), ElementsAre(3));
  driver_.Propose();
  driver_.Commit();
  ASSERT_THAT(Leased(), ElementsAre(3, 4));
  EXPECT_EQ(ValuesOf(driver_.leases[1][0]), "");
  EXPECT_EQ(ValuesOf(driver_.leases[1][1]), Driver::ProposedFor(Pair(0, 2))->ShortDebugString());
}

TEST_F(AdaptiveTest, AJobRunsToItsEnd) {
  const JobKey job = driver_.Create({.entries = {Adaptive()}});
  int proposals = 0;
  while (driver_.Status(job).state() != v1::Job::SUCCEEDED) {
    const int answered = driver_.Answer(1, kCompleted);
    proposals += static_cast<int>(driver_.wanted.size());
    ASSERT_TRUE(answered > 0 || !driver_.wanted.empty());
    driver_.Propose();
  }
  EXPECT_EQ(driver_.Choices(job).done(), 12);
  EXPECT_EQ(proposals, 2 * 4);
  EXPECT_TRUE(driver_.engine->Settled(job));
  driver_.store.Recount();
  EXPECT_THAT(driver_.store.violations(), IsEmpty());
}

TEST_F(AdaptiveTest, BothOrdersAndAllSamplesOfAPairShowTheSameTrial) {
  EntryShape entry = Adaptive();
  entry.scenarios = 1;
  entry.random_pairs = 1;
  entry.both_orders = true;
  entry.samples = 2;
  driver_.Create({.entries = {entry}});
  for (int step = 0; step < 4; ++step) Answer();
  EXPECT_THAT(driver_.wanted, ElementsAre(Pair(0, 1)));
  driver_.Propose();
  for (std::uint32_t step = 4; step < 8; ++step) {
    ASSERT_THAT(Leased(), ElementsAre(step));
    EXPECT_EQ(ValuesOf(driver_.leases[1][0]), Driver::ProposedFor(Pair(0, 1))->ShortDebugString());
    Answer();
  }
  EXPECT_THAT(driver_.wanted, ElementsAre(Pair(0, 2)));
}

TEST_F(AdaptiveTest, ACellThatIsGivenUpLetsTheChainGoOn) {
  EntryShape entry = Adaptive();
  entry.scenarios = 1;
  const JobKey job = driver_.Create({.entries = {entry}, .max_attempts = 2});
  Answer();
  for (int attempt = 0; attempt < 2; ++attempt) {
    ASSERT_THAT(Leased(), ElementsAre(1));
    Answer(v1::Attempt::FAILED, v1::Attempt::SERVER_ERROR);
    driver_.Advance(seconds(3));
  }
  EXPECT_EQ(driver_.Choices(job).failed(), 1);
  EXPECT_THAT(driver_.wanted, ElementsAre(Pair(0, 2)));
}

TEST_F(AdaptiveTest, ARepeatedCallShowsTheSameTrial) {
  EntryShape entry = Adaptive();
  entry.scenarios = 1;
  driver_.Create({.entries = {entry}});
  Answer();
  Answer();
  driver_.Propose();
  const std::string values = ValuesOf(driver_.leases[1].at(0));
  Answer(v1::Attempt::FAILED, v1::Attempt::SERVER_ERROR);
  driver_.Advance(seconds(3));
  ASSERT_THAT(Leased(), ElementsAre(2));
  EXPECT_EQ(ValuesOf(driver_.leases[1][0]), values);
  EXPECT_THAT(driver_.wanted, IsEmpty());
}

TEST_F(AdaptiveTest, ErrorsThatRepeatingCannotMendDoNotBlockTheChains) {
  const JobKey job = driver_.Create({.entries = {Adaptive()}});
  Answer();
  // Both fronts are refused while nothing else is left to run: given up, and the chains go on.
  Answer(v1::Attempt::FAILED, v1::Attempt::INVALID_REQUEST);
  Answer(v1::Attempt::FAILED, v1::Attempt::INVALID_REQUEST);
  EXPECT_EQ(driver_.Choices(job).failed(), 2);
  EXPECT_THAT(Leased(), ElementsAre(3));
  EXPECT_THAT(driver_.wanted, ElementsAre(Pair(0, 2)));
}

TEST_F(AdaptiveTest, AWrongKeyStopsTheEntryThoughItHasFewScenarios) {
  const JobKey job = driver_.Create({.entries = {Adaptive()}});
  driver_.Answer(1, v1::Attempt::FAILED, v1::Attempt::AUTHENTICATION);
  EXPECT_EQ(driver_.Status(job).state(), v1::Job::FAILED);
  EXPECT_EQ(driver_.Status(job).progress(0).state(), v1::EntryProgress::STOPPED);
  EXPECT_LE(driver_.Choices(job).calls(), 5);
  driver_.Tell(JobResumed{job});
  EXPECT_THAT(Leased(), SizeIs(1));
}

TEST_F(AdaptiveTest, ARestartAsksAgainAndLeasesNothingBeforeItKnowsWhatWasShown) {
  const JobKey job = driver_.Create({.entries = {Adaptive()}});
  for (int i = 0; i < 4; ++i) Answer();
  driver_.Propose();
  ASSERT_THAT(Leased(), ElementsAre(4, 5));
  const std::string values = ValuesOf(driver_.leases[1][0]);
  driver_.Restart();
  driver_.Tell(TimePassed{});
  EXPECT_THAT(driver_.wanted, ElementsAre(Pair(0, 2), Pair(1, 2)));
  // The worker never got them.
  driver_.Connect(2, "workers/a", 16);
  driver_.Advance(seconds(3));
  EXPECT_THAT(driver_.leases[2], IsEmpty());
  EXPECT_THAT(driver_.Reason(job), HasSubstr("worked out again"));
  driver_.Propose();
  ASSERT_THAT(driver_.leases[2], SizeIs(2));
  EXPECT_EQ(driver_.leases[2][0].cell.index, 4U);
  EXPECT_EQ(ValuesOf(driver_.leases[2][0]), values);
}

TEST_F(AdaptiveTest, AReplyFromBeforeTheRestartMovesTheChainOn) {
  driver_.Create({.entries = {Adaptive()}});
  for (int i = 0; i < 4; ++i) Answer();
  driver_.Propose();
  const std::vector<LeaseRecord> held = driver_.leases[1];
  driver_.Restart();
  driver_.Connect(2, "workers/a", 16, {held[0].attempt, held[1].attempt});
  ASSERT_THAT(driver_.wanted, ElementsAre(Pair(0, 2), Pair(1, 2)));
  driver_.Say(2, MakeReport(held[0], kCompleted));
  EXPECT_THAT(driver_.wanted, ElementsAre(Pair(0, 2), Pair(1, 2), Pair(0, 3)));
  // The first answer is for a pair that is over, and changes nothing.
  driver_.Propose();
  driver_.Advance(seconds(3));
  ASSERT_THAT(driver_.leases[2], SizeIs(1));
  EXPECT_EQ(driver_.leases[2][0].cell.index, 6U);
  EXPECT_EQ(ValuesOf(driver_.leases[2][0]), Driver::ProposedFor(Pair(0, 3))->ShortDebugString());
}

TEST_F(AdaptiveTest, NothingIsProposedForAJobThatIsOver) {
  EntryShape entry = Adaptive();
  entry.scenarios = 1;
  const JobKey job = driver_.Create({.entries = {entry}});
  Answer();
  driver_.Tell(JobCancelled{job});
  Answer();
  EXPECT_THAT(driver_.wanted, IsEmpty());
  EXPECT_TRUE(driver_.engine->Settled(job));
  driver_.Tell(TrialsProposed{{{Pair(0, 2), Driver::ProposedFor(Pair(0, 2))}}});
  EXPECT_THAT(driver_.leases[1], IsEmpty());
}

TEST_F(AdaptiveTest, ManyScenariosFillThePipe) {
  Driver driver(MakeConfig(0, 0, 100));
  driver.Connect(1, "workers/a", 64);
  EntryShape entry = Adaptive();
  entry.scenarios = 100;
  driver.Create({.entries = {entry}});
  driver.Answer(1, kCompleted, {}, 1);
  EXPECT_THAT(driver.leases[1], SizeIs(64));
  std::set<std::uint32_t> scenarios;
  for (const LeaseRecord& lease : driver.leases[1]) scenarios.insert(lease.cell.index % 100);
  EXPECT_THAT(scenarios, SizeIs(64));
}

}  // namespace
}  // namespace candor::engine
