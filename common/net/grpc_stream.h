// Bidirectional gRPC streams as straight code in coroutines.
//
// Server: the method of a callback service hands its stream to a session coroutine, and the status
// that the session returns is the end of the call.
//
//   grpc::ServerBidiReactor<In, Out>* Connect(grpc::CallbackServerContext* context) override {
//     return ServeStream<In, Out>(executor, context, {}, [this](ServerStreamPtr<In, Out> stream) {
//       return Session(stream);
//     });
//   }
//   awaitable<grpc::Status> Session(ServerStreamPtr<In, Out> stream) {
//     while (true) {
//       const std::optional<In> message = co_await stream->Read();
//       if (!message.has_value()) co_return grpc::Status::OK;
//       stream->Send(Answer(*message));
//     }
//   }
//
// Client:
//
//   ClientStream<In, Out> stream(executor, {}, [&](auto* context, auto* reactor) {
//     stub->async()->Connect(context, reactor);
//   });
//   stream.Send(hello);
//   std::optional<In> welcome = co_await stream.Read();
//   grpc::Status status = co_await stream.Finish();
//
// Await into a variable, as above, never within a condition: g++ 12 miscompiles that.
//
// `In` is what is read, `Out` what is written, on both sides. All functions belong to the executor
// that the stream was made with, which must be run by one thread or be a strand. gRPC's threads
// only post to it; nothing blocks them. The executor must live until gRPC has let go of every
// stream, which counts as outstanding work: once io_context::run has returned for want of work, it
// is so, and for a client's stream once Finish has returned its status. One Read and any number of
// Writes may be pending at a time.
//
// What gRPC asks for and this keeps: one write at a time, its message alive until it is done;
// Finish exactly once, also after a cancellation, and not while a write is under way; no operation
// from outside a reaction without a hold (client); the reactor lives until OnDone and until the
// session lets go, whichever is later.
#pragma once

#include <absl/functional/any_invocable.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace candor::net {

struct GrpcStreamOptions {
  // Write waits while more than this is queued. Send never waits.
  std::size_t high_watermark_bytes = std::size_t{4} << 20;
  // How long Finish lets queued messages go out before it cancels the call.
  std::chrono::milliseconds flush_timeout{5'000};
};

namespace internal {

// Lets coroutines of one executor wait until another wakes them all.
class Wakeup {
 public:
  explicit Wakeup(const boost::asio::any_io_executor& executor);
  // Returns at Wake or at cancellation of the coroutine: the caller looks at its condition again.
  // False when it was cancelled.
  boost::asio::awaitable<bool> Wait();
  void Wake();

 private:
  boost::asio::steady_timer timer_;
};

// What both ends share: one read and a queue of writes.
template <typename In, typename Out>
class StreamEnd {
 public:
  StreamEnd(boost::asio::any_io_executor executor, GrpcStreamOptions options)
      : executor_(std::move(executor)),
        options_(options),
        incoming_(executor_),
        room_(executor_),
        ended_(executor_),
        flush_timer_(executor_),
        work_(executor_) {}
  virtual ~StreamEnd() = default;

  // The next message; empty when there is none to come (the peer has ended its side, the call is
  // over, or Finish or Cancel was called) and when the coroutine is cancelled: a message that comes
  // after that is kept for the next Read.
  boost::asio::awaitable<std::optional<In>> Read() {
    const std::shared_ptr<void> alive = Self();
    while (!message_ready_ && !input_over_) {
      if (!read_under_way_) {
        read_under_way_ = true;
        StartReadOperation(&message_);
      }
      const bool woken = co_await incoming_.Wait();
      if (!woken) break;
    }
    if (!message_ready_) co_return std::nullopt;
    message_ready_ = false;
    std::optional<In> message(std::move(message_));
    message_ = In();
    co_return message;
  }

  // Queues a message. False when it cannot be sent any more.
  bool Send(Out message) {
    if (output_over_) return false;
    const std::size_t size = message.ByteSizeLong();
    queue_.push_back({std::move(message), size, nullptr});
    queued_bytes_ += size;
    WriteNext();
    return true;
  }
  // Queues a message and waits until at most the high watermark is queued.
  boost::asio::awaitable<bool> Write(Out message) {
    const std::shared_ptr<void> alive = Self();
    if (!Send(std::move(message))) co_return false;
    while (queued_bytes_ > options_.high_watermark_bytes && !output_over_) {
      const bool woken = co_await room_.Wait();
      if (!woken) break;
    }
    co_return !output_over_;
  }
  // Lends a message: returns once gRPC has passed it on, or never will, and then `*message` is what
  // it was. For those who have to keep what they send: it is not copied. Only a coroutine that is
  // cancelled meanwhile does not get it back.
  boost::asio::awaitable<bool> Lend(Out* message) {
    const std::shared_ptr<void> alive = Self();
    if (output_over_) co_return false;
    // Shared with the queue, which may outlive this coroutine.
    const auto place = std::make_shared<Out*>(message);
    struct Withdrawn {
      const std::shared_ptr<Out*>& of;
      ~Withdrawn() { *of = nullptr; }
    } const withdrawn{place};
    const std::size_t size = message->ByteSizeLong();
    queue_.push_back({std::move(*message), size, place});
    queued_bytes_ += size;
    WriteNext();
    while (*place != nullptr) {
      const bool woken = co_await room_.Wait();
      if (!woken) co_return false;
    }
    co_return !output_over_;
  }
  // What Send has taken and gRPC has not yet passed on.
  std::size_t queued_bytes() const { return queued_bytes_; }

 protected:
  virtual std::shared_ptr<void> Self() = 0;
  virtual void StartReadOperation(In* message) = 0;
  virtual void StartWriteOperation(const Out* message) = 0;
  // Nothing is being written and nothing queued (or worth writing) any more.
  virtual void OnOutputIdle() = 0;
  virtual void CancelCall() = 0;

  // From reactions, on gRPC's threads.
  template <typename Function>
  void Post(Function function) {
    boost::asio::post(executor_,
                      [alive = Self(), function = std::move(function)]() mutable { function(); });
  }
  // The last reaction. Whoever learns of it may let the executor go, so `function` is called, and
  // what it holds destroyed, only once this thread has left the executor: it touches one that it
  // posts to for some instructions more than it takes the other thread to begin.
  template <typename Function>
  void PostDone(Function function) noexcept {
    const auto posting = std::make_shared<std::mutex>();
    const std::lock_guard lock(*posting);
    Post(LastPost<Function>(posting, std::move(work_), std::move(function)));
  }
  void PostReadDone(bool ok) {
    Post([this, ok] {
      read_under_way_ = false;
      message_ready_ = ok;
      if (!ok) input_over_ = true;
      incoming_.Wake();
    });
  }
  void PostWriteDone(bool ok) {
    Post([this, ok] {
      write_under_way_ = false;
      Release(queue_.front());
      queue_.pop_front();
      if (!ok) DropOutput();
      room_.Wake();
      WriteNext();
    });
  }

  // No more input is handed out, whatever may still come.
  void EndInput() {
    input_over_ = true;
    message_ready_ = false;
    incoming_.Wake();
  }
  // No more output is taken; what is queued still goes out.
  void EndOutput() {
    output_over_ = true;
    room_.Wake();
  }
  void DropOutput() {
    EndOutput();
    // The message that is being written belongs to gRPC.
    while (queue_.size() > (write_under_way_ ? 1u : 0u)) {
      Release(queue_.back());
      queue_.pop_back();
    }
    room_.Wake();
  }
  void WriteNext() {
    if (write_under_way_) return;
    if (queue_.empty()) {
      OnOutputIdle();
      return;
    }
    write_under_way_ = true;
    StartWriteOperation(&queue_.front().message);
  }
  bool output_idle() const { return !write_under_way_ && queue_.empty(); }
  // Cancels the call unless the output has gone out in time.
  void StartFlushTimer() {
    flush_timer_.expires_after(options_.flush_timeout);
    flush_timer_.async_wait([this, alive = Self()](const boost::system::error_code& error) {
      if (!error) CancelCall();
    });
  }

  const boost::asio::any_io_executor executor_;
  const GrpcStreamOptions options_;
  Wakeup incoming_;
  Wakeup room_;
  Wakeup ended_;
  boost::asio::steady_timer flush_timer_;

 private:
  using Work = boost::asio::executor_work_guard<boost::asio::any_io_executor>;
  struct Outgoing {
    Out message;
    std::size_t size = 0;
    // Where a lent message goes back to; null within when nobody waits for it any more.
    std::shared_ptr<Out*> lender;
  };
  // Waits for its poster before it runs, or before it goes unrun together with the executor.
  template <typename Function>
  class LastPost {
   public:
    LastPost(std::shared_ptr<std::mutex> posting, Work work, Function function)
        : work_(std::move(work)), function_(std::move(function)), posting_(std::move(posting)) {}
    LastPost(LastPost&&) noexcept = default;
    LastPost& operator=(LastPost&&) = delete;
    ~LastPost() { WaitForPoster(); }
    void operator()() {
      WaitForPoster();
      function_();
    }

   private:
    void WaitForPoster() {
      if (const auto posting = std::move(posting_)) const std::lock_guard left(*posting);
    }

    Work work_;
    Function function_;
    // Null in what was moved from.
    std::shared_ptr<std::mutex> posting_;
  };
  // Out of the queue.
  void Release(Outgoing& outgoing) {
    queued_bytes_ -= outgoing.size;
    if (outgoing.lender == nullptr || *outgoing.lender == nullptr) return;
    **outgoing.lender = std::move(outgoing.message);
    *outgoing.lender = nullptr;
  }

  // Until gRPC has let go.
  Work work_;
  In message_;
  std::deque<Outgoing> queue_;
  std::size_t queued_bytes_ = 0;
  bool read_under_way_ = false;
  bool message_ready_ = false;
  bool input_over_ = false;
  bool write_under_way_ = false;

 protected:
  bool output_over_ = false;
};

}  // namespace internal

// The server's end of one call.
template <typename In, typename Out>
class ServerStream final : public grpc::ServerBidiReactor<In, Out>,
                           public internal::StreamEnd<In, Out>,
                           public std::enable_shared_from_this<ServerStream<In, Out>> {
  using End = internal::StreamEnd<In, Out>;

 public:
  ServerStream(boost::asio::any_io_executor executor, grpc::CallbackServerContext* context,
               GrpcStreamOptions options)
      : End(std::move(executor), options), context_(context) {}

  // Ends the call with `status`, once; queued messages go out first when it is OK. A pending Read
  // ends empty. Called with the session's own status when the session returns.
  void Finish(grpc::Status status) {
    if (finishing_) return;
    finishing_ = true;
    status_ = std::move(status);
    End::EndInput();
    if (status_.ok()) {
      End::EndOutput();
    } else {
      End::DropOutput();
    }
    if (End::output_idle()) {
      SendStatus();
    } else {
      End::StartFlushTimer();
    }
  }
  // Breaks the call off: the peer sees CANCELLED. The session goes on until it returns.
  void Cancel() {
    CancelCall();
    End::EndInput();
    End::DropOutput();
  }
  // The peer, or the server's shutdown, has broken the call off.
  bool cancelled() const { return cancelled_; }

 private:
  template <typename I, typename O, typename Session>
  friend grpc::ServerBidiReactor<I, O>* ServeStream(boost::asio::any_io_executor,
                                                    grpc::CallbackServerContext*, GrpcStreamOptions,
                                                    Session);

  void OnReadDone(bool ok) override { End::PostReadDone(ok); }
  void OnWriteDone(bool ok) override { End::PostWriteDone(ok); }
  void OnCancel() override {
    End::Post([this] {
      cancelled_ = true;
      End::EndInput();
      End::DropOutput();
    });
  }
  // gRPC lets go. Its reference travels to the executor: were it the last one here, the call, and
  // with it perhaps the channel, would end on gRPC's own thread, which aborts.
  void OnDone() override {
    End::PostDone([this, held = std::move(held_by_grpc_)] { End::flush_timer_.cancel(); });
  }

  std::shared_ptr<void> Self() override { return this->shared_from_this(); }
  void StartReadOperation(In* message) override { this->StartRead(message); }
  void StartWriteOperation(const Out* message) override { this->StartWrite(message); }
  void OnOutputIdle() override {
    if (finishing_) SendStatus();
  }
  // The context is there until the status is sent.
  void CancelCall() override {
    if (!status_sent_) context_->TryCancel();
  }
  void SendStatus() {
    if (status_sent_) return;
    status_sent_ = true;
    End::flush_timer_.cancel();
    grpc::ServerBidiReactor<In, Out>::Finish(status_);
  }

  grpc::CallbackServerContext* const context_;
  std::shared_ptr<ServerStream> held_by_grpc_;
  grpc::Status status_;
  bool finishing_ = false;
  bool status_sent_ = false;
  bool cancelled_ = false;
};

template <typename In, typename Out>
using ServerStreamPtr = std::shared_ptr<ServerStream<In, Out>>;

// Runs `session(stream)`, an awaitable<grpc::Status>, on `executor` and returns the reactor to give
// to gRPC. A session that throws ends the call with INTERNAL.
template <typename In, typename Out, typename Session>
grpc::ServerBidiReactor<In, Out>* ServeStream(boost::asio::any_io_executor executor,
                                              grpc::CallbackServerContext* context,
                                              GrpcStreamOptions options, Session session) {
  using Stream = ServerStream<In, Out>;
  auto stream = std::make_shared<Stream>(executor, context, options);
  stream->held_by_grpc_ = stream;
  struct Runner {
    // The session object lives in this frame: captures of a coroutine lambda must outlive it.
    static boost::asio::awaitable<grpc::Status> Run(Session run, std::shared_ptr<Stream> on) {
      co_return co_await run(std::move(on));
    }
  };
  boost::asio::co_spawn(executor, Runner::Run(std::move(session), stream),
                        [stream](std::exception_ptr error, grpc::Status status) {
                          if (error != nullptr) {
                            status = {grpc::StatusCode::INTERNAL, "the session failed"};
                          }
                          stream->Finish(std::move(status));
                        });
  return stream.get();
}

namespace internal {

template <typename In, typename Out>
class ClientReactor final : public grpc::ClientBidiReactor<Out, In>,
                            public StreamEnd<In, Out>,
                            public std::enable_shared_from_this<ClientReactor<In, Out>> {
  using End = StreamEnd<In, Out>;

 public:
  ClientReactor(boost::asio::any_io_executor executor, GrpcStreamOptions options,
                std::unique_ptr<grpc::ClientContext> context)
      : End(std::move(executor), options), context_(std::move(context)) {}

  grpc::ClientContext* context() { return context_.get(); }
  void Open() {
    held_by_grpc_ = this->shared_from_this();
    // Operations come from outside reactions: the hold keeps the call from being done meanwhile.
    this->AddHold();
    this->StartCall();
  }
  void WritesDone() {
    if (half_closed_) return;
    half_closed_ = true;
    End::EndOutput();
    if (End::output_idle()) OnOutputIdle();
  }
  void Cancel() {
    context_->TryCancel();
    End::EndInput();
    End::DropOutput();
  }
  boost::asio::awaitable<grpc::Status> Finish() {
    const std::shared_ptr<void> alive = Self();
    WritesDone();
    if (!End::output_idle()) End::StartFlushTimer();
    // The status comes behind the last message. After Cancel there is nothing to read over.
    while (true) {
      const std::optional<In> message = co_await End::Read();
      if (!message.has_value()) break;
    }
    LetGo();
    while (!done_) {
      const bool woken = co_await End::ended_.Wait();
      if (!woken) break;
    }
    co_return done_ ? status_ : grpc::Status(grpc::StatusCode::CANCELLED, "stopped waiting");
  }
  // The owner is gone.
  void Abandon() {
    if (!done_) Cancel();
    LetGo();
  }

 private:
  void OnReadDone(bool ok) override { End::PostReadDone(ok); }
  void OnWriteDone(bool ok) override { End::PostWriteDone(ok); }
  void OnDone(const grpc::Status& status) override {
    // As for ServerStream::OnDone.
    End::PostDone([this, status, held = std::move(held_by_grpc_)] {
      done_ = true;
      status_ = status;
      End::flush_timer_.cancel();
      End::EndInput();
      End::DropOutput();
      End::ended_.Wake();
    });
  }

  std::shared_ptr<void> Self() override { return this->shared_from_this(); }
  void StartReadOperation(In* message) override { this->StartRead(message); }
  void StartWriteOperation(const Out* message) override { this->StartWrite(message); }
  void OnOutputIdle() override {
    if (!half_closed_ || writes_done_sent_ || !holds_) return;
    writes_done_sent_ = true;
    End::flush_timer_.cancel();
    this->StartWritesDone();
  }
  void CancelCall() override { context_->TryCancel(); }
  // From here on no operation is started.
  void LetGo() {
    if (!std::exchange(holds_, false)) return;
    End::EndInput();
    End::DropOutput();
    this->RemoveHold();
  }

  const std::unique_ptr<grpc::ClientContext> context_;
  std::shared_ptr<ClientReactor> held_by_grpc_;
  grpc::Status status_;
  bool holds_ = true;
  bool half_closed_ = false;
  bool writes_done_sent_ = false;
  bool done_ = false;
};

}  // namespace internal

// The client's end of one call. Destroying it breaks the call off.
template <typename In, typename Out>
class ClientStream {
 public:
  // `open(context, reactor)` passes both to the stub's method. `context` may carry metadata and a
  // deadline.
  template <typename Open>
  ClientStream(
      boost::asio::any_io_executor executor, GrpcStreamOptions options, Open open,
      std::unique_ptr<grpc::ClientContext> context = std::make_unique<grpc::ClientContext>())
      : reactor_(std::make_shared<internal::ClientReactor<In, Out>>(std::move(executor), options,
                                                                    std::move(context))) {
    open(reactor_->context(), static_cast<grpc::ClientBidiReactor<Out, In>*>(reactor_.get()));
    reactor_->Open();
  }
  ClientStream(ClientStream&&) noexcept = default;
  ClientStream& operator=(ClientStream&&) = delete;
  ~ClientStream() {
    if (reactor_ != nullptr) reactor_->Abandon();
  }

  // As described at internal::StreamEnd.
  boost::asio::awaitable<std::optional<In>> Read() { return reactor_->Read(); }
  bool Send(Out message) { return reactor_->Send(std::move(message)); }
  boost::asio::awaitable<bool> Write(Out message) { return reactor_->Write(std::move(message)); }
  boost::asio::awaitable<bool> Lend(Out* message) { return reactor_->Lend(message); }
  std::size_t queued_bytes() const { return reactor_->queued_bytes(); }
  // Nothing more will be sent, once the queue has gone out.
  void WritesDone() { reactor_->WritesDone(); }
  // Breaks the call off: a pending Read ends empty, a pending Write is false.
  void Cancel() { reactor_->Cancel(); }
  // Ends the own side, reads over what still comes, and returns the server's status. No Read may be
  // pending.
  boost::asio::awaitable<grpc::Status> Finish() { return reactor_->Finish(); }

 private:
  std::shared_ptr<internal::ClientReactor<In, Out>> reactor_;
};

}  // namespace candor::net
