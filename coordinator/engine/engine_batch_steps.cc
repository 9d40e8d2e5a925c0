// The steps of providers' batches: which is due, who is given it, and what its answer means.
//
// No step is lost with its worker: it is given out again. A SUBMIT is the dangerous one, because a
// worker that is only believed lost may still create the batch. So it is given out again only after
// the time within which a creation begins and ends, and then looks for the token first
// (docs/adr/0008-batches-by-token-and-adoption.md).
#include "common/base/batch_contract.h"
#include "common/base/time_proto.h"
#include "coordinator/engine/engine_impl.h"
#include "coordinator/engine/planted_bug.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace candor::engine {
namespace {

using Step = v1::BatchTask::Step;

constexpr Duration kPollInterval = std::chrono::seconds(60);
// A batch without progress is asked for less and less often, down to a tenth as often.
constexpr double kPollGrowth = 1.25;
constexpr double kPollSlowest = 10.0;
constexpr Duration kFirstRetry = std::chrono::seconds(1);
constexpr Duration kLongestRetry = std::chrono::minutes(5);
constexpr Duration kMaxRetryAfter = std::chrono::hours(1);
// Times in a row that a provider does not know a batch that it has named, or its results, or that
// there are batches at all when one is looked for that may have been created, until that is
// believed: its lines may have been paid for. A poll interval lies between two of them,
// because what is new is seen late, and because a gateway that is being changed knows nothing for a
// moment.
constexpr std::int32_t kMaxAbsences = 3;

Duration IntervalOf(const v1::BatchConfig& config) {
  return config.has_poll_interval() && ToDuration(config.poll_interval()) > Duration(0)
             ? ToDuration(config.poll_interval())
             : kPollInterval;
}

}  // namespace

Duration Engine::Impl::SubmitQuiet() const {
  // And a second for the ways of the messages.
  return (kCreateWithinTtls + kCreateTakesTtls) * options_.lease_ttl + std::chrono::seconds(1);
}

Duration Engine::Impl::PollPause(const ProviderBatch& batch) const {
  double times = 1.0;
  for (std::int32_t i = 0; i < batch.idle_polls && times < kPollSlowest; ++i) times *= kPollGrowth;
  const Duration interval = IntervalOf(batch.job->entries[batch.entry].model.batch);
  return Duration(static_cast<std::int64_t>(static_cast<double>(interval.count()) *
                                            std::min(times, kPollSlowest)));
}

// A batch that is not wanted is cancelled: its job was paused, or is over.
bool Engine::Impl::IsWanted(const ProviderBatch& batch) const { return batch.job->runs(); }

v1::BatchTask::Step Engine::Impl::NextStep(const ProviderBatch& batch) const {
  const EntryState& entry = batch.job->entries[batch.entry];
  switch (batch.state) {
    case v1::Batch::INTENDED:
      // What its provider stopped is not begun; that it may have been created is to be known.
      return IsWanted(batch) && entry.state == EntryState::State::kRunning ? v1::BatchTask::SUBMIT
                                                                           : v1::BatchTask::CANCEL;
    case v1::Batch::SUBMITTED:
      return IsWanted(batch) || batch.cancelled ? v1::BatchTask::POLL : v1::BatchTask::CANCEL;
    case v1::Batch::COLLECTING:
      return v1::BatchTask::COLLECT;
    default:
      return v1::BatchTask::STEP_UNSPECIFIED;
  }
}

void Engine::Impl::TakeSteps() {
  if (provider_batches_.open().empty()) return;
  std::vector<ProviderBatch*> idle;
  // By session: the steps that it has.
  std::map<SessionId, std::int64_t> busy;
  for (const auto& [id, batch] : provider_batches_.open()) {
    if (batch->session != 0) {
      ++busy[batch->session];
    } else if (batch->durable) {
      idle.push_back(batch);
    }
  }
  for (ProviderBatch* batch : idle) {
    const Step step = NextStep(*batch);
    if (step == v1::BatchTask::CANCEL && batch->state == v1::Batch::INTENDED && !batch->may_exist) {
      WithdrawBatch(*batch, "withdrawn before it was created");
      continue;
    }
    if (step == v1::BatchTask::COLLECT && Collected(*batch) == batch->lines) {
      // The last results became durable just before a restart.
      FinishBatch(*batch);
      continue;
    }
    // Who cancels does not wait for the next poll.
    const bool asks = step == v1::BatchTask::CANCEL && batch->state == v1::Batch::SUBMITTED &&
                      batch->failures == 0;
    if (batch->due > now() && !asks) continue;
    const EntryState& entry = batch->job->entries[batch->entry];
    if (step == v1::BatchTask::SUBMIT && groups_[entry.group].limits.blocked_until() > now())
      continue;
    const SessionId session = PickForStep(entry.model.endpoint, busy);
    if (session == 0) continue;
    // The last results are becoming durable.
    if (step == v1::BatchTask::COLLECT && LinesOf(*batch).empty()) continue;
    GiveStep(*batch, step, session);
    ++busy[session];
  }
}

// The connected worker with the fewest steps; 0 when none serves the endpoint.
SessionId Engine::Impl::PickForStep(std::uint32_t endpoint,
                                    const std::map<SessionId, std::int64_t>& busy) const {
  SessionId best = 0;
  std::int64_t fewest = 0;
  for (const auto& [name, number] : workers_.by_name()) {
    const WorkerState& worker = workers_[number];
    if (worker.session == 0 || worker.draining || !worker.Serves(endpoint)) continue;
    const auto found = busy.find(worker.session);
    const std::int64_t steps = found == busy.end() ? 0 : found->second;
    if (best != 0 && steps >= fewest) continue;
    best = worker.session;
    fewest = steps;
  }
  return best;
}

void Engine::Impl::GiveStep(ProviderBatch& batch, v1::BatchTask::Step step, SessionId session) {
  SendBatchTask command;
  command.session = session;
  command.job = batch.job->key();
  v1::BatchTask& task = command.task;
  task.set_batch(batch.name);
  task.set_step(step);
  task.set_entry_index(batch.entry);
  task.set_may_exist(batch.may_exist);
  task.set_provider_batch(batch.provider_batch);
  *task.mutable_create_time() = ToProto(batch.create_time);
  const bool looks = batch.provider_batch.empty();
  const bool lines = looks || step == v1::BatchTask::COLLECT;
  for (const LeaseSlot slot : lines ? LinesOf(batch) : std::vector<LeaseSlot>()) {
    command.leases.push_back(RecordOf(leases_[slot]));
  }
  if (looks && batch.may_exist) {
    for (std::string& other : provider_batches_.OthersBeside(batch)) {
      task.add_other_provider_batches(std::move(other));
    }
  }
  batch.session = session;
  batch.quiet = false;
  batch.step = step;
  batch.given = now();
  if (step == v1::BatchTask::SUBMIT) {
    batch.may_exist = true;
    batch.submitter = workers_.OfSession(session)->name;
  }
  commands_.emplace_back(std::move(command));
}

void Engine::Impl::StepsLost(SessionId session) {
  if (session == 0) return;
  for (const auto& [id, batch] : provider_batches_.open()) {
    if (batch->session != session) continue;
    batch->session = 0;
    const bool submit =
        batch->step == v1::BatchTask::SUBMIT && !Planted(PlantedBug::kSubmittedTooSoon);
    batch->due = submit ? batch->given + SubmitQuiet() : now();
    batch->quiet = submit;
  }
}

// A worker tells on its next stream what became of a SUBMIT whose stream has ended: that it is over
// there, and nothing of it under way. Of the last one who had it that ends the wait. After a
// restart nobody knows who that was, but whoever says so within the time of its SUBMIT, as workers
// keep to, had the last one: each is given out after the time of the one before.
bool Engine::Impl::EndsSubmit(const ProviderBatch& batch, const v1::BatchReport& report,
                              const WorkerState* worker) const {
  return batch.quiet && report.step() == v1::BatchTask::SUBMIT && worker != nullptr &&
         (batch.submitter.empty() || batch.submitter == worker->name);
}

std::optional<TimePoint> Engine::Impl::NextBatchWakeup() {
  std::optional<TimePoint> next;
  const auto at = [&](TimePoint time) {
    // What is due already and was not done waits for an event: a worker, a commit.
    if (time > now() && (!next || time < *next)) next = time;
  };
  for (const auto& [id, batch] : provider_batches_.open()) {
    if (batch->session != 0 || !batch->durable) continue;
    at(std::max(batch->due,
                groups_[batch->job->entries[batch->entry].group].limits.blocked_until()));
    at(batch->due);
  }
  for (const Group& group : groups_) {
    for (const Group::Member& member : group.members) {
      for (const std::uint32_t number : member.entries) {
        EntryState& entry = member.job->entries[number];
        if (!entry.batching || entry.pending() == 0) continue;
        at(std::max({entry.batch_after, group.limits.blocked_until(), group.settled_at}));
        for (KindState& kind : entry.kinds) {
          if (const auto ready = kind.cells.NextReady()) at(*ready);
        }
      }
    }
  }
  return next;
}

void Engine::Impl::On(BatchReported& event) {
  WorkerState* worker = workers_.OfSession(event.session);
  if (worker != nullptr) worker->last_heard = now();
  const v1::BatchReport& report = *event.report;
  ProviderBatch* batch = provider_batches_.Find(report.batch());
  if (batch == nullptr || !batch->open()) return;
  const bool asked = batch->session == event.session && batch->step == report.step();
  // That it is there is news from whomever it comes: a creation may outlive its session.
  const bool found =
      batch->state == v1::Batch::INTENDED && !report.provider_batch().empty() &&
      (report.state() == v1::BatchReport::IN_PROGRESS || report.state() == v1::BatchReport::ENDED);
  const bool over = !asked && EndsSubmit(*batch, report, worker);
  if (!asked && !found && !over) return;
  if (over) batch->submitter = worker->name;
  if (asked || over) {
    batch->quiet = false;
    batch->session = 0;
    batch->poll_time = instant_.wall;
    batch->provider_state =
        report.provider_state().empty() ? batch->provider_state : report.provider_state();
  }
  // A server that has no list of batches has none; a worker says NOT_FOUND of nothing else then.
  const bool unlisted = report.state() == v1::BatchReport::UNDECIDED &&
                        report.error_class() == v1::Attempt::NOT_FOUND &&
                        batch->state == v1::Batch::INTENDED;
  if (report.state() != v1::BatchReport::ABSENT && !unlisted) batch->absences = 0;
  switch (report.state()) {
    case v1::BatchReport::IN_PROGRESS:
      return BatchInProgress(*batch, report, found);
    case v1::BatchReport::ENDED:
      return BatchEnded(*batch, report);
    case v1::BatchReport::COLLECTED:
      if (batch->state == v1::Batch::COLLECTING) FinishBatch(*batch);
      return;
    case v1::BatchReport::REFUSED:
      if (batch->state != v1::Batch::COLLECTING) {
        return RefuseBatch(*batch, report.error_class(), Words(report.error_text()));
      }
      break;
    case v1::BatchReport::ABSENT:
      return BatchAbsent(*batch, report);
    case v1::BatchReport::UNDECIDED:
      if (unlisted) return BatchUnlisted(*batch, report);
      RetryStep(*batch, report);
      // What is under way at the provider is to have settled before it is looked at again.
      batch->due = std::max(batch->due, now() + kCreateTakesTtls * options_.lease_ttl);
      return;
    default:
      break;
  }
  RetryStep(*batch, report);
}

void Engine::Impl::BatchInProgress(ProviderBatch& batch, const v1::BatchReport& report,
                                   bool found) {
  if (found) {
    batch.provider_batch = report.provider_batch();
    batch.state = v1::Batch::SUBMITTED;
    batch.session = 0;
    batch.quiet = false;
  }
  const bool cancelled = report.step() == v1::BatchTask::CANCEL;
  if (cancelled) batch.cancelled = true;
  const std::int64_t done = std::clamp<std::int64_t>(report.lines_done(), 0, batch.lines);
  batch.idle_polls = found || cancelled || done != batch.lines_done ? 0 : batch.idle_polls + 1;
  batch.lines_done = done;
  batch.failures = 0;
  batch.error_text.clear();
  batch.due = now() + PollPause(batch);
  TouchBatch(batch);
  Publish(batch.job->key());
}

void Engine::Impl::BatchEnded(ProviderBatch& batch, const v1::BatchReport& report) {
  if (batch.state == v1::Batch::COLLECTING) return RetryStep(batch, report);
  if (batch.provider_batch.empty()) batch.provider_batch = report.provider_batch();
  batch.lines_done = std::clamp<std::int64_t>(report.lines_done(), 0, batch.lines);
  batch.state = v1::Batch::COLLECTING;
  batch.session = 0;
  batch.quiet = false;
  batch.failures = 0;
  batch.error_text.clear();
  batch.due = now();
  TouchBatch(batch);
  Publish(batch.job->key());
}

void Engine::Impl::BatchAbsent(ProviderBatch& batch, const v1::BatchReport& report) {
  if (batch.state == v1::Batch::INTENDED) {
    if (report.step() == v1::BatchTask::CANCEL) {
      return WithdrawBatch(batch, "withdrawn: the provider has none of this token");
    }
    if (KindOf(report.error_class()) == ErrorKind::kStopGroup) {
      // Certainly not created: its cells wait for who resumes.
      const std::string words = Words(report.error_text());
      WithdrawBatch(batch, words);
      return StopGroup(batch.job->entries[batch.entry].group, words);
    }
  } else if (++batch.absences >= kMaxAbsences) {
    batch.error_text =
        fmt::format("the provider does not know it any more: {}", Words(report.error_text()));
    EndLines(batch, v1::Attempt::UNKNOWN, batch.error_text);
    return EndBatch(batch, v1::Batch::DONE);
  }
  RetryStep(batch, report);
  if (batch.state != v1::Batch::INTENDED) AwaitInterval(batch);
}

void Engine::Impl::BatchUnlisted(ProviderBatch& batch, const v1::BatchReport& report) {
  if (++batch.absences >= kMaxAbsences) {
    return RefuseBatch(batch, v1::Attempt::NOT_FOUND, Words(report.error_text()));
  }
  RetryStep(batch, report);
  AwaitInterval(batch);
}

void Engine::Impl::AwaitInterval(ProviderBatch& batch) {
  const v1::BatchConfig& config = batch.job->entries[batch.entry].model.batch;
  batch.due = std::max(batch.due, now() + IntervalOf(config));
}

void Engine::Impl::RetryStep(ProviderBatch& batch, const v1::BatchReport& report) {
  batch.error_text = report.error_text().empty() ? std::string() : Words(report.error_text());
  batch.due = now() + kFirstRetry / 2 +
              JitteredBackOff(kFirstRetry, kLongestRetry, ++batch.failures, random_);
  if (report.has_retry_after()) {
    batch.due =
        std::max(batch.due, now() + std::min(ToDuration(report.retry_after()), kMaxRetryAfter));
  }
  Publish(batch.job->key());
}

}  // namespace candor::engine
