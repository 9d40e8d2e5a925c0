#include "common/base/time_proto.h"
#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/planted_bug.h"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace candor::engine {
namespace {

constexpr const char* kDrainReason = "an operator asked for it";

}  // namespace

void Engine::Impl::On(WorkerConnected& event) {
  const v1::Hello& hello = *event.hello;
  WorkerState& worker = workers_.Add(hello.worker());
  const std::uint32_t number = workers_.NumberOf(worker);
  if (worker.session != 0 && worker.session != event.session) {
    commands_.emplace_back(
        CloseSession{worker.session, fmt::format("{} has opened another stream", hello.worker())});
  }
  if (worker.session != event.session) StepsLost(worker.session);
  workers_.SetSession(number, event.session);
  worker.last_heard = now();
  worker.version = hello.version();
  worker.slots = std::max(0, hello.slots());
  // Who says so has heard it; a later hello without it is that of a new process.
  worker.drain_asked = worker.drain_asked && !hello.draining();
  worker.draining = hello.draining() || worker.drain_asked;
  if (!worker.connect_time) worker.connect_time = instant_.wall;
  worker.endpoints.assign(hello.endpoints().begin(), hello.endpoints().end());
  worker.serves.clear();
  for (const v1::Worker::EndpointService& endpoint : hello.endpoints()) {
    const std::uint32_t endpoint_number = catalog_.EndpointNumber(endpoint.endpoint());
    if (worker.serves.size() <= endpoint_number) worker.serves.resize(endpoint_number + 1);
    worker.serves[endpoint_number] = endpoint.served();
  }

  WelcomeWorker welcome{event.session, {}};
  for (const AttemptId attempt : event.held) {
    if (leases_.Find(attempt) == kNoLease) welcome.unknown.push_back(attempt);
  }
  commands_.emplace_back(std::move(welcome));
  if (worker.drain_asked) commands_.emplace_back(DrainWorker{event.session, kDrainReason});

  const absl::flat_hash_set<AttemptId> held(event.held.begin(), event.held.end());
  for (const LeaseSlot slot : leases_.OfWorker(number)) {
    Lease& lease = leases_[slot];
    if (lease.state != Lease::State::kSent) continue;
    if (held.contains(lease.attempt)) {
      lease.session = event.session;
    } else if (lease.session != event.session) {
      NeverSent(slot);
    }
  }
  SendWaiting(number);
  for (Group& group : groups_) {
    if (group.awaited.erase(hello.worker()) > 0 && group.awaited.empty()) {
      // Their reports follow the hello.
      group.settled_at = std::min(group.settled_at, now() + std::chrono::milliseconds(200));
    }
  }
}

void Engine::Impl::On(WorkerHeartbeat& event) {
  WorkerState* worker = workers_.OfSession(event.session);
  if (worker == nullptr) return;
  worker->last_heard = now();
  worker->slots = std::max(0, event.slots);
  worker->draining = worker->draining || event.draining;
  worker->drain_asked = worker->drain_asked && !event.draining;
}

void Engine::Impl::On(WorkerDisconnected& event) {
  WorkerState* worker = workers_.OfSession(event.session);
  if (worker == nullptr) return;
  const std::uint32_t number = workers_.NumberOf(*worker);
  StepsLost(event.session);
  workers_.SetSession(number, 0);
  RemoveIfGone(number);
}

void Engine::Impl::On(WorkerDrained& event) {
  WorkerState* worker = workers_.Find(event.worker);
  if (worker == nullptr || worker->draining) return;
  worker->draining = true;
  worker->drain_asked = true;
  if (worker->session != 0) commands_.emplace_back(DrainWorker{worker->session, kDrainReason});
}

void Engine::Impl::RemoveIfGone(std::uint32_t number) {
  const WorkerState& worker = workers_[number];
  if (!worker.present || worker.session != 0 || leases_.CountOfWorker(number) > 0) return;
  if (held_back_ == number) held_back_ = kNoWorker;
  workers_.Remove(number);
}

void Engine::Impl::LoseSilentWorkers() {
  for (std::uint32_t number = 0; number < workers_.size(); ++number) {
    const WorkerState& worker = workers_[number];
    if (!worker.present || worker.is_batch || worker.last_heard + options_.lease_ttl > now())
      continue;
    Lose(number,
         fmt::format("nothing was heard from it for {} s",
                     std::chrono::duration_cast<std::chrono::seconds>(options_.lease_ttl).count()));
  }
}

void Engine::Impl::Lose(std::uint32_t number, const std::string& why) {
  WorkerState& worker = workers_[number];
  if (worker.session != 0) {
    commands_.emplace_back(CloseSession{worker.session, why});
    StepsLost(worker.session);
    workers_.SetSession(number, 0);
  }
  // What it reported is kept until it is durable, and the worker with it.
  worker.last_heard = now();
  for (const LeaseSlot slot : leases_.OfWorker(number)) {
    switch (leases_[slot].state) {
      case Lease::State::kCommitting:
      case Lease::State::kWaiting:
        NeverSent(slot);
        break;
      case Lease::State::kSent:
        LostWithWorker(slot);
        break;
      case Lease::State::kReported:
        break;
    }
  }
  for (Group& group : groups_) group.awaited.erase(worker.name);
  RemoveIfGone(number);
}

void Engine::Impl::RecordEnd(const Lease& lease, v1::Attempt::State state, const std::string& why) {
  auto attempt = std::make_shared<v1::Attempt>();
  attempt->set_state(state);
  attempt->set_error_text(why);
  (lease.in_batch ? attempt->mutable_batch() : attempt->mutable_worker())
      ->assign(workers_[lease.worker].name);
  *attempt->mutable_grant_time() = ToProto(lease.grant_wall);
  JobState& job = *lease.job;
  EntryState& entry = job.entries[lease.entry];
  KindState& kind = entry.kinds[lease.kind];
  --kind.open;
  --kind.in_flight;
  WorkerState& worker = workers_[lease.worker];
  --worker.taken;
  if (lease.alone) worker.alone = false;
  if (lease.in_batch) --kind.batch_open;
  EndedLease(lease.batch);
  WriteAttempt(job, {lease.entry, kind.kind, lease.index}, lease.attempt, std::move(attempt));
  SettleLater(job);
}

void Engine::Impl::NeverSent(LeaseSlot slot) {
  const Lease lease = leases_[slot];
  EntryState& entry = lease.job->entries[lease.entry];
  KindState& kind = entry.kinds[lease.kind];
  GroupLimits& limits = groups_[entry.group].limits;
  if (lease.state == Lease::State::kSent) {
    limits.Refund(now(), lease.granted, lease.sent, lease.size);
  } else {
    limits.Withdraw(now(), lease.granted, lease.size);
    SettledSending(lease.batch);
  }
  RecordEnd(lease, v1::Attempt::NOT_SENT, "the worker never received it");
  if (!kind.cells.IsDone(lease.index)) kind.cells.Return(lease.index, now(), lease.alone);
  leases_.Remove(slot);
  if (lease.job->terminal()) FreeWhenSettled(*lease.job);
}

void Engine::Impl::LostWithWorker(LeaseSlot slot) {
  const Lease lease = leases_[slot];
  JobState& job = *lease.job;
  KindState& kind = job.entries[lease.entry].kinds[lease.kind];
  groups_[job.entries[lease.entry].group].limits.Lost(now(), lease.granted, lease.size,
                                                      kind.output_limit);
  RecordEnd(lease, v1::Attempt::UNKNOWN, "its worker was lost");
  job.entries[lease.entry].CountUnknown(kind, /*in_batch=*/false);
  Touch(job);
  if (!kind.cells.IsDone(lease.index) && !Planted(PlantedBug::kExpiredCellLost)) {
    CellTable::Tried& tried = kind.cells.Know(lease.index);
    ++tried.deaths;
    if (lease.alone) ++tried.deaths_alone;
    const bool over = tried.deaths_alone >= job.max_attempts || tried.failures >= job.max_attempts;
    if (over && !job.terminal()) {
      FailCell(job, lease.entry, kind, lease.index);
    } else {
      kind.cells.Return(lease.index, now(), tried.deaths >= kDeathsTogether);
    }
  }
  leases_.Remove(slot);
  if (job.terminal()) FreeWhenSettled(job);
}

}  // namespace candor::engine
