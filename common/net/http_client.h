// HTTP/1.1 calls to model providers, from coroutines.
//
//   boost::asio::io_context io(1);
//   std::unique_ptr<HttpClient> client = MakeHttpClient(io, {.proxy =
//   ProxySettings::FromEnvironment()}); CANDOR_ASSIGN_OR_RETURN(Url url,
//   ParseUrl("https://api.example.com/v1/chat/completions")); HttpRequest request; request.origin =
//   url.origin; request.target = url.target; request.headers.Add("authorization", "Bearer " +
//   key.Reveal()); request.body = body; HttpResult result = co_await
//   client->Call(std::move(request)); if (!result.ok()) { ... result.failure, result.text,
//   result.request_bytes_written ... }
//
// A call is sent at most once: the client never repeats, also not on a connection that turned out
// to be closed, because whoever pays for calls decides about repeating. Whether a failed call may
// have reached the provider is what `request_bytes_written` tells. No redirect is followed (a 3xx
// is a result like any other), no cookie kept, and there is no switch that turns verification off.
//
// Connections are kept per origin and reused, the most recently used first; an idle one is looked
// at right before reuse, so a provider's closing it meanwhile is seen in nearly every case. Above
// `max_connections_per_origin` calls wait their turn, first come first served.
//
// Threads: none of its own. Everything happens on the executor that the client was made with, which
// must be run by one thread (or be a strand); Call must be awaited there. With several threads,
// make one client per io_context.
//
// Cancellation: by Asio's cancellation slots (co_spawn with bind_cancellation_slot, `||`,
// parallel_group). A cancelled call ends as kCancelled and closes its connection. Destroying the
// client ends the calls in flight as kCancelled.
#pragma once

#include "common/base/status.h"
#include "common/net/http_types.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace candor::net {

// Whom to call, and whom to believe. Calls to equal origins share connections.
struct Origin {
  bool https = false;
  // A name or an IP address, in lower case and without brackets.
  std::string host;
  std::uint16_t port = 0;
  // PEM file with the certificates of the authorities that are trusted for this origin, instead of
  // those of the system. Empty: those of the system.
  std::string ca_file;

  // "https://host:port"; the port is left out where it is the scheme's own.
  std::string ToString() const;
  friend bool operator==(const Origin&, const Origin&) = default;
};

struct Url {
  Origin origin;
  // Path and query, at least "/".
  std::string target;
};

// Takes an absolute http or https URL apart. InvalidArgument for anything else, for credentials in
// the URL, a fragment, and characters that must be percent-encoded. Messages show scheme and host
// only, as a query may carry a key.
StatusOr<Url> ParseUrl(std::string_view url, std::string ca_file = {});

// Zero means: no limit of that kind.
struct HttpTimeouts {
  // For name resolution, TCP, proxy and TLS together. Several addresses share it.
  std::chrono::milliseconds connect{10'000};
  // From the request's last byte to the first one of the answer, interim ones (1xx) left out; and
  // between two pieces of the request, where the peer takes it slowly.
  std::chrono::milliseconds first_byte{120'000};
  // Between two pieces of the answer's body; for its header, as a whole.
  std::chrono::milliseconds idle{60'000};
  // For the whole call, waiting for a connection included.
  std::chrono::milliseconds total{300'000};
};

struct HttpRequest {
  std::string method = "POST";
  Origin origin;
  // Path and query.
  std::string target = "/";
  // Sent as they are. Host, Content-Length, Accept-Encoding: identity, and Proxy-Authorization
  // where it applies, are the client's own and must not be among them.
  HttpHeaders headers;
  std::string body;
  HttpTimeouts timeouts;
  std::size_t max_response_body_bytes = std::size_t{16} << 20;
  std::uint32_t max_response_header_bytes = 64 << 10;
  // Takes the body of an answer of status 200 piece by piece as it comes, instead of
  // HttpResult::body, so that a body of any size costs little memory. Nothing more is read while it
  // is awaited, and no timeout runs but `total`. False ends the call as kCancelled. What comes as
  // gzip is inflated on the way; max_response_body_bytes bounds both. The body of another status is
  // read as ever, up to 1 MB.
  std::function<boost::asio::awaitable<bool>(std::string_view piece)> take_body;
};

enum class HttpFailure {
  kNone = 0,
  // The request cannot be written: a line break in a header, a forbidden header.
  kInvalidRequest,
  // The host name has no address.
  kResolve,
  // No address accepted the connection.
  kConnect,
  // Handshake or certificate.
  kTls,
  // The proxy refused or did not understand CONNECT.
  kProxy,
  kConnectTimeout,
  kFirstByteTimeout,
  kIdleTimeout,
  kTotalTimeout,
  // Closed or reset before the first byte of an answer.
  kReset,
  // Closed or reset within an answer.
  kTruncated,
  // The answer is not HTTP/1, or its body is compressed in a way that is not read.
  kMalformed,
  // Header or body of the answer is above its limit, the body also once it is inflated.
  kTooLarge,
  kCancelled,
};
// "RESET", "FIRST_BYTE_TIMEOUT", ...
std::string_view ToString(HttpFailure failure);

struct HttpResult {
  // Whether a complete answer came, of whatever status.
  bool ok() const { return failure == HttpFailure::kNone; }

  HttpFailure failure = HttpFailure::kNone;
  // For people: what happened, with which host and address. Holds no header, target or body.
  std::string text;
  // Whether any byte of the request was handed to the system. False: the provider has certainly not
  // seen the call. True and not ok(): nobody knows.
  bool request_bytes_written = false;
  // Whether the connection had carried another call before.
  bool connection_reused = false;
  // From the beginning of the call to the first byte of the answer; absent when none came.
  std::optional<std::chrono::microseconds> first_byte;

  // The answer, when ok(); a body that came compressed (nobody asked for it) is inflated. For
  // failures after the header: status and headers too.
  int status = 0;
  HttpHeaders headers;
  std::string body;
};

// The proxies of the environment. An entry of `no_proxy` is "*", a host, ".suffix" or "suffix" (the
// name itself and all names below it), an IP address, or one of these with ":port".
struct ProxySettings {
  // "http://[user:password@]host:port", or empty for none.
  std::string http_proxy;
  std::string https_proxy;
  std::vector<std::string> no_proxy;

  // From https_proxy, HTTPS_PROXY, http_proxy, no_proxy, NO_PROXY; lower case wins. HTTP_PROXY is
  // not read (a CGI client can set it through a "Proxy:" header), as in curl.
  static ProxySettings FromEnvironment();
  // The URL of the proxy to take to `origin`; empty for a direct connection.
  std::string_view For(const Origin& origin) const;
};

struct HttpClientOptions {
  ProxySettings proxy;
  std::size_t max_connections_per_origin = 10'000;
  // How long a connection is kept without a call.
  std::chrono::milliseconds idle_connection_timeout{30'000};
  // How long the addresses of a name are kept.
  std::chrono::milliseconds dns_cache_time{30'000};
  std::string user_agent = "candor";
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Makes one call. Never throws; any number may be pending.
  virtual boost::asio::awaitable<HttpResult> Call(HttpRequest request) = 0;
};

// `executor` (or the executor of `io`) is the client's; see above about threads.
std::unique_ptr<HttpClient> MakeHttpClient(boost::asio::any_io_executor executor,
                                           HttpClientOptions options = {});
std::unique_ptr<HttpClient> MakeHttpClient(boost::asio::io_context& io,
                                           HttpClientOptions options = {});

}  // namespace candor::net
