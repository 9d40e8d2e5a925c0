// What the conformance tests commit and read back.
#pragma once

#include "coordinator/store/store.h"
#include "tests/unit/coordinator/store/test_records.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace candor::store {

inline constexpr auto kChoice = v1::Cell::CHOICE;
inline constexpr auto kReport = v1::Cell::SELF_REPORT;

inline engine::WriteBatch JobBatch(engine::JobKey key, const std::string& request_id = "") {
  engine::WriteBatch batch;
  batch.new_jobs.push_back(MakeJob(key, request_id));
  batch.statuses.push_back(MakeStatus(key, v1::Job::QUEUED));
  return batch;
}

// The ten outcomes that the reading tests read, in commit order.
inline const std::vector<std::pair<engine::CellKey, v1::Outcome::Class>>& SomeCells() {
  static const auto& cells = *new std::vector<std::pair<engine::CellKey, v1::Outcome::Class>>{
      {{1, kReport, 3}, v1::Outcome::NOT_JSON}, {{0, kChoice, 4}, v1::Outcome::VALID},
      {{0, kChoice, 1}, v1::Outcome::VALID},    {{1, kChoice, 0}, v1::Outcome::REFUSAL},
      {{0, kReport, 2}, v1::Outcome::REPAIRED}, {{0, kChoice, 0}, v1::Outcome::VALID},
      {{1, kChoice, 1}, v1::Outcome::VALID},    {{0, kReport, 0}, v1::Outcome::NOT_JSON},
      {{0, kChoice, 5}, v1::Outcome::EMPTY},    {{1, kReport, 0}, v1::Outcome::VALID}};
  return cells;
}

// Job 1 with SomeCells, two a batch; attempt 100 + i for the i-th.
inline void FillJob(Store& store) {
  std::vector<engine::WriteBatch> batches;
  batches.push_back(JobBatch(1));
  for (std::size_t i = 0; i < SomeCells().size(); ++i) {
    if (i % 2 == 0) batches.emplace_back();
    const auto& [cell, outcome_class] = SomeCells()[i];
    batches.back().outcomes.push_back(
        MakeOutcome(1, 100 + i, cell, outcome_class, "text " + std::to_string(i)));
  }
  ASSERT_TRUE(store.Commit(batches).ok());
}

inline std::vector<engine::CellKey> Cells(const OutcomePage& page) {
  std::vector<engine::CellKey> cells;
  for (const OutcomePage::Row& row : page.rows) {
    cells.push_back({static_cast<std::uint16_t>(row.outcome.entry() == "tuned" ? 1 : 0),
                     row.outcome.kind(), row.outcome.index()});
  }
  return cells;
}

// Reads on until the end.
inline std::vector<engine::CellKey> ReadAll(const Store& store, OutcomeQuery query) {
  std::vector<engine::CellKey> cells;
  while (true) {
    const StatusOr<OutcomePage> page = store.ReadOutcomes(query);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return cells;
    for (const engine::CellKey& cell : Cells(*page)) cells.push_back(cell);
    if (page->end) return cells;
    query.after = page->next;
  }
}
}  // namespace candor::store
