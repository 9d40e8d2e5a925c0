// When a stream's executor may go.

#include "candor/v1/worker_service.grpc.pb.h"
#include "common/net/grpc_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/io_context.hpp>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace candor::net {
namespace {

namespace asio = boost::asio;
using Client = ClientStream<v1::ConnectResponse, v1::ConnectRequest>;

// That of an io_context, but other threads take long to leave it after they have posted to it.
class SlowlyLeftExecutor {
 public:
  struct Visitors {
    std::thread::id owner = std::this_thread::get_id();
    std::atomic<int> inside = 0;
    std::atomic<int> all = 0;
  };

  SlowlyLeftExecutor(asio::io_context& io, Visitors& visitors)
      : inner_(asio::require(io.get_executor(), asio::execution::blocking.never)),
        visitors_(&visitors) {}

  template <typename Function>
  void execute(Function&& function) const {
    if (std::this_thread::get_id() == visitors_->owner) {
      inner_.execute(std::forward<Function>(function));
      return;
    }
    Visitors& visitors = *visitors_;
    ++visitors.all;
    ++visitors.inside;
    inner_.execute(std::forward<Function>(function));
    // Synchronises nothing: it only leaves the others time to be wrong.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    --visitors.inside;
  }
  asio::execution_context& query(asio::execution::context_t) const noexcept {
    return asio::query(inner_, asio::execution::context);
  }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    return asio::execution::blocking.never;
  }
  const SlowlyLeftExecutor& require(asio::execution::blocking_t::never_t) const { return *this; }
  friend bool operator==(const SlowlyLeftExecutor& a, const SlowlyLeftExecutor& b) noexcept {
    return a.visitors_ == b.visitors_;
  }

 private:
  using Inner = std::decay_t<decltype(asio::require(std::declval<asio::io_context::executor_type>(),
                                                    asio::execution::blocking.never))>;
  Inner inner_;
  Visitors* visitors_;
};

// Ends each stream as soon as it has said Hello.
class Service final : public v1::WorkerService::Service {
  grpc::Status Connect(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ConnectResponse, v1::ConnectRequest>* stream) override {
    v1::ConnectRequest hello;
    stream->Read(&hello);
    return grpc::Status::OK;
  }
};

TEST(GrpcExecutorTest, MayGoOnceFinishHasReturned) {
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = v1::WorkerService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));

  asio::io_context io(1);
  SlowlyLeftExecutor::Visitors visitors;
  const asio::any_io_executor executor = SlowlyLeftExecutor(io, visitors);
  bool ended = false;
  int inside = -1;
  const auto talk = [&]() -> asio::awaitable<void> {
    Client stream(executor, {},
                  [&](auto* context, auto* reactor) { stub->async()->Connect(context, reactor); });
    stream.Send(v1::ConnectRequest());
    const grpc::Status status = co_await stream.Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    inside = visitors.inside;
    ended = true;
  };
  asio::co_spawn(io, talk(), [](const std::exception_ptr& error) { EXPECT_EQ(error, nullptr); });
  while (!ended) {
    ASSERT_NE(io.run_one_for(std::chrono::seconds(60)), 0U);
  }
  EXPECT_GT(visitors.all, 0);
  EXPECT_EQ(inside, 0) << "of gRPC's threads is still in the executor";
  server->Shutdown(std::chrono::system_clock::now());
}

}  // namespace
}  // namespace candor::net
