#include "common/base/time_proto.h"
#include "coordinator/engine/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace candor::engine {

const JobState* Engine::Impl::FindJob(JobKey key) const {
  const auto found = jobs_.find(key);
  return found == jobs_.end() ? nullptr : found->second.get();
}

JobState* Engine::Impl::FindJob(JobKey key) {
  const auto found = jobs_.find(key);
  return found == jobs_.end() ? nullptr : found->second.get();
}

std::uint32_t Engine::Impl::GroupNumber(const std::string& name) {
  const auto [found, added] =
      group_numbers_.try_emplace(name, static_cast<std::uint32_t>(groups_.size()));
  if (added) {
    // Workers start a call within `start_within`; 50 ms more are for the ways of the messages.
    groups_.emplace_back(name, catalog_.ConfiguredOf(name),
                         options_.start_within + std::chrono::milliseconds(50));
  }
  return found->second;
}

void Engine::Impl::Touch(JobState& job) {
  if (job.touched) return;
  job.touched = true;
  touched_.push_back(&job);
}

void Engine::Impl::SettleLater(JobState& job) {
  if (std::exchange(job.to_settle, true)) return;
  to_settle_.push_back(&job);
}

void Engine::Impl::UpdateMembers(JobState& job) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> wanted;
  if (job.runs() && !job.deleted) {
    for (std::uint32_t i = 0; i < job.entries.size(); ++i) {
      const EntryState& entry = job.entries[i];
      if (entry.state == EntryState::State::kRunning) wanted[entry.group].push_back(i);
    }
  }
  for (std::uint32_t number = 0; number < groups_.size(); ++number) {
    std::vector<Group::Member>& members = groups_[number].members;
    const auto place = std::lower_bound(
        members.begin(), members.end(), job.key(),
        [](const Group::Member& member, JobKey key) { return member.job->key() < key; });
    const bool is_member = place != members.end() && place->job == &job;
    const auto entries = wanted.find(number);
    if (entries == wanted.end()) {
      if (is_member) members.erase(place);
    } else if (is_member) {
      place->entries = std::move(entries->second);
    } else {
      members.insert(place, {&job, std::move(entries->second), 0, 0});
    }
  }
}

void Engine::Impl::On(JobCreated& event) {
  if (!event.request_id.empty() && by_request_.contains(event.request_id)) return;
  auto created = std::make_shared<v1::Job>(*event.job);
  *created->mutable_create_time() = ToProto(instant_.wall);
  auto state = std::make_unique<JobState>();
  JobState& job = *state;
  job.record = {next_job_++, event.request_id, std::move(created), event.specification};
  job.hash = event.job->specification_hash();
  job.priority = event.job->priority();
  if (event.job->retry().has_max_attempts()) {
    job.max_attempts = std::max(1, event.job->retry().max_attempts());
  }
  job.entries = BuildEntries(*event.specification, catalog_, true);
  TakeOver(job, event.reused);
  for (std::size_t i = 0; i < job.entries.size(); ++i) {
    EntryState& entry = job.entries[i];
    entry.group = GroupNumber(entry.model.group);
    for (KindState& kind : entry.kinds) StartChains(job, static_cast<std::uint16_t>(i), kind);
  }
  InitBatches(job);
  by_name_[job.job().name()] = job.key();
  if (!job.record.request_id.empty()) by_request_[job.record.request_id] = job.key();
  write_.new_jobs.push_back(job.record);
  jobs_.emplace(job.key(), std::move(state));
  Touch(job);
  UpdateMembers(job);
  SettleLater(job);
}

void Engine::Impl::On(JobPaused& event) {
  JobState* job = FindJob(event.job);
  if (job == nullptr || !CheckPause(event.job).ok()) return;
  job->state = v1::Job::PAUSED;
  job->reason = "paused by a user; resume continues";
  Touch(*job);
  UpdateMembers(*job);
}

void Engine::Impl::On(JobResumed& event) {
  JobState* job = FindJob(event.job);
  if (job == nullptr || !CheckResume(event.job).ok()) return;
  job->state = job->start_time ? v1::Job::RUNNING : v1::Job::QUEUED;
  job->reason.clear();
  job->end_time.reset();
  job->forgotten = false;
  for (EntryState& entry : job->entries) {
    if (entry.state != EntryState::State::kStopped) continue;
    entry.state = EntryState::State::kRunning;
    entry.reason.clear();
    for (KindState& kind : entry.kinds) kind.streak = 0;
  }
  Touch(*job);
  UpdateMembers(*job);
  SettleLater(*job);
}

void Engine::Impl::On(JobCancelled& event) {
  JobState* job = FindJob(event.job);
  if (job == nullptr || !CheckCancel(event.job).ok()) return;
  EndJob(*job, v1::Job::CANCELLED, "cancelled by a user");
}

void Engine::Impl::On(JobDeleted& event) {
  JobState* job = FindJob(event.job);
  if (job == nullptr || !CheckDelete(event.job).ok()) return;
  job->deleted = true;
  job->DropCells();
  if (!job->record.request_id.empty()) by_request_.erase(job->record.request_id);
  write_.deleted_jobs.push_back(job->key());
  at_commit_.deleted.push_back(job->key());
}

void Engine::Impl::EndJob(JobState& job, v1::Job::State state, std::string reason) {
  job.state = state;
  job.reason = std::move(reason);
  job.end_time = instant_.wall;
  Touch(job);
  UpdateMembers(job);
  FreeWhenSettled(job);
}

void Engine::Impl::FreeWhenSettled(JobState& job) {
  if (!job.settled()) return;
  if (!job.forgotten) {
    job.forgotten = true;
    commands_.emplace_back(ForgetJob{job.key()});
    // Its state may have been visible for long; that nothing is in flight any more is new.
    if (job.visible) Publish(job.key());
  }
  // A lost worker may still come with a reply that is its cell's first.
  if (!job.has_cells || job.unknown_attempts() > 0) return;
  // A failed job with pending cells can be resumed.
  if (job.state != v1::Job::FAILED || job.pending() == 0) job.DropCells();
}

void Engine::Impl::GiveUpTentative(JobState& job, std::uint16_t entry, KindState& kind) {
  for (const std::uint32_t index : kind.cells.GiveUpTentative()) {
    ++kind.failed;
    write_.failed_cells.push_back({job.key(), {entry, kind.kind, index}});
    CellSettled(job, entry, kind, index);
  }
  Touch(job);
}

void Engine::Impl::StopEntry(JobState& job, EntryState& entry, const std::string& words,
                             std::int32_t calls) {
  entry.state = EntryState::State::kStopped;
  const std::string after =
      calls == 0 ? std::string() : fmt::format(" after {} call{}", calls, calls == 1 ? "" : "s");
  entry.reason = fmt::format("stopped{}: {}{} Mend it, then `candor resume {}`.", after, words,
                             words.ends_with('.') ? "" : ".", job.job().name());
  for (KindState& kind : entry.kinds) kind.cells.ReturnTentative(now());
  Touch(job);
  UpdateMembers(job);
  SettleLater(job);
}

void Engine::Impl::StopGroup(std::uint32_t group, const std::string& words) {
  for (auto& [key, job] : jobs_) {
    if (job->terminal() || !job->has_cells) continue;
    for (EntryState& entry : job->entries) {
      if (entry.group != group || entry.state != EntryState::State::kRunning) continue;
      StopEntry(*job, entry, words, 0);
    }
  }
}

void Engine::Impl::SettleEntry(JobState& job, std::uint16_t number) {
  EntryState& entry = job.entries[number];
  if (entry.state != EntryState::State::kRunning) return;
  for (const KindState& kind : entry.kinds) {
    if (kind.open > 0 || kind.chains.asked() > 0 ||
        kind.cells.pending() > kind.cells.tentative() + kind.cells.closed()) {
      return;
    }
  }
  // Nothing else is left to run: what failed tentatively failed for good, unless nothing ever
  // succeeded, which is not the cells' fault.
  for (KindState& kind : entry.kinds) {
    if (kind.cells.tentative() == 0) continue;
    // At its end it is known whether it got any reply.
    if (!provider_batches_.OpenOf(entry).empty()) return;
    if (!entry.replied()) {
      StopEntry(job, entry, entry.last_error, entry.streak());
      return;
    }
    GiveUpTentative(job, number, kind);
  }
  // Of an adaptive design the next ones of their scenarios follow now.
  if (entry.pending() > 0) return;
  entry.state = EntryState::State::kFinished;
  entry.reason.clear();
  Touch(job);
  UpdateMembers(job);
}

void Engine::Impl::Settle(JobState& job) {
  job.to_settle = false;
  if (job.terminal() || job.deleted || !job.has_cells) return;
  for (std::size_t i = 0; i < job.entries.size(); ++i) {
    SettleEntry(job, static_cast<std::uint16_t>(i));
  }
  if (job.open() > 0) return;
  const bool ended = std::none_of(
      job.entries.begin(), job.entries.end(),
      [](const EntryState& entry) { return entry.state == EntryState::State::kRunning; });
  if (!ended) {
    std::string spent = job.runs() ? job.BudgetSpent() : std::string();
    if (!spent.empty()) EndJob(job, v1::Job::BUDGET_EXHAUSTED, std::move(spent));
    return;
  }
  if (job.has_stopped()) {
    // A paused job waits for its user anyway.
    if (!job.runs()) return;
    std::string reason;
    for (const EntryState& entry : job.entries) {
      if (entry.state != EntryState::State::kStopped) continue;
      reason = fmt::format("{}: {}", entry.name, entry.reason);
      break;
    }
    EndJob(job, v1::Job::FAILED, std::move(reason));
  } else if (job.done() == 0) {
    std::string why = "the attempts say why";
    for (const EntryState& entry : job.entries) {
      if (entry.last_failure.empty()) continue;
      why = fmt::format("{}'s latest error: {}", entry.name, entry.last_failure);
      break;
    }
    EndJob(job, v1::Job::FAILED, "no cell got an outcome; " + why);
  } else {
    EndJob(job, v1::Job::SUCCEEDED, "");
  }
}

}  // namespace candor::engine
