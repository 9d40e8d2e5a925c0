// A provider that answers the first call, then nobody until it holds so many, then everybody.
#pragma once

#include "common/base/status.h"
#include "common/net/http_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace candor::bench {

class HoldingProvider {
 public:
  // On a loopback port, with TLS when there is a certificate. `body` is what each call is
  // answered.
  HoldingProvider(std::size_t hold, std::string body, const std::string& certificate_file,
                  const std::string& key_file);
  ~HoldingProvider();

  std::uint16_t port() const { return server_->port(); }
  // Blocks until `hold` calls are there; false when they do not come in time.
  bool WaitUntilHeld(std::chrono::seconds at_most);
  // Answers all of them, and those that come later at once.
  void Release();
  std::size_t calls() const;

 private:
  void OnCall(net::Responder responder);

  const std::size_t hold_;
  const std::string body_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<net::Responder> held_;
  std::size_t calls_ = 0;
  bool released_ = false;

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<net::HttpServer> server_;
  std::thread thread_;
};

}  // namespace candor::bench
