#include "coordinator/store/sqlite_store.h"

#include "common/base/random.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "tests/unit/coordinator/store/conformance.h"
#include "tests/unit/coordinator/store/temp_dir.h"
#include "tests/unit/coordinator/store/test_records.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace candor::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SqliteBackend final : public StoreBackend {
 public:
  StatusOr<std::unique_ptr<Store>> Open() override {
    return OpenSqliteStore(directory_.path() + "/store", {.reserve_bytes = 4096});
  }

 private:
  TempDir directory_;
};

std::unique_ptr<StoreBackend> MakeSqliteBackend() { return std::make_unique<SqliteBackend>(); }

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformanceTest, testing::Values(&MakeSqliteBackend),
                         [](const auto&) { return std::string("OneDirectory"); });

std::int64_t Query(const std::string& directory, const std::string& sql) {
  StatusOr<Connection> connection =
      Connection::Open(directory + "/candor.db", Connection::Access::kReadOnly);
  EXPECT_TRUE(connection.ok()) << connection.status();
  const StatusOr<std::int64_t> result = connection->QueryInteger(sql);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : -1;
}

class SqliteStoreTest : public testing::Test {
 protected:
  StatusOr<std::unique_ptr<Store>> Open(const SqliteOptions& options = {.reserve_bytes = 0}) {
    return OpenSqliteStore(path_, options);
  }
  void ExpectRefused(absl::StatusCode code, const std::string& text) {
    const Status status = Open().status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(Message(status), AllOf(HasSubstr(path_), HasSubstr(text)));
  }

  TempDir parent_;
  std::string path_ = parent_.path() + "/data";
};

// The version of the schema that this program writes.
std::int64_t Present() { return static_cast<std::int64_t>(SqliteMigrations().size()); }

TEST_F(SqliteStoreTest, HasItsSettings) {
  const auto store = Open();
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Query(path_, "PRAGMA page_size"), 16'384);
  EXPECT_EQ(Query(path_, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
  EXPECT_EQ(Query(path_, "PRAGMA user_version"), Present());
}

TEST_F(SqliteStoreTest, HasOneOwner) {
  auto store = Open();
  ASSERT_TRUE(store.ok());
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "process id " + std::to_string(getpid()));
  store->reset();
  EXPECT_TRUE(Open().ok());
}

TEST_F(SqliteStoreTest, ParentMustExist) {
  path_ = parent_.path() + "/missing/data";
  ExpectRefused(absl::StatusCode::kNotFound, "make its parent");
}

TEST_F(SqliteStoreTest, FileIsNoDirectory) {
  std::ofstream(path_) << "text";
  ExpectRefused(absl::StatusCode::kInvalidArgument, "Not a directory");
}

// In a child process without privileges: to root, everything can be written.
TEST_F(SqliteStoreTest, DirectoryThatCannotBeWrittenIsRefused) {
  ASSERT_EQ(mkdir(path_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(parent_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0555), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65'534) != 0) _exit(2);
    const Status status = Open().status();
    _exit(status.code() == absl::StatusCode::kPermissionDenied &&
                  Message(status).find(path_) != std::string::npos
              ? 0
              : 1);
  }
  int result = -1;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_EQ(result, 0);
}

TEST_F(SqliteStoreTest, FileThatIsNoDatabaseIsRefused) {
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  std::ofstream(path_ + "/candor.db") << std::string(20'000, 'x');
  ExpectRefused(absl::StatusCode::kDataLoss, "is no database");
}

TEST_F(SqliteStoreTest, DatabaseOfAnotherProgramIsRefused) {
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  ASSERT_TRUE(Connection::Open(path_ + "/candor.db", Connection::Access::kCreate)
                  ->Execute("CREATE TABLE t (x)")
                  .ok());
  ExpectRefused(absl::StatusCode::kDataLoss, "not one of Candor's");
  EXPECT_EQ(Query(path_, "SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(SqliteStoreTest, NewerVersionIsRefused) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(Connection::Open(path_ + "/candor.db", Connection::Access::kCreate)
                  ->Execute(fmt::format("PRAGMA user_version = {}", Present() + 1))
                  .ok());
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                fmt::format("schema version {}", Present() + 1));
}

TEST_F(SqliteStoreTest, DamageIsFound) {
  {
    auto store = Open();
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Recover().ok());
    std::vector<engine::WriteBatch> batches(1);
    batches[0].new_jobs.push_back(MakeJob(1));
    for (std::uint32_t i = 0; i < 200; ++i) {
      batches[0].outcomes.push_back(MakeOutcome(1, i + 1, {0, v1::Cell::CHOICE, i},
                                                v1::Outcome::VALID, std::string(1'500, 'x')));
    }
    ASSERT_TRUE((*store)->Commit(batches).ok());
    EXPECT_TRUE(CheckSqliteStore(path_).ok());
  }
  EXPECT_TRUE(CheckSqliteStore(path_).ok());
  // The first bytes of every page but the first: b-tree headers.
  std::fstream file(path_ + "/candor.db", std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path_ + "/candor.db"));
  for (std::int64_t page = 16'384; page < size; page += 16'384) {
    file.seekp(page);
    file << std::string(64, '\xff');
  }
  file.close();
  const Status check = CheckSqliteStore(path_);
  EXPECT_EQ(check.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Message(check), HasSubstr("damaged"));
  ExpectRefused(absl::StatusCode::kDataLoss, "damaged");
}

// Any bytes may be wrong: an error or wrong data, but no crash (the sanitizers look on).
TEST_F(SqliteStoreTest, DamageNeverCrashes) {
  const std::string good = parent_.path() + "/good";
  {
    auto store = OpenSqliteStore(good, {.reserve_bytes = 0});
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Recover().ok());
    engine::WriteBatch batch;
    batch.new_jobs.push_back(MakeJob(1));
    batch.lease_batches.push_back(MakeLeases(1, {{.attempt = 999, .job = 1}}));
    for (std::uint32_t i = 0; i < 50; ++i) {
      batch.outcomes.push_back(MakeOutcome(1, i + 1, {0, v1::Cell::CHOICE, i}));
      batch.attempts.push_back(MakeAttempt(1, i + 1, {}, v1::Attempt::FAILED));
    }
    ASSERT_TRUE((*store)->Commit({&batch, 1}).ok());
  }
  const auto size = std::filesystem::file_size(good + "/candor.db");
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    std::filesystem::remove_all(path_);
    std::filesystem::copy(good, path_);
    std::fstream file(path_ + "/candor.db", std::ios::in | std::ios::out | std::ios::binary);
    RandomStream random(seed);
    // A run of bytes in each page, mostly at its head, where a page says what it holds.
    for (std::uint64_t page = seed % 2; page < size / 16'384; ++page) {
      const std::uint64_t offset = random.Below(page == 0 || random.Below(2) == 0 ? 200 : 16'384);
      file.seekp(static_cast<std::streamoff>(page * 16'384 + offset));
      file.put(static_cast<char>(random.Bits()));
    }
    file.close();
    auto store = Open();
    if (!store.ok() || !(*store)->Recover().ok()) {
      ++refused;
      continue;
    }
    (void)(*store)->ReadOutcomes({.job = 1});
    (void)(*store)->ReadOutcomes({.job = 1, .order = Order::kCanonical});
    (void)(*store)->ReadAttempts(1, 0, {});
  }
  EXPECT_GT(refused, 0);
}

// --- Migration ---

// The present schema and one that follows it.
const std::vector<Migration>& OneMore() {
  static const auto& migrations = *[] {
    auto* all = new std::vector<Migration>(SqliteMigrations().begin(), SqliteMigrations().end());
    all->push_back(
        {"UPDATE jobs SET request_id = 'migrated';"
         "CREATE TABLE added (x INTEGER); INSERT INTO added SELECT key FROM jobs;"});
    return all;
  }();
  return migrations;
}

// A store of the present version with job 1.
void MakePresent(const std::string& path) {
  auto store = OpenSqliteStore(path, {.reserve_bytes = 0});
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Recover().ok());
  engine::WriteBatch batch;
  batch.new_jobs.push_back(MakeJob(1));
  ASSERT_TRUE((*store)->Commit({&batch, 1}).ok());
}

TEST_F(SqliteStoreTest, OlderVersionIsMigrated) {
  MakePresent(path_);
  auto store = Open({.reserve_bytes = 0, .migrations = OneMore()});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Query(path_, "PRAGMA user_version"), Present() + 1);
  EXPECT_EQ(Query(path_, "SELECT x FROM added"), 1);
  const auto recovery = (*store)->Recover();
  ASSERT_TRUE(recovery.ok());
  ASSERT_EQ(recovery->jobs.size(), 1U);
  EXPECT_EQ(recovery->jobs[0].record.request_id, "migrated");
}

// A store as the first release made it is opened and used by this one.
TEST_F(SqliteStoreTest, FirstVersionIsBroughtUpToDate) {
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  {
    auto connection = Connection::Open(path_ + "/candor.db", Connection::Access::kCreate);
    ASSERT_TRUE(connection.ok()) << connection.status();
    ASSERT_TRUE(connection
                    ->Execute(SqliteMigrations()[0].sql +
                              "PRAGMA application_id = 0x43414e44; PRAGMA user_version = 1")
                    .ok());
  }
  auto store = Open({.reserve_bytes = 0});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Query(path_, "PRAGMA user_version"), Present());
  ASSERT_TRUE((*store)->Recover().ok());
  engine::WriteBatch batch;
  batch.new_jobs.push_back(MakeJob(1));
  batch.provider_batches.push_back({9, 1, 0, std::make_shared<v1::Batch>()});
  EXPECT_TRUE((*store)->Commit({&batch, 1}).ok());
}

TEST_F(SqliteStoreTest, MigrationThatFailsChangesNothing) {
  MakePresent(path_);
  std::vector<Migration> migrations = OneMore();
  migrations.back().sql += "INSERT INTO nowhere VALUES (1);";
  EXPECT_FALSE(Open({.reserve_bytes = 0, .migrations = migrations}).ok());
  EXPECT_EQ(Query(path_, "PRAGMA user_version"), Present());
  EXPECT_TRUE(Open().ok());
}

// The child dies inside the transaction of the migration, after it has written.
TEST_F(SqliteStoreTest, MigrationThatIsKilledCanBeRunAgain) {
  MakePresent(path_);
  const pid_t child = fork();
  if (child == 0) {
    StatusOr<Connection> connection =
        Connection::Open(path_ + "/candor.db", Connection::Access::kCreate);
    // Without room in the cache the changes reach the log before the end of the transaction.
    if (!connection.ok() || !connection->Execute("PRAGMA cache_size = 1").ok()) _exit(2);
    const StatusOr<Transaction> transaction = Transaction::BeginWrite(*connection);
    const std::string fill =
        "CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 200) SELECT randomblob(10000) FROM n;";
    if (!connection
             ->Execute(OneMore().back().sql + fill +
                       fmt::format("PRAGMA user_version = {}", Present() + 1))
             .ok()) {
      _exit(3);
    }
    kill(getpid(), SIGKILL);
  }
  int result = 0;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  ASSERT_TRUE(WIFSIGNALED(result)) << result;
  EXPECT_GT(std::filesystem::file_size(path_ + "/candor.db-wal"), 1'000'000U);
  {
    auto store = Open();
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(Query(path_, "PRAGMA user_version"), Present());
  }
  auto store = Open({.reserve_bytes = 0, .migrations = OneMore()});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Query(path_, "SELECT x FROM added"), 1);
  EXPECT_TRUE(CheckSqliteStore(path_).ok());
}

// --- Housekeeping ---

TEST_F(SqliteStoreTest, ReserveIsSetAside) {
  ASSERT_TRUE(Open({.reserve_bytes = 1'000'000}).ok());
  EXPECT_EQ(std::filesystem::file_size(path_ + "/reserve"), 1'000'000U);
}

TEST_F(SqliteStoreTest, ReserveIsLeftOutWhereItWouldFillTheDisk) {
  ASSERT_TRUE(Open({.reserve_bytes = std::size_t{1} << 60U}).ok());
  EXPECT_FALSE(std::filesystem::exists(path_ + "/reserve"));
}

TEST_F(SqliteStoreTest, DeletedJobsAreSweptInSlices) {
  auto store = Open({.reserve_bytes = 0, .sweep_rows = 10});
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Recover().ok());
  engine::WriteBatch batch;
  batch.new_jobs.push_back(MakeJob(1));
  for (std::uint32_t i = 0; i < 20; ++i) {
    batch.outcomes.push_back(MakeOutcome(1, i + 1, {0, v1::Cell::CHOICE, i}));
    batch.attempts.push_back(MakeAttempt(1, i + 1, {}, v1::Attempt::COMPLETED));
  }
  batch.failed_cells.push_back({1, {0, v1::Cell::CHOICE, 30}});
  ASSERT_TRUE((*store)->Commit({&batch, 1}).ok());
  batch = {};
  batch.deleted_jobs.push_back(1);
  ASSERT_TRUE((*store)->Commit({&batch, 1}).ok());
  const std::string rows =
      "SELECT (SELECT count(*) FROM outcomes) + (SELECT count(*) FROM attempts) + "
      "(SELECT count(*) FROM failed_cells)";
  EXPECT_EQ(Query(path_, rows), 31);
  // A restart goes on with it.
  store->reset();
  store = Open({.reserve_bytes = 0, .sweep_rows = 10});
  ASSERT_TRUE((*store)->Recover().ok());
  for (const std::int64_t left : {21, 11, 1, 0}) {
    batch = {};
    ASSERT_TRUE((*store)->Commit({&batch, 1}).ok());
    EXPECT_EQ(Query(path_, rows), left);
  }
  EXPECT_EQ(Query(path_, "SELECT count(*) FROM deleted_jobs"), 0);
}

TEST_F(SqliteStoreTest, LogStartsOverAfterACheckpoint) {
  auto store = Open({.reserve_bytes = 0, .checkpoint_pages = 10});
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Recover().ok());
  std::vector<engine::WriteBatch> batches(1);
  batches[0].new_jobs.push_back(MakeJob(1));
  ASSERT_TRUE((*store)->Commit(batches).ok());
  for (std::uint32_t i = 0; i < 200; ++i) {
    batches[0] = {};
    batches[0].outcomes.push_back(MakeOutcome(1, i + 1, {0, v1::Cell::CHOICE, i}));
    ASSERT_TRUE((*store)->Commit(batches).ok());
    ASSERT_TRUE((*store)->ReadOutcomes({.job = 1, .after = i}).ok());
  }
  // 200 commits write 600 pages and more.
  EXPECT_LT(std::filesystem::file_size(path_ + "/candor.db-wal"), 100 * 16'384U);
}

// A snapshot that somebody holds keeps the log, not the writer; once it ends the log starts over.
// Were it waited for as long as other locks are, five seconds a commit, this would pass the time
// that a test may take.
TEST_F(SqliteStoreTest, HeldSnapshotDoesNotStopTheWriter) {
  auto store = Open({.reserve_bytes = 0, .checkpoint_pages = 2});
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Recover().ok());
  std::vector<engine::WriteBatch> batches(1);
  batches[0].new_jobs.push_back(MakeJob(1));
  ASSERT_TRUE((*store)->Commit(batches).ok());
  StatusOr<Connection> other =
      Connection::Open(path_ + "/candor.db", Connection::Access::kReadOnly);
  ASSERT_TRUE(other.ok());
  std::uint32_t next = 0;
  const auto commit = [&](int times) {
    for (int i = 0; i < times; ++i, ++next) {
      batches[0] = {};
      batches[0].outcomes.push_back(MakeOutcome(1, next + 1, {0, v1::Cell::CHOICE, next}));
      ASSERT_TRUE((*store)->Commit(batches).ok());
    }
  };
  const std::string log = path_ + "/candor.db-wal";
  {
    const auto snapshot = Transaction::BeginRead(*other);
    ASSERT_TRUE(snapshot.ok());
    ASSERT_TRUE(other->QueryInteger("SELECT count(*) FROM outcomes").ok());
    commit(100);
    EXPECT_GT(std::filesystem::file_size(log), 200 * 16'384U);
  }
  commit(3);
  EXPECT_LT(std::filesystem::file_size(log), 16 * 16'384U);
}

}  // namespace
}  // namespace candor::store
