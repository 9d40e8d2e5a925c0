#include "coordinator/engine/capped.h"
#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/planted_bug.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace candor::engine {
namespace {

// A call counts from when its lease was sent, which nobody wrote down: for each batch, by id, the
// latest that it can have been. Counting too long is safe.
std::vector<TimePoint> LatestSending(const std::vector<Recovery::OpenLeaseBatch>& batches,
                                     TimePoint now) {
  std::vector<TimePoint> latest;
  latest.reserve(batches.size());
  std::size_t later = 0;
  for (const Recovery::OpenLeaseBatch& batch : batches) {
    while (later < batches.size() && batches[later].batch.sent_up_to < batch.batch.id) ++later;
    latest.push_back(later < batches.size() ? batches[later].batch.grant_time : now);
  }
  return latest;
}

// What a lease of before reserved.
CallSize SizeOf(const LeaseRecord& lease, const EntryState& entry) {
  CallSize size;
  size.count = entry.model.count;
  size.output = std::clamp<std::int64_t>(lease.reserved_output, 0, lease.reserved_tokens);
  size.input = size.count == TokenCount::kLarger || size.count == TokenCount::kInput
                   ? lease.reserved_tokens
                   : lease.reserved_tokens - size.output;
  return size;
}

}  // namespace

void Engine::Impl::RecoverBatches(std::vector<ProviderBatchRecord>& records) {
  for (const ProviderBatchRecord& record : records) {
    JobState* job = FindJob(record.job);
    if (job == nullptr || record.entry >= job->entries.size()) continue;
    ProviderBatch batch;
    RestoreRecord(record, batch);
    batch.name = FormatBatchName(store_id_, record.id);
    batch.job = job;
    // Nobody wrote down whether a worker was told to create it, or which lines were answered.
    batch.may_exist = batch.provider_batch.empty();
    batch.answered = true;
    batch.replied = true;
    batch.quiet = batch.state == v1::Batch::INTENDED;
    batch.due = now() + (batch.quiet ? SubmitQuiet() : Duration(0));
    if (batch.state == v1::Batch::DONE) ++job->entries[record.entry].batches_ended;
    provider_batches_.Add(std::move(batch));
  }
}

JobState& Engine::Impl::RecoverJob(JobRecovery& recovery) {
  auto state = std::make_unique<JobState>();
  JobState& job = *state;
  job.record = recovery.record;
  job.hash = job.job().specification_hash();
  job.priority = job.job().priority();
  if (job.job().retry().has_max_attempts()) {
    job.max_attempts = std::max(1, job.job().retry().max_attempts());
  }
  job.has_cells = true;
  job.entries = BuildEntries(*job.record.specification, catalog_, true);
  for (EntryState& entry : job.entries) entry.group = GroupNumber(entry.model.group);
  InitBatches(job);
  if (recovery.status != nullptr) RestoreStatus(*recovery.status, job);
  job.visible_status = recovery.status != nullptr ? recovery.status : BuildStatus(job);
  job.visible = true;

  const auto kind_of = [&job](const CellKey& cell) -> KindState* {
    return cell.entry < job.entries.size() ? job.entries[cell.entry].FindKind(cell.kind) : nullptr;
  };
  for (const UnansweredCalls& counted : recovery.unanswered) {
    KindState* kind = kind_of({counted.entry, counted.kind, 0});
    if (kind != nullptr) kind->unanswered = counted.calls;
  }
  for (EntryState& entry : job.entries) {
    for (KindState& kind : entry.kinds) {
      kind.RestoreUnanswered();
      // So that what was seen of a tokenizer that makes more of a text than was reckoned still
      // bounds what the next calls may take.
      const std::int64_t told = kind.calls - kind.unanswered;
      if (told <= 0) continue;
      kind.largest_tokens = AddCapped(kind.input_tokens, kind.output_tokens) / told;
      kind.largest_money = kind.money / told;
    }
  }
  for (const CellKey& cell : recovery.done) {
    if (KindState* kind = kind_of(cell)) kind->cells.RestoreDone(cell.index);
  }
  for (const CellKey& cell : recovery.failed) {
    if (KindState* kind = kind_of(cell)) kind->cells.RestoreFailed(cell.index);
  }
  by_name_[job.job().name()] = job.key();
  if (!job.record.request_id.empty()) by_request_[job.record.request_id] = job.key();
  return *jobs_.emplace(job.key(), std::move(state)).first->second;
}

void Engine::Impl::Recover(Recovery& recovery) {
  next_job_ = recovery.next_job_key;
  next_batch_ = recovery.next_lease_batch;
  for (JobRecovery& job : recovery.jobs) RecoverJob(job);
  for (EndedJob& ended : recovery.ended_jobs) {
    auto state = std::make_unique<JobState>();
    JobState& job = *state;
    job.record = std::move(ended.record);
    job.hash = job.job().specification_hash();
    job.entries = BuildEntries(*job.record.specification, catalog_, false);
    // An imported job never calls anybody: its endpoints are names, and make no limit groups.
    if (!job.job().imported()) {
      for (EntryState& entry : job.entries) entry.group = GroupNumber(entry.model.group);
    }
    job.has_cells = false;
    job.forgotten = true;
    if (ended.status != nullptr) RestoreStatus(*ended.status, job);
    job.visible_status = ended.status != nullptr ? ended.status : BuildStatus(job);
    job.visible = true;
    by_name_[job.job().name()] = job.key();
    if (!job.record.request_id.empty()) by_request_[job.record.request_id] = job.key();
    jobs_.emplace(job.key(), std::move(state));
  }

  RecoverBatches(recovery.provider_batches);
  std::sort(recovery.lease_batches.begin(), recovery.lease_batches.end(),
            [](const auto& a, const auto& b) { return a.batch.id < b.batch.id; });
  const std::vector<TimePoint> latest = LatestSending(recovery.lease_batches, now());
  for (std::size_t i = 0; i < recovery.lease_batches.size(); ++i) {
    const Recovery::OpenLeaseBatch& recovered = recovery.lease_batches[i];
    const LeaseBatchRecord& record = recovered.batch;
    Batch& batch = batches_[record.id];
    aging_.emplace_back(record.grant_time, record.id);
    const TimePoint sent = latest[i];
    const absl::flat_hash_map<AttemptId, bool> open = [&] {
      absl::flat_hash_map<AttemptId, bool> set;
      for (const AttemptId attempt : recovered.open) set[attempt] = true;
      return set;
    }();
    for (const LeaseRecord& leased : record.leases) {
      JobState* job = FindJob(leased.job);
      if (job == nullptr || leased.cell.entry >= job->entries.size()) continue;
      EntryState& entry = job->entries[leased.cell.entry];
      KindState* kind = entry.FindKind(leased.cell.kind);
      if (kind == nullptr) continue;
      Group& group = groups_[entry.group];
      const bool is_open = open.contains(leased.attempt) && job->has_cells;
      ProviderBatch* const in_batch = provider_batches_.Find(record.worker);
      batch.day = batch.day || (in_batch == nullptr && group.limits.HasDay());
      if (in_batch == nullptr && !Planted(PlantedBug::kLimitsResetAtRestart)) {
        group.limits.Restore(now(), sent, SizeOf(leased, entry), is_open);
      }
      if (!is_open) continue;
      // Done meanwhile by a late report, or else out with this lease.
      if (!kind->cells.IsDone(leased.cell.index)) kind->cells.RestoreLeased(leased.cell.index);
      WorkerState& worker = workers_.Add(record.worker);
      worker.last_heard = now();
      ++worker.taken;
      worker.alone = worker.alone || leased.alone;
      Lease lease;
      lease.attempt = leased.attempt;
      lease.job = job;
      lease.worker = workers_.NumberOf(worker);
      lease.index = leased.cell.index;
      lease.entry = leased.cell.entry;
      lease.kind = static_cast<std::uint8_t>(kind - entry.kinds.data());
      lease.state = Lease::State::kSent;
      lease.alone = leased.alone;
      lease.in_batch = in_batch != nullptr;
      lease.size = SizeOf(leased, entry);
      lease.granted = record.grant_time;
      lease.sent = sent;
      lease.grant_wall = record.grant_wall;
      lease.batch = record.id;
      leases_.Add(lease);
      ++batch.open;
      ++kind->open;
      ++kind->in_flight;
      if (in_batch != nullptr) {
        worker.is_batch = true;
        ++kind->batch_open;
        in_batch->prompt_tokens += std::max<std::int64_t>(1, kind->prompt_tokens);
        continue;
      }
      group.awaited.insert(record.worker);
      group.settled_at = now() + options_.settle_time;
    }
  }
  std::sort(aging_.begin(), aging_.end());

  for (const JobRecovery& recovered : recovery.jobs) {
    JobState& job = *FindJob(recovered.record.key);
    for (const TriedCell& tried : recovered.tried) {
      if (tried.cell.entry >= job.entries.size()) continue;
      KindState* kind = job.entries[tried.cell.entry].FindKind(tried.cell.kind);
      if (kind == nullptr) continue;
      CellTable::Tried known;
      known.failures = tried.failures;
      known.first_failure = now();
      known.refusals = tried.refusals;
      known.first_refusal = now();
      known.deaths = tried.deaths;
      known.deaths_alone = tried.deaths_alone;
      kind->cells.RestoreTried(tried.cell.index, known, tried.deaths >= kDeathsTogether, now());
    }
  }
  for (const BlockedGroupRecord& blocked : recovery.blocked_groups) {
    Group& group = groups_[GroupNumber(blocked.limit_group)];
    group.limits.RestoreBlock(blocked.until);
  }
  if (!recovery.lease_batches.empty()) {
    for (Group& group : groups_) group.limits.Restarted(now());
  }
  for (auto& [key, job] : jobs_) {
    UpdateMembers(*job);
    if (!job->has_cells) continue;
    RestoreChains(*job);
    if (job->terminal()) FreeWhenSettled(*job);
    SettleLater(*job);
  }
}

}  // namespace candor::engine
