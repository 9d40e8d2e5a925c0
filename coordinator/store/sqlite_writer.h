// Writes batches into a database, within a transaction of the caller. Inside this room only.
#pragma once

#include "common/base/status.h"
#include "coordinator/engine/records.h"
#include "coordinator/store/sqlite.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace candor::store {

// What the writer knows besides the tables. When a transaction fails it is out of step with them:
// nothing is written after that.
struct WriterState {
  std::int64_t engine_now = 0;
  engine::JobKey next_job_key = 1;
  std::uint64_t next_lease_batch = 1;
  // Jobs that exist.
  absl::flat_hash_set<engine::JobKey> jobs;
  // Jobs whose rows are still to be removed.
  std::deque<engine::JobKey> deleted_jobs;
  // Attempts leased while alone, by open lease batch: their records do not say it.
  absl::flat_hash_map<std::uint64_t, std::vector<engine::AttemptId>> alone_by_batch;
  absl::flat_hash_set<engine::AttemptId> alone;

  void AddAlone(std::uint64_t batch, std::span<const engine::LeaseRecord> leases);
  void CloseBatch(std::uint64_t batch);
};

class SqliteWriter {
 public:
  static StatusOr<SqliteWriter> Prepare(Connection& connection, WriterState state);

  // Applies the batches in order, and removes up to `sweep_rows` rows of deleted jobs.
  Status Apply(std::span<engine::WriteBatch> batches, std::size_t sweep_rows);

 private:
  explicit SqliteWriter(Connection& connection) : connection_(&connection) {}

  // Whether rows of this job are to be written. False for a deleted one: what comes late for it is
  // dropped. INTERNAL for one that never was.
  StatusOr<bool> Wanted(engine::JobKey job) const;
  Status ApplyBatch(engine::WriteBatch& batch);
  Status AddJob(const engine::JobRecord& record);
  Status DeleteJob(engine::JobKey job);
  Status AddLeaseBatch(const engine::LeaseBatchRecord& record);
  Status AddProviderBatch(const engine::ProviderBatchRecord& record);
  Status AddAttempt(engine::AttemptRecord& record);
  Status AddOutcome(engine::OutcomeRecord& record);
  Status CopyOutcomes(const engine::ReusedOutcomesRecord& record);
  Status AddFailedCell(const engine::FailedCellRecord& record);
  Status SetBlockedGroups(std::span<const engine::BlockedGroupRecord> groups);
  Status WriteStatuses();
  Status Sweep(std::size_t rows);

  Connection* connection_;
  WriterState state_;
  // The last status of each job in this transaction: the ones before need not be written.
  absl::flat_hash_map<engine::JobKey, std::shared_ptr<const v1::Job>> statuses_;
  std::string bytes_;  // reused
  Statement insert_job_, insert_status_, update_status_, delete_job_, delete_status_,
      insert_deleted_job_, delete_deleted_job_, insert_lease_batch_, delete_lease_batch_,
      insert_attempt_, update_attempt_, insert_outcome_, copy_outcome_, insert_failed_cell_,
      clear_blocked_, insert_blocked_, upsert_provider_batch_, update_meta_, sweep_outcomes_,
      sweep_attempts_, sweep_failed_cells_, sweep_provider_batches_;
};

}  // namespace candor::store
