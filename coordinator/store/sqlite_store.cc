#include "coordinator/store/sqlite_store.h"

#include "coordinator/store/codec.h"
#include "coordinator/store/directory.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/sqlite_reader.h"
#include "coordinator/store/sqlite_recovery.h"
#include "coordinator/store/sqlite_writer.h"

#include <sqlite3.h>

#include <mutex>
#include <utility>

namespace candor::store {
namespace {

// Of 16 KB: what a commit of 1.5 KB rows costs least with.
constexpr int kPageBytes = 16'384;
// Readers that overlap all the time keep the log from starting over. Each time it has grown by this
// many times the size of a checkpoint the writer waits for them: each read is short.
constexpr int kRestartFactor = 16;
// And so long at most: somebody's SQLite shell may hold a snapshot for hours.
constexpr int kRestartWaitMilliseconds = 200;
// The term is the upper 24 bits of an attempt id, and ids are signed in SQLite.
constexpr std::int64_t kMaxTerm = (std::int64_t{1} << 23U) - 1;

class SqliteStore final : public Store {
 public:
  SqliteStore(StoreDirectory directory, const SqliteOptions& options, Connection connection)
      : directory_(std::move(directory)),
        sweep_rows_(options.sweep_rows),
        checkpoint_pages_(options.checkpoint_pages),
        connection_(std::move(connection)),
        readers_(context_) {
    context_.path = connection_.path();
    context_.cache_bytes = options.cache_bytes / 16;
  }

  ~SqliteStore() override;

  Status Open();

  StatusOr<engine::Recovery> Recover() override;
  Status Commit(std::span<engine::WriteBatch> batches) override;

  StatusOr<ReadEnd> VisitOutcomes(const OutcomeQuery& query, OutcomeVisitor visit) const override {
    return Read([&](SqliteReader& reader) { return reader.VisitOutcomes(query, visit); });
  }
  StatusOr<std::vector<CellResult>> ReadCells(
      engine::JobKey job, std::span<const engine::CellKey> cells) const override {
    return Read([&](SqliteReader& reader) { return reader.ReadCells(job, cells); });
  }
  StatusOr<AttemptPage> ReadAttempts(engine::JobKey job, Position after,
                                     ReadLimit limit) const override {
    return Read([&](SqliteReader& reader) { return reader.ReadAttempts(job, after, limit); });
  }
  StatusOr<std::vector<std::optional<v1::Attempt::State>>> FindAttempts(
      std::span<const engine::AttemptId> attempts) const override {
    return Read([&](SqliteReader& reader) { return reader.FindAttempts(attempts); });
  }

  Status PutScenarioSet(const v1::ScenarioSet& set) override;
  StatusOr<v1::ScenarioSet> GetScenarioSet(std::string_view name) const override {
    return Read([&](SqliteReader& reader) { return reader.GetScenarioSet(name); });
  }
  StatusOr<ScenarioSetPage> ListScenarioSets(std::string_view after,
                                             std::size_t limit) const override {
    return Read([&](SqliteReader& reader) { return reader.ListScenarioSets(after, limit); });
  }
  Status DeleteScenarioSet(std::string_view name) override;

  std::string AttemptName(engine::AttemptId attempt) const override {
    return FormatAttemptName(context_.store_id, attempt);
  }
  std::optional<engine::AttemptId> ParseAttemptName(std::string_view text) const override {
    return candor::store::ParseAttemptName(context_.store_id, text);
  }

 private:
  template <typename Function>
  auto Read(Function function) const -> decltype(function(std::declval<SqliteReader&>())) {
    CANDOR_ASSIGN_OR_RETURN(std::unique_ptr<SqliteReader> reader, readers_.Take());
    auto result = function(*reader);
    readers_.Give(std::move(reader));
    return result;
  }

  // Runs `write` in a durable transaction. After an error nothing is written any more, unless the
  // error is the caller's own (`code`), which leaves the store as it was.
  template <typename Function>
  Status Write(Function write, absl::StatusCode own_error);
  Status Checkpoint();
  Status Fail(const Status& status);

  StoreDirectory directory_;
  const std::size_t sweep_rows_;
  const int checkpoint_pages_;
  // Guards the writing connection and what belongs to it: Commit has a thread of its own, scenario
  // sets come from others.
  std::mutex mutex_;
  Connection connection_;
  std::optional<SqliteWriter> writer_;
  Status failure_;
  int log_pages_ = 0;
  // How far the log had grown, in kRestartFactor checkpoints, when readers were last waited for.
  int waited_at_growth_ = 0;
  mutable ReaderContext context_;
  mutable ReaderPool readers_;
};

SqliteStore::~SqliteStore() {
  // What failed once is left to recovery from the log: copying it would trust the disk again.
  if (!failure_.ok()) {
    sqlite3_db_config(connection_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
}

Status SqliteStore::Open() {
  sqlite3_wal_hook(
      connection_.handle(),
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      &log_pages_);
  CANDOR_ASSIGN_OR_RETURN(const std::int64_t store_id,
                          connection_.QueryInteger("SELECT store_id FROM meta"));
  context_.store_id = static_cast<std::uint32_t>(store_id);
  return {};
}

StatusOr<engine::Recovery> SqliteStore::Recover() {
  const std::lock_guard lock(mutex_);
  if (writer_) return FailedPrecondition("the store was recovered already");
  auto recover = [this]() -> StatusOr<engine::Recovery> {
    CANDOR_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection_));
    CANDOR_RETURN_IF_ERROR(connection_.Execute("UPDATE meta SET term = term + 1"));
    CANDOR_ASSIGN_OR_RETURN(Recovered recovered, ReadRecovery(connection_));
    if (recovered.recovery.term > kMaxTerm) {
      return FailedPrecondition("{}: started {} times, which is the limit; use another directory",
                                connection_.path(), kMaxTerm);
    }
    CANDOR_RETURN_IF_ERROR(transaction.Commit());
    CANDOR_ASSIGN_OR_RETURN(writer_,
                            SqliteWriter::Prepare(connection_, std::move(recovered.state)));
    return std::move(recovered.recovery);
  };
  StatusOr<engine::Recovery> recovery = recover();
  if (!recovery.ok()) return Fail(recovery.status());
  return recovery;
}

Status SqliteStore::Commit(std::span<engine::WriteBatch> batches) {
  const std::lock_guard lock(mutex_);
  if (!writer_) return FailedPrecondition("the store must be recovered before the first commit");
  return Write([&] { return writer_->Apply(batches, sweep_rows_); }, absl::StatusCode::kOk);
}

Status SqliteStore::PutScenarioSet(const v1::ScenarioSet& set) {
  v1::ScenarioSet summary = set;
  summary.clear_scenarios();
  v1::ScenarioSet scenarios;
  *scenarios.mutable_scenarios() = set.scenarios();
  const std::string summary_bytes = summary.SerializeAsString();
  const std::string scenario_bytes = scenarios.SerializeAsString();
  const std::lock_guard lock(mutex_);
  return Write(
      [&]() -> Status {
        CANDOR_ASSIGN_OR_RETURN(
            Statement insert,
            connection_.Prepare(
                "INSERT INTO scenario_sets VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"));
        insert.BindText(1, set.name());
        insert.BindBlob(2, summary_bytes);
        insert.BindBlob(3, scenario_bytes);
        CANDOR_RETURN_IF_ERROR(insert.Run());
        if (connection_.changes() == 0) {
          return AlreadyExists("scenario set {} exists already; choose another id", set.name());
        }
        return {};
      },
      absl::StatusCode::kAlreadyExists);
}

Status SqliteStore::DeleteScenarioSet(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return Write(
      [&]() -> Status {
        CANDOR_ASSIGN_OR_RETURN(Statement remove,
                                connection_.Prepare("DELETE FROM scenario_sets WHERE name = ?1"));
        remove.BindText(1, name);
        CANDOR_RETURN_IF_ERROR(remove.Run());
        if (connection_.changes() == 0) return NotFound("there is no scenario set {}", name);
        return {};
      },
      absl::StatusCode::kNotFound);
}

template <typename Function>
Status SqliteStore::Write(Function write, absl::StatusCode own_error) {
  if (!failure_.ok()) {
    return FailedPrecondition("the store stopped writing after an error; start again: {}",
                              Message(failure_));
  }
  auto run = [&]() -> Status {
    CANDOR_RETURN_IF_ERROR(Checkpoint());
    CANDOR_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection_));
    CANDOR_RETURN_IF_ERROR(write());
    return transaction.Commit();
  };
  Status status = run();
  if (status.ok() || status.code() == own_error) return status;
  return Fail(status);
}

// Before a transaction instead of after it, so that what is durable is acknowledged first. An error
// is as fatal as that of a commit: a later sync that succeeds does not bring back pages that an
// earlier one lost, and the log would be dropped.
Status SqliteStore::Checkpoint() {
  if (log_pages_ < checkpoint_pages_) return {};
  sqlite3* const database = connection_.handle();
  const int growth = log_pages_ / kRestartFactor / checkpoint_pages_;
  // It has started over since.
  if (growth < waited_at_growth_) waited_at_growth_ = 0;
  const bool waits = growth > waited_at_growth_;
  if (waits) {
    waited_at_growth_ = growth;
    sqlite3_busy_timeout(database, kRestartWaitMilliseconds);
  }
  const int code = sqlite3_wal_checkpoint_v2(
      database, nullptr, waits ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, nullptr,
      nullptr);
  if (waits) sqlite3_busy_timeout(database, kBusyTimeoutMilliseconds);
  // Busy: a reader still needs the log. The next commit tries again.
  if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) return {};
  return SqliteError(database, code, connection_.path());
}

Status SqliteStore::Fail(const Status& status) {
  if (status.code() == absl::StatusCode::kResourceExhausted) directory_.ReleaseReserve();
  failure_ = status;
  return status;
}

StatusOr<Connection> OpenDatabase(const StoreDirectory& directory, const SqliteOptions& options) {
  CANDOR_ASSIGN_OR_RETURN(Connection connection,
                          Connection::Open(directory.DatabasePath(), Connection::Access::kCreate));
  // The page size before anything else: it is fixed when the first page is written.
  CANDOR_RETURN_IF_ERROR(connection.Execute(fmt::format(
      "PRAGMA page_size = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = {}; PRAGMA cache_size = -{}",
      kPageBytes, std::int64_t{2} * options.checkpoint_pages * kPageBytes,
      options.cache_bytes / 1024)));
  CANDOR_RETURN_IF_ERROR(
      Migrate(connection, options.migrations.empty() ? SqliteMigrations() : options.migrations));
  return connection;
}

}  // namespace

StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& directory,
                                                 const SqliteOptions& options) {
  CANDOR_ASSIGN_OR_RETURN(StoreDirectory owned,
                          StoreDirectory::Own(directory, options.reserve_bytes));
  StatusOr<Connection> connection = OpenDatabase(owned, options);
  if (!connection.ok()) {
    if (connection.status().code() == absl::StatusCode::kResourceExhausted) owned.ReleaseReserve();
    return connection.status();
  }
  owned.MakeReserve();
  auto store = std::make_unique<SqliteStore>(std::move(owned), options, *std::move(connection));
  CANDOR_RETURN_IF_ERROR(store->Open());
  return store;
}

Status CheckSqliteStore(const std::string& directory) {
  CANDOR_ASSIGN_OR_RETURN(Connection connection, Connection::Open(directory + "/candor.db",
                                                                  Connection::Access::kReadOnly));
  CANDOR_ASSIGN_OR_RETURN(Statement check, connection.Prepare("PRAGMA integrity_check(1)"));
  CANDOR_ASSIGN_OR_RETURN(const bool row, check.Step());
  const std::string result = row ? std::string(check.Bytes(0)) : std::string("no answer");
  if (result == "ok") return {};
  return DataLoss("{} is damaged: {}; restore a backup", connection.path(), result);
}

}  // namespace candor::store
