// A connected socket, plain or TLS, behind the same non-blocking reads and writes. Internal.
//
// The functions never wait: they say what to wait for, and the caller waits with
// socket().async_wait. TLS works on the socket itself (no pair of memory buffers as in asio's
// ssl::stream), which halves the memory of a connection.
#pragma once

#include "common/net/tls.h"

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace candor::net {

enum class IoStatus {
  kOk,
  kWantRead,
  kWantWrite,
  // The peer ended the stream in order.
  kEof,
  // Reset, or not TLS, or ended without TLS's own goodbye: error() tells.
  kError,
};
struct IoResult {
  IoStatus status;
  std::size_t bytes = 0;
};

class ByteStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  explicit ByteStream(Socket socket) : socket_(std::move(socket)) {}
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  Socket& socket() { return socket_; }
  // Once the socket is connected: non-blocking, and small packets at once.
  void Prepare();

  // From here on, TLS. For a client, `host` is the name (or IP address) that the certificate must
  // carry, and `session` (may be null) what is resumed and kept; for a server both are empty.
  void StartTls(SSL_CTX* context, const std::string& host,
                std::shared_ptr<TlsSession> session = nullptr);
  IoResult Handshake();
  bool tls() const { return tls_ != nullptr; }
  // After the handshake: whether it went on from an earlier connection.
  bool resumed() const;

  IoResult Read(char* data, std::size_t size);
  // Takes from both as much as goes, in order.
  IoResult Write(std::string_view first, std::string_view second = {});
  // True when a Read may return something although the socket is not readable.
  bool HasBuffered() const;
  // Looks whether the stream is open with nothing to read, without taking anything: kWantRead. kOk:
  // there is something to read.
  IoResult Peek();

  // Bytes handed to the system so far.
  std::uint64_t bytes_written() const;
  const std::string& error() const { return error_; }

  void Close();
  // With a TCP reset.
  void Abort();

 private:
  struct Tls;
  struct TlsDeleter {
    void operator()(Tls* tls) const;
  };
  IoResult FromErrno(std::string_view what);
  IoResult FromTls(int result, std::string_view what);

  Socket socket_;
  std::unique_ptr<Tls, TlsDeleter> tls_;
  std::uint64_t bytes_written_ = 0;
  std::string error_;
};

}  // namespace candor::net
