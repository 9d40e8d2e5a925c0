// WatchJob: how a job stands, and what its committed outcomes say.
#include "common/base/time_proto.h"
#include "coordinator/service/grpc_status.h"
#include "coordinator/service/job_streams.h"
#include "coordinator/service/off_strand.h"

#include <algorithm>
#include <string>
#include <utility>

namespace candor::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Changes within this time travel together.
constexpr milliseconds kCoalesce(200);
// What is not durable and so not published, such as calls in flight, is looked at so often.
constexpr seconds kLook(1);
// Estimates that cannot be made yet are looked at so often.
constexpr milliseconds kLookAtEstimates(100);
constexpr seconds kHeartbeat(10);
// How long the first message waits for estimates: those of a large job come with a change.
constexpr seconds kPatience(1);
constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 20U;
// What gRPC and the fields that are set last take of a message.
constexpr std::size_t kMargin = 1'024;

// The whole job in at most 1 MB: long wordings are left to GetJob.
v1::Job Snapshot(const EngineHost& host, engine::JobKey key) {
  v1::Job job = host.engine().GetJob(key, host.Now());
  if (job.has_inline_scenarios()) job.mutable_inline_scenarios()->clear_scenarios();
  if (job.ByteSizeLong() > kMaxMessageBytes) {
    job.clear_prompts();
    for (v1::Entry& entry : *job.mutable_models()) entry.clear_prompts();
  }
  return job;
}

// What one watcher has of a job's estimates. On the strand.
class Estimates {
 public:
  Estimates(EngineHost& host, LiveJobs& live, engine::JobKey key, bool include_scenarios)
      : host_(host),
        watch_(live, key, host.engine().GetJob(key, host.Now())),
        include_scenarios_(include_scenarios) {}

  // Reads on. `now`: the job is over, its estimates are wanted without regard to the pace.
  boost::asio::awaitable<Status> Advance(bool now) {
    auto progress = co_await OnAnalysts(host_, [this, now] { return watch_.live().Advance(now); });
    if (progress.ok()) progress_ = *progress;
    co_return progress.status();
  }

  // All that is committed is read.
  bool caught_up() const { return progress_.caught_up; }
  // The estimates rest on all that is committed.
  bool fresh() const { return progress_.fresh; }
  // There are estimates of which the watcher has not seen all.
  bool unseen() const { return progress_.version != seen_version_ || !all_scenarios_; }

  // Puts the last estimates into the message, with as many scenarios as it has room for.
  boost::asio::awaitable<void> Put(v1::WatchJobResponse* message) {
    const std::size_t taken = message->ByteSizeLong() + kMargin;
    const std::size_t room = kMaxMessageBytes - std::min(kMaxMessageBytes, taken);
    const bool all = co_await OnAnalysts(host_, [&] {
      return watch_.live().Fill(room, include_scenarios_ ? &seen_ : nullptr,
                                message->mutable_estimates());
    });
    all_scenarios_ = all;
    seen_version_ = progress_.version;
  }

 private:
  EngineHost& host_;
  const LiveJobs::Watch watch_;
  const bool include_scenarios_;
  analysis::LiveJob::Progress progress_;
  std::uint64_t seen_version_ = 0;
  bool all_scenarios_ = true;
  analysis::LiveStudy::Seen seen_;
};

}  // namespace

boost::asio::awaitable<grpc::Status> Watch(
    EngineHost& host, LiveJobs& live, std::shared_ptr<ResponseStream<v1::WatchJobResponse>> stream,
    v1::WatchJobRequest request) {
  const auto key = host.engine().FindJob(request.name());
  if (!key) co_return ToGrpc(NoSuchJob(request.name()));
  const EngineHost::Subscription subscription(host, *key, [&stream] { stream->Wake(); });
  Estimates estimates(host, live, *key, request.include_scenarios());

  const TimePoint begin = host.Now().now;
  TimePoint last_write = begin;
  std::string shown;
  bool first = true;
  while (true) {
    if (host.closing()) co_return ToGrpc(ShuttingDown());
    if (!host.engine().FindJob(request.name())) co_return ToGrpc(NoSuchJob(request.name()));
    // Asked before the read: what a settled job has is committed, so what is read now is all.
    const bool settled = host.engine().Settled(*key);
    const Status read = co_await estimates.Advance(settled);
    if (stream->gone()) co_return grpc::Status::CANCELLED;
    if (!host.engine().FindJob(request.name())) co_return ToGrpc(NoSuchJob(request.name()));
    if (!read.ok()) co_return ToGrpc(read);
    const TimePoint now = host.Now().now;
    if (first && !estimates.fresh() && now - begin < kPatience) {
      // Read to the end, and another watcher's estimates are too young for others.
      if (estimates.caught_up()) co_await stream->Sleep(kLookAtEstimates);
      continue;
    }

    const bool complete = settled && estimates.fresh();
    v1::WatchJobResponse message;
    v1::Job status = host.engine().GetJobStatus(*key, host.Now());
    std::string text = status.SerializeAsString();
    const bool changed = text != shown || estimates.unseen() || complete;
    if (first) {
      message.set_type(v1::WatchJobResponse::SNAPSHOT);
      *message.mutable_job() = Snapshot(host, *key);
    } else if (changed && (complete || now - last_write >= kCoalesce)) {
      message.set_type(v1::WatchJobResponse::CHANGE);
      *message.mutable_job() = std::move(status);
    } else if (!changed && now - last_write >= kHeartbeat) {
      message.set_type(v1::WatchJobResponse::HEARTBEAT);
      message.mutable_job()->set_name(status.name());
      message.mutable_job()->set_state(status.state());
    }
    const bool speak = message.type() != v1::WatchJobResponse::TYPE_UNSPECIFIED;
    if (speak) {
      if (message.type() != v1::WatchJobResponse::HEARTBEAT) shown = std::move(text);
      if (const auto left = host.engine().TimeLeft(*key, host.Now()))
        *message.mutable_time_left() = ToProto(*left);
      if (estimates.unseen() || complete) co_await estimates.Put(&message);
      const bool written = co_await stream->Write(message);
      if (!written) co_return grpc::Status::CANCELLED;
      if (complete && !estimates.unseen()) co_return grpc::Status::OK;
      first = false;
      last_write = host.Now().now;
    }
    // A job that is over, or whose outcomes are still being read, is not waited for.
    if (settled || !estimates.caught_up()) continue;
    Duration pause = kLook;
    if (changed && !speak) {
      pause = std::max<Duration>(kCoalesce - (now - last_write), Duration(1));
    } else if (!estimates.fresh()) {
      pause = kLookAtEstimates;
    }
    const bool awake = co_await stream->Sleep(pause);
    if (!awake) co_return grpc::Status::CANCELLED;
  }
}

}  // namespace candor::service
