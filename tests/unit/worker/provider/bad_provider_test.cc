// Providers, and what stands between, that answer as none should: the real client, a scripted
// server, and what the coordinator is told of it.
#include "tests/unit/common/dialect/job.h"
#include "tests/unit/common/net/certificates.h"
#include "tests/unit/common/net/net_fixture.h"
#include "worker/provider/caller.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::provider {
namespace {

namespace asio = boost::asio;
using net::ReadRequest;
using net::Say;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Tcp = asio::ip::tcp;
using v1::Attempt;

constexpr const char* kReply =
    R"({"choices":[{"message":{"content":"B"},"finish_reason":"stop"}],"model":"m-2",)"
    R"("usage":{"prompt_tokens":90,"completion_tokens":1}})";

// Reads one request, says this and closes.
asio::awaitable<void> SayOnce(Tcp::socket socket, std::string text) {
  co_await ReadRequest(socket);
  co_await Say(socket, text);
}

asio::awaitable<void> SayAndStay(Tcp::socket socket, std::string text) {
  co_await ReadRequest(socket);
  co_await Say(socket, text);
  co_await net::ReadToEnd(socket);
}

// An event every few milliseconds, then the end.
asio::awaitable<void> SayInPieces(Tcp::socket socket, std::string head,
                                  std::vector<std::string> pieces) {
  co_await ReadRequest(socket);
  co_await Say(socket, head);
  asio::steady_timer timer(socket.get_executor());
  for (const std::string& piece : pieces) {
    timer.expires_after(std::chrono::milliseconds(15));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await Say(socket, fmt::format("{:x}\r\n{}\r\n", piece.size(), piece));
  }
  co_await Say(socket, "0\r\n\r\n");
}

class BadProviderTest : public net::NetTest {
 protected:
  // What becomes of a call to the endpoint as `config` says it; name and dialect are given.
  v1::AttemptReport CallEndpoint(v1::Endpoint config) {
    v1::Config file;
    config.set_name("local");
    config.mutable_timeouts()->mutable_first_byte()->set_nanos(200'000'000);
    config.mutable_timeouts()->mutable_idle()->set_nanos(80'000'000);
    *file.add_endpoints() = std::move(config);
    auto endpoints =
        Endpoints::Create(file, [](const std::string&) { return std::optional<std::string>(); });
    EXPECT_TRUE(endpoints.ok()) << endpoints.status();
    if (!endpoints.ok()) return {};
    const SystemClock clock;
    Caller caller(**endpoints, client(), clock);
    v1::Lease lease;
    lease.set_attempt_id("attempt-1");
    lease.set_job("jobs/j");
    lease.mutable_cell()->set_kind(v1::Cell::CHOICE);
    std::optional<v1::AttemptReport> report;
    asio::co_spawn(
        io_,
        caller.Call(lease, *dialect::JobRenderer::Create(dialect::SmallJob()), TimePoint::max()),
        [&](const std::exception_ptr& error, v1::AttemptReport result) {
          EXPECT_FALSE(error);
          report = std::move(result);
        });
    RunUntil([&] { return report.has_value(); });
    return report.value_or(v1::AttemptReport());
  }
  v1::AttemptReport CallPort(std::uint16_t port) {
    v1::Endpoint config;
    config.set_base_url(fmt::format("http://127.0.0.1:{}/v1", port));
    return CallEndpoint(std::move(config));
  }
  v1::AttemptReport CallServer(Script script) { return CallPort(ServeRaw(std::move(script))); }
  // An answer with this body.
  v1::AttemptReport CallAnswer(int status, const std::string& type, const std::string& body) {
    return CallServer(
        Says(fmt::format("HTTP/1.1 {} X\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
                         status, type, body.size(), body)));
  }
  static void Expect(const v1::AttemptReport& report, Attempt::State state,
                     Attempt::ErrorClass error_class, const std::string& text) {
    EXPECT_EQ(report.attempt().state(), state) << report.attempt().error_text();
    EXPECT_EQ(report.attempt().error_class(), error_class) << report.attempt().error_text();
    EXPECT_THAT(report.attempt().error_text(), HasSubstr(text));
    EXPECT_FALSE(report.has_outcome());
    // What was called counts: when, and for how long.
    EXPECT_TRUE(report.attempt().has_start_time());
    EXPECT_TRUE(report.attempt().has_latency());
  }
};

TEST_F(BadProviderTest, AGoodOneForComparison) {
  const v1::AttemptReport report = CallAnswer(200, "application/json", kReply);
  EXPECT_EQ(report.attempt().state(), Attempt::COMPLETED) << report.attempt().error_text();
  EXPECT_EQ(report.outcome().choice(), v1::Outcome::B);
}

// What says success and cannot be read may have been a reply that was paid for; an error was not.
TEST_F(BadProviderTest, BodiesThatAreNoReply) {
  const std::string json = "application/json";
  Expect(CallAnswer(200, json, R"({"choices":[{"message":{"cont)"), Attempt::UNANSWERED,
         Attempt::MALFORMED_RESPONSE, "");
  Expect(CallAnswer(200, json, ""), Attempt::UNANSWERED, Attempt::MALFORMED_RESPONSE, "");
  Expect(CallAnswer(200, "text/html", "<html><body><h1>Sign in to the network</h1></body></html>"),
         Attempt::UNANSWERED, Attempt::MALFORMED_RESPONSE, "");
  Expect(CallAnswer(502, "text/html", "<html><body><h1>Bad gateway</h1></body></html>"),
         Attempt::FAILED, Attempt::SERVER_ERROR, "Bad gateway");
  Expect(CallAnswer(200, json, R"({"error":{"message":"slow down","code":"rate_limit_exceeded"}})"),
         Attempt::FAILED, Attempt::RATE_LIMITED, "slow down");
  Expect(CallAnswer(200, json, std::string(100'000, '[')), Attempt::UNANSWERED,
         Attempt::MALFORMED_RESPONSE, "");
}

TEST_F(BadProviderTest, ARedirectIsNotFollowed) {
  int calls = 0;
  const v1::AttemptReport report = CallServer([&](Tcp::socket socket) {
    ++calls;
    return SayOnce(std::move(socket),
                   "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data\r\n"
                   "Content-Length: 0\r\n\r\n");
  });
  Expect(report, Attempt::FAILED, Attempt::INVALID_REQUEST, "redirects are not followed");
  EXPECT_EQ(report.attempt().http_status(), 302);
  EXPECT_EQ(calls, 1);
}

TEST_F(BadProviderTest, TooMuch) {
  Expect(CallServer(Says("HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n")),
         Attempt::UNANSWERED, Attempt::MALFORMED_RESPONSE, "above");
  Expect(CallServer(Says("HTTP/1.1 200 OK\r\nX-Long: " + std::string(100'000, 'x'))),
         Attempt::UNANSWERED, Attempt::MALFORMED_RESPONSE, "header above");
}

TEST_F(BadProviderTest, CompressedInAWayThatIsNotRead) {
  const v1::AttemptReport report =
      CallServer(Says("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nxy"));
  Expect(report, Attempt::UNANSWERED, Attempt::MALFORMED_RESPONSE, "compressed");
  EXPECT_EQ(report.attempt().http_status(), 200);
  // An error is what its status says.
  Expect(CallServer(Says("HTTP/1.1 429 X\r\nContent-Encoding: br\r\nContent-Length: 2\r\n"
                         "Retry-After: 3\r\n\r\nxy")),
         Attempt::FAILED, Attempt::RATE_LIMITED, "429");
}

TEST_F(BadProviderTest, BrokenOff) {
  Expect(CallServer([](Tcp::socket socket) { return SayOnce(std::move(socket), ""); }),
         Attempt::UNANSWERED, Attempt::CONNECTION, "before an answer");
  Expect(CallServer([](Tcp::socket socket) {
           return SayOnce(std::move(socket), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{");
         }),
         Attempt::UNANSWERED, Attempt::CONNECTION, "within the answer");
  Expect(CallServer([](Tcp::socket socket) { return SayOnce(std::move(socket), "HTTP/1.1 20"); }),
         Attempt::UNANSWERED, Attempt::CONNECTION, "within the answer");
  Expect(
      CallServer([](Tcp::socket socket) { return SayOnce(std::move(socket), "220 mail ESMTP"); }),
      Attempt::UNANSWERED, Attempt::MALFORMED_RESPONSE, "cannot be read");
}

TEST_F(BadProviderTest, Silence) {
  Expect(CallServer([](Tcp::socket socket) { return SayAndStay(std::move(socket), ""); }),
         Attempt::UNANSWERED, Attempt::TIMEOUT, "no answer within 200 ms");
  Expect(CallServer([](Tcp::socket socket) {
           return SayAndStay(std::move(socket), "HTTP/1.1 200 OK\r\nX-Slow: ");
         }),
         Attempt::UNANSWERED, Attempt::TIMEOUT, "within its header");
  Expect(CallServer([](Tcp::socket socket) {
           return SayAndStay(std::move(socket), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{");
         }),
         Attempt::UNANSWERED, Attempt::TIMEOUT, "paused for more than 80 ms");
}

TEST_F(BadProviderTest, CertificatesThatDoNotHold) {
  net::TestAuthority authority;
  const auto call = [&](const net::TestAuthority::Files& files, const std::string& ca_file) {
    net::HttpServerOptions options;
    options.certificate_file = files.certificate;
    options.key_file = files.key;
    const auto port =
        Serve([](const net::HttpServerRequest&,
                 net::Responder responder) { responder.Send(200, "application/json", kReply); },
              options);
    v1::Endpoint config;
    config.set_base_url(fmt::format("https://127.0.0.1:{}/v1", port));
    config.set_ca_file(ca_file);
    return CallEndpoint(std::move(config));
  };
  EXPECT_EQ(call(authority.Issue("IP:127.0.0.1"), authority.ca_file()).attempt().state(),
            Attempt::COMPLETED);
  // Not UNANSWERED: no byte of the request was written, and nothing was paid for.
  Expect(call(authority.Issue("IP:127.0.0.1", -60), authority.ca_file()), Attempt::FAILED,
         Attempt::CONNECTION, "expired");
  Expect(call(authority.Issue("DNS:elsewhere.example"), authority.ca_file()), Attempt::FAILED,
         Attempt::CONNECTION, "mismatch");
  const net::TestAuthority other;
  Expect(call(authority.Issue("IP:127.0.0.1"), other.ca_file()), Attempt::FAILED,
         Attempt::CONNECTION, "certificate");
}

// A reply that streams is one body, however long it takes as a whole: each piece has the idle
// timeout.
TEST_F(BadProviderTest, AStreamIsReadToItsEnd) {
  std::vector<std::string> pieces;
  const std::string reply = kReply;
  for (std::size_t i = 0; i < reply.size(); i += 10) pieces.push_back(reply.substr(i, 10));
  const v1::AttemptReport report = CallServer([&](Tcp::socket socket) {
    return SayInPieces(std::move(socket), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                       pieces);
  });
  EXPECT_EQ(report.attempt().state(), Attempt::COMPLETED) << report.attempt().error_text();
  EXPECT_GT(report.attempt().latency().nanos(), 80'000'000);
}

// What streams is longer than what it says, and only what it says has to fit into a message.
TEST_F(BadProviderTest, AStreamOfManyEvents) {
  const auto call = [&](const std::string& piece) {
    std::string body;
    const std::string event = R"(data: {"choices":[{"index":0,"delta":{"content":")" + piece +
                              R"("}}]})"
                              "\n\n";
    while (body.size() < (std::size_t{2} << 20U)) body += event;
    body += R"(data: {"choices":[{"index":0,"delta":{"content":"B"},"finish_reason":"stop"}]})";
    body += "\n\ndata: [DONE]\n\n";
    v1::Endpoint config;
    config.set_base_url(fmt::format(
        "http://127.0.0.1:{}/v1",
        ServeRaw(Says(fmt::format("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                  "Content-Length: {}\r\n\r\n{}",
                                  body.size(), body)))));
    config.add_models()->set_match("*");
    config.mutable_models(0)->set_stream("always");
    return CallEndpoint(std::move(config));
  };
  const v1::AttemptReport many = call("");
  EXPECT_EQ(many.attempt().state(), Attempt::COMPLETED) << many.attempt().error_text();
  EXPECT_EQ(many.outcome().choice(), v1::Outcome::B);
  Expect(call(std::string(100, 'x')), Attempt::UNANSWERED, Attempt::MALFORMED_RESPONSE,
         "the text of the reply");
}

}  // namespace
}  // namespace candor::provider
