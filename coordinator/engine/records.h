// What the engine wants durable, and what it needs to find again: the vocabulary between engine and
// store.
//
// A `WriteBatch` is atomic. Batches become durable in the order of their tickets. After a crash the
// store hands back a `Recovery` that holds exactly the batches up to some ticket.
#pragma once

#include "candor/v1/cell.pb.h"
#include "candor/v1/evaluation_service.pb.h"
#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/clock.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace candor::engine {

// Identifies a job in engine and store; counts from 1, never used again.
using JobKey = std::uint32_t;
// Identifies an attempt on this store for ever: the coordinator's term in the upper 24 bits, a
// counter below.
using AttemptId = std::uint64_t;
// Identifies a provider's batch on this store for ever; drawn from the same numbers as attempts.
using ProviderBatchId = std::uint64_t;
// Counts write batches from 1 within one run of the coordinator.
using Ticket = std::uint64_t;

// The cell of an attempt or outcome, without its job.
struct CellKey {
  std::uint16_t entry = 0;  // position in the job's `models`
  v1::Cell::Kind kind = v1::Cell::CHOICE;
  std::uint32_t index = 0;  // within (entry, kind)

  auto operator<=>(const CellKey&) const = default;
};

// A job as created. Immutable.
struct JobRecord {
  JobKey key = 0;
  std::string request_id;  // empty: none
  // As created: name, specification fields, specification_hash, create_time, and for an imported
  // job `imported` and `import_hash`; no other output-only fields.
  std::shared_ptr<const v1::Job> job;
  std::shared_ptr<const v1::JobSpecification> specification;
};

// How a job stands: replaces the one before. Written in the same batch as the outcomes that it
// counts, so that counts never disagree with rows.
struct JobStatusRecord {
  JobKey key = 0;
  // state, state_reason, progress, start_time and end_time; nothing else. `in_flight` and `rate`
  // are left 0.
  std::shared_ptr<const v1::Job> status;
};

// One granted call. Written before the lease is sent, so that a restart finds it.
struct LeaseRecord {
  AttemptId attempt = 0;
  JobKey job = 0;
  CellKey cell;
  std::int64_t reserved_tokens = 0;
  // True when its worker holds no other lease: the cell has lost workers before.
  bool alone = false;
  // The trial that is shown, where an adaptive design proposed it; null where it is drawn. Not
  // stored: after a restart it is proposed again, from the same outcomes, and so is the same.
  std::shared_ptr<const v1::ExplicitTrial> trial = nullptr;
  // Of `reserved_tokens`: those of the reply.
  std::int64_t reserved_output = 0;
};

// Leases granted together to one worker, as one row: deleted when each has its attempt and the
// grant no longer counts in any limit window.
struct LeaseBatchRecord {
  std::uint64_t id = 0;
  std::string worker;      // "workers/{worker}"
  TimePoint grant_time{};  // engine time, see Recovery::engine_now
  WallTime grant_wall{};
  // When this one was granted, all batches up to that id had been sent, or would never be: so a
  // restart knows when they were sent at the latest, and what they take of the limits ends in time.
  std::uint64_t sent_up_to = 0;
  std::vector<LeaseRecord> leases;
};

// One batch at a provider; a later record of the same id replaces it. The first one is written with
// its lines, a lease batch whose worker bears the batch's name. Goes when its job is deleted.
struct ProviderBatchRecord {
  ProviderBatchId id = 0;
  JobKey job = 0;
  std::uint16_t entry = 0;  // position in the job's `models`
  // Everything but `name`, `job`, `entry` and `lines_collected`, which follow from elsewhere.
  std::shared_ptr<const v1::Batch> batch;
};

// A live call that was refused, before anything was done, because a quota of a day was used up:
// nobody's failure, so it uses up none of its cell's attempts.
inline bool IsRefusalOfADay(const v1::Attempt& attempt) {
  return attempt.state() == v1::Attempt::FAILED &&
         attempt.error_class() == v1::Attempt::DAILY_LIMIT && attempt.batch().empty();
}

// What became of one call. A later record with the same id replaces an earlier one whose state is
// UNKNOWN or NOT_SENT, and no other.
struct AttemptRecord {
  AttemptId id = 0;
  JobKey job = 0;
  CellKey cell;
  // Everything but `id`, `entry` and `scenario`, which follow from the above.
  std::shared_ptr<v1::Attempt> attempt;
};

// What counts for a cell. The engine writes one for a cell at most; the store refuses a second one.
struct OutcomeRecord {
  JobKey job = 0;
  CellKey cell;
  // 0 for an imported outcome: no call of the job gave it, and it has no attempt id.
  AttemptId attempt = 0;
  // As the worker sent it. `entry`, `scenario` and `attempt_id` follow from the above and may be
  // left out by the store.
  std::shared_ptr<v1::Outcome> outcome;
};

// Outcomes that a new job takes over from another one: copied within the store, so that a million
// of them pass through the engine as places. Written in the same batch as their job.
struct ReusedOutcomesRecord {
  JobKey job = 0;
  // Where they are, durable already, and what that job is called. A copy of a copy keeps the name
  // of the job that made the call.
  JobKey source = 0;
  std::string source_name;
  struct Item {
    CellKey cell;
    CellKey source_cell;
    v1::Outcome::Class outcome_class = v1::Outcome::CLASS_UNSPECIFIED;
  };
  std::vector<Item> items;
};

// A pair of options that an adaptive design asks for next. It is a function of the job's
// specification and of the outcomes of the scenario's earlier pairs, all of which are durable.
struct WantedPair {
  JobKey job = 0;
  std::uint16_t entry = 0;     // position in the job's `models`; the kind is CHOICE
  std::uint32_t scenario = 0;  // position in the entry's own list of scenarios
  std::uint32_t pair = 0;

  friend bool operator==(const WantedPair&, const WantedPair&) = default;
};

// A cell that was given up.
struct FailedCellRecord {
  JobKey job = 0;
  CellKey cell;
};

// A limit group that may make no call before a time.
struct BlockedGroupRecord {
  std::string limit_group;
  TimePoint until{};  // engine time
};

// Everything that becomes durable together.
struct WriteBatch {
  std::vector<JobRecord> new_jobs;
  std::vector<JobKey> deleted_jobs;
  std::vector<JobStatusRecord> statuses;
  std::vector<LeaseBatchRecord> lease_batches;
  std::vector<ProviderBatchRecord> provider_batches;
  std::vector<std::uint64_t> closed_lease_batches;
  std::vector<AttemptRecord> attempts;
  std::vector<OutcomeRecord> outcomes;
  std::vector<ReusedOutcomesRecord> reused_outcomes;
  std::vector<FailedCellRecord> failed_cells;
  // Replaces all of the ones before, when present.
  std::optional<std::vector<BlockedGroupRecord>> blocked_groups;
  // The engine's time when it asked; the store keeps the latest.
  TimePoint engine_now{};
};

// A cell without outcome that was tried before.
struct TriedCell {
  CellKey cell;
  std::int32_t failures = 0;      // attempts FAILED or UNANSWERED, but for refusals of a day
  std::int32_t refusals = 0;      // these: see IsRefusalOfADay
  std::int32_t deaths = 0;        // attempts UNKNOWN
  std::int32_t deaths_alone = 0;  // of these, while leased alone
};

// Calls of one entry and kind that were broken off before an answer: attempts UNANSWERED, those of
// cells that have an outcome by now included.
struct UnansweredCalls {
  std::uint16_t entry = 0;  // position in the job's `models`
  v1::Cell::Kind kind = v1::Cell::CHOICE;
  std::int64_t calls = 0;

  friend bool operator==(const UnansweredCalls&, const UnansweredCalls&) = default;
};

// One job that can still change: not in a terminal state, or FAILED (ResumeJob continues what is
// pending), or with leases.
struct JobRecovery {
  JobRecord record;
  std::shared_ptr<const v1::Job> status;
  // Cells with an outcome, in any order, and cells that were given up.
  std::vector<CellKey> done;
  std::vector<CellKey> failed;
  std::vector<TriedCell> tried;
  // By entry and kind, where there are any.
  std::vector<UnansweredCalls> unanswered;
};

// A job that has ended: enough for GetJob, ListJobs and idempotent creation.
struct EndedJob {
  JobRecord record;
  std::shared_ptr<const v1::Job> status;
};

// What a restarted coordinator finds.
struct Recovery {
  // Counts the starts of a coordinator on this store; already incremented for this one.
  std::int64_t term = 0;
  // Drawn when the store was made: tells its names from those of other stores.
  std::uint32_t store_id = 0;
  // Engine time goes on from here: it is monotonic across restarts and stands still while no
  // coordinator runs, which makes every stored time safe to compare whatever the wall clock did.
  TimePoint engine_now{};
  JobKey next_job_key = 1;
  std::uint64_t next_lease_batch = 1;
  std::vector<JobRecovery> jobs;
  std::vector<EndedJob> ended_jobs;
  // Batches not closed; `open` are the leases without an attempt record.
  struct OpenLeaseBatch {
    LeaseBatchRecord batch;
    std::vector<AttemptId> open;
  };
  std::vector<OpenLeaseBatch> lease_batches;
  std::vector<BlockedGroupRecord> blocked_groups;
  // Those of all jobs above, ended ones included, by id.
  std::vector<ProviderBatchRecord> provider_batches;
};

}  // namespace candor::engine
