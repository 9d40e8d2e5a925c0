// One thread, one io_context: client, server and the test's own peers take turns on it, so a test
// runs the same way every time.
#pragma once

#include "common/net/http_client.h"
#include "common/net/http_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace candor::net {

class NetTest : public ::testing::Test {
 protected:
  using Tcp = boost::asio::ip::tcp;
  using Script = std::function<boost::asio::awaitable<void>(Tcp::socket)>;

  ~NetTest() override { servers_.clear(); }

  // An HTTP server; the number is its port.
  std::uint16_t Serve(HttpServer::Handler handler, HttpServerOptions options = {});
  // A peer that does what `script` says with each connection.
  std::uint16_t ServeRaw(Script script);
  // A script that reads one request and then says `answer`, as often as requests come.
  static Script Says(std::string answer);

  HttpClient& client();
  void MakeClient(HttpClientOptions options);
  void DropClient() { client_.reset(); }

  static HttpRequest Request(std::uint16_t port, std::string target = "/", std::string body = "{}");
  // Starts a call; its result appears in the place that comes back.
  std::shared_ptr<std::optional<HttpResult>> Start(HttpRequest request);
  HttpResult Call(HttpRequest request);
  // Sends bytes as they are and returns what comes until the peer closes.
  std::string Talk(std::uint16_t port, std::string bytes);

  // Runs what is ready, and waits for more, until `condition` holds.
  void RunUntil(const std::function<bool()>& condition);

  boost::asio::io_context io_{1};
  std::vector<std::unique_ptr<HttpServer>> servers_;
  std::unique_ptr<HttpClient> client_;
};

// Waits for the end of a request header (and the bytes of its Content-Length) and returns it all;
// empty when the peer closes first.
boost::asio::awaitable<std::string> ReadRequest(boost::asio::ip::tcp::socket& socket);
boost::asio::awaitable<void> Say(boost::asio::ip::tcp::socket& socket, std::string text);
// Until the peer closes.
boost::asio::awaitable<void> ReadToEnd(boost::asio::ip::tcp::socket& socket);

}  // namespace candor::net
