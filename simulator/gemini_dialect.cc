// POST /models/MODEL:generateContent and :streamGenerateContent, of the Gemini API.
#include "common/base/json_writer.h"
#include "simulator/dialects.h"
#include "simulator/durations.h"
#include "simulator/gemini_request.h"
#include "simulator/token_chances.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace candor::simulator {
namespace {

constexpr std::string_view kHelp =
    R"({"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":)"
    R"("Learn more about Gemini API quotas","url":)"
    R"("https://ai.google.dev/gemini-api/docs/rate-limits"}]})";
// What the API asks for when a quota per day is used up: as if that helped.
constexpr std::optional<Duration> kDailyRetryDelay = std::chrono::seconds{22};

std::string_view StatusName(int status) {
  switch (status) {
    case 400:
      return "INVALID_ARGUMENT";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 503:
      return "UNAVAILABLE";
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return status >= 500 ? "INTERNAL" : "FAILED_PRECONDITION";
  }
}

ApiError Error(int status, std::string message, std::string details = {}) {
  return {status, std::move(message), std::string(StatusName(status)), {}, {}, std::move(details)};
}

// Metric and id of a quota.
std::pair<std::string_view, std::string_view> QuotaOf(Verdict kind) {
  switch (kind) {
    case Verdict::kTokens:
    case Verdict::kInputTokens:
      return {"generate_content_paid_tier_input_token_count",
              "GenerateContentPaidTierInputTokensPerModelPerMinute"};
    case Verdict::kTokensPerDay:
      return {"generate_content_paid_tier_input_token_count",
              "GenerateContentPaidTierInputTokensPerModelPerDay"};
    case Verdict::kRequestsPerDay:
      return {"generate_requests_per_model_per_day", "GenerateRequestsPerDayPerProjectPerModel"};
    default:
      return {"generate_requests_per_model", "GenerateRequestsPerMinutePerProjectPerModel"};
  }
}

std::string RetryInfo(Duration delay) {
  const std::int64_t seconds = delay.count() / 1'000'000;
  const std::int64_t micros = delay.count() % 1'000'000;
  return fmt::format(
      R"({{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{}s"}})",
      micros == 0 ? fmt::format("{}", seconds) : fmt::format("{}.{:06}", seconds, micros));
}

bool IsPerDay(Verdict kind) {
  return kind == Verdict::kRequestsPerDay || kind == Verdict::kTokensPerDay;
}

ApiError QuotaError(const RefusalFacts& facts, Verdict kind, std::int64_t limit,
                    std::optional<Duration> retry_after) {
  const auto [metric, id] = QuotaOf(kind);
  std::string message = fmt::format(
      "You exceeded your current quota, please check your plan and billing details. For more "
      "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To "
      "monitor your current usage, head to: https://ai.dev/rate-limit. \n* Quota exceeded for "
      "metric: generativelanguage.googleapis.com/{}, limit: {}, model: {}",
      metric, limit, facts.model);
  std::string details = fmt::format(
      R"({{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaMetric":)"
      R"("generativelanguage.googleapis.com/{}","quotaId":"{}","quotaDimensions":{{"location":)"
      R"("global","model":)",
      metric, id);
  AppendJsonString(facts.model, &details);
  details += fmt::format(R"(}},"quotaValue":"{}"}}]}},{})", limit, kHelp);
  if (retry_after && retry_after->count() > 0) {
    message += fmt::format("\nPlease retry in {}s.",
                           ShortestNumber(static_cast<double>(retry_after->count()) / 1e6));
    if (facts.retry_info) details += "," + RetryInfo(*retry_after);
  }
  return Error(429, std::move(message), std::move(details));
}

void AppendChance(const TokenChance& chance, std::string* out) {
  *out += R"({"token":)";
  AppendJsonString(chance.token, out);
  // The ids of a vocabulary that nobody has: stable, and that is all.
  std::uint32_t id = 0;
  for (const char c : chance.token) id = id * 31 + static_cast<unsigned char>(c);
  fmt::format_to(std::back_inserter(*out), R"(,"tokenId":{},"logProbability":{}}})", id % 250'000,
                 chance.log_probability);
}

void AppendLogProbabilities(const Completion& completion, std::string* out) {
  const std::vector<TokenPosition> positions = TokenChances(completion);
  double sum = 0;
  for (const TokenPosition& position : positions) sum += position.chosen.log_probability;
  if (!positions.empty()) {
    fmt::format_to(std::back_inserter(*out), R"(,"avgLogprobs":{})",
                   sum / static_cast<double>(positions.size()));
  }
  *out += R"(,"logprobsResult":{)";
  if (completion.top_log_probabilities > 0) {
    *out += R"("topCandidates":[)";
    for (std::size_t i = 0; i < positions.size(); ++i) {
      if (i > 0) *out += ',';
      *out += R"({"candidates":[)";
      for (std::size_t k = 0; k < positions[i].top.size(); ++k) {
        if (k > 0) *out += ',';
        AppendChance(positions[i].top[k], out);
      }
      *out += "]}";
    }
    *out += "],";
  }
  *out += R"("chosenCandidates":[)";
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (i > 0) *out += ',';
    AppendChance(positions[i].chosen, out);
  }
  *out += "]}";
}

// A GenerateContentResponse; `last` says whether the model has stopped with it.
void AppendResponse(const Completion& completion, std::string_view text, bool last,
                    std::string* out) {
  *out += R"({"candidates":[{"content":{)";
  if (!text.empty()) {
    *out += R"("parts":[{"text":)";
    AppendJsonString(text, out);
    *out += "}],";
  }
  *out += R"("role":"model"})";
  if (last) {
    *out += R"(,"finishReason":")";
    *out += completion.filtered ? "SAFETY" : completion.cut ? "MAX_TOKENS" : "STOP";
    *out += '"';
    if (completion.filtered) {
      *out += R"(,"safetyRatings":[{"category":"HARM_CATEGORY_DANGEROUS_CONTENT",)"
              R"("probability":"HIGH","blocked":true}])";
    }
  }
  *out += R"(,"index":0)";
  if (last && completion.log_probabilities) AppendLogProbabilities(completion, out);
  const std::int64_t candidate = completion.completion_tokens - completion.reasoning_tokens;
  fmt::format_to(std::back_inserter(*out), R"(}}],"usageMetadata":{{"promptTokenCount":{},)",
                 completion.prompt_tokens);
  if (candidate > 0) {
    fmt::format_to(std::back_inserter(*out), R"("candidatesTokenCount":{},)", candidate);
  }
  fmt::format_to(std::back_inserter(*out),
                 R"("totalTokenCount":{},"promptTokensDetails":[{{"modality":"TEXT",)"
                 R"("tokenCount":{}}}])",
                 completion.prompt_tokens + completion.completion_tokens, completion.prompt_tokens);
  if (completion.reasoning_tokens > 0) {
    fmt::format_to(std::back_inserter(*out), R"(,"thoughtsTokenCount":{})",
                   completion.reasoning_tokens);
  }
  *out += R"(},"modelVersion":)";
  AppendJsonString(completion.model, out);
  fmt::format_to(std::back_inserter(*out), R"(,"responseId":"{}"}})", completion.id);
}

class Gemini final : public Dialect {
 public:
  std::string_view KeyOf(const ApiCall& call) const override {
    const std::string_view key = call.Header("x-goog-api-key");
    return key.empty() ? call.query_key : key;
  }

  std::optional<ApiError> Read(const ApiCall& call, ApiRequest* request) const override {
    return gemini::ReadRequest(call, request);
  }

  ApiError Refuse(Refusal refusal, const RefusalFacts& facts) const override {
    switch (refusal) {
      case Refusal::kNoKey:
        return Error(403,
                     "Method doesn't allow unregistered callers (callers without established "
                     "identity). Please use API Key or other form of API consumer identity to call "
                     "this API.");
      case Refusal::kWrongKey:
        return gemini::Invalid("API key not valid. Please pass a valid API key.",
                               R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":)"
                               R"("API_KEY_INVALID","domain":"googleapis.com","metadata":)"
                               R"({"service":"generativelanguage.googleapis.com"}})");
      case Refusal::kForbidden:
        return Error(403, "The caller does not have permission");
      case Refusal::kNoSuchModel:
        return Error(404,
                     fmt::format("models/{} is not found for API version v1beta, or is not "
                                 "supported for generateContent. Call ListModels to see the list "
                                 "of available models and their supported methods.",
                                 facts.model));
      case Refusal::kRateLimit:
        if (facts.limit == 0 || facts.limit_kind == Verdict::kInFlight) {
          ApiError error = Error(429, "Resource has been exhausted (e.g. check quota).");
          const Duration wait = facts.retry_after.value_or(Duration{0});
          if (facts.retry_info && wait.count() > 0) error.details = RetryInfo(wait);
          return error;
        }
        return QuotaError(facts, facts.limit_kind, facts.limit,
                          IsPerDay(facts.limit_kind) ? kDailyRetryDelay : facts.retry_after);
      case Refusal::kOutOfCredit:
        return Error(429,
                     "Your prepayment credits are depleted. Please go to AI Studio at "
                     "https://ai.studio/projects to manage your project and billing.");
      case Refusal::kPaymentRequired:
        return Error(402, "This project's billing account has a payment issue.");
      case Refusal::kSpendCap:
        return Error(429,
                     "Your project has exceeded its monthly spending cap. Please go to AI Studio "
                     "at https://ai.studio/spend to manage your project spend cap.");
      case Refusal::kDailyQuota:
        return QuotaError(facts, Verdict::kRequestsPerDay, 250, kDailyRetryDelay);
      case Refusal::kUnsupportedParameter:
        return gemini::Invalid(
            "Invalid JSON payload received. Unknown name \"simulated\": Cannot find field.");
      case Refusal::kStreamOnly:
        return gemini::Invalid("This model only supports streamGenerateContent.");
      case Refusal::kTooLarge:
        return gemini::Invalid("Request payload size exceeds the limit: 20971520 bytes.");
      case Refusal::kTimeout:
      case Refusal::kGatewayTimeout:
        return Error(504, "Deadline expired before operation could complete.");
      case Refusal::kServerError:
      case Refusal::kBadGateway:
        return Error(500,
                     "An internal error has occurred. Please retry or report in "
                     "https://developers.generativeai.google/guide/troubleshooting");
      case Refusal::kUnavailable:
      case Refusal::kOverloaded:
        return Error(503, "The model is overloaded. Please try again later.");
    }
    return {};
  }
  ApiError RefuseSystem() const override {
    return gemini::Invalid("Developer instruction is not enabled for this model.");
  }
  ApiError RefuseExhausted() const override {
    return gemini::Invalid("max_output_tokens was reached while thinking.");
  }
  ApiError RefuseLogProbabilities() const override {
    return gemini::Invalid("Logprobs is not supported for the current model");
  }
  ApiError RefuseParameter(std::string_view name) const override {
    return gemini::Invalid(fmt::format("{} is not supported for this model", name));
  }

  std::string Write(const Completion& completion) const override {
    std::string out;
    out.reserve(600 + completion.text.size());
    AppendResponse(completion, completion.text, /*last=*/true, &out);
    return out;
  }

  std::string WriteStream(const Completion& completion, StreamForm form) const override {
    const bool array = form == StreamForm::kArray;
    std::string out(array ? "[" : "");
    const std::string_view first =
        TakeTokens(completion.text, (CountTokens(completion.text) + 1) / 2);
    const std::string_view rest = completion.text.substr(first.size());
    // Log-probabilities are of the whole text, and come with its end.
    const bool two = !rest.empty();
    for (int piece = two ? 0 : 1; piece < 2; ++piece) {
      const bool last = piece == 1;
      if (!array) out += "data: ";
      AppendResponse(completion, last ? (two ? rest : first) : first, last, &out);
      out += array ? (last ? "]" : ",\r\n") : "\r\n\r\n";
    }
    return out;
  }

  std::string WriteError(const ApiError& error) const override {
    std::string out = fmt::format(R"({{"error":{{"code":{},"message":)", error.status);
    AppendJsonString(error.message, &out);
    out += R"(,"status":)";
    AppendJsonString(error.type, &out);
    if (!error.details.empty())
      fmt::format_to(std::back_inserter(out), R"(,"details":[{}])", error.details);
    return out + "}}";
  }

  std::string WriteErrorEvent(const ApiError& error) const override {
    return "data: " + WriteError(error) + "\r\n\r\n";
  }

  std::string_view IdPrefix() const override { return ""; }

  // Quotas for tokens are of the input.
  Charge ChargeAtBegin(const ApiRequest& request) const override {
    return {request.prompt_tokens, request.prompt_tokens, 0};
  }
  Charge ChargeAtEnd(const Completion& completion) const override {
    return {0, 0, completion.completion_tokens};
  }
};

}  // namespace

const Dialect& GeminiDialect() {
  static const Gemini kDialect;
  return kDialect;
}

}  // namespace candor::simulator
