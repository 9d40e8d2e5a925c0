#include "worker/batch/line_report.h"

#include "worker/provider/caller.h"
#include "worker/provider/redact.h"

#include <fmt/format.h>

namespace candor::batch {
namespace {

using v1::Attempt;

void SetError(Attempt::ErrorClass error_class, std::string_view text, Attempt* attempt) {
  attempt->set_state(Attempt::FAILED);
  attempt->set_error_class(error_class);
  attempt->set_error_text(dialect::CleanText(text, dialect::kMaxErrorTextBytes));
}

v1::AttemptReport NewReport(const v1::Lease& lease, std::string_view batch) {
  v1::AttemptReport report;
  report.set_job(lease.job());
  *report.mutable_cell() = lease.cell();
  report.mutable_attempt()->set_id(lease.attempt_id());
  report.mutable_attempt()->set_batch(std::string(batch));
  return report;
}

}  // namespace

v1::AttemptReport ReportNotRun(const v1::Lease& lease, std::string_view batch,
                               std::string_view reason) {
  v1::AttemptReport report = NewReport(lease, batch);
  report.mutable_attempt()->set_state(Attempt::NOT_SENT);
  report.mutable_attempt()->set_error_text(dialect::CleanText(reason, dialect::kMaxErrorTextBytes));
  return report;
}

v1::AttemptReport ReportTooLong(const v1::Lease& lease, std::string_view batch) {
  v1::AttemptReport report = NewReport(lease, batch);
  SetError(Attempt::MALFORMED_RESPONSE,
           fmt::format("the line of the batch's results is above {} bytes", kMaxLineBytes),
           report.mutable_attempt());
  return report;
}

v1::AttemptReport ReportLine(const ProviderCalls& calls, const v1::Lease& lease,
                             std::string_view batch, const dialect::RenderedCell& rendered,
                             const dialect::BatchResult& result) {
  if (result.kind == dialect::BatchResult::Kind::kNotRun) {
    return ReportNotRun(lease, batch, result.text);
  }
  v1::AttemptReport report = NewReport(lease, batch);
  Attempt* attempt = report.mutable_attempt();
  attempt->set_http_status(result.status);
  attempt->set_provider_request_id(result.request_id);
  v1::Outcome* outcome = report.mutable_outcome();
  *outcome = rendered.outcome;
  const auto header = [](std::string_view) { return std::optional<std::string_view>(); };
  auto error = dialect::ReadAnswer(
      calls.endpoint().dialect(),
      {.status = result.status, .body = result.body, .header = header, .now = calls.WallNow()},
      {.kind = rendered.outcome.kind(), .scenario = *rendered.scenario}, outcome);
  // Tokens are paid for whatever else was wrong.
  if (outcome->has_usage()) *attempt->mutable_usage() = outcome->usage();
  if (!error) error = provider::TooLarge(*outcome);
  if (error) {
    report.clear_outcome();
    SetError(error->error_class, error->text, attempt);
  } else {
    attempt->set_state(Attempt::COMPLETED);
  }
  provider::RedactTexts(calls.key(), &report);
  return report;
}

Status RenderLine(const ProviderCalls& calls, const dialect::JobRenderer& job,
                  const v1::Lease& lease, dialect::RenderedCell* rendered) {
  const v1::ResolvedEntry* entry = job.Entry(lease.cell());
  if (entry == nullptr) {
    return InvalidArgument("entry {} is none of the job's", lease.cell().entry_index());
  }
  v1::ModelRule rule = calls.rule();
  rule.set_stream("never");
  return job.Render(lease.cell(), lease.has_trial() ? &lease.trial() : nullptr,
                    calls.endpoint().dialect(), rule, rendered);
}

}  // namespace candor::batch
