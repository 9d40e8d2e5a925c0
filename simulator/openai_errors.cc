#include "simulator/openai_errors.h"

#include "common/base/json_writer.h"
#include "simulator/durations.h"

#include <fmt/format.h>

#include <utility>

namespace candor::simulator::openai {
namespace {

constexpr const char* kInvalid = "invalid_request_error";

// "on tokens per min (TPM)", and the type of the error.
std::pair<std::string_view, const char*> LimitWords(Verdict kind) {
  switch (kind) {
    case Verdict::kTokens:
      return {"on tokens per min (TPM)", "tokens"};
    case Verdict::kInputTokens:
      return {"on input tokens per min", "input_tokens"};
    case Verdict::kOutputTokens:
      return {"on output tokens per min", "output_tokens"};
    case Verdict::kInFlight:
      return {"on concurrent requests", "requests"};
    case Verdict::kRequestsPerDay:
      return {"on requests per day (RPD)", "requests"};
    case Verdict::kTokensPerDay:
      return {"on tokens per day (TPD)", "tokens"};
    case Verdict::kAcceleration:
      return {"on the increase of requests", "requests"};
    case Verdict::kRequests:
    case Verdict::kAdmitted:
      break;
  }
  return {"on requests per min (RPM)", "requests"};
}

ApiError RateLimit(const RefusalFacts& facts) {
  const auto [what, type] = LimitWords(facts.limit_kind);
  if (facts.limit == 0) {
    return {429,
            fmt::format("Rate limit reached for {}: there are too many requests at the moment. "
                        "Please try again in {}.",
                        facts.model, GoDuration(facts.retry_after.value_or(Duration{0}))),
            type,
            {},
            "rate_limit_exceeded",
            {}};
  }
  if (facts.retry_after && facts.retry_after->count() == 0) {
    return {429,
            fmt::format("Request too large for {} {}: Limit {}, Requested {}. The input or output "
                        "tokens must be reduced in order to run successfully.",
                        facts.model, what, facts.limit, facts.requested),
            type,
            {},
            "rate_limit_exceeded",
            {}};
  }
  return {429,
          fmt::format("Rate limit reached for {} {}: Limit {}, Used {}, Requested {}. Please try "
                      "again in {}.",
                      facts.model, what, facts.limit, facts.used, facts.requested,
                      GoDuration(facts.retry_after.value_or(Duration{0}))),
          type,
          {},
          "rate_limit_exceeded",
          {}};
}

}  // namespace

std::string WriteError(const ApiError& error) {
  JsonWriter writer(2);
  writer.BeginObject().Key("error").BeginObject();
  const auto text = [&](std::string_view name, const std::string& value) {
    writer.Key(name);
    if (value.empty()) {
      writer.Null();
    } else {
      writer.String(value);
    }
  };
  text("message", error.message);
  text("type", error.type);
  text("param", error.param);
  text("code", error.code);
  writer.EndObject().EndObject();
  return writer.Take();
}

std::string_view KeyOf(const ApiCall& call) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = call.Header("authorization");
  if (authorization.empty()) return call.Header("api-key");
  // What is no bearer's, or an empty one, is a wrong key, but no missing one.
  constexpr std::string_view kNoKey = " ";
  if (!authorization.starts_with(kBearer) || authorization.size() == kBearer.size()) return kNoKey;
  return authorization.substr(kBearer.size());
}

ApiError RefuseParameter(std::string_view name) {
  if (name == "max_tokens") {
    return {400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            kInvalid,
            "max_tokens",
            "unsupported_parameter",
            {}};
  }
  return {400,
          fmt::format("Unsupported parameter: '{}' is not supported with this model.", name),
          kInvalid,
          std::string(name),
          "unsupported_parameter",
          {}};
}

ApiError Refuse(Refusal refusal, const RefusalFacts& facts) {
  switch (refusal) {
    case Refusal::kNoKey:
      return {401,
              "You didn't provide an API key. You need to provide your API key in an "
              "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
              kInvalid,
              {},
              {},
              {}};
    case Refusal::kWrongKey:
      return {401, "Incorrect API key provided.", kInvalid, {}, "invalid_api_key", {}};
    case Refusal::kForbidden:
      return {403,
              fmt::format("Project does not have access to model `{}`", facts.model),
              kInvalid,
              {},
              "model_not_found",
              {}};
    case Refusal::kNoSuchModel:
      return {404,
              fmt::format("The model `{}` does not exist or you do not have access to it.",
                          facts.model),
              kInvalid,
              {},
              "model_not_found",
              {}};
    case Refusal::kRateLimit:
      return RateLimit(facts);
    case Refusal::kOutOfCredit:
      return {429,
              "You exceeded your current quota, please check your plan and billing details.",
              "insufficient_quota",
              {},
              "insufficient_quota",
              {}};
    case Refusal::kPaymentRequired:
      // As compatible gateways say it.
      return {402,
              "Insufficient credits. Add more credits to your account to go on.",
              "insufficient_credits",
              {},
              "insufficient_credits",
              {}};
    case Refusal::kSpendCap:
      return {429, "Billing hard limit has been reached.", "insufficient_quota",
              {},  "billing_hard_limit_reached",           {}};
    case Refusal::kDailyQuota:
      return {429,
              fmt::format("Rate limit reached for {} on requests per day (RPD): Limit 10000, Used "
                          "10000, Requested 1. Please try again in 8.64s.",
                          facts.model),
              "requests",
              {},
              "rate_limit_exceeded",
              {}};
    case Refusal::kUnsupportedParameter:
      return {400,
              "Unsupported parameter: a script of the simulator refuses this request.",
              kInvalid,
              {},
              "unsupported_parameter",
              {}};
    case Refusal::kStreamOnly:
      return {400,
              "This model only supports streamed calls. Please set 'stream' to true.",
              kInvalid,
              "stream",
              "unsupported_value",
              {}};
    case Refusal::kTooLarge:
      return {413, "The request is too large.", kInvalid, {}, "request_too_large", {}};
    case Refusal::kTimeout:
      return {408, "The request timed out.", "timeout", {}, "timeout", {}};
    case Refusal::kServerError:
      return {500,
              "The server had an error while processing your request. Sorry about that!",
              "server_error",
              {},
              {},
              {}};
    case Refusal::kBadGateway:
      return {502, "Bad gateway.", "server_error", {}, {}, {}};
    case Refusal::kUnavailable:
      return {503,
              "The engine is currently overloaded, please try again later",
              "service_unavailable",
              {},
              {},
              {}};
    case Refusal::kGatewayTimeout:
      return {504, "The upstream took too long to answer.", "server_error", {}, {}, {}};
    case Refusal::kOverloaded:
      return {529, "Overloaded", "overloaded_error", {}, {}, {}};
  }
  return {};
}

}  // namespace candor::simulator::openai
