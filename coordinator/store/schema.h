// Bringing a database to the current schema. Inside this room only.
#pragma once

#include "common/base/status.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/sqlite_store.h"

#include <span>

namespace candor::store {

// Makes the tables of an empty database, or runs the migrations that it lacks, each in a
// transaction of its own with the change of the version: killed at any instant, the database is of
// one version or the next. Errors as of OpenSqliteStore.
Status Migrate(Connection& connection, std::span<const Migration> migrations);

}  // namespace candor::store
