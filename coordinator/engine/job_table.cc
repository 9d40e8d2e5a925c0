#include "coordinator/engine/job_table.h"

#include "common/base/time_proto.h"
#include "common/scenario/cells.h"
#include "coordinator/engine/prompt_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace candor::engine {
namespace {

std::int64_t SecondOf(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

v1::EntryProgress::State ToProto(EntryState::State state) {
  switch (state) {
    case EntryState::State::kStopped:
      return v1::EntryProgress::STOPPED;
    case EntryState::State::kFinished:
      return v1::EntryProgress::FINISHED;
    case EntryState::State::kRunning:
      break;
  }
  return v1::EntryProgress::RUNNING;
}

void FillProgress(const KindState& kind, v1::KindProgress& progress) {
  progress.set_kind(kind.kind);
  progress.set_total(static_cast<std::int64_t>(kind.total));
  progress.set_done(static_cast<std::int64_t>(kind.done));
  progress.set_failed(static_cast<std::int64_t>(kind.failed));
  progress.set_calls(kind.calls);
  progress.set_repeated_calls(kind.repeated_calls);
  for (std::size_t i = 0; i < kind.classes.size(); ++i) {
    if (kind.classes[i] == 0) continue;
    v1::KindProgress::ClassCount& count = *progress.add_classes();
    count.set_class_(static_cast<v1::Outcome::Class>(i));
    count.set_count(kind.classes[i]);
  }
  v1::Usage& usage = *progress.mutable_usage();
  usage.set_input_tokens(kind.input_tokens);
  usage.set_cached_input_tokens(kind.cached_input_tokens);
  usage.set_output_tokens(kind.output_tokens);
  usage.set_reasoning_tokens(kind.reasoning_tokens);
  progress.set_money(kind.money);
  progress.set_unknown_attempts(kind.unknown_attempts);
  progress.set_unknown_money(kind.unknown_money);
  progress.set_reused(kind.reused);
  progress.set_batch_calls(kind.batch_calls);
}

void RestoreProgress(const v1::KindProgress& progress, KindState& kind) {
  kind.done = static_cast<std::uint64_t>(progress.done());
  kind.failed = static_cast<std::uint64_t>(progress.failed());
  kind.calls = progress.calls();
  kind.repeated_calls = progress.repeated_calls();
  for (const v1::KindProgress::ClassCount& count : progress.classes()) {
    if (v1::Outcome::Class_IsValid(count.class_())) kind.classes[count.class_()] = count.count();
  }
  kind.input_tokens = progress.usage().input_tokens();
  kind.cached_input_tokens = progress.usage().cached_input_tokens();
  kind.output_tokens = progress.usage().output_tokens();
  kind.reasoning_tokens = progress.usage().reasoning_tokens();
  kind.money = progress.money();
  kind.unknown_attempts = progress.unknown_attempts();
  kind.unknown_money = progress.unknown_money();
  // Which part of it was of what kind is not written down: see RestoreUnanswered.
  if (kind.unknown_attempts == 0) kind.unanswered_money = kind.unknown_money;
  kind.reused = progress.reused();
  kind.batch_calls = progress.batch_calls();
  // What was taken over says nothing of how calls go.
  kind.replied = progress.done() > progress.reused();
}

}  // namespace

void RateMeter::Add(TimePoint now, std::int64_t count) {
  const std::int64_t second = SecondOf(now);
  const auto size = static_cast<std::int64_t>(counts_.size());
  if (second - second_ >= size) {
    counts_.fill(0);
    second_ = second;
  }
  while (second_ < second) counts_[static_cast<std::size_t>(++second_ % size)] = 0;
  counts_[static_cast<std::size_t>(second % size)] += static_cast<std::uint32_t>(count);
}

double RateMeter::Rate(TimePoint now) const {
  const std::int64_t second = SecondOf(now);
  const auto size = static_cast<std::int64_t>(counts_.size());
  // The ten seconds before the one that has begun.
  std::int64_t sum = 0;
  for (std::int64_t i = second - kSeconds; i < second; ++i) {
    if (i >= 0 && i <= second_ && second_ - i < size) {
      sum += counts_[static_cast<std::size_t>(i % size)];
    }
  }
  return static_cast<double>(sum) / static_cast<double>(kSeconds);
}

void OutputEstimate::Add(std::int64_t tokens) {
  // A running mean at first, then one that forgets within about a hundred replies.
  constexpr std::int64_t kMemory = 100;
  count_ = std::min(count_ + 1, kMemory);
  const double weight = 1.0 / static_cast<double>(count_);
  const double off = static_cast<double>(tokens) - mean_;
  mean_ += weight * off;
  variance_ = (1 - weight) * (variance_ + weight * off * off);
}

std::int64_t OutputEstimate::Expected(std::int64_t output_limit) const {
  constexpr std::int64_t kKnown = 10;
  if (count_ < kKnown) return output_limit;
  const auto upper = static_cast<std::int64_t>(std::ceil(mean_ + 2 * std::sqrt(variance_)));
  return std::clamp<std::int64_t>(upper, 1, std::max<std::int64_t>(1, output_limit));
}

KindState* EntryState::FindKind(v1::Cell::Kind kind) {
  for (KindState& candidate : kinds) {
    if (candidate.kind == kind) return &candidate;
  }
  return nullptr;
}

bool EntryState::replied() const {
  return std::any_of(kinds.begin(), kinds.end(), [](const KindState& k) { return k.replied; });
}

std::int32_t EntryState::streak() const {
  std::int32_t sum = 0;
  for (const KindState& kind : kinds) sum += kind.streak;
  return sum;
}

std::int64_t EntryState::open() const {
  std::int64_t sum = 0;
  for (const KindState& kind : kinds) sum += kind.open;
  return sum;
}

std::int64_t EntryState::in_flight() const {
  std::int64_t sum = 0;
  for (const KindState& kind : kinds) sum += kind.in_flight;
  return sum;
}

std::int64_t EntryState::batch_open() const {
  std::int64_t sum = 0;
  for (const KindState& kind : kinds) sum += kind.batch_open;
  return sum;
}

std::uint64_t EntryState::pending() const {
  std::uint64_t sum = 0;
  for (const KindState& kind : kinds) sum += kind.cells.pending();
  return sum;
}

CallSize EntryState::Size(const KindState& kind, std::int64_t prompt_tokens) const {
  CallSize size;
  size.count = model.count;
  size.input = prompt_tokens;
  size.output = kind.output_limit;
  // Who counts characters counts no tokens.
  if (model.count != TokenCount::kLarger) {
    size.input =
        static_cast<std::int64_t>(std::ceil(static_cast<double>(prompt_tokens) * prompt_ratio));
  }
  if (model.count == TokenCount::kProduced) size.output = kind.output.Expected(kind.output_limit);
  return size;
}

CallSize EntryState::SizeOf(const KindState& kind, std::uint32_t index) const {
  const std::vector<std::int64_t>& sizes = kind.scenario_tokens;
  return Size(kind, sizes.empty() ? kind.prompt_tokens : sizes[index % sizes.size()]);
}

bool JobState::terminal() const {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED ||
         state == v1::Job::BUDGET_EXHAUSTED;
}

std::int64_t JobState::open() const {
  std::int64_t sum = 0;
  for (const EntryState& entry : entries) sum += entry.open();
  return sum;
}

std::int64_t JobState::in_flight() const {
  std::int64_t sum = 0;
  for (const EntryState& entry : entries) sum += entry.in_flight();
  return sum;
}

std::uint64_t JobState::pending() const {
  std::uint64_t sum = 0;
  for (const EntryState& entry : entries) sum += entry.pending();
  return sum;
}

std::uint64_t JobState::done() const {
  std::uint64_t sum = 0;
  for (const EntryState& entry : entries) {
    for (const KindState& kind : entry.kinds) sum += kind.done;
  }
  return sum;
}

std::int64_t JobState::calls() const {
  std::int64_t sum = 0;
  for (const EntryState& entry : entries) {
    for (const KindState& kind : entry.kinds) sum += kind.calls;
  }
  return sum;
}

std::int64_t JobState::unknown_attempts() const {
  std::int64_t sum = 0;
  for (const EntryState& entry : entries) {
    for (const KindState& kind : entry.kinds) sum += kind.unknown_attempts;
  }
  return sum;
}

bool JobState::has_stopped() const {
  return std::any_of(entries.begin(), entries.end(), [](const EntryState& entry) {
    return entry.state == EntryState::State::kStopped;
  });
}

void JobState::DropCells() {
  has_cells = false;
  for (EntryState& entry : entries) {
    for (KindState& kind : entry.kinds) {
      kind.cells = CellTable();
      kind.chains = ChainTable();
      kind.scenario_tokens = {};
    }
  }
}

std::vector<EntryState> BuildEntries(const v1::JobSpecification& specification, Catalog& catalog,
                                     bool with_cells) {
  std::vector<EntryState> entries;
  entries.reserve(static_cast<std::size_t>(specification.entries_size()));
  for (int i = 0; i < specification.entries_size(); ++i) {
    const v1::ResolvedEntry& resolved = specification.entries(i);
    EntryState& entry = entries.emplace_back();
    entry.name = resolved.name();
    entry.endpoint_name = resolved.endpoint();
    entry.model_name = resolved.model();
    entry.model = catalog.Find(resolved.endpoint(), resolved.model());
    for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
      const scenario::CellMap cells(specification, i, kind);
      if (cells.size() == 0) continue;
      KindState& state = entry.kinds.emplace_back();
      state.kind = kind;
      state.total = cells.size();
      if (!with_cells) continue;
      if (kind == v1::Cell::CHOICE) state.chains = ChainTable(resolved);
      state.cells = CellTable(cells.size(), state.chains.empty() ? CellTable::Opening::kAllAtOnce
                                                                 : CellTable::Opening::kOneByOne);
      PromptSize prompts = SizeOfPrompts(specification, i, kind);
      state.prompt_tokens = prompts.max_tokens;
      state.scenario_tokens = std::move(prompts.tokens);
      state.output_limit = OutputLimit(resolved, kind);
    }
  }
  return entries;
}

std::shared_ptr<const v1::Job> BuildStatus(const JobState& job) {
  auto status = std::make_shared<v1::Job>();
  status->set_state(job.state);
  status->set_state_reason(job.reason);
  if (job.start_time) *status->mutable_start_time() = candor::ToProto(*job.start_time);
  if (job.end_time) *status->mutable_end_time() = candor::ToProto(*job.end_time);
  for (const EntryState& entry : job.entries) {
    v1::EntryProgress& progress = *status->add_progress();
    progress.set_entry(entry.name);
    progress.set_state(ToProto(entry.state));
    // Of an entry that runs, that its cells do not go in batches any more.
    const bool runs = entry.state == EntryState::State::kRunning;
    progress.set_reason(runs ? entry.no_batches : entry.reason);
    for (const KindState& kind : entry.kinds) FillProgress(kind, *progress.add_kinds());
  }
  return status;
}

void RestoreStatus(const v1::Job& status, JobState& job) {
  if (status.state() != v1::Job::STATE_UNSPECIFIED) job.state = status.state();
  job.reason = status.state_reason();
  if (status.has_start_time()) job.start_time = ToWall(status.start_time());
  if (status.has_end_time()) job.end_time = ToWall(status.end_time());
  for (int i = 0; i < status.progress_size() && i < static_cast<int>(job.entries.size()); ++i) {
    const v1::EntryProgress& progress = status.progress(i);
    EntryState& entry = job.entries[static_cast<std::size_t>(i)];
    if (progress.state() == v1::EntryProgress::STOPPED) {
      entry.state = EntryState::State::kStopped;
      entry.reason = progress.reason();
    } else if (progress.state() == v1::EntryProgress::FINISHED) {
      entry.state = EntryState::State::kFinished;
    } else if (!progress.reason().empty()) {
      entry.no_batches = progress.reason();
      entry.batching = false;
    }
    for (const v1::KindProgress& kind : progress.kinds()) {
      if (KindState* state = entry.FindKind(kind.kind())) RestoreProgress(kind, *state);
    }
  }
}

}  // namespace candor::engine
