#include "common/net/http_client.h"

#include "tests/unit/common/net/net_fixture.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>

#include <set>

namespace candor::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using Tcp = asio::ip::tcp;

class HttpClientTest : public NetTest {
 protected:
  static void Echo(const HttpServerRequest& request, Responder responder) {
    responder.Send(200, "text/plain",
                   fmt::format("{} {} {}", request.method, request.target, request.body));
  }
};

TEST_F(HttpClientTest, CarriesRequestAndAnswer) {
  const auto port = Serve([](const HttpServerRequest& request, Responder responder) {
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/v1/chat");
    EXPECT_EQ(request.query, "a=1");
    EXPECT_EQ(request.body, "hello");
    EXPECT_EQ(request.headers.Find("X-Key"), "secret");
    EXPECT_EQ(request.headers.Find("accept-encoding"), "identity");
    EXPECT_EQ(request.headers.Find("user-agent"), "candor");
    EXPECT_EQ(request.headers.Find("host"),
              "127.0.0.1:" + std::string(request.headers.Find("x-port").value_or("")));
    HttpServerResponse response;
    response.status = 429;
    response.headers.Add("Retry-After", "7");
    response.headers.Add("Set-Cookie", "a");
    response.headers.Add("Set-Cookie", "b");
    response.body = "slow down";
    responder.Send(std::move(response));
  });
  HttpRequest request = Request(port, "/v1/chat?a=1", "hello");
  request.headers.Add("x-key", "secret");
  request.headers.Add("x-port", std::to_string(port));
  const HttpResult result = Call(std::move(request));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.status, 429);
  EXPECT_EQ(result.body, "slow down");
  EXPECT_TRUE(result.request_bytes_written);
  EXPECT_EQ(result.headers.Find("retry-after"), "7");
  const auto list = result.headers.ToList();
  EXPECT_EQ(list[2], (std::pair<std::string, std::string>("retry-after", "7")));
  EXPECT_EQ(list[4], (std::pair<std::string, std::string>("set-cookie", "b")));
}

// Of a body that is handed over nothing is kept, and nothing more is read meanwhile.
TEST_F(HttpClientTest, HandsABodyOverPieceByPiece) {
  const std::string body(3'000'000, 'x');
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    responder.Send(200, "text/plain", body);
  });
  HttpRequest request = Request(port);
  // A pause of who takes is no pause of the sender.
  request.timeouts.idle = milliseconds(20);
  std::size_t bytes = 0;
  std::size_t largest = 0;
  int pauses = 0;
  request.take_body = [&](std::string_view piece) -> asio::awaitable<bool> {
    bytes += piece.size();
    largest = std::max(largest, piece.size());
    if (++pauses <= 3) {
      asio::steady_timer timer(io_, milliseconds(60));
      co_await timer.async_wait(asio::use_awaitable);
    }
    co_return true;
  };
  const HttpResult result = Call(std::move(request));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.body, "");
  EXPECT_EQ(bytes, body.size());
  EXPECT_LT(largest, 200'000U);
  EXPECT_TRUE(Call(Request(port)).connection_reused);
}

// Whoever takes a body of gigabytes has no memory for an error of gigabytes.
TEST_F(HttpClientTest, KeepsLittleOfAnErrorWhereABodyWouldBeHandedOver) {
  const auto port = Serve([](const HttpServerRequest&, Responder responder) {
    responder.Send(502, "text/html", std::string(3'000'000, 'x'));
  });
  HttpRequest request = Request(port);
  request.max_response_body_bytes = std::size_t{1} << 32U;
  const HttpResult kept = Call(request);
  EXPECT_EQ(kept.body.size(), 3'000'000U);
  request.take_body = [](std::string_view) -> asio::awaitable<bool> {
    ADD_FAILURE() << "it is an error";
    co_return true;
  };
  const HttpResult result = Call(std::move(request));
  EXPECT_EQ(result.failure, HttpFailure::kTooLarge) << result.text;
  EXPECT_EQ(result.status, 502);
}

TEST_F(HttpClientTest, EndsWhenNobodyTakesTheBody) {
  const auto port = Serve([](const HttpServerRequest& request, Responder responder) {
    responder.Send(request.path == "/no" ? 404 : 200, "text/plain", std::string(500'000, 'x'));
  });
  HttpRequest request = Request(port);
  int pieces = 0;
  request.take_body = [&](std::string_view) -> asio::awaitable<bool> {
    ++pieces;
    co_return false;
  };
  EXPECT_EQ(Call(request).failure, HttpFailure::kCancelled);
  EXPECT_EQ(pieces, 1);
  // An error is read as ever.
  request.target = "/no";
  const HttpResult error = Call(std::move(request));
  EXPECT_EQ(error.status, 404);
  EXPECT_EQ(error.body.size(), 500'000U);
  EXPECT_EQ(pieces, 1);
}

TEST_F(HttpClientTest, ReusesTheConnection) {
  const auto port = Serve(Echo);
  EXPECT_FALSE(Call(Request(port)).connection_reused);
  for (int i = 0; i < 20; ++i) {
    const HttpResult result = Call(Request(port, fmt::format("/{}", i), "x"));
    EXPECT_TRUE(result.connection_reused);
    EXPECT_EQ(result.body, fmt::format("POST /{} x", i));
  }
  EXPECT_EQ(servers_[0]->connections(), 1u);
}

TEST_F(HttpClientTest, TakesTheConnectionThatWasUsedLast) {
  std::vector<Responder> waiting;
  const auto port = Serve([&](const HttpServerRequest& request, Responder responder) {
    if (request.path == "/hold") {
      waiting.push_back(std::move(responder));
    } else {
      responder.Send(200, "text/plain", "");
    }
  });
  MakeClient({.idle_connection_timeout = milliseconds(40)});
  const auto first = Start(Request(port, "/hold"));
  const auto second = Start(Request(port, "/hold"));
  RunUntil([&] { return waiting.size() == 2; });
  waiting[0].Send(200, "text/plain", "");
  waiting[1].Send(200, "text/plain", "");
  RunUntil([&] { return first->has_value() && second->has_value(); });
  EXPECT_EQ(servers_[0]->connections(), 2u);
  // One call after the other keeps one connection warm; the other one grows old and is closed.
  while (servers_[0]->connections() == 2) EXPECT_TRUE(Call(Request(port)).ok());
  EXPECT_EQ(servers_[0]->connections(), 1u);
  // And without calls the last one as well.
  RunUntil([&] { return servers_[0]->connections() == 0; });
}

TEST_F(HttpClientTest, KeepsToTheCapAndServesInOrder) {
  std::vector<std::string> order;
  std::vector<Responder> waiting;
  const auto port = Serve([&](const HttpServerRequest& request, Responder responder) {
    order.emplace_back(request.path);
    waiting.push_back(std::move(responder));
  });
  MakeClient({.max_connections_per_origin = 2});
  std::vector<std::shared_ptr<std::optional<HttpResult>>> results;
  for (int i = 0; i < 8; ++i) results.push_back(Start(Request(port, fmt::format("/{}", i))));
  for (std::size_t i = 0; i < 8; ++i) {
    RunUntil([&] { return waiting.size() > i; });
    EXPECT_LE(servers_[0]->connections(), 2u);
    waiting[i].Send(200, "text/plain", "");
  }
  RunUntil([&] { return results.back()->has_value(); });
  // The first two race for their connections; from there on it is first come first served.
  EXPECT_EQ(std::set<std::string>(order.begin(), order.begin() + 2),
            (std::set<std::string>{"/0", "/1"}));
  EXPECT_EQ(std::vector<std::string>(order.begin() + 2, order.end()),
            (std::vector<std::string>{"/2", "/3", "/4", "/5", "/6", "/7"}));
}

TEST_F(HttpClientTest, WaitingForAConnectionObeysTheTotalTimeout) {
  std::vector<Responder> waiting;
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    waiting.push_back(std::move(responder));
  });
  MakeClient({.max_connections_per_origin = 1});
  const auto holds = Start(Request(port));
  RunUntil([&] { return waiting.size() == 1; });
  HttpRequest request = Request(port);
  request.timeouts.total = milliseconds(30);
  const HttpResult result = Call(std::move(request));
  EXPECT_EQ(result.failure, HttpFailure::kTotalTimeout);
  EXPECT_FALSE(result.request_bytes_written);
  waiting[0].Send(200, "text/plain", "");
  RunUntil([&] { return holds->has_value(); });
  EXPECT_TRUE((*holds)->ok());
}

TEST_F(HttpClientTest, AFailedCallFreesItsSlotForTheNext) {
  const auto port = Serve([](const HttpServerRequest& request, Responder responder) {
    if (request.path == "/reset") return responder.Reset();
    responder.Send(200, "text/plain", "");
  });
  MakeClient({.max_connections_per_origin = 1});
  const auto first = Start(Request(port, "/reset"));
  const auto second = Start(Request(port, "/"));
  RunUntil([&] { return second->has_value(); });
  EXPECT_EQ((*first)->failure, HttpFailure::kReset);
  EXPECT_TRUE((*second)->ok());
}

TEST_F(HttpClientTest, FirstByteTimeout) {
  const auto port =
      Serve([](const HttpServerRequest&, Responder responder) { responder.Ignore(); });
  HttpRequest request = Request(port);
  request.timeouts.first_byte = milliseconds(40);
  const HttpResult result = Call(std::move(request));
  EXPECT_EQ(result.failure, HttpFailure::kFirstByteTimeout);
  EXPECT_TRUE(result.request_bytes_written);
  EXPECT_THAT(result.text, HasSubstr("no answer within 40 ms"));
  // The server sees that nobody listens any more.
  RunUntil([&] { return servers_[0]->connections() == 0; });
}

asio::awaitable<void> StopInTheMiddle(Tcp::socket socket) {
  co_await ReadRequest(socket);
  co_await Say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
  co_await ReadToEnd(socket);
}

TEST_F(HttpClientTest, IdleTimeout) {
  const auto port = ServeRaw(StopInTheMiddle);
  HttpRequest request = Request(port);
  request.timeouts.idle = milliseconds(40);
  const HttpResult result = Call(std::move(request));
  EXPECT_EQ(result.failure, HttpFailure::kIdleTimeout);
  EXPECT_EQ(result.status, 200);
  EXPECT_TRUE(result.body.empty());
}

// One byte each 5 ms: never idle, and never done.
asio::awaitable<void> Drip(Tcp::socket socket) {
  co_await ReadRequest(socket);
  co_await Say(socket, "HTTP/1.1 200 OK\r\nX-Long: ");
  asio::steady_timer timer(socket.get_executor());
  for (int i = 0; i < 10'000 && socket.is_open(); ++i) {
    co_await Say(socket, "x");
    timer.expires_after(milliseconds(5));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    boost::system::error_code error;
    if (socket.remote_endpoint(error); error) co_return;
  }
}

TEST_F(HttpClientTest, TotalTimeoutEndsASlowDrip) {
  const auto port = ServeRaw(Drip);
  HttpRequest request = Request(port);
  request.timeouts.idle = milliseconds(10'000);
  request.timeouts.total = milliseconds(60);
  EXPECT_EQ(Call(std::move(request)).failure, HttpFailure::kTotalTimeout);
}

TEST_F(HttpClientTest, ADripEndsAtTheHeaderLimit) {
  const auto port = ServeRaw(Drip);
  HttpRequest request = Request(port);
  request.max_response_header_bytes = 40;
  EXPECT_EQ(Call(std::move(request)).failure, HttpFailure::kTooLarge);
}

TEST_F(HttpClientTest, ConnectTimeoutCoversTheHandshake) {
  // Accepts and says nothing: TCP is there, TLS never.
  const auto port =
      ServeRaw([](Tcp::socket socket) -> asio::awaitable<void> { co_await ReadToEnd(socket); });
  HttpRequest request = Request(port);
  request.origin.https = true;
  request.timeouts.connect = milliseconds(40);
  const HttpResult result = Call(std::move(request));
  EXPECT_EQ(result.failure, HttpFailure::kConnectTimeout);
  EXPECT_FALSE(result.request_bytes_written);
}

TEST_F(HttpClientTest, RefusedConnection) {
  std::uint16_t port = 0;
  {
    Tcp::acceptor taken(io_, {asio::ip::address_v4::loopback(), 0});
    port = taken.local_endpoint().port();
  }
  const HttpResult result = Call(Request(port));
  EXPECT_EQ(result.failure, HttpFailure::kConnect);
  EXPECT_FALSE(result.request_bytes_written);
  EXPECT_THAT(result.text, HasSubstr("refused"));
}

TEST_F(HttpClientTest, UnknownName) {
  HttpRequest request = Request(80);
  request.origin.host = "no-such-name.invalid";
  const HttpResult result = Call(std::move(request));
  EXPECT_EQ(result.failure, HttpFailure::kResolve);
  EXPECT_FALSE(result.request_bytes_written);
  EXPECT_THAT(result.text, HasSubstr("no-such-name.invalid"));
}

TEST_F(HttpClientTest, ResolvesANameAndTriesEachAddress) {
  // localhost may mean ::1 first, where nobody listens.
  const auto port = Serve(Echo);
  HttpRequest request = Request(port);
  request.origin.host = "localhost";
  const HttpResult result = Call(std::move(request));
  EXPECT_TRUE(result.ok()) << result.text;
}

TEST_F(HttpClientTest, ResetBeforeTheAnswer) {
  const auto port = Serve([](const HttpServerRequest&, Responder responder) { responder.Reset(); });
  const HttpResult result = Call(Request(port));
  EXPECT_EQ(result.failure, HttpFailure::kReset);
  EXPECT_TRUE(result.request_bytes_written);
}

TEST_F(HttpClientTest, TruncatedBody) {
  const auto port = Serve([](const HttpServerRequest&, Responder responder) {
    HttpServerResponse response;
    response.body = "0123456789";
    responder.SendTruncated(std::move(response), 4);
  });
  const HttpResult result = Call(Request(port));
  EXPECT_EQ(result.failure, HttpFailure::kTruncated);
  EXPECT_EQ(result.status, 200);
  EXPECT_TRUE(result.request_bytes_written);
}

TEST_F(HttpClientTest, TruncatedWithinTheHeader) {
  const auto port = ServeRaw([](Tcp::socket socket) -> asio::awaitable<void> {
    co_await ReadRequest(socket);
    co_await Say(socket, "HTTP/1.1 200 OK\r\nContent-Le");
  });
  EXPECT_EQ(Call(Request(port)).failure, HttpFailure::kTruncated);
}

TEST_F(HttpClientTest, Garbage) {
  for (const char* answer : {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 twohundred OK\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    const HttpResult result = Call(Request(ServeRaw(Says(answer))));
    EXPECT_EQ(result.failure, HttpFailure::kMalformed) << answer;
    EXPECT_TRUE(result.request_bytes_written);
  }
}

TEST_F(HttpClientTest, OversizedBody) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"}) {
    HttpRequest request = Request(ServeRaw(Says(answer)));
    request.max_response_body_bytes = 100;
    EXPECT_EQ(Call(std::move(request)).failure, HttpFailure::kTooLarge) << answer;
  }
  // Exactly the limit is fine.
  HttpRequest request = Request(ServeRaw(Says("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1234")));
  request.max_response_body_bytes = 4;
  EXPECT_EQ(Call(std::move(request)).body, "1234");
}

TEST_F(HttpClientTest, ChunkedBody) {
  const auto port =
      ServeRaw(Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n"
                    "2\r\nef\r\n0\r\nX-Trailer: 1\r\n\r\n"));
  const HttpResult result = Call(Request(port));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.body, "abcdef");
  EXPECT_EQ(result.headers.Find("x-trailer"), std::nullopt);
  EXPECT_TRUE(Call(Request(port)).connection_reused);
}

TEST_F(HttpClientTest, BodyUntilTheEnd) {
  const auto port = ServeRaw([](Tcp::socket socket) -> asio::awaitable<void> {
    co_await ReadRequest(socket);
    co_await Say(socket, "HTTP/1.0 200 OK\r\n\r\nall of it");
  });
  const HttpResult result = Call(Request(port));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.body, "all of it");
}

TEST_F(HttpClientTest, ReadsOverInterimAnswersAndNeverExpectsThem) {
  std::string seen;
  struct Interim {
    static asio::awaitable<void> Run(Tcp::socket socket, std::string& request) {
      request = co_await ReadRequest(socket);
      co_await Say(socket,
                   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
      co_await Say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      co_await ReadToEnd(socket);
    }
  };
  const auto port =
      ServeRaw([&](Tcp::socket socket) { return Interim::Run(std::move(socket), seen); });
  const HttpResult result = Call(Request(port, "/", std::string(100'000, 'x')));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.body, "ok");
  EXPECT_EQ(result.headers.Find("link"), std::nullopt);
  EXPECT_THAT(seen, Not(HasSubstr("Expect")));
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
  const auto port = Serve([](const HttpServerRequest& request, Responder responder) {
    EXPECT_EQ(request.path, "/");
    HttpServerResponse response;
    response.status = 307;
    response.headers.Add("Location", "/elsewhere");
    responder.Send(std::move(response));
  });
  const HttpResult result = Call(Request(port));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.status, 307);
  EXPECT_EQ(result.headers.Find("location"), "/elsewhere");
}

TEST_F(HttpClientTest, ClosedIdleConnectionIsNoticedBeforeReuse) {
  int connections = 0;
  bool closed = false;
  struct OneAnswer {
    static asio::awaitable<void> Run(Tcp::socket socket, bool& done) {
      co_await ReadRequest(socket);
      // Says keep-alive by version, and closes all the same.
      co_await Say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      socket.close();
      done = true;
    }
  };
  const auto port = ServeRaw([&](Tcp::socket socket) {
    ++connections;
    return OneAnswer::Run(std::move(socket), closed);
  });
  EXPECT_TRUE(Call(Request(port)).ok());
  RunUntil([&] { return closed; });
  const HttpResult second = Call(Request(port));
  EXPECT_TRUE(second.ok()) << second.text;
  EXPECT_FALSE(second.connection_reused);
  EXPECT_EQ(connections, 2);
}

TEST_F(HttpClientTest, NeverRepeatsACall) {
  int requests = 0;
  struct DropsSecond {
    static asio::awaitable<void> Run(Tcp::socket socket, int& count) {
      co_await ReadRequest(socket);
      ++count;
      co_await Say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      co_await ReadRequest(socket);
      ++count;
    }
  };
  const auto port =
      ServeRaw([&](Tcp::socket socket) { return DropsSecond::Run(std::move(socket), requests); });
  EXPECT_TRUE(Call(Request(port)).ok());
  const HttpResult second = Call(Request(port));
  EXPECT_EQ(second.failure, HttpFailure::kReset);
  EXPECT_TRUE(second.request_bytes_written);
  EXPECT_TRUE(second.connection_reused);
  EXPECT_EQ(requests, 2);
}

TEST_F(HttpClientTest, BytesBehindTheAnswerSpoilTheConnection) {
  const auto port =
      ServeRaw(Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(Call(Request(port)).body, "ok");
  EXPECT_FALSE(Call(Request(port)).connection_reused);
}

TEST_F(HttpClientTest, EarlyAnswerToALargeBodyIsNotLost) {
  HttpServerOptions options;
  options.max_body_bytes = 1000;
  const auto port = Serve(Echo, options);
  const HttpResult result = Call(Request(port, "/", std::string(std::size_t{8} << 20, 'x')));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.status, 413);
}

TEST_F(HttpClientTest, LargeBodiesBothWays) {
  const auto port = Serve([](const HttpServerRequest& request, Responder responder) {
    responder.Send(200, "text/plain", request.body);
  });
  std::string body(std::size_t{5} << 20, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  const HttpResult result = Call(Request(port, "/", body));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_TRUE(result.body == body);
}

TEST_F(HttpClientTest, HeadHasNoBody) {
  const auto port = Serve(Echo);
  HttpRequest request = Request(port, "/", "");
  request.method = "HEAD";
  const HttpResult result = Call(request);
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_TRUE(result.body.empty());
  EXPECT_EQ(result.headers.Find("content-length"), "7");
  EXPECT_TRUE(Call(request).connection_reused);
}

TEST_F(HttpClientTest, Cancellation) {
  int asked = 0;
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    ++asked;
    responder.Ignore();
  });
  asio::cancellation_signal signal;
  std::optional<HttpResult> result;
  asio::co_spawn(
      io_, client().Call(Request(port)),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, HttpResult done) {
        EXPECT_EQ(error, nullptr);
        result = std::move(done);
      }));
  RunUntil([&] { return asked == 1; });
  signal.emit(asio::cancellation_type::terminal);
  RunUntil([&] { return result.has_value(); });
  EXPECT_EQ(result->failure, HttpFailure::kCancelled);
  EXPECT_TRUE(result->request_bytes_written);
  RunUntil([&] { return servers_[0]->connections() == 0; });
}

TEST_F(HttpClientTest, CancellationWhileWaitingForAConnection) {
  int asked = 0;
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    ++asked;
    responder.Ignore();
  });
  MakeClient({.max_connections_per_origin = 1});
  const auto holds = Start(Request(port));
  RunUntil([&] { return asked == 1; });
  asio::cancellation_signal signal;
  std::optional<HttpResult> result;
  asio::co_spawn(
      io_, client().Call(Request(port)),
      asio::bind_cancellation_slot(
          signal.slot(), [&](std::exception_ptr, HttpResult done) { result = std::move(done); }));
  asio::post(io_, [&] { signal.emit(asio::cancellation_type::terminal); });
  RunUntil([&] { return result.has_value(); });
  EXPECT_EQ(result->failure, HttpFailure::kCancelled);
  EXPECT_FALSE(result->request_bytes_written);
  EXPECT_FALSE(holds->has_value());
}

TEST_F(HttpClientTest, DestroyingTheClientEndsItsCalls) {
  int asked = 0;
  const auto port = Serve([&](const HttpServerRequest&, Responder responder) {
    ++asked;
    responder.Ignore();
  });
  MakeClient({.max_connections_per_origin = 1});
  const auto in_flight = Start(Request(port));
  const auto waits = Start(Request(port));
  RunUntil([&] { return asked == 1; });
  DropClient();
  RunUntil([&] { return in_flight->has_value() && waits->has_value(); });
  EXPECT_EQ((*in_flight)->failure, HttpFailure::kCancelled);
  EXPECT_EQ((*waits)->failure, HttpFailure::kCancelled);
}

TEST_F(HttpClientTest, RefusesRequestsThatWouldBeMisread) {
  const auto port = Serve(Echo);
  HttpRequest line_break = Request(port);
  line_break.headers.Add("x-key", "a\r\nEvil: 1");
  HttpRequest own = Request(port);
  own.headers.Add("Content-Length", "3");
  HttpRequest name = Request(port);
  name.headers.Add("bad name", "1");
  HttpRequest target = Request(port, "/a b");
  HttpRequest method = Request(port);
  method.method = "GET /";
  for (const HttpRequest& request : {line_break, own, name, target, method}) {
    const HttpResult result = Call(request);
    EXPECT_EQ(result.failure, HttpFailure::kInvalidRequest);
    EXPECT_FALSE(result.request_bytes_written);
    EXPECT_THAT(result.text, Not(HasSubstr("Evil")));
  }
}

TEST_F(HttpClientTest, ManyCallsAtOnce) {
  const auto port = Serve(Echo);
  std::vector<std::shared_ptr<std::optional<HttpResult>>> results;
  for (int i = 0; i < 300; ++i) results.push_back(Start(Request(port, fmt::format("/{}", i), "x")));
  for (std::size_t i = 0; i < results.size(); ++i) {
    RunUntil([&] { return results[i]->has_value(); });
    EXPECT_EQ((*results[i])->body, fmt::format("POST /{} x", i));
  }
}

}  // namespace
}  // namespace candor::net
