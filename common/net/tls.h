// OpenSSL contexts. Internal.
#pragma once

#include "common/base/status.h"

#include <memory>
#include <string>
#include <string_view>

typedef struct ssl_ctx_st SSL_CTX;

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

// Takes OpenSSL's queue of errors and returns the reason of the last, or `otherwise`.
std::string TakeTlsError(std::string_view otherwise);

}  // namespace candor::net
