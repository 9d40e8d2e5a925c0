// The little of SQLite that the store uses, with statuses and owners. Inside this room only.
#pragma once

#include "common/base/status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace candor::store {

// How long a connection waits for another's lock. Only somebody's SQLite shell can hold one against
// us, and then for a moment.
inline constexpr int kBusyTimeoutMilliseconds = 5'000;

// One prepared statement. Not for concurrent use, like its connection, which must outlive it.
//
//   insert.Bind(1, key);
//   insert.BindBlob(2, bytes);          // no copy: must live until the statement is reset
//   CANDOR_RETURN_IF_ERROR(insert.Run());
class Statement {
 public:
  Statement() = default;

  // Parameters count from 1. An error in binding comes out of the next step.
  void Bind(int parameter, std::int64_t value);
  void BindText(int parameter, std::string_view text);
  void BindBlob(int parameter, std::string_view bytes);
  void BindNull(int parameter);

  // Runs a statement without rows, and resets it.
  Status Run();
  // The next row; false at the end. Reset follows at any time.
  StatusOr<bool> Step();
  void Reset();

  // Columns count from 0. What they return lives until the next step or reset.
  std::int64_t Integer(int column) const;
  std::string_view Bytes(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  const std::string* path_ = nullptr;
  int bind_error_ = 0;
};

// Resets a statement at the end of a scope, so that no snapshot outlives its reader.
class ScopedReset {
 public:
  explicit ScopedReset(Statement& statement) : statement_(statement) {}
  ~ScopedReset() { statement_.Reset(); }
  ScopedReset(const ScopedReset&) = delete;
  ScopedReset& operator=(const ScopedReset&) = delete;

 private:
  Statement& statement_;
};

// One connection to one database file.
class Connection {
 public:
  enum class Access { kReadOnly, kCreate };

  static StatusOr<Connection> Open(const std::string& path, Access access);

  // Runs SQL without parameters; rows are dropped.
  Status Execute(const std::string& sql);
  StatusOr<Statement> Prepare(std::string_view sql) const;
  // The first column of the first row of a query that has one.
  StatusOr<std::int64_t> QueryInteger(std::string_view sql) const;
  // Rows that the last statement changed.
  std::int64_t changes() const;
  sqlite3* handle() const { return handle_.get(); }
  const std::string& path() const { return *path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  // Shared with statements by address: stays where it is when the connection moves.
  std::unique_ptr<std::string> path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// Rolls back at the end of its scope unless committed.
class Transaction {
 public:
  static StatusOr<Transaction> BeginRead(Connection& connection);
  static StatusOr<Transaction> BeginWrite(Connection& connection);
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;

  Status Commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

// The status of an SQLite result code, with the reason of the operating system where there is one.
Status SqliteError(sqlite3* database, int code, const std::string& path);

}  // namespace candor::store
