// A unary call as a coroutine: for calls that wait, and that end early when nobody waits for them.
//
//   grpc::ServerUnaryReactor* Method(...) {
//     return UnaryCall::Run(host_, [=, this](std::shared_ptr<UnaryCall> call) {
//       return Answer(std::move(call), request, response);    // awaitable<grpc::Status>
//     });
//   }
//
// The coroutine runs on the strand and its status ends the call. Request and response live until
// then. Simple calls use gRPC's DefaultReactor instead.
#pragma once

#include "coordinator/service/engine_host.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace candor::service {

class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  using Body = std::function<boost::asio::awaitable<grpc::Status>(std::shared_ptr<UnaryCall>)>;

  static UnaryCall* Run(EngineHost& host, Body body) {
    std::shared_ptr<UnaryCall> call(new UnaryCall);
    // gRPC's reference: given up in OnDone, after which gRPC does not touch the reactor.
    call->self_ = call;
    host.Post([&host, call, body = std::move(body)]() mutable {
      boost::asio::co_spawn(host.strand(), Drive(call, std::move(body)),
                            [](const std::exception_ptr& error) {
                              if (error) std::rethrow_exception(error);
                            });
    });
    return call.get();
  }

  // True when the client has gone. From any thread.
  const std::atomic<bool>& gone() const { return gone_; }

  void OnCancel() override { gone_ = true; }
  void OnDone() override { auto last = std::move(self_); }

 private:
  UnaryCall() = default;

  static boost::asio::awaitable<void> Drive(std::shared_ptr<UnaryCall> call, Body body) {
    const grpc::Status status = co_await body(call);
    call->Finish(status);
  }

  std::shared_ptr<UnaryCall> self_;
  std::atomic<bool> gone_ = false;
};

}  // namespace candor::service
