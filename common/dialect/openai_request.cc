#include "common/base/json_writer.h"
#include "common/dialect/json_text.h"
#include "common/dialect/openai.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace candor::dialect {
namespace {

void AppendInteger(std::int64_t number, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{}", number);
}

// Begins a further field of the body.
void AppendKey(std::string_view key, std::string* out) {
  out->push_back(',');
  AppendJsonString(key, out);
  out->push_back(':');
}

void AppendMessage(std::string_view role, std::string_view content, bool first, std::string* out) {
  out->append(first ? "{\"role\":" : ",{\"role\":");
  AppendJsonString(role, out);
  out->append(",\"content\":");
  AppendJsonString(content, out);
  out->push_back('}');
}

Status AppendMessages(const RequestInput& input, std::string* out) {
  const std::string& system_as = input.rule.system_as();
  const bool fold = system_as == "user";
  if (!fold && !system_as.empty() && system_as != "system" && system_as != "developer") {
    return InvalidArgument("system_as: is \"{}\"; give system, developer or user", system_as);
  }
  // The system messages, for the first user message to take.
  std::string folded;
  if (fold) {
    for (std::size_t i = 0; i < input.prompt.size(); ++i) {
      if (input.prompt.role(i) == "system") folded.append(input.contents[i]).append("\n\n");
    }
  }
  bool first = true;
  for (std::size_t i = 0; i < input.prompt.size(); ++i) {
    std::string_view role = input.prompt.role(i);
    if (role == "system") {
      if (fold) continue;
      if (!system_as.empty()) role = system_as;
    }
    if (role == "user" && !folded.empty()) {
      AppendMessage(role, folded + input.contents[i], first, out);
      folded.clear();
    } else {
      AppendMessage(role, input.contents[i], first, out);
    }
    first = false;
  }
  return absl::OkStatus();
}

// A strict JSON schema: one required number an attribute, in the order shown, because servers that
// constrain by grammar write the properties in the order of the schema.
void AppendReportSchema(const RequestInput& input, std::string* out) {
  out->append(
      ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"self_report\","
      "\"strict\":true,\"schema\":{\"type\":\"object\",\"properties\":{");
  const auto& order = input.trial.attribute_order;
  const auto name = [&](std::uint32_t k) -> const std::string& {
    return input.scenario.attributes(static_cast<int>(k)).name();
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendJsonString(name(order[i]), out);
    out->append(":{\"type\":\"number\",\"minimum\":-100,\"maximum\":100}");
  }
  out->append("},\"required\":[");
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendJsonString(name(order[i]), out);
  }
  out->append("],\"additionalProperties\":false}}}");
}

Status AppendSampling(const RequestInput& input, const v1::Sampling& sampling, int samples,
                      std::string* out) {
  for (const double number : {sampling.temperature(), sampling.top_p()}) {
    if (!std::isfinite(number)) {
      return InvalidArgument("sampling: temperature and top_p must be finite numbers");
    }
  }
  if (sampling.has_temperature()) {
    AppendKey("temperature", out);
    AppendNumber(sampling.temperature(), out);
  }
  if (sampling.has_top_p()) {
    AppendKey("top_p", out);
    AppendNumber(sampling.top_p(), out);
  }
  if (sampling.has_max_output_tokens()) {
    const std::string& field = input.rule.max_tokens_field();
    AppendKey(field.empty() ? "max_tokens" : std::string_view(field), out);
    AppendInteger(sampling.max_output_tokens(), out);
  }
  if (sampling.has_seed()) {
    AppendKey("seed", out);
    AppendInteger(sampling.seed() + (samples > 1 ? input.sample : 0), out);
  }
  if (sampling.has_reasoning_effort()) {
    AppendKey("reasoning_effort", out);
    AppendJsonString(sampling.reasoning_effort(), out);
  }
  return absl::OkStatus();
}

// Whether a field of extra_body would be there twice, or changes what a reply is.
bool IsTaken(std::string_view field, const RequestInput& input, const v1::Sampling& sampling) {
  const auto sent = [&](std::string_view name, bool is_sent) { return is_sent && field == name; };
  const std::string& max_tokens_field = input.rule.max_tokens_field();
  const bool log_probabilities = input.kind == v1::Cell::CHOICE && sampling.has_log_probabilities();
  return field == "model" || field == "messages" || field == "n" || field == "stream" ||
         sent("temperature", sampling.has_temperature()) || sent("top_p", sampling.has_top_p()) ||
         sent(max_tokens_field.empty() ? "max_tokens" : std::string_view(max_tokens_field),
              sampling.has_max_output_tokens()) ||
         sent("seed", sampling.has_seed()) ||
         sent("reasoning_effort", sampling.has_reasoning_effort()) ||
         sent("logprobs", log_probabilities) || sent("top_logprobs", log_probabilities) ||
         sent("response_format", input.kind == v1::Cell::SELF_REPORT &&
                                     sampling.response_schema() == v1::Sampling::SCHEMA);
}

}  // namespace

Status OpenAiDialect::RenderRequest(const RequestInput& input, std::string* body) const {
  const bool choice = input.kind == v1::Cell::CHOICE;
  const v1::Sampling& sampling =
      choice ? input.entry.choices().sampling() : input.entry.self_reports().sampling();
  const int samples = choice ? input.entry.choices().samples_per_trial() : 1;

  body->clear();
  body->append("{\"model\":");
  AppendJsonString(input.entry.model(), body);
  body->append(",\"messages\":[");
  CANDOR_RETURN_IF_ERROR(AppendMessages(input, body));
  body->push_back(']');
  CANDOR_RETURN_IF_ERROR(AppendSampling(input, sampling, samples, body));
  if (choice && sampling.has_log_probabilities()) {
    body->append(",\"logprobs\":true,\"top_logprobs\":");
    AppendInteger(sampling.log_probabilities(), body);
  }
  if (!choice && sampling.response_schema() == v1::Sampling::SCHEMA) {
    AppendReportSchema(input, body);
  }
  for (const auto& [field, value] : sampling.extra_body().fields()) {
    if (IsTaken(field, input, sampling)) {
      return InvalidArgument(
          "extra_body.{}: Candor sets this field itself; leave it out here (sampling has what may "
          "be chosen)",
          field);
    }
  }
  CANDOR_RETURN_IF_ERROR(AppendFields(sampling.extra_body(), "extra_body", body));
  body->push_back('}');
  return absl::OkStatus();
}

}  // namespace candor::dialect
