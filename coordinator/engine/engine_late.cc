#include "common/base/time_proto.h"
#include "coordinator/engine/engine_impl.h"

#include <algorithm>
#include <utility>

namespace candor::engine {

// Reports of attempts that are no leases: their lease ran out, or they were recorded and the
// acknowledgement was lost. Only the store knows which, and it is asked once all that was written
// before is durable, so that its answer is whole.
void Engine::Impl::Park(WorkerState& worker, Report& report) {
  if (late_.contains(report.attempt)) {
    // Acknowledged once it is durable. Of a batch's line it may come from a second worker.
    if (!report.report->attempt().batch().empty()) AcknowledgeWithLast(worker, report.attempt);
    return;
  }
  const auto term = static_cast<std::int64_t>(report.attempt >> 40U);
  const std::uint64_t counter = report.attempt & ((std::uint64_t{1} << 40U) - 1);
  const bool never_issued =
      term > term_ || counter == 0 || (term == term_ && counter >= next_attempt_);
  if (never_issued || report.job == 0 || FindJob(report.job) == nullptr) {
    Acknowledge(worker, report.attempt);
    return;
  }
  auto [parked, added] = parked_.try_emplace(report.attempt);
  if (!added && parked->second.worker != worker.name) {
    parked->second.others.push_back(std::move(parked->second.worker));
  }
  parked->second.worker = worker.name;
  if (!added) return;
  const AttemptId attempt = report.attempt;
  parked->second.report = std::move(report);
  // What this event writes is not in `last_ticket_` yet.
  parked->second.after = last_ticket_ + (WriteIsEmpty() ? 0 : 1);
  to_ask_.emplace_back(worker.session, attempt);
}

void Engine::Impl::AskAboutParked() {
  std::map<SessionId, std::vector<AttemptId>> asks;
  std::erase_if(to_ask_, [&](const std::pair<SessionId, AttemptId>& ask) {
    const auto parked = parked_.find(ask.second);
    if (parked == parked_.end()) return true;
    if (parked->second.after > durable_) return false;
    asks[ask.first].push_back(ask.second);
    return true;
  });
  for (auto& [session, attempts] : asks) {
    commands_.emplace_back(LookUpAttempts{session, std::move(attempts)});
  }
}

void Engine::Impl::On(AttemptsLookedUp& event) {
  absl::flat_hash_map<AttemptId, v1::Attempt::State> found;
  for (const AttemptsLookedUp::Found& one : event.found) found[one.attempt] = one.state;
  for (const AttemptId attempt : event.asked) {
    const auto parked = parked_.find(attempt);
    if (parked == parked_.end()) continue;
    Parked taken = std::move(parked->second);
    parked_.erase(parked);
    const auto state = found.find(attempt);
    Late(taken, state == found.end() ? v1::Attempt::STATE_UNSPECIFIED : state->second);
  }
}

void Engine::Impl::AcknowledgeParked(const Parked& parked) {
  for (const std::string& name : parked.others) {
    if (const WorkerState* worker = workers_.Find(name)) {
      Acknowledge(*worker, parked.report.attempt);
    }
  }
  if (const WorkerState* worker = workers_.Find(parked.worker)) {
    Acknowledge(*worker, parked.report.attempt);
  }
}

void Engine::Impl::Late(Parked& parked, v1::Attempt::State recorded) {
  const v1::Attempt::State said = parked.report.report->attempt().state();
  const bool called = said == v1::Attempt::COMPLETED || said == v1::Attempt::FAILED ||
                      said == v1::Attempt::UNANSWERED;
  // "Never received" is what a worker's hello made the engine believe; that a call was made is what
  // somebody paid for.
  const bool open = recorded == v1::Attempt::STATE_UNSPECIFIED ||
                    recorded == v1::Attempt::UNKNOWN ||
                    (recorded == v1::Attempt::NOT_SENT && called);
  JobState* job = FindJob(parked.report.job);
  if (open && job != nullptr && !job->deleted) {
    LateForJob(*job, parked, recorded);
    return;
  }
  AcknowledgeParked(parked);
}

void Engine::Impl::LateForJob(JobState& job, Parked& parked, v1::Attempt::State recorded) {
  v1::AttemptReport& report = *parked.report.report;
  const v1::Cell& said = report.cell();
  const auto number = static_cast<std::size_t>(said.entry_index());
  KindState* kind = said.entry_index() >= 0 && number < job.entries.size()
                        ? job.entries[number].FindKind(said.kind())
                        : nullptr;
  if (kind == nullptr || said.index() >= kind->total) {
    // It names no cell: it can count for nothing.
    AcknowledgeParked(parked);
    return;
  }
  EntryState& entry = job.entries[number];
  const CellKey cell{static_cast<std::uint16_t>(number), kind->kind, said.index()};
  Sanitize(report, kind->kind);
  std::shared_ptr<v1::Attempt> attempt(parked.report.report, report.mutable_attempt());
  attempt->set_worker(parked.worker);
  const bool sent = attempt->state() != v1::Attempt::NOT_SENT;

  // A job that is over has no cells any more once no call is unknown, or after a restart: what
  // comes then is in the spend, not in the results.
  const bool has_cells = job.has_cells;
  const bool done = !has_cells || kind->cells.IsDone(cell.index);
  const CellTable::Tried* tried = has_cells ? kind->cells.Find(cell.index) : nullptr;
  const bool repeated = done || (tried != nullptr && tried->was_called());
  if (recorded == v1::Attempt::UNKNOWN) {
    kind->CountKnown();
    if (tried != nullptr && tried->deaths > 0) {
      CellTable::Tried& known = kind->cells.Know(cell.index);
      --known.deaths;
      known.deaths_alone = std::min(known.deaths_alone, known.deaths);
    }
    Touch(job);
  }
  if (sent) CountCall(job, entry, *kind, *attempt, repeated);
  if (attempt->state() == v1::Attempt::COMPLETED) {
    if (done) {
      attempt->set_state(v1::Attempt::DUPLICATE);
    } else {
      WriteOutcome(job, cell, parked.report.attempt, entry, *kind,
                   {parked.report.report, report.mutable_outcome()});
      if (WorkerState* worker = workers_.Find(parked.worker)) ++worker->outcomes;
    }
    if (has_cells) Completed(job, entry, *kind);
  } else if (sent && !done) {
    // No second decision about its cell, but it was a call.
    CellTable::Tried& known = kind->cells.Know(cell.index);
    CountTry(known, *attempt);
    if (known.place == CellTable::Place::kQueued && known.failures >= job.max_attempts &&
        !job.terminal()) {
      FailCell(job, cell.entry, *kind, cell.index);
    }
  }
  // A group that was refused is refused, whoever brings the news, and however late.
  if (KindOf(attempt->error_class()) == ErrorKind::kBlock && report.has_retry_after()) {
    if (groups_[entry.group].limits.AnsweredLate(now(), attempt->error_class(),
                                                 ToDuration(report.retry_after()), random_)) {
      blocked_changed_ = true;
    }
  }
  if (has_cells) SettleLater(job);
  late_[parked.report.attempt] = last_ticket_ + 1;
  for (std::string& name : parked.others) {
    at_commit_.late.emplace_back(std::move(name), parked.report.attempt);
  }
  at_commit_.late.emplace_back(parked.worker, parked.report.attempt);
  WriteAttempt(job, cell, parked.report.attempt, std::move(attempt));
  FreeWhenSettled(job);
}

}  // namespace candor::engine
