// Calls per second and CPU per call of HttpClient against HttpServer, on one thread each.
//
//   candor_net_bench [calls in flight] [seconds]
//
// Prints one line for the client, one for the server, and, when `wrk` is installed, its figure on
// the same server right afterwards.
#include "common/net/http_client.h"
#include "common/net/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <pthread.h>
#include <time.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

namespace candor::net {
namespace {

namespace asio = boost::asio;

double CpuSeconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Load {
  std::uint16_t port;
  std::chrono::steady_clock::time_point end;
  long calls = 0;
  long failures = 0;
};

asio::awaitable<void> CallUntilEnd(HttpClient& client, Load& load) {
  while (std::chrono::steady_clock::now() < load.end) {
    HttpRequest request;
    request.origin.host = "127.0.0.1";
    request.origin.port = load.port;
    request.target = "/v1/chat/completions";
    request.headers.Add("content-type", "application/json");
    request.headers.Add("authorization", "Bearer 0123456789012345678901234567890123456789");
    request.body.assign(1425, 'q');
    const HttpResult result = co_await client.Call(std::move(request));
    if (result.ok() && result.status == 200) {
      ++load.calls;
    } else {
      ++load.failures;
    }
  }
}

int Run(int in_flight, int seconds) {
  asio::io_context server_io(1);
  const std::string answer(1396, 'a');
  auto server =
      HttpServer::Create(server_io, {}, [&](const HttpServerRequest&, Responder responder) {
        responder.Send(200, "application/json", answer);
      });
  if (!server.ok()) {
    fmt::print(stderr, "{}\n", Message(server.status()));
    return 1;
  }
  auto work = asio::make_work_guard(server_io);
  std::thread server_thread([&] { server_io.run(); });
  clockid_t server_clock;
  ::pthread_getcpuclockid(server_thread.native_handle(), &server_clock);

  asio::io_context io(1);
  const auto client = MakeHttpClient(io);
  Load load{(*server)->port(), std::chrono::steady_clock::now() + std::chrono::seconds(seconds)};
  const double client_cpu = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
  const double server_cpu = CpuSeconds(server_clock);
  const auto start = std::chrono::steady_clock::now();
  int running = in_flight;
  for (int i = 0; i < in_flight; ++i) {
    asio::co_spawn(io, CallUntilEnd(*client, load), [&](std::exception_ptr) {
      if (--running == 0) io.stop();
    });
  }
  io.run();
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto calls = static_cast<double>(load.calls);
  fmt::print("client: {} in flight, {:.0f} calls/s, {:.1f} us CPU per call, {} failures\n",
             in_flight, calls / elapsed,
             (CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - client_cpu) * 1e6 / calls, load.failures);
  fmt::print("server: {:.1f} us CPU per call\n",
             (CpuSeconds(server_clock) - server_cpu) * 1e6 / calls);
  std::fflush(stdout);
  const std::string wrk = fmt::format(
      "command -v wrk >/dev/null && wrk -t1 -c{} -d{}s http://127.0.0.1:{}/ | grep "
      "Requests/sec | sed 's/^/wrk: /'",
      in_flight, seconds, load.port);
  const double before_wrk = CpuSeconds(server_clock);
  if (std::system(wrk.c_str()) == 0) {
    fmt::print("server under wrk: {:.2f} s CPU in {} s\n", CpuSeconds(server_clock) - before_wrk,
               seconds);
  }
  work.reset();
  server_io.stop();
  server_thread.join();
  return load.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace candor::net

int main(int argc, char** argv) {
  const int in_flight = argc > 1 ? std::atoi(argv[1]) : 64;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 5;
  return candor::net::Run(in_flight > 0 ? in_flight : 64, seconds > 0 ? seconds : 5);
}
