#include "common/scenario/check_counts.h"

#include "common/scenario/describe.h"
#include "common/scenario/trial.h"

#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace candor::scenario {
namespace {

constexpr std::int64_t kMaxSeed = std::int64_t{1} << 53U;
// More than any model writes, and little enough to be multiplied by any number of cells.
constexpr int kMaxOutputTokens = 10'000'000;
constexpr std::size_t kMaxExtraBodyBytes = 256U << 10U;
constexpr std::size_t kMaxReasoningEffortLength = 64;

// What Candor writes into a request body itself; `n` and `stream` would change how many replies
// come back, and in which form.
constexpr std::array<std::string_view, 13> kOwnFields = {
    "model",          "messages",     "n",
    "stream",         "temperature",  "top_p",
    "max_tokens",     "seed",         "max_completion_tokens",
    "logprobs",       "top_logprobs", "reasoning_effort",
    "response_format"};

// Whether every number can be written as JSON. The depth is bounded by the reader that made the
// value.
bool IsJson(const google::protobuf::Struct& value);

bool IsJson(const google::protobuf::Value& value) {
  if (value.has_number_value()) return std::isfinite(value.number_value());
  if (value.has_struct_value()) return IsJson(value.struct_value());
  if (value.has_list_value()) {
    const auto& values = value.list_value().values();
    return std::all_of(values.begin(), values.end(),
                       [](const google::protobuf::Value& item) { return IsJson(item); });
  }
  return true;
}

bool IsJson(const google::protobuf::Struct& value) {
  return std::all_of(value.fields().begin(), value.fields().end(),
                     [](const auto& field) { return IsJson(field.second); });
}

void CheckExtraBody(const google::protobuf::Struct& extra, const std::string& path,
                    FieldViolations& violations) {
  for (const std::string_view own : kOwnFields) {
    if (!extra.fields().contains(std::string(own))) continue;
    Add(violations, Join(path, own),
        "is a field that Candor sets itself; leave it out, and use the sampling's own field where "
        "there is one. Refused are {}",
        fmt::join(kOwnFields, ", "));
  }
  if (extra.ByteSizeLong() > kMaxExtraBodyBytes) {
    Add(violations, path, "has {} bytes; give at most {}", extra.ByteSizeLong(),
        kMaxExtraBodyBytes);
  }
  if (!IsJson(extra)) {
    Add(violations, path, "holds a number that is not finite; JSON has none");
  }
}

void CheckSampling(const v1::Sampling& sampling, bool is_choice, const std::string& path,
                   FieldViolations& violations) {
  if (sampling.has_temperature() && !(sampling.temperature() >= 0 && sampling.temperature() <= 2)) {
    Add(violations, Join(path, "temperature"), "is {}; give a number from 0 to 2, or leave it out",
        FormatValue(sampling.temperature()));
  }
  if (sampling.has_top_p() && !(sampling.top_p() > 0 && sampling.top_p() <= 1)) {
    Add(violations, Join(path, "top_p"),
        "is {}; give a number above 0 and at most 1, or leave it out",
        FormatValue(sampling.top_p()));
  }
  if (sampling.has_max_output_tokens() &&
      (sampling.max_output_tokens() < 1 || sampling.max_output_tokens() > kMaxOutputTokens)) {
    Add(violations, Join(path, "max_output_tokens"), "is {}; give 1 to {}, or leave it out",
        sampling.max_output_tokens(), kMaxOutputTokens);
  }
  if (sampling.has_seed() && (sampling.seed() > kMaxSeed || sampling.seed() < -kMaxSeed)) {
    Add(violations, Join(path, "seed"), "is {}; give a number from -2^53 to 2^53", sampling.seed());
  }
  if (sampling.has_reasoning_effort()) {
    const std::string field = Join(path, "reasoning_effort");
    if (sampling.reasoning_effort().empty()) {
      Add(violations, field,
          "is empty; give the provider's own word, such as 'low', or leave it out");
    }
    CheckText(sampling.reasoning_effort(), kMaxReasoningEffortLength, true, field, violations);
  }
  if (sampling.has_log_probabilities()) {
    const std::string field = Join(path, "log_probabilities");
    if (!is_choice) {
      Add(violations, field, "is set for self-reports; it is for choices only, leave it out");
    } else if (sampling.log_probabilities() < 1 || sampling.log_probabilities() > 20) {
      Add(violations, field, "is {}; give a number from 1 to 20, or leave it out",
          sampling.log_probabilities());
    }
  }
  const std::string schema = Join(path, "response_schema");
  if (!v1::Sampling::ResponseSchema_IsValid(sampling.response_schema())) {
    Add(violations, schema, "is {}, which is no such value; give NONE or SCHEMA",
        static_cast<int>(sampling.response_schema()));
  } else if (is_choice && sampling.response_schema() == v1::Sampling::SCHEMA) {
    Add(violations, schema, "is SCHEMA for choices; it is for self-reports only, leave it out");
  }
  if (sampling.has_extra_body()) {
    CheckExtraBody(sampling.extra_body(), Join(path, "extra_body"), violations);
  }
}

void CheckAdaptive(const v1::Choices& choices, const std::string& path,
                   FieldViolations& violations) {
  if (!v1::Choices::Design_IsValid(choices.design())) {
    Add(violations, Join(path, "design"), "is {}, which is no such value; give RANDOM or ADAPTIVE",
        static_cast<int>(choices.design()));
    return;
  }
  if (!choices.has_adaptive()) return;
  const std::string adaptive = Join(path, "adaptive");
  if (choices.design() != v1::Choices::ADAPTIVE) {
    Add(violations, adaptive,
        "is set, but the design is RANDOM; give design ADAPTIVE, or leave it out");
  }
  const v1::Choices::Adaptive& given = choices.adaptive();
  if (given.has_random_pairs() && (given.random_pairs() < 1 || given.random_pairs() > 1'000)) {
    Add(violations, Join(adaptive, "random_pairs"),
        "is {}; give a number from 1 to 1,000, or leave it out", given.random_pairs());
  }
  if (given.has_candidates() && (given.candidates() < 2 || given.candidates() > 1'024)) {
    Add(violations, Join(adaptive, "candidates"),
        "is {}; give a number from 2 to 1,024, or leave it out", given.candidates());
  }
}

}  // namespace

void CheckChoices(const v1::Choices& choices, const std::string& path,
                  FieldViolations& violations) {
  const std::string trials = Join(path, "trials_per_scenario");
  if (choices.trials_per_scenario() < 0) {
    Add(violations, trials, "is {}; give 0 (no choices) or more", choices.trials_per_scenario());
  }
  if (!v1::Choices::Orders_IsValid(choices.orders())) {
    Add(violations, Join(path, "orders"), "is {}, which is no such value; give ONE or BOTH",
        static_cast<int>(choices.orders()));
  } else if (choices.orders() == v1::Choices::BOTH && choices.trials_per_scenario() % 2 != 0) {
    Add(violations, trials,
        "is {}, an odd number; with orders BOTH each pair takes two, give an even number",
        choices.trials_per_scenario());
  }
  if (choices.has_samples_per_trial() && choices.samples_per_trial() < 1) {
    Add(violations, Join(path, "samples_per_trial"), "is {}; give at least 1, or leave it out",
        choices.samples_per_trial());
  }
  CheckAdaptive(choices, path, violations);
  CheckSampling(choices.sampling(), true, Join(path, "sampling"), violations);
}

void CheckSelfReports(const v1::SelfReports& self_reports, const std::string& path,
                      FieldViolations& violations) {
  if (self_reports.reports_per_scenario() < 0) {
    Add(violations, Join(path, "reports_per_scenario"), "is {}; give 0 (no self-reports) or more",
        self_reports.reports_per_scenario());
  }
  CheckSampling(self_reports.sampling(), false, Join(path, "sampling"), violations);
}

void CheckRetry(const v1::Retry& retry, const std::string& path, FieldViolations& violations) {
  if (retry.has_max_attempts() && (retry.max_attempts() < 1 || retry.max_attempts() > 20)) {
    Add(violations, Join(path, "max_attempts"), "is {}; give a number from 1 to 20",
        retry.max_attempts());
  }
}

void CheckBudget(const v1::Budget& budget, const std::string& path, FieldViolations& violations) {
  const auto check = [&](std::int64_t value, std::string_view name) {
    if (value >= 0) return;
    Add(violations, Join(path, name), "is {}; give 0 (no limit) or more", value);
  };
  check(budget.calls(), "calls");
  check(budget.tokens(), "tokens");
  check(budget.money(), "money");
}

}  // namespace candor::scenario
