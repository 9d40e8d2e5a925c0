// A small HTTP/1.1 server to embed: the simulator, health and metrics.
//
//   boost::asio::io_context io(1);
//   CANDOR_ASSIGN_OR_RETURN(
//       auto server,
//       HttpServer::Create(io, {.listen = "127.0.0.1:0"},
//                          [](const HttpServerRequest& request, Responder responder) {
//                            if (request.path == "/healthz") {
//                              responder.Send(200, "text/plain", "ok\n");
//                            } else {
//                              responder.Send(404, "text/plain", "no such page\n");
//                            }
//                          }));
//   fmt::print("listening on {}\n", server->address());
//   io.run();
//
// The handler may answer at once or keep the Responder and answer later, from any thread. A
// connection carries one request at a time (pipelined ones wait), and each response is one write.
//
// Threads: none of its own. Each io_context must be run by exactly one thread; a connection lives
// on one of them, taken in turn, and its handler calls run there, so handlers of different
// io_contexts run concurrently. A handler must not block and must not throw.
#pragma once

#include "common/base/status.h"
#include "common/net/http_types.h"

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace candor::net {

class ServerConnection;

// Lives, unchanged, until its Responder is used or destroyed; take copies of what is needed later.
struct HttpServerRequest {
  std::string_view method;
  // As sent: path and query.
  std::string_view target;
  // The target up to "?", not decoded.
  std::string_view path;
  // What follows "?", not decoded; empty without one.
  std::string_view query;
  HttpHeaders headers;
  // Whole; chunked bodies are put together.
  std::string body;
};

struct HttpServerResponse {
  int status = 200;
  std::string content_type = "application/json";
  // Beside Content-Type, Content-Length and Connection, which are the server's own. Must not hold
  // line breaks: fields that do are left out.
  HttpHeaders headers;
  std::string body;
};

// Writes a response of unknown length, piece by piece (chunked): server-sent events, long listings.
// Movable; its functions may be called from any thread, one at a time. Destroying it without Finish
// cuts the response off, so that the peer does not take it for whole.
class StreamWriter {
 public:
  StreamWriter() = default;
  explicit StreamWriter(std::shared_ptr<ServerConnection> connection);
  StreamWriter(StreamWriter&&) noexcept = default;
  StreamWriter& operator=(StreamWriter&& other) noexcept;
  ~StreamWriter();

  // Queues a piece. False when the peer has gone: nothing more can be sent.
  bool Write(std::string piece);
  // Bytes queued and not yet taken by the system. Whoever writes much stops above a limit of his
  // own and goes on in `callback` of OnDrained.
  std::size_t queued_bytes() const;
  // Posts `callback` once to the connection's io_context, as soon as nothing is queued or the peer
  // has gone, also when that is so already.
  void OnDrained(absl::AnyInvocable<void()> callback);
  // Ends the response.
  void Finish();
  // True once the peer has gone.
  bool closed() const;

 private:
  std::shared_ptr<ServerConnection> connection_;
};

// The right and the duty to answer one request: exactly one of its functions is to be called, from
// any thread. Destroyed unused, it answers 500, so that a forgotten request does not hang.
class Responder {
 public:
  Responder() = default;
  explicit Responder(std::shared_ptr<ServerConnection> connection);
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  void Send(HttpServerResponse response);
  // The quick form. `content_type` is copied.
  void Send(int status, std::string_view content_type, std::string body);
  // Promises the whole body, sends the first `body_bytes_sent` of it and closes.
  void SendTruncated(HttpServerResponse response, std::size_t body_bytes_sent);
  // Drops the connection with a TCP reset.
  void Reset();
  // Never answers. The connection is closed when the peer closes it or the server stops.
  void Ignore();
  // Sends the header (Transfer-Encoding: chunked) and returns the writer for the body. The body of
  // `response`, when there is one, is its first piece.
  StreamWriter StartStream(HttpServerResponse response);
  // Sends nothing by itself: what is written is the response, byte for byte from its status line
  // on, and its end is that of the connection. For servers that misbehave on purpose.
  StreamWriter StartRaw();

 private:
  std::shared_ptr<ServerConnection> connection_;
};

struct HttpServerOptions {
  // "host:port"; port 0 picks a free one.
  std::string listen = "127.0.0.1:0";
  std::uint32_t max_header_bytes = 64 << 10;
  std::size_t max_body_bytes = std::size_t{16} << 20;
  // Further ones get 503 and are closed.
  std::size_t max_connections = 20'000;
  // How long a connection may be without a request, and a request body without a byte.
  std::chrono::milliseconds idle_timeout{75'000};
  // From the first byte of a request to the end of its header, TLS handshake likewise.
  std::chrono::milliseconds header_timeout{10'000};
  // PEM files; both or none. With them the server speaks TLS (1.2 and up) only.
  std::string certificate_file;
  std::string key_file;
};

class HttpServer {
 public:
  // Called on the connection's thread.
  using Handler = absl::AnyInvocable<void(const HttpServerRequest&, Responder) const>;

  // Listens at once and serves as soon as the io_contexts run. InvalidArgument for an address that
  // is none, Unavailable for one that cannot be bound (the message names address and reason),
  // FailedPrecondition for certificate or key files that cannot be used.
  static StatusOr<std::unique_ptr<HttpServer>> Create(boost::asio::io_context& io,
                                                      HttpServerOptions options, Handler handler);
  // The first io_context accepts; all of them serve. They must outlive the server, and the others
  // need a work guard, as they have nothing to do until a connection is given to them.
  static StatusOr<std::unique_ptr<HttpServer>> Create(std::vector<boost::asio::io_context*> ios,
                                                      HttpServerOptions options, Handler handler);

  // Closes what is left. The handler may still be running on another thread: to be sure that it is
  // not, wait for `done` of Stop, or let the io_contexts end first.
  virtual ~HttpServer() = default;

  virtual std::uint16_t port() const = 0;
  // "host:port", as bound.
  virtual std::string address() const = 0;
  // Stops listening, closes idle connections, lets pending requests be answered for up to `grace`,
  // closes the rest, then calls `done` (which may be empty) on the first io_context. May be called
  // from any thread, once.
  virtual void Stop(std::chrono::milliseconds grace, absl::AnyInvocable<void()> done) = 0;
  // Connections open now. Any thread.
  virtual std::size_t connections() const = 0;
};

}  // namespace candor::net
