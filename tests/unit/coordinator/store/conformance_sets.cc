#include "tests/unit/coordinator/store/conformance.h"
#include "tests/unit/coordinator/store/conformance_records.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace candor::store {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

}  // namespace

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
