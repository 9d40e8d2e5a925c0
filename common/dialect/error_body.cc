#include "common/dialect/error_body.h"

#include "common/dialect/error.h"
#include "common/dialect/parse.h"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace candor::dialect {
namespace {

using boost::json::value;

void AddWord(std::string_view word, ErrorBody* body) {
  if (word.empty() || word.size() > 200) return;
  body->words += AsciiLower(word);
  body->words += '\n';
}

// A code may be a word, a number, or a number in quotes (vLLM, Gemini and gateways send statuses).
void AddCode(const value* code, ErrorBody* body) {
  if (code == nullptr) return;
  if (code->is_int64() || code->is_uint64()) {
    const auto number = code->is_int64() ? code->get_int64() : std::int64_t{0};
    if (number >= 300 && number <= 599) body->status = static_cast<int>(number);
  } else if (code->is_string()) {
    const std::string_view text(code->get_string().data(), code->get_string().size());
    if (text.size() == 3 && text.find_first_not_of("0123456789") == std::string_view::npos) {
      const int number = std::atoi(std::string(text).c_str());
      if (number >= 300 && number <= 599) body->status = number;
    } else {
      AddWord(text, body);
    }
  }
}

void SetParameter(std::string_view name, ErrorBody* body) {
  if (body->parameter.empty() && name.size() <= 200) body->parameter = name;
}

// google.rpc details: QuotaFailure, RetryInfo, ErrorInfo, BadRequest.
void ReadDetail(const value& item, ErrorBody* body) {
  const std::string_view type = TextMember(item, "@type");
  const auto items_of = [&](std::string_view name) {
    const value* items = Member(item, name);
    return items == nullptr ? nullptr : items->if_array();
  };
  if (type.ends_with("google.rpc.RetryInfo")) {
    body->retry_delay = TextMember(item, "retryDelay");
  } else if (type.ends_with("google.rpc.ErrorInfo")) {
    AddWord(TextMember(item, "reason"), body);
  } else if (type.ends_with("google.rpc.QuotaFailure")) {
    const boost::json::array* violations = items_of("violations");
    if (violations == nullptr) return;
    for (const value& violation : *violations) {
      body->quota_failure = true;
      const std::string_view id = TextMember(violation, "quotaId");
      if (id.find("PerDay") != std::string_view::npos) body->daily_quota = true;
      if (TextMember(violation, "quotaValue") == "0") body->zero_quota = true;
    }
  } else if (type.ends_with("google.rpc.BadRequest")) {
    const boost::json::array* violations = items_of("fieldViolations");
    if (violations == nullptr) return;
    for (const value& violation : *violations) SetParameter(TextMember(violation, "field"), body);
  }
}

// OpenRouter: the upstream's own text, why a prompt was refused, and its limit headers.
void ReadMetadata(const value& metadata, ErrorBody* body) {
  const std::string_view raw = TextMember(metadata, "raw");
  if (!raw.empty()) body->message.append(": ").append(raw);
  if (Member(metadata, "flagged_input") != nullptr) body->flagged_input = true;
  if (const value* headers = Member(metadata, "headers")) {
    body->reset = TextMember(*headers, "X-RateLimit-Reset");
  }
}

// Anthropic begins with the path of what is wrong: "max_tokens: 99999 > 8192, which is ...",
// "output_config.format.schema: ...".
void ReadPathInMessage(ErrorBody* body) {
  const auto colon = body->message.find(": ");
  if (colon == std::string::npos || colon == 0 || colon > 100) return;
  const std::string_view path = std::string_view(body->message).substr(0, colon);
  // "error: ..." is no path.
  static constexpr std::array<std::string_view, 8> kWords = {
      "temperature", "system", "messages", "model", "thinking", "stream", "seed", "metadata"};
  const bool is_path = path.find_first_of("._[") != std::string_view::npos ||
                       std::find(kWords.begin(), kWords.end(), path) != kWords.end();
  if (is_path && path.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789.[]") ==
                     std::string_view::npos) {
    SetParameter(path, body);
  }
}

void ReadErrorObject(const value& error, ErrorBody* body) {
  body->found = true;
  AddCode(Member(error, "code"), body);
  AddCode(Member(error, "status"), body);
  AddWord(TextMember(error, "type"), body);
  std::string_view message = TextMember(error, "message");
  if (message.empty()) message = TextMember(error, "msg");
  if (message.empty()) message = TextMember(error, "detail");
  if (body->message.empty()) body->message = message;
  SetParameter(TextMember(error, "param"), body);
  if (const value* details = Member(error, "details"); details != nullptr && details->is_array()) {
    for (const value& item : details->get_array()) ReadDetail(item, body);
  }
  // Azure's content filter and others put the reason one level deeper.
  if (const value* inner = Member(error, "innererror")) AddCode(Member(*inner, "code"), body);
  if (const value* metadata = Member(error, "metadata")) ReadMetadata(*metadata, body);
  ReadPathInMessage(body);
  if (body->message.empty()) body->message = boost::json::serialize(error);
}

// FastAPI: {"detail": "..."} or {"detail": [{"type": "...", "loc": ["body", "seed"], "msg":
// "..."}]}.
void ReadFastApi(const value& detail, ErrorBody* body) {
  body->found = true;
  if (const boost::json::array* items = detail.if_array(); items != nullptr && !items->empty()) {
    AddWord(TextMember(items->front(), "type"), body);
    const value* loc = Member(items->front(), "loc");
    if (loc != nullptr && loc->is_array() && loc->get_array().size() >= 2 &&
        loc->get_array()[1].is_string()) {
      SetParameter(loc->get_array()[1].get_string().c_str(), body);
    }
  }
  if (detail.is_string()) {
    body->message = detail.get_string().c_str();
  } else if (detail.is_object()) {
    ReadErrorObject(detail, body);
  } else {
    body->message = boost::json::serialize(detail);
  }
}

// What a page says: its title, or else its text.
std::string TextOfHtml(std::string_view html) {
  const std::string lower = AsciiLower(html);
  if (const auto begin = lower.find("<title>"); begin != std::string::npos) {
    const auto end = lower.find("</title>", begin);
    if (end != std::string::npos) return std::string(html.substr(begin + 7, end - begin - 7));
  }
  std::string text;
  bool in_tag = false;
  for (const char c : html) {
    if (c == '<') in_tag = true;
    if (!in_tag) text += c;
    if (c == '>') {
      in_tag = false;
      text += ' ';
    }
  }
  return text;
}

ErrorBody ReadErrorValue(const value& parsed, int depth) {
  ErrorBody body;
  const value* root = &parsed;
  // Gemini's compatible path wraps its error in a list.
  if (const boost::json::array* list = root->if_array(); list != nullptr && !list->empty()) {
    root = &list->front();
  }
  const value* error = Member(*root, "error");
  if (error != nullptr && error->is_object()) {
    ReadErrorObject(*error, &body);
    // Anthropic: {"type": "error", "error": {...}}; others keep a code beside.
    if (body.status == 0) AddCode(Member(*root, "status"), &body);
  } else if (error != nullptr && error->is_string() && !error->get_string().empty()) {
    body.found = true;
    body.message = error->get_string().c_str();
    if (const std::string_view more = TextMember(*root, "message"); !more.empty()) {
      AddWord(body.message, &body);
      body.message = more;
    }
    AddCode(Member(*root, "code"), &body);
  } else if (TextMember(*root, "object") == "error" || TextMember(*root, "type") == "error") {
    ReadErrorObject(*root, &body);
  }
  // Gateways put the whole error of their upstream, as text, into the message of theirs.
  if (depth < 2 && body.message.starts_with('{')) {
    const ParsedJson inner(body.message);
    ErrorBody upstream;
    if (inner.ok()) upstream = ReadErrorValue(inner.value(), depth + 1);
    if (upstream.found) {
      if (upstream.status == 0) upstream.status = body.status;
      upstream.words += body.words;
      return upstream;
    }
  }
  return body;
}

}  // namespace

std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool ErrorBody::HasWord(std::string_view word) const {
  for (std::size_t at = words.find(word); at != std::string::npos; at = words.find(word, at + 1)) {
    const bool begins = at == 0 || words[at - 1] == '\n';
    if (begins && words[at + word.size()] == '\n') return true;
  }
  return false;
}

bool ErrorBody::MentionsWord(std::string_view part) const {
  return words.find(part) != std::string::npos;
}

ErrorBody ReadErrorValue(const value& parsed) { return ReadErrorValue(parsed, 0); }

ErrorBody ReadErrorBody(std::string_view text) {
  ErrorBody body;
  // Beyond this no error is looked at: it is a page of somebody else's.
  constexpr std::size_t kMaxBytes = 256 << 10;
  const ParsedJson json(text.substr(0, kMaxBytes));
  if (!json.ok()) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    const bool html = begin != std::string_view::npos && text[begin] == '<';
    const std::string_view kept = text.substr(0, 4 * kMaxErrorTextBytes);
    body.message = html ? TextOfHtml(kept) : std::string(kept);
    return body;
  }
  body = ReadErrorValue(json.value());
  if (body.found) return body;
  if (const value* detail = Member(json.value(), "detail")) {
    ReadFastApi(*detail, &body);
  } else if (json.value().is_object() && (!TextMember(json.value(), "message").empty() ||
                                          !TextMember(json.value(), "msg").empty())) {
    ReadErrorObject(json.value(), &body);
  } else {
    body.message = text.substr(0, 4 * kMaxErrorTextBytes);
  }
  return body;
}

}  // namespace candor::dialect
