// What the engine wants done. The shell carries commands out in order; none of them has an answer
// but by an event.
#pragma once

#include "coordinator/engine/events.h"
#include "coordinator/engine/records.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace candor::engine {

// Make this durable, then report CommitFinished. Tickets count up by one.
struct Persist {
  Ticket ticket = 0;
  WriteBatch batch;
};

// Welcome a worker: `unknown` are the leases that it holds and the engine does not know or has
// given up.
struct WelcomeWorker {
  SessionId session = 0;
  std::vector<AttemptId> unknown;
};

// Send these leases, which are durable. The shell sends a job's specification before its first
// lease on a session.
struct SendLeases {
  SessionId session = 0;
  WallTime grant_wall{};
  std::vector<LeaseRecord> leases;
};

// These reports are durable: the worker may forget them.
struct Acknowledge {
  SessionId session = 0;
  std::vector<AttemptId> attempts;
};

// Ask the store which of these have an attempt record (they are no leases of the engine's: a report
// came late, or came again), and answer with AttemptsLookedUp. Everything durable before this
// command counts.
struct LookUpAttempts {
  SessionId session = 0;
  std::vector<AttemptId> attempts;
};

// Propose these pairs, off the engine's strand, and answer each with TrialsProposed, in any order
// and in any number of events. The earlier outcomes that a proposal rests on are durable. Nothing
// is asked twice within one run of the coordinator, so an answer may take long but must come.
struct ProposeTrials {
  std::vector<WantedPair> pairs;
};

// Give a worker one step of a provider's batch, which is durable; answered by BatchReported, unless
// the session ends first. The shell sends the job's specification before.
struct SendBatchTask {
  SessionId session = 0;
  JobKey job = 0;
  // All but `term`, `job`, `leases` and `more`.
  v1::BatchTask task;
  // Its lines: for SUBMIT all of them, for COLLECT those without a result so far.
  std::vector<LeaseRecord> leases;
};

// Tell the worker to finish its calls and end.
struct DrainWorker {
  SessionId session = 0;
  std::string reason;
};

// End the stream; no event follows for this session but WorkerDisconnected, which is ignored.
struct CloseSession {
  SessionId session = 0;
  std::string reason;
};

// What is visible of this job has changed (only what is durable is visible): tell its watchers and
// followers.
struct PublishJob {
  JobKey job = 0;
};

// The job needs no worker any more: workers may forget its specification.
struct ForgetJob {
  JobKey job = 0;
};

using Command =
    std::variant<Persist, WelcomeWorker, SendLeases, Acknowledge, LookUpAttempts, DrainWorker,
                 CloseSession, PublishJob, ForgetJob, ProposeTrials, SendBatchTask>;

}  // namespace candor::engine
