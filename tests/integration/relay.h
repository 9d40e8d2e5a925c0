// A wire between a program under test and a server, which can lose answers: what was asked has
// happened, and who asked never learns of it.
//
//   Relay relay(cluster.simulator_address());
//   ... an endpoint with base_url http://{relay.address()}/v1 ...
//   relay.KeepBack("POST /v1/messages/batches ");
//   ... the worker creates a batch ...
//   relay.WaitUntilKeptBack();                  // the provider has it
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace candor::integration {

// Speaks HTTP/1.1 as far as this goes: a connection carries one request at a time, and a request
// begins where a piece of what the client sent does.
class Relay {
 public:
  // Passes on what comes to a port of its own on 127.0.0.1 to "127.0.0.1:PORT".
  explicit Relay(const std::string& server);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // "127.0.0.1:PORT".
  const std::string& address() const { return address_; }
  // The answer to the next request that begins so is taken from the server and dropped; its
  // connection carries nothing more.
  void KeepBack(std::string start);
  // Waits until that answer has come from the server.
  void WaitUntilKeptBack();

 private:
  struct Connection {
    int client = -1;
    int server = -1;
    bool kept_back = false;  // guarded by mutex_
  };

  void Accept();
  // Carries bytes one way until either side ends.
  void Carry(Connection& connection, bool to_server);
  bool KeepsBack(Connection& connection, bool to_server, std::string_view piece);

  std::string server_;
  std::string address_;
  int listener_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string start_;
  bool has_kept_back_ = false;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::thread> carriers_;
  std::thread acceptor_;
};

}  // namespace candor::integration
