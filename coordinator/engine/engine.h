// The heart of the coordinator: which cell is asked when, by whom, and what its answer becomes.
//
// Deterministic: it has no clock, no thread, no I/O and no randomness but its seed. It takes events
// and returns commands; the same events at the same instants give the same commands. So a
// simulation can drive it through thousands of disasters a minute, and everything with a socket is
// a thin shell around it.
//
//   Engine engine(options, recovery);
//   for (Command& command : engine.Handle(instant, ReportsArrived{...})) Carry(command);
//   timer.expires_at(engine.NextWakeup());
//
// The promise that it keeps: an outcome is acknowledged only after it is durable; a cell has one
// outcome, the first complete model reply, whichever lease it came from; a lease is durable before
// it is sent; limits hold in every window, because nobody else starts a call.
//
// Not for concurrent use: one strand owns it. Nothing in it blocks.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/config.pb.h"
#include "candor/v1/evaluation_service.pb.h"
#include "common/base/status.h"
#include "coordinator/engine/commands.h"
#include "coordinator/engine/events.h"
#include "coordinator/engine/explain.h"
#include "coordinator/engine/overview.h"
#include "coordinator/engine/records.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::engine {

struct Options {
  // Endpoints with limits and prices, and limit groups; URLs and keys are not looked at.
  v1::Config config;
  // A worker that was not heard from for so long is lost, and so are its leases.
  Duration lease_ttl = std::chrono::seconds(30);
  // A worker starts a granted call within this time of its receipt or hands it back: limit windows
  // allow for it.
  Duration start_within = std::chrono::milliseconds(250);
  // After a restart a limit group with restored leases grants nothing until their workers have said
  // what they hold, but no longer than this: one of them may hold a 429 that nobody else knows of.
  Duration settle_time = std::chrono::seconds(2);
  // Leases in one batch at most.
  std::size_t max_lease_batch = 512;
  // Seed of back-off jitter.
  std::uint64_t seed = 0;
};

// Outcomes that a job takes over, by entry and kind.
using ReusedCounts = std::map<std::pair<int, v1::Cell::Kind>, std::int64_t>;
ReusedCounts CountReused(std::span<const ReusedOutcomesRecord> reused);
// The same of a job that has them, by its progress.
ReusedCounts CountReused(const v1::Job& job);

class Engine {
 public:
  // Goes on from `recovery`; a new store gives an empty one with term 1. No event may be earlier
  // than `recovery.engine_now`.
  Engine(Options options, Recovery recovery);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes one event. `instant.now` never goes back.
  std::vector<Command> Handle(const Instant& instant, Event event);

  // When TimePassed is due at the latest; absent: never. An event that comes more than a second
  // later says that the coordinator was stopped, and no worker is blamed for its silence meanwhile.
  std::optional<TimePoint> NextWakeup() const;

  // --- What others may look at. Only what is durable is visible. ---

  // The job that a request id created, and its specification hash; absent: none. Also one that is
  // not durable yet, or a client that asks again at once would create a second job.
  struct Request {
    JobKey job = 0;
    std::string specification_hash;
    // Empty for a job that was not imported.
    std::string import_hash;
  };
  std::optional<Request> FindRequest(std::string_view request_id) const;
  // The key of "jobs/{job}"; absent: no such job.
  std::optional<JobKey> FindJob(std::string_view name) const;
  // All jobs, the newest first.
  std::vector<JobKey> Jobs() const;
  // The whole job with progress, `in_flight`, `rate` and reasons as they are now. Inline scenarios
  // included.
  v1::Job GetJob(JobKey job, const Instant& instant) const;
  // The same without the specification fields: name and output-only fields.
  v1::Job GetJobStatus(JobKey job, const Instant& instant) const;
  std::shared_ptr<const v1::JobSpecification> GetSpecification(JobKey job) const;
  // As it was created (JobRecord::job), also while that is not durable yet; null: no such job.
  std::shared_ptr<const v1::Job> GetCreated(JobKey job) const;
  // In a terminal state, which is durable, and nothing in flight any more. PublishJob tells when.
  bool Settled(JobKey job) const;
  // Time left at the present rate; absent when it cannot be told.
  std::optional<Duration> TimeLeft(JobKey job, const Instant& instant) const;

  // FAILED_PRECONDITION with the reason when the job's state does not allow the event.
  Status CheckPause(JobKey job) const;
  Status CheckResume(JobKey job) const;
  Status CheckCancel(JobKey job) const;
  Status CheckDelete(JobKey job) const;
  // Whether outcomes of the job may be taken over by JobCreated. NOT_FOUND once it is being
  // deleted.
  Status CheckReuse(JobKey job) const;

  // Its batches at providers, the newest first; empty when there is no such job.
  std::vector<v1::Batch> Batches(JobKey job) const;

  // What a job would take that takes over `reused`; checks that its endpoints exist. Warnings name
  // the field.
  v1::JobEstimate Estimate(const v1::Job& job, const v1::JobSpecification& specification,
                           const ReusedCounts& reused = {}) const;

  std::vector<v1::Worker> Workers() const;
  std::optional<v1::Worker> FindWorker(std::string_view name) const;
  std::vector<v1::LimitGroup> LimitGroups(const Instant& instant) const;
  Overview GetOverview(const Instant& instant) const;
  // Why the job is not faster. `store`: how long batches took lately from their hand-over to their
  // commit.
  v1::JobExplanation Explain(JobKey job, const Instant& instant, const StoreTimes& store) const;
  std::int64_t term() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace candor::engine
