// What a provider's error means: which class it has, in which words, and how long to wait.
//
// The class is decided by the body first (error code, type, quota details, well-known sentences)
// and by the status where the body says nothing, because providers put very different things under
// one status: a 429 may be a limit that passes in seconds, an exhausted budget, or an overload.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/base/clock.h"

#include <absl/functional/function_ref.h>

#include <optional>
#include <string>
#include <string_view>

namespace candor::dialect {

// The value of a response header, by its name in any case.
using HeaderFinder = absl::FunctionRef<std::optional<std::string_view>(std::string_view name)>;

// An answer of a provider.
struct Answer {
  int status = 0;
  std::string_view body;
  HeaderFinder header;
  // For a Retry-After that is a date, where the answer has no Date of its own, and for the end of
  // the day.
  WallTime now;
};

struct ProviderError {
  v1::Attempt::ErrorClass error_class = v1::Attempt::ERROR_CLASS_UNSPECIFIED;
  // The provider's own words, as UTF-8 without control characters, at most kMaxErrorTextBytes; or
  // ours where it said nothing.
  std::string text;
  // How long it asked to wait. Never negative, at most kMaxRetryAfter.
  std::optional<Duration> retry_after;
};

inline constexpr std::size_t kMaxErrorTextBytes = 2048;
// Longer waits are cut to this: a provider that still means it will say so again.
inline constexpr Duration kMaxRetryAfter = std::chrono::hours{1};
// Likewise for DAILY_LIMIT; the day at which clocks are set back has 25 hours.
inline constexpr Duration kMaxDailyRetryAfter = std::chrono::hours{25};

// One table for all dialects: reads the error bodies of OpenAI and of what calls itself compatible
// (vLLM, llama.cpp, Ollama, Azure, Groq, OpenRouter, gateways, FastAPI), of Anthropic, of Gemini,
// and plain text or HTML of a proxy between. The first that fits:
//
//   class                repeated   stands for    what says so
//   INVALID_REQUEST      no         this cell     a request that is larger than a limit or context
//   QUOTA_EXHAUSTED      by resume  the group     insufficient_quota, billing_*, credit balance,
//                                                 spend caps, a quota of 0; 402
//   DAILY_LIMIT          tomorrow   the group     a per-day QuotaFailure, RPD, TPD, "daily limit"
//   OVERLOADED           backing    the provider  overloaded_error (under 429 too), UNAVAILABLE;
//                        off                      503, 529
//   RATE_LIMITED         after the  the group     rate_limit_*, RESOURCE_EXHAUSTED, throttling; 429
//                        wait
//   AUTHENTICATION       by resume  the entry     invalid_api_key, authentication_error; 401, 407
//   PERMISSION           by resume  the entry     permission_*, unsupported country; 403
//   REFUSED_PARAMETER    by resume  the entry     unsupported_parameter, unsupported_value, a
//                                                 `param` that is no content, a known parameter
//                                                 with "not supported" and the like; 400, 422
//   NOT_FOUND            by resume  the entry     model_not_found, deprecated, decommissioned, shut
//                                                 down; 404, 410
//   TIMEOUT              yes        this cell     timeout_error, DEADLINE_EXCEEDED; 408
//   SERVER_ERROR         yes        this cell     409, 425, 499 and other 5xx
//   INVALID_REQUEST      no         this cell     3xx (no redirect is followed), other 4xx
//
// What the body says comes before the status, and x-should-retry decides where only the status
// spoke: `true` makes an INVALID_REQUEST a SERVER_ERROR, `false` the other way round.
//
// A wait is as RetryAfter says. For a daily quota of Google's, whose RetryInfo of some seconds
// would only bring the same error, it is the time until midnight in Los Angeles.
ProviderError ClassifyError(const Answer& answer);

// What an error inside an answer of status 200 means, as gateways send and streams end: as above
// where the body names a reason or has a status of its own, otherwise MALFORMED_RESPONSE.
ProviderError ClassifyErrorInReply(std::string_view body, WallTime now = {});

// How long an answer asks to wait: header retry-after-ms, then retry-after as seconds (with a
// fraction) or an HTTP date (measured from the answer's Date where it has one), then the retryDelay
// of a google.rpc.RetryInfo, then "try again in 41.724s" in the message, then the X-RateLimit-Reset
// that OpenRouter puts into its bodies. Absent when it does not, or when what it says is no time
// ahead or lies above a week.
std::optional<Duration> RetryAfter(const Answer& answer);

// From `now` until the next midnight in Los Angeles, where Google's days begin.
Duration UntilPacificMidnight(WallTime now);

// The date of an HTTP header in any of the three forms of RFC 9110; absent when it is none.
std::optional<WallTime> ParseHttpDate(std::string_view text);

// A duration as Go prints it: "6m0s", "41.724s", "20ms", "1h2m3.5s", and none that is negative.
std::optional<Duration> ParseGoDuration(std::string_view text);

// Text of strangers, made fit for messages and logs: bytes that are no UTF-8 become U+FFFD, control
// characters become spaces, runs of spaces one, and what is longer than `max_bytes` is cut with an
// ellipsis.
std::string CleanText(std::string_view text, std::size_t max_bytes);

}  // namespace candor::dialect
