#include "worker/session/session_state.h"

#include "common/base/batch_contract.h"
#include "common/base/time_proto.h"
#include "worker/provider/caller.h"

#include <algorithm>
#include <utility>

namespace candor::session {
namespace {

// Beyond this many leases above the slots the other side is no coordinator.
constexpr std::size_t kMaxSurplusLeases = 10'000;
// More lines than any provider's batch has.
constexpr int kMaxBatchLines = 200'000;

}  // namespace

v1::ConnectRequest SessionState::Open(std::vector<v1::Worker::EndpointService> services) {
  jobs_.clear();
  batch_pieces_.clear();
  batch_steps_.clear();
  welcomed_ = false;
  v1::ConnectRequest message;
  v1::Hello* hello = message.mutable_hello();
  hello->set_worker(options_.worker);
  hello->set_version(options_.version);
  hello->set_slots(options_.slots);
  hello->set_term(term_);
  hello->set_draining(draining_);
  for (auto& service : services) *hello->add_endpoints() = std::move(service);
  for (const auto& [id, held] : held_) hello->add_held_attempt_ids(id);
  std::sort(hello->mutable_held_attempt_ids()->begin(), hello->mutable_held_attempt_ids()->end());
  return message;
}

void SessionState::Close() {
  welcomed_ = false;
  std::vector<std::pair<std::uint64_t, std::string>> finished;
  for (const auto& [id, held] : held_) {
    if (held.finished != 0) finished.emplace_back(held.finished, id);
  }
  std::sort(finished.begin(), finished.end());
  unsent_.clear();
  for (auto& [order, id] : finished) unsent_.push_back(std::move(id));
}

Status SessionState::Receive(v1::ConnectResponse message, TimePoint now,
                             std::vector<Start>* starts) {
  using Case = v1::ConnectResponse::MessageCase;
  if (message.has_welcome()) return Welcome(message.welcome(), now);
  if (!welcomed_) return InvalidArgument("the coordinator spoke before its Welcome");
  switch (message.message_case()) {
    case Case::kSpecification:
      return AddChunk(message.specification());
    case Case::kLeases:
      return AddLeases(std::move(*message.mutable_leases()), now, starts);
    case Case::kAcknowledgement:
      for (const std::string& id : message.acknowledgement().attempt_ids()) {
        const auto at = held_.find(id);
        if (at != held_.end() && at->second.finished != 0) held_.erase(at);
      }
      return absl::OkStatus();
    case Case::kDrain:
      draining_ = true;
      drain_reason_ =
          message.drain().reason().empty() ? "no reason given" : message.drain().reason();
      return absl::OkStatus();
    case Case::kForgetJobs:
      for (const std::string& job : message.forget_jobs().jobs()) jobs_.erase(job);
      return absl::OkStatus();
    case Case::kBatchTask:
      return AddBatchTask(std::move(*message.mutable_batch_task()), now);
    case Case::kWelcome:
    case Case::MESSAGE_NOT_SET:
      break;
  }
  // A newer coordinator's word: what is not understood is not acted upon.
  return absl::OkStatus();
}

Status SessionState::Welcome(const v1::Welcome& welcome, TimePoint now) {
  if (welcomed_) return InvalidArgument("the coordinator said Welcome twice");
  if (welcome.term() < term_) {
    return FailedPrecondition(
        "the coordinator is of term {}, but one of term {} was seen: it has been replaced, or has "
        "another data "
        "directory than before. Start it with the right --data, or restart this worker",
        welcome.term(), term_);
  }
  term_ = welcome.term();
  if (const Duration interval = ToDuration(welcome.heartbeat_interval()); interval.count() > 0) {
    heartbeat_interval_ = interval;
  }
  if (const Duration within = ToDuration(welcome.start_within()); within.count() > 0) {
    start_within_ = within;
  }
  if (const Duration ttl = ToDuration(welcome.lease_ttl()); ttl.count() > 0) lease_ttl_ = ttl;
  // Of what the coordinator gave up, calls under way and replies are paid for and reported; leases
  // that never became calls are dropped.
  for (const std::string& id : welcome.unknown_attempt_ids()) {
    const auto at = held_.find(id);
    if (at == held_.end() || at->second.finished == 0) continue;
    if (at->second.report.attempt().state() == v1::Attempt::NOT_SENT) held_.erase(at);
  }
  std::erase_if(unsent_, [&](const std::string& id) { return !held_.contains(id); });
  // Another coordinator has another clock.
  transit_ = TransitDelay();
  if (welcome.has_send_clock()) transit_.Excess(ToDuration(welcome.send_clock()), now);
  welcomed_ = true;
  return absl::OkStatus();
}

Status SessionState::AddChunk(const v1::SpecificationChunk& chunk) {
  if (chunk.total_size() < 0 || chunk.total_size() > kMaxSpecificationBytes) {
    return InvalidArgument("the specification of {} has {} bytes; at most {} are taken",
                           chunk.job(), chunk.total_size(), kMaxSpecificationBytes);
  }
  Job& job = jobs_[chunk.job()];
  if (chunk.offset() == 0) {
    job = Job();
    job.total_size = chunk.total_size();
  }
  const auto size = static_cast<std::int64_t>(job.data.size());
  if (chunk.offset() != size || chunk.total_size() != job.total_size ||
      size + static_cast<std::int64_t>(chunk.data().size()) > job.total_size) {
    return InvalidArgument("a piece of the specification of {} begins at {} of {} bytes, not at {}",
                           chunk.job(), chunk.offset(), chunk.total_size(), size);
  }
  job.data += chunk.data();
  if (static_cast<std::int64_t>(job.data.size()) < job.total_size) return absl::OkStatus();
  v1::JobSpecification specification;
  if (!specification.ParseFromString(job.data)) {
    job.error = "it is damaged";
  } else {
    auto renderer = dialect::JobRenderer::Create(std::move(specification));
    if (renderer.ok()) {
      job.renderer = *std::move(renderer);
    } else {
      job.error = Message(renderer.status());
    }
  }
  std::string().swap(job.data);
  return absl::OkStatus();
}

Status SessionState::AddLeases(v1::LeaseBatch batch, TimePoint now, std::vector<Start>* starts) {
  if (batch.term() < term_) {
    return FailedPrecondition("leases are of term {}, but a coordinator of term {} was seen",
                              batch.term(), term_);
  }
  term_ = batch.term();
  const auto slots = static_cast<std::size_t>(options_.slots);
  if (held_.size() + static_cast<std::size_t>(batch.leases_size()) >
      2 * slots + kMaxSurplusLeases) {
    return InvalidArgument("the coordinator sent {} leases to {} slots", batch.leases_size(),
                           options_.slots);
  }
  // The time to start runs from the sending: a worker that was stopped must not start what it reads
  // only now. A new stream begins without what is late on this one, whose leases were never held.
  const Duration late =
      batch.has_send_clock() ? transit_.Excess(ToDuration(batch.send_clock()), now) : Duration(0);
  if (late >= start_within_) {
    return Unavailable(
        "leases came {} ms later than usual, too late to start; opens the stream anew",
        late / std::chrono::milliseconds(1));
  }
  for (v1::Lease& lease : *batch.mutable_leases()) {
    AddLease(std::move(lease), now + start_within_ - late, starts);
  }
  return absl::OkStatus();
}

Status SessionState::AddBatchTask(v1::BatchTask task, TimePoint now) {
  if (task.term() < term_) {
    return FailedPrecondition("a step of {} is of term {}, but a coordinator of term {} was seen",
                              task.batch(), task.term(), term_);
  }
  term_ = task.term();
  batch::BatchStart& start = batch_pieces_[task.batch()];
  if (start.task.batch().empty()) {
    // The time runs from the sending, however late it is read.
    const Duration late =
        task.has_send_clock() ? transit_.Excess(ToDuration(task.send_clock()), now) : Duration(0);
    start.create_by = now + kCreateWithinTtls * lease_ttl_ - late;
    start.create_within = kCreateTakesTtls * lease_ttl_;
    start.task = std::move(task);
  } else {
    start.task.set_more(task.more());
    start.task.mutable_leases()->MergeFrom(task.leases());
  }
  if (start.task.leases_size() > kMaxBatchLines) {
    return InvalidArgument("{} has more than {} lines", start.task.batch(), kMaxBatchLines);
  }
  if (start.task.more()) return absl::OkStatus();
  const auto job = jobs_.find(start.task.job());
  if (job == jobs_.end() || (job->second.renderer == nullptr && job->second.error.empty())) {
    start.error = "the job's specification has not come";
  } else if (!job->second.error.empty()) {
    start.error = fmt::format("the worker (version {}) cannot use the job's specification: {}",
                              options_.version, job->second.error);
  } else {
    start.job = job->second.renderer;
  }
  const std::string name = start.task.batch();
  batch_steps_.push_back(std::move(start));
  batch_pieces_.erase(name);
  return absl::OkStatus();
}

void SessionState::AddLease(v1::Lease lease, TimePoint start_by, std::vector<Start>* starts) {
  const bool full = held_.size() >= static_cast<std::size_t>(options_.slots);
  const auto [at, added] = held_.try_emplace(lease.attempt_id());
  // Known already: the coordinator repeats itself.
  if (!added) return;
  Held& held = at->second;
  if (draining_) return Report(held, provider::HandBack(lease, "the worker takes no more leases"));
  if (full) return Report(held, provider::HandBack(lease, "all slots of the worker are taken"));
  const auto job = jobs_.find(lease.job());
  if (job == jobs_.end() || (job->second.renderer == nullptr && job->second.error.empty())) {
    return Report(held, provider::HandBack(lease, "the job's specification has not come"));
  }
  if (!job->second.error.empty()) {
    v1::AttemptReport report = provider::HandBack(lease, "");
    report.mutable_attempt()->set_state(v1::Attempt::FAILED);
    report.mutable_attempt()->set_error_class(v1::Attempt::INVALID_REQUEST);
    report.mutable_attempt()->set_error_text(
        fmt::format("the worker (version {}) cannot use the job's specification: {}",
                    options_.version, job->second.error));
    return Report(held, std::move(report));
  }
  ++calling_;
  starts->push_back({std::move(lease), job->second.renderer, start_by});
}

void SessionState::Finish(v1::AttemptReport report) {
  const auto at = held_.find(report.attempt().id());
  if (at == held_.end() || at->second.finished != 0) return;
  --calling_;
  Report(at->second, std::move(report));
}

void SessionState::Report(Held& held, v1::AttemptReport report) {
  held.finished = ++finished_;
  unsent_.push_back(report.attempt().id());
  held.report = std::move(report);
}

v1::ConnectRequest SessionState::Heartbeat() const {
  v1::ConnectRequest message;
  message.mutable_heartbeat()->set_slots(options_.slots);
  message.mutable_heartbeat()->set_draining(draining_);
  return message;
}

v1::ConnectRequest SessionState::TakeReports() {
  v1::ConnectRequest message;
  v1::AttemptReports* reports = message.mutable_reports();
  std::size_t bytes = 0;
  while (!unsent_.empty()) {
    const auto at = held_.find(unsent_.front());
    if (at != held_.end()) {
      // With the bytes of tag and length.
      const std::size_t size = at->second.report.ByteSizeLong() + 8;
      if (bytes > 0 && bytes + size > kMaxMessageBytes - 64) break;
      bytes += size;
      *reports->add_reports() = std::move(at->second.report);
    }
    unsent_.pop_front();
  }
  return message;
}

void SessionState::KeepReports(v1::ConnectRequest* message) {
  if (!message->has_reports()) return;
  for (v1::AttemptReport& report : *message->mutable_reports()->mutable_reports()) {
    const auto at = held_.find(report.attempt().id());
    if (at != held_.end()) at->second.report = std::move(report);
  }
}

}  // namespace candor::session
