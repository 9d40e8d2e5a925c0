#include "tests/bench/limits/naive_client.h"

#include "common/net/address.h"
#include "common/net/http_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <random>

namespace candor::bench {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

struct Client {
  asio::io_context io{1};
  std::unique_ptr<net::HttpClient> http = net::MakeHttpClient(io);
  net::Address address;
  NaiveOptions options;
  Clock::time_point end;
  std::mt19937_64 random{7};
  long sent = 0;
};

asio::awaitable<void> Loop(Client& client) {
  asio::steady_timer timer(client.io);
  double wait = client.options.first_wait;
  while (Clock::now() < client.end) {
    net::HttpRequest request;
    request.origin.host = client.address.host;
    request.origin.port = client.address.port;
    request.target = "/v1/chat/completions";
    request.headers.Add("content-type", "application/json");
    request.body = R"({"model":")" + client.options.model +
                   R"(","max_tokens":16,"messages":[{"role":"user","content":"Call )" +
                   std::to_string(client.sent++) + R"("}]})";
    const net::HttpResult result = co_await client.http->Call(std::move(request));
    if (result.ok() && result.status == 200) {
      wait = client.options.first_wait;
      continue;
    }
    const double jittered = std::uniform_real_distribution<double>(0, wait)(client.random);
    wait = std::min(2 * wait, client.options.most_wait);
    timer.expires_at(
        std::min(client.end, Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                std::chrono::duration<double>(jittered))));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace

void RunNaiveClient(const std::string& address, const NaiveOptions& options) {
  Client client;
  client.address = *net::ParseAddress(address);
  client.options = options;
  client.end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double>(options.seconds));
  for (int i = 0; i < options.loops; ++i) asio::co_spawn(client.io, Loop(client), asio::detached);
  client.io.run();
}

}  // namespace candor::bench
