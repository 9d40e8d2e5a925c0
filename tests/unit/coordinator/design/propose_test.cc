#include "coordinator/design/propose.h"

#include "coordinator/design/pair.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/unit/coordinator/design/adaptive_job.h"
#include "tests/unit/coordinator/store/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace candor::design {
namespace {

using testing::SizeIs;

// Scenario ordinal 1 of a job with answers to its first three pairs; the other scenario has none.
class ProposeTrialsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = store::OpenSqliteStore(directory_.path(), {.reserve_bytes = 0});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    ASSERT_TRUE(store_->Recover().ok());
    engine::WriteBatch batch;
    auto job = std::make_shared<v1::Job>();
    job->set_name("jobs/adaptive");
    batch.new_jobs.push_back(
        {1, "", std::move(job), std::make_shared<v1::JobSpecification>(specification_)});
    batch.statuses.push_back({1, std::make_shared<v1::Job>()});
    const scenario::CellMap cells(specification_, 0, v1::Cell::CHOICE);
    const scenario::TrialStream stream(7, Asked(), v1::Cell::CHOICE, v1::Job::FIXED);
    for (std::uint32_t pair = 0; pair < 3; ++pair) {
      const std::uint32_t index = cells.IndexOf(1, pair, 0);
      scenario::Trial trial;
      stream.Draw(pair, 0, trial);
      answers_.push_back(
          Answer(Asked(), cells.At(index), trial, pair == 0 ? v1::Outcome::A : v1::Outcome::B));
      batch.outcomes.push_back(
          {1, Cell(index), 100 + index, std::make_unique<v1::Outcome>(answers_.back())});
    }
    Commit(std::move(batch));
  }
  const v1::Scenario& Asked() const { return specification_.scenarios(0); }
  static engine::CellKey Cell(std::uint32_t index) { return {0, v1::Cell::CHOICE, index}; }
  void Commit(engine::WriteBatch batch) {
    std::vector<engine::WriteBatch> batches;
    batches.push_back(std::move(batch));
    ASSERT_TRUE(store_->Commit(batches).ok());
  }
  std::string Proposed(const engine::WantedPair& pair) const {
    const auto proposed = ProposeTrials(*store_, specification_, {&pair, 1});
    EXPECT_TRUE(proposed.ok()) << proposed.status();
    if (!proposed.ok() || proposed->proposals.size() != 1) return "none";
    EXPECT_EQ(proposed->proposals[0].pair, pair);
    return proposed->proposals[0].trial->ShortDebugString();
  }
  std::string Next(std::span<const v1::Outcome> answers) const {
    return NextPair(7, Asked(), 16, 3, answers).ShortDebugString();
  }

  store::TempDir directory_;
  v1::JobSpecification specification_ = AdaptiveJob();
  std::unique_ptr<store::Store> store_;
  std::vector<v1::Outcome> answers_;
};

TEST_F(ProposeTrialsTest, ReadsTheAnswersOfItsScenario) {
  EXPECT_EQ(Proposed({.job = 1, .entry = 0, .scenario = 1, .pair = 3}), Next(answers_));
}

TEST_F(ProposeTrialsTest, AReplyToACellThatWasGivenUpCountsForNothing) {
  engine::WriteBatch batch;
  batch.failed_cells.push_back({1, Cell(3)});
  Commit(std::move(batch));
  const std::vector<v1::Outcome> others = {answers_[0], answers_[2]};
  EXPECT_EQ(Proposed({.job = 1, .entry = 0, .scenario = 1, .pair = 3}), Next(others));
}

TEST_F(ProposeTrialsTest, SaysWhatThereIsNot) {
  const auto code = [this](const engine::WantedPair& pair) {
    return ProposeTrials(*store_, specification_, {&pair, 1}).status().code();
  };
  EXPECT_EQ(code({.job = 2, .entry = 0, .scenario = 0, .pair = 3}), absl::StatusCode::kNotFound);
  EXPECT_EQ(code({.job = 1, .entry = 1, .scenario = 0, .pair = 3}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.job = 1, .entry = 0, .scenario = 2, .pair = 3}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.job = 1, .entry = 0, .scenario = 0, .pair = 12}),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ProposeTrialsTest, SeveralComeInTheirOrder) {
  const std::vector<engine::WantedPair> pairs = {{1, 0, 1, 3}, {1, 0, 0, 3}};
  const auto proposed = ProposeTrials(*store_, specification_, pairs);
  ASSERT_TRUE(proposed.ok());
  ASSERT_THAT(proposed->proposals, SizeIs(2));
  EXPECT_EQ(proposed->proposals[1].pair, pairs[1]);
}

}  // namespace
}  // namespace candor::design
