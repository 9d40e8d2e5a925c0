#include "coordinator/service/worker_service.h"

#include "common/base/logging.h"
#include "coordinator/service/grpc_status.h"

#include <boost/asio/steady_timer.hpp>
#include <google/protobuf/arena.h>

#include <deque>
#include <utility>

namespace candor::service {
namespace {

// A message of some ten reports in one piece.
constexpr std::size_t kMessageBlockBytes = 16'384;
// How often a stream that is not read, because too much waits to be written, looks again.
constexpr std::chrono::milliseconds kOverloadPause(10);

}  // namespace

// One worker's stream. gRPC's callbacks only hand over to the strand, where everything happens: one
// read, one write and one Finish at most are under way, as gRPC demands.
class WorkerStream final : public grpc::ServerBidiReactor<v1::ConnectRequest, v1::ConnectResponse>,
                           public SessionSink,
                           public std::enable_shared_from_this<WorkerStream> {
 public:
  WorkerStream(WorkerService& service, EngineHost& host)
      : service_(service), host_(host), pause_(host.strand()) {}

  // On the strand, once.
  void Open() {
    self_ = shared_from_this();
    service_.streams_.insert(self_);
    if (!service_.closed_.empty()) return Close(service_.closed_);
    Read();
  }

  void Send(v1::ConnectResponse message) override {
    if (ended_) return;
    outgoing_.push_back(std::move(message));
    if (outgoing_.size() == 1) StartWrite(&outgoing_.front());
  }

  void Close(const std::string& reason) override { End({grpc::StatusCode::UNAVAILABLE, reason}); }

  // --- gRPC's callbacks ---
  void OnReadDone(bool ok) override {
    host_.Post([self = shared_from_this(), ok] {
      if (!ok) return self->End(grpc::Status::OK);
      self->Take();
      self->ReadOn();
    });
  }
  void OnWriteDone(bool ok) override {
    host_.Post([self = shared_from_this(), ok] {
      if (!ok) return self->End(grpc::Status::OK);
      self->outgoing_.pop_front();
      if (!self->outgoing_.empty() && !self->ended_) self->StartWrite(&self->outgoing_.front());
    });
  }
  void OnCancel() override {
    host_.Post([self = shared_from_this()] { self->End(grpc::Status::CANCELLED); });
  }
  // The last callback: gRPC's reference ends here.
  void OnDone() override {
    host_.Post([self = shared_from_this()] {
      self->service_.streams_.erase(self);
      self->self_.reset();
    });
  }

 private:
  // Each message lies in an arena of its own, which its reports keep until they are durable.
  void Read() {
    google::protobuf::ArenaOptions options;
    options.max_block_size = kMessageBlockBytes;
    arena_ = std::make_shared<google::protobuf::Arena>(options);
    request_ = google::protobuf::Arena::CreateMessage<v1::ConnectRequest>(arena_.get());
    StartRead(request_);
  }

  void ReadOn() {
    if (ended_) return;
    if (!host_.Overloaded()) return Read();
    // Back-pressure: an unread stream fills, and the worker's slots stay taken.
    pause_.expires_after(kOverloadPause);
    pause_.async_wait(
        [self = shared_from_this()](const boost::system::error_code&) { self->ReadOn(); });
  }

  void Take() {
    if (ended_) return;
    switch (request_->message_case()) {
      case v1::ConnectRequest::kHello:
        return TakeHello();
      case v1::ConnectRequest::kHeartbeat:
        if (session_ == 0) return EndUnasked();
        host_.Handle(engine::WorkerHeartbeat{.session = session_,
                                             .slots = request_->heartbeat().slots(),
                                             .draining = request_->heartbeat().draining()});
        if (request_->heartbeat().draining()) AnswerDrain();
        return;
      case v1::ConnectRequest::kReports:
        if (session_ == 0) return EndUnasked();
        return TakeReports();
      case v1::ConnectRequest::kBatchReport:
        if (session_ == 0) return EndUnasked();
        host_.Handle(engine::BatchReported{.session = session_,
                                           .report = {arena_, &request_->batch_report()}});
        return;
      case v1::ConnectRequest::MESSAGE_NOT_SET:
        return;  // of a newer worker: nothing that this coordinator knows
    }
  }

  void TakeHello() {
    if (session_ != 0)
      return End({grpc::StatusCode::FAILED_PRECONDITION, "hello was said already on this stream"});
    const std::shared_ptr<const v1::Hello> hello(arena_, &request_->hello());
    if (hello->worker().rfind("workers/", 0) != 0 || hello->slots() < 1) {
      return End(InvalidField(
          "hello",
          fmt::format("worker \"{}\" with {} slots cannot be used; give a name \"workers/...\" "
                      "and at least 1 slot",
                      hello->worker(), hello->slots())));
    }
    if (hello->term() > host_.engine().term()) {
      return End(
          ToGrpc(FailedPrecondition("the worker has seen a coordinator of term {}, and this one "
                                    "has term {}: it has another or an older data directory. "
                                    "Start it with the right --data, or restart the worker",
                                    hello->term(), host_.engine().term())));
    }
    engine::WorkerConnected event{.session = 0, .hello = hello, .held = {}};
    for (const std::string& id : hello->held_attempt_ids()) {
      if (const auto attempt = host_.store().ParseAttemptName(id)) event.held.push_back(*attempt);
    }
    worker_ = hello->worker();
    session_ = event.session = host_.AddSession(self_);
    Log()
        .With("worker", worker_)
        .Info("connected, {} slots, holds {} leases", hello->slots(), event.held.size());
    host_.Handle(std::move(event));
    if (hello->draining()) AnswerDrain();
  }

  // Behind the leases that are on their way to be durable: the worker then knows that no other
  // comes.
  void AnswerDrain() {
    host_.AfterCommit([self = shared_from_this()] {
      v1::ConnectResponse message;
      message.mutable_drain()->set_reason("as the worker asked");
      self->Send(std::move(message));
    });
  }

  void TakeReports() {
    engine::ReportsArrived event{.session = session_, .reports = {}};
    event.reports.reserve(static_cast<std::size_t>(request_->reports().reports_size()));
    v1::ConnectResponse foreign;
    for (v1::AttemptReport& report : *request_->mutable_reports()->mutable_reports()) {
      const auto attempt = host_.store().ParseAttemptName(report.attempt().id());
      if (!attempt) {
        // Of another store: nobody here waits for it, and the worker is to stop sending it.
        foreign.mutable_acknowledgement()->add_attempt_ids(report.attempt().id());
        continue;
      }
      const engine::JobKey job = host_.engine().FindJob(report.job()).value_or(0);
      event.reports.push_back({.attempt = *attempt, .job = job, .report = {arena_, &report}});
    }
    if (foreign.has_acknowledgement()) Send(std::move(foreign));
    if (!event.reports.empty()) host_.Handle(std::move(event));
  }

  void EndUnasked() {
    End({grpc::StatusCode::FAILED_PRECONDITION, "the first message of a stream is hello"});
  }

  void End(const grpc::Status& status) {
    if (std::exchange(ended_, true)) return;
    Finish(status);
    if (session_ == 0) return;
    Log().With("worker", worker_).Info("disconnected");
    host_.RemoveSession(session_);
  }

  WorkerService& service_;
  EngineHost& host_;
  // gRPC's reference, from Open to OnDone.
  std::shared_ptr<WorkerStream> self_;
  boost::asio::steady_timer pause_;
  std::shared_ptr<google::protobuf::Arena> arena_;
  v1::ConnectRequest* request_ = nullptr;
  // The front is being written.
  std::deque<v1::ConnectResponse> outgoing_;
  std::string worker_;
  engine::SessionId session_ = 0;
  bool ended_ = false;
};

grpc::ServerBidiReactor<v1::ConnectRequest, v1::ConnectResponse>* WorkerService::Connect(
    grpc::CallbackServerContext* /*context*/) {
  auto stream = std::make_shared<WorkerStream>(*this, host_);
  // The strand keeps it from here on; no callback comes before Open has begun to read.
  host_.Post([stream] { stream->Open(); });
  return stream.get();
}

void WorkerService::CloseAll(const std::string& reason) {
  host_.Post([this, reason] {
    closed_ = reason;
    const auto streams = streams_;
    for (const auto& stream : streams) stream->Close(reason);
  });
}

}  // namespace candor::service
