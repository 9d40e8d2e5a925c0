// Makes a connection ready for calls: name, TCP, proxy, TLS. Internal.
#pragma once

#include "common/net/connection_pool.h"
#include "common/net/dns_cache.h"
#include "common/net/request_writer.h"
#include "common/net/tls.h"

#include <absl/container/flat_hash_map.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/socket_base.hpp>

#include <memory>
#include <string>

namespace candor::net {

// Waits until the socket is ready. kNone, or why to give up: the deadline's kind, or kCancelled.
boost::asio::awaitable<HttpFailure> WaitReady(ClientConnection& connection,
                                              boost::asio::socket_base::wait_type direction,
                                              const boost::asio::cancellation_state& cancellation);
// The same from what the stream asked for: kWantRead or kWantWrite.
boost::asio::awaitable<HttpFailure> WaitReady(ClientConnection& connection, IoStatus wanted,
                                              const boost::asio::cancellation_state& cancellation);

class Dialer {
 public:
  Dialer(boost::asio::any_io_executor executor, const HttpClientOptions& options);

  // `proxy`: null for a direct connection. `deadline` is the call's own; the connect timeout counts
  // from now. On failure `text` says why.
  boost::asio::awaitable<HttpFailure> Dial(ClientConnection& connection, const Origin& origin,
                                           const Proxy* proxy, std::chrono::milliseconds timeout,
                                           SteadyTime deadline, std::string& text);
  void Shutdown() { dns_->Shutdown(); }

 private:
  struct Attempt {
    ClientConnection& connection;
    const Origin& origin;
    SteadyTime deadline;
    // What passing the deadline is called.
    HttpFailure kind;
    const boost::asio::cancellation_state& cancellation;
    std::string& text;
  };

  boost::asio::awaitable<HttpFailure> ConnectTcp(Attempt& attempt, std::string host,
                                                 std::uint16_t port);
  boost::asio::awaitable<HttpFailure> OpenTunnel(Attempt& attempt, const Proxy& proxy);
  boost::asio::awaitable<HttpFailure> StartTls(Attempt& attempt);
  StatusOr<SSL_CTX*> ContextFor(const std::string& ca_file);
  std::shared_ptr<TlsSession> SessionFor(const Origin& origin);

  boost::asio::any_io_executor executor_;
  const std::string user_agent_;
  std::shared_ptr<DnsCache> dns_;
  absl::flat_hash_map<std::string, SslContext> contexts_;
  // By origin, authorities included.
  absl::flat_hash_map<std::string, std::shared_ptr<TlsSession>> sessions_;
};

}  // namespace candor::net
