// OpenSSL contexts. Internal.
#pragma once

#include "common/base/status.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;

namespace candor::net {

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const;
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextDeleter>;

// TLS 1.2 and up, peers verified against the authorities in `ca_file`, or against those of the
// system when it is empty.
StatusOr<SslContext> MakeClientContext(const std::string& ca_file);
StatusOr<SslContext> MakeServerContext(const std::string& certificate_file,
                                       const std::string& key_file);

// What the last connection to one server left behind, so that the next one need not begin from
// nothing: a resumed handshake verifies no certificates and holds no copy of them. The server is
// the one that was verified, so there is one of these for each (name, port, authorities).
//
// An hour after the last handshake with certificates the next one shows them again: one that has
// run out or was replaced is to be noticed.
class TlsSession {
 public:
  TlsSession() = default;
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Before the handshake of a client: has it resume, and keep what the server gives for the next.
  // The session must live as long as `ssl`.
  void Attach(SSL* ssl);
  // After it, when it succeeded, and when it did not: the next one begins from nothing.
  void Finished(SSL* ssl);
  void Failed();

 private:
  friend int KeepTlsSession(SSL* ssl, SSL_SESSION* session);

  SSL_SESSION* last_ = nullptr;
  std::chrono::steady_clock::time_point verified_{};
};

// Takes OpenSSL's queue of errors and returns the reason of the last, or `otherwise`.
std::string TakeTlsError(std::string_view otherwise);

}  // namespace candor::net
