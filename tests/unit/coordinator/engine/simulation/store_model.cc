#include "tests/unit/coordinator/engine/simulation/store_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace candor::engine::simulation {
namespace {

bool IsTerminal(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED ||
         state == v1::Job::BUDGET_EXHAUSTED;
}

bool IsCall(v1::Attempt::State state) {
  return state == v1::Attempt::COMPLETED || state == v1::Attempt::FAILED ||
         state == v1::Attempt::UNANSWERED || state == v1::Attempt::DUPLICATE;
}

}  // namespace

void StoreModel::CommitUpTo(Ticket ticket) {
  while (!queue_.empty() && queue_.front().ticket <= ticket) {
    Apply(queue_.front().batch);
    durable_ = queue_.front().ticket;
    queue_.pop_front();
  }
}

void StoreModel::Crash() {
  queue_.clear();
  durable_ = 0;
}

const StoreModel::AttemptRow* StoreModel::FindAttempt(AttemptId attempt) const {
  const auto job = job_of_.find(attempt);
  if (job == job_of_.end()) return nullptr;
  const auto rows = jobs_.find(job->second);
  if (rows == jobs_.end()) return nullptr;
  const auto row = rows->second.attempts.find(attempt);
  return row == rows->second.attempts.end() ? nullptr : &row->second;
}

void StoreModel::Apply(WriteBatch& batch) {
  const auto fail = [this](std::string text) { violations_.push_back(std::move(text)); };
  if (batch.engine_now < engine_now_) fail("the engine's time went back");
  engine_now_ = batch.engine_now;
  for (JobRecord& record : batch.new_jobs) {
    next_job_ = std::max(next_job_, record.key + 1);
    const JobKey key = record.key;
    if (!jobs_.try_emplace(key).second) fail(fmt::format("job {} was created twice", key));
    jobs_[key].record = std::move(record);
  }
  for (const LeaseBatchRecord& leases : batch.lease_batches) {
    next_batch_ = std::max(next_batch_, leases.id + 1);
    for (const LeaseRecord& lease : leases.leases) {
      if (!leased_.emplace(lease.attempt, lease.alone).second) {
        fail(fmt::format("attempt {:x} was leased twice", lease.attempt));
      }
      job_of_[lease.attempt] = lease.job;
    }
    batches_[leases.id] = leases;
  }
  for (ProviderBatchRecord& record : batch.provider_batches) {
    const bool known = provider_batches_.contains(record.id);
    if (!known && record.batch->state() != v1::Batch::INTENDED) {
      fail(fmt::format("batch {:x} was first written when it was there already", record.id));
    }
    if (jobs_.contains(record.job)) provider_batches_[record.id] = std::move(record);
  }
  for (AttemptRecord& record : batch.attempts) {
    const auto rows = jobs_.find(record.job);
    if (rows == jobs_.end()) continue;
    AttemptRow& row = rows->second.attempts[record.id];
    const bool corrected = row.state == v1::Attempt::UNKNOWN ||
                           (row.state == v1::Attempt::NOT_SENT && IsCall(record.attempt->state()));
    if (row.state != v1::Attempt::STATE_UNSPECIFIED && !corrected) {
      fail(fmt::format("attempt {:x} was recorded twice", record.id));
    }
    if (rows->second.status != nullptr && corrected && IsTerminal(rows->second.status->state())) {
      rows->second.late = true;
    }
    row.state = record.attempt->state();
    row.cell = record.cell;
    row.refused_for_a_day = IsRefusalOfADay(*record.attempt);
    row.usage = record.attempt->usage();
    row.money = record.attempt->money();
    const auto leased = leased_.find(record.id);
    if (leased == leased_.end()) fail(fmt::format("attempt {:x} was never leased", record.id));
    row.alone = leased != leased_.end() && leased->second;
  }
  for (OutcomeRecord& record : batch.outcomes) {
    const auto rows = jobs_.find(record.job);
    if (rows == jobs_.end()) continue;
    const auto [row, added] = rows->second.outcomes.try_emplace(record.cell);
    if (!added) {
      fail(fmt::format("cell {}.{} has two outcomes", record.cell.entry, record.cell.index));
    }
    row->second = {record.attempt, record.outcome->class_(), record.outcome->choice()};
    if (rows->second.record.job->imported()) {
      if (record.attempt != 0) fail("an imported outcome has an attempt");
      continue;
    }
    const auto attempt = rows->second.attempts.find(record.attempt);
    if (attempt == rows->second.attempts.end() || attempt->second.state != v1::Attempt::COMPLETED) {
      fail(fmt::format("the outcome of attempt {:x} came without it", record.attempt));
    }
  }
  for (const ReusedOutcomesRecord& reused : batch.reused_outcomes) Copy(reused);
  for (const FailedCellRecord& failed : batch.failed_cells) {
    if (jobs_.contains(failed.job)) jobs_[failed.job].failed.insert(failed.cell);
  }
  for (const JobStatusRecord& status : batch.statuses) {
    const auto rows = jobs_.find(status.key);
    if (rows == jobs_.end()) {
      fail(fmt::format("a status of job {}, which does not exist", status.key));
      continue;
    }
    rows->second.status = status.status;
  }
  for (const JobKey key : batch.deleted_jobs) {
    jobs_.erase(key);
    std::erase_if(provider_batches_, [key](const auto& at) { return at.second.job == key; });
  }
  for (const std::uint64_t id : batch.closed_lease_batches) {
    const auto found = batches_.find(id);
    if (found == batches_.end()) {
      fail(fmt::format("lease batch {} was closed, but is not there", id));
      continue;
    }
    for (const LeaseRecord& lease : found->second.leases) {
      if (jobs_.contains(lease.job) && FindAttempt(lease.attempt) == nullptr) {
        fail(fmt::format("lease batch {} was closed with open leases", id));
      }
    }
    batches_.erase(found);
  }
  if (batch.blocked_groups) blocked_ = *batch.blocked_groups;
  for (const LeaseBatchRecord& leases : batch.lease_batches) {
    for (const LeaseRecord& lease : leases.leases) CheckOrder(lease);
  }
}

void StoreModel::Copy(const ReusedOutcomesRecord& reused) {
  const auto rows = jobs_.find(reused.job);
  if (rows == jobs_.end()) return;
  const auto source = jobs_.find(reused.source);
  for (const ReusedOutcomesRecord::Item& item : reused.items) {
    if (source == jobs_.end() || !source->second.outcomes.contains(item.source_cell)) {
      violations_.push_back(fmt::format("job {} takes over an outcome of job {} that is not there",
                                        reused.job, reused.source));
      continue;
    }
    OutcomeRow row = source->second.outcomes.at(item.source_cell);
    if (row.outcome_class != item.outcome_class)
      violations_.emplace_back("a copy is of another class");
    row.attempt = 0;
    if (!rows->second.outcomes.try_emplace(item.cell, row).second) {
      violations_.push_back(
          fmt::format("cell {}.{} has two outcomes", item.cell.entry, item.cell.index));
    }
  }
}

void StoreModel::CheckOrder(const LeaseRecord& lease) {
  const auto rows = jobs_.find(lease.job);
  if (rows == jobs_.end() || lease.cell.kind != v1::Cell::CHOICE) return;
  const v1::ResolvedEntry& entry = rows->second.record.specification->entries(lease.cell.entry);
  if (entry.choices().design() != v1::Choices::ADAPTIVE) return;
  const auto scenarios = static_cast<std::uint32_t>(entry.scenario_indexes_size());
  CellKey earlier = lease.cell;
  while (earlier.index >= scenarios) {
    earlier.index -= scenarios;
    if (rows->second.outcomes.contains(earlier) || rows->second.failed.contains(earlier)) continue;
    violations_.push_back(fmt::format("cell {} was leased before cell {} of its scenario was done",
                                      lease.cell.index, earlier.index));
  }
}

Recovery StoreModel::Recover() {
  Recovery recovery;
  recovery.term = ++term_;
  recovery.engine_now = engine_now_;
  recovery.next_job_key = next_job_;
  recovery.next_lease_batch = next_batch_;
  recovery.blocked_groups = blocked_;
  for (const auto& [id, record] : provider_batches_) recovery.provider_batches.push_back(record);
  std::set<JobKey> leased;
  for (const auto& [id, batch] : batches_) {
    Recovery::OpenLeaseBatch& open = recovery.lease_batches.emplace_back();
    open.batch = batch;
    std::erase_if(open.batch.leases,
                  [this](const LeaseRecord& lease) { return !jobs_.contains(lease.job); });
    for (const LeaseRecord& lease : open.batch.leases) {
      if (FindAttempt(lease.attempt) != nullptr) continue;
      open.open.push_back(lease.attempt);
      leased.insert(lease.job);
    }
  }
  for (const auto& [key, rows] : jobs_) {
    const v1::Job::State state = rows.status->state();
    if (IsTerminal(state) && state != v1::Job::FAILED && !leased.contains(key)) {
      recovery.ended_jobs.push_back({rows.record, rows.status});
      continue;
    }
    JobRecovery& job = recovery.jobs.emplace_back();
    job.record = rows.record;
    job.status = rows.status;
    for (const auto& [cell, outcome] : rows.outcomes) job.done.push_back(cell);
    for (const CellKey& cell : rows.failed) {
      if (!rows.outcomes.contains(cell)) job.failed.push_back(cell);
    }
    std::map<CellKey, TriedCell> tried;
    std::map<std::pair<std::uint16_t, v1::Cell::Kind>, std::int64_t> unanswered;
    for (const auto& [id, attempt] : rows.attempts) {
      if (attempt.state == v1::Attempt::UNANSWERED) {
        ++unanswered[{attempt.cell.entry, attempt.cell.kind}];
      }
      if (rows.outcomes.contains(attempt.cell)) continue;
      TriedCell& cell = tried[attempt.cell];
      cell.cell = attempt.cell;
      if (attempt.refused_for_a_day) {
        ++cell.refusals;
      } else if (attempt.state == v1::Attempt::FAILED || attempt.state == v1::Attempt::UNANSWERED) {
        ++cell.failures;
      } else if (attempt.state == v1::Attempt::UNKNOWN) {
        ++cell.deaths;
        if (attempt.alone) ++cell.deaths_alone;
      }
    }
    for (const auto& [cell, known] : tried) {
      if (known.failures > 0 || known.refusals > 0 || known.deaths > 0) job.tried.push_back(known);
    }
    for (const auto& [of, calls] : unanswered) {
      job.unanswered.push_back({of.first, of.second, calls});
    }
  }
  return recovery;
}

void StoreModel::Recount() {
  for (const auto& [key, rows] : jobs_) RecountJob(rows);
}

void StoreModel::RecountJob(const JobRows& rows) {
  for (int i = 0; i < rows.status->progress_size(); ++i) {
    for (const v1::KindProgress& kind : rows.status->progress(i).kinds()) {
      const auto counts = [&](const CellKey& cell) {
        return cell.entry == i && cell.kind == kind.kind();
      };
      std::int64_t done = 0;
      std::int64_t failed = 0;
      std::int64_t calls = 0;
      std::int64_t unknown = 0;
      std::int64_t money = 0;
      std::int64_t input = 0;
      std::int64_t output = 0;
      std::int64_t reused = 0;
      std::set<CellKey> called;
      std::map<int, std::int64_t> classes;
      for (const auto& [cell, outcome] : rows.outcomes) {
        if (!counts(cell)) continue;
        ++done;
        ++classes[outcome.outcome_class];
        reused += outcome.attempt == 0 && !rows.record.job->imported();
      }
      for (const CellKey& cell : rows.failed)
        failed += counts(cell) && !rows.outcomes.contains(cell);
      // Cells that an import brought no outcome for are counts, not rows.
      if (rows.record.job->imported()) failed = kind.total() - done;
      for (const auto& [id, attempt] : rows.attempts) {
        if (!counts(attempt.cell)) continue;
        unknown += attempt.state == v1::Attempt::UNKNOWN;
        if (!IsCall(attempt.state)) continue;
        ++calls;
        called.insert(attempt.cell);
        money += attempt.money;
        input += attempt.usage.input_tokens();
        output += attempt.usage.output_tokens();
      }
      const auto same = [&](const char* what, std::int64_t status, std::int64_t counted) {
        if (status == counted) return;
        violations_.push_back(fmt::format("{} entry {} kind {}: status says {} {}, rows say {}",
                                          rows.record.job->name(), i, kind.kind(), status, what,
                                          counted));
      };
      same("done", kind.done(), done);
      same("failed", kind.failed(), failed);
      same("calls", kind.calls(), calls);
      same("reused", kind.reused(), reused);
      same("unknown", kind.unknown_attempts(), unknown);
      same("money", kind.money(), money);
      same("input tokens", kind.usage().input_tokens(), input);
      same("output tokens", kind.usage().output_tokens(), output);
      if (!rows.late) {
        same("repeated", kind.repeated_calls(), calls - static_cast<std::int64_t>(called.size()));
      }
      for (const v1::KindProgress::ClassCount& count : kind.classes()) {
        same("of a class", count.count(), classes[count.class_()]);
      }
    }
  }
}

}  // namespace candor::engine::simulation
