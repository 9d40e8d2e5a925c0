// HttpRequest -> bytes. Internal.
#pragma once

#include "common/net/http_client.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace candor::net {

// A proxy, as its URL says.
struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  // Value of Proxy-Authorization, or empty.
  std::string authorization;
};
// "http://[user:password@]host:port", also without "http://". Messages never show credentials.
StatusOr<Proxy> ParseProxy(std::string_view url);

// Header and body. With `proxy` (plain http only) in absolute form. InvalidArgument for what cannot
// or must not be written; the message names the header, never its value.
StatusOr<std::string> WriteRequest(const HttpRequest& request, std::string_view user_agent,
                                   const Proxy* proxy);
// CONNECT, to have `proxy` open a tunnel to `origin`.
std::string WriteConnect(const Origin& origin, std::string_view user_agent, const Proxy& proxy);

}  // namespace candor::net
