// The engine with a thread: one strand on which events are handled and their commands carried out.
//
//   host.Post([&host, name] {                       // from any thread
//     auto job = host.engine().FindJob(name);       // on the strand
//     if (job) host.Handle(engine::JobPaused{*job});
//     host.AfterCommit([] { ... });                 // on the strand, once that is durable
//   });
//
// Everything that talks to the outside hangs on it: worker streams as `SessionSink`, watchers as
// subscriptions.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "coordinator/engine/engine.h"
#include "coordinator/store/committer.h"
#include "coordinator/store/store.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/functional/any_invocable.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace candor::service {

// Who counts what passes, for metrics.
class HostObserver {
 public:
  virtual ~HostObserver() = default;
  // On the strand: this is about to be written.
  virtual void Persisting(const engine::WriteBatch& batch, const engine::Engine& engine) = 0;
  // On the committer's thread: this is durable.
  virtual void Committed(const store::CommitReport& report) = 0;
};

// The sending half of a worker's stream.
class SessionSink {
 public:
  virtual ~SessionSink() = default;
  // Queues a message. On the strand.
  virtual void Send(v1::ConnectResponse message) = 0;
  // Ends the stream. On the strand; nothing is sent afterwards.
  virtual void Close(const std::string& reason) = 0;
};

class EngineHost {
 public:
  struct Options {
    engine::Options engine;
    // Outlives the host; may be null.
    HostObserver* observer = nullptr;
    // How often workers say that they live: several times within the life of a lease.
    Duration heartbeat_interval() const {
      return std::min<Duration>(std::chrono::seconds(5), engine.lease_ttl / 4);
    }
  };

  // `strand` is run by one thread. `store` has not been recovered yet. `on_fatal` is called when
  // nothing can be made durable any more: the process is to end, and the next one goes on from the
  // store.
  static StatusOr<std::unique_ptr<EngineHost>> Create(
      boost::asio::io_context& strand, store::Store& store, const Clock& clock, Options options,
      absl::AnyInvocable<void(const Status&)> on_fatal);
  ~EngineHost();
  EngineHost(const EngineHost&) = delete;
  EngineHost& operator=(const EngineHost&) = delete;

  // Writes what is queued and stops the threads. After the strand has ended.
  void Stop();

  // --- From any thread ---

  // Runs `task` on the strand.
  void Post(absl::AnyInvocable<void()> task);
  // Runs `task`, which may block on the store, on a reader thread.
  void PostToReaders(absl::AnyInvocable<void()> task);
  // Runs `task`, which may take seconds, on a thread for analyses. The engine never waits for
  // these.
  void PostToAnalysts(absl::AnyInvocable<void()> task);
  boost::asio::io_context& strand() { return strand_; }
  store::Store& store() { return store_; }
  const Options& options() const { return options_; }
  const Clock& clock() const { return clock_; }
  Duration uptime() const { return clock_.Now() - start_; }

  // --- On the strand ---

  const engine::Engine& engine() const { return *engine_; }
  engine::Instant Now() const;
  // Takes an event and carries out what the engine wants.
  void Handle(engine::Event event);
  // Calls `done` once everything that was asked to be durable so far is.
  void AfterCommit(absl::AnyInvocable<void()> done);
  // True while so much waits to be written that no more is to be read from workers.
  bool Overloaded() const;
  // What was handed over and is not durable yet.
  struct Unwritten {
    std::size_t batches = 0;
    std::size_t bytes = 0;
    // Since the oldest of them was handed over.
    Duration age{};
  };
  Unwritten unwritten() const;
  // How long the latest batches took from their hand-over to their commit.
  engine::StoreTimes store_times() const;

  // Ends what waits for changes: subscribers are called, and find `closing`.
  void BeginClosing();
  bool closing() const { return closing_; }

  engine::SessionId AddSession(std::shared_ptr<SessionSink> sink);
  // The stream has ended: tells the engine.
  void RemoveSession(engine::SessionId session);

  // Calls `changed` on the strand whenever what is visible of the job has changed, until the
  // subscription is destroyed (on the strand). `changed` must not destroy a subscription.
  class Subscription {
   public:
    Subscription(EngineHost& host, engine::JobKey job, std::function<void()> changed);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    EngineHost& host_;
    engine::JobKey job_;
    std::uint64_t id_;
  };

 private:
  struct Session {
    std::shared_ptr<SessionSink> sink;
    // Jobs whose specification was sent on this stream.
    absl::flat_hash_set<engine::JobKey> specifications;
  };

  EngineHost(boost::asio::io_context& strand, store::Store& store, const Clock& clock,
             Options options, absl::AnyInvocable<void(const Status&)> on_fatal,
             engine::Recovery recovery);

  void CarryOut(engine::Persist& command);
  void CarryOut(engine::WelcomeWorker& command);
  void CarryOut(engine::SendLeases& command);
  void CarryOut(engine::Acknowledge& command);
  void CarryOut(engine::LookUpAttempts& command);
  void CarryOut(engine::DrainWorker& command);
  void CarryOut(engine::CloseSession& command);
  void CarryOut(engine::PublishJob& command);
  void CarryOut(engine::ForgetJob& command);
  void CarryOut(engine::ProposeTrials& command);
  void CarryOut(engine::SendBatchTask& command);
  void Committed(engine::Ticket ticket);
  void FillLease(const engine::LeaseRecord& record, const std::string& job, v1::Lease& lease) const;
  void SendSpecification(Session& session, engine::JobKey job);
  void ArmTimer();

  boost::asio::io_context& strand_;
  boost::asio::thread_pool readers_;
  boost::asio::thread_pool analysts_;
  boost::asio::steady_timer timer_;
  store::Store& store_;
  const Clock& clock_;
  const Options options_;
  const TimePoint start_;
  const TimePoint engine_start_;
  absl::AnyInvocable<void(const Status&)> on_fatal_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<store::GroupCommitter> committer_;

  bool handling_ = false;
  bool closing_ = false;
  engine::Ticket asked_ = 0;
  engine::Ticket durable_ = 0;
  // When the batches that are not durable yet were handed over, the oldest first.
  std::deque<TimePoint> handed_over_;
  engine::RecentTimes store_times_;
  std::deque<std::pair<engine::Ticket, absl::AnyInvocable<void()>>> after_commit_;
  engine::SessionId next_session_ = 1;
  absl::flat_hash_map<engine::SessionId, Session> sessions_;
  // Serialised specifications of jobs that are being asked.
  absl::flat_hash_map<engine::JobKey, std::shared_ptr<const std::string>> serialised_;
  std::uint64_t next_subscription_ = 1;
  absl::flat_hash_map<engine::JobKey, absl::flat_hash_map<std::uint64_t, std::function<void()>>>
      subscriptions_;
};

}  // namespace candor::service
