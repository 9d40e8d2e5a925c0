#include "common/net/request_writer.h"

#include "common/net/address.h"

#include <absl/strings/escaping.h>

#include <array>
#include <charconv>

namespace candor::net {
namespace {

bool IsToken(std::string_view text) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const bool letter_or_digit =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter_or_digit && kPunctuation.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

bool IsFieldValue(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\t') || byte == 0x7f) return false;
  }
  return true;
}

bool IsTarget(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '#') return false;
  }
  return text.starts_with('/');
}

// They decide where a message ends and who it is for, so they have one author.
bool IsOurs(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames = {
      "host", "content-length", "transfer-encoding",  "connection", "accept-encoding", "expect",
      "te",   "upgrade",        "proxy-authorization"};
  for (const std::string_view ours : kNames) {
    if (EqualIgnoringCase(name, ours)) return true;
  }
  return false;
}

void AppendAuthority(std::string& text, const Origin& origin, bool always_port) {
  const bool v6 = origin.host.find(':') != std::string::npos;
  if (v6) text += '[';
  text += origin.host;
  if (v6) text += ']';
  if (always_port || origin.port != (origin.https ? 443 : 80)) {
    text += ':';
    text += std::to_string(origin.port);
  }
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, value, 16).ptr == &text[i + 1] + 2) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

void AppendField(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

StatusOr<Proxy> ParseProxy(std::string_view url) {
  std::string_view rest = url;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
    if (!EqualIgnoringCase(rest.substr(0, scheme), "http")) {
      return InvalidArgument(
          "the proxy is given as {}://...; only http:// proxies are spoken to, give "
          "http://host:port",
          rest.substr(0, scheme));
    }
    rest.remove_prefix(scheme + 3);
  }
  rest = rest.substr(0, rest.find('/'));
  Proxy proxy;
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    proxy.authorization = "Basic " + absl::Base64Escape(ToAbsl(PercentDecode(rest.substr(0, at))));
    rest.remove_prefix(at + 1);
  }
  const bool has_port = rest.rfind(':') != std::string_view::npos && !rest.ends_with(']');
  auto address = ParseAddress(has_port ? std::string(rest) : std::string(rest) + ":80");
  if (!address.ok() || address->host.empty() || address->port == 0) {
    return InvalidArgument("the proxy '{}' has no host and port; give http://host:port", rest);
  }
  proxy.host = address->host;
  proxy.port = address->port;
  return proxy;
}

StatusOr<std::string> WriteRequest(const HttpRequest& request, std::string_view user_agent,
                                   const Proxy* proxy) {
  if (!IsToken(request.method)) return InvalidArgument("the method is no HTTP method");
  if (!IsTarget(request.target)) {
    return InvalidArgument(
        "the target does not begin with '/' or holds a '#', a space, a control character or a "
        "letter outside ASCII; percent-encode it");
  }
  bool has_user_agent = false;
  std::size_t size = 256 + request.target.size() + request.body.size();
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const std::string_view name = request.headers.name(i);
    if (!IsToken(name)) return InvalidArgument("a header name is no HTTP token");
    if (!IsFieldValue(request.headers.value(i))) {
      return InvalidArgument("the value of header '{}' holds a line break or a control character",
                             name);
    }
    if (IsOurs(name)) return InvalidArgument("header '{}' is written by the client itself", name);
    has_user_agent = has_user_agent || EqualIgnoringCase(name, "user-agent");
    size += name.size() + request.headers.value(i).size() + 4;
  }
  std::string text;
  text.reserve(size);
  text.append(request.method).append(" ");
  if (proxy != nullptr) {
    text += "http://";
    AppendAuthority(text, request.origin, false);
  }
  text.append(request.target).append(" HTTP/1.1\r\nHost: ");
  AppendAuthority(text, request.origin, false);
  text += "\r\nAccept-Encoding: identity\r\n";
  if (!has_user_agent && !user_agent.empty()) AppendField(text, "User-Agent", user_agent);
  if (proxy != nullptr && !proxy->authorization.empty()) {
    AppendField(text, "Proxy-Authorization", proxy->authorization);
  }
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    AppendField(text, request.headers.name(i), request.headers.value(i));
  }
  const bool bodiless = request.method == "GET" || request.method == "HEAD" ||
                        request.method == "DELETE" || request.method == "OPTIONS";
  if (!request.body.empty() || !bodiless) {
    text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  return text.append("\r\n").append(request.body);
}

std::string WriteConnect(const Origin& origin, std::string_view user_agent, const Proxy& proxy) {
  std::string authority;
  AppendAuthority(authority, origin, true);
  std::string text = "CONNECT " + authority + " HTTP/1.1\r\n";
  AppendField(text, "Host", authority);
  if (!user_agent.empty()) AppendField(text, "User-Agent", user_agent);
  if (!proxy.authorization.empty()) AppendField(text, "Proxy-Authorization", proxy.authorization);
  return text.append("\r\n");
}

}  // namespace candor::net
