// What a worker holds, what it has told the coordinator, and what was acknowledged: the part of the
// session that decides, without I/O, clock or threads.
//
//   SessionState state({.worker = "workers/w1", .version = "0.1.0", .slots = 64});
//   Send(state.Open(endpoints.Services()));                       // a stream was opened
//   CANDOR_RETURN_IF_ERROR(state.Receive(message, now, &starts)); // begin the calls of `starts`
//   state.Finish(report);                                         // one of them ended
//   if (state.unsent() > 0) {
//     v1::ConnectRequest message = state.TakeReports();
//     Send(&message);
//     state.KeepReports(&message);                                // until they are acknowledged
//   }
//   state.Close();                                                // the stream broke
//
// A lease is held from its receipt to the acknowledgement of its report, over any number of
// streams: a report is sent once a stream until it is acknowledged. Memory is bounded by the slots:
// leases above them are handed back, and a coordinator that goes on regardless loses its stream.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/strings.h"
#include "common/dialect/render.h"
#include "worker/batch/batch_runner.h"
#include "worker/session/transit_delay.h"

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace candor::session {

// A call to begin.
struct Start {
  v1::Lease lease;
  std::shared_ptr<const dialect::JobRenderer> job;
  // Begun later it is handed back instead.
  TimePoint start_by;
};

// Bounds on what a coordinator may send and what a message holds.
inline constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 20U;
inline constexpr std::int64_t kMaxSpecificationBytes = std::int64_t{256} << 20U;

// Not for concurrent use.
class SessionState {
 public:
  struct Options {
    // "workers/{worker}", anew at each start of the process.
    std::string worker;
    std::string version;
    int slots = 64;
  };

  explicit SessionState(Options options) : options_(std::move(options)) {}

  // A stream was opened: the Hello to send first. Specifications come anew on each stream.
  v1::ConnectRequest Open(std::vector<v1::Worker::EndpointService> services);
  // The stream ended: reports that it did not see acknowledged are to be sent again.
  void Close();

  // Takes a message in. Appends the calls to begin to `starts`. An error means that the stream is
  // to be ended: FAILED_PRECONDITION for a coordinator of an older term than one seen before,
  // INVALID_ARGUMENT for one that does not keep the protocol, UNAVAILABLE for leases that came too
  // late to start.
  Status Receive(v1::ConnectResponse message, TimePoint now, std::vector<Start>* starts);

  // Steps of batches that came whole since it was last asked.
  std::vector<batch::BatchStart> TakeBatchSteps() { return std::exchange(batch_steps_, {}); }

  // A call that was started has ended.
  void Finish(v1::AttemptReport report);

  // Takes no more leases from now on.
  void Drain() { draining_ = true; }

  v1::ConnectRequest Heartbeat() const;
  // Reports that can be sent now: none before the Welcome of the stream.
  std::size_t unsent() const { return welcomed_ ? unsent_.size() : 0; }
  // The next of them, as many as a message of 1 MB holds (one at least). unsent() > 0. They are
  // lent: KeepReports takes them back once the message was sent, and before Close.
  v1::ConnectRequest TakeReports();
  // Does nothing with another message, nor with what was acknowledged meanwhile.
  void KeepReports(v1::ConnectRequest* message);

  // True from the Welcome of a stream to its end.
  bool welcomed() const { return welcomed_; }
  bool draining() const { return draining_; }
  // Why the coordinator wants the worker to end; empty unless it does.
  const std::string& drain_reason() const { return drain_reason_; }
  Duration heartbeat_interval() const { return heartbeat_interval_; }
  int slots() const { return options_.slots; }
  std::int64_t term() const { return term_; }
  // Leases held, and those of them whose call goes on.
  std::size_t held() const { return held_.size(); }
  std::size_t calling() const { return calling_; }

 private:
  struct Held {
    // Counts reports in the order in which they came; 0 while the call goes on.
    std::uint64_t finished = 0;
    v1::AttemptReport report;
  };
  // A specification, whole or in the making.
  struct Job {
    std::string data;
    std::int64_t total_size = 0;
    std::shared_ptr<const dialect::JobRenderer> renderer;
    // Why it cannot be used; empty when it can.
    std::string error;
  };

  Status Welcome(const v1::Welcome& welcome, TimePoint now);
  Status AddChunk(const v1::SpecificationChunk& chunk);
  Status AddLeases(v1::LeaseBatch batch, TimePoint now, std::vector<Start>* starts);
  Status AddBatchTask(v1::BatchTask task, TimePoint now);
  void AddLease(v1::Lease lease, TimePoint start_by, std::vector<Start>* starts);
  // Puts a report in the queue. The lease is held.
  void Report(Held& held, v1::AttemptReport report);

  const Options options_;
  // The stream.
  bool welcomed_ = false;
  absl::flat_hash_map<std::string, Job, StringHash, StringEqual> jobs_;
  Duration heartbeat_interval_ = std::chrono::seconds(5);
  Duration start_within_ = std::chrono::milliseconds(250);
  Duration lease_ttl_ = std::chrono::seconds(30);
  // Steps of batches: those whose lines have not all come, and those that are to begin.
  absl::flat_hash_map<std::string, batch::BatchStart, StringHash, StringEqual> batch_pieces_;
  std::vector<batch::BatchStart> batch_steps_;
  TransitDelay transit_;
  // What lasts over streams.
  std::int64_t term_ = 0;
  bool draining_ = false;
  std::string drain_reason_;
  absl::flat_hash_map<std::string, Held, StringHash, StringEqual> held_;
  std::size_t calling_ = 0;
  std::uint64_t finished_ = 0;
  // Attempt ids, in the order of their reports. May name leases that were acknowledged meanwhile.
  std::deque<std::string> unsent_;
};

}  // namespace candor::session
