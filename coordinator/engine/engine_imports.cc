#include "common/base/time_proto.h"
#include "coordinator/engine/engine_impl.h"

#include <utility>

namespace candor::engine {

void Engine::Impl::CountTaken(KindState& kind, v1::Outcome::Class outcome_class) {
  ++kind.done;
  ++kind.classes[outcome_class];
}

// Whoever made the event has looked at CheckReuse within the same turn, so that every source is
// there until this batch is durable: a deletion can only come behind it.
void Engine::Impl::TakeOver(JobState& job, std::vector<ReusedOutcomesRecord>& reused) {
  for (ReusedOutcomesRecord& record : reused) {
    if (!CheckReuse(record.source).ok()) continue;
    record.job = job.key();
    std::erase_if(record.items, [&job](const ReusedOutcomesRecord::Item& item) {
      KindState* kind = item.cell.entry < job.entries.size()
                            ? job.entries[item.cell.entry].FindKind(item.cell.kind)
                            : nullptr;
      if (kind == nullptr || !v1::Outcome::Class_IsValid(item.outcome_class) ||
          !kind->cells.RestoreDone(item.cell.index)) {
        return true;
      }
      CountTaken(*kind, item.outcome_class);
      ++kind->reused;
      return false;
    });
    if (!record.items.empty()) write_.reused_outcomes.push_back(std::move(record));
  }
  reused.clear();
}

// Everything goes into one batch, so that a crash leaves all of the job or nothing. Nothing is
// leased for it ever, so it has no cells, joins no limit group, and recovery finds it among the
// jobs that have ended.
void Engine::Impl::On(JobImported& event) {
  if (!event.request_id.empty() && by_request_.contains(event.request_id)) return;
  auto created = std::make_shared<v1::Job>(*event.job);
  *created->mutable_create_time() = ToProto(instant_.wall);
  created->set_imported(true);
  auto state = std::make_unique<JobState>();
  JobState& job = *state;
  job.record = {next_job_++, event.request_id, std::move(created), event.specification};
  job.hash = event.job->specification_hash();
  job.priority = event.job->priority();
  job.entries = BuildEntries(*event.specification, catalog_, /*with_cells=*/false);
  job.has_cells = false;
  job.forgotten = true;
  job.state = v1::Job::SUCCEEDED;
  job.end_time = instant_.wall;

  write_.outcomes.reserve(write_.outcomes.size() + event.outcomes.size());
  for (OutcomeRecord& outcome : event.outcomes) {
    if (outcome.cell.entry >= job.entries.size()) continue;
    KindState* kind = job.entries[outcome.cell.entry].FindKind(outcome.cell.kind);
    if (kind == nullptr || outcome.cell.index >= kind->total) continue;
    CountTaken(*kind, outcome.outcome->class_());
    kind->replied = true;
    outcome.job = job.key();
    outcome.attempt = 0;
    write_.outcomes.push_back(std::move(outcome));
  }
  event.outcomes.clear();
  for (EntryState& entry : job.entries) {
    entry.state = EntryState::State::kFinished;
    for (KindState& kind : entry.kinds) kind.failed = kind.total - kind.done;
  }

  by_name_[job.job().name()] = job.key();
  if (!job.record.request_id.empty()) by_request_[job.record.request_id] = job.key();
  write_.new_jobs.push_back(job.record);
  jobs_.emplace(job.key(), std::move(state));
  Touch(job);
}

}  // namespace candor::engine
