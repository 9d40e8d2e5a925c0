#include "worker/provider/redact.h"

#include <string>
#include <utility>

namespace candor::provider {

std::string RedactBody(const Secret& key, int status, std::string body) {
  const bool success = status >= 200 && status <= 299;
  return success ? key.Redact(std::move(body)) : key.RedactError(std::move(body));
}

void RedactTexts(const Secret& key, v1::AttemptReport* report) {
  const auto clean = [&](std::string* text) { *text = key.Redact(std::move(*text)); };
  std::string* error = report->mutable_attempt()->mutable_error_text();
  *error = key.RedactError(std::move(*error));
  clean(report->mutable_attempt()->mutable_provider_request_id());
  if (!report->has_outcome()) return;
  v1::Outcome* outcome = report->mutable_outcome();
  clean(outcome->mutable_raw_text());
  clean(outcome->mutable_reasoning_text());
  clean(outcome->mutable_finish_reason());
  clean(outcome->mutable_served_model());
  clean(outcome->mutable_system_fingerprint());
}

}  // namespace candor::provider
