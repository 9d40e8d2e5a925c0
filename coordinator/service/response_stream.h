// A server-streaming call as a coroutine: gRPC's callbacks on one side, `co_await` on the other.
//
//   grpc::ServerWriteReactor<R>* Method(...) {
//     return ResponseStream<R>::Run(host, [](std::shared_ptr<ResponseStream<R>> stream) ->
//     awaitable<grpc::Status> {
//       const bool written = co_await stream->Write(NextMessage());
//       co_return grpc::Status::OK;
//     });
//   }
//
// The coroutine runs on the strand and its status ends the call. When the client has gone, `Write`
// and `Sleep` return false at once, and what the coroutine returns is of no consequence.
#pragma once

#include "coordinator/service/engine_host.h"
#include "coordinator/service/signal.h"

#include <boost/asio/co_spawn.hpp>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

namespace candor::service {

template <typename Response>
class ResponseStream final : public grpc::ServerWriteReactor<Response> {
 public:
  using Body = std::function<boost::asio::awaitable<grpc::Status>(std::shared_ptr<ResponseStream>)>;

  static ResponseStream* Run(EngineHost& host, Body body) {
    std::shared_ptr<ResponseStream> stream(new ResponseStream(host));
    // gRPC's reference: given up in OnDone, after which gRPC does not touch the reactor.
    stream->self_ = stream;
    host.Post([stream, body = std::move(body)]() mutable {
      boost::asio::co_spawn(stream->host_.strand(), Drive(stream, std::move(body)), Ended);
    });
    return stream.get();
  }

  // Sends one message; true once it is on its way, false when the client has gone.
  boost::asio::awaitable<bool> Write(const Response& message) {
    if (gone_) co_return false;
    this->StartWrite(&message);
    co_await written_.Wait();
    co_return !gone_;
  }

  // Sleeps until `Wake`, `timeout` or the client's going; false for the last.
  boost::asio::awaitable<bool> Sleep(Duration timeout) {
    if (!gone_) co_await woken_.WaitFor(timeout);
    co_return !gone_;
  }
  void Wake() { woken_.Notify(); }
  // True when the client has gone. From any thread.
  const std::atomic<bool>& gone() const { return gone_; }

  void OnWriteDone(bool ok) override {
    host_.Post([self = self_, ok] {
      if (!ok) self->gone_ = true;
      self->written_.Notify();
    });
  }
  void OnCancel() override {
    host_.Post([self = self_] {
      self->gone_ = true;
      self->woken_.Notify();
    });
  }
  void OnDone() override { auto last = std::move(self_); }

 private:
  explicit ResponseStream(EngineHost& host)
      : host_(host), written_(host.strand()), woken_(host.strand()) {}

  static boost::asio::awaitable<void> Drive(std::shared_ptr<ResponseStream> stream, Body body) {
    const grpc::Status status = co_await body(stream);
    stream->Finish(status);
  }
  // A coroutine of ours does not throw; if one does all the same, the process is not to go on as if
  // nothing were.
  static void Ended(const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  }

  EngineHost& host_;
  std::shared_ptr<ResponseStream> self_;
  Signal written_;
  Signal woken_;
  std::atomic<bool> gone_ = false;
};

}  // namespace candor::service
