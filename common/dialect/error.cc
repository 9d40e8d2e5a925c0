#include "common/dialect/error.h"

#include "common/base/json_writer.h"
#include "common/dialect/error_body.h"
#include "common/dialect/retry_after.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace candor::dialect {
namespace {

using v1::Attempt;

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool SaysQuotaIsSpent(const ErrorBody& body) {
  // A per-minute quota of Google's says "exceeded your current quota", too: the details decide.
  if (body.quota_failure) return body.daily_quota;
  if (body.MentionsWord("insufficient_quota") || body.MentionsWord("billing") ||
      body.MentionsWord("insufficient_balance") || body.MentionsWord("insufficient_credit") ||
      body.MentionsWord("insufficient_funds") || body.MentionsWord("quota_exhausted")) {
    return true;
  }
  const std::string message = AsciiLower(body.message);
  static constexpr std::array<std::string_view, 8> kSentences = {"exceeded your current quota",
                                                                 "credit balance is too low",
                                                                 "insufficient balance",
                                                                 "insufficient credits",
                                                                 "billing hard limit",
                                                                 "spending limit",
                                                                 "spend limit",
                                                                 "insufficient_quota"};
  return std::any_of(kSentences.begin(), kSentences.end(),
                     [&](std::string_view sentence) { return Contains(message, sentence); });
}

// The class that the words of the body name; unspecified when they name none. `invalid_request` and
// `server_error` name none here: providers send them as the type of everything.
Attempt::ErrorClass ClassOfWords(const ErrorBody& body) {
  if (SaysQuotaIsSpent(body)) return Attempt::QUOTA_EXHAUSTED;
  if (body.MentionsWord("overloaded")) return Attempt::OVERLOADED;
  if (body.quota_failure || body.MentionsWord("rate_limit") || body.MentionsWord("ratelimit") ||
      body.MentionsWord("too_many_requests") || body.HasWord("resource_exhausted")) {
    return Attempt::RATE_LIMITED;
  }
  if (body.HasWord("invalid_api_key") || body.HasWord("authentication_error") ||
      body.HasWord("api_key_invalid") || body.HasWord("unauthenticated") ||
      body.HasWord("account_deactivated") || body.HasWord("no_api_key")) {
    return Attempt::AUTHENTICATION;
  }
  if (body.HasWord("permission_error") || body.HasWord("permission_denied") ||
      body.MentionsWord("unsupported_country")) {
    return Attempt::PERMISSION;
  }
  if (body.HasWord("model_not_found") || body.HasWord("not_found_error") ||
      body.HasWord("deploymentnotfound")) {
    return Attempt::NOT_FOUND;
  }
  if (body.HasWord("context_length_exceeded") || body.HasWord("content_policy_violation") ||
      body.HasWord("content_filter") || body.HasWord("request_too_large")) {
    return Attempt::INVALID_REQUEST;
  }
  return Attempt::ERROR_CLASS_UNSPECIFIED;
}

Attempt::ErrorClass ClassOfStatus(int status) {
  switch (status) {
    case 401:
    case 407:
      return Attempt::AUTHENTICATION;
    case 402:
      return Attempt::QUOTA_EXHAUSTED;
    case 403:
      return Attempt::PERMISSION;
    case 404:
      return Attempt::NOT_FOUND;
    case 408:
      return Attempt::TIMEOUT;
    case 409:
    case 425:
      return Attempt::SERVER_ERROR;
    case 429:
      return Attempt::RATE_LIMITED;
    case 503:
    case 529:
      return Attempt::OVERLOADED;
    default:
      break;
  }
  if (status >= 500) return Attempt::SERVER_ERROR;
  if (status >= 300) return Attempt::INVALID_REQUEST;
  // 1xx and 2xx but 200: no response of any dialect.
  return Attempt::MALFORMED_RESPONSE;
}

}  // namespace

ProviderError ClassifyError(const ErrorAnswer& answer) {
  ProviderError error;
  if (answer.status >= 300 && answer.status < 400) {
    error.error_class = Attempt::INVALID_REQUEST;
    error.text = fmt::format(
        "the provider answered {} and points elsewhere; redirects are not followed: give the final "
        "address as base_url",
        answer.status);
    return error;
  }
  const ErrorBody body = ReadErrorBody(answer.body);
  error.error_class = ClassOfWords(body);
  // The words of the body come first: a status alone stands for too many things.
  if (error.error_class == Attempt::ERROR_CLASS_UNSPECIFIED) {
    error.error_class = ClassOfStatus(answer.status);
  }
  error.text = CleanText(body.message, kMaxErrorTextBytes);
  if (error.text.empty()) {
    error.text = fmt::format("the provider answered {} without a text", answer.status);
  }
  error.retry_after = RetryAfter(answer.header, body, answer.now);
  return error;
}

ProviderError ClassifyErrorInReply(std::string_view text) {
  const ErrorBody body = ReadErrorBody(text);
  ProviderError error;
  error.error_class = ClassOfWords(body);
  if (error.error_class == Attempt::ERROR_CLASS_UNSPECIFIED && body.status != 0) {
    error.error_class = ClassOfStatus(body.status);
  }
  if (error.error_class == Attempt::ERROR_CLASS_UNSPECIFIED) {
    error.error_class = Attempt::MALFORMED_RESPONSE;
  }
  error.text = CleanText(fmt::format("status 200 with an error inside: {}", body.message),
                         kMaxErrorTextBytes);
  const auto no_header = [](std::string_view) { return std::optional<std::string_view>(); };
  error.retry_after = RetryAfter(no_header, body, WallTime{});
  return error;
}

std::string CleanText(std::string_view text, std::size_t max_bytes) {
  // What is looked at is bounded, whatever a stranger sends; runs of spaces leave some to spare.
  const bool too_long = text.size() > 4 * max_bytes;
  text = text.substr(0, 4 * max_bytes);
  std::string clean;
  clean.reserve(std::min(text.size(), max_bytes) + 4);
  bool cut = too_long;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t size = 1;
    std::string_view piece;
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7f || byte == ' ') {
      if (!clean.empty() && clean.back() != ' ') piece = " ";
    } else if (byte < 0x80) {
      piece = text.substr(at, 1);
    } else {
      piece = "\xEF\xBF\xBD";
      for (std::size_t length = 2; length <= 4 && at + length <= text.size(); ++length) {
        if (!IsUtf8(text.substr(at, length))) continue;
        size = length;
        piece = text.substr(at, length);
        break;
      }
    }
    if (clean.size() + piece.size() > max_bytes) {
      cut = true;
      break;
    }
    clean += piece;
    at += size;
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  if (!cut) return clean;
  constexpr std::string_view kEllipsis = "...";
  while (clean.size() + kEllipsis.size() > max_bytes ||
         (!clean.empty() && (static_cast<unsigned char>(clean.back()) & 0xC0U) == 0x80U)) {
    clean.pop_back();
  }
  // What is left of a character that was cut.
  while (!clean.empty() && static_cast<unsigned char>(clean.back()) >= 0xC0U) clean.pop_back();
  return clean.append(kEllipsis);
}

}  // namespace candor::dialect
