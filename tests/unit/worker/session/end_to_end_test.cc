// The worker's parts together: a coordinator over gRPC and a provider over HTTP, both in process.

#include "candor/v1/worker_service.grpc.pb.h"
#include "common/net/http_server.h"
#include "tests/unit/common/dialect/job.h"
#include "worker/session/call_pool.h"
#include "worker/session/grpc_channel.h"
#include "worker/session/session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace candor::session {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using v1::Attempt;

using Stream = grpc::ServerReaderWriter<v1::ConnectResponse, v1::ConnectRequest>;

// Grants one lease after the other until `total` cells have an outcome, and acknowledges what
// comes.
class FakeCoordinator final : public v1::WorkerService::Service {
 public:
  FakeCoordinator(int total, int at_once) : total_(total), at_once_(at_once) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeCoordinator() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  bool WaitForAll() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(60), [&] { return reports_.size() >= expected(); });
  }
  std::map<std::string, v1::AttemptReport> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }

  // The stream breaks once, after so many reports that are not acknowledged.
  int break_after = -1;

 private:
  std::size_t expected() const { return static_cast<std::size_t>(total_); }

  grpc::Status Connect(grpc::ServerContext*, Stream* stream) override {
    v1::ConnectRequest request;
    if (!stream->Read(&request) || !request.has_hello()) return grpc::Status::OK;
    v1::ConnectResponse welcome;
    welcome.mutable_welcome()->set_term(1);
    welcome.mutable_welcome()->mutable_start_within()->set_seconds(30);
    welcome.mutable_welcome()->mutable_heartbeat_interval()->set_seconds(5);
    stream->Write(welcome);
    const std::string data = dialect::SmallJob().SerializeAsString();
    v1::ConnectResponse job;
    job.mutable_specification()->set_job("jobs/j");
    job.mutable_specification()->set_data(data);
    job.mutable_specification()->set_total_size(static_cast<std::int64_t>(data.size()));
    stream->Write(job);
    Grant(stream, at_once_ - request.hello().held_attempt_ids_size());
    while (stream->Read(&request)) {
      if (request.has_heartbeat() && request.heartbeat().draining()) {
        v1::ConnectResponse drain;
        drain.mutable_drain()->set_reason("as the worker asked");
        stream->Write(drain);
      }
      if (!request.has_reports()) continue;
      if (break_after >= 0 && (break_after -= request.reports().reports_size()) < 0) {
        return {grpc::StatusCode::UNAVAILABLE, "broken by the test"};
      }
      v1::ConnectResponse acknowledgement;
      {
        const std::lock_guard lock(mutex_);
        for (v1::AttemptReport& report : *request.mutable_reports()->mutable_reports()) {
          acknowledgement.mutable_acknowledgement()->add_attempt_ids(report.attempt().id());
          reports_[report.attempt().id()] = std::move(report);
        }
        changed_.notify_all();
      }
      stream->Write(acknowledgement);
      Grant(stream, acknowledgement.acknowledgement().attempt_ids_size());
    }
    return grpc::Status::OK;
  }
  void Grant(Stream* stream, int count) {
    v1::ConnectResponse message;
    message.mutable_leases()->set_term(1);
    for (; count > 0 && granted_ < total_; --count, ++granted_) {
      v1::Lease* lease = message.mutable_leases()->add_leases();
      lease->set_attempt_id("attempt-" + std::to_string(granted_));
      lease->set_job("jobs/j");
      const bool choice = granted_ % 12 < 8;
      lease->mutable_cell()->set_kind(choice ? v1::Cell::CHOICE : v1::Cell::SELF_REPORT);
      lease->mutable_cell()->set_index(
          static_cast<std::uint32_t>(choice ? granted_ % 12 : granted_ % 12 - 8));
    }
    if (message.leases().leases_size() > 0) stream->Write(message);
  }

  const int total_;
  const int at_once_;
  int granted_ = 0;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, v1::AttemptReport> reports_;
  std::unique_ptr<grpc::Server> server_;
};

class EndToEndTest : public ::testing::TestWithParam<int> {
 protected:
  // Answers like a chat completion, and writes down whose calls came.
  void ServeProvider() {
    auto server = net::HttpServer::Create(
        provider_io_, {}, [this](const net::HttpServerRequest& request, net::Responder responder) {
          ids_.insert(std::string(request.headers.Find("x-client-request-id").value_or("")));
          ++calls_;
          const bool choice = request.body.find("Which") != std::string::npos;
          const std::string content =
              choice ? "A" : R"({\"sunlight\":1,\"cost\":2,\"rent\":3,\"noise\":4,\"size\":5})";
          responder.Send(200, "application/json",
                         R"({"choices":[{"message":{"content":")" + content +
                             R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":9}})");
        });
    ASSERT_TRUE(server.ok()) << server.status();
    provider_ = *std::move(server);
    provider_thread_ = std::jthread([this] { provider_io_.run(); });
  }
  ~EndToEndTest() override { provider_io_.stop(); }

  // Runs a worker until everything is reported, then drains it.
  void RunWorker(FakeCoordinator& coordinator, int slots, int threads) {
    v1::Config config;
    v1::Endpoint* endpoint = config.add_endpoints();
    endpoint->set_name("local");
    endpoint->set_base_url("http://" + provider_->address() + "/v1");
    auto endpoints = provider::Endpoints::Create(config, provider::ProcessEnvironment());
    ASSERT_TRUE(endpoints.ok()) << endpoints.status();

    asio::io_context& io = worker_io_;
    std::vector<std::unique_ptr<asio::io_context>> ios;
    std::vector<asio::io_context*> lanes{&io};
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
    if (threads > 1) lanes.clear();
    for (int i = 0; threads > 1 && i < threads; ++i) {
      ios.push_back(std::make_unique<asio::io_context>(1));
      guards.push_back(asio::make_work_guard(*ios.back()));
      lanes.push_back(ios.back().get());
    }
    const SystemClock clock;
    CallPool calls(lanes, **endpoints, {}, clock);
    const auto channels = MakeGrpcChannels(coordinator.address(), io.get_executor());
    SessionOptions options;
    options.state = {.worker = "workers/w", .version = "1", .slots = slots};
    options.coordinator = coordinator.address();
    Session session(
        io.get_executor(), options, *channels, calls, [&] { return (*endpoints)->Services(); },
        clock);
    bool ended = false;
    asio::co_spawn(io, session.Run(), [&](const std::exception_ptr& error) {
      EXPECT_FALSE(error);
      ended = true;
      io.stop();
    });
    std::vector<std::jthread> call_threads;
    for (const auto& lane : ios) {
      call_threads.emplace_back([lane = lane.get()] { lane->run(); });
    }
    std::jthread thread([&] { io.run(); });
    EXPECT_TRUE(coordinator.WaitForAll());
    asio::post(io, [&] { session.Drain("test"); });
    thread.join();
    EXPECT_TRUE(ended);
    EXPECT_EQ(session.state().held(), 0U);
    for (const auto& lane : ios) lane->stop();
    call_threads.clear();
  }

  // Outlives the coordinator: a stream's executor lives until gRPC has let go of the stream, which
  // may be after the session has ended.
  asio::io_context worker_io_{1};
  asio::io_context provider_io_{1};
  std::unique_ptr<net::HttpServer> provider_;
  std::jthread provider_thread_;
  std::set<std::string> ids_;
  std::size_t calls_ = 0;
};

TEST_P(EndToEndTest, EveryLeaseIsOneCallAndOneReport) {
  ServeProvider();
  FakeCoordinator coordinator(240, 16);
  RunWorker(coordinator, 16, GetParam());
  const auto reports = coordinator.reports();
  EXPECT_EQ(reports.size(), 240U);
  EXPECT_EQ(calls_, 240U);
  EXPECT_EQ(ids_.size(), 240U);
  for (const auto& [id, report] : reports) {
    EXPECT_TRUE(ids_.contains(id));
    EXPECT_EQ(report.attempt().state(), Attempt::COMPLETED) << report.DebugString();
    EXPECT_EQ(report.attempt().http_status(), 200);
    EXPECT_EQ(report.attempt().usage().input_tokens(), 9);
    EXPECT_TRUE(report.attempt().has_start_time());
    EXPECT_GT(report.attempt().latency().nanos() + report.attempt().latency().seconds(), 0);
    EXPECT_EQ(report.job(), "jobs/j");
    if (report.cell().kind() == v1::Cell::CHOICE) {
      EXPECT_EQ(report.outcome().choice(), v1::Outcome::A);
    }
  }
}

TEST_P(EndToEndTest, ABrokenStreamCostsNoCall) {
  ServeProvider();
  FakeCoordinator coordinator(120, 16);
  coordinator.break_after = 30;
  RunWorker(coordinator, 16, GetParam());
  EXPECT_EQ(coordinator.reports().size(), 120U);
  EXPECT_EQ(calls_, 120U);
  EXPECT_EQ(ids_.size(), 120U);
}

INSTANTIATE_TEST_SUITE_P(Threads, EndToEndTest, ::testing::Values(1, 2));

}  // namespace
}  // namespace candor::session
