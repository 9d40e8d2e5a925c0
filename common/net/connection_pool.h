// The connections of an HTTP client, by origin. Internal; for the thread of the client alone.
//
// A slot is the right to one open connection to a site. A call holds a Lease: a slot, with or
// without a connection in it. Whoever gives a lease back passes slot and connection straight to the
// first that waits, so nobody overtakes.
#pragma once

#include "common/net/byte_stream.h"
#include "common/net/http_client.h"
#include "common/net/lazy_deadline.h"

#include <absl/container/flat_hash_map.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace candor::net {

using SteadyTime = std::chrono::steady_clock::time_point;

// One connection, idle or in a call.
struct ClientConnection : std::enable_shared_from_this<ClientConnection> {
  explicit ClientConnection(const boost::asio::any_io_executor& executor)
      : stream(ByteStream::Socket(executor)), deadline(executor) {}

  // From now on the deadline is `when`, and passing it is called `kind`.
  void SetDeadline(SteadyTime when, HttpFailure kind) {
    deadline_kind = kind;
    deadline.Set(shared_from_this(), when);
  }
  void OnDeadline() {
    expired = deadline_kind;
    Interrupt();
  }
  // Ends what waits for the socket.
  void Interrupt() {
    boost::system::error_code ignored;
    stream.socket().cancel(ignored);
  }

  ByteStream stream;
  LazyDeadline<ClientConnection> deadline;
  HttpFailure deadline_kind = HttpFailure::kNone;
  // kNone, or the deadline that has passed.
  HttpFailure expired = HttpFailure::kNone;
  // The client is being destroyed.
  bool closing = false;
  // Has carried a call.
  bool used = false;
  SteadyTime idle_since{};
  // "address:port" of the other end.
  std::string peer;
};

class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  struct Waiter;
  struct Site {
    // The last one was used last.
    std::vector<std::shared_ptr<ClientConnection>> idle;
    std::unordered_set<ClientConnection*> busy;
    std::size_t slots = 0;
    std::list<Waiter*> waiting;
  };

  class Lease {
   public:
    Lease() = default;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

    // Null: the holder has to make one with Connect.
    const std::shared_ptr<ClientConnection>& connection() const { return connection_; }
    ClientConnection& MakeConnection(const boost::asio::any_io_executor& executor);
    // The connection can carry another call.
    void set_reusable() { reusable_ = true; }

   private:
    friend class ConnectionPool;
    std::shared_ptr<ConnectionPool> pool_;
    Site* site_ = nullptr;
    std::shared_ptr<ClientConnection> connection_;
    bool reusable_ = false;
  };

  ConnectionPool(boost::asio::any_io_executor executor, std::size_t max_per_origin,
                 std::chrono::milliseconds idle_timeout);

  // Fills `lease` at once if a connection is idle or a slot is free.
  bool TryAcquire(const Origin& origin, Lease& lease);
  // Waits for a slot. kNone, kTotalTimeout, or kCancelled.
  boost::asio::awaitable<HttpFailure> Acquire(const Origin& origin, Lease& lease,
                                              SteadyTime deadline);
  // Closes everything; what waits or is in a call is told.
  void Shutdown();

 private:
  struct OriginHash {
    std::size_t operator()(const Origin& origin) const;
  };

  Site& At(const Origin& origin);
  void Give(Site& site, std::shared_ptr<ClientConnection> connection, Lease& lease);
  void Release(Lease& lease);
  void StartReaper();
  void Reap();

  boost::asio::any_io_executor executor_;
  const std::size_t max_per_origin_;
  const std::chrono::milliseconds idle_timeout_;
  // Sites stay where they are: leases point to them.
  absl::flat_hash_map<Origin, std::unique_ptr<Site>, OriginHash> sites_;
  boost::asio::steady_timer reaper_;
  bool reaper_runs_ = false;
  bool closing_ = false;
};

}  // namespace candor::net
