#include "tests/bench/memory/reference_client.h"

#include "tests/bench/support/process_figures.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

namespace candor::bench {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

struct Load {
  std::size_t connecting = 0;
  std::size_t waiting = 0;
};

std::string RequestText() {
  const std::string body(1425, 'q');
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

template <typename Stream>
asio::awaitable<void> Exchange(Stream& stream, Load& load) {
  const std::string request = RequestText();
  co_await asio::async_write(stream, asio::buffer(request), asio::use_awaitable);
  --load.connecting;
  ++load.waiting;
  std::vector<char> buffer(4096);
  co_await stream.async_read_some(asio::buffer(buffer), asio::use_awaitable);
}

asio::awaitable<void> Plain(std::uint16_t port, Load& load) {
  Tcp::socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  co_await Exchange(socket, load);
}

asio::awaitable<void> Tls(std::uint16_t port, asio::ssl::context& context, Load& load) {
  asio::ssl::stream<Tcp::socket> stream(co_await asio::this_coro::executor, context);
  co_await stream.next_layer().async_connect({asio::ip::address_v4::loopback(), port},
                                             asio::use_awaitable);
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_await Exchange(stream, load);
}

}  // namespace

int RunReferenceClient(std::uint16_t port, std::size_t calls, const std::string& ca_file) {
  asio::io_context io(1);
  asio::ssl::context context(asio::ssl::context::tls_client);
  if (!ca_file.empty()) {
    context.load_verify_file(ca_file);
    context.set_verify_mode(asio::ssl::verify_peer);
  }
  Load load;
  const double before = ResidentMegabytes(::getpid()).now;
  std::size_t begun = 0;
  // Some at a time: thousands of handshakes at once are not what is measured here.
  while (load.waiting < calls) {
    while (begun < calls && load.connecting < 64) {
      ++begun;
      ++load.connecting;
      asio::co_spawn(io, ca_file.empty() ? Plain(port, load) : Tls(port, context, load),
                     [](const std::exception_ptr& error) {
                       if (error) std::rethrow_exception(error);
                     });
    }
    if (io.run_one() == 0) return 1;
  }
  // What came with the handshakes is read.
  io.run_for(std::chrono::milliseconds(500));
  const Resident after = ResidentMegabytes(::getpid());
  std::printf("%.1f %.1f %.1f\n", before, after.now, after.most);
  return 0;
}

}  // namespace candor::bench
