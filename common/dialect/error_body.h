// The parts of an error body that decide anything, whichever shape they came in. Private to the
// room.
#pragma once

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
  // google.rpc.QuotaFailure: there is one, and one of its quotas counts by the day.
  bool quota_failure = false;
  bool daily_quota = false;
  // google.rpc.RetryInfo.retryDelay, as written.
  std::string retry_delay;

  // Whether one of `words` is `word`, or contains it.
  bool HasWord(std::string_view word) const;
  bool MentionsWord(std::string_view part) const;
};

// Reads a body that need not be JSON: then `found` is false and `message` is its text (of HTML: the
// title, or the text without tags).
ErrorBody ReadErrorBody(std::string_view body);

// The error of a parsed answer; not found when it has no "error".
ErrorBody ReadErrorValue(const boost::json::value& value);

std::string AsciiLower(std::string_view text);

}  // namespace candor::dialect
