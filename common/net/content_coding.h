// Bodies that come compressed although nobody asked for it. Internal.
//
// Requests say `Accept-Encoding: identity`, and proxies exist that compress all the same. The reply
// is paid for, so it is read; but never into more memory than an answer may take anyway.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace candor::net {

enum class DecodeStatus {
  kOk,
  // Not what it says it is, or cut short.
  kDamaged,
  // Above `max_bytes`.
  kTooLarge,
  // A coding that is not read: br, zstd, several at once.
  kUnknown,
};

// Undoes `coding`, the value of Content-Encoding: "identity" (and an absent one) changes nothing;
// "gzip", "x-gzip" and "deflate" are inflated in place. `body` is unspecified unless kOk.
DecodeStatus DecodeBody(std::string_view coding, std::size_t max_bytes, std::string* body);

}  // namespace candor::net
