// The life of a worker: keeps a stream to the coordinator, begins the calls it grants, reports
// them, and ends in good order.
//
//   Session session(io.get_executor(), options, channels, calls, services, clock);
//   asio::co_spawn(io, session.Run(), ...);
//   ...
//   session.Drain("SIGTERM");                       // on the executor
//
// A lost stream is opened again, for ever, after 100 ms at first and up to 5 s later (jittered);
// calls in flight go on meanwhile, and their reports wait. A coordinator that was restarted or
// replaced is met the same way: both sides say what they hold, and go on from there.
//
// Draining, on request of either side: no lease is begun any more, calls in flight have the grace
// period to finish, the rest is cancelled and reported as UNANSWERED. The session ends when
// everything is acknowledged, or, with the coordinator away, some seconds later.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "worker/batch/batch_runner.h"
#include "worker/session/batch_desk.h"
#include "worker/session/call_pool.h"
#include "worker/session/channel.h"
#include "worker/session/session_state.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::session {

struct SessionOptions {
  SessionState::Options state;
  // For logs: where the coordinator is.
  std::string coordinator;
  // How long calls in flight may take to finish once draining.
  std::chrono::milliseconds grace{120'000};
  // How long the last reports may take to be acknowledged after that.
  std::chrono::milliseconds acknowledge_within{10'000};
  // How long the coordinator may take to say Welcome.
  std::chrono::milliseconds welcome_within{15'000};
  // Reports wait so long for company, unless there are so many.
  std::chrono::microseconds batch_time{2'000};
  std::size_t batch_size = 64;
  std::chrono::milliseconds first_backoff{100};
  std::chrono::milliseconds max_backoff{5'000};
  // Seeds the jitter.
  std::uint64_t seed = 0;
};

// How the stream to the coordinator fares, since the process started.
struct StreamHealth {
  std::int64_t welcomes = 0;
  std::int64_t losses = 0;
  // Since the latest message of the coordinator, and since the latest heartbeat was written; 0
  // before the first.
  Duration silence{};
  Duration heartbeat_age{};
};

class Session {
 public:
  using Services = std::function<std::vector<v1::Worker::EndpointService>()>;

  // All references must outlive the session, and the session the calls that it began. Everything
  // runs on `executor`, which must be that of one thread or a strand.
  // Without `batches` (null) no step of a batch is taken.
  Session(const boost::asio::any_io_executor& executor, SessionOptions options,
          WorkerChannelFactory& channels, CallRunner& calls, Services services, const Clock& clock,
          batch::BatchRunner* batches = nullptr);

  // Called after every Welcome, on the executor.
  std::function<void()> on_welcome;

  // Until drained.
  boost::asio::awaitable<void> Run();

  // Begins to drain; later calls do nothing. `reason` is for the log.
  void Drain(std::string_view reason);

  const SessionState& state() const { return state_; }
  StreamHealth health() const;

 private:
  // One stream, from its opening to its end. How it ended.
  boost::asio::awaitable<Status> RunStream();
  boost::asio::awaitable<Status> ReadAll(WorkerChannel& channel);
  boost::asio::awaitable<void> WriteAll(WorkerChannel& channel);
  // The next thing to say; false when the writer is to wait until `wait_until`.
  bool NextMessage(v1::ConnectRequest* message, TimePoint* wait_until);
  boost::asio::awaitable<void> DrainInTime();

  void BeginCalls(std::vector<Start> starts);
  void OnReport(v1::AttemptReport report);
  // Something of a batch is to be sent, or a step has ended.
  void OnBatch();
  void LogWelcome() const;
  void LogLoss(const Status& status);
  // Waits on `timer` for at most so long, or until it is cancelled.
  boost::asio::awaitable<void> Wait(boost::asio::steady_timer& timer, Duration duration);

  const boost::asio::any_io_executor executor_;
  const SessionOptions options_;
  WorkerChannelFactory& channels_;
  CallRunner& calls_;
  const Services services_;
  const Clock& clock_;

  SessionState state_;
  BatchDesk batches_;
  RandomStream random_;
  WorkerChannel* channel_ = nullptr;
  bool stream_open_ = false;
  bool drain_started_ = false;
  // Nothing is left to do: the stream is to be ended, and no other opened.
  bool finished_ = false;
  int failures_ = 0;
  TimePoint last_loss_log_{};
  // Of StreamHealth.
  std::int64_t welcomes_ = 0;
  std::int64_t losses_ = 0;
  std::optional<TimePoint> heard_at_;
  std::optional<TimePoint> heartbeat_at_;
  TimePoint heartbeat_due_{};
  // When the first unsent report came.
  TimePoint unsent_since_{};

  // Wake the writer, the wait between two streams, the wait for a Welcome, and the drain.
  boost::asio::steady_timer writer_wake_;
  boost::asio::steady_timer backoff_wake_;
  boost::asio::steady_timer drain_wake_;
};

}  // namespace candor::session
