#include "tests/unit/coordinator/store/conformance.h"

#include "tests/unit/coordinator/store/test_records.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace candor::store {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto kChoice = v1::Cell::CHOICE;
constexpr auto kReport = v1::Cell::SELF_REPORT;

engine::WriteBatch JobBatch(engine::JobKey key, const std::string& request_id = "") {
  engine::WriteBatch batch;
  batch.new_jobs.push_back(MakeJob(key, request_id));
  batch.statuses.push_back(MakeStatus(key, v1::Job::QUEUED));
  return batch;
}

// The ten outcomes that the reading tests read, in commit order.
const std::vector<std::pair<engine::CellKey, v1::Outcome::Class>>& SomeCells() {
  static const auto& cells = *new std::vector<std::pair<engine::CellKey, v1::Outcome::Class>>{
      {{1, kReport, 3}, v1::Outcome::NOT_JSON}, {{0, kChoice, 4}, v1::Outcome::VALID},
      {{0, kChoice, 1}, v1::Outcome::VALID},    {{1, kChoice, 0}, v1::Outcome::REFUSAL},
      {{0, kReport, 2}, v1::Outcome::REPAIRED}, {{0, kChoice, 0}, v1::Outcome::VALID},
      {{1, kChoice, 1}, v1::Outcome::VALID},    {{0, kReport, 0}, v1::Outcome::NOT_JSON},
      {{0, kChoice, 5}, v1::Outcome::EMPTY},    {{1, kReport, 0}, v1::Outcome::VALID}};
  return cells;
}

// Job 1 with SomeCells, two a batch; attempt 100 + i for the i-th.
void FillJob(Store& store) {
  std::vector<engine::WriteBatch> batches;
  batches.push_back(JobBatch(1));
  for (std::size_t i = 0; i < SomeCells().size(); ++i) {
    if (i % 2 == 0) batches.emplace_back();
    const auto& [cell, outcome_class] = SomeCells()[i];
    batches.back().outcomes.push_back(
        MakeOutcome(1, 100 + i, cell, outcome_class, "text " + std::to_string(i)));
  }
  ASSERT_TRUE(store.Commit(batches).ok());
}

std::vector<engine::CellKey> Cells(const OutcomePage& page) {
  std::vector<engine::CellKey> cells;
  for (const OutcomePage::Row& row : page.rows) {
    cells.push_back({static_cast<std::uint16_t>(row.outcome.entry() == "tuned" ? 1 : 0),
                     row.outcome.kind(), row.outcome.index()});
  }
  return cells;
}

// Reads on until the end.
std::vector<engine::CellKey> ReadAll(const Store& store, OutcomeQuery query) {
  std::vector<engine::CellKey> cells;
  while (true) {
    const StatusOr<OutcomePage> page = store.ReadOutcomes(query);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return cells;
    for (const engine::CellKey& cell : Cells(*page)) cells.push_back(cell);
    if (page->end) return cells;
    query.after = page->next;
  }
}

}  // namespace

void StoreConformanceTest::SetUp() {
  backend_ = GetParam()();
  const engine::Recovery recovery = Reopen();
  ASSERT_EQ(recovery.term, 1);
}

engine::Recovery StoreConformanceTest::Reopen() {
  store_.reset();
  StatusOr<std::unique_ptr<Store>> store = backend_->Open();
  EXPECT_TRUE(store.ok()) << store.status();
  if (!store.ok()) return {};
  store_ = *std::move(store);
  StatusOr<engine::Recovery> recovery = store_->Recover();
  EXPECT_TRUE(recovery.ok()) << recovery.status();
  return recovery.ok() ? *std::move(recovery) : engine::Recovery();
}

Status StoreConformanceTest::Commit(engine::WriteBatch batch) {
  return store_->Commit({&batch, 1});
}

TEST_P(StoreConformanceTest, NewStoreIsEmptyAndCountsTerms) {
  const engine::Recovery second = Reopen();
  EXPECT_EQ(second.term, 2);
  EXPECT_EQ(second.engine_now, TimePoint{});
  EXPECT_EQ(second.next_job_key, 1U);
  EXPECT_EQ(second.next_lease_batch, 1U);
  EXPECT_THAT(second.jobs, IsEmpty());
  EXPECT_THAT(second.ended_jobs, IsEmpty());
  EXPECT_THAT(second.lease_batches, IsEmpty());
  EXPECT_THAT(second.blocked_groups, IsEmpty());
  EXPECT_EQ(Reopen().term, 3);
}

TEST_P(StoreConformanceTest, RecoversOnceAndBeforeTheFirstCommit) {
  EXPECT_EQ(store_->Recover().status().code(), absl::StatusCode::kFailedPrecondition);
  store_.reset();
  store_ = *backend_->Open();
  EXPECT_EQ(Commit(JobBatch(1)).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(StoreConformanceTest, JobsComeBackWithTheirLastStatus) {
  std::vector<engine::WriteBatch> batches;
  batches.push_back(JobBatch(1, "request one"));
  batches.push_back(JobBatch(2));
  batches.push_back(JobBatch(3));
  batches.emplace_back().statuses.push_back(MakeStatus(1, v1::Job::RUNNING, "first"));
  batches.emplace_back().statuses.push_back(MakeStatus(1, v1::Job::RUNNING, "second"));
  ASSERT_TRUE(store_->Commit(batches).ok());
  engine::WriteBatch batch;
  batch.statuses.push_back(MakeStatus(2, v1::Job::SUCCEEDED, "all done"));
  batch.statuses.push_back(MakeStatus(3, v1::Job::FAILED, "stopped"));
  ASSERT_TRUE(Commit(std::move(batch)).ok());

  const engine::Recovery recovery = Reopen();
  EXPECT_EQ(recovery.next_job_key, 4U);
  ASSERT_THAT(recovery.jobs, SizeIs(2));
  EXPECT_EQ(recovery.jobs[0].record.key, 1U);
  EXPECT_EQ(recovery.jobs[0].record.request_id, "request one");
  EXPECT_TRUE(MessageDifferencer::Equals(*recovery.jobs[0].record.job, *MakeJob(1).job));
  EXPECT_TRUE(MessageDifferencer::Equals(*recovery.jobs[0].record.specification,
                                         *MakeJob(1).specification));
  EXPECT_EQ(recovery.jobs[0].status->state_reason(), "second");
  // A failed job can be resumed.
  EXPECT_EQ(recovery.jobs[1].record.key, 3U);
  ASSERT_THAT(recovery.ended_jobs, SizeIs(1));
  EXPECT_EQ(recovery.ended_jobs[0].record.key, 2U);
  EXPECT_EQ(recovery.ended_jobs[0].record.request_id, "");
  EXPECT_EQ(recovery.ended_jobs[0].status->state(), v1::Job::SUCCEEDED);
  EXPECT_EQ(recovery.ended_jobs[0].status->state_reason(), "all done");
}

TEST_P(StoreConformanceTest, EngineTimeIsTheLatest) {
  engine::WriteBatch batch;
  batch.engine_now = TimePoint(Duration(500));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  batch = {};
  batch.engine_now = TimePoint(Duration(400));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  EXPECT_EQ(Reopen().engine_now, TimePoint(Duration(500)));
}

TEST_P(StoreConformanceTest, BlockedGroupsAreReplacedWhenPresent) {
  engine::WriteBatch batch;
  batch.blocked_groups = {{"a", TimePoint(Duration(5))}, {"b", TimePoint(Duration(6))}};
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  ASSERT_TRUE(Commit({}).ok());
  engine::Recovery recovery = Reopen();
  ASSERT_THAT(recovery.blocked_groups, SizeIs(2));
  EXPECT_EQ(recovery.blocked_groups[1].limit_group, "b");
  EXPECT_EQ(recovery.blocked_groups[1].until, TimePoint(Duration(6)));
  batch = {};
  batch.blocked_groups.emplace();
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  EXPECT_THAT(Reopen().blocked_groups, IsEmpty());
}

TEST_P(StoreConformanceTest, ProviderBatchesComeBackAsLastWritten) {
  const auto record = [](engine::ProviderBatchId id, engine::JobKey job, std::uint16_t entry,
                         v1::Batch::State state) {
    auto body = std::make_shared<v1::Batch>();
    body->set_state(state);
    body->set_lines(30'000);
    body->set_provider_batch("batch_1");
    return engine::ProviderBatchRecord{id, job, entry, std::move(body)};
  };
  const engine::ProviderBatchId big = std::uint64_t{9} << 40U | 12;
  engine::WriteBatch batch = JobBatch(1);
  batch.provider_batches.push_back(record(big, 1, 1, v1::Batch::INTENDED));
  batch.provider_batches.push_back(record(5, 1, 0, v1::Batch::SUBMITTED));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  batch = JobBatch(2);
  batch.provider_batches.push_back(record(big, 1, 1, v1::Batch::SUBMITTED));
  batch.provider_batches.push_back(record(6, 2, 0, v1::Batch::INTENDED));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  engine::Recovery recovery = Reopen();
  ASSERT_THAT(recovery.provider_batches, SizeIs(3));
  EXPECT_EQ(recovery.provider_batches[0].id, 5U);
  EXPECT_EQ(recovery.provider_batches[1].id, 6U);
  const engine::ProviderBatchRecord& last = recovery.provider_batches[2];
  EXPECT_EQ(last.id, big);
  EXPECT_EQ(last.job, 1U);
  EXPECT_EQ(last.entry, 1U);
  EXPECT_EQ(last.batch->state(), v1::Batch::SUBMITTED);
  EXPECT_EQ(last.batch->lines(), 30'000);
  EXPECT_EQ(last.batch->provider_batch(), "batch_1");

  // They go with their job, and what comes late for it is dropped.
  batch = {};
  batch.deleted_jobs.push_back(1);
  batch.provider_batches.push_back(record(6, 2, 0, v1::Batch::DONE));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  batch = {};
  batch.provider_batches.push_back(record(5, 1, 0, v1::Batch::DONE));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  recovery = Reopen();
  ASSERT_THAT(recovery.provider_batches, SizeIs(1));
  EXPECT_EQ(recovery.provider_batches[0].batch->state(), v1::Batch::DONE);
  EXPECT_EQ(store_->AttemptName(6).substr(0, 8), fmt::format("{:08x}", recovery.store_id));
}

TEST_P(StoreConformanceTest, LeasesAreOpenUntilTheirAttemptIsRecorded) {
  engine::WriteBatch batch = JobBatch(1);
  const engine::AttemptId big = std::uint64_t{9} << 40U | 12;
  batch.lease_batches.push_back(MakeLeases(
      7, {{.attempt = big, .job = 1, .cell = {1, kReport, 4'000'000'000U}, .reserved_tokens = -3},
          {.attempt = 2, .job = 1, .cell = {0, kChoice, 1}, .alone = true}}));
  batch.lease_batches.push_back(MakeLeases(8, {{.attempt = 3, .job = 1}}));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  batch = {};
  batch.attempts.push_back(MakeAttempt(1, 2, {0, kChoice, 1}, v1::Attempt::NOT_SENT));
  batch.closed_lease_batches.push_back(8);
  ASSERT_TRUE(Commit(std::move(batch)).ok());

  const engine::Recovery recovery = Reopen();
  EXPECT_EQ(recovery.next_lease_batch, 9U);
  ASSERT_THAT(recovery.lease_batches, SizeIs(1));
  const engine::Recovery::OpenLeaseBatch& open = recovery.lease_batches[0];
  EXPECT_THAT(open.open, ElementsAre(big));
  EXPECT_EQ(open.batch.id, 7U);
  EXPECT_EQ(open.batch.worker, "workers/w7");
  EXPECT_EQ(open.batch.grant_time, TimePoint(Duration(7'000)));
  EXPECT_EQ(open.batch.grant_wall, WallTime(Duration(14'000)));
  EXPECT_EQ(open.batch.sent_up_to, 6U);
  ASSERT_THAT(open.batch.leases, SizeIs(2));
  EXPECT_EQ(open.batch.leases[0].attempt, big);
  EXPECT_EQ(open.batch.leases[0].job, 1U);
  EXPECT_EQ(open.batch.leases[0].cell, (engine::CellKey{1, kReport, 4'000'000'000U}));
  EXPECT_EQ(open.batch.leases[0].reserved_tokens, -3);
  EXPECT_FALSE(open.batch.leases[0].alone);
  EXPECT_TRUE(open.batch.leases[1].alone);
}

TEST_P(StoreConformanceTest, LeaseBatchIdsAreNotUsedAgain) {
  engine::WriteBatch batch = JobBatch(1);
  batch.lease_batches.push_back(MakeLeases(5, {}));
  batch.closed_lease_batches.push_back(5);
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  EXPECT_EQ(Reopen().next_lease_batch, 6U);
}

TEST_P(StoreConformanceTest, EndedJobWithAnOpenLeaseIsRecoveredWhole) {
  engine::WriteBatch batch = JobBatch(1);
  batch.statuses.push_back(MakeStatus(1, v1::Job::CANCELLED));
  batch.lease_batches.push_back(MakeLeases(1, {{.attempt = 3, .job = 1}}));
  batch.outcomes.push_back(MakeOutcome(1, 2, {0, kChoice, 5}));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  engine::Recovery recovery = Reopen();
  ASSERT_THAT(recovery.jobs, SizeIs(1));
  EXPECT_THAT(recovery.jobs[0].done, ElementsAre(engine::CellKey{0, kChoice, 5}));
  batch = {};
  batch.attempts.push_back(MakeAttempt(1, 3, {}, v1::Attempt::UNKNOWN));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  recovery = Reopen();
  EXPECT_THAT(recovery.jobs, IsEmpty());
  EXPECT_THAT(recovery.ended_jobs, SizeIs(1));
  EXPECT_THAT(recovery.lease_batches, SizeIs(1));
}

TEST_P(StoreConformanceTest, RecoveryCountsWhatBecameOfCells) {
  const engine::CellKey done{0, kChoice, 0};
  const engine::CellKey given_up{0, kChoice, 1};
  const engine::CellKey tried{0, kChoice, 2};
  const engine::CellKey late{1, kReport, 1};
  engine::WriteBatch batch = JobBatch(1);
  batch.lease_batches.push_back(
      MakeLeases(1, {{.attempt = 14, .job = 1, .cell = tried, .alone = true},
                     {.attempt = 15, .job = 1, .cell = tried, .alone = true},
                     {.attempt = 16, .job = 1, .cell = tried}}));
  batch.attempts.push_back(MakeAttempt(1, 10, done, v1::Attempt::FAILED));
  batch.attempts.push_back(MakeAttempt(1, 20, done, v1::Attempt::UNANSWERED));
  batch.attempts.push_back(MakeAttempt(1, 21, {1, kReport, 0}, v1::Attempt::UNANSWERED));
  batch.attempts.push_back(MakeAttempt(1, 11, done, v1::Attempt::COMPLETED));
  batch.outcomes.push_back(MakeOutcome(1, 11, done));
  batch.attempts.push_back(MakeAttempt(1, 12, given_up, v1::Attempt::FAILED));
  batch.failed_cells.push_back({1, given_up});
  batch.attempts.push_back(MakeAttempt(1, 13, tried, v1::Attempt::UNANSWERED));
  batch.attempts.push_back(MakeAttempt(1, 14, tried, v1::Attempt::UNKNOWN));
  batch.attempts.push_back(MakeAttempt(1, 17, tried, v1::Attempt::FAILED));
  batch.attempts.push_back(MakeAttempt(1, 18, tried, v1::Attempt::NOT_SENT));
  // Given up, and answered after all by an expired lease.
  batch.failed_cells.push_back({1, late});
  batch.failed_cells.push_back({1, late});
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  // What was leased alone is still known after a restart, and when its batch closes with it.
  Reopen();
  batch = {};
  batch.attempts.push_back(MakeAttempt(1, 15, tried, v1::Attempt::UNKNOWN));
  batch.attempts.push_back(MakeAttempt(1, 16, tried, v1::Attempt::UNKNOWN));
  batch.closed_lease_batches.push_back(1);
  batch.outcomes.push_back(MakeOutcome(1, 19, late));
  ASSERT_TRUE(Commit(std::move(batch)).ok());

  const engine::Recovery recovery = Reopen();
  ASSERT_THAT(recovery.jobs, SizeIs(1));
  const engine::JobRecovery& job = recovery.jobs[0];
  EXPECT_THAT(job.done, UnorderedElementsAre(done, late));
  EXPECT_THAT(job.failed, ElementsAre(given_up));
  EXPECT_THAT(job.unanswered, ElementsAre(engine::UnansweredCalls{0, kChoice, 2},
                                          engine::UnansweredCalls{1, kReport, 1}));
  ASSERT_THAT(job.tried, SizeIs(3));
  EXPECT_EQ(job.tried[0].cell, given_up);
  EXPECT_EQ(job.tried[0].failures, 1);
  EXPECT_EQ(job.tried[0].deaths, 0);
  EXPECT_EQ(job.tried[1].cell, tried);
  EXPECT_EQ(job.tried[1].failures, 2);
  EXPECT_EQ(job.tried[1].deaths, 3);
  EXPECT_EQ(job.tried[1].deaths_alone, 2);
  EXPECT_EQ(job.tried[2].failures, 1);
}

TEST_P(StoreConformanceTest, OnlyUnknownAttemptsAreReplaced) {
  engine::WriteBatch batch = JobBatch(1);
  batch.attempts.push_back(MakeAttempt(1, 1, {}, v1::Attempt::UNKNOWN));
  batch.attempts.push_back(MakeAttempt(1, 2, {}, v1::Attempt::FAILED));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  batch = {};
  batch.attempts.push_back(MakeAttempt(1, 1, {}, v1::Attempt::COMPLETED, "workers/again"));
  batch.attempts.push_back(MakeAttempt(1, 2, {}, v1::Attempt::COMPLETED, "workers/again"));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  const StatusOr<AttemptPage> page = store_->ReadAttempts(1, 0, {});
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->rows, SizeIs(2));
  EXPECT_EQ(page->rows[0].attempt.state(), v1::Attempt::COMPLETED);
  EXPECT_EQ(page->rows[0].attempt.worker(), "workers/again");
  EXPECT_EQ(page->rows[1].attempt.state(), v1::Attempt::FAILED);
  EXPECT_EQ(page->rows[1].attempt.worker(), "workers/w");
  EXPECT_EQ(Reopen().jobs[0].tried[0].deaths, 0);
}

TEST_P(StoreConformanceTest, SecondOutcomeForACellBreaksTheWholeCommit) {
  engine::WriteBatch first = JobBatch(1);
  first.outcomes.push_back(MakeOutcome(1, 1, {0, kChoice, 3}));
  ASSERT_TRUE(Commit(std::move(first)).ok());
  std::vector<engine::WriteBatch> group(2);
  group[0].outcomes.push_back(MakeOutcome(1, 2, {0, kChoice, 4}));
  group[1].outcomes.push_back(MakeOutcome(1, 3, {0, kChoice, 3}));
  const Status status = store_->Commit(group);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(Message(status), HasSubstr("job 1"));
  // Nothing is written any more, not even scenario sets; reading goes on.
  EXPECT_EQ(Commit({}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->PutScenarioSet({}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(ReadAll(*store_, {.job = 1}), ElementsAre(engine::CellKey{0, kChoice, 3}));
  EXPECT_THAT(Reopen().jobs[0].done, ElementsAre(engine::CellKey{0, kChoice, 3}));
}

TEST_P(StoreConformanceTest, WritesForAJobThatNeverWasAreRefused) {
  engine::WriteBatch batch;
  batch.statuses.push_back(MakeStatus(4, v1::Job::RUNNING));
  EXPECT_EQ(Commit(std::move(batch)).code(), absl::StatusCode::kInternal);
}

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

TEST_P(StoreConformanceTest, DeletedJobsAreGoneAtOnceAndTheirKeysForEver) {
  FillJob(*store_);
  engine::WriteBatch batch = JobBatch(2, "request");
  batch.outcomes.push_back(MakeOutcome(2, 1, {0, kChoice, 7}));
  batch.attempts.push_back(MakeAttempt(2, 70, {}, v1::Attempt::COMPLETED));
  batch.failed_cells.push_back({2, {0, kChoice, 8}});
  batch.lease_batches.push_back(
      MakeLeases(3, {{.attempt = 71, .job = 2}, {.attempt = 72, .job = 1}}));
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  batch = {};
  batch.deleted_jobs.push_back(2);
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  const std::vector<engine::AttemptId> ids = {70};
  const auto check = [&] {
    EXPECT_EQ(store_->ReadOutcomes({.job = 2}).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(store_->ReadAttempts(2, 0, {}).status().code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(*store_->FindAttempts(ids), ElementsAre(std::nullopt));
    EXPECT_THAT(ReadAll(*store_, {.job = 1}), SizeIs(10));
  };
  check();
  // What still comes for it is dropped, and its request id is free.
  batch = JobBatch(3, "request");
  batch.statuses.push_back(MakeStatus(2, v1::Job::SUCCEEDED));
  batch.outcomes.push_back(MakeOutcome(2, 2, {0, kChoice, 9}));
  batch.attempts.push_back(MakeAttempt(2, 71, {}, v1::Attempt::UNKNOWN));
  batch.failed_cells.push_back({2, {0, kChoice, 9}});
  batch.deleted_jobs.push_back(2);
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  check();
  batch = {};
  batch.deleted_jobs.push_back(3);
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  const engine::Recovery recovery = Reopen();
  check();
  EXPECT_EQ(recovery.next_job_key, 4U);
  ASSERT_THAT(recovery.jobs, SizeIs(1));
  EXPECT_EQ(recovery.jobs[0].record.key, 1U);
  ASSERT_THAT(recovery.lease_batches, SizeIs(1));
  EXPECT_THAT(recovery.lease_batches[0].open, ElementsAre(72U));
  EXPECT_THAT(recovery.lease_batches[0].batch.leases, SizeIs(1));
}

TEST_P(StoreConformanceTest, ScenarioSetsAreKeptUnderUniqueNames) {
  v1::ScenarioSet set;
  set.set_name("scenarioSets/b");
  set.set_display_name("B");
  set.set_content_hash("abc");
  set.set_scenario_count(2);
  set.add_scenarios()->set_id("one");
  set.add_scenarios()->set_id("two");
  ASSERT_TRUE(store_->PutScenarioSet(set).ok());
  EXPECT_EQ(store_->PutScenarioSet(set).code(), absl::StatusCode::kAlreadyExists);
  v1::ScenarioSet other;
  other.set_name("scenarioSets/a");
  ASSERT_TRUE(store_->PutScenarioSet(other).ok());
  Reopen();
  const StatusOr<v1::ScenarioSet> found = store_->GetScenarioSet("scenarioSets/b");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(MessageDifferencer::Equals(*found, set)) << found->DebugString();
  EXPECT_EQ(store_->GetScenarioSet("scenarioSets/c").status().code(), absl::StatusCode::kNotFound);

  StatusOr<ScenarioSetPage> page = store_->ListScenarioSets("", 1);
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->sets, SizeIs(1));
  EXPECT_EQ(page->sets[0].name(), "scenarioSets/a");
  EXPECT_TRUE(page->more);
  page = store_->ListScenarioSets("scenarioSets/a", 1);
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->sets, SizeIs(1));
  EXPECT_FALSE(page->more);
  set.clear_scenarios();
  EXPECT_TRUE(MessageDifferencer::Equals(page->sets[0], set));

  EXPECT_TRUE(store_->DeleteScenarioSet("scenarioSets/b").ok());
  EXPECT_EQ(store_->DeleteScenarioSet("scenarioSets/b").code(), absl::StatusCode::kNotFound);
  // A refusal is no failure of the store.
  EXPECT_TRUE(store_->PutScenarioSet(set).ok());
  EXPECT_TRUE(Commit(JobBatch(1)).ok());
}

TEST_P(StoreConformanceTest, AttemptNamesAreOfThisStore) {
  const engine::AttemptId id = std::uint64_t{0x123456} << 40U | 0xab;
  const std::string name = store_->AttemptName(id);
  EXPECT_THAT(name, testing::MatchesRegex("[0-9a-f]{8}-12345600000000ab"));
  EXPECT_EQ(store_->ParseAttemptName(name), id);
  std::string foreign = name;
  foreign[0] = foreign[0] == '0' ? '1' : '0';
  std::string upper = name;
  upper[24] = 'B';
  for (const std::string& text :
       {std::string(), foreign, upper, name + "0", name.substr(1), name.substr(0, 24) + "g"}) {
    EXPECT_EQ(store_->ParseAttemptName(text), std::nullopt) << text;
  }
  Reopen();
  EXPECT_EQ(store_->AttemptName(id), name);
  const std::unique_ptr<StoreBackend> other_backend = GetParam()();
  const std::unique_ptr<Store> other = *other_backend->Open();
  EXPECT_EQ(other->ParseAttemptName(name), std::nullopt);
}

// Readers beside a writer see whole commits, in order, without gap.
TEST_P(StoreConformanceTest, OutcomesAreTakenOverFromOtherJobs) {
  FillJob(*store_);
  const engine::CellKey cell{0, kChoice, 4};
  const engine::CellKey renamed{1, kChoice, 1};
  engine::WriteBatch first = JobBatch(2);
  first.reused_outcomes.push_back({.job = 2,
                                   .source = 1,
                                   .source_name = "jobs/job1",
                                   .items = {{cell, cell, v1::Outcome::VALID},
                                             {renamed, {0, kChoice, 0}, v1::Outcome::VALID}}});
  ASSERT_TRUE(Commit(std::move(first)).ok());
  // From a copy: the name is still that of the job that made the call.
  engine::WriteBatch second = JobBatch(3);
  second.reused_outcomes.push_back({.job = 3,
                                    .source = 2,
                                    .source_name = "jobs/job2",
                                    .items = {{cell, cell, v1::Outcome::VALID}}});
  ASSERT_TRUE(Commit(std::move(second)).ok());

  const engine::Recovery recovery = Reopen();
  ASSERT_THAT(recovery.jobs, SizeIs(3));
  EXPECT_THAT(recovery.jobs[1].done, UnorderedElementsAre(cell, renamed));
  const auto original = store_->ReadCells(1, {{cell}});
  ASSERT_TRUE(original.ok());
  v1::Outcome expected = *original->at(0).outcome;
  EXPECT_THAT(expected.attempt_id(), Not(IsEmpty()));
  expected.clear_attempt_id();
  expected.set_reused_from("jobs/job1");
  for (const engine::JobKey job : {2, 3}) {
    const auto copy = store_->ReadCells(job, {{cell}});
    ASSERT_TRUE(copy.ok());
    EXPECT_TRUE(MessageDifferencer::Equals(*copy->at(0).outcome, expected));
  }
  const auto moved = store_->ReadCells(2, {{renamed}});
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(moved->at(0).outcome->entry(), "tuned");
  EXPECT_EQ(moved->at(0).outcome->index(), 1U);
}

TEST_P(StoreConformanceTest, AnOutcomeThatIsNotThereCannotBeTakenOver) {
  FillJob(*store_);
  engine::WriteBatch batch = JobBatch(2);
  batch.reused_outcomes.push_back(
      {.job = 2,
       .source = 1,
       .source_name = "jobs/job1",
       .items = {{{0, kChoice, 2}, {0, kChoice, 2}, v1::Outcome::VALID}}});
  EXPECT_EQ(Commit(std::move(batch)).code(), absl::StatusCode::kInternal);
}

TEST_P(StoreConformanceTest, ReadersFollowTheWriterWithoutGap) {
  constexpr std::uint32_t kOutcomes = 600;
  ASSERT_TRUE(Commit(JobBatch(1)).ok());
  std::atomic<std::uint32_t> wrong = 0;
  const auto follow = [&](std::size_t rows) {
    OutcomeQuery query{.job = 1, .limit = {.rows = rows}};
    std::uint32_t next = 0;
    while (next < kOutcomes && wrong == 0) {
      const StatusOr<OutcomePage> page = store_->ReadOutcomes(query);
      if (!page.ok()) {
        ++wrong;
        return;
      }
      for (const OutcomePage::Row& row : page->rows) {
        if (row.outcome.index() != next || row.position <= query.after) ++wrong;
        query.after = row.position;
        ++next;
      }
      // Batches hold three outcomes each: a snapshot ends between batches.
      if (page->end && next % 3 != 0) ++wrong;
      query.after = page->next;
    }
  };
  const auto put_sets = [&] {
    for (int i = 0; i < 20; ++i) {
      v1::ScenarioSet set;
      set.set_name("scenarioSets/s" + std::to_string(i));
      if (!store_->PutScenarioSet(set).ok()) ++wrong;
    }
  };
  std::thread one(follow, 1'000);
  std::thread two(follow, 7);
  std::thread three(put_sets);
  for (std::uint32_t i = 0; i < kOutcomes;) {
    std::vector<engine::WriteBatch> group(2);
    for (engine::WriteBatch& batch : group) {
      for (int k = 0; k < 3; ++k, ++i) {
        batch.outcomes.push_back(MakeOutcome(1, i + 1, {0, kChoice, i}));
        batch.attempts.push_back(MakeAttempt(1, i + 1, {0, kChoice, i}, v1::Attempt::COMPLETED));
      }
    }
    if (!store_->Commit(group).ok()) ++wrong;
  }
  one.join();
  two.join();
  three.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace candor::store
