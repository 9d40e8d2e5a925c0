// Bringing a database to the current schema. Inside this room only.
#pragma once

#include "common/base/status.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/sqlite_store.h"

#include <cstdint>
#include <span>

namespace candor::store {

// attempts.alone: what recovery is to know of an attempt beside its state. Of UNKNOWN ones, whether
// it was leased alone; of failed ones, whether it uses up none of its cell's attempts (see
// engine::IsRefusalOfADay).
enum class AttemptMark : std::int64_t { kNone = 0, kLeasedAlone = 1, kRefusedForADay = 2 };

// Makes the tables of an empty database, or runs the migrations that it lacks, each in a
// transaction of its own with the change of the version: killed at any instant, the database is of
// one version or the next. Errors as of OpenSqliteStore.
Status Migrate(Connection& connection, std::span<const Migration> migrations);

}  // namespace candor::store
