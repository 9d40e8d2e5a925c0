// What is durable: jobs, leases, attempts, outcomes and scenario sets.
//
//   CANDOR_ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenSqliteStore(directory, {}));
//   CANDOR_ASSIGN_OR_RETURN(engine::Recovery recovery, store->Recover());
//   GroupCommitter committer(*store, {}, on_committed, on_failed);     // calls store->Commit
//   ...
//   OutcomeQuery query{.job = key};
//   CANDOR_ASSIGN_OR_RETURN(OutcomePage page, store->ReadOutcomes(query));
//   query.after = page.next;                                           // and again
//
// One thread commits; any number of others read beside it, each call one consistent snapshot that
// holds whole write batches only. A read never waits for the writer, nor the writer for a read.
//
// Errors of any method, besides its own: DATA_LOSS when the stored data cannot be understood,
// RESOURCE_EXHAUSTED when the disk is full, UNAVAILABLE for any other I/O error.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"
#include "coordinator/engine/records.h"

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor::store {

// Where a reader stands within one job and one order; 0 is the beginning. A position stays valid
// for as long as the job exists, across restarts. It means nothing in another order.
using Position = std::uint64_t;

enum class Order {
  // As committed. What commits later always has a larger position.
  kCommit,
  // By entry, kind and index: the order of the canonical export.
  kCanonical,
};

// How much one read returns at most. A read returns at least one row when there is one, however
// large. It may return fewer rows than allowed, or none, before the end: see OutcomePage::end.
struct ReadLimit {
  std::size_t rows = 1'000;
  // Serialised size of the rows.
  std::size_t bytes = std::size_t{1} << 20U;
};

// Which outcomes to read. An empty list means all; a name that the job does not have matches none.
struct OutcomeQuery {
  engine::JobKey job = 0;
  Position after = 0;
  std::vector<std::string> entries;
  std::vector<std::string> scenarios;
  std::vector<v1::Cell::Kind> kinds;
  std::vector<v1::Outcome::Class> classes;
  Order order = Order::kCommit;
  ReadLimit limit;
};

// Takes one outcome: complete, names included, and the attempt id of a call of the job's own. It
// may be moved from, and is used for the next one. Runs inside the read: it is to be quick, and
// must not call the store.
using OutcomeVisitor = absl::FunctionRef<void(Position, v1::Outcome&)>;

// Where a read ended.
struct ReadEnd {
  // Continues behind all that was looked at, also when a filter left out every row.
  Position next = 0;
  // True when nothing was left to look at. Until then go on reading, also after an empty page: a
  // read looks at a bounded number of rows, so that a filter that matches little cannot hold a
  // snapshot for long.
  bool end = false;
};

struct OutcomePage : ReadEnd {
  struct Row {
    Position position = 0;
    v1::Outcome outcome;
  };
  std::vector<Row> rows;
};

struct AttemptPage : ReadEnd {
  struct Row {
    Position position = 0;
    v1::Attempt attempt;  // complete: id and names included
  };
  std::vector<Row> rows;  // in the order of attempt ids
};

// What a cell has come to; both when a reply came after the cell had been given up, neither when it
// is pending.
struct CellResult {
  std::optional<v1::Outcome> outcome;  // complete
  bool given_up = false;
};

struct ScenarioSetPage {
  std::vector<v1::ScenarioSet> sets;  // by name, without their scenarios
  // True when sets follow: pass the last one's name.
  bool more = false;
};

class Store {
 public:
  virtual ~Store() = default;

  // --- The engine's state. From one thread. ---

  // What the last run left, with the term already incremented and durable. To be called once,
  // before the first Commit; a second call gets FAILED_PRECONDITION.
  //
  // `jobs` are those that a user or a worker can still move: not in a terminal state, or FAILED
  // (ResumeJob continues what is pending), or with an open lease. All others are `ended_jobs`. A
  // cell that was given up and has an outcome after all is in `done` only. Leases of deleted jobs
  // are left out.
  virtual StatusOr<engine::Recovery> Recover() = 0;

  // Makes the batches durable, in order and all of them or none. They are used up: their contents
  // may have changed afterwards.
  //
  // INTERNAL when a batch breaks the store's rules (a second outcome for a cell, a status of no
  // job, an outcome to take over that is not there). After any error every later write is refused
  // with FAILED_PRECONDITION, because only reopening tells what became durable: the process is to
  // end.
  virtual Status Commit(std::span<engine::WriteBatch> batches) = 0;

  // --- Reading. From any number of threads, also during Commit. ---

  // Shows the outcomes one by one. NOT_FOUND when there is no such job.
  virtual StatusOr<ReadEnd> VisitOutcomes(const OutcomeQuery& query,
                                          OutcomeVisitor visit) const = 0;
  // The same as a page.
  StatusOr<OutcomePage> ReadOutcomes(const OutcomeQuery& query) const;
  // What is known of each of these cells of a job, in their order. The caller bounds their number.
  // NOT_FOUND when there is no such job.
  virtual StatusOr<std::vector<CellResult>> ReadCells(
      engine::JobKey job, std::span<const engine::CellKey> cells) const = 0;
  // Attempts with ids above `after`, as numbers. NOT_FOUND when there is no such job. Attempts are
  // recorded when they end, not in the order of their ids: an attempt that ends later may take its
  // place before one that was read already.
  virtual StatusOr<AttemptPage> ReadAttempts(engine::JobKey job, Position after,
                                             ReadLimit limit) const = 0;
  // For each id its recorded state; absent where there is no record.
  virtual StatusOr<std::vector<std::optional<v1::Attempt::State>>> FindAttempts(
      std::span<const engine::AttemptId> attempts) const = 0;

  // --- Scenario sets. From any thread; durable on return. ---

  // Stores a complete set under its `name`. ALREADY_EXISTS when the name is taken.
  virtual Status PutScenarioSet(const v1::ScenarioSet& set) = 0;
  // NOT_FOUND when there is none of that name.
  virtual StatusOr<v1::ScenarioSet> GetScenarioSet(std::string_view name) const = 0;
  // Sets with names above `after`, at most `limit` (at least 1).
  virtual StatusOr<ScenarioSetPage> ListScenarioSets(std::string_view after,
                                                     std::size_t limit) const = 0;
  // NOT_FOUND when there is none of that name.
  virtual Status DeleteScenarioSet(std::string_view name) = 0;

  // --- Attempt ids as text: "{store}-{attempt}", 8 and 16 hexadecimal digits. ---
  // `store` is drawn when the store is made, so that no two stores give a provider the same id.
  // From any thread.

  virtual std::string AttemptName(engine::AttemptId attempt) const = 0;
  // Absent when the text is no attempt id, or one of another store.
  virtual std::optional<engine::AttemptId> ParseAttemptName(std::string_view text) const = 0;
};

}  // namespace candor::store
