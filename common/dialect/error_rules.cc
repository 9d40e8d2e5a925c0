#include "common/dialect/error_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace candor::dialect {
namespace {

using v1::Attempt;

// Where a rule looks.
enum class In {
  // One of the words (code, type, status, reason) is this.
  kWord,
  // One of the words contains this.
  kPartOfWord,
  // The message contains this.
  kMessage,
};

// With which statuses a rule holds; messages are prose, and say "deprecated" of many things.
enum class When { kAlways, kLimited, kRefused };

struct Rule {
  Attempt::ErrorClass error_class;
  In in;
  // In lower case.
  std::string_view text;
  When when = When::kAlways;
};

// The first that fits counts. `invalid_request_error` and `server_error` are no rules: providers
// send them as the type of everything.
constexpr std::array kRules = {
    // Larger than what a minute, or the model, takes: waiting cannot mend it.
    Rule{Attempt::INVALID_REQUEST, In::kMessage, "request too large for", When::kLimited},
    Rule{Attempt::INVALID_REQUEST, In::kWord, "context_length_exceeded"},
    Rule{Attempt::INVALID_REQUEST, In::kMessage, "maximum context length", When::kRefused},
    Rule{Attempt::INVALID_REQUEST, In::kMessage, "prompt is too long", When::kRefused},
    Rule{Attempt::INVALID_REQUEST, In::kMessage, "exceeds the maximum number of tokens",
         When::kRefused},
    Rule{Attempt::INVALID_REQUEST, In::kWord, "request_too_large"},
    Rule{Attempt::INVALID_REQUEST, In::kWord, "content_policy_violation"},
    Rule{Attempt::INVALID_REQUEST, In::kWord, "content_filter"},

    Rule{Attempt::QUOTA_EXHAUSTED, In::kPartOfWord, "insufficient_quota"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kPartOfWord, "billing"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kPartOfWord, "insufficient_balance"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kPartOfWord, "insufficient_credit"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kPartOfWord, "insufficient_funds"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kPartOfWord, "quota_exhausted"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "credit balance is too low"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "insufficient balance"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "insufficient credits"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "insufficient_quota"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "credits are depleted"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "billing hard limit"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "enable billing"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "spending limit"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "spend limit"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "spending cap"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "spend cap"},
    Rule{Attempt::QUOTA_EXHAUSTED, In::kMessage, "api usage limits"},

    Rule{Attempt::OVERLOADED, In::kPartOfWord, "overloaded"},
    Rule{Attempt::OVERLOADED, In::kWord, "unavailable"},

    Rule{Attempt::DAILY_LIMIT, In::kMessage, "per day", When::kLimited},
    Rule{Attempt::DAILY_LIMIT, In::kMessage, "per-day", When::kLimited},
    Rule{Attempt::DAILY_LIMIT, In::kMessage, "(rpd)", When::kLimited},
    Rule{Attempt::DAILY_LIMIT, In::kMessage, "(tpd)", When::kLimited},
    Rule{Attempt::DAILY_LIMIT, In::kMessage, "daily limit", When::kLimited},
    Rule{Attempt::DAILY_LIMIT, In::kMessage, "daily quota", When::kLimited},
    Rule{Attempt::DAILY_LIMIT, In::kMessage, "daily rate limit", When::kLimited},
    Rule{Attempt::DAILY_LIMIT, In::kPartOfWord, "daily_limit"},

    Rule{Attempt::RATE_LIMITED, In::kPartOfWord, "rate_limit"},
    Rule{Attempt::RATE_LIMITED, In::kPartOfWord, "ratelimit"},
    Rule{Attempt::RATE_LIMITED, In::kPartOfWord, "too_many_requests"},
    Rule{Attempt::RATE_LIMITED, In::kPartOfWord, "throttl"},
    Rule{Attempt::RATE_LIMITED, In::kWord, "resource_exhausted"},

    Rule{Attempt::AUTHENTICATION, In::kWord, "invalid_api_key"},
    Rule{Attempt::AUTHENTICATION, In::kWord, "authentication_error"},
    Rule{Attempt::AUTHENTICATION, In::kWord, "api_key_invalid"},
    Rule{Attempt::AUTHENTICATION, In::kWord, "unauthenticated"},
    Rule{Attempt::AUTHENTICATION, In::kWord, "account_deactivated"},
    Rule{Attempt::AUTHENTICATION, In::kWord, "no_api_key"},
    Rule{Attempt::PERMISSION, In::kWord, "permission_error"},
    Rule{Attempt::PERMISSION, In::kWord, "permission_denied"},
    Rule{Attempt::PERMISSION, In::kPartOfWord, "unsupported_country"},
    Rule{Attempt::PERMISSION, In::kMessage, "location is not supported", When::kRefused},

    Rule{Attempt::REFUSED_PARAMETER, In::kWord, "unsupported_parameter"},
    Rule{Attempt::REFUSED_PARAMETER, In::kWord, "unsupported_value"},
    Rule{Attempt::REFUSED_PARAMETER, In::kWord, "unknown_parameter"},
    Rule{Attempt::REFUSED_PARAMETER, In::kWord, "extra_forbidden"},
    Rule{Attempt::REFUSED_PARAMETER, In::kMessage, "system role not supported", When::kRefused},
    Rule{Attempt::REFUSED_PARAMETER, In::kMessage, "conversation roles must alternate",
         When::kRefused},
    Rule{Attempt::REFUSED_PARAMETER, In::kMessage, "only support stream", When::kRefused},
    Rule{Attempt::REFUSED_PARAMETER, In::kMessage, "only supports stream", When::kRefused},
    Rule{Attempt::REFUSED_PARAMETER, In::kMessage, "unknown name", When::kRefused},
    // Wherever it stands, every request of the entry has it.
    Rule{Attempt::REFUSED_PARAMETER, In::kMessage, "extra inputs are not permitted",
         When::kRefused},

    Rule{Attempt::NOT_FOUND, In::kWord, "model_not_found"},
    Rule{Attempt::NOT_FOUND, In::kWord, "model_decommissioned"},
    Rule{Attempt::NOT_FOUND, In::kWord, "not_found_error"},
    Rule{Attempt::NOT_FOUND, In::kWord, "not_found"},
    Rule{Attempt::NOT_FOUND, In::kWord, "deploymentnotfound"},

    Rule{Attempt::TIMEOUT, In::kWord, "timeout_error"},
    Rule{Attempt::TIMEOUT, In::kWord, "deadline_exceeded"},
};

// What is said of a model that is gone; the message must name a model, too.
constexpr std::array<std::string_view, 10> kGone = {
    "deprecated",       "decommissioned",      "shut down",           "has been retired",
    "sunset",           "discontinued",        "no longer available", "does not exist",
    "no longer served", "is not a valid model"};

// Parameters that every request of an entry has, by the names of all dialects.
constexpr std::array<std::string_view, 36> kParameters = {"temperature",
                                                          "top_p",
                                                          "topp",
                                                          "max_tokens",
                                                          "max_completion_tokens",
                                                          "max_output_tokens",
                                                          "maxoutputtokens",
                                                          "seed",
                                                          "logprobs",
                                                          "top_logprobs",
                                                          "logprob",
                                                          "responselogprobs",
                                                          "response_format",
                                                          "response_schema",
                                                          "responseschema",
                                                          "responsejsonschema",
                                                          "response_mime_type",
                                                          "responsemimetype",
                                                          "json mode",
                                                          "json_schema",
                                                          "reasoning_effort",
                                                          "reasoning.effort",
                                                          "reasoning",
                                                          "thinking",
                                                          "thinking_level",
                                                          "thinking_budget",
                                                          "thinkinglevel",
                                                          "thinkingbudget",
                                                          "thinkingconfig",
                                                          "output_config",
                                                          "output_format",
                                                          "stream",
                                                          "stream_options",
                                                          "system",
                                                          "developer",
                                                          "effort"};

constexpr std::array<std::string_view, 22> kRefusals = {
    "not supported",   "unsupported",      "does not support",
    "doesn't support", "not permitted",    "not allowed",
    "unknown",         "unrecognized",     "unexpected",
    "deprecated",      "no longer",        "not available",
    "not enabled",     "only the default", "is invalid",
    "invalid value",   "must be",          "cannot be",
    "range",           "cannot both",      "not compatible",
    "extra inputs"};

// Parts of a request that differ from cell to cell.
constexpr std::array<std::string_view, 8> kContent = {
    "messages",          "input",       "prompt", "contents", "content", "system_instruction",
    "systeminstruction", "instructions"};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

// Whether `text` has `word` with nothing of a name around it.
bool HasWord(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !IsLetter(text[at - 1])) && (end == text.size() || !IsLetter(text[end]))) {
      return true;
    }
  }
  return false;
}

bool IsContent(std::string_view parameter) {
  const std::string lower = AsciiLower(parameter.substr(0, parameter.find_first_of(".[")));
  return std::find(kContent.begin(), kContent.end(), lower) != kContent.end();
}

// Whether the provider refuses a parameter that every request of the entry has.
bool RefusesParameter(const ErrorBody& body, std::string_view message) {
  if (!body.parameter.empty()) return !IsContent(body.parameter);
  const auto is_said = [&](std::string_view phrase) { return Contains(message, phrase); };
  const auto is_named = [&](std::string_view name) { return HasWord(message, name); };
  return std::any_of(kParameters.begin(), kParameters.end(), is_named) &&
         std::any_of(kRefusals.begin(), kRefusals.end(), is_said);
}

bool Fits(const Rule& rule, const ErrorBody& body, std::string_view message, int status) {
  if (rule.when == When::kLimited && status != 0 && status != 429 && status != 403) return false;
  if (rule.when == When::kRefused && status != 0 && (status < 400 || status > 422)) return false;
  switch (rule.in) {
    case In::kWord:
      return body.HasWord(rule.text);
    case In::kPartOfWord:
      return body.MentionsWord(rule.text);
    case In::kMessage:
      return Contains(message, rule.text);
  }
  return false;
}

}  // namespace

Attempt::ErrorClass ClassOfBody(const ErrorBody& body, int status) {
  const std::string message = AsciiLower(body.message);
  const bool refused = status == 400 || status == 404 || status == 410 || status == 422;
  // Google says so of every quota, those of a minute too.
  if (!body.quota_failure && !body.HasWord("resource_exhausted") &&
      Contains(message, "exceeded your current quota")) {
    return Attempt::QUOTA_EXHAUSTED;
  }
  for (const Rule& rule : kRules) {
    // Google's details are exact, and its message speaks of billing whatever the quota is.
    if (body.quota_failure && rule.error_class == Attempt::DAILY_LIMIT) break;
    if (Fits(rule, body, message, status)) return rule.error_class;
  }
  if (body.quota_failure) {
    if (body.zero_quota || Contains(message, "limit: 0,") || message.ends_with("limit: 0")) {
      return Attempt::QUOTA_EXHAUSTED;
    }
    return body.daily_quota ? Attempt::DAILY_LIMIT : Attempt::RATE_LIMITED;
  }
  if ((status == 400 || status == 422) && RefusesParameter(body, message)) {
    return Attempt::REFUSED_PARAMETER;
  }
  const auto is_said = [&](std::string_view phrase) { return Contains(message, phrase); };
  if (refused && HasWord(message, "model") && std::any_of(kGone.begin(), kGone.end(), is_said)) {
    return Attempt::NOT_FOUND;
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
    case 410:
      return Attempt::NOT_FOUND;
    case 408:
      return Attempt::TIMEOUT;
    case 409:
    case 425:
    case 499:
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

bool SaysPromptWasFiltered(const ErrorBody& body) {
  if (body.flagged_input || body.HasWord("content_filter") ||
      body.HasWord("responsibleaipolicyviolation") || body.HasWord("content_policy_violation")) {
    return true;
  }
  return body.HasWord("invalid_prompt") && Contains(AsciiLower(body.message), "flagged");
}

bool SaysLimitWasUsedUp(const ErrorBody& body) {
  return Contains(AsciiLower(body.message), "output limit was reached");
}

std::string AdviceFor(const ErrorBody& body) {
  const std::string message = AsciiLower(body.message);
  const auto rule = [](std::string_view words) {
    return fmt::format(
        "in candor.yaml, which coordinator and workers read when they start, the model's rule may "
        "say `{}`",
        words);
  };
  if (Contains(message, "max_completion_tokens")) {
    return rule("max_tokens_field: max_completion_tokens");
  }
  if (Contains(message, "only support stream") || Contains(message, "only supports stream")) {
    return rule("stream: always");
  }
  if (HasWord(message, "system") || HasWord(message, "'system'") ||
      Contains(message, "roles must alternate")) {
    return rule("system_as: user");
  }
  for (const std::string_view parameter : {"temperature", "top_p"}) {
    if (Contains(message, parameter)) return fmt::format("a new job may leave {} out", parameter);
  }
  return {};
}

}  // namespace candor::dialect
