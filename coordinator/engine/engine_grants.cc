#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/planted_bug.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace candor::engine {
namespace {

// Cells that one job gets before the next one's turn, when several share a group.
constexpr std::int64_t kTurn = 8;
// Cells that a job may have been behind with, and still be given before its turn.
constexpr std::int64_t kCatchUp = 16;
constexpr std::uint32_t kClosed = UINT32_MAX;

}  // namespace

void Engine::Impl::Grant() {
  DecideBatches();
  open_batch_.assign(workers_.size(), kClosed);
  bool held_back_needed = false;
  for (Group& group : groups_) {
    if (group.members.empty() || group.settled_at > now() || group.limits.blocked_until() > now())
      continue;
    held_back_needed |= GrantAlone(group);
  }
  if (!held_back_needed) held_back_ = kNoWorker;
  GrantInTurns();
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
          if (job.BudgetLeft(entry, kind) <= 0) break;
          if (!kind.replied && kind.open > 0) break;
          if (!entry.replied() && entry.streak() + entry.open() >= kMaxStreak) break;
          if (group.limits.Available(now(), entry.Largest(kind)) <= 0) break;
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
    if (kind.replied && HasReady(kind) && entry.GoesLive(kind)) return &kind;
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

// Groups take turns at the slots, so that an account without a limit leaves some to the others. Of
// the jobs of highest priority the one that holds the fewest slots goes first.
void Engine::Impl::GrantInTurns() {
  std::vector<Group*> groups;
  for (Group& group : groups_) {
    if (group.members.empty() || group.settled_at > now()) continue;
    groups.push_back(&group);
  }
  std::vector<Grantee> grantees;
  while (!groups.empty()) {
    grantees.clear();
    // A group with nothing to grant has nothing for the rest of the event.
    std::erase_if(groups, [&](Group* group) {
      const std::optional<Grantee> grantee = NextOf(*group);
      if (grantee) grantees.push_back(*grantee);
      return !grantee;
    });
    if (grantees.empty()) return;
    const auto first =
        std::min_element(grantees.begin(), grantees.end(), [](const Grantee& a, const Grantee& b) {
          const JobState& one = *a.member->job;
          const JobState& other = *b.member->job;
          if (one.priority != other.priority) return one.priority > other.priority;
          return one.open() < other.open();
        });
    GrantTurn(*first, grantees.size() > 1);
  }
}

// Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996) within the highest priority that has
// something to ask. A job that comes, or whose cells waited for something else, may catch up on
// what it could not use, by so much.
std::int64_t Engine::Impl::StartOf(const Group& group, const Group::Member& member) {
  return std::max(member.finish, group.clock - kCatchUp);
}

std::optional<Engine::Impl::Grantee> Engine::Impl::NextOf(Group& group) {
  if (group.limits.Available(now(), {}) <= 0) return std::nullopt;
  std::optional<Grantee> best;
  std::int64_t candidates = 0;
  for (Group::Member& member : group.members) {
    JobState& job = *member.job;
    const bool better = !best || job.priority > best->member->job->priority ||
                        (job.priority == best->member->job->priority &&
                         StartOf(group, member) < StartOf(group, *best->member));
    if (!better && job.priority < best->member->job->priority) continue;
    for (std::size_t i = 0; i < member.entries.size(); ++i) {
      const std::size_t place = (member.next_entry + i) % member.entries.size();
      EntryState& entry = job.entries[member.entries[place]];
      KindState* kind = Grantable(entry);
      if (kind == nullptr) continue;
      const std::int64_t room = group.limits.Available(now(), entry.Largest(*kind));
      if (room <= 0) continue;
      const std::int64_t left = job.BudgetLeft(entry, *kind);
      if (left <= 0) continue;
      std::int64_t slots = 0;
      std::int64_t workers = 0;
      const std::uint32_t worker = PickWorker(entry.model.endpoint, &slots, &workers);
      if (worker == kNoWorker) continue;
      if (best && job.priority > best->member->job->priority) candidates = 0;
      ++candidates;
      if (!better) break;
      // Evenly over the workers.
      const std::int64_t count = (std::min({room, left, slots}) + workers - 1) / workers;
      best = Grantee{&group, &member, member.entries[place], kind, worker, count, false};
      member.next_entry = place;
      break;
    }
  }
  if (best) best->contested = candidates > 1;
  return best;
}

void Engine::Impl::GrantTurn(const Grantee& grantee, bool groups_wait) {
  Group& group = *grantee.group;
  Group::Member& member = *grantee.member;
  std::int64_t count = std::min<std::int64_t>(grantee.count, workers_[grantee.worker].Free(now()));
  if (groups_wait || grantee.contested || member.entries.size() > 1) count = std::min(count, kTurn);
  if (!grantee.kind->replied) count = 1;
  const std::int64_t granted =
      GrantCells(*member.job, grantee.entry, *grantee.kind, grantee.worker, count);
  const std::int64_t start = StartOf(group, member);
  group.clock = std::max(start, group.clock);
  member.finish = start + granted;
  member.next_entry = (member.next_entry + 1) % member.entries.size();
}

std::int64_t Engine::Impl::GrantCells(JobState& job, std::uint32_t entry, KindState& kind,
                                      std::uint32_t worker, std::int64_t count) {
  std::int64_t granted = 0;
  std::uint32_t index = 0;
  while (granted < count && kind.cells.Take(now(), &index)) {
    AddLease(job, entry, kind, index, worker, /*alone=*/false);
    ++granted;
  }
  return granted;
}

LeaseRecord Engine::Impl::RecordOf(const Lease& lease) {
  const KindState& kind = lease.job->entries[lease.entry].kinds[lease.kind];
  return {lease.attempt,      lease.job->key(), {lease.entry, kind.kind, lease.index},
          lease.size.total(), lease.alone,      lease.trial,
          lease.size.output};
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
    batch.sent_up_to = (unsent_batches_.empty() ? batch.id : *unsent_batches_.begin()) - 1;
    batches_.try_emplace(batch.id);
    unsent_batches_.insert(batch.id);
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
  lease.size = state.SizeOf(kind, index);
  lease.granted = now();
  lease.grant_wall = instant_.wall;
  lease.batch = batch.id;
  if (!kind.chains.empty()) lease.trial = kind.chains.Of(index).trial;
  granted.leases.emplace_back(leases_.Add(lease), lease.attempt);
  batch.leases.push_back(RecordOf(lease));
  groups_[state.group].limits.Take(now(), 1, lease.size);
  Batch& kept = batches_[batch.id];
  ++kept.open;
  ++kept.unsent;
  kept.day = kept.day || groups_[state.group].limits.HasDay();
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
  return groups_[entry.group].limits.MayStart(now(), lease.granted) ||
         Planted(PlantedBug::kRetryAfterIgnored);
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
  SettledSending(lease.batch);
  lease.state = Lease::State::kSent;
  lease.sent = now();
  lease.session = worker.session;
  groups_[entry.group].limits.Sent(now(), lease.size);
  command.leases.push_back({lease.attempt,
                            lease.job->key(),
                            {lease.entry, entry.kinds[lease.kind].kind, lease.index},
                            lease.size.total(),
                            lease.alone,
                            lease.trial,
                            lease.size.output});
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
