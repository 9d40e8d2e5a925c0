#include "worker/session/grpc_channel.h"

#include "candor/v1/worker_service.grpc.pb.h"
#include "common/net/grpc_stream.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <mutex>
#include <utility>
#include <vector>

namespace candor::session {
namespace {

class GrpcChannel final : public WorkerChannel {
 public:
  GrpcChannel(boost::asio::any_io_executor executor, v1::WorkerService::Stub& stub)
      // Reports wait in the session, where they are counted, not in the stream.
      : stream_(std::move(executor), {.high_watermark_bytes = std::size_t{1} << 20U},
                [&](auto* context, auto* reactor) { stub.async()->Connect(context, reactor); }) {}

  boost::asio::awaitable<bool> Read(v1::ConnectResponse* message) override {
    std::optional<v1::ConnectResponse> next = co_await stream_.Read();
    if (!next) co_return false;
    *message = *std::move(next);
    co_return true;
  }
  boost::asio::awaitable<bool> Write(v1::ConnectRequest* message) override {
    return stream_.Lend(message);
  }
  boost::asio::awaitable<void> WritesDone() override {
    stream_.WritesDone();
    co_return;
  }
  void Cancel() override { stream_.Cancel(); }
  boost::asio::awaitable<Status> Finish() override {
    const grpc::Status status = co_await stream_.Finish();
    if (status.ok()) co_return absl::OkStatus();
    co_return MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                         status.error_message());
  }

 private:
  net::ClientStream<v1::ConnectResponse, v1::ConnectRequest> stream_;
};

// gRPC 1.51 joins its threads when the last reference to the last channel goes. A call that ends
// lets go of its own reference on one of these threads, which would then join itself, and the
// process aborts ("assertion failed: prior > 0"). So one reference stays until the process ends.
std::shared_ptr<grpc::Channel> KeepForEver(std::shared_ptr<grpc::Channel> channel) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<std::shared_ptr<grpc::Channel>>;
  const std::lock_guard lock(mutex);
  kept->push_back(channel);
  return channel;
}

class GrpcChannels final : public WorkerChannelFactory {
 public:
  GrpcChannels(const std::string& address, boost::asio::any_io_executor executor)
      : executor_(std::move(executor)) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    // The session has a back-off of its own; gRPC's would go up to two minutes.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
    // Messages are at most 1 MB; one that is above is a mistake, but not ours to end the stream by.
    arguments.SetMaxReceiveMessageSize(16 << 20);
    stub_ = v1::WorkerService::NewStub(KeepForEver(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments)));
  }

  std::unique_ptr<WorkerChannel> Open() override {
    return std::make_unique<GrpcChannel>(executor_, *stub_);
  }

 private:
  const boost::asio::any_io_executor executor_;
  std::unique_ptr<v1::WorkerService::Stub> stub_;
};

}  // namespace

std::unique_ptr<WorkerChannelFactory> MakeGrpcChannels(const std::string& address,
                                                       boost::asio::any_io_executor executor) {
  return std::make_unique<GrpcChannels>(address, std::move(executor));
}

}  // namespace candor::session
