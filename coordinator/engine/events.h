// What the engine is told. Every event comes with an `Instant`; the same events at the same
// instants give the same commands.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "coordinator/engine/records.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace candor::engine {

// Identifies one worker stream within one run of the coordinator; never used again.
using SessionId = std::uint64_t;

// When something happened: `now` decides, `wall` is for people.
struct Instant {
  TimePoint now{};
  WallTime wall{};
};

// A validated job was asked for. The caller has looked at FindRequest first.
struct JobCreated {
  std::string request_id;
  // Name, specification fields and specification_hash.
  std::shared_ptr<const v1::Job> job;
  std::shared_ptr<const v1::JobSpecification> specification;
  // Outcomes of other jobs that it takes over: of cells of the job, each of another one, and of an
  // adaptive design each with all before it. `job` is left 0. The caller has looked at CheckReuse
  // first.
  std::vector<ReusedOutcomesRecord> reused = {};
};
// A validated job with outcomes that others collected: in state SUCCEEDED at once, without calls,
// attempts or spend. The caller has looked at FindRequest first, and has checked that the outcomes
// belong to cells of the job, each to another one.
struct JobImported {
  std::string request_id;
  // Name, specification fields, specification_hash and import_hash.
  std::shared_ptr<const v1::Job> job;
  std::shared_ptr<const v1::JobSpecification> specification;
  // `job` and `attempt` are left 0. Cells without one count as given up.
  std::vector<OutcomeRecord> outcomes;
};
// A user asked; the caller has checked that the job's state allows it (Engine::CheckPause, ...).
struct JobPaused {
  JobKey job = 0;
};
struct JobResumed {
  JobKey job = 0;
};
struct JobCancelled {
  JobKey job = 0;
};
struct JobDeleted {
  JobKey job = 0;
};

// A worker opened a stream and said hello. A worker that is connected already is moved to this
// session.
struct WorkerConnected {
  SessionId session = 0;
  std::shared_ptr<const v1::Hello> hello;
  // hello->held_attempt_ids, as numbers; ids of another store are left out by the caller.
  std::vector<AttemptId> held;
};
struct WorkerHeartbeat {
  SessionId session = 0;
  std::int32_t slots = 0;
  bool draining = false;
};
// The stream ended, for whatever reason.
struct WorkerDisconnected {
  SessionId session = 0;
};
// An operator asked for a worker's drain.
struct WorkerDrained {
  std::string worker;
};

// One report with its attempt id as a number. The engine's records are its parts, as the engine
// completes them: whatever holds the report's memory (a stream's message, with all its reports)
// stays until the last record is written.
struct Report {
  AttemptId attempt = 0;
  JobKey job = 0;  // 0: no such job any more
  std::shared_ptr<v1::AttemptReport> report;
};
struct ReportsArrived {
  SessionId session = 0;
  std::vector<Report> reports;
};

// Answer to LookUpAttempts: those of the ids that have an attempt record, with its state.
struct AttemptsLookedUp {
  SessionId session = 0;
  struct Found {
    AttemptId attempt = 0;
    v1::Attempt::State state = v1::Attempt::STATE_UNSPECIFIED;
  };
  std::vector<AttemptId> asked;
  std::vector<Found> found;
};

// How a provider's batch stands: the answer to SendBatchTask, or news from a worker that was given
// the task in an earlier session.
struct BatchReported {
  SessionId session = 0;
  std::shared_ptr<const v1::BatchReport> report;
};

// Answers to ProposeTrials.
struct TrialsProposed {
  struct Proposal {
    WantedPair pair;
    // The values of both options before any order is applied.
    std::shared_ptr<const v1::ExplicitTrial> trial;
  };
  std::vector<Proposal> proposals;
};

// All batches up to this ticket are durable.
struct CommitFinished {
  Ticket ticket = 0;
};

// An operator changed the limits of a group.
struct LimitsChanged {
  std::string limit_group;
  v1::Limits limits;
};

// Nothing happened but time; due at Engine::NextWakeup.
struct TimePassed {};

using Event = std::variant<JobCreated, JobImported, JobPaused, JobResumed, JobCancelled, JobDeleted,
                           WorkerConnected, WorkerHeartbeat, WorkerDisconnected, WorkerDrained,
                           ReportsArrived, AttemptsLookedUp, CommitFinished, LimitsChanged,
                           TimePassed, TrialsProposed, BatchReported>;

}  // namespace candor::engine
