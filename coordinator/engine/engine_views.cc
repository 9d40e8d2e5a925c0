#include "common/base/time_proto.h"
#include "coordinator/engine/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace candor::engine {

namespace {

// What the latest error was, of an entry some of whose cells came to nothing; else empty.
std::string WordsOfGivenUp(const EntryState& entry) {
  if (entry.last_failure.empty()) return {};
  const bool given_up = std::any_of(entry.kinds.begin(), entry.kinds.end(),
                                    [](const KindState& kind) { return kind.failed > 0; });
  return given_up ? "the latest error: " + entry.last_failure : "";
}

}  // namespace

std::optional<Engine::Request> Engine::Impl::FindRequest(std::string_view request_id) const {
  const auto found = by_request_.find(std::string(request_id));
  if (found == by_request_.end()) return std::nullopt;
  const JobState& job = *FindJob(found->second);
  return Request{found->second, job.hash, job.job().import_hash()};
}

std::optional<JobKey> Engine::Impl::FindJobName(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  if (found == by_name_.end() || !FindJob(found->second)->visible) return std::nullopt;
  return found->second;
}

std::vector<JobKey> Engine::Impl::Jobs() const {
  std::vector<JobKey> keys;
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) {
    if (job->second->visible) keys.push_back(job->first);
  }
  return keys;
}

void Engine::Impl::FillStatus(const JobState& job, const Instant& instant, v1::Job& out) {
  out.MergeFrom(*job.visible_status);
  out.set_specification_hash(job.hash);
  for (int i = 0; i < out.progress_size() && i < static_cast<int>(job.entries.size()); ++i) {
    v1::EntryProgress& progress = *out.mutable_progress(i);
    // Views change nothing that counts: they are allowed to let old buckets go.
    auto& entry = const_cast<EntryState&>(job.entries[static_cast<std::size_t>(i)]);  // NOLINT
    for (v1::KindProgress& kind : *progress.mutable_kinds()) {
      const KindState* state = entry.FindKind(kind.kind());
      if (state != nullptr) kind.set_in_flight(state->in_flight);
    }
    // What was stopped, or is over, has no rate any more.
    if (!job.terminal() && entry.state != EntryState::State::kStopped) {
      progress.set_rate(entry.rate.Rate(instant.now));
    }
    if (progress.state() != v1::EntryProgress::RUNNING) {
      if (progress.reason().empty()) progress.set_reason(WordsOfGivenUp(entry));
      continue;
    }
    progress.set_reason(entry.no_batches.empty() ? WordsOfGivenUp(entry) : entry.no_batches);
    if (entry.pending() == 0 && entry.batch_open() == 0) continue;
    Waiting waiting = WaitingFor(job, entry, instant.now);
    progress.set_wait_reason(waiting.reason);
    if (waiting.text.empty()) continue;
    progress.set_state(v1::EntryProgress::WAITING);
    progress.set_reason(std::move(waiting.text));
  }
}

v1::Job Engine::Impl::GetJob(JobKey key, const Instant& instant) {
  const JobState* job = FindJob(key);
  if (job == nullptr || !job->visible) return {};
  v1::Job out = job->job();
  FillStatus(*job, instant, out);
  return out;
}

v1::Job Engine::Impl::GetJobStatus(JobKey key, const Instant& instant) {
  const JobState* job = FindJob(key);
  v1::Job out;
  if (job == nullptr || !job->visible) return out;
  out.set_name(job->job().name());
  *out.mutable_create_time() = job->job().create_time();
  out.set_imported(job->job().imported());
  FillStatus(*job, instant, out);
  return out;
}

std::optional<Duration> Engine::Impl::TimeLeft(JobKey key, const Instant& instant) const {
  const JobState* job = FindJob(key);
  if (job == nullptr) return std::nullopt;
  if (job->terminal()) return Duration(0);
  double rate = 0;
  std::uint64_t left = 0;
  for (const EntryState& entry : job->entries) {
    if (entry.state == EntryState::State::kStopped) continue;
    rate += entry.rate.Rate(instant.now);
    for (const KindState& kind : entry.kinds) left += kind.total - kind.done - kind.failed;
  }
  if (left == 0) return Duration(0);
  if (rate <= 0) return std::nullopt;
  return Duration(static_cast<std::int64_t>(std::ceil(static_cast<double>(left) / rate * 1e6)));
}

Status Engine::Impl::CheckPause(JobKey key) const {
  const JobState* job = FindJob(key);
  if (job == nullptr) return NotFound("there is no such job");
  if (job->runs()) return {};
  return FailedPrecondition("{} is {}; only a queued or running job can be paused",
                            job->job().name(), v1::Job::State_Name(job->state));
}

Status Engine::Impl::CheckResume(JobKey key) const {
  const JobState* job = FindJob(key);
  if (job == nullptr) return NotFound("there is no such job");
  if (job->state == v1::Job::PAUSED) return {};
  const bool stopped = job->has_stopped() && job->has_cells;
  if ((job->runs() || job->state == v1::Job::FAILED) && stopped) return {};
  return FailedPrecondition(
      "{} is {}{}; only a paused job, or one with an entry that its provider stopped, can be "
      "resumed",
      job->job().name(), v1::Job::State_Name(job->state),
      job->terminal() ? "" : " and no entry of it is stopped");
}

Status Engine::Impl::CheckCancel(JobKey key) const {
  const JobState* job = FindJob(key);
  if (job == nullptr) return NotFound("there is no such job");
  if (!job->terminal()) return {};
  return FailedPrecondition("{} is {} already; there is nothing to cancel", job->job().name(),
                            v1::Job::State_Name(job->state));
}

Status Engine::Impl::CheckDelete(JobKey key) const {
  const JobState* job = FindJob(key);
  if (job == nullptr || job->deleted) return NotFound("there is no such job");
  if (!job->terminal()) {
    return FailedPrecondition("{} is {}; cancel it before you delete it", job->job().name(),
                              v1::Job::State_Name(job->state));
  }
  if (!job->settled()) {
    return FailedPrecondition("{} has {} calls in flight; delete it when they have ended",
                              job->job().name(), job->in_flight());
  }
  return {};
}

Status Engine::Impl::CheckReuse(JobKey key) const {
  const JobState* job = FindJob(key);
  if (job == nullptr || job->deleted) return NotFound("there is no such job");
  return {};
}

v1::Worker Engine::Impl::ViewWorker(const WorkerState& worker) const {
  v1::Worker out;
  out.set_name(worker.name);
  out.set_version(worker.version);
  out.set_slots(worker.slots);
  out.set_slots_taken(worker.taken);
  out.set_connected(worker.session != 0);
  out.set_draining(worker.draining);
  for (const v1::Worker::EndpointService& endpoint : worker.endpoints) {
    *out.add_endpoints() = endpoint;
  }
  if (worker.connect_time) *out.mutable_connect_time() = ToProto(*worker.connect_time);
  out.set_outcomes(worker.outcomes);
  return out;
}

std::vector<v1::Worker> Engine::Impl::Workers() const {
  std::vector<v1::Worker> out;
  for (const auto& [name, number] : workers_.by_name()) {
    if (!workers_[number].is_batch) out.push_back(ViewWorker(workers_[number]));
  }
  return out;
}

std::vector<v1::LimitGroup> Engine::Impl::LimitGroups(const Instant& instant) {
  std::vector<v1::LimitGroup> out;
  for (const auto& [name, number] : group_numbers_) {
    Group& group = groups_[number];
    v1::LimitGroup& view = out.emplace_back();
    view.set_name(fmt::format("limitGroups/{}", name));
    group.limits.Fill(instant.now, instant.wall, view);
    std::int64_t waiting = 0;
    CallSize largest;
    for (const Group::Member& member : group.members) {
      for (const std::uint32_t entry : member.entries) {
        EntryState& state = member.job->entries[entry];
        waiting += static_cast<std::int64_t>(state.pending());
        for (const KindState& kind : state.kinds) {
          // These wait for answers, whatever the limits are.
          waiting -= static_cast<std::int64_t>(kind.cells.closed());
          if (kind.cells.pending() > kind.cells.closed() &&
              state.Largest(kind).total() > largest.total()) {
            largest = state.Largest(kind);
          }
        }
      }
    }
    view.set_waiting(waiting);
    for (v1::WaitTime& time : group.waits.Times()) *view.add_waits() = std::move(time);
    if (waiting > 0) {
      Waiting held = GroupWaitingFor(group, largest, instant.now);
      view.set_wait_reason(held.reason);
      view.set_waiting_for(std::move(held.text));
    }
  }
  return out;
}

}  // namespace candor::engine
