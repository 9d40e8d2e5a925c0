#include "common/net/grpc_stream.h"

#include "candor/v1/worker_service.grpc.pb.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace candor::net {
namespace {

namespace asio = boost::asio;
using In = candor::v1::ConnectRequest;
using Out = candor::v1::ConnectResponse;
using Served = ServerStreamPtr<In, Out>;
using Client = ClientStream<Out, In>;
using Session = std::function<asio::awaitable<grpc::Status>(Served)>;

In Say(const std::string& text) {
  In message;
  message.mutable_hello()->set_worker(text);
  return message;
}
Out Answer(const std::string& text) {
  Out message;
  message.mutable_drain()->set_reason(text);
  return message;
}

asio::awaitable<grpc::Status> Echo(Served stream) {
  while (true) {
    const std::optional<In> message = co_await stream->Read();
    if (!message.has_value()) break;
    const bool sent = co_await stream->Write(Answer(message->hello().worker()));
    if (!sent) break;
  }
  co_return stream->cancelled() ? grpc::Status::CANCELLED : grpc::Status::OK;
}

// A real server in this process. Both ends' coroutines run on the test's thread.
class GrpcStreamTest : public ::testing::Test {
 protected:
  class Service final : public candor::v1::WorkerService::CallbackService {
   public:
    explicit Service(GrpcStreamTest& test) : test_(test) {}
    grpc::ServerBidiReactor<In, Out>* Connect(grpc::CallbackServerContext* context) override {
      return ServeStream<In, Out>(test_.io_.get_executor(), context, test_.options_,
                                  [this](Served stream) { return Counted(test_, stream); });
    }

   private:
    GrpcStreamTest& test_;
  };

  static asio::awaitable<grpc::Status> Counted(GrpcStreamTest& test, Served stream) {
    ++test.sessions_begun_;
    const Session session = test.session_;
    const grpc::Status status = co_await session(stream);
    ++test.sessions_ended_;
    co_return status;
  }

  void SetUp() override { StartServer(); }
  void TearDown() override {
    StopServer();
    channel_ = nullptr;
    io_.restart();
    work_.reset();
    // Until gRPC has let go of every stream.
    io_.run_for(std::chrono::seconds(60));
    EXPECT_TRUE(io_.stopped());
  }
  void StartServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_),
                             grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(port_),
                                   grpc::InsecureChannelCredentials());
    stub_ = candor::v1::WorkerService::NewStub(channel_);
  }
  // Shutdown cancels what is open and waits for the sessions, which need this thread.
  void StopServer() {
    if (server_ == nullptr) return;
    bool down = false;
    std::thread shutdown([&] {
      server_->Shutdown(std::chrono::system_clock::now());
      asio::post(io_, [&] { down = true; });
    });
    RunUntil([&] { return down; });
    shutdown.join();
    server_ = nullptr;
  }

  Client Open() {
    return Client(io_.get_executor(), options_, [this](auto* context, auto* reactor) {
      context->set_wait_for_ready(true);
      stub_->async()->Connect(context, reactor);
    });
  }
  void Spawn(asio::awaitable<void> coroutine) {
    asio::co_spawn(io_, std::move(coroutine), [this](std::exception_ptr error) {
      EXPECT_EQ(error, nullptr);
      ++finished_;
    });
  }
  void RunUntil(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    io_.restart();
    while (!condition()) {
      if (io_.run_one_until(end) == 0) {
        ADD_FAILURE() << "60 s are over";
        return;
      }
    }
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  GrpcStreamOptions options_;
  Session session_ = Echo;
  int sessions_begun_ = 0;
  int sessions_ended_ = 0;
  int finished_ = 0;
  int port_ = 0;
  Service service_{*this};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<candor::v1::WorkerService::Stub> stub_;
};

asio::awaitable<void> Talk(Client stream, int messages, int& good) {
  for (int i = 0; i < messages; ++i) {
    const std::string text = std::to_string(i);
    stream.Send(Say(text));
    const std::optional<Out> answer = co_await stream.Read();
    if (answer.has_value() && answer->drain().reason() == text) ++good;
  }
  const grpc::Status status = co_await stream.Finish();
  if (status.ok()) ++good;
}

TEST_F(GrpcStreamTest, Echoes) {
  int good = 0;
  Spawn(Talk(Open(), 50, good));
  RunUntil([&] { return finished_ == 1; });
  EXPECT_EQ(good, 51);
  EXPECT_EQ(sessions_ended_, 1);
}

TEST_F(GrpcStreamTest, HundredStreams) {
  int good = 0;
  for (int i = 0; i < 100; ++i) Spawn(Talk(Open(), 10, good));
  RunUntil([&] { return finished_ == 100; });
  EXPECT_EQ(good, 1100);
  EXPECT_EQ(sessions_ended_, 100);
}

asio::awaitable<void> SendAll(Client stream, int messages, std::vector<std::string>& answers) {
  for (int i = 0; i < messages; ++i) stream.Send(Say(std::to_string(i)));
  stream.WritesDone();
  EXPECT_FALSE(stream.Send(Say("too late")));
  while (true) {
    const std::optional<Out> answer = co_await stream.Read();
    if (!answer.has_value()) break;
    answers.push_back(answer->drain().reason());
  }
  EXPECT_TRUE((co_await stream.Finish()).ok());
}

TEST_F(GrpcStreamTest, QueuedMessagesKeepTheirOrder) {
  std::vector<std::string> answers;
  Spawn(SendAll(Open(), 200, answers));
  RunUntil([&] { return finished_ == 1; });
  ASSERT_EQ(answers.size(), 200u);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(answers[i], std::to_string(i));
}

asio::awaitable<void> FinishInto(Client& stream, grpc::Status& status) {
  status = co_await stream.Finish();
}

asio::awaitable<void> LendAll(Client stream, int messages, std::vector<std::string>& answers) {
  In message = Say(std::string(100'000, 'x'));
  for (int i = 0; i < messages; ++i) {
    message.mutable_hello()->set_version(std::to_string(i));
    const bool sent = co_await stream.Lend(&message);
    EXPECT_TRUE(sent);
    // It is ours again.
    EXPECT_EQ(message.hello().version(), std::to_string(i));
    EXPECT_EQ(message.hello().worker().size(), 100'000u);
    const std::optional<Out> answer = co_await stream.Read();
    if (answer.has_value()) answers.push_back(answer->drain().reason());
  }
  stream.WritesDone();
  const bool sent = co_await stream.Lend(&message);
  EXPECT_FALSE(sent);
  EXPECT_EQ(message.hello().worker().size(), 100'000u);
  EXPECT_TRUE((co_await stream.Finish()).ok());
}

TEST_F(GrpcStreamTest, LentMessagesComeBack) {
  std::vector<std::string> answers;
  Spawn(LendAll(Open(), 20, answers));
  RunUntil([&] { return finished_ == 1; });
  ASSERT_EQ(answers.size(), 20u);
  EXPECT_EQ(answers[19].size(), 100'000u);
}

asio::awaitable<void> LendUntilBroken(Client& stream, In& message, bool& ended) {
  bool sent = true;
  while (sent) sent = co_await stream.Lend(&message);
  ended = true;
}

// Also from a stream that breaks while the message is on its way, against a peer that does not
// read.
TEST_F(GrpcStreamTest, LentMessagesComeBackFromABrokenStream) {
  bool read_one = false;
  session_ = [&read_one](Served stream) -> asio::awaitable<grpc::Status> {
    asio::steady_timer never(co_await asio::this_coro::executor);
    const std::optional<In> first = co_await stream->Read();
    read_one = first.has_value();
    while (!stream->cancelled()) {
      never.expires_after(std::chrono::milliseconds(1));
      co_await never.async_wait(asio::use_awaitable);
    }
    co_return grpc::Status::CANCELLED;
  };
  Client stream = Open();
  In message = Say(std::string(std::size_t{1} << 20, 'x'));
  bool ended = false;
  Spawn(LendUntilBroken(stream, message, ended));
  // On its way, and perhaps stuck there: the peer has read one message and reads no more.
  RunUntil([&] { return message.hello().worker().empty() && read_one; });
  stream.Cancel();
  RunUntil([&] { return ended; });
  EXPECT_EQ(message.hello().worker().size(), std::size_t{1} << 20);
  grpc::Status status;
  Spawn(FinishInto(stream, status));
  RunUntil([&] { return finished_ == 2; });
}

asio::awaitable<void> ReadOne(Client& stream, bool& got, bool& ended) {
  const std::optional<Out> answer = co_await stream.Read();
  got = answer.has_value();
  ended = true;
}

TEST_F(GrpcStreamTest, ClientCancelsWhileItReads) {
  Client stream = Open();
  bool got = true;
  bool ended = false;
  Spawn(ReadOne(stream, got, ended));
  RunUntil([&] { return sessions_begun_ == 1; });
  EXPECT_FALSE(ended);
  stream.Cancel();
  RunUntil([&] { return ended; });
  EXPECT_FALSE(got);
  EXPECT_FALSE(stream.Send(Say("x")));
  grpc::Status status;
  Spawn(FinishInto(stream, status));
  RunUntil([&] { return finished_ == 2 && sessions_ended_ == 1; });
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcStreamTest, ForgottenClientBreaksTheCallOff) {
  {
    Client stream = Open();
    stream.Send(Say("x"));
    RunUntil([&] { return sessions_begun_ == 1; });
  }
  RunUntil([&] { return sessions_ended_ == 1; });
}

TEST_F(GrpcStreamTest, ServerEndsTheCallWhileItReads) {
  Served held;
  session_ = [&](Served stream) -> asio::awaitable<grpc::Status> {
    held = stream;
    return Echo(stream);
  };
  for (const bool cancel : {false, true}) {
    const int before = finished_;
    const int ended_before = sessions_ended_;
    Client stream = Open();
    RunUntil([&] { return held != nullptr; });
    if (cancel) {
      held->Cancel();
    } else {
      held->Finish({grpc::StatusCode::UNAVAILABLE, "drained"});
    }
    held = nullptr;
    grpc::Status status;
    Spawn(FinishInto(stream, status));
    RunUntil([&] { return finished_ == before + 1 && sessions_ended_ == ended_before + 1; });
    EXPECT_EQ(status.error_code(),
              cancel ? grpc::StatusCode::CANCELLED : grpc::StatusCode::UNAVAILABLE);
  }
}

TEST_F(GrpcStreamTest, ServerShutdownWithOpenSessions) {
  std::vector<Client> streams;
  for (int i = 0; i < 10; ++i) streams.push_back(Open());
  RunUntil([&] { return sessions_begun_ == 10; });
  StopServer();
  EXPECT_EQ(sessions_ended_, 10);
}

TEST_F(GrpcStreamTest, ClientReconnects) {
  int good = 0;
  for (int i = 0; i < 3; ++i) {
    Spawn(Talk(Open(), 2, good));
    RunUntil([&] { return finished_ == i + 1; });
    StopServer();
    StartServer();
  }
  EXPECT_EQ(good, 9);
}

asio::awaitable<grpc::Status> WriteMuch(Served stream, std::size_t& most, int& written) {
  const std::string text(100'000, 'x');
  for (int i = 0; i < 100; ++i) {
    const bool sent = co_await stream->Write(Answer(text));
    if (!sent) co_return grpc::Status::CANCELLED;
    most = std::max(most, stream->queued_bytes());
    ++written;
  }
  co_return grpc::Status::OK;
}

TEST_F(GrpcStreamTest, WriteWaitsForASlowReader) {
  options_.high_watermark_bytes = 300'000;
  std::size_t most = 0;
  int written = 0;
  session_ = [&](Served stream) { return WriteMuch(stream, most, written); };
  Client stream = Open();
  int answers = 0;
  while (answers < 100) {
    bool got = false;
    bool ended = false;
    Spawn(ReadOne(stream, got, ended));
    RunUntil([&] { return ended; });
    ASSERT_TRUE(got);
    ++answers;
  }
  EXPECT_EQ(written, 100);
  EXPECT_LE(most, 300'000u);
  grpc::Status status;
  const int before = finished_;
  Spawn(FinishInto(stream, status));
  RunUntil([&] { return finished_ == before + 1; });
  EXPECT_TRUE(status.ok());
}

TEST_F(GrpcStreamTest, AThrowingSessionEndsTheCall) {
  session_ = [](Served) -> asio::awaitable<grpc::Status> {
    throw std::runtime_error("broken");
    co_return grpc::Status::OK;
  };
  Client stream = Open();
  grpc::Status status;
  Spawn(FinishInto(stream, status));
  RunUntil([&] { return finished_ == 1; });
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
}

}  // namespace
}  // namespace candor::net
