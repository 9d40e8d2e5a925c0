#include "tests/unit/common/net/net_fixture.h"

#include "common/net/http_reader.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace candor::net {
namespace asio = boost::asio;

std::uint16_t NetTest::Serve(HttpServer::Handler handler, HttpServerOptions options) {
  auto server = HttpServer::Create(io_, std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status();
  if (!server.ok()) return 0;
  servers_.push_back(*std::move(server));
  return servers_.back()->port();
}

std::uint16_t NetTest::ServeRaw(Script script) {
  auto acceptor =
      std::make_shared<Tcp::acceptor>(io_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const std::uint16_t port = acceptor->local_endpoint().port();
  // Not a lambda with captures: a coroutine's captures must outlive it.
  struct Loop {
    static asio::awaitable<void> Run(std::shared_ptr<Tcp::acceptor> from, Script what) {
      while (true) {
        auto [error, socket] = co_await from->async_accept(asio::as_tuple(asio::use_awaitable));
        if (error) co_return;
        asio::co_spawn(from->get_executor(), what(std::move(socket)), asio::detached);
      }
    }
  };
  asio::co_spawn(io_, Loop::Run(std::move(acceptor), std::move(script)), asio::detached);
  return port;
}

namespace {

asio::awaitable<void> SayToEach(asio::ip::tcp::socket socket, std::string answer) {
  while (true) {
    const std::string request = co_await ReadRequest(socket);
    if (request.empty()) co_return;
    co_await Say(socket, answer);
  }
}

}  // namespace

NetTest::Script NetTest::Says(std::string answer) {
  return [answer](Tcp::socket socket) { return SayToEach(std::move(socket), answer); };
}

HttpClient& NetTest::client() {
  if (client_ == nullptr) MakeClient({});
  return *client_;
}

void NetTest::MakeClient(HttpClientOptions options) {
  client_ = MakeHttpClient(io_, std::move(options));
}

HttpRequest NetTest::Request(std::uint16_t port, std::string target, std::string body) {
  HttpRequest request;
  request.origin.host = "127.0.0.1";
  request.origin.port = port;
  request.target = std::move(target);
  request.body = std::move(body);
  return request;
}

std::shared_ptr<std::optional<HttpResult>> NetTest::Start(HttpRequest request) {
  auto place = std::make_shared<std::optional<HttpResult>>();
  asio::co_spawn(io_, client().Call(std::move(request)),
                 [place](std::exception_ptr error, HttpResult result) {
                   EXPECT_EQ(error, nullptr);
                   *place = std::move(result);
                 });
  return place;
}

HttpResult NetTest::Call(HttpRequest request) {
  const auto place = Start(std::move(request));
  RunUntil([&] { return place->has_value(); });
  return place->has_value() ? std::move(**place) : HttpResult{};
}

std::string NetTest::Talk(std::uint16_t port, std::string bytes) {
  Tcp::socket socket(io_);
  std::string answer;
  bool done = false;
  struct Conversation {
    static asio::awaitable<void> Run(Tcp::socket& peer, std::uint16_t to, std::string text,
                                     std::string& heard) {
      const auto token = asio::as_tuple(asio::use_awaitable);
      co_await peer.async_connect({asio::ip::address_v4::loopback(), to}, token);
      co_await asio::async_write(peer, asio::buffer(text), token);
      co_await asio::async_read(peer, asio::dynamic_buffer(heard), token);
    }
  };
  asio::co_spawn(io_, Conversation::Run(socket, port, std::move(bytes), answer),
                 [&](std::exception_ptr) { done = true; });
  RunUntil([&] { return done; });
  return answer;
}

void NetTest::RunUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  io_.restart();
  while (!condition()) {
    if (io_.run_one_until(end) == 0) {
      ADD_FAILURE() << "nothing left to run, or 60 s are over";
      return;
    }
  }
}

asio::awaitable<std::string> ReadRequest(asio::ip::tcp::socket& socket) {
  RequestReader reader({});
  std::string all;
  std::array<char, 4096> buffer;
  while (true) {
    const auto [error, size] =
        co_await socket.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    if (error) co_return std::string();
    all.append(buffer.data(), size);
    if (reader.Feed({buffer.data(), size}) != ReadState::kNeedMore) co_return all;
  }
}

asio::awaitable<void> Say(asio::ip::tcp::socket& socket, std::string text) {
  co_await asio::async_write(socket, asio::buffer(text), asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> ReadToEnd(asio::ip::tcp::socket& socket) {
  std::array<char, 4096> buffer;
  while (true) {
    const auto [error, size] =
        co_await socket.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
  }
}

}  // namespace candor::net
