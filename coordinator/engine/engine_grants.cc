#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/planted_bug.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace candor::engine {
namespace {

// Cells that one job gets before the next one's turn, when several share a group.
constexpr std::int64_t kTurn = 8;
constexpr std::uint32_t kClosed = UINT32_MAX;

}  // namespace

void Engine::Impl::Grant() {
  open_batch_.assign(workers_.size(), kClosed);
  bool held_back_needed = false;
  for (Group& group : groups_) {
    if (group.members.empty() || group.settled_at > now() || group.blocked_until > now()) continue;
    held_back_needed |= GrantAlone(group);
  }
  if (!held_back_needed) held_back_ = kNoWorker;
  for (Group& group : groups_) {
    if (group.members.empty() || group.settled_at > now() || group.blocked_until > now()) continue;
    GrantGroup(group);
  }
}

// Cells that go alone come first: there are few, and each needs a worker that is idle. While none
// is, one worker gets nothing else. True when some wait.
bool Engine::Impl::GrantAlone(Group& group) {
  bool waiting = false;
  for (Group::Member& member : group.members) {
    JobState& job = *member.job;
    for (const std::uint32_t number : member.entries) {
      EntryState& entry = job.entries[number];
      for (KindState& kind : entry.kinds) {
        while (!kind.held() && kind.cells.HasAlone(now())) {
          if (job.BudgetLeft() <= 0) break;
          if (!kind.replied && kind.open > 0) break;
          if (!entry.replied() && entry.streak() + entry.open() >= kMaxStreak) break;
          const std::int64_t tokens = entry.Reservation(kind);
          if (group.pacer.Available(now(), tokens) <= 0) break;
          const auto can_serve = [&](const WorkerState& worker) {
            return worker.Free(now()) > 0 && worker.Serves(entry.model.endpoint);
          };
          // The one held back, or else the one that is idle soonest.
          std::uint32_t chosen = kNoWorker;
          if (held_back_ != kNoWorker && workers_[held_back_].session != 0 &&
              !workers_[held_back_].draining && workers_[held_back_].Serves(entry.model.endpoint)) {
            chosen = held_back_;
          } else if (held_back_ == kNoWorker || workers_[held_back_].session == 0 ||
                     workers_[held_back_].draining) {
            for (std::uint32_t i = 0; i < workers_.size(); ++i) {
              if (!workers_[i].present || !can_serve(workers_[i])) continue;
              if (chosen == kNoWorker || workers_[i].taken < workers_[chosen].taken) chosen = i;
            }
          }
          if (chosen == kNoWorker) break;
          if (workers_[chosen].taken > 0) {
            held_back_ = chosen;
            waiting = true;
            break;
          }
          if (!can_serve(workers_[chosen])) break;
          std::uint32_t index = 0;
          kind.cells.TakeAlone(now(), &index);
          group.pacer.Take(now(), 1, tokens);
          AddLease(job, number, kind, index, chosen, /*alone=*/true);
          workers_[chosen].alone = true;
          if (held_back_ == chosen) held_back_ = kNoWorker;
        }
      }
    }
  }
  return waiting;
}

// The kind of which a cell may go now; null: none.
KindState* Engine::Impl::Grantable(EntryState& entry) {
  // The first call of each kind goes before the rest, alone, until it is answered.
  for (KindState& kind : entry.kinds) {
    if (kind.replied || kind.open > 0 || !HasReady(kind)) continue;
    if (!entry.replied() && entry.streak() + entry.open() >= kMaxStreak) continue;
    return &kind;
  }
  for (KindState& kind : entry.kinds) {
    if (kind.replied && HasReady(kind)) return &kind;
  }
  return nullptr;
}

// The worker with the most free slots; how many there are, and how many slots they have.
std::uint32_t Engine::Impl::PickWorker(std::uint32_t endpoint, std::int64_t* free_slots,
                                       std::int64_t* workers) {
  std::uint32_t chosen = kNoWorker;
  std::int32_t most = 0;
  *free_slots = 0;
  *workers = 0;
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    const WorkerState& worker = workers_[i];
    const std::int32_t slots = i == held_back_ ? 0 : worker.Free(now());
    if (slots <= 0 || !worker.Serves(endpoint)) continue;
    *free_slots += slots;
    ++*workers;
    if (slots > most) {
      most = slots;
      chosen = i;
    }
  }
  return chosen;
}

void Engine::Impl::GrantGroup(Group& group) {
  for (;;) {
    if (group.pacer.Available(now(), 0) <= 0) return;
    // Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996) within the highest priority that
    // has something to ask.
    Group::Member* best = nullptr;
    std::uint32_t best_entry = 0;
    KindState* best_kind = nullptr;
    std::uint32_t best_worker = kNoWorker;
    std::int64_t best_left = 0;
    std::int64_t best_slots = 0;
    std::int64_t best_workers = 0;
    std::int64_t candidates = 0;
    for (Group::Member& member : group.members) {
      JobState& job = *member.job;
      const bool better =
          best == nullptr || job.priority > best->job->priority ||
          (job.priority == best->job->priority &&
           std::max(member.finish, group.clock) < std::max(best->finish, group.clock));
      if (!better && job.priority < best->job->priority) continue;
      const std::int64_t left = job.BudgetLeft();
      if (left <= 0) continue;
      for (std::size_t i = 0; i < member.entries.size(); ++i) {
        const std::size_t place = (member.next_entry + i) % member.entries.size();
        EntryState& entry = job.entries[member.entries[place]];
        KindState* kind = Grantable(entry);
        if (kind == nullptr || group.pacer.Available(now(), entry.Reservation(*kind)) <= 0) {
          continue;
        }
        std::int64_t slots = 0;
        std::int64_t workers = 0;
        const std::uint32_t worker = PickWorker(entry.model.endpoint, &slots, &workers);
        if (worker == kNoWorker) continue;
        if (best != nullptr && job.priority > best->job->priority) candidates = 0;
        ++candidates;
        if (!better) break;
        best = &member;
        best_entry = member.entries[place];
        best_kind = kind;
        best_worker = worker;
        best_left = left;
        best_slots = slots;
        best_workers = workers;
        member.next_entry = place;
        break;
      }
    }
    if (best == nullptr) return;
    JobState& job = *best->job;
    EntryState& entry = job.entries[best_entry];
    std::int64_t count = group.pacer.Available(now(), entry.Reservation(*best_kind));
    count = std::min({count, best_left, best_slots});
    // Evenly over the workers, and in turns with other jobs and entries.
    count = (count + best_workers - 1) / best_workers;
    count = std::min<std::int64_t>(count, workers_[best_worker].Free(now()));
    if (candidates > 1 || best->entries.size() > 1) count = std::min(count, kTurn);
    if (!best_kind->replied) count = 1;
    const std::int64_t granted = GrantCells(group, job, best_entry, *best_kind, best_worker, count);
    group.clock = std::max(best->finish, group.clock);
    best->finish = group.clock + granted;
    best->next_entry = (best->next_entry + 1) % best->entries.size();
  }
}

std::int64_t Engine::Impl::GrantCells(Group& group, JobState& job, std::uint32_t entry,
                                      KindState& kind, std::uint32_t worker, std::int64_t count) {
  std::int64_t granted = 0;
  std::uint32_t index = 0;
  while (granted < count && kind.cells.Take(now(), &index)) {
    AddLease(job, entry, kind, index, worker, /*alone=*/false);
    ++granted;
  }
  group.pacer.Take(now(), granted, job.entries[entry].Reservation(kind));
  return granted;
}

void Engine::Impl::AddLease(JobState& job, std::uint32_t entry, KindState& kind,
                            std::uint32_t index, std::uint32_t worker, bool alone) {
  if (open_batch_[worker] == kClosed) {
    open_batch_[worker] = static_cast<std::uint32_t>(write_.lease_batches.size());
    LeaseBatchRecord& batch = write_.lease_batches.emplace_back();
    batch.id = next_batch_++;
    batch.worker = workers_[worker].name;
    batch.grant_time = now();
    batch.grant_wall = instant_.wall;
    batches_.try_emplace(batch.id);
    aging_.emplace_back(now(), batch.id);
    at_commit_.granted.push_back({instant_.wall, {}});
  }
  LeaseBatchRecord& batch = write_.lease_batches[open_batch_[worker]];
  AtCommit::Granted& granted = at_commit_.granted[open_batch_[worker]];
  Lease lease;
  lease.attempt = (static_cast<AttemptId>(term_) << 40U) | next_attempt_++;
  lease.job = &job;
  lease.worker = worker;
  lease.index = index;
  lease.entry = static_cast<std::uint16_t>(entry);
  EntryState& state = job.entries[entry];
  lease.kind = static_cast<std::uint8_t>(&kind - state.kinds.data());
  lease.alone = alone;
  lease.tokens = state.Reservation(kind);
  lease.grant_wall = instant_.wall;
  lease.batch = batch.id;
  if (!kind.chains.empty()) lease.trial = kind.chains.Of(index).trial;
  granted.leases.emplace_back(leases_.Add(lease), lease.attempt);
  batch.leases.push_back({lease.attempt,
                          job.key(),
                          {lease.entry, kind.kind, index},
                          lease.tokens,
                          alone,
                          lease.trial});
  ++batches_[batch.id].open;
  ++kind.open;
  ++kind.in_flight;
  ++workers_[worker].taken;
  if (batch.leases.size() >= options_.max_lease_batch) open_batch_[worker] = kClosed;
  if (job.state == v1::Job::QUEUED) {
    job.state = v1::Job::RUNNING;
    if (!job.start_time) job.start_time = instant_.wall;
    Touch(job);
  }
}

bool Engine::Impl::MayStart(const Lease& lease) const {
  if (!lease.job->runs() || workers_[lease.worker].draining) return false;
  const EntryState& entry = lease.job->entries[lease.entry];
  if (entry.state == EntryState::State::kStopped) return false;
  return groups_[entry.group].blocked_until <= now() || Planted(PlantedBug::kRetryAfterIgnored);
}

void Engine::Impl::SendGranted(const AtCommit::Granted& granted) {
  SendLeases command;
  command.grant_wall = granted.grant_wall;
  for (const auto& [slot, attempt] : granted.leases) {
    Lease& lease = leases_[slot];
    // Ended meanwhile: its worker was lost.
    if (lease.attempt != attempt || lease.state != Lease::State::kCommitting) continue;
    if (!MayStart(lease)) {
      NeverSent(slot);
      continue;
    }
    WorkerState& worker = workers_[lease.worker];
    if (worker.session == 0) {
      lease.state = Lease::State::kWaiting;
      continue;
    }
    command.session = worker.session;
    MarkSent(lease, worker, command);
  }
  if (!command.leases.empty()) commands_.emplace_back(std::move(command));
}

void Engine::Impl::MarkSent(Lease& lease, WorkerState& worker, SendLeases& command) {
  EntryState& entry = lease.job->entries[lease.entry];
  lease.state = Lease::State::kSent;
  lease.sent = now();
  lease.session = worker.session;
  groups_[entry.group].pacer.Sent(now(), lease.tokens);
  command.leases.push_back({lease.attempt,
                            lease.job->key(),
                            {lease.entry, entry.kinds[lease.kind].kind, lease.index},
                            lease.tokens,
                            lease.alone,
                            lease.trial});
}

void Engine::Impl::SendWaiting(std::uint32_t number) {
  SendLeases command;
  WorkerState& worker = workers_[number];
  command.session = worker.session;
  for (const LeaseSlot slot : leases_.OfWorker(number)) {
    Lease& lease = leases_[slot];
    if (lease.state != Lease::State::kWaiting) continue;
    if (!MayStart(lease)) {
      NeverSent(slot);
      continue;
    }
    command.grant_wall = lease.grant_wall;
    MarkSent(lease, worker, command);
  }
  if (!command.leases.empty()) commands_.emplace_back(std::move(command));
}

}  // namespace candor::engine
