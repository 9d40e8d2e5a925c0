#include "tests/bench/memory/holding_provider.h"

#include <stdexcept>
#include <utility>

namespace candor::bench {

HoldingProvider::HoldingProvider(std::size_t hold, std::string body,
                                 const std::string& certificate_file, const std::string& key_file)
    : hold_(hold), body_(std::move(body)), work_(boost::asio::make_work_guard(io_)) {
  net::HttpServerOptions options;
  options.max_connections = 2 * hold + 100;
  // A worker that connects thousands of times at once is served in turn.
  options.header_timeout = std::chrono::seconds(120);
  options.certificate_file = certificate_file;
  options.key_file = key_file;
  auto server = net::HttpServer::Create(
      io_, options, [this](const net::HttpServerRequest&, net::Responder responder) {
        OnCall(std::move(responder));
      });
  if (!server.ok()) throw std::runtime_error(Message(server.status()));
  server_ = *std::move(server);
  thread_ = std::thread([this] { io_.run(); });
}

HoldingProvider::~HoldingProvider() {
  Release();
  io_.stop();
  thread_.join();
}

void HoldingProvider::OnCall(net::Responder responder) {
  std::unique_lock lock(mutex_);
  ++calls_;
  // The first call of a job goes alone.
  if (released_ || calls_ == 1) {
    lock.unlock();
    return responder.Send(200, "application/json", body_);
  }
  held_.push_back(std::move(responder));
  if (held_.size() >= hold_) changed_.notify_all();
}

bool HoldingProvider::WaitUntilHeld(std::chrono::seconds at_most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, at_most, [this] { return held_.size() >= hold_; });
}

void HoldingProvider::Release() {
  std::vector<net::Responder> held;
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
    held.swap(held_);
  }
  for (net::Responder& responder : held) responder.Send(200, "application/json", body_);
}

std::size_t HoldingProvider::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

}  // namespace candor::bench
