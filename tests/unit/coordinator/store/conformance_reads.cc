#include "tests/unit/coordinator/store/conformance.h"
#include "tests/unit/coordinator/store/conformance_records.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include <utility>
#include <vector>

namespace candor::store {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

}  // namespace

TEST_P(StoreConformanceTest, OutcomesAreReadComplete) {
  FillJob(*store_);
  const StatusOr<OutcomePage> page = store_->ReadOutcomes({.job = 1});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->rows, SizeIs(10));
  EXPECT_TRUE(page->end);
  EXPECT_EQ(page->next, page->rows.back().position);
  // Entry "tuned" asks s2 and s0: cell 3 is about the second of them.
  v1::Outcome expected = *MakeOutcome(1, 100, {1, kReport, 3}).outcome;
  expected.set_entry("tuned");
  expected.set_scenario("s0");
  expected.set_kind(kReport);
  expected.set_index(3);
  expected.set_class_(v1::Outcome::NOT_JSON);
  expected.set_raw_text("text 0");
  expected.set_attempt_id(store_->AttemptName(100));
  EXPECT_TRUE(MessageDifferencer::Equals(page->rows[0].outcome, expected))
      << page->rows[0].outcome.DebugString();
  EXPECT_EQ(page->rows[1].outcome.scenario(), "s1");
}

TEST_P(StoreConformanceTest, ImportedOutcomesHaveNoAttempt) {
  engine::WriteBatch batch = JobBatch(1);
  batch.statuses.push_back(MakeStatus(1, v1::Job::SUCCEEDED));
  batch.outcomes.push_back(MakeOutcome(1, 0, {0, kChoice, 2}));
  batch.outcomes.push_back(MakeOutcome(1, 0, {0, kChoice, 0}));
  batch.outcomes.push_back(MakeOutcome(1, 0, {1, kReport, 1}));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  const StatusOr<OutcomePage> page = store_->ReadOutcomes({.job = 1, .order = Order::kCanonical});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(Cells(*page),
              ElementsAre(engine::CellKey{0, kChoice, 0}, engine::CellKey{0, kChoice, 2},
                          engine::CellKey{1, kReport, 1}));
  for (const OutcomePage::Row& row : page->rows) EXPECT_EQ(row.outcome.attempt_id(), "");
  const StatusOr<AttemptPage> attempts = store_->ReadAttempts(1, 0, {});
  ASSERT_TRUE(attempts.ok());
  EXPECT_THAT(attempts->rows, IsEmpty());
  const engine::Recovery recovery = Reopen();
  EXPECT_THAT(recovery.jobs, IsEmpty());
  EXPECT_THAT(recovery.ended_jobs, SizeIs(1));
}

TEST_P(StoreConformanceTest, OutcomesComeInCommitOrderAndByCell) {
  FillJob(*store_);
  std::vector<engine::CellKey> committed;
  for (const auto& [cell, outcome_class] : SomeCells()) committed.push_back(cell);
  std::vector<engine::CellKey> sorted = committed;
  std::sort(sorted.begin(), sorted.end());
  for (const std::size_t rows : {1U, 3U, 10U, 1'000U}) {
    EXPECT_EQ(ReadAll(*store_, {.job = 1, .limit = {.rows = rows}}), committed);
    EXPECT_EQ(ReadAll(*store_, {.job = 1, .order = Order::kCanonical, .limit = {.rows = rows}}),
              sorted);
  }
  // A row that is too large for the limit comes alone.
  EXPECT_EQ(ReadAll(*store_, {.job = 1, .limit = {.bytes = 1}}), committed);
  const StatusOr<OutcomePage> small = store_->ReadOutcomes({.job = 1, .limit = {.bytes = 1}});
  ASSERT_TRUE(small.ok());
  EXPECT_THAT(small->rows, SizeIs(1));
  EXPECT_FALSE(small->end);
}

TEST_P(StoreConformanceTest, PositionsHoldAcrossRestartsAndLaterOutcomes) {
  FillJob(*store_);
  for (const Order order : {Order::kCommit, Order::kCanonical}) {
    const StatusOr<OutcomePage> before =
        store_->ReadOutcomes({.job = 1, .order = order, .limit = {.rows = 4}});
    ASSERT_TRUE(before.ok());
    std::vector<engine::CellKey> cells = Cells(*before);
    Reopen();
    for (const engine::CellKey& cell :
         ReadAll(*store_, {.job = 1, .after = before->next, .order = order})) {
      cells.push_back(cell);
    }
    EXPECT_EQ(cells, ReadAll(*store_, {.job = 1, .order = order}));
  }
  const StatusOr<OutcomePage> all = store_->ReadOutcomes({.job = 1});
  ASSERT_TRUE(all.ok());
  engine::WriteBatch batch = JobBatch(2);
  batch.outcomes.push_back(MakeOutcome(2, 1, {0, kChoice, 0}));
  batch.outcomes.push_back(MakeOutcome(1, 1, {0, kChoice, 9}));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  EXPECT_THAT(ReadAll(*store_, {.job = 1, .after = all->next}),
              ElementsAre(engine::CellKey{0, kChoice, 9}));
}

TEST_P(StoreConformanceTest, AnyPositionCanBeAskedFor) {
  FillJob(*store_);
  engine::WriteBatch batch;
  batch.attempts.push_back(MakeAttempt(1, 5, {}, v1::Attempt::COMPLETED));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  for (const Position after : {Position{1} << 62U, Position{1} << 63U, ~Position{0}}) {
    EXPECT_THAT(ReadAll(*store_, {.job = 1, .after = after}), IsEmpty());
    EXPECT_THAT(ReadAll(*store_, {.job = 1, .after = after, .order = Order::kCanonical}),
                IsEmpty());
    const StatusOr<AttemptPage> attempts = store_->ReadAttempts(1, after, {.rows = 0});
    ASSERT_TRUE(attempts.ok());
    EXPECT_TRUE(attempts->rows.empty() && attempts->end);
  }
  // At least one row, so that a reader always gets on.
  EXPECT_THAT(ReadAll(*store_, {.job = 1, .limit = {.rows = 0, .bytes = 0}}), SizeIs(10));
}

TEST_P(StoreConformanceTest, FiltersLeaveOutTheRest) {
  FillJob(*store_);
  const auto count = [&](OutcomeQuery query) {
    query.job = 1;
    query.limit.rows = 2;
    const std::vector<engine::CellKey> by_commit = ReadAll(*store_, query);
    query.order = Order::kCanonical;
    std::vector<engine::CellKey> by_cell = ReadAll(*store_, query);
    EXPECT_TRUE(std::is_sorted(by_cell.begin(), by_cell.end()));
    EXPECT_THAT(by_cell, testing::UnorderedElementsAreArray(by_commit));
    return by_commit.size();
  };
  EXPECT_EQ(count({}), 10U);
  EXPECT_EQ(count({.entries = {"tuned"}}), 4U);
  EXPECT_EQ(count({.entries = {"tuned", "base"}}), 10U);
  EXPECT_EQ(count({.entries = {"nobody"}}), 0U);
  EXPECT_EQ(count({.kinds = {kReport}}), 4U);
  EXPECT_EQ(count({.classes = {v1::Outcome::NOT_JSON, v1::Outcome::REFUSAL}}), 3U);
  // s0: cells 0 and 3 of "base", odd cells of "tuned".
  EXPECT_EQ(count({.scenarios = {"s0"}}), 4U);
  EXPECT_EQ(count({.scenarios = {"s9"}}), 0U);
  EXPECT_EQ(count({.entries = {"base"},
                   .scenarios = {"s0"},
                   .kinds = {kReport},
                   .classes = {v1::Outcome::NOT_JSON}}),
            1U);
}

TEST_P(StoreConformanceTest, FilterThatMatchesNothingGetsToTheEnd) {
  FillJob(*store_);
  const StatusOr<OutcomePage> page =
      store_->ReadOutcomes({.job = 1, .classes = {v1::Outcome::PROVIDER_BLOCKED}});
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->rows, IsEmpty());
  EXPECT_TRUE(page->end);
  const StatusOr<OutcomePage> all = store_->ReadOutcomes({.job = 1});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(page->next, all->next);
}

TEST_P(StoreConformanceTest, CellsAreReadInTheOrderAskedFor) {
  FillJob(*store_);
  engine::WriteBatch batch;
  for (const std::uint32_t index : {0U, 2U}) {
    batch.failed_cells.push_back({1, {0, kChoice, index}});
  }
  ASSERT_TRUE(Commit(std::move(batch)).ok());

  // Given up and answered after all; pending; given up; answered; not a cell of the job at all.
  const std::vector<engine::CellKey> cells = {
      {0, kChoice, 0}, {0, kReport, 1}, {0, kChoice, 2}, {1, kReport, 3}, {7, kChoice, 9}};
  const StatusOr<std::vector<CellResult>> results = store_->ReadCells(1, cells);
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_THAT(*results, SizeIs(5));
  EXPECT_TRUE((*results)[0].given_up);
  ASSERT_TRUE((*results)[0].outcome);
  EXPECT_EQ((*results)[0].outcome->raw_text(), "text 5");
  EXPECT_FALSE((*results)[1].outcome || (*results)[1].given_up);
  EXPECT_TRUE(!(*results)[2].outcome && (*results)[2].given_up);
  ASSERT_TRUE((*results)[3].outcome);
  EXPECT_FALSE((*results)[3].given_up);
  EXPECT_FALSE((*results)[4].outcome || (*results)[4].given_up);
  // As complete as any outcome that is read.
  const StatusOr<OutcomePage> page =
      store_->ReadOutcomes({.job = 1, .entries = {"tuned"}, .kinds = {kReport}});
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(MessageDifferencer::Equals(*(*results)[3].outcome, page->rows[0].outcome));

  EXPECT_THAT(store_->ReadCells(1, {}).value(), IsEmpty());
  EXPECT_EQ(store_->ReadCells(9, cells).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreConformanceTest, AttemptsAreReadCompleteInTheOrderOfTheirIds) {
  engine::WriteBatch batch = JobBatch(1);
  const engine::AttemptId later = std::uint64_t{2} << 40U | 1;
  batch.attempts.push_back(MakeAttempt(1, later, {1, kChoice, 0}, v1::Attempt::FAILED));
  batch.attempts.push_back(MakeAttempt(1, 5, {0, kReport, 4}, v1::Attempt::COMPLETED));
  batch.attempts.push_back(MakeAttempt(1, 4, {0, kChoice, 1}, v1::Attempt::NOT_SENT));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  StatusOr<AttemptPage> page = store_->ReadAttempts(1, 0, {.rows = 2});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->rows, SizeIs(2));
  EXPECT_FALSE(page->end);
  EXPECT_EQ(page->rows[0].attempt.id(), store_->AttemptName(4));
  EXPECT_EQ(page->rows[1].attempt.id(), store_->AttemptName(5));
  EXPECT_EQ(page->rows[1].attempt.scenario(), "s1");
  page = store_->ReadAttempts(1, page->next, {.bytes = 1});
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->rows, SizeIs(1));
  v1::Attempt expected = *MakeAttempt(1, later, {}, v1::Attempt::FAILED).attempt;
  expected.set_id(store_->AttemptName(later));
  expected.set_entry("tuned");
  expected.set_scenario("s2");
  expected.set_kind(kChoice);
  expected.set_index(0);
  EXPECT_TRUE(MessageDifferencer::Equals(page->rows[0].attempt, expected))
      << page->rows[0].attempt.DebugString();
  page = store_->ReadAttempts(1, page->next, {});
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->rows, IsEmpty());
  EXPECT_TRUE(page->end);
}

TEST_P(StoreConformanceTest, FindsAttempts) {
  engine::WriteBatch batch = JobBatch(1);
  batch.attempts.push_back(MakeAttempt(1, 5, {}, v1::Attempt::DUPLICATE));
  batch.attempts.push_back(MakeAttempt(1, 9, {}, v1::Attempt::UNKNOWN));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  const std::vector<engine::AttemptId> ids = {9, 4, 5};
  const auto states = store_->FindAttempts(ids);
  ASSERT_TRUE(states.ok());
  EXPECT_THAT(*states, ElementsAre(v1::Attempt::UNKNOWN, std::nullopt, v1::Attempt::DUPLICATE));
}

TEST_P(StoreConformanceTest, WhatIsKnownOfACallReplacesWhatWasBelieved) {
  engine::WriteBatch batch = JobBatch(1);
  batch.attempts.push_back(MakeAttempt(1, 1, {}, v1::Attempt::UNKNOWN));
  batch.attempts.push_back(MakeAttempt(1, 2, {}, v1::Attempt::NOT_SENT));
  batch.attempts.push_back(MakeAttempt(1, 3, {}, v1::Attempt::FAILED));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  batch = {};
  for (const engine::AttemptId id : {1, 2, 3}) {
    batch.attempts.push_back(MakeAttempt(1, id, {}, v1::Attempt::COMPLETED));
  }
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  const std::vector<engine::AttemptId> ids = {1, 2, 3};
  const auto states = store_->FindAttempts(ids);
  ASSERT_TRUE(states.ok());
  EXPECT_THAT(*states,
              ElementsAre(v1::Attempt::COMPLETED, v1::Attempt::COMPLETED, v1::Attempt::FAILED));
}

}  // namespace candor::store
