#include "simulator/slow_responses.h"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace candor::simulator {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kDripInterval{1};
constexpr std::size_t kFloodPiece = std::size_t{64} << 10U;

std::string HeaderText(const net::HttpServerResponse& response, std::string_view length) {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}", response.status,
                  response.status == 200 ? "OK" : "Status", response.content_type, length);
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", response.headers.name(i),
                   response.headers.value(i));
  }
  return text + "Connection: close\r\n\r\n";
}

}  // namespace

class SlowResponses::Process : public std::enable_shared_from_this<SlowResponses::Process> {
 public:
  explicit Process(net::StreamWriter writer) : writer_(std::move(writer)) {}
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  virtual void Begin() {}
  virtual void Stop() { writer_ = {}; }
  virtual bool done() const { return writer_.closed(); }

 protected:
  net::StreamWriter writer_;
};

namespace {

class DripProcess final : public SlowResponses::Process {
 public:
  DripProcess(asio::io_context& io, net::StreamWriter writer, std::string head, std::string body)
      : Process(std::move(writer)), timer_(io), head_(std::move(head)), body_(std::move(body)) {}

  void Begin() override { Next(); }
  void Stop() override {
    stopped_ = true;
    timer_.cancel();
    Process::Stop();
  }
  bool done() const override { return stopped_; }

 private:
  void Next() {
    if (stopped_) return;
    if (sent_ == head_.size()) {
      writer_.Write(std::move(body_));
      writer_.Finish();
      stopped_ = true;
      return;
    }
    if (!writer_.Write(head_.substr(sent_++, 1))) {
      stopped_ = true;
      return;
    }
    timer_.expires_after(kDripInterval);
    timer_.async_wait([self = shared_from_this(), this](const boost::system::error_code& error) {
      if (!error) Next();
    });
  }

  asio::steady_timer timer_;
  std::string head_;
  std::string body_;
  std::size_t sent_ = 0;
  bool stopped_ = false;
};

class FloodProcess final : public SlowResponses::Process {
 public:
  FloodProcess(net::StreamWriter writer, std::string head, std::uint64_t bytes)
      : Process(std::move(writer)), head_(std::move(head)), left_(bytes) {}

  void Begin() override {
    std::string begin = R"({"id":"chatcmpl-1","choices":[{"message":{"content":")";
    left_ -= begin.size();
    Go(head_ + begin);
  }
  void Stop() override { stopped_ = true; }
  bool done() const override { return stopped_; }

 private:
  void Go(std::string piece) {
    if (!stopped_ && !piece.empty() && writer_.Write(std::move(piece))) {
      writer_.OnDrained([self = shared_from_this(), this] {
        const std::uint64_t size = std::min<std::uint64_t>(left_, kFloodPiece);
        left_ -= size;
        Go(std::string(size, 'a'));
      });
      return;
    }
    // The promise was kept, or nobody listens any more.
    if (left_ == 0) writer_.Finish();
    stopped_ = true;
    writer_ = {};
  }

  std::string head_;
  std::uint64_t left_;
  bool stopped_ = false;
};

}  // namespace

void SlowResponses::Keep(std::shared_ptr<Process> process) {
  processes_.remove_if([](const auto& old) { return old->done(); });
  processes_.push_back(process);
  process->Begin();
}

void SlowResponses::Stall(net::HttpServerResponse response, std::size_t bytes,
                          net::Responder responder) {
  response.body.resize(std::min(bytes, response.body.size()));
  Keep(std::make_shared<Process>(responder.StartStream(std::move(response))));
}

void SlowResponses::Drip(const net::HttpServerResponse& response, net::Responder responder) {
  Keep(std::make_shared<DripProcess>(
      io_, responder.StartRaw(),
      HeaderText(response, fmt::format("Content-Length: {}\r\n", response.body.size())),
      response.body));
}

void SlowResponses::Flood(const net::HttpServerResponse& response, std::uint64_t announced,
                          net::Responder responder) {
  const std::string length =
      announced == 0 ? std::string() : fmt::format("Content-Length: {}\r\n", announced);
  Keep(std::make_shared<FloodProcess>(responder.StartRaw(), HeaderText(response, length),
                                      announced == 0 ? ~std::uint64_t{0} : announced));
}

void SlowResponses::Clear() {
  for (const auto& process : processes_) process->Stop();
  processes_.clear();
}

}  // namespace candor::simulator
