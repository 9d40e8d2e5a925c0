// What differs between the APIs that the simulator plays: how a request is read and checked, and
// the exact bytes of replies, streams and errors, as their providers document them. Nothing here
// decides anything: that is one core for all (answer.h).
//
// A dialect has no state; its functions may be called by any number of threads.
#pragma once

#include "common/base/clock.h"
#include "common/net/http_types.h"
#include "simulator/api_request.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace candor::simulator {

enum class DialectKind : std::uint8_t { kChat, kResponses, kAnthropic, kGemini };
// "chat", "responses", "anthropic", "gemini".
std::string_view ToString(DialectKind kind);

// A call as it came in.
struct ApiCall {
  DialectKind dialect = DialectKind::kChat;
  std::string_view body;
  const net::HttpHeaders* headers = nullptr;
  // What the path says: the model of a Gemini call or an Azure deployment; empty where it says
  // nothing.
  std::string_view path_model;
  // The path asks for a stream (Gemini).
  bool stream_path = false;
  // As server-sent events (alt=sse), not as one JSON array.
  bool events = true;
  // A key in the query (Gemini's ?key=).
  std::string_view query_key;

  std::string_view Header(std::string_view name) const;
};

// Why a call is refused; each dialect has its own words and statuses.
enum class Refusal : std::uint8_t {
  kNoKey,
  kWrongKey,
  kForbidden,
  kNoSuchModel,
  kRateLimit,
  kOutOfCredit,
  kPaymentRequired,
  kSpendCap,
  kDailyQuota,
  kUnsupportedParameter,
  // Of a model that only streams.
  kStreamOnly,
  kTooLarge,
  kTimeout,
  kServerError,
  kBadGateway,
  kUnavailable,
  kGatewayTimeout,
  kOverloaded,
};

// A limit that was reached.
enum class Verdict : std::uint8_t {
  kAdmitted,
  kRequests,
  kTokens,
  kInFlight,
  kInputTokens,
  kOutputTokens,
  kRequestsPerDay,
  kTokensPerDay,
  kAcceleration,
};

// "", "requests", "tokens", "in_flight", "input_tokens", ...
std::string_view ToString(Verdict verdict);

// What the words of a refusal depend on.
struct RefusalFacts {
  std::string_view model;
  Verdict limit_kind = Verdict::kRequests;
  // What the limit is, what of it was used, and what the call wanted; all 0 where nobody says.
  std::int64_t limit = 0;
  std::int64_t used = 0;
  std::int64_t requested = 0;
  // When to come again; absent where nobody says, 0 when waiting never helps.
  std::optional<Duration> retry_after;
  // Whether Gemini's details say so too.
  bool retry_info = true;
  WallTime now;
};

// The fields of an error body; what they are called differs. Empty texts become null, or are left
// out.
struct ApiError {
  int status = 400;
  std::string message;
  // OpenAI's and Anthropic's type, Gemini's status.
  std::string type = "invalid_request_error";
  std::string param;
  std::string code;
  // Gemini's details: JSON objects, separated by commas.
  std::string details;
  // Anthropic repeats it in the body.
  std::string request_id = {};
};

// How a streamed answer is written.
enum class StreamForm : std::uint8_t {
  kEvents,
  // With an event for the usage, where a dialect sends it only when asked.
  kEventsWithUsage,
  // Gemini without alt=sse: a JSON array.
  kArray,
};

// An answer, before a dialect writes it.
struct Completion {
  std::string_view id;
  // Seconds since the Unix epoch.
  std::int64_t created = 0;
  std::string_view model;
  std::string_view system_fingerprint;
  // Cut to the tokens that were allowed.
  std::string_view text;
  // Whether it was cut.
  bool cut = false;
  // Whether a filter withheld it; the text is then empty.
  bool filtered = false;
  std::int64_t prompt_tokens = 0;
  // Of the prompt: read from a cache, and written to it.
  std::int64_t cached_tokens = 0;
  std::int64_t cache_written_tokens = 0;
  // Of thinking and text together.
  std::int64_t completion_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  bool log_probabilities = false;
  int top_log_probabilities = 0;
  // Of a choice.
  std::optional<double> log_odds_a;
};

// What a call counts against token limits.
struct Charge {
  // Of tokens_per_minute and tokens_per_day.
  std::int64_t tokens = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  // The key that the call brings; empty without one.
  virtual std::string_view KeyOf(const ApiCall& call) const = 0;
  // Reads and checks a body, once a request; an error in the provider's words.
  virtual std::optional<ApiError> Read(const ApiCall& call, ApiRequest* request) const = 0;
  virtual ApiError Refuse(Refusal refusal, const RefusalFacts& facts) const = 0;
  // A message of a role that the model's template does not know.
  virtual ApiError RefuseSystem() const = 0;
  // The cap was spent on thinking, by a model that makes an error of it.
  virtual ApiError RefuseExhausted() const = 0;
  // Log-probabilities of a model that gives none.
  virtual ApiError RefuseLogProbabilities() const = 0;
  // A parameter that models with strict parameters refuse.
  virtual ApiError RefuseParameter(std::string_view name) const = 0;

  virtual std::string Write(const Completion& completion) const = 0;
  // The same as a stream.
  virtual std::string WriteStream(const Completion& completion, StreamForm form) const = 0;
  virtual std::string WriteError(const ApiError& error) const = 0;
  // An error as an event in the middle of a stream.
  virtual std::string WriteErrorEvent(const ApiError& error) const = 0;
  // What ids of answers begin with.
  virtual std::string_view IdPrefix() const = 0;

  // What counts when a call begins, and what more when it has been answered.
  virtual Charge ChargeAtBegin(const ApiRequest& request) const = 0;
  virtual Charge ChargeAtEnd(const Completion& completion) const = 0;
};

// Lives for ever.
const Dialect& DialectOf(DialectKind kind);

}  // namespace candor::simulator
