#include "common/net/address.h"

#include "common/net/http_types.h"

#include <fmt/format.h>

#include <arpa/inet.h>

#include <charconv>

namespace candor::net {
namespace {

Status BadAddress(std::string_view text, std::string_view why) {
  return InvalidArgument(
      "'{}' is no address: {}; give host:port, as 127.0.0.1:7070 or [::1]:7070, with port 0 for a "
      "free one",
      text, why);
}

}  // namespace

std::string Address::ToString() const {
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

StatusOr<Address> ParseAddress(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return BadAddress(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return BadAddress(text, "a bracket is open");
    host = host.substr(1, host.size() - 2);
    in6_addr ignored;
    if (inet_pton(AF_INET6, std::string(host).c_str(), &ignored) != 1) {
      return BadAddress(text, "there is no IPv6 address in the brackets");
    }
  } else if (host.find(':') != std::string_view::npos) {
    return BadAddress(text, "an IPv6 address stands in brackets");
  }
  for (const char c : host) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '/' || c == '@' || c == 0x7f) {
      return BadAddress(text, "the host holds a character that no host name has");
    }
  }
  unsigned value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (error != std::errc() || end != port.data() + port.size() || value > 65535) {
    return BadAddress(text, "the port is no number from 0 to 65535");
  }
  return Address{std::string(host), static_cast<std::uint16_t>(value)};
}

bool IsLoopback(const Address& address) {
  if (EqualIgnoringCase(address.host, "localhost")) return true;
  in_addr v4;
  if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6;
  return inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace candor::net
