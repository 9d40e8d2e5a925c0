#include "common/net/address.h"
#include "common/net/http_client.h"

#include <absl/strings/ascii.h>

#include <cstdlib>

namespace candor::net {
namespace {

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.size() < prefix.size() || !EqualIgnoringCase(text.substr(0, prefix.size()), prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  return lower;
}

std::string_view Trim(std::string_view text) {
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

// Whether one entry of a NO_PROXY list names `origin`.
bool Excludes(std::string_view entry, const Origin& origin) {
  if (entry == "*") return true;
  // "[::1]:80", "host:80" and a bare IPv6 address, which has several colons and no brackets.
  const auto colon = entry.rfind(':');
  const bool has_port =
      colon != std::string_view::npos &&
      (entry.starts_with('[') ? entry[colon - 1] == ']' : entry.find(':') == colon);
  if (has_port) {
    if (entry.substr(colon + 1) != std::to_string(origin.port)) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  const bool leading_dot = entry.starts_with('.');
  if (leading_dot) entry.remove_prefix(1);
  if (entry.empty()) return false;
  if (EqualIgnoringCase(entry, origin.host)) return true;
  return origin.host.size() > entry.size() &&
         origin.host[origin.host.size() - entry.size() - 1] == '.' &&
         EqualIgnoringCase(std::string_view(origin.host).substr(origin.host.size() - entry.size()),
                           entry);
}

std::string Environment(const char* lower, const char* upper) {
  const char* value = std::getenv(lower);
  if (value == nullptr && upper != nullptr) value = std::getenv(upper);
  return value == nullptr ? std::string() : std::string(Trim(value));
}

}  // namespace

std::string Origin::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  std::string text =
      fmt::format("{}://{}{}{}", https ? "https" : "http", v6 ? "[" : "", host, v6 ? "]" : "");
  if (port != (https ? 443 : 80)) text += fmt::format(":{}", port);
  return text;
}

StatusOr<Url> ParseUrl(std::string_view text, std::string ca_file) {
  Url url;
  std::string_view rest = text;
  if (TakePrefix(rest, "https://")) {
    url.origin.https = true;
  } else if (!TakePrefix(rest, "http://")) {
    return InvalidArgument(
        "the URL '{}' does not begin with http:// or https://; give an absolute one",
        text.substr(0, text.find_first_of("?@#")));
  }
  const std::string_view scheme = url.origin.https ? "https" : "http";
  const auto end = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos) {
    return InvalidArgument(
        "the {} URL holds credentials before '@'; leave them out, keys belong into headers",
        scheme);
  }
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  std::string with_port(authority);
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    with_port += url.origin.https ? ":443" : ":80";
  }
  auto address = ParseAddress(with_port);
  if (!address.ok() || address->host.empty() || address->port == 0) {
    return InvalidArgument("'{}://{}' has no host that could be called; give {}://host[:port]/path",
                           scheme, authority, scheme);
  }
  url.origin.host = Lower(address->host);
  url.origin.port = address->port;
  url.origin.ca_file = std::move(ca_file);
  if (end != std::string_view::npos) url.target = rest.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  for (const char c : url.target) {
    if (c == '#' || static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f) {
      return InvalidArgument(
          "the path of a URL at {} holds a '#', a space, a control character or a letter outside "
          "ASCII; percent-encode it",
          url.origin.ToString());
    }
  }
  return url;
}

ProxySettings ProxySettings::FromEnvironment() {
  ProxySettings settings;
  settings.http_proxy = Environment("http_proxy", nullptr);
  settings.https_proxy = Environment("https_proxy", "HTTPS_PROXY");
  const std::string list = Environment("no_proxy", "NO_PROXY");
  std::string_view rest = list;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view entry = Trim(rest.substr(0, comma));
    if (!entry.empty()) settings.no_proxy.emplace_back(entry);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return settings;
}

std::string_view ProxySettings::For(const Origin& origin) const {
  const std::string& proxy = origin.https ? https_proxy : http_proxy;
  if (proxy.empty()) return {};
  for (const std::string& entry : no_proxy) {
    if (Excludes(entry, origin)) return {};
  }
  return proxy;
}

std::string_view ToString(HttpFailure failure) {
  switch (failure) {
    case HttpFailure::kNone:
      return "NONE";
    case HttpFailure::kInvalidRequest:
      return "INVALID_REQUEST";
    case HttpFailure::kResolve:
      return "RESOLVE";
    case HttpFailure::kConnect:
      return "CONNECT";
    case HttpFailure::kTls:
      return "TLS";
    case HttpFailure::kProxy:
      return "PROXY";
    case HttpFailure::kConnectTimeout:
      return "CONNECT_TIMEOUT";
    case HttpFailure::kFirstByteTimeout:
      return "FIRST_BYTE_TIMEOUT";
    case HttpFailure::kIdleTimeout:
      return "IDLE_TIMEOUT";
    case HttpFailure::kTotalTimeout:
      return "TOTAL_TIMEOUT";
    case HttpFailure::kReset:
      return "RESET";
    case HttpFailure::kTruncated:
      return "TRUNCATED";
    case HttpFailure::kMalformed:
      return "MALFORMED";
    case HttpFailure::kTooLarge:
      return "TOO_LARGE";
    case HttpFailure::kCancelled:
      return "CANCELLED";
  }
  return "UNKNOWN";
}

}  // namespace candor::net
