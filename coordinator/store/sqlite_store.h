// A store in one directory: an SQLite database in WAL mode with synchronous=FULL, so that what was
// committed survives SIGKILL and a power cut.
//
// Files: `candor.db` with its -wal and -shm, `lock` (held by the process that owns the store) and
// `reserve` (space that is given up when the disk is full, so that the store can be opened again).
#pragma once

#include "common/base/status.h"
#include "coordinator/store/store.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace candor::store {

// One step of the schema: brings a database of version `i` (its place in the list) to `i + 1`.
struct Migration {
  // SQL statements, run in one transaction with the change of the version.
  std::string sql;
};

struct SqliteOptions {
  // Size of the reserve file; 0: none.
  std::size_t reserve_bytes = std::size_t{16} << 20U;
  // Page cache of the writer; each reader has a sixteenth of it.
  std::size_t cache_bytes = std::size_t{64} << 20U;
  // The log is copied into the database from so many pages of 16 KB on.
  int checkpoint_pages = 4'000;
  // Rows of deleted jobs that one commit removes at most.
  std::size_t sweep_rows = 2'000;
  // For tests of migration: the steps to run. Empty: all that this program knows.
  std::span<const Migration> migrations;
};

// Opens the store in `directory`, which is made if needed (its parent must exist), and becomes its
// owner for as long as the returned object lives. Migrates an older schema.
//
// FAILED_PRECONDITION: another process owns it (its process id is named), or a newer version of
// Candor wrote it. PERMISSION_DENIED, NOT_FOUND, INVALID_ARGUMENT: the directory cannot be made or
// used, with the reason. DATA_LOSS: the file is no database, not one of Candor's, or damaged.
StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& directory,
                                                 const SqliteOptions& options = {});

// Reads the whole database and checks its structure; takes minutes on a large one. The store may be
// in use. DATA_LOSS says what is damaged.
Status CheckSqliteStore(const std::string& directory);

// The steps of the schema that this program knows. Their number is the current version.
std::span<const Migration> SqliteMigrations();

}  // namespace candor::store
