// Batches as others see them.
#include "common/base/rate_text.h"
#include "common/base/text_table.h"
#include "coordinator/engine/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace candor::engine {

// What the cells wait for that are in no batch yet; empty when there are none.
std::string Engine::Impl::NextBatchWords(const JobState& job, const EntryState& entry) const {
  if (!entry.batching) return {};
  std::uint64_t cells = 0;
  std::int64_t tokens = 0;
  for (const KindState& kind : entry.kinds) {
    if (!kind.chains.empty()) continue;
    const std::uint64_t waiting = kind.cells.pending() - kind.cells.tentative();
    cells += waiting;
    tokens += static_cast<std::int64_t>(waiting) * std::max<std::int64_t>(1, kind.prompt_tokens);
  }
  if (cells == 0) return {};
  if (std::string reserved = job.BudgetReserved(); !reserved.empty()) return reserved;
  std::string words = fmt::format("{} cell{} wait{} for ", WithCommas(cells), cells == 1 ? "" : "s",
                                  cells == 1 ? "s" : "");
  const std::int64_t queue = entry.model.batch.queue_tokens();
  if (queue > 0 && tokens > QueueLeft(entry)) {
    return words + fmt::format("room in the provider's queue of {} tokens (queue_tokens)",
                               WithCommas(queue));
  }
  return words + "the next batch";
}

std::string Engine::Impl::BatchWords(const JobState& job, std::uint32_t entry) const {
  struct Sum {
    std::int64_t batches = 0;
    std::int64_t lines = 0;
    std::int64_t done = 0;
  } intended, submitted, collecting;
  std::string error;
  std::optional<TimePoint> looked_for;
  for (const ProviderBatch* batch : provider_batches_.OpenOf(job.entries[entry])) {
    Sum& sum = batch->state == v1::Batch::INTENDED    ? intended
               : batch->state == v1::Batch::SUBMITTED ? submitted
                                                      : collecting;
    if (batch->failures > 0 && !batch->quiet) error = batch->error_text;
    if (batch->quiet && batch->due > now()) {
      looked_for = std::min(batch->due, looked_for.value_or(batch->due));
    }
    ++sum.batches;
    sum.lines += batch->lines;
    sum.done += batch->state == v1::Batch::COLLECTING ? Collected(*batch) : batch->lines_done;
  }
  std::string words;
  const auto add = [&words](const Sum& sum, const std::string& rest) {
    if (sum.batches == 0) return;
    words += fmt::format("{}{} batch{} of {} line{} {}", words.empty() ? "" : "; ", sum.batches,
                         sum.batches == 1 ? "" : "es", WithCommas(sum.lines),
                         sum.lines == 1 ? "" : "s", rest);
  };
  add(submitted, fmt::format("at the provider, {} done", WithCommas(submitted.done)));
  add(collecting, fmt::format("ended, {} results here", WithCommas(collecting.done)));
  add(intended, "to be created");
  if (looked_for) {
    words += fmt::format(
        ": a worker may be creating {} since before its stream or the coordinator ended, so the "
        "provider is asked for {} in {}",
        intended.batches == 1 ? "it" : "them", intended.batches == 1 ? "it" : "the first",
        SpanText(std::chrono::ceil<std::chrono::seconds>(*looked_for - now()).count()));
  }
  if (!error.empty()) words += fmt::format("; the last step failed and is tried again: {}", error);
  if (const std::string next = NextBatchWords(job, job.entries[entry]); !next.empty()) {
    words += fmt::format("; {}", next);
  }
  return words;
}

std::int64_t Engine::Impl::Collected(const ProviderBatch& batch) const {
  const WorkerState* holder = workers_.Find(batch.name);
  const std::int64_t open =
      holder == nullptr ? 0 : leases_.CountOfWorker(workers_.NumberOf(*holder));
  return batch.state == v1::Batch::REFUSED ? 0 : batch.lines - open;
}

std::vector<v1::Batch> Engine::Impl::Batches(JobKey key) const {
  std::vector<v1::Batch> views;
  const JobState* job = FindJob(key);
  if (job == nullptr) return views;
  const auto& all = provider_batches_.all();
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    const ProviderBatch& batch = at->second;
    if (batch.job != job || !batch.durable) continue;
    v1::Batch& view = views.emplace_back(*BuildRecord(batch));
    view.set_name(batch.name);
    view.set_job(job->job().name());
    view.set_entry(job->entries[batch.entry].name);
    view.set_lines_collected(Collected(batch));
  }
  return views;
}

}  // namespace candor::engine
