// The parts of an error body that decide anything, whichever shape they came in. Private to the
// room.
#pragma once

#include "common/dialect/error.h"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace candor::dialect {

struct ErrorBody {
  // True when there was an error in it, as an object or a text.
  bool found = false;
  // `code`, `type` and `status`, in lower case, those of inner errors and ErrorInfo reasons too, a
  // line each.
  std::string words;
  // A numeric `code` or `status` between 300 and 599; 0 without one.
  int status = 0;
  std::string message;
  // The parameter that is to blame, wherever the provider names it (`param`, FastAPI's `loc`,
  // google.rpc.BadRequest, the beginning of Anthropic's messages): "max_tokens",
  // "messages.0.content".
  std::string parameter;
  // google.rpc.QuotaFailure: there is one, one of its quotas counts by the day, or is 0.
  bool quota_failure = false;
  bool daily_quota = false;
  bool zero_quota = false;
  // The prompt was filtered: OpenRouter's flagged_input.
  bool flagged_input = false;
  // google.rpc.RetryInfo.retryDelay, as written.
  std::string retry_delay;
  // The X-RateLimit-Reset that OpenRouter puts into the body, as written.
  std::string reset;

  // Whether one of `words` is `word`, or contains it.
  bool HasWord(std::string_view word) const;
  bool MentionsWord(std::string_view part) const;
};

// Reads a body that need not be JSON: then `found` is false and `message` is its text (of HTML: the
// title, or the text without tags).
ErrorBody ReadErrorBody(std::string_view body);

// The error of a parsed answer; not found when it has no "error".
ErrorBody ReadErrorValue(const boost::json::value& value);

// ClassifyErrorInReply of error.h, for a body that has been read already.
ProviderError ClassifyErrorInReply(const ErrorBody& body, WallTime now = {});

std::string AsciiLower(std::string_view text);

}  // namespace candor::dialect
