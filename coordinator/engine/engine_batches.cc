// Which cells go in batches, and what becomes of a batch's lines. The steps of a batch are in
// engine_batch_steps.cc.
#include "coordinator/engine/batch_sizes.h"
#include "coordinator/engine/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace candor::engine {
namespace {

// So few cells that are left over from batches are not worth another one, where a job may do
// either: this many, or a hundredth of all.
constexpr std::uint64_t kFewCells = 20;
constexpr std::uint64_t kFewPart = 100;
// Times in a row that the results of a batch could not be had, until nobody waits for them: that
// may take days.
constexpr std::int32_t kMaxCollectFailures = 3;
// Of a full batch: the part that makes one worthwhile while others are under way.
constexpr double kWorthwhile = 0.5;
// In a row, until an entry goes without batches (AUTO) or is stopped (BATCH).
constexpr std::int32_t kAutoRefusals = 2;
constexpr std::int32_t kMaxRefusals = 3;
// Before the next batch after a refusal, and after one that said "later": doubled each time.
constexpr Duration kRefusalPause = std::chrono::seconds(5);
constexpr Duration kQueuePause = std::chrono::minutes(1);
constexpr Duration kLongestPause = std::chrono::minutes(30);

Duration Doubled(Duration pause, std::int32_t times) {
  return std::min(kLongestPause, pause * (std::int64_t{1} << std::clamp(times, 0, 20)));
}

// Whether the lines that a batch gives back will come soon after it has ended.
bool EndsByItself(const ProviderBatch& batch) {
  return batch.state != v1::Batch::COLLECTING || batch.failures < kMaxCollectFailures;
}

// What a provider says that will let the next batch in later.
bool ComesLater(v1::Attempt::ErrorClass error_class) {
  return error_class == v1::Attempt::RATE_LIMITED || error_class == v1::Attempt::OVERLOADED ||
         error_class == v1::Attempt::SERVER_ERROR || error_class == v1::Attempt::DAILY_LIMIT;
}

}  // namespace

void Engine::Impl::InitBatches(JobState& job) {
  const v1::Job::Mode mode = job.job().mode();
  if (mode != v1::Job::BATCH && mode != v1::Job::AUTO) return;
  for (EntryState& entry : job.entries) entry.batching = entry.model.has_batches;
}

// Whether a batch of the entry may be decided on now, as far as the entry itself goes.
bool Engine::Impl::MayBatch(const JobState& job, EntryState& entry) {
  entry.few_left = false;
  if (!entry.batching || !job.runs() || entry.state != EntryState::State::kRunning) return false;
  const std::vector<const ProviderBatch*> batches = provider_batches_.OpenOf(entry);
  const auto open = static_cast<std::int64_t>(batches.size());
  std::int64_t awaited = 0;
  for (const ProviderBatch* batch : batches) {
    if (!EndsByItself(*batch)) continue;
    ++awaited;
    // What failed in it comes back at its end, and can go with the next one.
    if (batch->state == v1::Batch::COLLECTING) return false;
  }
  std::uint64_t total = 0;
  for (const KindState& kind : entry.kinds) {
    // The first call of each kind says whether the others make sense. What failed tentatively is
    // settled when nothing else is left, so nothing waits for it.
    if (!kind.replied && (kind.open > 0 || kind.cells.pending() > kind.cells.tentative())) {
      return false;
    }
    if (kind.chains.empty()) total += kind.total;
  }
  const bool left_over = awaited == 0 && (entry.batches_ended > 0 || open > 0);
  if (job.job().mode() == v1::Job::AUTO && left_over) {
    entry.few_left = entry.pending() <= std::max(kFewCells, total / kFewPart);
    if (entry.few_left) return false;
  }
  return open < kMaxOpenBatches && entry.batch_after <= now();
}

// Prompt tokens that batches of the group may still take of the provider's queue.
std::int64_t Engine::Impl::QueueLeft(const EntryState& entry) const {
  const std::int64_t limit = entry.model.batch.queue_tokens();
  if (limit <= 0) return INT64_MAX;
  std::int64_t taken = 0;
  for (const auto& [id, batch] : provider_batches_.open()) {
    if (batch->job->entries[batch->entry].group == entry.group) taken += batch->prompt_tokens;
  }
  if (taken > 0) return std::max<std::int64_t>(0, limit - taken);
  // A line that is larger than the whole queue goes alone, for the provider to judge.
  std::int64_t line = 1;
  for (const KindState& kind : entry.kinds) line = std::max(line, kind.prompt_tokens);
  return std::max(limit, line);
}

// A batch takes its hours however small it is. So crumbs wait until one of them is worthwhile: half
// full at least, or with the last cells that were never asked; or until nothing else of the entry
// is under way.
bool Engine::Impl::IsWorthwhile(const JobState& job, const EntryState& entry) const {
  const std::vector<const ProviderBatch*> batches = provider_batches_.OpenOf(entry);
  if (std::none_of(batches.begin(), batches.end(),
                   [](const ProviderBatch* batch) { return EndsByItself(*batch); })) {
    return true;
  }
  const v1::BatchConfig& config = entry.model.batch;
  const std::int64_t queue_left = QueueLeft(entry);
  double filled = 0;
  std::uint64_t taken = 0;
  std::uint64_t fresh = 0;
  bool all = true;
  for (const KindState& kind : entry.kinds) {
    if (!kind.chains.empty() || kind.held()) continue;
    const std::int64_t tokens = std::max<std::int64_t>(1, kind.prompt_tokens);
    const std::uint64_t waiting = kind.cells.pending() - kind.cells.tentative();
    const auto room = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, std::min(queue_left / tokens, job.BudgetLeft(entry, kind))));
    const std::uint64_t lines = std::min(waiting, room);
    filled += static_cast<double>(lines) / static_cast<double>(FullBatch(config, tokens));
    taken += lines;
    fresh += kind.cells.fresh();
    all = all && lines == waiting;
  }
  return filled >= kWorthwhile || (all && fresh > 0 && 2 * fresh >= taken);
}

void Engine::Impl::DecideBatches() {
  struct Candidate {
    std::int32_t priority = 0;
    JobState* job = nullptr;
    std::uint32_t entry = 0;
  };
  std::vector<Candidate> candidates;
  for (Group& group : groups_) {
    for (Group::Member& member : group.members) {
      for (const std::uint32_t number : member.entries) {
        if (!MayBatch(*member.job, member.job->entries[number])) continue;
        if (group.settled_at > now() || group.limits.blocked_until() > now()) continue;
        candidates.push_back({member.job->priority, member.job, number});
      }
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.priority > b.priority; });
  // One a job's entry in each event: the commit of this one leads to the next.
  for (const Candidate& candidate : candidates) DecideBatch(*candidate.job, candidate.entry);
}

void Engine::Impl::DecideBatch(JobState& job, std::uint32_t number) {
  EntryState& entry = job.entries[number];
  if (PickForStep(entry.model.endpoint, {}) == 0 || !IsWorthwhile(job, entry)) return;
  const v1::BatchConfig& config = entry.model.batch;
  std::int64_t lines = MaxLines(config);
  std::int64_t bytes = MaxBytes(config);
  std::int64_t queue = QueueLeft(entry);

  const WallTime wall = instant_.wall;
  ProviderBatch batch;
  batch.id = (static_cast<std::uint64_t>(term_) << 40U) | next_attempt_;
  batch.name = FormatBatchName(store_id_, batch.id);
  batch.job = &job;
  batch.entry = static_cast<std::uint16_t>(number);
  batch.create_time = wall;
  LeaseBatchRecord record;
  record.worker = batch.name;
  record.grant_time = now();
  record.grant_wall = wall;
  for (KindState& kind : entry.kinds) {
    if (!kind.chains.empty() || kind.held()) continue;
    const std::int64_t line_bytes = LineBytes(kind.prompt_tokens);
    const std::int64_t tokens = std::max<std::int64_t>(1, kind.prompt_tokens);
    // A line that is larger than a whole batch may be goes alone, for the provider to judge.
    const std::int64_t fitting =
        std::max<std::int64_t>(record.leases.empty() ? 1 : 0, bytes / line_bytes);
    const std::int64_t room =
        std::min({lines, fitting, queue / tokens, job.BudgetLeft(entry, kind)});
    std::int64_t taken = 0;
    std::uint32_t index = 0;
    while (taken < room && kind.cells.Take(now(), &index)) {
      if (record.leases.empty()) {
        ++next_attempt_;
        record.id = next_batch_++;
        batches_.try_emplace(record.id);
        workers_.Add(batch.name).is_batch = true;
      }
      AddLine(job, number, kind, index, record);
      ++taken;
    }
    lines -= taken;
    bytes -= taken * line_bytes;
    queue -= std::min(queue, taken * tokens);
    batch.prompt_tokens += taken * tokens;
    if (lines <= 0 || bytes <= 0 || queue <= 0) break;
  }
  if (record.leases.empty()) return;
  batch.lines = static_cast<std::int64_t>(record.leases.size());
  aging_.emplace_back(now(), record.id);
  // Beside each lease batch stands what is to be sent once it is durable: here nothing.
  write_.lease_batches.push_back(std::move(record));
  at_commit_.granted.push_back({wall, {}});
  at_commit_.provider_batches.push_back(batch.id);
  TouchBatch(provider_batches_.Add(std::move(batch)));
  Touch(job);
}

void Engine::Impl::AddLine(JobState& job, std::uint32_t entry, KindState& kind, std::uint32_t index,
                           LeaseBatchRecord& record) {
  WorkerState& holder = *workers_.Find(record.worker);
  EntryState& state = job.entries[entry];
  Lease lease;
  lease.attempt = (static_cast<AttemptId>(term_) << 40U) | next_attempt_++;
  lease.job = &job;
  lease.worker = workers_.NumberOf(holder);
  lease.index = index;
  lease.entry = static_cast<std::uint16_t>(entry);
  lease.kind = static_cast<std::uint8_t>(&kind - state.kinds.data());
  lease.in_batch = true;
  lease.size = state.SizeOf(kind, index);
  lease.granted = now();
  lease.grant_wall = instant_.wall;
  lease.batch = record.id;
  leases_.Add(lease);
  record.leases.push_back(RecordOf(lease));
  ++batches_[record.id].open;
  ++kind.open;
  ++kind.batch_open;
  ++kind.in_flight;
  ++holder.taken;
}

void Engine::Impl::TouchBatch(ProviderBatch& batch) {
  if (std::exchange(batch.touched, true)) return;
  touched_batches_.push_back(batch.id);
}

void Engine::Impl::WriteTouchedBatches() {
  for (const ProviderBatchId id : std::exchange(touched_batches_, {})) {
    ProviderBatch* batch = provider_batches_.Find(id);
    if (batch == nullptr) continue;
    batch->touched = false;
    write_.provider_batches.push_back({id, batch->job->key(), batch->entry, BuildRecord(*batch)});
  }
}

void Engine::Impl::BatchesDurable(const std::vector<ProviderBatchId>& ids) {
  for (const ProviderBatchId id : ids) {
    ProviderBatch* batch = provider_batches_.Find(id);
    if (batch == nullptr) continue;
    batch->durable = true;
    batch->due = now();
    for (const LeaseSlot slot : LinesOf(*batch)) {
      leases_[slot].state = Lease::State::kSent;
      leases_[slot].sent = now();
    }
    Publish(batch->job->key());
  }
}

void Engine::Impl::LineReported(const Lease& lease, const v1::Attempt& attempt) {
  ProviderBatch* batch = provider_batches_.Find(workers_[lease.worker].name);
  if (batch == nullptr || attempt.state() == v1::Attempt::NOT_SENT) return;
  batch->answered = true;
  if (attempt.state() == v1::Attempt::COMPLETED) {
    batch->replied = true;
  } else if (KindOf(attempt.error_class()) == ErrorKind::kUnmendable) {
    ++batch->unmendable;
  }
}

std::vector<LeaseSlot> Engine::Impl::LinesOf(const ProviderBatch& batch) const {
  const WorkerState* holder = workers_.Find(batch.name);
  std::vector<LeaseSlot> lines;
  if (holder == nullptr) return lines;
  lines = leases_.OfWorker(workers_.NumberOf(*holder));
  std::erase_if(lines,
                [this](LeaseSlot slot) { return leases_[slot].state == Lease::State::kReported; });
  return lines;
}

void Engine::Impl::EndLines(ProviderBatch& batch, v1::Attempt::State state,
                            const std::string& why) {
  for (const LeaseSlot slot : LinesOf(batch)) {
    const Lease lease = leases_[slot];
    JobState& job = *lease.job;
    KindState& kind = job.entries[lease.entry].kinds[lease.kind];
    RecordEnd(lease, state, why);
    if (state == v1::Attempt::UNKNOWN) {
      job.entries[lease.entry].CountUnknown(kind, /*in_batch=*/true);
      if (!kind.cells.IsDone(lease.index)) ++kind.cells.Know(lease.index).deaths;
    }
    if (!kind.cells.IsDone(lease.index)) {
      const CellTable::Tried* tried = kind.cells.Find(lease.index);
      kind.cells.Return(lease.index, now(), tried != nullptr && tried->deaths >= kDeathsTogether);
    }
    leases_.Remove(slot);
  }
  Touch(*batch.job);
  if (const WorkerState* holder = workers_.Find(batch.name)) {
    RemoveIfGone(workers_.NumberOf(*holder));
  }
}

void Engine::Impl::EndBatch(ProviderBatch& batch, v1::Batch::State state) {
  batch.state = state;
  batch.session = 0;
  TouchBatch(batch);
  provider_batches_.Close(batch.id);
  SettleLater(*batch.job);
  FreeWhenSettled(*batch.job);
}

void Engine::Impl::WithdrawBatch(ProviderBatch& batch, const std::string& why) {
  batch.error_text = why;
  EndLines(batch, v1::Attempt::NOT_SENT, why);
  EndBatch(batch, v1::Batch::DONE);
}

void Engine::Impl::RefuseBatch(ProviderBatch& batch, v1::Attempt::ErrorClass error_class,
                               const std::string& words) {
  batch.error_text = words;
  EndLines(batch, v1::Attempt::NOT_SENT,
           fmt::format("the provider refused the batch as a whole: {}", words));
  EndBatch(batch, v1::Batch::REFUSED);
  JobState& job = *batch.job;
  EntryState& entry = job.entries[batch.entry];
  entry.batch_words = words;
  if (KindOf(error_class) == ErrorKind::kStopGroup) return StopGroup(entry.group, words);
  if (ComesLater(error_class)) {
    entry.batch_after = now() + Doubled(kQueuePause, entry.batch_pauses++);
    return;
  }
  CountRefusal(job, entry, error_class, words);
}

// The same again will not help for long.
void Engine::Impl::CountRefusal(JobState& job, EntryState& entry,
                                v1::Attempt::ErrorClass error_class, const std::string& words) {
  entry.batch_after = now() + Doubled(kRefusalPause, entry.batch_refusals++);
  if (entry.state != EntryState::State::kRunning || job.terminal()) return;
  // No such path: a server that only calls itself compatible.
  const bool none = error_class == v1::Attempt::NOT_FOUND;
  if (job.job().mode() == v1::Job::AUTO) {
    if (!none && entry.batch_refusals < kAutoRefusals) return;
    entry.batching = false;
    entry.no_batches = fmt::format("asked one by one, because its batches were refused: {}", words);
    Touch(job);
  } else if (none || entry.batch_refusals >= kMaxRefusals) {
    StopEntry(job, entry,
              fmt::format("the provider refuses its batches: {}{}", words,
                          none ? "; use mode LIVE or AUTO" : ""),
              0);
    entry.batch_refusals = 0;
  }
}

void Engine::Impl::FinishBatch(ProviderBatch& batch) {
  JobState& job = *batch.job;
  EntryState& entry = job.entries[batch.entry];
  // Of a step that was mended by repeating it.
  batch.error_text.clear();
  EndLines(batch, v1::Attempt::UNKNOWN, "the provider's results had nothing about this line");
  EndBatch(batch, v1::Batch::DONE);
  ++entry.batches_ended;
  if (!batch.replied && batch.unmendable >= kMaxStreak && !job.terminal() &&
      entry.state == EntryState::State::kRunning) {
    StopEntry(job, entry, entry.last_error, batch.unmendable);
  }
  if (batch.answered) {
    entry.batch_refusals = 0;
    entry.batch_pauses = 0;
  } else if (!batch.cancelled && batch.lines > 0) {
    batch.error_text = fmt::format("it ended ({}) without one line answered", batch.provider_state);
    entry.batch_words = batch.error_text;
    CountRefusal(job, entry, v1::Attempt::ERROR_CLASS_UNSPECIFIED, batch.error_text);
  }
}

}  // namespace candor::engine
