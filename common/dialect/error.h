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

// An answer that is no reply.
struct ErrorAnswer {
  int status = 0;
  std::string_view body;
  HeaderFinder header;
  // For a Retry-After that is a date, where the answer has no Date of its own.
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

// Reads the error bodies of OpenAI and of what calls itself compatible (vLLM, llama.cpp, Ollama,
// Azure, Anthropic and Gemini behind their compatible paths, gateways, FastAPI), and plain text or
// HTML of a proxy between.
//
//   insufficient_quota, billing_*, "exceeded your current quota", a per-day
//   QuotaFailure, 402                            QUOTA_EXHAUSTED
//   rate_limit_*, 429                            RATE_LIMITED
//   overloaded*, 503, 529                        OVERLOADED
//   invalid_api_key, authentication_error, 401   AUTHENTICATION
//   permission_*, 403                            PERMISSION
//   model_not_found, not_found_error, 404        NOT_FOUND
//   408                                          TIMEOUT
//   409, 425 and other 5xx                       SERVER_ERROR
//   3xx (no redirect is followed), other 4xx     INVALID_REQUEST
ProviderError ClassifyError(const ErrorAnswer& answer);

// What an error inside an answer of status 200 means, as gateways send: as above where the body
// names a reason or has a status of its own, otherwise MALFORMED_RESPONSE.
ProviderError ClassifyErrorInReply(std::string_view body);

// How long an answer asks to wait: header retry-after-ms, then retry-after as seconds (with a
// fraction) or an HTTP date (measured from the answer's Date where it has one), then the retryDelay
// of a google.rpc.RetryInfo, then "try again in 41.724s" in the message. Absent when it does not,
// or when what it says is no time ahead or lies above a week.
std::optional<Duration> RetryAfter(const ErrorAnswer& answer);

// The date of an HTTP header in any of the three forms of RFC 9110; absent when it is none.
std::optional<WallTime> ParseHttpDate(std::string_view text);

// A duration as Go prints it: "6m0s", "41.724s", "20ms", "1h2m3.5s", and none that is negative.
std::optional<Duration> ParseGoDuration(std::string_view text);

// Text of strangers, made fit for messages and logs: bytes that are no UTF-8 become U+FFFD, control
// characters become spaces, runs of spaces one, and what is longer than `max_bytes` is cut with an
// ellipsis.
std::string CleanText(std::string_view text, std::size_t max_bytes);

}  // namespace candor::dialect
