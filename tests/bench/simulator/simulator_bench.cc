// What a call to the simulator costs, beside a handler that sends fixed bytes on the same server in
// the same run, and beside the simulator without a socket in each dialect:
//
//   simulator_bench [seconds a part]
//
// A load thread keeps 64 connections busy with choice prompts of about 900 bytes, each with a
// sampling seed of its own. The figure to compare across machines and loads is the CPU time of the
// serving thread per call (that of the process without the load thread's); calls a second on one
// core of its own is its reciprocal.

#include "common/base/clock.h"
#include "common/net/http_server.h"
#include "common/scenario/catalogue.h"
#include "simulator/provider_service.h"
#include "simulator/simulator_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace candor::simulator {
namespace {

constexpr int kConnections = 64;

std::string Body(std::uint64_t seed) {
  return fmt::format(
      R"({{"model":"base","messages":[{{"role":"system","content":"You stand in for the person who is )"
      R"(described to you and settle a choice the way that person would. You keep to the requested )"
      R"(answer format exactly."}},{{"role":"user","content":"Put yourself in the place of a piano )"
      R"(tuner in Leipzig who never forgets a phone number. Which restaurant would you book for )"
      R"(supper on Friday?\n\nA:\nwalk_from_home: 13.0 minutes\nmain_course_price: 21.0 euros\n)"
      R"(background_noise: 61.0 decibels\nmenu_length: 40.0 dishes\nportion_weight: 330.0 grams\n\n)"
      R"(B:\nwalk_from_home: 33.0 minutes\nmain_course_price: 15.0 euros\nbackground_noise: 49.0 )"
      R"(decibels\nmenu_length: 12.0 dishes\nportion_weight: 610.0 grams\n\nWhich one do you take? )"
      R"(Write one letter, A or B, and no other text."}}],"temperature":0,"max_tokens":16,"seed":{:010}}})",
      seed + 1'000'000'000);
}

double CpuSeconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int Connect(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

// The size of the whole response that begins `text`; 0 when it is not all there.
std::size_t ResponseSize(std::string_view text) {
  constexpr std::string_view kLength = "Content-Length: ";
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const auto length = text.find(kLength);
  if (length == std::string_view::npos || length > end) {
    std::fputs("a response without a length\n", stderr);
    std::exit(1);
  }
  const std::size_t size =
      end + 4 + std::strtoul(text.data() + length + kLength.size(), nullptr, 10);
  return text.size() >= size ? size : 0;
}

struct Load {
  std::uint64_t calls = 0;
  double cpu_seconds = 0;
};

// Keeps the connections busy until the time is over. Runs on its own thread.
Load Press(std::uint16_t port, std::chrono::duration<double> time) {
  const double cpu_before = CpuSeconds(RUSAGE_THREAD);
  const int epoll = epoll_create1(0);
  std::vector<std::string> received(1024);
  std::uint64_t next = 0;
  const auto send_one = [&](int socket) {
    const std::string body = Body(next++);
    const std::string request = fmt::format(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
        "application/json\r\nX-Client-Request-Id: a-{:016}\r\nContent-Length: {}\r\n\r\n{}",
        next, body.size(), body);
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      std::perror("send");
      std::exit(1);
    }
  };
  std::vector<int> sockets;
  for (int i = 0; i < kConnections; ++i) {
    const int socket = Connect(port);
    sockets.push_back(socket);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
    send_one(socket);
  }
  Load load;
  const auto end = std::chrono::steady_clock::now() + time;
  epoll_event events[kConnections];
  char buffer[16'384];
  while (std::chrono::steady_clock::now() < end) {
    const int ready = epoll_wait(epoll, events, kConnections, 100);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[i].data.fd;
      std::string& text = received.at(static_cast<std::size_t>(socket));
      const ssize_t n = ::recv(socket, buffer, sizeof(buffer), 0);
      if (n <= 0) {
        std::perror("recv");
        std::exit(1);
      }
      text.append(buffer, static_cast<std::size_t>(n));
      if (ResponseSize(text) == 0) continue;
      text.clear();
      ++load.calls;
      send_one(socket);
    }
  }
  for (const int socket : sockets) ::close(socket);
  ::close(epoll);
  load.cpu_seconds = CpuSeconds(RUSAGE_THREAD) - cpu_before;
  return load;
}

// Serving microseconds of CPU per call.
double Measure(const char* name, std::uint16_t port, std::chrono::duration<double> time) {
  const double cpu_before = CpuSeconds(RUSAGE_SELF);
  const auto begin = std::chrono::steady_clock::now();
  Load load;
  std::thread([&] { load = Press(port, time); }).join();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const double serving = CpuSeconds(RUSAGE_SELF) - cpu_before - load.cpu_seconds;
  const double us = serving / static_cast<double>(load.calls) * 1e6;
  fmt::print("{:<28} {:>9.0f} calls/s here  {:>7.2f} us CPU a call  {:>9.0f} calls/s on a core\n",
             name, static_cast<double>(load.calls) / wall.count(), us, 1e6 / us);
  std::fflush(stdout);
  return us;
}

void MeasureFixed(std::chrono::duration<double> time, const std::string& response) {
  boost::asio::io_context io(1);
  auto server = net::HttpServer::Create(
      io, {.listen = "127.0.0.1:0"}, [&](const net::HttpServerRequest&, net::Responder responder) {
        responder.Send(200, "application/json", response);
      });
  if (!server.ok()) std::exit(1);
  auto guard = boost::asio::make_work_guard(io);
  std::thread thread([&] { io.run(); });
  Measure("fixed bytes, same server", (*server)->port(), time);
  (*server)->Stop(std::chrono::milliseconds{0}, [&] { guard.reset(); });
  thread.join();
}

std::unique_ptr<ProviderService> MakeService(const Clock& clock) {
  ScenarioRanges ranges;
  ranges.Add(scenario::BuiltinScenarioSet());
  auto service = ProviderService::Create({}, std::move(ranges), clock);
  if (!service.ok()) std::exit(1);
  return *std::move(service);
}

// The same question as another dialect asks it.
std::string BodyOf(DialectKind dialect, std::uint64_t seed) {
  const std::string chat = Body(seed);
  const auto begin = chat.find(R"("role":"user","content":)") + 24;
  const std::string question = chat.substr(begin, chat.find("}],", begin) - begin);
  switch (dialect) {
    case DialectKind::kResponses:
      return fmt::format(R"({{"model":"base","max_output_tokens":16,"user":"{}","input":{}}})",
                         seed, question);
    case DialectKind::kAnthropic:
      return fmt::format(R"({{"model":"base","max_tokens":16,"metadata":{{"user_id":"{}"}},)"
                         R"("messages":[{{"role":"user","content":{}}}]}})",
                         seed, question);
    case DialectKind::kGemini:
      return fmt::format(R"({{"contents":[{{"parts":[{{"text":{}}}]}}],)"
                         R"("generationConfig":{{"maxOutputTokens":16,"seed":{}}}}})",
                         question, seed);
    case DialectKind::kChat:
      break;
  }
  return chat;
}

void MeasureWithoutSocket(const Clock& clock, DialectKind dialect) {
  const auto service = MakeService(clock);
  constexpr int kCalls = 100'000;
  std::vector<std::string> bodies;
  for (std::uint64_t i = 0; i < kCalls; ++i) bodies.push_back(BodyOf(dialect, i));
  const net::HttpHeaders headers{{"anthropic-version", "2023-06-01"}};
  ApiCall call;
  call.dialect = dialect;
  call.headers = &headers;
  if (dialect == DialectKind::kGemini) call.path_model = "base";
  const double before = CpuSeconds(RUSAGE_THREAD);
  for (const std::string& body : bodies) {
    call.body = body;
    const Answer answer = service->Handle(call, "a-0000000000000001");
    service->Finish(answer);
    if (answer.response.status != 200) std::exit(1);
  }
  const double us = (CpuSeconds(RUSAGE_THREAD) - before) / kCalls * 1e6;
  fmt::print("{:<28} {:>31.2f} us CPU a call  {:>9.0f} calls/s on a core\n",
             fmt::format("{}, without a socket", ToString(dialect)), us, 1e6 / us);
}

int Main(int argc, char** argv) {
  const std::chrono::duration<double> time{argc > 1 ? std::atof(argv[1]) : 3.0};
  const SystemClock clock;
  fmt::print("body of {} bytes, {} connections, 1 serving thread\n", Body(0).size(), kConnections);
  for (const DialectKind dialect : {DialectKind::kChat, DialectKind::kResponses,
                                    DialectKind::kAnthropic, DialectKind::kGemini}) {
    MeasureWithoutSocket(clock, dialect);
  }
  std::string response;
  {
    const auto service = MakeService(clock);
    const std::string body = Body(0);
    Answer answer = service->Handle({.body = body}, "");
    service->Finish(answer);
    response = answer.response.body;
  }
  MeasureFixed(time, response);
  const auto service = MakeService(clock);
  auto server = SimulatorServer::Start({.listen = "127.0.0.1:0"}, *service);
  if (!server.ok()) std::exit(1);
  const double us = Measure("simulator", (*server)->port(), time);
  (*server)->Stop(std::chrono::milliseconds{0});
  return us <= 50 ? 0 : 1;
}

}  // namespace
}  // namespace candor::simulator

int main(int argc, char** argv) { return candor::simulator::Main(argc, argv); }
