#include "coordinator/engine/engine_impl.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace candor::engine {
namespace {

// Waits are looked at no more often than this, whatever the number of events.
constexpr Duration kAccountEvery = std::chrono::seconds(1);

// Whether it is the limit group that waits, and so everybody in it.
bool IsOfGroup(v1::WaitReason reason) {
  switch (reason) {
    case v1::REQUEST_LIMIT:
    case v1::TOKEN_LIMIT:
    case v1::IN_FLIGHT_LIMIT:
    case v1::PROBING:
    case v1::DAILY_LIMIT:
    case v1::PROVIDER_ASKED:
    case v1::CIRCUIT_OPEN:
    case v1::RAMP:
    case v1::SETTLING:
      return true;
    default:
      return false;
  }
}

// Which part of a budget is used, the largest of its three.
double BudgetUsed(const JobState& job) {
  const v1::Budget& budget = job.job().budget();
  const JobState::Used now = job.used(/*with_open=*/false);
  double used = 0;
  const auto part = [&used](std::int64_t spent, std::int64_t limit) {
    if (limit <= 0) return;
    used = std::max(used, static_cast<double>(spent) / static_cast<double>(limit));
  };
  part(now.calls, budget.calls());
  part(now.tokens, budget.tokens());
  part(now.money, budget.money());
  return used;
}

}  // namespace

// Between two events nothing changes: what held a group or an entry back after the last event did
// so until this one. So the time since the account was last written goes to the reasons that hold
// right before an event, whichever is the first in a second.
void Engine::Impl::AccountWaits(TimePoint until) {
  const Duration span = until - accounted_;
  if (span < kAccountEvery) return;
  accounted_ = until;
  const bool store_bound = StoreBound();
  for (Group& group : groups_) {
    std::optional<v1::WaitReason> held;
    for (const Group::Member& member : group.members) {
      for (const std::uint32_t number : member.entries) {
        EntryState& entry = member.job->entries[number];
        if (entry.pending() == 0 && entry.batch_open() == 0) continue;
        v1::WaitReason reason = WaitingFor(*member.job, entry, now()).reason;
        if (reason == v1::SLOTS && store_bound) reason = v1::STORE;
        entry.waits.Charge(reason, span);
        waits_.Charge(reason, span);
        if (!held || (!IsOfGroup(*held) && IsOfGroup(reason))) held = reason;
      }
    }
    if (held) group.waits.Charge(*held, span);
  }
}

// Slots are taken, but most of them by leases and reports that are not durable yet.
bool Engine::Impl::StoreBound() const {
  std::size_t unwritten = 0;
  for (const AtCommit& commit : uncommitted_) {
    unwritten += commit.reported.size();
    for (const AtCommit::Granted& granted : commit.granted) unwritten += granted.leases.size();
  }
  return unwritten * 2 > leases_.size();
}

Overview Engine::Impl::GetOverview(const Instant& instant) const {
  Overview out;
  for (const auto& [key, job] : jobs_) {
    if (!job->visible || job->deleted) continue;
    ++out.jobs[static_cast<std::size_t>(job->state)];
    if (job->terminal()) continue;
    for (const EntryState& entry : job->entries) {
      const auto state = entry.state == EntryState::State::kStopped    ? v1::EntryProgress::STOPPED
                         : entry.state == EntryState::State::kFinished ? v1::EntryProgress::FINISHED
                                                                       : v1::EntryProgress::RUNNING;
      ++out.entries[static_cast<std::size_t>(state)];
      if (!job->runs()) continue;
      out.cells_pending += static_cast<std::int64_t>(entry.pending());
      out.cells_in_flight += entry.in_flight();
    }
    if (job->runs()) out.budget_used = std::max(out.budget_used, BudgetUsed(*job));
  }
  out.leases = static_cast<std::int64_t>(leases_.size());
  for (const auto& [name, number] : workers_.by_name()) {
    const WorkerState& worker = workers_[number];
    if (worker.is_batch) continue;
    if (worker.session == 0) {
      ++out.workers_away;
      continue;
    }
    ++(worker.draining ? out.workers_draining : out.workers_ready);
    out.slots_taken += worker.taken;
    out.slots_free += worker.Free(instant.now);
    out.heartbeat_age = std::max(out.heartbeat_age, instant.now - worker.last_heard);
  }
  out.waits = waits_;
  return out;
}

}  // namespace candor::engine
