#include "common/dialect/dialect.h"

#include "common/base/config.h"
#include "common/dialect/anthropic.h"
#include "common/dialect/error_body.h"
#include "common/dialect/error_rules.h"
#include "common/dialect/gemini.h"
#include "common/dialect/openai.h"
#include "common/dialect/openai_responses.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace candor::dialect {
namespace {

bool IsEventStream(HeaderFinder header) {
  const auto type = header("content-type");
  constexpr std::string_view kEventStream = "text/event-stream";
  return type && AsciiLower(type->substr(0, kEventStream.size())) == kEventStream;
}

// An outcome without a text, in the provider's own words.
void SayNothing(v1::Outcome::Class outcome_class, std::string_view finish_reason,
                const ReplyExpectation& expectation, v1::Outcome* outcome) {
  outcome->set_class_(outcome_class);
  outcome->set_finish_reason(std::string(finish_reason));
  if (expectation.kind == v1::Cell::CHOICE) outcome->set_choice(v1::Outcome::CHOICE_UNSPECIFIED);
}

}  // namespace

StatusOr<const Dialect*> FindDialect(std::string_view name) {
  static const std::array<const Dialect*, 4> kDialects = {
      new OpenAiDialect, new OpenAiResponsesDialect, new AnthropicDialect, new GeminiDialect};
  if (name.empty()) return kDialects.front();
  for (const Dialect* dialect : kDialects) {
    if (dialect->name() == name) return dialect;
  }
  return InvalidArgument("dialect: \"{}\" is not known; give one of {}", name,
                         fmt::join(DialectNames(), ", "));
}

std::optional<ProviderError> ReadAnswer(const Dialect& dialect, const Answer& answer,
                                        const ReplyExpectation& expectation, v1::Outcome* outcome) {
  if (answer.status == 200) {
    return IsEventStream(answer.header) ? dialect.ReadStream(answer.body, expectation, outcome)
                                        : dialect.ReadReply(answer.body, expectation, outcome);
  }
  if (answer.status == 400 || answer.status == 403) {
    const ErrorBody body = ReadErrorBody(answer.body);
    if (SaysPromptWasFiltered(body)) {
      SayNothing(v1::Outcome::PROVIDER_BLOCKED, "content_filter", expectation, outcome);
      return std::nullopt;
    }
    if (SaysLimitWasUsedUp(body)) {
      SayNothing(v1::Outcome::REASONING_EXHAUSTED, "length", expectation, outcome);
      return std::nullopt;
    }
  }
  return dialect.ClassifyError(answer);
}

const v1::ModelRule& FindModelRule(const v1::Endpoint& endpoint, std::string_view model) {
  const v1::ModelRule* rule = candor::FindModelRule(endpoint, model);
  return rule == nullptr ? v1::ModelRule::default_instance() : *rule;
}

bool Streams(const v1::ModelRule& rule) { return rule.stream() == "always"; }

}  // namespace candor::dialect
