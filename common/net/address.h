// Network addresses as people write them: "127.0.0.1:7070", "[::1]:0", "localhost:7071", ":7070".
//
//   CANDOR_ASSIGN_OR_RETURN(net::Address address, net::ParseAddress(config.listen()));
//   if (!net::IsLoopback(address)) RequireAuthentication();
#pragma once

#include "common/base/status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace candor::net {

struct Address {
  // A name or an IP address, without brackets. Empty: every interface.
  std::string host;
  // 0 lets the system choose, when listening.
  std::uint16_t port = 0;

  // "host:port", with brackets around an IPv6 address.
  std::string ToString() const;
  friend bool operator==(const Address&, const Address&) = default;
};

// InvalidArgument when `text` is not "host:port"; the message says what would be.
StatusOr<Address> ParseAddress(std::string_view text);

// True for "localhost", 127.0.0.0/8 and ::1, by the text alone: no name is resolved.
bool IsLoopback(const Address& address);

}  // namespace candor::net
