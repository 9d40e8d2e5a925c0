#include "coordinator/store/sqlite_writer.h"

#include "coordinator/store/codec.h"
#include "coordinator/store/schema.h"

#include <algorithm>
#include <utility>

namespace candor::store {

void WriterState::AddAlone(std::uint64_t batch, std::span<const engine::LeaseRecord> leases) {
  for (const engine::LeaseRecord& lease : leases) {
    if (!lease.alone) continue;
    alone.insert(lease.attempt);
    alone_by_batch[batch].push_back(lease.attempt);
  }
}

void WriterState::CloseBatch(std::uint64_t batch) {
  const auto it = alone_by_batch.find(batch);
  if (it == alone_by_batch.end()) return;
  for (const engine::AttemptId attempt : it->second) alone.erase(attempt);
  alone_by_batch.erase(it);
}

StatusOr<SqliteWriter> SqliteWriter::Prepare(Connection& connection, WriterState state) {
  SqliteWriter writer(connection);
  writer.state_ = std::move(state);
  const std::pair<Statement&, const char*> statements[] = {
      {writer.insert_job_, "INSERT INTO jobs VALUES (?1, ?2, ?3, ?4)"},
      {writer.insert_status_, "INSERT INTO job_statuses VALUES (?1, 0, x'')"},
      {writer.update_status_, "UPDATE job_statuses SET state = ?2, status = ?3 WHERE key = ?1"},
      {writer.delete_job_, "DELETE FROM jobs WHERE key = ?1"},
      {writer.delete_status_, "DELETE FROM job_statuses WHERE key = ?1"},
      {writer.insert_deleted_job_, "INSERT INTO deleted_jobs VALUES (?1)"},
      {writer.delete_deleted_job_, "DELETE FROM deleted_jobs WHERE key = ?1"},
      {writer.insert_lease_batch_, "INSERT INTO lease_batches VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
      {writer.delete_lease_batch_, "DELETE FROM lease_batches WHERE id = ?1"},
      // Two statements: one that may change a row that is there is prepared to be undone each time.
      {writer.insert_attempt_,
       "INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING"},
      // NOT_SENT and UNKNOWN are what is believed until a report says better.
      {writer.update_attempt_,
       "UPDATE attempts SET state = ?2, body = ?3, alone = max(alone, ?4) "
       "WHERE id = ?1 AND state IN (3, 5)"},
      {writer.insert_outcome_,
       "INSERT INTO outcomes (job, cell, class, attempt, body) VALUES (?1, ?2, ?3, ?4, ?5)"},
      // A message's bytes behind a field are the message with that field, unless it has one of its
      // own: the last one counts.
      {writer.copy_outcome_,
       "INSERT INTO outcomes (job, cell, class, attempt, body) "
       "SELECT ?1, ?2, class, 0, CAST(?3 || body AS BLOB) FROM outcomes INDEXED BY outcomes_cell "
       "WHERE job = ?4 AND cell = ?5"},
      {writer.insert_failed_cell_, "INSERT OR IGNORE INTO failed_cells VALUES (?1, ?2)"},
      {writer.clear_blocked_, "DELETE FROM blocked_groups"},
      {writer.insert_blocked_, "INSERT INTO blocked_groups VALUES (?1, ?2)"},
      {writer.upsert_provider_batch_,
       "INSERT INTO provider_batches VALUES (?1, ?2, ?3, ?4) "
       "ON CONFLICT (id) DO UPDATE SET body = excluded.body"},
      {writer.update_meta_,
       "UPDATE meta SET engine_now = ?1, next_job_key = ?2, next_lease_batch = ?3"},
      {writer.sweep_outcomes_,
       "DELETE FROM outcomes WHERE seq IN (SELECT seq FROM outcomes WHERE job = ?1 LIMIT ?2)"},
      {writer.sweep_attempts_,
       "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE job = ?1 LIMIT ?2)"},
      {writer.sweep_failed_cells_,
       "DELETE FROM failed_cells WHERE rowid IN "
       "(SELECT rowid FROM failed_cells WHERE job = ?1 LIMIT ?2)"},
      {writer.sweep_provider_batches_,
       "DELETE FROM provider_batches WHERE id IN "
       "(SELECT id FROM provider_batches WHERE job = ?1 LIMIT ?2)"},
  };
  for (const auto& [statement, sql] : statements) {
    CANDOR_ASSIGN_OR_RETURN(statement, connection.Prepare(sql));
  }
  return writer;
}

Status SqliteWriter::Apply(std::span<engine::WriteBatch> batches, std::size_t sweep_rows) {
  statuses_.clear();
  for (engine::WriteBatch& batch : batches) CANDOR_RETURN_IF_ERROR(ApplyBatch(batch));
  CANDOR_RETURN_IF_ERROR(WriteStatuses());
  CANDOR_RETURN_IF_ERROR(Sweep(sweep_rows));
  update_meta_.Bind(1, state_.engine_now);
  update_meta_.Bind(2, state_.next_job_key);
  update_meta_.Bind(3, static_cast<std::int64_t>(state_.next_lease_batch));
  return update_meta_.Run();
}

StatusOr<bool> SqliteWriter::Wanted(engine::JobKey job) const {
  if (state_.jobs.contains(job)) return true;
  if (job != 0 && job < state_.next_job_key) return false;
  return Internal("a write for job {}, which was never created", job);
}

Status SqliteWriter::ApplyBatch(engine::WriteBatch& batch) {
  for (const engine::JobRecord& job : batch.new_jobs) CANDOR_RETURN_IF_ERROR(AddJob(job));
  for (engine::JobStatusRecord& status : batch.statuses) {
    CANDOR_ASSIGN_OR_RETURN(const bool wanted, Wanted(status.key));
    if (wanted) statuses_[status.key] = std::move(status.status);
  }
  for (const engine::LeaseBatchRecord& leases : batch.lease_batches) {
    CANDOR_RETURN_IF_ERROR(AddLeaseBatch(leases));
  }
  for (const engine::ProviderBatchRecord& record : batch.provider_batches) {
    CANDOR_RETURN_IF_ERROR(AddProviderBatch(record));
  }
  for (engine::AttemptRecord& attempt : batch.attempts) {
    CANDOR_RETURN_IF_ERROR(AddAttempt(attempt));
  }
  for (engine::OutcomeRecord& outcome : batch.outcomes) {
    CANDOR_RETURN_IF_ERROR(AddOutcome(outcome));
  }
  for (const engine::ReusedOutcomesRecord& reused : batch.reused_outcomes) {
    CANDOR_RETURN_IF_ERROR(CopyOutcomes(reused));
  }
  for (const engine::FailedCellRecord& cell : batch.failed_cells) {
    CANDOR_RETURN_IF_ERROR(AddFailedCell(cell));
  }
  // After the attempts: those that were leased alone are known by their open batch.
  for (const std::uint64_t id : batch.closed_lease_batches) {
    delete_lease_batch_.Bind(1, static_cast<std::int64_t>(id));
    CANDOR_RETURN_IF_ERROR(delete_lease_batch_.Run());
    state_.CloseBatch(id);
  }
  for (const engine::JobKey job : batch.deleted_jobs) CANDOR_RETURN_IF_ERROR(DeleteJob(job));
  if (batch.blocked_groups) CANDOR_RETURN_IF_ERROR(SetBlockedGroups(*batch.blocked_groups));
  state_.engine_now =
      std::max<std::int64_t>(state_.engine_now, batch.engine_now.time_since_epoch().count());
  return {};
}

Status SqliteWriter::AddJob(const engine::JobRecord& record) {
  if (record.key < state_.next_job_key) {
    return Internal("job {} is created again; keys count up, the next one is {}", record.key,
                    state_.next_job_key);
  }
  const std::string job = record.job->SerializeAsString();
  const std::string specification = record.specification->SerializeAsString();
  insert_job_.Bind(1, record.key);
  if (record.request_id.empty()) {
    insert_job_.BindNull(2);
  } else {
    insert_job_.BindText(2, record.request_id);
  }
  insert_job_.BindBlob(3, job);
  insert_job_.BindBlob(4, specification);
  CANDOR_RETURN_IF_ERROR(insert_job_.Run());
  insert_status_.Bind(1, record.key);
  CANDOR_RETURN_IF_ERROR(insert_status_.Run());
  state_.jobs.insert(record.key);
  state_.next_job_key = record.key + 1;
  return {};
}

// The job itself goes at once, and with it all that readers can see; its rows follow in slices, so
// that a large job does not hold up the commits of others.
Status SqliteWriter::DeleteJob(engine::JobKey job) {
  CANDOR_ASSIGN_OR_RETURN(const bool exists, Wanted(job));
  if (!exists) return {};
  for (Statement* statement : {&delete_job_, &delete_status_, &insert_deleted_job_}) {
    statement->Bind(1, job);
    CANDOR_RETURN_IF_ERROR(statement->Run());
  }
  state_.jobs.erase(job);
  state_.deleted_jobs.push_back(job);
  statuses_.erase(job);
  return {};
}

Status SqliteWriter::AddLeaseBatch(const engine::LeaseBatchRecord& record) {
  bytes_ = PackLeases(record.leases);
  insert_lease_batch_.Bind(1, static_cast<std::int64_t>(record.id));
  insert_lease_batch_.BindText(2, record.worker);
  insert_lease_batch_.Bind(3, record.grant_time.time_since_epoch().count());
  insert_lease_batch_.Bind(4, record.grant_wall.time_since_epoch().count());
  insert_lease_batch_.BindBlob(5, bytes_);
  insert_lease_batch_.Bind(6, static_cast<std::int64_t>(record.sent_up_to));
  CANDOR_RETURN_IF_ERROR(insert_lease_batch_.Run());
  state_.AddAlone(record.id, record.leases);
  state_.next_lease_batch = std::max(state_.next_lease_batch, record.id + 1);
  return {};
}

Status SqliteWriter::AddProviderBatch(const engine::ProviderBatchRecord& record) {
  CANDOR_ASSIGN_OR_RETURN(const bool wanted, Wanted(record.job));
  if (!wanted) return {};
  record.batch->SerializeToString(&bytes_);
  upsert_provider_batch_.Bind(1, static_cast<std::int64_t>(record.id));
  upsert_provider_batch_.Bind(2, record.job);
  upsert_provider_batch_.Bind(3, record.entry);
  upsert_provider_batch_.BindBlob(4, bytes_);
  return upsert_provider_batch_.Run();
}

Status SqliteWriter::AddAttempt(engine::AttemptRecord& record) {
  CANDOR_ASSIGN_OR_RETURN(const bool wanted, Wanted(record.job));
  if (!wanted) return {};
  v1::Attempt& attempt = *record.attempt;
  const v1::Attempt::State state = attempt.state();
  const AttemptMark mark = engine::IsRefusalOfADay(attempt)   ? AttemptMark::kRefusedForADay
                           : state_.alone.contains(record.id) ? AttemptMark::kLeasedAlone
                                                              : AttemptMark::kNone;
  // Columns say these, or they follow from the cell.
  attempt.clear_id();
  attempt.clear_entry();
  attempt.clear_scenario();
  attempt.clear_kind();
  attempt.clear_index();
  attempt.clear_state();
  attempt.SerializeToString(&bytes_);
  insert_attempt_.Bind(1, static_cast<std::int64_t>(record.id));
  insert_attempt_.Bind(2, record.job);
  insert_attempt_.Bind(3, static_cast<std::int64_t>(PackCell(record.cell)));
  insert_attempt_.Bind(4, state);
  insert_attempt_.Bind(5, static_cast<std::int64_t>(mark));
  insert_attempt_.BindBlob(6, bytes_);
  CANDOR_RETURN_IF_ERROR(insert_attempt_.Run());
  if (connection_->changes() != 0) return {};
  update_attempt_.Bind(1, static_cast<std::int64_t>(record.id));
  update_attempt_.Bind(2, state);
  update_attempt_.BindBlob(3, bytes_);
  update_attempt_.Bind(4, static_cast<std::int64_t>(mark));
  return update_attempt_.Run();
}

Status SqliteWriter::AddOutcome(engine::OutcomeRecord& record) {
  CANDOR_ASSIGN_OR_RETURN(const bool wanted, Wanted(record.job));
  if (!wanted) return {};
  v1::Outcome& outcome = *record.outcome;
  const v1::Outcome::Class outcome_class = outcome.class_();
  outcome.clear_entry();
  outcome.clear_scenario();
  outcome.clear_kind();
  outcome.clear_index();
  outcome.clear_class_();
  outcome.clear_attempt_id();
  outcome.SerializeToString(&bytes_);
  insert_outcome_.Bind(1, record.job);
  insert_outcome_.Bind(2, static_cast<std::int64_t>(PackCell(record.cell)));
  insert_outcome_.Bind(3, outcome_class);
  insert_outcome_.Bind(4, static_cast<std::int64_t>(record.attempt));
  insert_outcome_.BindBlob(5, bytes_);
  return Annotate(
      insert_outcome_.Run(),
      fmt::format("outcome of job {}, entry {}, kind {}, cell {}", record.job, record.cell.entry,
                  static_cast<int>(record.cell.kind), record.cell.index));
}

Status SqliteWriter::CopyOutcomes(const engine::ReusedOutcomesRecord& record) {
  CANDOR_ASSIGN_OR_RETURN(const bool wanted, Wanted(record.job));
  if (!wanted) return {};
  v1::Outcome origin;
  origin.set_reused_from(record.source_name);
  origin.SerializeToString(&bytes_);
  for (const engine::ReusedOutcomesRecord::Item& item : record.items) {
    copy_outcome_.Bind(1, record.job);
    copy_outcome_.Bind(2, static_cast<std::int64_t>(PackCell(item.cell)));
    copy_outcome_.BindBlob(3, bytes_);
    copy_outcome_.Bind(4, record.source);
    copy_outcome_.Bind(5, static_cast<std::int64_t>(PackCell(item.source_cell)));
    Status status = copy_outcome_.Run();
    if (status.ok() && connection_->changes() != 1) status = Internal("it is not there");
    if (status.ok()) continue;
    return Annotate(status,
                    fmt::format("outcome of job {}, entry {}, kind {}, cell {}, from job {}",
                                record.job, item.cell.entry, static_cast<int>(item.cell.kind),
                                item.cell.index, record.source));
  }
  return {};
}

Status SqliteWriter::AddFailedCell(const engine::FailedCellRecord& record) {
  CANDOR_ASSIGN_OR_RETURN(const bool wanted, Wanted(record.job));
  if (!wanted) return {};
  insert_failed_cell_.Bind(1, record.job);
  insert_failed_cell_.Bind(2, static_cast<std::int64_t>(PackCell(record.cell)));
  return insert_failed_cell_.Run();
}

Status SqliteWriter::SetBlockedGroups(std::span<const engine::BlockedGroupRecord> groups) {
  CANDOR_RETURN_IF_ERROR(clear_blocked_.Run());
  for (const engine::BlockedGroupRecord& group : groups) {
    insert_blocked_.BindText(1, group.limit_group);
    insert_blocked_.Bind(2, group.until.time_since_epoch().count());
    CANDOR_RETURN_IF_ERROR(insert_blocked_.Run());
  }
  return {};
}

Status SqliteWriter::WriteStatuses() {
  for (const auto& [job, status] : statuses_) {
    status->SerializeToString(&bytes_);
    update_status_.Bind(1, job);
    update_status_.Bind(2, status->state());
    update_status_.BindBlob(3, bytes_);
    CANDOR_RETURN_IF_ERROR(update_status_.Run());
  }
  return {};
}

Status SqliteWriter::Sweep(std::size_t rows) {
  auto left = static_cast<std::int64_t>(rows);
  while (!state_.deleted_jobs.empty() && left > 0) {
    const engine::JobKey job = state_.deleted_jobs.front();
    for (Statement* sweep :
         {&sweep_outcomes_, &sweep_attempts_, &sweep_failed_cells_, &sweep_provider_batches_}) {
      if (left == 0) return {};
      sweep->Bind(1, job);
      sweep->Bind(2, left);
      CANDOR_RETURN_IF_ERROR(sweep->Run());
      left -= connection_->changes();
    }
    if (left == 0) return {};
    delete_deleted_job_.Bind(1, job);
    CANDOR_RETURN_IF_ERROR(delete_deleted_job_.Run());
    state_.deleted_jobs.pop_front();
  }
  return {};
}

}  // namespace candor::store
