#include "coordinator/engine/engine.h"

#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/planted_bug.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace candor::engine {
namespace {

// A batch counts in limit windows for a minute and their guard, and after a restart for up to
// another 10 s (see engine_recovery.cc).
constexpr Duration kBatchAge = std::chrono::seconds(75);
constexpr Duration kDay = std::chrono::hours(24);
// Closing old batches is no reason to write by itself, until this long has passed.
constexpr Duration kClosePatience = std::chrono::seconds(5);
// Nor is the time, unless something waits for it: what a restart would have it wait once more.
constexpr Duration kTimePatience = std::chrono::seconds(5);
// Grants of a fast group gather for so long, so that batches are not of one lease each.
constexpr Duration kGather = std::chrono::milliseconds(20);
// An event that comes so much later than was asked for was held up with everything else.
constexpr Duration kPunctual = std::chrono::seconds(1);

}  // namespace

Engine::Impl::Impl(Options options, Recovery recovery)
    : options_(std::move(options)),
      catalog_(options_.config),
      random_(options_.seed, static_cast<std::uint64_t>(recovery.term)),
      term_(recovery.term),
      store_id_(recovery.store_id) {
  instant_.now = recovery.engine_now;
  persisted_ = recovery.engine_now;
  accounted_ = recovery.engine_now;
  for (const std::string& name : catalog_.Groups()) GroupNumber(name);
  Recover(recovery);
}

std::vector<Command> Engine::Impl::Handle(const Instant& instant, Event& event) {
  // Nobody waited for anything while the machine slept.
  if (ForgiveSleep(instant.now)) accounted_ = instant.now;
  AccountWaits(instant.now);
  instant_ = instant;
  promised_.reset();
  commands_.clear();
  std::visit([this](auto& what) { On(what); }, event);
  LoseSilentWorkers();
  TakeSteps();
  for (std::size_t i = 0; i < to_settle_.size(); ++i) Settle(*to_settle_[i]);
  to_settle_.clear();
  Grant();
  Finish();
  return std::move(commands_);
}

// Workers speak, and nobody listens while the coordinator is stopped (a machine that sleeps, a disk
// that holds up everything): their messages wait, and come only after this. Silence while it slept
// is not theirs. When it fell asleep nobody knows; no earlier than the last event.
bool Engine::Impl::ForgiveSleep(TimePoint woken) {
  if (woken - now() <= kPunctual) return false;
  const std::optional<TimePoint> promised = promised_ ? *promised_ : NextWakeup();
  if (!promised || woken - *promised <= kPunctual) return false;
  const Duration slept = woken - now();
  for (const auto& [name, number] : workers_.by_name()) workers_[number].last_heard += slept;
  return true;
}

void Engine::Impl::On(TimePassed& /*event*/) {}

void Engine::Impl::On(LimitsChanged& event) {
  constexpr std::string_view kPrefix = "limitGroups/";
  std::string_view name = event.limit_group;
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  const auto found = group_numbers_.find(name);
  if (found != group_numbers_.end()) {
    groups_[found->second].limits.SetConfigured(now(), event.limits);
  }
}

bool Engine::Impl::WriteIsEmpty() const {
  return write_.new_jobs.empty() && write_.deleted_jobs.empty() && write_.statuses.empty() &&
         write_.lease_batches.empty() && write_.provider_batches.empty() &&
         write_.attempts.empty() && write_.outcomes.empty() && write_.reused_outcomes.empty() &&
         write_.failed_cells.empty() && !write_.blocked_groups;
}

bool Engine::Impl::TimeMatters() const {
  return leases_.size() > 0 || std::any_of(groups_.begin(), groups_.end(), [this](const Group& g) {
           return g.limits.blocked_until() > now();
         });
}

void Engine::Impl::CloseOldBatches() {
  const auto age = [this](std::uint64_t id) {
    const auto found = batches_.find(id);
    found->second.aged = true;
    if (found->second.open > 0) return;
    closable_.push_back(id);
    batches_.erase(found);
  };
  while (!aging_.empty() && aging_.front().first + kBatchAge <= now()) {
    const std::uint64_t id = aging_.front().second;
    if (batches_.find(id)->second.day) {
      aging_for_a_day_.push_back(aging_.front());
    } else {
      age(id);
    }
    aging_.pop_front();
  }
  while (!aging_for_a_day_.empty() && aging_for_a_day_.front().first + kDay + kBatchAge <= now()) {
    age(aging_for_a_day_.front().second);
    aging_for_a_day_.pop_front();
  }
  if (!closable_.empty() && !closable_since_) closable_since_ = now();
}

void Engine::Impl::EndedLease(std::uint64_t batch) {
  const auto found = batches_.find(batch);
  if (found == batches_.end() || found->second.open == 0) return;
  if (--found->second.open > 0 || !found->second.aged) return;
  closable_.push_back(batch);
  batches_.erase(found);
}

void Engine::Impl::SettledSending(std::uint64_t batch) {
  if (--batches_.find(batch)->second.unsent == 0) unsent_batches_.erase(batch);
}

void Engine::Impl::Acknowledge(const WorkerState& worker, AttemptId attempt) {
  if (worker.session != 0) acknowledged_[worker.session].push_back(attempt);
}

void Engine::Impl::AcknowledgeWithLast(const WorkerState& worker, AttemptId attempt) {
  AtCommit& with = WriteIsEmpty() && !uncommitted_.empty() ? uncommitted_.back() : at_commit_;
  with.late.emplace_back(worker.name, attempt);
}

void Engine::Impl::Publish(JobKey job) {
  if (std::find(published_.begin(), published_.end(), job) == published_.end()) {
    published_.push_back(job);
  }
}

void Engine::Impl::Finish() {
  CloseOldBatches();
  WriteTouchedBatches();
  for (JobState* job : touched_) {
    job->touched = false;
    if (job->deleted) continue;
    std::shared_ptr<const v1::Job> status = BuildStatus(*job);
    write_.statuses.push_back({job->key(), status});
    at_commit_.statuses.emplace_back(job->key(), std::move(status));
  }
  touched_.clear();
  if (std::exchange(blocked_changed_, false)) {
    write_.blocked_groups.emplace();
    for (const Group& group : groups_) {
      if (group.limits.blocked_until() > now()) {
        write_.blocked_groups->push_back({group.name, group.limits.blocked_until()});
      }
    }
  }
  if (!WriteIsEmpty() || (closable_since_ && *closable_since_ + kClosePatience <= now()) ||
      (TimeMatters() && persisted_ + kTimePatience <= now())) {
    persisted_ = now();
    write_.closed_lease_batches = std::exchange(closable_, {});
    closable_since_.reset();
    write_.engine_now = now();
    at_commit_.ticket = ++last_ticket_;
    commands_.emplace_back(Persist{last_ticket_, std::exchange(write_, {})});
    uncommitted_.push_back(std::exchange(at_commit_, {}));
  }
  if (Planted(PlantedBug::kSendBeforeCommit) && !uncommitted_.empty()) {
    for (const AtCommit::Granted& granted : std::exchange(uncommitted_.back().granted, {})) {
      SendGranted(granted);
    }
  }
  AskAboutParked();
  for (auto& [session, attempts] : acknowledged_) {
    commands_.emplace_back(engine::Acknowledge{session, std::move(attempts)});
  }
  acknowledged_.clear();
  if (!wanted_.empty()) commands_.emplace_back(ProposeTrials{std::exchange(wanted_, {})});
  for (const JobKey key : published_) commands_.emplace_back(PublishJob{key});
  published_.clear();
}

void Engine::Impl::On(CommitFinished& event) {
  durable_ = std::max(durable_, std::min(event.ticket, last_ticket_));
  while (!uncommitted_.empty() && uncommitted_.front().ticket <= durable_) {
    AtCommit done = std::move(uncommitted_.front());
    uncommitted_.pop_front();
    FinishCommit(done);
  }
}

void Engine::Impl::FinishCommit(AtCommit& done) {
  JobState* last = nullptr;
  for (const LeaseSlot slot : done.reported) {
    const Lease& lease = leases_[slot];
    WorkerState& worker = workers_[lease.worker];
    Acknowledge(worker, lease.attempt);
    --worker.taken;
    if (lease.alone) worker.alone = false;
    JobState& job = *lease.job;
    --job.entries[lease.entry].kinds[lease.kind].in_flight;
    const std::uint32_t number = lease.worker;
    leases_.Remove(slot);
    RemoveIfGone(number);
    if (last != nullptr && last != &job) FreeWhenSettled(*last);
    last = &job;
  }
  for (const auto& [name, attempt] : done.late) {
    late_.erase(attempt);
    if (const WorkerState* worker = workers_.Find(name)) Acknowledge(*worker, attempt);
  }
  for (auto& [key, status] : done.statuses) {
    JobState* job = FindJob(key);
    if (job == nullptr) continue;
    job->visible_status = std::move(status);
    job->visible = true;
    Publish(key);
  }
  if (last != nullptr) FreeWhenSettled(*last);
  BatchesDurable(done.provider_batches);
  for (const AtCommit::Granted& granted : done.granted) SendGranted(granted);
  wanted_.insert(wanted_.end(), done.wanted.begin(), done.wanted.end());
  for (const JobKey key : done.deleted) {
    provider_batches_.Remove(*jobs_[key]);
    by_name_.erase(jobs_[key]->job().name());
    jobs_.erase(key);
  }
}

std::optional<TimePoint> Engine::Impl::NextWakeup() {
  std::optional<TimePoint> next;
  const auto at = [&next](TimePoint time) {
    if (!next || time < *next) next = time;
  };
  for (const auto& [name, number] : workers_.by_name()) {
    if (workers_[number].is_batch) continue;
    at(workers_[number].last_heard + options_.lease_ttl);
    if (workers_[number].rests_until > now()) at(workers_[number].rests_until);
  }
  if (TimeMatters()) at(persisted_ + kTimePatience);
  if (closable_since_) {
    at(*closable_since_ + kClosePatience);
  } else if (!aging_.empty()) {
    at(aging_.front().first + kBatchAge);
  }
  for (Group& group : groups_) {
    if (group.members.empty()) continue;
    const TimePoint from = group.settled_at;
    for (Group::Member& member : group.members) {
      if (!member.job->runs()) continue;
      for (const std::uint32_t number : member.entries) {
        EntryState& entry = member.job->entries[number];
        for (KindState& kind : entry.kinds) {
          if (kind.held()) continue;  // until TrialsProposed
          if (!entry.GoesLive(kind)) continue;
          std::optional<TimePoint> ready;
          if (kind.cells.HasReady(now())) {
            ready = from > now() ? from : now();
          } else if (const auto queued = kind.cells.NextReady()) {
            ready = std::max(from, *queued);
          }
          if (!ready) continue;
          if (const auto chance = group.limits.NextChance(now(), entry.Largest(kind))) {
            ready = std::max(*ready, *chance);
            // What can go now and did not waits for an event: a slot, a reply, a worker.
            if (*ready > now()) at(std::max(*ready, now() + std::min(kGather, *ready - now())));
          } else if (*ready > now()) {
            at(*ready);
          }
        }
      }
    }
  }
  if (const auto batch = NextBatchWakeup()) at(*batch);
  if (next && *next < now()) next = now();
  promised_ = next;
  return next;
}

Engine::Engine(Options options, Recovery recovery)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(recovery))) {}
Engine::~Engine() = default;

std::vector<Command> Engine::Handle(const Instant& instant, Event event) {
  return impl_->Handle(instant, event);
}
std::optional<TimePoint> Engine::NextWakeup() const { return impl_->NextWakeup(); }
std::optional<Engine::Request> Engine::FindRequest(std::string_view request_id) const {
  return impl_->FindRequest(request_id);
}
std::optional<JobKey> Engine::FindJob(std::string_view name) const {
  return impl_->FindJobName(name);
}
std::vector<JobKey> Engine::Jobs() const { return impl_->Jobs(); }
v1::Job Engine::GetJob(JobKey job, const Instant& instant) const {
  return impl_->GetJob(job, instant);
}
v1::Job Engine::GetJobStatus(JobKey job, const Instant& instant) const {
  return impl_->GetJobStatus(job, instant);
}
std::shared_ptr<const v1::JobSpecification> Engine::GetSpecification(JobKey job) const {
  const JobState* state = impl_->FindJob(job);
  return state == nullptr ? nullptr : state->record.specification;
}
std::shared_ptr<const v1::Job> Engine::GetCreated(JobKey job) const {
  const JobState* state = impl_->FindJob(job);
  return state == nullptr ? nullptr : state->record.job;
}
bool Engine::Settled(JobKey job) const {
  const JobState* state = impl_->FindJob(job);
  // What ended it is durable, too: a stream that ends has all outcomes.
  return state == nullptr ||
         (state->settled() && state->visible && state->visible_status->state() == state->state);
}
std::optional<Duration> Engine::TimeLeft(JobKey job, const Instant& instant) const {
  return impl_->TimeLeft(job, instant);
}
Status Engine::CheckPause(JobKey job) const { return impl_->CheckPause(job); }
Status Engine::CheckResume(JobKey job) const { return impl_->CheckResume(job); }
Status Engine::CheckCancel(JobKey job) const { return impl_->CheckCancel(job); }
Status Engine::CheckDelete(JobKey job) const { return impl_->CheckDelete(job); }
std::vector<v1::Batch> Engine::Batches(JobKey job) const { return impl_->Batches(job); }
Status Engine::CheckReuse(JobKey job) const { return impl_->CheckReuse(job); }
v1::JobEstimate Engine::Estimate(const v1::Job& job, const v1::JobSpecification& specification,
                                 const ReusedCounts& reused) const {
  return impl_->Estimate(job, specification, reused);
}
std::vector<v1::Worker> Engine::Workers() const { return impl_->Workers(); }
std::optional<v1::Worker> Engine::FindWorker(std::string_view name) const {
  for (v1::Worker& worker : impl_->Workers()) {
    if (worker.name() == name) return std::move(worker);
  }
  return std::nullopt;
}
std::vector<v1::LimitGroup> Engine::LimitGroups(const Instant& instant) const {
  return impl_->LimitGroups(instant);
}
Overview Engine::GetOverview(const Instant& instant) const { return impl_->GetOverview(instant); }
v1::JobExplanation Engine::Explain(JobKey job, const Instant& instant,
                                   const StoreTimes& store) const {
  return impl_->Explain(job, instant, store);
}
std::int64_t Engine::term() const { return impl_->term(); }

}  // namespace candor::engine
