#include "common/net/http_server.h"

#include "tests/unit/common/net/net_fixture.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace candor::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpServerTest : public NetTest {
 protected:
  static void Path(const HttpServerRequest& request, Responder responder) {
    responder.Send(200, "text/plain", std::string(request.path));
  }
};

TEST_F(HttpServerTest, AddressThatIsNone) {
  const auto server = HttpServer::Create(io_, {.listen = "localhost"}, Path);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(server.status()), HasSubstr("'localhost'"));
}

TEST_F(HttpServerTest, AddressInUse) {
  const auto port = Serve(Path);
  const auto second = HttpServer::Create(io_, {.listen = fmt::format("127.0.0.1:{}", port)}, Path);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(second.status()),
              HasSubstr(fmt::format("127.0.0.1:{}: Address already in use", port)));
}

TEST_F(HttpServerTest, CertificateThatIsNone) {
  const auto half = HttpServer::Create(io_, {.certificate_file = "/nonexistent.pem"}, Path);
  EXPECT_EQ(half.status().code(), absl::StatusCode::kInvalidArgument);
  const auto missing = HttpServer::Create(
      io_, {.certificate_file = "/nonexistent.pem", .key_file = "/nonexistent.key"}, Path);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(missing.status()), HasSubstr("/nonexistent.pem"));
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  const auto port = Serve(Path);
  const std::string answer = Talk(port,
                                  "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                                  "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto first = answer.find("/1");
  const auto second = answer.find("/2", first);
  const auto third = answer.find("/3", second);
  EXPECT_NE(third, std::string::npos) << answer;
}

TEST_F(HttpServerTest, PipelinedRequestsWaitForALateAnswer) {
  std::vector<Responder> waiting;
  const auto port = Serve([&](const HttpServerRequest& request, Responder responder) {
    if (request.path == "/late") {
      waiting.push_back(std::move(responder));
      asio::post(io_, [&] { waiting.back().Send(200, "text/plain", "late"); });
    } else {
      responder.Send(200, "text/plain", "prompt");
    }
  });
  const std::string answer = Talk(port,
                                  "GET /late HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_LT(answer.find("late"), answer.find("prompt"));
  EXPECT_NE(answer.find("prompt"), std::string::npos);
}

TEST_F(HttpServerTest, AnswersFromAnotherThread) {
  std::vector<std::thread> threads;
  const auto port = Serve([&](const HttpServerRequest& request, Responder responder) {
    threads.emplace_back([body = request.body, responder = std::move(responder)]() mutable {
      responder.Send(200, "text/plain", body);
    });
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Call(Request(port, "/", std::to_string(i))).body, std::to_string(i));
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(HttpServerTest, ThousandsMayBePending) {
  std::vector<Responder> waiting;
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    waiting.push_back(std::move(responder));
  });
  std::vector<std::shared_ptr<std::optional<HttpResult>>> results;
  for (int i = 0; i < 1000; ++i) results.push_back(Start(Request(port)));
  RunUntil([&] { return waiting.size() == 1000; });
  for (Responder& responder : waiting) responder.Send(200, "text/plain", "x");
  RunUntil([&] {
    return std::all_of(results.begin(), results.end(), [](auto& r) { return r->has_value(); });
  });
  for (auto& result : results) EXPECT_TRUE((*result)->ok()) << (*result)->text;
}

TEST_F(HttpServerTest, AForgottenRequestIsAnsweredWith500) {
  const auto port = Serve([](const HttpServerRequest&, Responder) {});
  EXPECT_EQ(Call(Request(port)).status, 500);
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequest) {
  const auto port = Serve(Path);
  EXPECT_THAT(Talk(port, "hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(
      Talk(port, "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
      StartsWith("HTTP/1.1 400 "));
  RunUntil([&] { return servers_[0]->connections() == 0; });
}

TEST_F(HttpServerTest, KeepsItsLimits) {
  HttpServerOptions options;
  options.max_header_bytes = 200;
  options.max_body_bytes = 10;
  const auto port = Serve(Path, options);
  EXPECT_THAT(Talk(port, "GET / HTTP/1.1\r\nX: " + std::string(300, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Talk(port, "POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n01234567890"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      Talk(port,
           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n"),
      StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, SlowHeaderIsCutOff) {
  HttpServerOptions options;
  options.header_timeout = milliseconds(30);
  EXPECT_THAT(Talk(Serve(Path, options), "GET / HTTP/1.1\r\nX: "), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, IdleConnectionIsClosed) {
  HttpServerOptions options;
  options.idle_timeout = milliseconds(30);
  EXPECT_EQ(Talk(Serve(Path, options), ""), "");
}

TEST_F(HttpServerTest, TooManyConnections) {
  HttpServerOptions options;
  options.max_connections = 1;
  const auto port =
      Serve([](const HttpServerRequest&, Responder responder) { responder.Ignore(); }, options);
  const auto first = Start(Request(port));
  RunUntil([&] { return servers_[0]->connections() == 1; });
  EXPECT_THAT(Talk(port, ""), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, SaysContinueToThoseWhoAsk) {
  HttpServerOptions options;
  options.idle_timeout = milliseconds(30);
  const std::string answer =
      Talk(Serve(Path, options),
           "POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  // The body never comes.
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 "));
}

TEST_F(HttpServerTest, OldClientsGetWhatTheyUnderstand) {
  const auto port = Serve(Path);
  EXPECT_THAT(Talk(port, "GET /old HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close"));
}

TEST_F(HttpServerTest, StreamsInPieces) {
  StreamWriter writer;
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    HttpServerResponse response;
    response.content_type = "text/event-stream";
    response.body = "one ";
    writer = responder.StartStream(std::move(response));
    asio::post(io_, [&] {
      EXPECT_TRUE(writer.Write("two "));
      EXPECT_TRUE(writer.Write("three"));
      writer.Finish();
    });
  });
  for (int i = 0; i < 3; ++i) {
    const HttpResult result = Call(Request(port));
    ASSERT_TRUE(result.ok()) << result.text;
    EXPECT_EQ(result.body, "one two three");
    EXPECT_EQ(result.headers.Find("transfer-encoding"), "chunked");
    EXPECT_EQ(result.connection_reused, i > 0);
  }
}

TEST_F(HttpServerTest, AnAbandonedStreamIsNotTakenForWhole) {
  const auto port = Serve([](const HttpServerRequest&, Responder responder) {
    StreamWriter writer = responder.StartStream({});
    writer.Write("half");
  });
  EXPECT_EQ(Call(Request(port)).failure, HttpFailure::kTruncated);
}

TEST_F(HttpServerTest, RawBytesAreTheResponse) {
  const auto port = Serve([](const HttpServerRequest&, Responder responder) {
    StreamWriter writer = responder.StartRaw();
    writer.Write("HTTP/1.1 200 OK\r\nContent-");
    writer.Write("Length: 2\r\n\r\nok");
    writer.Finish();
  });
  EXPECT_EQ(Talk(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

TEST_F(HttpServerTest, StreamWithBackpressure) {
  StreamWriter writer;
  int pieces = 0;
  std::size_t most_queued = 0;
  std::function<void()> go_on = [&] {
    while (pieces < 200) {
      if (writer.queued_bytes() > 200'000) return writer.OnDrained([&] { go_on(); });
      ++pieces;
      writer.Write(std::string(50'000, 'x'));
      most_queued = std::max(most_queued, writer.queued_bytes());
    }
    writer.Finish();
  };
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    writer = responder.StartStream({});
    go_on();
  });
  const HttpResult result = Call(Request(port));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.body.size(), 10'000'000u);
  EXPECT_LE(most_queued, 300'000u);
}

TEST_F(HttpServerTest, AWriterLearnsThatThePeerHasGone) {
  StreamWriter writer;
  bool drained = false;
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    writer = responder.StartStream({});
    writer.Write("x");
  });
  HttpRequest request = Request(port);
  request.timeouts.idle = milliseconds(20);
  EXPECT_EQ(Call(std::move(request)).failure, HttpFailure::kIdleTimeout);
  RunUntil([&] { return writer.closed(); });
  EXPECT_FALSE(writer.Write("y"));
  writer.OnDrained([&] { drained = true; });
  RunUntil([&] { return drained; });
}

TEST_F(HttpServerTest, StopLetsPendingRequestsEnd) {
  std::vector<Responder> waiting;
  const auto port = Serve([&](const HttpServerRequest& request, Responder responder) {
    if (request.path == "/idle") return responder.Send(200, "text/plain", "");
    waiting.push_back(std::move(responder));
  });
  const auto pending = Start(Request(port));
  RunUntil([&] { return waiting.size() == 1; });
  Call(Request(port, "/idle"));
  bool stopped = false;
  servers_[0]->Stop(milliseconds(60'000), [&] { stopped = true; });
  // The idle one goes at once, the one with a request when that is answered.
  RunUntil([&] { return servers_[0]->connections() == 1; });
  EXPECT_FALSE(stopped);
  waiting[0].Send(200, "text/plain", "done");
  RunUntil([&] { return stopped && pending->has_value(); });
  EXPECT_EQ((*pending)->body, "done");
  EXPECT_EQ((*pending)->headers.Find("connection"), "close");
  EXPECT_EQ(Call(Request(port)).failure, HttpFailure::kConnect);
}

TEST_F(HttpServerTest, StopEndsWithItsGrace) {
  const auto port =
      Serve([](const HttpServerRequest&, Responder responder) { responder.Ignore(); });
  std::vector<Responder> waiting;
  const auto holding = Serve([&](const HttpServerRequest&, Responder responder) {
    waiting.push_back(std::move(responder));
  });
  const auto ignored = Start(Request(port));
  const auto held = Start(Request(holding));
  RunUntil([&] { return waiting.size() == 1 && servers_[0]->connections() == 1; });
  int stopped = 0;
  servers_[0]->Stop(milliseconds(60'000), [&] { ++stopped; });
  servers_[1]->Stop(milliseconds(20), [&] { ++stopped; });
  RunUntil([&] { return stopped == 2 && ignored->has_value() && held->has_value(); });
  EXPECT_EQ((*ignored)->failure, HttpFailure::kReset);
  EXPECT_EQ((*held)->failure, HttpFailure::kReset);
  // Too late, and harmless.
  waiting[0].Send(200, "text/plain", "");
}

TEST_F(HttpServerTest, StopsWithNothingToDo) {
  Serve(Path);
  bool stopped = false;
  servers_[0]->Stop(milliseconds(60'000), [&] { stopped = true; });
  RunUntil([&] { return stopped; });
}

// Two threads for the server, two for clients, answers from a fifth: what TSan looks at.
TEST(HttpServerThreadsTest, ServesOnSeveralThreads) {
  asio::io_context a(1);
  asio::io_context b(1);
  asio::io_context answering(1);
  std::atomic<int> served{0};
  auto server =
      HttpServer::Create({&a, &b}, {}, [&](const HttpServerRequest& request, Responder responder) {
        ++served;
        if (request.path == "/now") return responder.Send(200, "text/plain", request.body);
        asio::post(answering, [body = request.body, responder = std::move(responder)]() mutable {
          StreamWriter writer = responder.StartStream({});
          writer.Write(body);
          writer.Finish();
        });
      });
  ASSERT_TRUE(server.ok()) << server.status();
  auto answering_work = asio::make_work_guard(answering);
  // The first has the acceptor to do, the second nothing until a connection is given to it.
  auto second_work = asio::make_work_guard(b);
  std::thread runs_a([&] { a.run(); });
  std::thread runs_b([&] { b.run(); });
  std::thread runs_answering([&] { answering.run(); });
  std::atomic<int> good{0};
  const auto call = [&] {
    asio::io_context io(1);
    const auto client = MakeHttpClient(io);
    constexpr int kCallers = 8;
    int calling = kCallers;
    for (int i = 0; i < kCallers; ++i) {
      struct Caller {
        static asio::awaitable<void> Run(HttpClient& with, std::uint16_t port,
                                         std::atomic<int>& count) {
          for (int n = 0; n < 50; ++n) {
            HttpRequest request;
            request.origin.host = "127.0.0.1";
            request.origin.port = port;
            request.target = n % 2 == 0 ? "/now" : "/later";
            request.body = std::to_string(n);
            const HttpResult result = co_await with.Call(std::move(request));
            if (result.ok() && result.body == std::to_string(n)) ++count;
          }
        }
      };
      // The client's idle connections would keep run_for from returning.
      asio::co_spawn(io, Caller::Run(*client, (*server)->port(), good), [&](std::exception_ptr) {
        if (--calling == 0) io.stop();
      });
    }
    io.run_for(std::chrono::seconds(60));
  };
  std::thread one(call);
  std::thread two(call);
  one.join();
  two.join();
  EXPECT_EQ(good, 800);
  EXPECT_EQ(served, 800);
  std::atomic<bool> stopped{false};
  (*server)->Stop(milliseconds(1000), [&] { stopped = true; });
  runs_a.join();
  second_work.reset();
  runs_b.join();
  EXPECT_TRUE(stopped);
  answering_work.reset();
  runs_answering.join();
}

}  // namespace
}  // namespace candor::net
