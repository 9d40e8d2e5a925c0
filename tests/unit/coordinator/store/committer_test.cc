#include "coordinator/store/committer.h"

#include "tests/unit/coordinator/store/test_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace candor::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A store whose commits wait until the test lets them go.
class HeldStore final : public Store {
 public:
  Status Commit(std::span<engine::WriteBatch> batches) override {
    std::unique_lock lock(mutex_);
    std::vector<std::int64_t> group;
    for (const engine::WriteBatch& batch : batches) {
      group.push_back(batch.engine_now.time_since_epoch().count());
    }
    groups_.push_back(std::move(group));
    changed_.notify_all();
    changed_.wait(lock, [this] { return allowed_ > 0; });
    --allowed_;
    return result_;
  }
  void Allow(int commits, Status result = {}) {
    const std::lock_guard lock(mutex_);
    allowed_ += commits;
    result_ = std::move(result);
    changed_.notify_all();
  }
  // Waits until the n-th commit was begun.
  void AwaitCommit(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return groups_.size() >= n; });
  }
  std::vector<std::vector<std::int64_t>> groups() {
    const std::lock_guard lock(mutex_);
    return groups_;
  }

  StatusOr<engine::Recovery> Recover() override { return engine::Recovery(); }
  StatusOr<ReadEnd> VisitOutcomes(const OutcomeQuery&, OutcomeVisitor) const override {
    return ReadEnd();
  }
  StatusOr<std::vector<CellResult>> ReadCells(engine::JobKey,
                                              std::span<const engine::CellKey>) const override {
    return std::vector<CellResult>();
  }
  StatusOr<AttemptPage> ReadAttempts(engine::JobKey, Position, ReadLimit) const override {
    return AttemptPage();
  }
  StatusOr<std::vector<std::optional<v1::Attempt::State>>> FindAttempts(
      std::span<const engine::AttemptId>) const override {
    return std::vector<std::optional<v1::Attempt::State>>();
  }
  Status PutScenarioSet(const v1::ScenarioSet&) override { return {}; }
  StatusOr<v1::ScenarioSet> GetScenarioSet(std::string_view) const override {
    return v1::ScenarioSet();
  }
  StatusOr<ScenarioSetPage> ListScenarioSets(std::string_view, std::size_t) const override {
    return ScenarioSetPage();
  }
  Status DeleteScenarioSet(std::string_view) override { return {}; }
  std::string AttemptName(engine::AttemptId) const override { return {}; }
  std::optional<engine::AttemptId> ParseAttemptName(std::string_view) const override { return {}; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::vector<std::int64_t>> groups_;
  int allowed_ = 0;
  Status result_;
};

// A batch of so many rows, recognised by its engine time.
engine::WriteBatch MakeBatch(std::int64_t number, std::size_t rows = 1,
                             const std::string& text = "A") {
  engine::WriteBatch batch;
  batch.engine_now = TimePoint(Duration(number));
  for (std::size_t i = 0; i < rows; ++i) {
    batch.outcomes.push_back(MakeOutcome(1, i, {}, v1::Outcome::VALID, text));
  }
  return batch;
}

class CommitterTest : public testing::Test {
 protected:
  std::unique_ptr<GroupCommitter> Start(CommitterOptions options = {}) {
    return std::make_unique<GroupCommitter>(
        store_, options, [this](engine::Ticket ticket) { committed_.push_back(ticket); },
        [this](Status status) { failures_.push_back(std::move(status)); });
  }
  void Submit(GroupCommitter& committer, std::size_t rows = 1, const std::string& text = "A") {
    ++last_;
    committer.Submit(last_, MakeBatch(static_cast<std::int64_t>(last_), rows, text));
  }

  HeldStore store_;
  engine::Ticket last_ = 0;
  // Written by the committer's thread, read after Stop.
  std::vector<engine::Ticket> committed_;
  std::vector<Status> failures_;
};

TEST_F(CommitterTest, CommitsAtOnceWhenIdleAndGathersWhileBusy) {
  const auto committer = Start();
  Submit(*committer);
  store_.AwaitCommit(1);
  for (int i = 0; i < 3; ++i) Submit(*committer);
  store_.Allow(2);
  committer->Stop();
  EXPECT_THAT(store_.groups(), ElementsAre(ElementsAre(1), ElementsAre(2, 3, 4)));
  EXPECT_THAT(committed_, ElementsAre(1U, 4U));
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(CommitterTest, GathersForAnIntervalUnlessAGroupIsFullOrItStops) {
  const auto committer = Start({.max_rows = 10,
                                .row_interval = std::chrono::hours(1),
                                .max_interval = std::chrono::hours(2)});
  store_.Allow(3);
  Submit(*committer);  // the first one begins at once
  store_.AwaitCommit(1);
  Submit(*committer, 6);
  Submit(*committer, 4);  // full
  store_.AwaitCommit(2);
  Submit(*committer);
  Submit(*committer);
  committer->Stop();
  EXPECT_THAT(store_.groups(), ElementsAre(ElementsAre(1), ElementsAre(2, 3), ElementsAre(4, 5)));
  EXPECT_THAT(committed_, ElementsAre(1U, 3U, 5U));
}

TEST_F(CommitterTest, GroupsEndByRowsAndBytes) {
  const auto committer = Start({.max_rows = 10, .max_bytes = 100'000});
  Submit(*committer);
  store_.AwaitCommit(1);
  Submit(*committer, 6);
  Submit(*committer, 4);
  Submit(*committer, 20);  // alone: larger than a group
  Submit(*committer, 1, std::string(60'000, 'x'));
  Submit(*committer, 1, std::string(60'000, 'x'));
  store_.Allow(5);
  committer->Stop();
  EXPECT_THAT(store_.groups(), ElementsAre(ElementsAre(1), ElementsAre(2, 3), ElementsAre(4),
                                           ElementsAre(5), ElementsAre(6)));
  EXPECT_THAT(committed_, ElementsAre(1U, 3U, 4U, 5U, 6U));
}

TEST_F(CommitterTest, CountsWhatIsPendingUntilItIsDurable) {
  const auto committer = Start({.full_bytes = 100'000});
  EXPECT_EQ(committer->pending_bytes(), 0U);
  Submit(*committer, 1, std::string(60'000, 'x'));
  store_.AwaitCommit(1);
  EXPECT_GT(committer->pending_bytes(), 60'000U);
  EXPECT_FALSE(committer->full());
  Submit(*committer, 1, std::string(60'000, 'x'));
  EXPECT_TRUE(committer->full());
  store_.Allow(2);
  committer->Stop();
  EXPECT_EQ(committer->pending_bytes(), 0U);
}

TEST_F(CommitterTest, StopsForGoodAfterAFailure) {
  const auto committer = Start();
  Submit(*committer);
  store_.AwaitCommit(1);
  Submit(*committer);
  store_.Allow(1, Unavailable("disk gone"));
  committer->Stop();
  Submit(*committer);
  EXPECT_THAT(store_.groups(), ElementsAre(ElementsAre(1)));
  EXPECT_THAT(committed_, IsEmpty());
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(Message(failures_[0]), "disk gone");
  EXPECT_EQ(committer->pending_bytes(), 0U);
}

TEST_F(CommitterTest, ReportsEachCommitForMetrics) {
  // Written by the committer's thread, read after Stop.
  std::vector<CommitReport> reports;
  CommitterOptions options;
  options.on_report = [&reports](const CommitReport& report) { reports.push_back(report); };
  const auto committer = Start(std::move(options));
  Submit(*committer);
  store_.AwaitCommit(1);
  Submit(*committer, 3);
  Submit(*committer, 4);
  store_.Allow(2);
  committer->Stop();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[1].batches, 2U);
  EXPECT_EQ(reports[1].rows, 7U);
  EXPECT_GT(reports[1].bytes, reports[0].bytes);
  EXPECT_GE(reports[0].time, Duration(0));
}

TEST_F(CommitterTest, StopTwiceAndWithoutWork) {
  const auto committer = Start();
  committer->Stop();
  committer->Stop();
  EXPECT_THAT(store_.groups(), IsEmpty());
}

}  // namespace
}  // namespace candor::store
