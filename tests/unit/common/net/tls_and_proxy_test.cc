#include "tests/unit/common/net/certificates.h"
#include "tests/unit/common/net/net_fixture.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>

#include <array>

namespace candor::net {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Tcp = asio::ip::tcp;

asio::awaitable<void> Pump(Tcp::socket& from, Tcp::socket& to) {
  std::array<char, 16384> buffer;
  while (true) {
    const auto [error, size] =
        co_await from.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    if (error) break;
    co_await Say(to, std::string(buffer.data(), size));
  }
  boost::system::error_code ignored;
  to.shutdown(Tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> PumpBack(std::shared_ptr<std::pair<Tcp::socket, Tcp::socket>> both) {
  co_await Pump(both->second, both->first);
}

// A proxy: notes each request header, tunnels CONNECT to 127.0.0.1 whatever the name, and answers
// the rest itself.
asio::awaitable<void> Proxy(Tcp::socket socket, std::vector<std::string>& seen) {
  const std::string request = co_await ReadRequest(socket);
  seen.push_back(request);
  if (!request.starts_with("CONNECT ")) {
    co_await Say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nby proxy!");
    co_await ReadToEnd(socket);
    co_return;
  }
  if (request.find("Proxy-Authorization: Basic dXNlcjpwYTpzcw==") == std::string::npos) {
    co_await Say(socket, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    co_return;
  }
  const auto colon = request.find(':');
  const auto port = static_cast<std::uint16_t>(std::stoi(request.substr(colon + 1)));
  auto both = std::make_shared<std::pair<Tcp::socket, Tcp::socket>>(
      std::move(socket), Tcp::socket(co_await asio::this_coro::executor));
  co_await both->second.async_connect({asio::ip::address_v4::loopback(), port},
                                      asio::as_tuple(asio::use_awaitable));
  co_await Say(both->first, "HTTP/1.1 200 Connection established\r\n\r\n");
  asio::co_spawn(both->first.get_executor(), PumpBack(both), [](std::exception_ptr) {});
  co_await Pump(both->first, both->second);
}

class TlsTest : public NetTest {
 protected:
  std::uint16_t ServeTls(const TestAuthority::Files& files) {
    HttpServerOptions options;
    options.certificate_file = files.certificate;
    options.key_file = files.key;
    return Serve([](const HttpServerRequest& request,
                    Responder responder) { responder.Send(200, "text/plain", request.body); },
                 options);
  }
  HttpRequest Secure(std::uint16_t port, const std::string& host, std::string body = "hello") {
    HttpRequest request = Request(port, "/", std::move(body));
    request.origin.https = true;
    request.origin.host = host;
    request.origin.ca_file = authority_.ca_file();
    return request;
  }

  TestAuthority authority_;
};

TEST_F(TlsTest, ByNameAndByAddress) {
  const auto port = ServeTls(authority_.Issue("DNS:localhost,IP:127.0.0.1"));
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const HttpResult first = Call(Secure(port, host));
    ASSERT_TRUE(first.ok()) << first.text;
    EXPECT_EQ(first.body, "hello");
    const HttpResult second = Call(Secure(port, host));
    ASSERT_TRUE(second.ok()) << second.text;
    EXPECT_TRUE(second.connection_reused);
  }
}

TEST_F(TlsTest, LargeBodies) {
  const auto port = ServeTls(authority_.Issue("IP:127.0.0.1"));
  const std::string body(3'000'000, 'x');
  const HttpResult result = Call(Secure(port, "127.0.0.1", body));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_TRUE(result.body == body);
}

TEST_F(TlsTest, WrongName) {
  const auto port = ServeTls(authority_.Issue("DNS:elsewhere.example"));
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const HttpResult result = Call(Secure(port, host));
    EXPECT_EQ(result.failure, HttpFailure::kTls);
    EXPECT_FALSE(result.request_bytes_written);
    EXPECT_THAT(result.text, HasSubstr("mismatch"));
  }
}

TEST_F(TlsTest, ExpiredCertificate) {
  const auto port = ServeTls(authority_.Issue("IP:127.0.0.1", -60));
  const HttpResult result = Call(Secure(port, "127.0.0.1"));
  EXPECT_EQ(result.failure, HttpFailure::kTls);
  EXPECT_THAT(result.text, HasSubstr("expired"));
}

TEST_F(TlsTest, UnknownAuthority) {
  const auto port = ServeTls(authority_.Issue("IP:127.0.0.1"));
  TestAuthority other;
  HttpRequest request = Secure(port, "127.0.0.1");
  request.origin.ca_file = other.ca_file();
  EXPECT_EQ(Call(request).failure, HttpFailure::kTls);
  // Nor does the system know our authority.
  request.origin.ca_file.clear();
  EXPECT_EQ(Call(request).failure, HttpFailure::kTls);
  request.origin.ca_file = "/nonexistent.pem";
  const HttpResult result = Call(request);
  EXPECT_EQ(result.failure, HttpFailure::kTls);
  EXPECT_THAT(result.text, HasSubstr("/nonexistent.pem"));
}

TEST_F(TlsTest, ServerWithoutTls) {
  const auto port = ServeRaw(Says("HTTP/1.1 400 Bad Request\r\n\r\n"));
  HttpRequest request = Secure(port, "127.0.0.1");
  request.timeouts.connect = std::chrono::milliseconds(5000);
  EXPECT_EQ(Call(std::move(request)).failure, HttpFailure::kTls);
}

TEST_F(TlsTest, ThroughAProxyWithPassword) {
  std::vector<std::string> seen;
  const auto proxy = ServeRaw([&](Tcp::socket socket) { return Proxy(std::move(socket), seen); });
  const auto port = ServeTls(authority_.Issue("DNS:provider.example"));
  HttpClientOptions options;
  options.proxy.https_proxy = fmt::format("http://user:pa%3Ass@127.0.0.1:{}", proxy);
  MakeClient(options);
  for (int i = 0; i < 2; ++i) {
    const HttpResult result = Call(Secure(port, "provider.example"));
    ASSERT_TRUE(result.ok()) << result.text;
    EXPECT_EQ(result.body, "hello");
  }
  // One tunnel carried both, and the proxy saw neither.
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_THAT(seen[0], StartsWith(fmt::format("CONNECT provider.example:{} HTTP/1.1\r\n", port)));
}

TEST_F(TlsTest, ProxyThatRefuses) {
  std::vector<std::string> seen;
  const auto proxy = ServeRaw([&](Tcp::socket socket) { return Proxy(std::move(socket), seen); });
  HttpClientOptions options;
  options.proxy.https_proxy = fmt::format("http://user:wrong@127.0.0.1:{}", proxy);
  MakeClient(options);
  const HttpResult result = Call(Secure(443, "provider.example"));
  EXPECT_EQ(result.failure, HttpFailure::kProxy);
  EXPECT_FALSE(result.request_bytes_written);
  EXPECT_THAT(result.text, HasSubstr("407"));
  EXPECT_THAT(result.text, Not(HasSubstr("wrong")));
}

TEST_F(TlsTest, PlainRequestsGoToTheProxyInAbsoluteForm) {
  std::vector<std::string> seen;
  const auto proxy = ServeRaw([&](Tcp::socket socket) { return Proxy(std::move(socket), seen); });
  HttpClientOptions options;
  options.proxy.http_proxy = fmt::format("127.0.0.1:{}", proxy);
  MakeClient(options);
  HttpRequest request = Request(8080, "/v1?x=1");
  request.origin.host = "provider.example";
  const HttpResult result = Call(std::move(request));
  ASSERT_TRUE(result.ok()) << result.text;
  EXPECT_EQ(result.body, "by proxy!");
  EXPECT_THAT(seen.at(0), StartsWith("POST http://provider.example:8080/v1?x=1 HTTP/1.1\r\n"
                                     "Host: provider.example:8080\r\n"));
}

TEST_F(TlsTest, NoProxyGoesStraight) {
  HttpClientOptions options;
  // Nobody listens there.
  options.proxy.http_proxy = "http://127.0.0.1:1";
  options.proxy.no_proxy = {"127.0.0.1"};
  MakeClient(options);
  const auto port = ServeRaw(Says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(Call(Request(port)).ok());
}

}  // namespace
}  // namespace candor::net
