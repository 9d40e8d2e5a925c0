// POST /messages, of Anthropic's API.
#include "common/base/json_writer.h"
#include "simulator/anthropic_request.h"
#include "simulator/dialects.h"
#include "simulator/durations.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace candor::simulator {
namespace {

std::string_view StopReason(const Completion& completion) {
  if (completion.filtered) return "refusal";
  return completion.cut ? "max_tokens" : "end_turn";
}

std::string_view Dimension(Verdict kind) {
  switch (kind) {
    case Verdict::kTokens:
      return "tokens per minute";
    case Verdict::kInputTokens:
      return "input tokens per minute";
    case Verdict::kOutputTokens:
      return "output tokens per minute";
    case Verdict::kRequestsPerDay:
      return "requests per day";
    case Verdict::kTokensPerDay:
      return "tokens per day";
    default:
      return "requests per minute";
  }
}

std::string RateLimitMessage(const RefusalFacts& facts) {
  constexpr std::string_view kMore =
      "For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response "
      "headers for current usage.";
  switch (facts.limit_kind) {
    case Verdict::kInFlight:
      return "Number of concurrent connections has exceeded your rate limit. Please try again "
             "later or contact sales to discuss your options for a rate limit increase.";
    case Verdict::kAcceleration:
      return fmt::format(
          "This request would exceed your organization's maximum usage increase rate for requests "
          "per minute. Please scale up your requests gradually to stay within acceleration "
          "limits. {}",
          kMore);
    default:
      break;
  }
  if (facts.limit == 0) {
    return fmt::format("This request would exceed your organization's rate limit. {}", kMore);
  }
  return fmt::format("This request would exceed the rate limit for your organization of {} {}. {}",
                     facts.limit, Dimension(facts.limit_kind), kMore);
}

void AppendUsage(const Completion& completion, std::int64_t output, std::string* out) {
  fmt::format_to(
      std::back_inserter(*out),
      R"({{"input_tokens":{},"cache_creation_input_tokens":{},)"
      R"("cache_read_input_tokens":{},"cache_creation":{{)"
      R"("ephemeral_5m_input_tokens":{},"ephemeral_1h_input_tokens":0}},)"
      R"("output_tokens":{},"service_tier":"standard"}})",
      completion.prompt_tokens - completion.cached_tokens - completion.cache_written_tokens,
      completion.cache_written_tokens, completion.cached_tokens, completion.cache_written_tokens,
      output);
}

// {"id":...,"type":"message","role":"assistant","model":...
void AppendHead(const Completion& completion, std::string* out) {
  fmt::format_to(std::back_inserter(*out),
                 R"({{"id":"{}","type":"message","role":"assistant","model":)", completion.id);
  AppendJsonString(completion.model, out);
}

class Anthropic final : public Dialect {
 public:
  std::string_view KeyOf(const ApiCall& call) const override { return call.Header("x-api-key"); }

  std::optional<ApiError> Read(const ApiCall& call, ApiRequest* request) const override {
    return anthropic::ReadRequest(call, request);
  }

  ApiError Refuse(Refusal refusal, const RefusalFacts& facts) const override {
    const auto error = [](int status, const char* type, std::string message) {
      return ApiError{status, std::move(message), type, {}, {}, {}};
    };
    switch (refusal) {
      case Refusal::kNoKey:
        return error(401, "authentication_error", "x-api-key header is required");
      case Refusal::kWrongKey:
        return error(401, "authentication_error", "invalid x-api-key");
      case Refusal::kForbidden:
        return error(403, "permission_error",
                     "Your API key does not have permission to use the specified resource.");
      case Refusal::kNoSuchModel:
        return error(404, "not_found_error", fmt::format("model: {}", facts.model));
      case Refusal::kRateLimit:
        return error(429, "rate_limit_error", RateLimitMessage(facts));
      case Refusal::kOutOfCredit:
        return error(400, "invalid_request_error",
                     "Your credit balance is too low to access the Anthropic API. Please go to "
                     "Plans & Billing to upgrade or purchase credits.");
      case Refusal::kPaymentRequired:
        return error(402, "billing_error",
                     "There is an issue with your organization's billing or payment information.");
      case Refusal::kSpendCap:
        return error(429, "rate_limit_error",
                     fmt::format("You have reached your specified API usage limits. You will "
                                 "regain access on {}.",
                                 Rfc3339(facts.now + std::chrono::hours{24 * 7})));
      case Refusal::kDailyQuota:
        return error(429, "rate_limit_error",
                     "This request would exceed your organization's daily rate limit of 10000 "
                     "requests per day.");
      case Refusal::kUnsupportedParameter:
        return anthropic::Invalid("simulated: Extra inputs are not permitted");
      case Refusal::kStreamOnly:
        return anthropic::Invalid("Streaming is required for this model.");
      case Refusal::kTooLarge:
        return error(413, "request_too_large", "Request exceeds the maximum size");
      case Refusal::kTimeout:
        return error(408, "timeout_error", "The request timed out.");
      case Refusal::kServerError:
        return error(500, "api_error", "Internal server error");
      case Refusal::kBadGateway:
        return error(502, "api_error", "Bad gateway");
      case Refusal::kUnavailable:
        return error(503, "api_error", "Service unavailable");
      case Refusal::kGatewayTimeout:
        return error(504, "timeout_error", "The request timed out while being processed.");
      case Refusal::kOverloaded:
        return error(529, "overloaded_error", "Overloaded");
    }
    return {};
  }
  ApiError RefuseSystem() const override {
    return anthropic::Invalid("system: not supported by this model");
  }
  ApiError RefuseExhausted() const override {
    return anthropic::Invalid("max_tokens: the limit was reached while thinking");
  }
  // Never asked for: the API has no such parameter.
  ApiError RefuseLogProbabilities() const override {
    return anthropic::Invalid("logprobs: Extra inputs are not permitted");
  }
  ApiError RefuseParameter(std::string_view name) const override {
    return anthropic::Invalid(fmt::format("`{}` is deprecated for this model.", name));
  }

  std::string Write(const Completion& completion) const override {
    std::string out;
    out.reserve(600 + completion.text.size());
    AppendHead(completion, &out);
    out += R"(,"content":[)";
    if (completion.reasoning_tokens > 0) {
      out += R"({"type":"thinking","thinking":"","signature":"c2ltdWxhdGVk"})";
      if (!completion.text.empty()) out += ',';
    }
    if (!completion.text.empty()) {
      out += R"({"type":"text","text":)";
      AppendJsonString(completion.text, &out);
      out += '}';
    }
    fmt::format_to(std::back_inserter(out), R"(],"stop_reason":"{}","stop_sequence":null,"usage":)",
                   StopReason(completion));
    AppendUsage(completion, completion.completion_tokens, &out);
    out += '}';
    return out;
  }

  std::string WriteStream(const Completion& completion, StreamForm /*form*/) const override {
    std::string out;
    out.reserve(2'000 + completion.text.size());
    out += R"(event: message_start
data: {"type":"message_start","message":)";
    AppendHead(completion, &out);
    out += R"(,"content":[],"stop_reason":null,"stop_sequence":null,"usage":)";
    AppendUsage(completion, 1, &out);
    out += "}}\n\n";
    int index = 0;
    const auto event = [&](std::string_view type, std::string_view rest) {
      fmt::format_to(std::back_inserter(out),
                     "event: {}\ndata: {{\"type\":\"{}\",\"index\":{}{}}}\n\n", type, type, index,
                     rest);
    };
    if (completion.reasoning_tokens > 0) {
      event("content_block_start",
            R"(,"content_block":{"type":"thinking","thinking":"","signature":""})");
      event("content_block_delta",
            R"(,"delta":{"type":"signature_delta","signature":"c2ltdWxhdGVk"})");
      event("content_block_stop", "");
      ++index;
    }
    out += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    if (!completion.text.empty()) {
      event("content_block_start", R"(,"content_block":{"type":"text","text":""})");
      // In two pieces, as a client must put together what it gets.
      const std::string_view first =
          TakeTokens(completion.text, (CountTokens(completion.text) + 1) / 2);
      for (const std::string_view piece : {first, completion.text.substr(first.size())}) {
        if (piece.empty()) continue;
        std::string delta = R"(,"delta":{"type":"text_delta","text":)";
        AppendJsonString(piece, &delta);
        delta += '}';
        event("content_block_delta", delta);
      }
      event("content_block_stop", "");
    }
    fmt::format_to(std::back_inserter(out),
                   "event: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":{{"
                   "\"stop_reason\":\"{}\",\"stop_sequence\":null}},\"usage\":{{"
                   "\"output_tokens\":{}}}}}\n\n",
                   StopReason(completion), completion.completion_tokens);
    out += "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    return out;
  }

  std::string WriteError(const ApiError& error) const override {
    std::string out = R"({"type":"error","error":{"type":)";
    AppendJsonString(error.type, &out);
    out += R"(,"message":)";
    AppendJsonString(error.message, &out);
    out += '}';
    if (!error.request_id.empty()) {
      out += R"(,"request_id":)";
      AppendJsonString(error.request_id, &out);
    }
    out += '}';
    return out;
  }

  std::string WriteErrorEvent(const ApiError& error) const override {
    return "event: error\ndata: " + WriteError(error) + "\n\n";
  }

  std::string_view IdPrefix() const override { return "msg_"; }

  // Input at the start, without what was read from the cache; output as it is produced, and
  // max_tokens plays no part.
  Charge ChargeAtBegin(const ApiRequest& request) const override {
    const std::int64_t input = request.prompt_tokens - request.cached_tokens;
    return {input, input, 0};
  }
  Charge ChargeAtEnd(const Completion& completion) const override {
    return {completion.completion_tokens, 0, completion.completion_tokens};
  }
};

}  // namespace

const Dialect& AnthropicDialect() {
  static const Anthropic kDialect;
  return kDialect;
}

}  // namespace candor::simulator
