// Reads beside the writer: one read-only connection, used by one thread at a time. Inside this room
// only.
#pragma once

#include "common/base/status.h"
#include "coordinator/store/job_names.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor::store {

// What all readers share.
struct ReaderContext {
  std::string path;
  std::size_t cache_bytes = 0;
  std::uint32_t store_id = 0;
  JobNamesCache names;
};

class SqliteReader {
 public:
  // `context` must outlive the reader.
  static StatusOr<std::unique_ptr<SqliteReader>> Open(ReaderContext& context);

  // As the methods of Store.
  StatusOr<ReadEnd> VisitOutcomes(const OutcomeQuery& query, OutcomeVisitor visit);
  StatusOr<std::vector<CellResult>> ReadCells(engine::JobKey job,
                                              std::span<const engine::CellKey> cells);
  StatusOr<AttemptPage> ReadAttempts(engine::JobKey job, Position after, ReadLimit limit);
  StatusOr<std::vector<std::optional<v1::Attempt::State>>> FindAttempts(
      std::span<const engine::AttemptId> attempts);
  StatusOr<v1::ScenarioSet> GetScenarioSet(std::string_view name);
  StatusOr<ScenarioSetPage> ListScenarioSets(std::string_view after, std::size_t limit);

 private:
  SqliteReader(ReaderContext& context, Connection connection)
      : context_(context), connection_(std::move(connection)) {}

  // NOT_FOUND when there is no such job.
  StatusOr<std::shared_ptr<const JobNames>> Names(engine::JobKey job);
  Status NameError(engine::JobKey job, const engine::CellKey& cell) const;
  // The outcome of a row whose columns are (position, cell, class, attempt, body).
  Status ParseOutcome(engine::JobKey job, const JobNames& names, const Statement& row,
                      v1::Outcome& outcome) const;
  class OutcomeScan;

  ReaderContext& context_;
  Connection connection_;
  Statement job_exists_, specification_, by_commit_, by_cell_, given_up_, attempts_, attempt_state_,
      get_scenario_set_, list_scenario_sets_;
  // Kept from read to read, with the memory of its texts.
  v1::Outcome outcome_;
};

// Readers that are idle now. A read takes one, or opens one, and gives it back.
class ReaderPool {
 public:
  explicit ReaderPool(ReaderContext& context) : context_(context) {}
  StatusOr<std::unique_ptr<SqliteReader>> Take();
  void Give(std::unique_ptr<SqliteReader> reader);

 private:
  ReaderContext& context_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<SqliteReader>> idle_;
};

}  // namespace candor::store
