#include "coordinator/service/server.h"

#include "common/net/address.h"
#include "coordinator/service/analysis_service.h"
#include "coordinator/service/cluster_service.h"
#include "coordinator/service/evaluation_service.h"
#include "coordinator/service/scenario_service.h"
#include "coordinator/service/worker_service.h"
#include "grpc/health/v1/health.pb.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace candor::service {
namespace {

constexpr int kMaxReceiveBytes = 16 << 20;

// Why an address cannot be bound: gRPC says only that it failed.
Status CheckBind(const net::Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                  std::to_string(address.port).c_str(), &hints, &found);
  if (failure != 0) {
    return Unavailable("cannot listen on {}: {}; give another --listen", address.ToString(),
                       gai_strerror(failure));
  }
  Status status;
  const int socket =
      ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
  const int on = 1;
  if (socket >= 0) setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (socket < 0 || bind(socket, found->ai_addr, found->ai_addrlen) != 0 ||
      listen(socket, 1) != 0) {
    status =
        Unavailable("cannot listen on {}: {}; stop what listens there, or give another --listen",
                    address.ToString(), std::strerror(errno));
  }
  if (socket >= 0) close(socket);
  freeaddrinfo(found);
  return status;
}

// Workers ping every 30 s, also without calls; what the server allows and what they do is one
// contract.
void KeepAlive(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

}  // namespace

class Server::Impl {
 public:
  Impl(EngineHost& host, IdGenerator& ids, const Clock& clock, std::string version)
      : host_(host),
        evaluation_(host, ids),
        scenarios_(host, clock),
        cluster_(host, version),
        analyses_(host, std::move(version)),
        workers_(host) {}

  Status Start(const net::Address& address) {
    CANDOR_RETURN_IF_ERROR(CheckBind(address));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    // gRPC's own health service has no description; naming ours links it in, for reflection to
    // show.
    grpc::health::v1::HealthCheckRequest::descriptor();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address.ToString(), grpc::InsecureServerCredentials(), &port);
    // A second coordinator on the same port is to fail, not to share it.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
    KeepAlive(builder);
    builder.RegisterService(&evaluation_);
    builder.RegisterService(&scenarios_);
    builder.RegisterService(&cluster_);
    builder.RegisterService(&analyses_);
    builder.RegisterService(&workers_);
    server_ = builder.BuildAndStart();
    if (!server_ || port == 0)
      return Unavailable("cannot listen on {}; give another --listen", address.ToString());
    address_ =
        net::Address{.host = address.host, .port = static_cast<std::uint16_t>(port)}.ToString();
    SetServing(true);
    return absl::OkStatus();
  }

  void Shutdown(std::chrono::milliseconds grace) {
    if (!server_) return;
    SetServing(false);
    workers_.CloseAll("the coordinator is shutting down");
    host_.Post([this] { host_.BeginClosing(); });
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_->Wait();
    server_.reset();
  }

  const std::string& address() const { return address_; }

 private:
  void SetServing(bool serving) {
    grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
    health->SetServingStatus(serving);
    health->SetServingStatus("liveness", true);
    health->SetServingStatus("readiness", serving);
  }

  EngineHost& host_;
  EvaluationService evaluation_;
  ScenarioService scenarios_;
  ClusterService cluster_;
  AnalysisService analyses_;
  WorkerService workers_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

StatusOr<std::unique_ptr<Server>> Server::Start(Options options, EngineHost& host, IdGenerator& ids,
                                                const Clock& clock) {
  CANDOR_ASSIGN_OR_RETURN(const net::Address address, net::ParseAddress(options.listen));
  auto impl = std::make_unique<Impl>(host, ids, clock, std::move(options.version));
  CANDOR_RETURN_IF_ERROR(impl->Start(address));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
const std::string& Server::address() const { return impl_->address(); }
void Server::Shutdown(std::chrono::milliseconds grace) { impl_->Shutdown(grace); }

}  // namespace candor::service
