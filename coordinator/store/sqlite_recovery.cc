#include "coordinator/store/sqlite_recovery.h"

#include "coordinator/store/codec.h"
#include "coordinator/store/schema.h"

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::store {
namespace {

template <typename Message>
StatusOr<std::shared_ptr<const Message>> Parse(std::string_view bytes, const Connection& connection,
                                               std::string_view what, engine::JobKey job) {
  auto message = std::make_shared<Message>();
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return DataLoss("{}: the {} of job {} cannot be read; restore a backup", connection.path(),
                    what, job);
  }
  return std::shared_ptr<const Message>(std::move(message));
}

// Whether nobody can move the job any more. A failed job can be resumed: its cells are needed.
bool Ended(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::CANCELLED ||
         state == v1::Job::BUDGET_EXHAUSTED;
}

// Whether cells, asked for in ascending order, are among sorted ones.
class AscendingLookup {
 public:
  explicit AscendingLookup(std::span<const engine::CellKey> cells) : rest_(cells) {}
  bool Contains(const engine::CellKey& cell) {
    while (!rest_.empty() && rest_.front() < cell) rest_ = rest_.subspan(1);
    return !rest_.empty() && rest_.front() == cell;
  }

 private:
  std::span<const engine::CellKey> rest_;
};

// Cells come in ascending order.
void CountUnanswered(const engine::CellKey& cell, std::vector<engine::UnansweredCalls>& counts) {
  if (counts.empty() || counts.back().entry != cell.entry || counts.back().kind != cell.kind) {
    counts.push_back({.entry = cell.entry, .kind = cell.kind});
  }
  ++counts.back().calls;
}

class Reader {
 public:
  explicit Reader(Connection& connection) : connection_(connection) {}

  StatusOr<Recovered> Read() {
    CANDOR_RETURN_IF_ERROR(ReadMeta());
    CANDOR_RETURN_IF_ERROR(ReadJobKeys());
    CANDOR_RETURN_IF_ERROR(ReadLeaseBatches());
    CANDOR_RETURN_IF_ERROR(ReadJobs());
    CANDOR_RETURN_IF_ERROR(ReadBlockedGroups());
    CANDOR_RETURN_IF_ERROR(ReadProviderBatches());
    return std::move(result_);
  }

 private:
  Status ReadMeta();
  Status ReadJobKeys();
  Status ReadLeaseBatches();
  Status ReadJobs();
  Status ReadCells(engine::JobRecovery& job);
  Status ReadBlockedGroups();
  Status ReadProviderBatches();

  Connection& connection_;
  Recovered result_;
  absl::flat_hash_set<engine::JobKey> leased_jobs_;
};

Status Reader::ReadMeta() {
  CANDOR_ASSIGN_OR_RETURN(
      Statement query,
      connection_.Prepare(
          "SELECT term, engine_now, next_job_key, next_lease_batch, store_id FROM meta"));
  CANDOR_ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return DataLoss("{}: the table `meta` is empty; restore a backup", connection_.path());
  result_.state.engine_now = query.Integer(1);
  result_.state.next_job_key = static_cast<engine::JobKey>(query.Integer(2));
  result_.state.next_lease_batch = static_cast<std::uint64_t>(query.Integer(3));
  result_.recovery.term = query.Integer(0);
  result_.recovery.store_id = static_cast<std::uint32_t>(query.Integer(4));
  result_.recovery.engine_now = TimePoint(Duration(result_.state.engine_now));
  result_.recovery.next_job_key = result_.state.next_job_key;
  result_.recovery.next_lease_batch = result_.state.next_lease_batch;
  return {};
}

Status Reader::ReadJobKeys() {
  CANDOR_ASSIGN_OR_RETURN(Statement jobs, connection_.Prepare("SELECT key FROM job_statuses"));
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, jobs.Step());
    if (!row) break;
    result_.state.jobs.insert(static_cast<engine::JobKey>(jobs.Integer(0)));
  }
  CANDOR_ASSIGN_OR_RETURN(Statement deleted, connection_.Prepare("SELECT key FROM deleted_jobs"));
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, deleted.Step());
    if (!row) return {};
    result_.state.deleted_jobs.push_back(static_cast<engine::JobKey>(deleted.Integer(0)));
  }
}

Status Reader::ReadLeaseBatches() {
  CANDOR_ASSIGN_OR_RETURN(
      Statement query,
      connection_.Prepare(
          "SELECT id, worker, grant_time, grant_wall, leases, sent_up_to FROM lease_batches "
          "ORDER BY id"));
  CANDOR_ASSIGN_OR_RETURN(Statement attempt,
                          connection_.Prepare("SELECT 1 FROM attempts WHERE id = ?1"));
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return {};
    engine::Recovery::OpenLeaseBatch open;
    open.batch.id = static_cast<std::uint64_t>(query.Integer(0));
    open.batch.worker = std::string(query.Bytes(1));
    open.batch.grant_time = TimePoint(Duration(query.Integer(2)));
    open.batch.grant_wall = WallTime(Duration(query.Integer(3)));
    std::optional<std::vector<engine::LeaseRecord>> leases = UnpackLeases(query.Bytes(4));
    if (!leases) {
      return DataLoss("{}: lease batch {} cannot be read; restore a backup", connection_.path(),
                      open.batch.id);
    }
    std::erase_if(*leases, [&](const engine::LeaseRecord& lease) {
      return !result_.state.jobs.contains(lease.job);
    });
    open.batch.sent_up_to = static_cast<std::uint64_t>(query.Integer(5));
    open.batch.leases = *std::move(leases);
    result_.state.AddAlone(open.batch.id, open.batch.leases);
    for (const engine::LeaseRecord& lease : open.batch.leases) {
      attempt.Bind(1, static_cast<std::int64_t>(lease.attempt));
      CANDOR_ASSIGN_OR_RETURN(const bool recorded, attempt.Step());
      attempt.Reset();
      if (recorded) continue;
      open.open.push_back(lease.attempt);
      leased_jobs_.insert(lease.job);
    }
    result_.recovery.lease_batches.push_back(std::move(open));
  }
}

Status Reader::ReadJobs() {
  CANDOR_ASSIGN_OR_RETURN(
      Statement query,
      connection_.Prepare("SELECT key, request_id, job, specification, status FROM jobs "
                          "JOIN job_statuses USING (key) ORDER BY key"));
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return {};
    engine::JobRecord record;
    record.key = static_cast<engine::JobKey>(query.Integer(0));
    record.request_id = std::string(query.Bytes(1));
    CANDOR_ASSIGN_OR_RETURN(record.job,
                            Parse<v1::Job>(query.Bytes(2), connection_, "record", record.key));
    CANDOR_ASSIGN_OR_RETURN(
        record.specification,
        Parse<v1::JobSpecification>(query.Bytes(3), connection_, "specification", record.key));
    CANDOR_ASSIGN_OR_RETURN(std::shared_ptr<const v1::Job> status,
                            Parse<v1::Job>(query.Bytes(4), connection_, "status", record.key));
    if (Ended(status->state()) && !leased_jobs_.contains(record.key)) {
      result_.recovery.ended_jobs.push_back({std::move(record), std::move(status)});
      continue;
    }
    engine::JobRecovery& job = result_.recovery.jobs.emplace_back();
    job.record = std::move(record);
    job.status = std::move(status);
    CANDOR_RETURN_IF_ERROR(ReadCells(job));
  }
}

// Three scans of indexes alone, all in the order of cells, so that cells with an outcome are left
// out by merging: no row of an outcome or attempt is touched.
Status Reader::ReadCells(engine::JobRecovery& job) {
  CANDOR_ASSIGN_OR_RETURN(
      Statement outcomes,
      connection_.Prepare(
          "SELECT cell FROM outcomes INDEXED BY outcomes_cell WHERE job = ?1 ORDER BY cell"));
  outcomes.Bind(1, job.record.key);
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, outcomes.Step());
    if (!row) break;
    job.done.push_back(UnpackCell(static_cast<std::uint64_t>(outcomes.Integer(0))));
  }

  CANDOR_ASSIGN_OR_RETURN(
      Statement failed,
      connection_.Prepare("SELECT cell FROM failed_cells WHERE job = ?1 ORDER BY cell"));
  failed.Bind(1, job.record.key);
  AscendingLookup is_done(job.done);
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, failed.Step());
    if (!row) break;
    const engine::CellKey cell = UnpackCell(static_cast<std::uint64_t>(failed.Integer(0)));
    if (!is_done.Contains(cell)) job.failed.push_back(cell);
  }

  CANDOR_ASSIGN_OR_RETURN(
      Statement tried,
      connection_.Prepare("SELECT cell, state, alone FROM attempts INDEXED BY attempts_tried "
                          "WHERE job = ?1 AND state IN (2, 4, 5) ORDER BY cell"));
  tried.Bind(1, job.record.key);
  is_done = AscendingLookup(job.done);
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, tried.Step());
    if (!row) return {};
    const engine::CellKey cell = UnpackCell(static_cast<std::uint64_t>(tried.Integer(0)));
    if (tried.Integer(1) == v1::Attempt::UNANSWERED) CountUnanswered(cell, job.unanswered);
    if (is_done.Contains(cell)) continue;
    if (job.tried.empty() || job.tried.back().cell != cell) job.tried.push_back({.cell = cell});
    engine::TriedCell& counts = job.tried.back();
    const auto mark = static_cast<AttemptMark>(tried.Integer(2));
    if (tried.Integer(1) != v1::Attempt::UNKNOWN) {
      ++(mark == AttemptMark::kRefusedForADay ? counts.refusals : counts.failures);
      continue;
    }
    ++counts.deaths;
    counts.deaths_alone += mark == AttemptMark::kLeasedAlone ? 1 : 0;
  }
}

Status Reader::ReadBlockedGroups() {
  CANDOR_ASSIGN_OR_RETURN(
      Statement query,
      connection_.Prepare("SELECT limit_group, until FROM blocked_groups ORDER BY limit_group"));
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return {};
    result_.recovery.blocked_groups.push_back(
        {std::string(query.Bytes(0)), TimePoint(Duration(query.Integer(1)))});
  }
}

Status Reader::ReadProviderBatches() {
  CANDOR_ASSIGN_OR_RETURN(
      Statement query,
      connection_.Prepare("SELECT id, job, entry, body FROM provider_batches ORDER BY id"));
  while (true) {
    CANDOR_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return {};
    engine::ProviderBatchRecord record;
    record.id = static_cast<engine::ProviderBatchId>(query.Integer(0));
    record.job = static_cast<engine::JobKey>(query.Integer(1));
    record.entry = static_cast<std::uint16_t>(query.Integer(2));
    // Of a deleted job whose rows have not all been removed yet.
    if (!result_.state.jobs.contains(record.job)) continue;
    CANDOR_ASSIGN_OR_RETURN(
        record.batch, Parse<v1::Batch>(query.Bytes(3), connection_, "provider batch", record.job));
    result_.recovery.provider_batches.push_back(std::move(record));
  }
}

}  // namespace

StatusOr<Recovered> ReadRecovery(Connection& connection) { return Reader(connection).Read(); }

}  // namespace candor::store
