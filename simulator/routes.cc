#include "simulator/routes.h"

#include <optional>
#include <utility>

namespace candor::simulator {
namespace {

// "/a/b/c" -> "/a/b" and "c".
std::pair<std::string_view, std::string_view> SplitLast(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::optional<std::string_view> Without(std::string_view path, std::string_view end) {
  if (!path.ends_with(end)) return std::nullopt;
  return path.substr(0, path.size() - end.size());
}

// The deployment in the path of an Azure call.
std::string_view Deployment(std::string_view prefix) {
  const auto [before, name] = SplitLast(prefix);
  return before.ends_with("/deployments") ? name : std::string_view();
}

// .../models/M:generateContent and .../tunedModels/T:generateContent; the latter's model is
// "tunedModels/T".
Route FindGemini(std::string_view path) {
  constexpr std::string_view kTuned = "/tunedModels";
  const auto [before, last] = SplitLast(path);
  const auto colon = last.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view method = last.substr(colon + 1);
  if (method != "generateContent" && method != "streamGenerateContent") return {};
  Route route;
  route.endpoint = Endpoint::kCall;
  route.dialect = DialectKind::kGemini;
  route.stream = method == "streamGenerateContent";
  if (const auto prefix = Without(before, "/models")) {
    route.prefix = *prefix;
    route.model = last.substr(0, colon);
    return route;
  }
  const auto prefix = Without(before, kTuned);
  if (!prefix) return {};
  route.prefix = *prefix;
  route.model = path.substr(prefix->size() + 1, path.rfind(':') - prefix->size() - 1);
  return route;
}

// Resources with an id, and perhaps a verb: `collection` ends their parent's path.
Route FindResource(std::string_view path, std::string_view collection, DialectKind dialect,
                   Endpoint all, Endpoint one, std::string_view verb, Endpoint with_verb) {
  if (const auto prefix = Without(path, collection)) return {all, dialect, *prefix, {}, {}, false};
  const auto [before, last] = SplitLast(path);
  if (const auto prefix = Without(before, collection)) {
    return {one, dialect, *prefix, last, {}, false};
  }
  if (last != verb) return {};
  const auto [parent, id] = SplitLast(before);
  if (const auto prefix = Without(parent, collection)) {
    return {with_verb, dialect, *prefix, id, {}, false};
  }
  return {};
}

Route FindOwn(std::string_view path) {
  Route route;
  if (path == "/healthz") route.endpoint = Endpoint::kHealth;
  if (path == "/_simulator/ledger") route.endpoint = Endpoint::kLedger;
  if (path == "/_simulator/summary") route.endpoint = Endpoint::kSummary;
  if (path == "/_simulator/series") route.endpoint = Endpoint::kSeries;
  if (path == "/_simulator/limits") route.endpoint = Endpoint::kLimits;
  return route;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace

Route FindRoute(std::string_view path) {
  if (const auto prefix = Without(path, "/chat/completions")) {
    return {Endpoint::kCall, DialectKind::kChat, *prefix, {}, Deployment(*prefix), false};
  }
  if (const auto prefix = Without(path, "/responses")) {
    return {Endpoint::kCall, DialectKind::kResponses, *prefix, {}, Deployment(*prefix), false};
  }
  if (const auto prefix = Without(path, "/messages")) {
    return {Endpoint::kCall, DialectKind::kAnthropic, *prefix, {}, {}, false};
  }
  if (const Route own = FindOwn(path); own.endpoint != Endpoint::kNone) return own;
  if (const Route gemini = FindGemini(path); gemini.endpoint != Endpoint::kNone) return gemini;
  if (const auto prefix = Without(path, "/models")) {
    return {Endpoint::kModels, DialectKind::kChat, *prefix, {}, {}, false};
  }
  for (const auto& [verb, endpoint] : {std::pair{"cancel", Endpoint::kMessageBatchCancel},
                                       std::pair{"results", Endpoint::kMessageBatchResults}}) {
    const Route route =
        FindResource(path, "/messages/batches", DialectKind::kAnthropic, Endpoint::kMessageBatches,
                     Endpoint::kMessageBatch, verb, endpoint);
    if (route.endpoint != Endpoint::kNone) return route;
  }
  const Route batch = FindResource(path, "/batches", DialectKind::kChat, Endpoint::kBatches,
                                   Endpoint::kBatch, "cancel", Endpoint::kBatchCancel);
  if (batch.endpoint != Endpoint::kNone) return batch;
  return FindResource(path, "/files", DialectKind::kChat, Endpoint::kFiles, Endpoint::kFile,
                      "content", Endpoint::kFileContent);
}

std::string QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const auto equals = item.find('=');
    if (item.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? std::string() : Decode(item.substr(equals + 1));
  }
  return {};
}

}  // namespace candor::simulator
