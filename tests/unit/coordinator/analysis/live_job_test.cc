#include "coordinator/analysis/live_job.h"

#include "tests/unit/coordinator/analysis/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace candor::analysis {
namespace {

// Outcomes in commit order, a few a page.
class FakeStore final : public store::Store {
 public:
  StatusOr<store::ReadEnd> VisitOutcomes(const store::OutcomeQuery& query,
                                         store::OutcomeVisitor visit) const override {
    if (deleted) return NotFound("there is no job with key {}", query.job);
    store::ReadEnd at{.next = query.after};
    while (at.next < query.after + 50 && at.next < outcomes.size()) {
      v1::Outcome outcome = outcomes[at.next];
      visit(++at.next, outcome);
    }
    at.end = at.next == outcomes.size();
    ++reads;
    return at;
  }

  std::vector<v1::Outcome> outcomes;
  bool deleted = false;
  mutable int reads = 0;

  StatusOr<engine::Recovery> Recover() override { return Internal("not here"); }
  Status Commit(std::span<engine::WriteBatch>) override { return Internal("not here"); }
  StatusOr<std::vector<store::CellResult>> ReadCells(
      engine::JobKey, std::span<const engine::CellKey>) const override {
    return Internal("not here");
  }
  StatusOr<store::AttemptPage> ReadAttempts(engine::JobKey, store::Position,
                                            store::ReadLimit) const override {
    return Internal("not here");
  }
  StatusOr<std::vector<std::optional<v1::Attempt::State>>> FindAttempts(
      std::span<const engine::AttemptId>) const override {
    return Internal("not here");
  }
  Status PutScenarioSet(const v1::ScenarioSet&) override { return Internal("not here"); }
  StatusOr<v1::ScenarioSet> GetScenarioSet(std::string_view) const override {
    return Internal("not here");
  }
  StatusOr<store::ScenarioSetPage> ListScenarioSets(std::string_view, std::size_t) const override {
    return Internal("not here");
  }
  Status DeleteScenarioSet(std::string_view) override { return Internal("not here"); }
  std::string AttemptName(engine::AttemptId) const override { return {}; }
  std::optional<engine::AttemptId> ParseAttemptName(std::string_view) const override {
    return std::nullopt;
  }
};

class LiveJobTest : public testing::Test {
 protected:
  LiveJobTest() : specification_(Specification(ExampleJob())), answers_(Answers(*specification_)) {}

  LiveJob Make(std::size_t rows_a_step = 10'000) {
    return LiveJob(store_, 1, specification_, {}, clock_, {.rows_a_step = rows_a_step});
  }
  void Commit(std::size_t count) {
    const std::size_t have = store_.outcomes.size();
    store_.outcomes.insert(store_.outcomes.end(),
                           answers_.begin() + static_cast<std::ptrdiff_t>(have),
                           answers_.begin() + static_cast<std::ptrdiff_t>(have + count));
  }
  static std::string Bytes(const LiveJob& live) {
    v1::LiveEstimates estimates;
    LiveStudy::Seen seen;
    EXPECT_TRUE(live.Fill(std::size_t{1} << 30U, &seen, &estimates));
    return estimates.SerializeAsString();
  }

  FakeStore store_;
  ManualClock clock_;
  const std::shared_ptr<const v1::JobSpecification> specification_;
  const std::vector<v1::Outcome> answers_;
};

TEST_F(LiveJobTest, ReadsEachOutcomeOnceAndKeepsThePace) {
  LiveJob live = Make();
  Commit(100);
  auto progress = live.Advance(false);
  ASSERT_TRUE(progress.ok());
  EXPECT_TRUE(progress->caught_up);
  EXPECT_TRUE(progress->fresh);
  EXPECT_EQ(progress->version, 1U);

  // Too early for other estimates, unless they are wanted at once.
  Commit(100);
  clock_.Advance(std::chrono::milliseconds(249));
  progress = live.Advance(false);
  EXPECT_TRUE(progress->caught_up);
  EXPECT_FALSE(progress->fresh);
  EXPECT_EQ(progress->version, 1U);
  clock_.Advance(std::chrono::milliseconds(1));
  progress = live.Advance(false);
  EXPECT_TRUE(progress->fresh);
  EXPECT_EQ(progress->version, 2U);
  Commit(1);
  progress = live.Advance(true);
  EXPECT_TRUE(progress->fresh);
  EXPECT_EQ(progress->version, 3U);

  // Nothing new: the same estimates.
  progress = live.Advance(true);
  EXPECT_EQ(progress->version, 3U);
  v1::LiveEstimates estimates;
  live.Fill(1'000, nullptr, &estimates);
  EXPECT_EQ(estimates.outcomes(), 201);
}

TEST_F(LiveJobTest, ALongWayIsReadInStepsWithoutEstimatesOfHalfOfIt) {
  LiveJob live = Make(100);
  Commit(answers_.size());
  auto progress = live.Advance(true);
  EXPECT_FALSE(progress->caught_up);
  EXPECT_EQ(progress->version, 0U);
  int steps = 1;
  for (; !progress->caught_up; ++steps) progress = live.Advance(true);
  EXPECT_EQ(steps, 5);
  EXPECT_EQ(progress->version, 1U);
}

TEST_F(LiveJobTest, IsTheSameAfterARestart) {
  LiveJob before = Make();
  for (int i = 0; i < 8; ++i) {
    Commit(57);
    clock_.Advance(std::chrono::seconds(1));
    ASSERT_TRUE(before.Advance(false).ok());
  }
  LiveJob after = Make();
  ASSERT_TRUE(after.Advance(false).ok());
  EXPECT_EQ(Bytes(after), Bytes(before));
  // Another run commits in another order.
  Shuffle(store_.outcomes, 9);
  LiveJob other = Make();
  ASSERT_TRUE(other.Advance(false).ok());
  EXPECT_EQ(Bytes(other), Bytes(before));
}

TEST_F(LiveJobTest, ADeletedJobIsAnError) {
  LiveJob live = Make();
  store_.deleted = true;
  EXPECT_EQ(live.Advance(false).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace candor::analysis
