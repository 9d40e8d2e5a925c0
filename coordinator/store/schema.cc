#include "coordinator/store/schema.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace candor::store {
namespace {

// "CAND": what tells our databases from others.
constexpr std::int64_t kApplicationId = 0x43414e44;

// Tables have a rowid and unique indexes instead of being WITHOUT ROWID: with rows of 1.5 KB that
// is several times as fast.
//
// `cell` is entry << 40 | kind << 32 | index. Protos are stored without what the columns say.
// jobs: `specification` may have megabytes, so what changes with every commit lies in job_statuses.
// deleted_jobs: jobs whose attempts and outcomes have not all been removed yet.
// outcomes.seq: the commit order.
// attempts.alone: an AttemptMark.
// attempts_tried: what recovery counts (FAILED, UNANSWERED, UNKNOWN), and nothing of the attempts
// that went well.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  store_id INTEGER NOT NULL,
  term INTEGER NOT NULL,
  engine_now INTEGER NOT NULL,
  next_job_key INTEGER NOT NULL,
  next_lease_batch INTEGER NOT NULL);
INSERT INTO meta VALUES (1, random() & 4294967295, 0, 0, 1, 1);
CREATE TABLE jobs (
  key INTEGER PRIMARY KEY,
  request_id TEXT,
  job BLOB NOT NULL,
  specification BLOB NOT NULL);
CREATE UNIQUE INDEX jobs_request ON jobs (request_id) WHERE request_id IS NOT NULL;
CREATE TABLE job_statuses (
  key INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  status BLOB NOT NULL);
CREATE TABLE deleted_jobs (key INTEGER PRIMARY KEY);
CREATE TABLE lease_batches (
  id INTEGER PRIMARY KEY,
  worker TEXT NOT NULL,
  grant_time INTEGER NOT NULL,
  grant_wall INTEGER NOT NULL,
  leases BLOB NOT NULL);
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  cell INTEGER NOT NULL,
  state INTEGER NOT NULL,
  alone INTEGER NOT NULL,
  body BLOB NOT NULL);
CREATE INDEX attempts_job ON attempts (job);
CREATE INDEX attempts_tried ON attempts (job, cell, state, alone) WHERE state IN (2, 4, 5);
CREATE TABLE outcomes (
  seq INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  cell INTEGER NOT NULL,
  class INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  body BLOB NOT NULL);
CREATE UNIQUE INDEX outcomes_cell ON outcomes (job, cell);
CREATE INDEX outcomes_job ON outcomes (job);
CREATE TABLE failed_cells (
  job INTEGER NOT NULL,
  cell INTEGER NOT NULL);
CREATE UNIQUE INDEX failed_cells_cell ON failed_cells (job, cell);
CREATE TABLE blocked_groups (
  limit_group TEXT PRIMARY KEY,
  until INTEGER NOT NULL);
CREATE TABLE scenario_sets (
  name TEXT PRIMARY KEY,
  summary BLOB NOT NULL,
  scenarios BLOB NOT NULL);
)sql";

// provider_batches: their lines are lease batches whose worker bears the batch's name.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE provider_batches (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  body BLOB NOT NULL);
CREATE INDEX provider_batches_job ON provider_batches (job);
ALTER TABLE lease_batches ADD COLUMN sent_up_to INTEGER NOT NULL DEFAULT 0;
)sql";

static_assert(v1::Attempt::FAILED == 2 && v1::Attempt::UNANSWERED == 4 && v1::Attempt::UNKNOWN == 5,
              "attempts_tried names these states by number");

}  // namespace

std::span<const Migration> SqliteMigrations() {
  static const std::array<Migration, 2> kMigrations = {Migration{kVersion1}, Migration{kVersion2}};
  return kMigrations;
}

Status Migrate(Connection& connection, std::span<const Migration> migrations) {
  CANDOR_ASSIGN_OR_RETURN(const std::int64_t version,
                          connection.QueryInteger("PRAGMA user_version"));
  CANDOR_ASSIGN_OR_RETURN(const std::int64_t application,
                          connection.QueryInteger("PRAGMA application_id"));
  CANDOR_ASSIGN_OR_RETURN(const std::int64_t tables,
                          connection.QueryInteger("SELECT count(*) FROM sqlite_schema"));
  const bool empty = version == 0 && application == 0 && tables == 0;
  if (!empty && application != kApplicationId) {
    return DataLoss("{} is a database, but not one of Candor's; give another data directory",
                    connection.path());
  }
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (version < 0 || version > known) {
    return FailedPrecondition(
        "{} has schema version {} and this program knows versions up to {}; use the version of "
        "Candor that wrote it, or a newer one",
        connection.path(), version, known);
  }
  for (std::int64_t next = version; next < known; ++next) {
    CANDOR_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
    CANDOR_RETURN_IF_ERROR(connection.Execute(migrations[static_cast<std::size_t>(next)].sql));
    CANDOR_RETURN_IF_ERROR(connection.Execute(fmt::format(
        "PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, next + 1)));
    CANDOR_RETURN_IF_ERROR(transaction.Commit());
  }
  return {};
}

}  // namespace candor::store
