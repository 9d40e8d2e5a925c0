#include "coordinator/engine/engine_impl.h"

#include <algorithm>
#include <utility>

namespace candor::engine {

EntryFacts Engine::Impl::FactsOf(const JobState& job, EntryState& entry, const Instant& instant,
                                 const std::vector<v1::LimitGroup>& groups) {
  EntryFacts facts;
  facts.entry = entry.name;
  facts.endpoint = entry.endpoint_name;
  facts.rate = entry.rate.Rate(instant.now);
  facts.over = job.terminal();
  facts.waits = entry.waits;
  facts.calls = static_cast<std::int64_t>(entry.recent_calls.size());
  facts.repeated = entry.recent_calls.marked();
  facts.latency_median = entry.recent_answers.Quantile(0.5);
  facts.latency_p95 = entry.recent_answers.Quantile(0.95);
  facts.in_flight = entry.in_flight();
  facts.pending = static_cast<std::int64_t>(entry.pending());
  double tokens = 0;
  std::uint64_t weight = 0;
  for (const KindState& kind : entry.kinds) {
    facts.total += static_cast<std::int64_t>(kind.total);
    facts.done += static_cast<std::int64_t>(kind.done);
    facts.given_up += static_cast<std::int64_t>(kind.failed);
    const std::uint64_t cells = std::max<std::uint64_t>(1, kind.cells.pending());
    tokens += static_cast<double>(entry.Largest(kind).total()) * static_cast<double>(cells);
    weight += cells;
  }
  if (!entry.kinds.empty()) {
    facts.counts_output = entry.Largest(entry.kinds.front()).count != TokenCount::kInput;
  }
  if (weight > 0) facts.call_tokens = tokens / static_cast<double>(weight);

  switch (entry.state) {
    case EntryState::State::kStopped:
      facts.state = v1::EntryProgress::STOPPED;
      facts.reason = entry.reason;
      break;
    case EntryState::State::kFinished:
      facts.state = v1::EntryProgress::FINISHED;
      break;
    case EntryState::State::kRunning:
      if (facts.pending > 0 || entry.batch_open() > 0) {
        Waiting waiting = WaitingFor(job, entry, instant.now);
        facts.reason = std::move(waiting.text);
        facts.wait_reason = waiting.reason;
      }
      facts.state = facts.reason.empty() ? v1::EntryProgress::RUNNING : v1::EntryProgress::WAITING;
      break;
  }

  std::int64_t calls = 0;
  for (const KindState& kind : entry.kinds) {
    calls += kind.calls;
    facts.call_input_tokens += static_cast<double>(kind.input_tokens);
    facts.call_output_tokens += static_cast<double>(kind.output_tokens);
  }
  facts.call_input_tokens /= static_cast<double>(std::max<std::int64_t>(1, calls));
  facts.call_output_tokens /= static_cast<double>(std::max<std::int64_t>(1, calls));

  const Group& group = groups_[entry.group];
  facts.group_failure = group.last_failure;
  for (std::size_t i = 0; i < facts.origins.size(); ++i) {
    facts.origins[i] = group.limits.OriginOf(instant.now, static_cast<v1::LimitUse::Dimension>(i));
  }
  for (const v1::LimitGroup& view : groups) {
    if (view.name() == "limitGroups/" + group.name) facts.group = view;
  }
  for (const Group::Member& member : group.members) {
    for (const std::uint32_t number : member.entries) {
      if (&member.job->entries[number] != &entry) ++facts.group_sharers;
    }
  }
  for (const auto& [name, number] : workers_.by_name()) {
    const WorkerState& worker = workers_[number];
    if (worker.session == 0 || worker.draining || !worker.Serves(entry.model.endpoint)) continue;
    ++facts.workers;
    facts.slots += worker.slots;
    facts.slots_taken += worker.taken;
  }
  return facts;
}

v1::JobExplanation Engine::Impl::Explain(JobKey key, const Instant& instant,
                                         const StoreTimes& store) {
  JobState* job = FindJob(key);
  if (job == nullptr || !job->visible) return {};
  std::vector<v1::LimitGroup> groups = LimitGroups(instant);
  std::vector<EntryFacts> entries;
  for (EntryState& entry : job->entries) {
    entries.push_back(FactsOf(*job, entry, instant, groups));
  }
  return ExplainJob(job->job().name(), job->state, job->reason, entries, store);
}

}  // namespace candor::engine
