// The batches of the crash tests: number n says everything that a store must hold after it.
#pragma once

#include "coordinator/store/store.h"
#include "tests/unit/coordinator/store/test_records.h"

#include <cstdint>
#include <string>

namespace candor::store {

// Of different lengths, up to some pages.
inline std::string CrashText(std::uint32_t number) {
  return std::to_string(number) + std::string(number * 997 % 40'000, 'x');
}

// Batch n, from 1: the lease, attempt and outcome of cell n; closes the leases of batch n - 1; the
// status says n.
inline engine::WriteBatch CrashBatch(std::uint32_t number) {
  engine::WriteBatch batch;
  if (number == 1) batch.new_jobs.push_back(MakeJob(1));
  const engine::CellKey cell{0, v1::Cell::CHOICE, number};
  batch.lease_batches.push_back(MakeLeases(number, {{.attempt = number, .job = 1, .cell = cell}}));
  batch.attempts.push_back(MakeAttempt(1, number, cell, v1::Attempt::COMPLETED));
  batch.outcomes.push_back(MakeOutcome(1, number, cell, v1::Outcome::VALID, CrashText(number)));
  batch.statuses.push_back(MakeStatus(1, v1::Job::RUNNING, std::to_string(number)));
  if (number > 1) batch.closed_lease_batches.push_back(number - 1);
  batch.engine_now = TimePoint(Duration(number));
  return batch;
}

// How many batches a store holds, by its engine time.
inline std::uint32_t RecoveredBatches(const engine::Recovery& recovery) {
  return static_cast<std::uint32_t>(recovery.engine_now.time_since_epoch().count());
}

}  // namespace candor::store
