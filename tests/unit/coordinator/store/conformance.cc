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
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

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
  // Refused for a day's quota: no try.
  const auto refused = [&](engine::AttemptId id) {
    engine::AttemptRecord record = MakeAttempt(1, id, tried, v1::Attempt::FAILED);
    record.attempt->set_error_class(v1::Attempt::DAILY_LIMIT);
    return record;
  };
  batch.attempts.push_back(refused(22));
  batch.attempts.push_back(MakeAttempt(1, 23, tried, v1::Attempt::UNKNOWN));
  // Given up, and answered after all by an expired lease.
  batch.failed_cells.push_back({1, late});
  batch.failed_cells.push_back({1, late});
  ASSERT_TRUE(Commit(std::move(batch)).ok());
  // What was leased alone is still known after a restart, and when its batch closes with it.
  Reopen();
  batch = {};
  batch.attempts.push_back(MakeAttempt(1, 15, tried, v1::Attempt::UNKNOWN));
  batch.attempts.push_back(MakeAttempt(1, 16, tried, v1::Attempt::UNKNOWN));
  batch.attempts.push_back(refused(23));
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
  EXPECT_EQ(job.tried[1].refusals, 2);
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

}  // namespace candor::store
