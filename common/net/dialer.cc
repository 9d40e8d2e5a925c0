#include "common/net/dialer.h"

#include "common/net/address.h"
#include "common/net/http_reader.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace candor::net {
namespace asio = boost::asio;
using asio::socket_base;

asio::awaitable<HttpFailure> WaitReady(ClientConnection& connection,
                                       socket_base::wait_type direction,
                                       const asio::cancellation_state& cancellation) {
  const auto stopped = [&] {
    if (connection.expired != HttpFailure::kNone) return connection.expired;
    const bool cancelled =
        connection.closing || cancellation.cancelled() != asio::cancellation_type::none;
    return cancelled ? HttpFailure::kCancelled : HttpFailure::kNone;
  };
  if (const HttpFailure why = stopped(); why != HttpFailure::kNone) co_return why;
  // An error of the socket itself shows in the read or write that follows.
  co_await connection.stream.socket().async_wait(direction, asio::as_tuple(asio::use_awaitable));
  co_return stopped();
}

asio::awaitable<HttpFailure> WaitReady(ClientConnection& connection, IoStatus wanted,
                                       const asio::cancellation_state& cancellation) {
  return WaitReady(
      connection, wanted == IoStatus::kWantWrite ? socket_base::wait_write : socket_base::wait_read,
      cancellation);
}

Dialer::Dialer(asio::any_io_executor executor, const HttpClientOptions& options)
    : executor_(std::move(executor)),
      user_agent_(options.user_agent),
      dns_(std::make_shared<DnsCache>(executor_, options.dns_cache_time)) {}

asio::awaitable<HttpFailure> Dialer::Dial(ClientConnection& connection, const Origin& origin,
                                          const Proxy* proxy, std::chrono::milliseconds timeout,
                                          SteadyTime deadline, std::string& text) {
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  HttpFailure kind = HttpFailure::kTotalTimeout;
  if (timeout.count() > 0) {
    const SteadyTime connect_deadline = std::chrono::steady_clock::now() + timeout;
    if (connect_deadline < deadline) {
      deadline = connect_deadline;
      kind = HttpFailure::kConnectTimeout;
    }
  }
  Attempt attempt{connection, origin, deadline, kind, cancellation, text};
  HttpFailure failure = co_await ConnectTcp(attempt, proxy != nullptr ? proxy->host : origin.host,
                                            proxy != nullptr ? proxy->port : origin.port);
  connection.SetDeadline(deadline, kind);
  if (failure == HttpFailure::kNone && origin.https && proxy != nullptr) {
    failure = co_await OpenTunnel(attempt, *proxy);
  }
  if (failure == HttpFailure::kNone && origin.https) failure = co_await StartTls(attempt);
  connection.deadline.Clear();
  co_return failure;
}

asio::awaitable<HttpFailure> Dialer::ConnectTcp(Attempt& attempt, std::string host,
                                                std::uint16_t port) {
  ClientConnection& connection = attempt.connection;
  const std::string name = Address{host, port}.ToString();
  DnsCache::Addresses addresses;
  std::string error;
  HttpFailure failure = co_await dns_->Resolve(host, attempt.deadline, addresses, error);
  if (failure == HttpFailure::kConnectTimeout) {
    attempt.text = "no address for " + host + " in time";
    co_return attempt.kind;
  }
  if (failure == HttpFailure::kResolve) {
    attempt.text = "no address for " + host + ": " + error + "; check the name and the DNS";
  }
  if (failure != HttpFailure::kNone) co_return failure;

  bool timed_out = false;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (connection.closing) co_return HttpFailure::kCancelled;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= attempt.deadline) {
      timed_out = true;
      break;
    }
    // An address that does not answer leaves the others their share.
    const SteadyTime share =
        attempt.deadline == SteadyTime::max()
            ? attempt.deadline
            : now + (attempt.deadline - now) / static_cast<int>(addresses.size() - i);
    const asio::ip::tcp::endpoint endpoint(addresses[i], port);
    connection.peer = Address{addresses[i].to_string(), port}.ToString();
    connection.expired = HttpFailure::kNone;
    connection.SetDeadline(share, attempt.kind);
    boost::system::error_code ignored;
    connection.stream.socket().close(ignored);
    const auto [code] = co_await connection.stream.socket().async_connect(
        endpoint, asio::as_tuple(asio::use_awaitable));
    connection.deadline.Clear();
    if (!code) {
      connection.expired = HttpFailure::kNone;
      connection.stream.Prepare();
      co_return HttpFailure::kNone;
    }
    timed_out = connection.expired != HttpFailure::kNone;
    const bool cancelled = attempt.cancellation.cancelled() != asio::cancellation_type::none;
    if (connection.closing || cancelled) co_return HttpFailure::kCancelled;
    error = timed_out ? "no answer" : code.message();
  }
  attempt.text = "cannot connect to " + name + " (" + connection.peer + "): " + error;
  co_return timed_out ? attempt.kind : HttpFailure::kConnect;
}

asio::awaitable<HttpFailure> Dialer::OpenTunnel(Attempt& attempt, const Proxy& proxy) {
  const std::string name = "the proxy " + Address{proxy.host, proxy.port}.ToString();
  ByteStream& stream = attempt.connection.stream;
  const std::string request = WriteConnect(attempt.origin, user_agent_, proxy);
  std::string_view rest = request;
  while (!rest.empty()) {
    const IoResult written = stream.Write(rest);
    if (written.status == IoStatus::kOk) {
      rest.remove_prefix(written.bytes);
      continue;
    }
    if (written.status == IoStatus::kError) {
      attempt.text = name + " broke the connection off: " + stream.error();
      co_return HttpFailure::kProxy;
    }
    const HttpFailure failure =
        co_await WaitReady(attempt.connection, written.status, attempt.cancellation);
    if (failure != HttpFailure::kNone) co_return failure;
  }
  ResponseReader reader({.header_bytes = 16 << 10, .body_bytes = 0}, /*no_body=*/true);
  std::array<char, 2048> buffer;
  while (true) {
    const HttpFailure failure =
        co_await WaitReady(attempt.connection, IoStatus::kWantRead, attempt.cancellation);
    if (failure != HttpFailure::kNone) {
      attempt.text = name + " did not answer CONNECT";
      co_return failure;
    }
    const IoResult read = stream.Read(buffer.data(), buffer.size());
    if (read.status == IoStatus::kWantRead) continue;
    if (read.status != IoStatus::kOk) {
      attempt.text = name + " closed the connection instead of answering CONNECT";
      co_return HttpFailure::kProxy;
    }
    const ReadState state = reader.Feed({buffer.data(), read.bytes});
    if (state == ReadState::kNeedMore) continue;
    const int status = reader.message().status;
    // The tunnel is silent until we speak, so bytes behind the header would be of somebody else.
    if (state == ReadState::kDone && status / 100 == 2 && !reader.has_rest()) {
      co_return HttpFailure::kNone;
    }
    attempt.text = state == ReadState::kDone
                       ? name + " answered CONNECT with " + std::to_string(status)
                       : name + " does not speak HTTP: " + reader.error();
    co_return HttpFailure::kProxy;
  }
}

asio::awaitable<HttpFailure> Dialer::StartTls(Attempt& attempt) {
  ByteStream& stream = attempt.connection.stream;
  const auto context = ContextFor(attempt.origin.ca_file);
  if (!context.ok()) {
    attempt.text = Message(context.status());
    co_return HttpFailure::kTls;
  }
  stream.StartTls(*context, attempt.origin.host, SessionFor(attempt.origin));
  while (true) {
    const IoResult shaken = stream.Handshake();
    if (shaken.status == IoStatus::kOk) co_return HttpFailure::kNone;
    if (shaken.status == IoStatus::kError) {
      attempt.text = "TLS with " + attempt.origin.ToString() + ": " + stream.error();
      co_return HttpFailure::kTls;
    }
    const HttpFailure failure =
        co_await WaitReady(attempt.connection, shaken.status, attempt.cancellation);
    if (failure != HttpFailure::kNone) {
      attempt.text = attempt.origin.ToString() + " did not finish the TLS handshake";
      co_return failure;
    }
  }
}

StatusOr<SSL_CTX*> Dialer::ContextFor(const std::string& ca_file) {
  SslContext& context = contexts_[ca_file];
  if (context == nullptr) {
    CANDOR_ASSIGN_OR_RETURN(context, MakeClientContext(ca_file));
  }
  return context.get();
}

std::shared_ptr<TlsSession> Dialer::SessionFor(const Origin& origin) {
  // A name holds no line break.
  std::shared_ptr<TlsSession>& session = sessions_[origin.ToString() + '\n' + origin.ca_file];
  if (session == nullptr) session = std::make_shared<TlsSession>();
  return session;
}

}  // namespace candor::net
