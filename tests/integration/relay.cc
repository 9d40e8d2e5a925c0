#include "tests/integration/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace candor::integration {
namespace {

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Connect(const std::string& server) {
  const int port = std::stoi(server.substr(server.rfind(':') + 1));
  const sockaddr_in address = Loopback(static_cast<std::uint16_t>(port));
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return socket;
  }
  ::close(socket);
  return -1;
}

bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

Relay::Relay(const std::string& server) : server_(server) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
      ::getsockname(listener_, any, &size) != 0) {
    throw std::runtime_error("no port for a relay");
  }
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  acceptor_ = std::thread([this] { Accept(); });
}

Relay::~Relay() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (const auto& connection : connections_) {
    ::shutdown(connection->client, SHUT_RDWR);
    ::shutdown(connection->server, SHUT_RDWR);
  }
  for (std::thread& carrier : carriers_) carrier.join();
  for (const auto& connection : connections_) {
    ::close(connection->client);
    ::close(connection->server);
  }
  ::close(listener_);
}

void Relay::KeepBack(std::string start) {
  const std::lock_guard lock(mutex_);
  start_ = std::move(start);
  has_kept_back_ = false;
}

void Relay::WaitUntilKeptBack() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return has_kept_back_; });
}

void Relay::Accept() {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = Connect(server_);
    if (server < 0) {
      ::close(client);
      continue;
    }
    auto& connection = *connections_.emplace_back(std::make_unique<Connection>());
    connection.client = client;
    connection.server = server;
    carriers_.emplace_back([this, &connection] { Carry(connection, /*to_server=*/true); });
    carriers_.emplace_back([this, &connection] { Carry(connection, /*to_server=*/false); });
  }
}

void Relay::Carry(Connection& connection, bool to_server) {
  const int from = to_server ? connection.client : connection.server;
  const int to = to_server ? connection.server : connection.client;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t size = ::recv(from, buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(size));
    if (KeepsBack(connection, to_server, piece)) continue;
    if (!SendAll(to, piece)) break;
  }
  // Both ways end together; the descriptors stay until the relay goes.
  ::shutdown(connection.client, SHUT_RDWR);
  ::shutdown(connection.server, SHUT_RDWR);
}

bool Relay::KeepsBack(Connection& connection, bool to_server, std::string_view piece) {
  const std::lock_guard lock(mutex_);
  if (to_server) {
    if (!start_.empty() && piece.starts_with(start_)) {
      start_.clear();
      connection.kept_back = true;
    }
    return false;
  }
  if (!connection.kept_back) return false;
  has_kept_back_ = true;
  changed_.notify_all();
  return true;
}

}  // namespace candor::integration
