// Headers of a call that no configuration may set: Candor writes them itself.
#pragma once

#include <algorithm>
#include <string_view>

namespace candor {

// Whatever the case of the letters.
inline bool IsOwnHeader(std::string_view name) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  for (const std::string_view own :
       {"host", "content-length", "content-type", "transfer-encoding", "connection",
        "accept-encoding", "proxy-authorization", "x-client-request-id"}) {
    if (std::equal(name.begin(), name.end(), own.begin(), own.end(),
                   [&](char a, char b) { return lower(a) == b; })) {
      return true;
    }
  }
  return false;
}

}  // namespace candor
