#include "coordinator/store/sqlite.h"

#include <sqlite3.h>

#include <cstring>
#include <utility>

namespace candor::store {
Status SqliteError(sqlite3* database, int code, const std::string& path) {
  std::string reason = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const int system_error = database != nullptr ? sqlite3_system_errno(database) : 0;
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_FULL:
      if (system_error != 0) reason += fmt::format(" ({})", std::strerror(system_error));
      break;
    default:
      break;
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ResourceExhausted("{}: the disk is full: {}; free some space and start again", path,
                               reason);
    case SQLITE_NOTADB:
      return DataLoss("{} is no database: {}; give another data directory, or restore a backup",
                      path, reason);
    case SQLITE_CORRUPT:
      return DataLoss("{} is damaged: {}; restore a backup", path, reason);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return PermissionDenied("{} cannot be written: {}; see its permissions and owner", path,
                              reason);
    case SQLITE_CANTOPEN:
      return PermissionDenied("{} cannot be opened: {}; see its permissions and owner", path,
                              reason);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Unavailable("{} is locked by another program: {}; close that program", path, reason);
    case SQLITE_IOERR:
      return Unavailable("{}: I/O error {}: {}; see the system's log for the disk", path, code,
                         reason);
    default:
      return Internal("{}: SQLite error {}: {}", path, code, reason);
  }
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::Bind(int parameter, std::int64_t value) {
  bind_error_ |= sqlite3_bind_int64(handle_.get(), parameter, value);
}

void Statement::BindText(int parameter, std::string_view text) {
  bind_error_ |= sqlite3_bind_text64(handle_.get(), parameter, text.data(), text.size(),
                                     SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::BindBlob(int parameter, std::string_view bytes) {
  // A null pointer would be bound as NULL, which no column of ours allows.
  const char* data = bytes.data() != nullptr ? bytes.data() : "";
  bind_error_ |= sqlite3_bind_blob64(handle_.get(), parameter, data, bytes.size(), SQLITE_STATIC);
}

void Statement::BindNull(int parameter) {
  bind_error_ |= sqlite3_bind_null(handle_.get(), parameter);
}

StatusOr<bool> Statement::Step() {
  sqlite3* database = sqlite3_db_handle(handle_.get());
  if (bind_error_ != SQLITE_OK) return SqliteError(database, bind_error_, *path_);
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(database, sqlite3_extended_errcode(database), *path_);
}

Status Statement::Run() {
  const StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

void Statement::Reset() {
  sqlite3_reset(handle_.get());
  bind_error_ = 0;
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string_view Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

void Connection::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

StatusOr<Connection> Connection::Open(const std::string& path, Access access) {
  Connection connection;
  connection.path_ = std::make_unique<std::string>(path);
  // Each connection is used by one thread at a time: no mutex of SQLite's.
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::kReadOnly ? SQLITE_OPEN_READONLY
                                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  // Nobody asks SQLite how much memory it has; counting takes a lock at each allocation. Refused,
  // and no matter, when somebody else in the process has opened a database before.
  static const int kCounting = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(kCounting);
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  connection.handle_.reset(database);
  if (code != SQLITE_OK) return SqliteError(database, code, path);
  sqlite3_busy_timeout(database, kBusyTimeoutMilliseconds);
  return connection;
}

Status Connection::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  return SqliteError(handle_.get(), code, *path_);
}

StatusOr<Statement> Connection::Prepare(std::string_view sql) const {
  Statement statement;
  statement.path_ = path_.get();
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return SqliteError(handle_.get(), code, *path_);
  statement.handle_.reset(handle);
  return statement;
}

StatusOr<std::int64_t> Connection::QueryInteger(std::string_view sql) const {
  CANDOR_ASSIGN_OR_RETURN(Statement query, Prepare(sql));
  CANDOR_ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return DataLoss("{}: no answer to {}; restore a backup", *path_, sql);
  return query.Integer(0);
}

std::int64_t Connection::changes() const { return sqlite3_changes64(handle_.get()); }

StatusOr<Transaction> Transaction::BeginRead(Connection& connection) {
  CANDOR_RETURN_IF_ERROR(connection.Execute("BEGIN"));
  return Transaction(connection);
}

StatusOr<Transaction> Transaction::BeginWrite(Connection& connection) {
  CANDOR_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  return Transaction(connection);
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  // Fails when SQLite has rolled back already, which is as good.
  if (connection_ != nullptr) (void)connection_->Execute("ROLLBACK");
}

Status Transaction::Commit() {
  CANDOR_RETURN_IF_ERROR(connection_->Execute("COMMIT"));
  connection_ = nullptr;
  return {};
}

}  // namespace candor::store
