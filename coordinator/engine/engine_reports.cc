#include "common/base/time_proto.h"
#include "coordinator/engine/capped.h"
#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/planted_bug.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace candor::engine {
namespace {

// How long a worker that hands leases back gets no others: doubled each time, up to the longest.
constexpr Duration kFirstRest = std::chrono::milliseconds(50);
constexpr Duration kLongestRest = std::chrono::seconds(5);

std::int64_t Plausible(std::int64_t tokens) {
  return std::clamp<std::int64_t>(tokens, 0, 1'000'000'000);
}

void SanitizeUsage(v1::Usage& usage) {
  usage.set_input_tokens(Plausible(usage.input_tokens()));
  usage.set_cached_input_tokens(Plausible(usage.cached_input_tokens()));
  usage.set_output_tokens(Plausible(usage.output_tokens()));
  usage.set_reasoning_tokens(Plausible(usage.reasoning_tokens()));
}

}  // namespace

void Engine::Impl::On(ReportsArrived& event) {
  WorkerState* worker = workers_.OfSession(event.session);
  if (worker == nullptr) return;
  worker->last_heard = now();
  for (Report& report : event.reports) {
    if (report.report == nullptr) report.report = std::make_shared<v1::AttemptReport>();
    HandleReport(*worker, report);
  }
}

void Engine::Impl::Sanitize(v1::AttemptReport& report, std::uint32_t kind) {
  v1::Attempt& attempt = *report.mutable_attempt();
  SanitizeUsage(*attempt.mutable_usage());
  const bool broken = !v1::Attempt::State_IsValid(attempt.state()) ||
                      attempt.state() == v1::Attempt::STATE_UNSPECIFIED ||
                      attempt.state() == v1::Attempt::UNKNOWN ||
                      attempt.state() == v1::Attempt::DUPLICATE ||
                      (attempt.state() == v1::Attempt::COMPLETED && !report.has_outcome());
  if (broken) {
    attempt.set_error_text(
        fmt::format("the worker reported state {} {} outcome, which says nothing", attempt.state(),
                    report.has_outcome() ? "with an" : "without an"));
    attempt.set_state(v1::Attempt::FAILED);
    attempt.set_error_class(v1::Attempt::MALFORMED_RESPONSE);
  }
  if (!v1::Attempt::ErrorClass_IsValid(attempt.error_class())) {
    attempt.set_error_class(v1::Attempt::MALFORMED_RESPONSE);
  }
  if (attempt.state() != v1::Attempt::COMPLETED) return;
  v1::Outcome& outcome = *report.mutable_outcome();
  outcome.set_kind(static_cast<v1::Cell::Kind>(kind));
  if (!v1::Outcome::Class_IsValid(outcome.class_())) {
    outcome.set_class_(v1::Outcome::CLASS_UNSPECIFIED);
  }
  if (outcome.has_usage()) SanitizeUsage(*outcome.mutable_usage());
}

void Engine::Impl::HandleReport(WorkerState& worker, Report& report) {
  const LeaseSlot slot = leases_.Find(report.attempt);
  if (slot == kNoLease) {
    Park(worker, report);
    return;
  }
  Lease& lease = leases_[slot];
  switch (lease.state) {
    case Lease::State::kReported:
      // Redelivered while it is being written: acknowledged once that is done.
      if (Planted(PlantedBug::kOutcomeCountedTwice)) break;
      // Of a line it may come from a second worker, which waits for a word of its own.
      if (lease.in_batch) AcknowledgeWithLast(worker, report.attempt);
      return;
    case Lease::State::kCommitting:
      // Nobody was told of it yet.
      return;
    case Lease::State::kWaiting:
    case Lease::State::kSent:
      break;
  }
  // It is reported by whom it was leased to, or by nobody; a line of a batch by whoever reads it.
  if (workers_.NumberOf(worker) != lease.worker && !lease.in_batch) return;
  if (lease.state == Lease::State::kWaiting) return;
  ReportForLease(slot, report, worker);
}

void Engine::Impl::WriteAttempt(JobState& job, const CellKey& cell, AttemptId id,
                                std::shared_ptr<v1::Attempt> attempt) {
  attempt->set_kind(cell.kind);
  attempt->set_index(cell.index);
  write_.attempts.push_back({id, job.key(), cell, std::move(attempt)});
}

void Engine::Impl::CountCall(JobState& job, EntryState& entry, KindState& kind,
                             v1::Attempt& attempt, bool repeated) {
  const v1::Usage& usage = attempt.usage();
  ++kind.calls;
  if (repeated) ++kind.repeated_calls;
  if (attempt.batch().empty()) {
    const Duration latency = attempt.has_latency() ? ToDuration(attempt.latency()) : Duration(0);
    entry.recent_calls.Add(latency, repeated);
    if (attempt.has_latency() && attempt.state() == v1::Attempt::COMPLETED) {
      entry.recent_answers.Add(latency);
    }
  }
  kind.input_tokens += usage.input_tokens();
  kind.cached_input_tokens += usage.cached_input_tokens();
  kind.output_tokens += usage.output_tokens();
  kind.reasoning_tokens += usage.reasoning_tokens();
  // A line of a batch costs part of what a live call does.
  const bool in_batch = !attempt.batch().empty();
  const double part = in_batch ? entry.model.batch_price : 1.0;
  if (in_batch) ++kind.batch_calls;
  std::int64_t money = entry.model.price.Money(usage, part);
  const bool counted = usage.input_tokens() > 0 || usage.output_tokens() > 0;
  if (!counted && attempt.state() == v1::Attempt::COMPLETED) {
    // The provider answered and did not say what it counted: taken at the most.
    money = entry.MostMoney(kind, in_batch);
  } else if (!counted && attempt.state() == v1::Attempt::UNANSWERED) {
    // Broken off before it said: it may have been paid for.
    const std::int64_t most = entry.MostMoney(kind, in_batch);
    kind.unknown_money = AddCapped(kind.unknown_money, most);
    kind.unanswered_money = AddCapped(kind.unanswered_money, most);
    ++kind.unanswered;
  }
  attempt.set_money(money);
  kind.money = AddCapped(kind.money, money);
  kind.largest_money = std::max(kind.largest_money, money);
  kind.largest_tokens = std::max(kind.largest_tokens, usage.input_tokens() + usage.output_tokens());
  if (kind.prompt_tokens > 0) {
    // A tokenizer that makes more of a text than was reckoned; within reason.
    const double ratio =
        static_cast<double>(usage.input_tokens()) / static_cast<double>(kind.prompt_tokens);
    entry.prompt_ratio = std::clamp(ratio, entry.prompt_ratio, 20.0);
  }
  Touch(job);
}

void Engine::Impl::WriteOutcome(JobState& job, const CellKey& cell, AttemptId id, EntryState& entry,
                                KindState& kind, std::shared_ptr<v1::Outcome> outcome) {
  outcome->set_kind(cell.kind);
  outcome->set_index(cell.index);
  ++kind.classes[outcome->class_()];
  if (kind.cells.At(cell.index) == CellTable::Place::kFailed) --kind.failed;
  if (!kind.cells.IsDone(cell.index)) kind.cells.MarkDone(cell.index);
  ++kind.done;
  CellSettled(job, cell.entry, kind, cell.index);
  entry.rate.Add(now(), 1);
  write_.outcomes.push_back({job.key(), cell, id, std::move(outcome)});
}

void Engine::Impl::Completed(JobState& job, EntryState& entry, KindState& kind) {
  kind.replied = true;
  kind.streak = 0;
  if (kind.cells.tentative() > 0 && entry.state == EntryState::State::kRunning) {
    GiveUpTentative(job, static_cast<std::uint16_t>(&entry - job.entries.data()), kind);
  }
}

// A worker that hands back all that it gets would otherwise get it again at once, with two commits
// each time.
void Engine::Impl::HandedBack(WorkerState& worker) {
  if (worker.draining || worker.rests_until > now()) return;
  const Duration rest = std::min(kLongestRest, kFirstRest * (1 << std::min(worker.hand_backs, 10)));
  ++worker.hand_backs;
  worker.rests_until = now() + rest;
}

void Engine::Impl::TellLimits(GroupLimits& limits, const Lease& lease,
                              const v1::AttemptReport& report, const v1::Attempt& attempt) {
  GroupLimits::Answer answer;
  answer.end.sent = lease.sent;
  answer.end.size = lease.size;
  // A failed call's usage is what was said of it, which is often nothing.
  if (attempt.usage().input_tokens() > 0) answer.end.input = attempt.usage().input_tokens();
  if (attempt.usage().output_tokens() > 0) answer.end.output = attempt.usage().output_tokens();
  if (attempt.has_latency()) answer.end.latency = ToDuration(attempt.latency());
  answer.granted = lease.granted;
  answer.completed = attempt.state() == v1::Attempt::COMPLETED;
  answer.error_class = attempt.error_class();
  if (report.has_retry_after()) answer.retry_after = ToDuration(report.retry_after());
  answer.observations = &report.limits();
  if (limits.Answered(now(), answer, random_)) blocked_changed_ = true;
}

void Engine::Impl::ReportForLease(LeaseSlot slot, Report& report, WorkerState& reporter) {
  Lease& lease = leases_[slot];
  JobState& job = *lease.job;
  EntryState& entry = job.entries[lease.entry];
  KindState& kind = entry.kinds[lease.kind];
  Group& group = groups_[entry.group];
  const CellKey cell{lease.entry, kind.kind, lease.index};
  Sanitize(*report.report, kind.kind);
  const std::shared_ptr<v1::Attempt> attempt(report.report, report.report->mutable_attempt());
  attempt->set_worker(reporter.name);
  attempt->clear_batch();
  *attempt->mutable_grant_time() = ToProto(lease.grant_wall);

  lease.state = Lease::State::kReported;
  at_commit_.reported.push_back(slot);
  if (Planted(PlantedBug::kAcknowledgeBeforeCommit)) {
    Acknowledge(workers_[lease.worker], lease.attempt);
  }
  --kind.open;
  if (lease.in_batch) {
    attempt->set_batch(workers_[lease.worker].name);
    --kind.batch_open;
    at_commit_.late.emplace_back(reporter.name, lease.attempt);
    LineReported(lease, *attempt);
  }
  EndedLease(lease.batch);
  SettleLater(job);
  Touch(job);

  const CellTable::Tried* tried = kind.cells.Find(lease.index);
  const bool done = kind.cells.IsDone(lease.index);
  const bool repeated = done || (tried != nullptr && tried->was_called());

  if (attempt->state() != v1::Attempt::NOT_SENT && !lease.in_batch) {
    reporter.hand_backs = 0;
    reporter.rests_until = {};
  }
  switch (attempt->state()) {
    case v1::Attempt::NOT_SENT:
      if (!done) kind.cells.Return(lease.index, now(), lease.alone);
      if (lease.in_batch) break;
      group.limits.Refund(now(), lease.granted, lease.sent, lease.size);
      HandedBack(reporter);
      break;
    case v1::Attempt::COMPLETED:
      if (!lease.in_batch) TellLimits(group.limits, lease, *report.report, *attempt);
      kind.output.Add(attempt->usage().output_tokens());
      CountCall(job, entry, kind, *attempt, repeated);
      if (done && !Planted(PlantedBug::kOutcomeCountedTwice)) {
        attempt->set_state(v1::Attempt::DUPLICATE);
      } else {
        WriteOutcome(job, cell, lease.attempt, entry, kind,
                     {report.report, report.report->mutable_outcome()});
        ++reporter.outcomes;
      }
      Completed(job, entry, kind);
      break;
    default:
      CountCall(job, entry, kind, *attempt, repeated);
      entry.last_failure = Words(*attempt);
      if (!lease.in_batch && Circuit::SignOf(attempt->error_class()) == Circuit::Sign::kFails) {
        group.last_failure = entry.last_failure;
      }
      if (!lease.in_batch) TellLimits(group.limits, lease, *report.report, *attempt);
      if (!done) {
        CountTry(kind.cells.Know(lease.index), *attempt);
        Failed(job, lease.entry, kind, lease.index, *attempt);
      }
      break;
  }
  WriteAttempt(job, cell, lease.attempt, attempt);
}

void Engine::Impl::CountTry(CellTable::Tried& tried, const v1::Attempt& attempt) const {
  if (IsRefusalOfADay(attempt)) {
    if (tried.refusals++ == 0) tried.first_refusal = now();
  } else if (tried.failures++ == 0) {
    tried.first_failure = now();
  }
}

bool Engine::Impl::IsHopeless(const JobState& job, const CellTable::Tried& tried,
                              const v1::Attempt& attempt) const {
  if (IsRefusalOfADay(attempt)) return now() - tried.first_refusal >= kMaxRefusedTime;
  // Of batches a day's wait is no sign that it will never do.
  return tried.failures >= job.max_attempts ||
         (attempt.batch().empty() && now() - tried.first_failure >= kMaxRetryTime);
}

void Engine::Impl::FailCell(JobState& job, std::uint16_t entry, KindState& kind,
                            std::uint32_t index) {
  kind.cells.MarkFailed(index);
  ++kind.failed;
  write_.failed_cells.push_back({job.key(), {entry, kind.kind, index}});
  CellSettled(job, entry, kind, index);
  Touch(job);
}

void Engine::Impl::Failed(JobState& job, std::uint16_t number, KindState& kind, std::uint32_t index,
                          const v1::Attempt& attempt) {
  EntryState& entry = job.entries[number];
  const CellTable::Tried& tried = kind.cells.Know(index);
  const bool alone = tried.deaths >= kDeathsTogether;
  // Of a job that is over nothing is repeated; of a stopped entry not before it is resumed.
  const bool runs = !job.terminal() && entry.state == EntryState::State::kRunning;
  switch (KindOf(attempt.error_class())) {
    case ErrorKind::kRepeat:
    case ErrorKind::kBlock:
      if (IsHopeless(job, tried, attempt) && !job.terminal()) {
        FailCell(job, number, kind, index);
        return;
      }
      // A batch takes its time anyway, and is to take all that failed in the one before.
      kind.cells.Return(
          index, attempt.batch().empty() ? now() + CellBackOff(tried.failures, random_) : now(),
          alone);
      return;
    case ErrorKind::kUnmendable:
      if (!runs) break;
      kind.cells.MarkTentative(index);
      entry.last_error = Words(attempt);
      if (!attempt.batch().empty()) return;  // see FinishBatch
      ++kind.streak;
      if (entry.streak() >= kMaxStreak) StopEntry(job, entry, entry.last_error, entry.streak());
      return;
    case ErrorKind::kStopEntry:
      kind.cells.Return(index, now(), alone);
      if (runs) StopEntry(job, entry, Words(attempt), 0);
      return;
    case ErrorKind::kStopGroup:
      kind.cells.Return(index, now(), alone);
      StopGroup(entry.group, Words(attempt));
      return;
  }
  kind.cells.Return(index, now(), alone);
}

}  // namespace candor::engine
