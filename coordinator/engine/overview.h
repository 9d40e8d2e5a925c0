// How everything stands, in numbers: what metrics are made of. Taking it costs a look at every job,
// and at every cell table of those that run: some microseconds, and no text.
#pragma once

#include "candor/v1/job.pb.h"
#include "coordinator/engine/accounts.h"

#include <array>
#include <cstdint>

namespace candor::engine {

struct Overview {
  // By state; jobs that are durable.
  std::array<std::int64_t, v1::Job::State_ARRAYSIZE> jobs{};
  // By state; entries of jobs that have not ended. An entry that waits counts as RUNNING.
  std::array<std::int64_t, v1::EntryProgress::State_ARRAYSIZE> entries{};
  // Of jobs that run.
  std::int64_t cells_pending = 0;
  std::int64_t cells_in_flight = 0;
  // Known leases: granted, and their report is not durable yet.
  std::int64_t leases = 0;
  // Of the jobs that run: how much of its budget the one has used that has used most of it. 0
  // without budgets.
  double budget_used = 0;

  // Connected, and not draining.
  std::int64_t workers_ready = 0;
  std::int64_t workers_draining = 0;
  // Not connected, and their leases are still kept for them.
  std::int64_t workers_away = 0;
  std::int64_t slots_free = 0;
  std::int64_t slots_taken = 0;
  // Since the worker was heard from that has been silent longest, of those that are connected.
  Duration heartbeat_age{};

  // Entries' time by what they waited for, since the coordinator's start; an entry that waits for a
  // second counts a second.
  WaitAccount waits;
};

}  // namespace candor::engine
