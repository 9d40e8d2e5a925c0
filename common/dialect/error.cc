#include "common/dialect/error.h"

#include "common/base/json_writer.h"
#include "common/dialect/error_body.h"
#include "common/dialect/error_rules.h"
#include "common/dialect/retry_after.h"

#include <fmt/format.h>

#include <algorithm>

namespace candor::dialect {
namespace {

using v1::Attempt;

// `true` and `false` of x-should-retry, which SDKs obey before anything else.
void ObeyShouldRetry(HeaderFinder header, ProviderError* error) {
  const auto says = header("x-should-retry");
  if (!says) return;
  const bool client = error->error_class == Attempt::INVALID_REQUEST;
  const bool server = error->error_class == Attempt::SERVER_ERROR ||
                      error->error_class == Attempt::OVERLOADED ||
                      error->error_class == Attempt::TIMEOUT;
  if (*says == "true" && client) error->error_class = Attempt::SERVER_ERROR;
  if (*says == "false" && server) error->error_class = Attempt::INVALID_REQUEST;
}

// How long the group waits; for the rest of a day where that is what is meant.
std::optional<Duration> WaitOf(const ErrorBody& body, Attempt::ErrorClass error_class,
                               HeaderFinder header, WallTime now) {
  if (error_class != Attempt::DAILY_LIMIT) return RetryAfter(header, body, now);
  const auto wait = RetryAfter(header, body, now, kMaxDailyRetryAfter);
  if (!body.daily_quota || now == WallTime{}) return wait;
  if (const auto sent = header("date")) now = ParseHttpDate(*sent).value_or(now);
  // A RetryInfo of some seconds is the per-minute answer to a per-day question.
  return wait && *wait > std::chrono::hours(1) ? wait : UntilPacificMidnight(now);
}

}  // namespace

ProviderError ClassifyError(const Answer& answer) {
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
  error.error_class = ClassOfBody(body, answer.status);
  // The words of the body come first: a status alone stands for too many things.
  if (error.error_class == Attempt::ERROR_CLASS_UNSPECIFIED) {
    error.error_class = ClassOfStatus(answer.status);
    ObeyShouldRetry(answer.header, &error);
  }
  error.text = CleanText(body.message, kMaxErrorTextBytes);
  if (error.text.empty()) {
    error.text = fmt::format("the provider answered {} without a text", answer.status);
  }
  if (error.error_class == Attempt::REFUSED_PARAMETER) {
    const std::string advice = AdviceFor(body);
    if (!advice.empty()) {
      error.text = CleanText(fmt::format("{} ({})", error.text, advice), kMaxErrorTextBytes);
    }
  }
  error.retry_after = WaitOf(body, error.error_class, answer.header, answer.now);
  return error;
}

ProviderError ClassifyErrorInReply(const ErrorBody& body, WallTime now) {
  ProviderError error;
  error.error_class = ClassOfBody(body, body.status);
  if (error.error_class == Attempt::ERROR_CLASS_UNSPECIFIED && body.status != 0) {
    error.error_class = ClassOfStatus(body.status);
  }
  if (error.error_class == Attempt::ERROR_CLASS_UNSPECIFIED) {
    error.error_class = Attempt::MALFORMED_RESPONSE;
  }
  error.text = CleanText(fmt::format("status 200 with an error inside: {}", body.message),
                         kMaxErrorTextBytes);
  const auto no_header = [](std::string_view) { return std::optional<std::string_view>(); };
  error.retry_after = WaitOf(body, error.error_class, no_header, now);
  return error;
}

ProviderError ClassifyErrorInReply(std::string_view text, WallTime now) {
  return ClassifyErrorInReply(ReadErrorBody(text), now);
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
