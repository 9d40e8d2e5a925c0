#include "common/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <utility>

namespace candor::net {
namespace {

SslContext NewContext(const SSL_METHOD* method) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(method));
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Buffers of an idle connection are given back; one read takes several records.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

}  // namespace

// OpenSSL's callback for what a server gives to be resumed by. 1: it is ours now.
int KeepTlsSession(SSL* ssl, SSL_SESSION* session) {
  auto* keeper = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  if (keeper == nullptr) return 0;
  SSL_SESSION_free(keeper->last_);
  keeper->last_ = session;
  return 1;
}

TlsSession::~TlsSession() { SSL_SESSION_free(last_); }

void TlsSession::Attach(SSL* ssl) {
  constexpr std::chrono::hours kBelieved{1};
  SSL_set_app_data(ssl, this);
  if (last_ != nullptr && std::chrono::steady_clock::now() - verified_ < kBelieved) {
    SSL_set_session(ssl, last_);
  }
}

void TlsSession::Finished(SSL* ssl) {
  if (SSL_session_reused(ssl) == 0) verified_ = std::chrono::steady_clock::now();
}

void TlsSession::Failed() {
  SSL_SESSION_free(last_);
  last_ = nullptr;
}

void SslContextDeleter::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

std::string TakeTlsError(std::string_view otherwise) {
  std::string text(otherwise);
  while (const unsigned long code = ERR_get_error()) {
    if (const char* reason = ERR_reason_error_string(code)) text = reason;
  }
  return text;
}

StatusOr<SslContext> MakeClientContext(const std::string& ca_file) {
  SslContext context = NewContext(TLS_client_method());
  if (context == nullptr) return Internal("TLS: {}", TakeTlsError("no context"));
  if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) != 1) {
    return FailedPrecondition(
        "the CA file '{}' cannot be used: {}; give a PEM file with the authority's certificate",
        ca_file, TakeTlsError("unreadable"));
  }
  ERR_clear_error();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // Each connection tells its TlsSession; OpenSSL's own store knows no names.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), KeepTlsSession);
  static constexpr unsigned char kProtocols[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context.get(), kProtocols, sizeof(kProtocols));
  return context;
}

StatusOr<SslContext> MakeServerContext(const std::string& certificate_file,
                                       const std::string& key_file) {
  SslContext context = NewContext(TLS_server_method());
  if (context == nullptr) return Internal("TLS: {}", TakeTlsError("no context"));
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return FailedPrecondition("the certificate file '{}' cannot be used: {}; give a PEM file",
                              certificate_file, TakeTlsError("unreadable"));
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return FailedPrecondition(
        "the key file '{}' cannot be used: {}; give the PEM file with the key of '{}'", key_file,
        TakeTlsError("unreadable"), certificate_file);
  }
  return context;
}

}  // namespace candor::net
