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
