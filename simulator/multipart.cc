#include "simulator/multipart.h"

#include "common/net/http_types.h"

#include <utility>

namespace candor::simulator {
namespace {

// The value of `name` among the parameters of a header: name="value" or name=value.
std::string Parameter(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const auto semicolon = header.find(';');
    std::string_view item = header.substr(0, semicolon);
    header.remove_prefix(semicolon == std::string_view::npos ? header.size() : semicolon + 1);
    while (item.starts_with(' ')) item.remove_prefix(1);
    const auto equals = item.find('=');
    if (equals == std::string_view::npos || !net::EqualIgnoringCase(item.substr(0, equals), name)) {
      continue;
    }
    item.remove_prefix(equals + 1);
    if (item.size() >= 2 && item.starts_with('"') && item.ends_with('"')) {
      item = item.substr(1, item.size() - 2);
    }
    return std::string(item);
  }
  return {};
}

FormPart ReadHeader(std::string_view header) {
  FormPart part;
  while (!header.empty()) {
    const auto end = header.find("\r\n");
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos ||
        !net::EqualIgnoringCase(line.substr(0, colon), "content-disposition")) {
      continue;
    }
    part.name = Parameter(line.substr(colon + 1), "name");
    part.filename = Parameter(line.substr(colon + 1), "filename");
  }
  return part;
}

}  // namespace

std::optional<std::vector<FormPart>> ReadMultipart(std::string_view content_type,
                                                   std::string_view body) {
  const std::string boundary = Parameter(content_type, "boundary");
  if (!content_type.starts_with("multipart/form-data") || boundary.empty()) return std::nullopt;
  const std::string open = "--" + boundary;
  const std::string next = "\r\n--" + boundary;
  std::vector<FormPart> parts;
  const auto first = body.find(open);
  if (first == std::string_view::npos) return std::nullopt;
  body.remove_prefix(first + open.size());
  while (body.starts_with("\r\n")) {
    body.remove_prefix(2);
    const auto header_end = body.find("\r\n\r\n");
    if (header_end == std::string_view::npos) return std::nullopt;
    FormPart part = ReadHeader(body.substr(0, header_end));
    body.remove_prefix(header_end + 4);
    const auto end = body.find(next);
    if (end == std::string_view::npos) return std::nullopt;
    part.content = body.substr(0, end);
    body.remove_prefix(end + next.size());
    parts.push_back(std::move(part));
  }
  if (!body.starts_with("--")) return std::nullopt;
  return parts;
}

}  // namespace candor::simulator
