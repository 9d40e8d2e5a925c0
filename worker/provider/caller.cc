#include "worker/provider/caller.h"

#include "common/base/time_proto.h"
#include "common/dialect/error.h"
#include "common/dialect/limit_headers.h"
#include "worker/provider/failure.h"
#include "worker/provider/redact.h"

#include <exception>
#include <utility>

namespace candor::provider {
namespace {

using v1::Attempt;

constexpr std::size_t kMaxHeaderBytes = 512;

void SetError(Attempt::State state, Attempt::ErrorClass error_class, std::string_view text,
              v1::AttemptReport* report) {
  report->mutable_attempt()->set_state(state);
  report->mutable_attempt()->set_error_class(error_class);
  report->mutable_attempt()->set_error_text(dialect::CleanText(text, dialect::kMaxErrorTextBytes));
}

void SetError(const dialect::ProviderError& error, v1::AttemptReport* report) {
  SetError(Attempt::FAILED, error.error_class, error.text, report);
  if (error.retry_after) *report->mutable_retry_after() = ToProto(*error.retry_after);
}

v1::AttemptReport NewReport(const v1::Lease& lease) {
  v1::AttemptReport report;
  report.set_job(lease.job());
  *report.mutable_cell() = lease.cell();
  report.mutable_attempt()->set_id(lease.attempt_id());
  return report;
}

// Whether what cannot be read was the model's reply, and paid for, before somebody damaged it;
// another status says that it was none. 0: there was no status.
bool MayBeReply(int status) { return status == 0 || (status >= 200 && status <= 299); }

// What a call without a complete answer is.
void SetFailure(const net::HttpResult& result, v1::AttemptReport* report) {
  const bool written = result.request_bytes_written;
  if (result.failure == net::HttpFailure::kCancelled) {
    if (!written) {
      return SetError(Attempt::NOT_SENT, Attempt::ERROR_CLASS_UNSPECIFIED,
                      "the worker ended before the call began", report);
    }
    return SetError(Attempt::UNANSWERED, Attempt::CONNECTION,
                    "the worker ended before the answer came", report);
  }
  const Attempt::ErrorClass error_class = ClassOf(result.failure);
  const bool silent = error_class == Attempt::CONNECTION || error_class == Attempt::TIMEOUT;
  const bool unanswered = written && (silent || MayBeReply(result.status));
  SetError(unanswered ? Attempt::UNANSWERED : Attempt::FAILED, error_class, result.text, report);
}

void ReadHeaders(const net::HttpHeaders& headers, const Secret& key, WallTime now,
                 v1::AttemptReport* report) {
  dialect::LimitHeaders limits;
  for (std::size_t i = 0; i < headers.size(); ++i) limits.Add(headers.name(i), headers.value(i));
  limits.Read(now, report->mutable_limits());
  for (const std::string_view name : {"x-request-id", "request-id", "apim-request-id"}) {
    const auto id = headers.Find(name);
    if (!id) continue;
    report->mutable_attempt()->set_provider_request_id(
        dialect::CleanText(key.Redact(std::string(*id)), kMaxHeaderBytes));
    return;
  }
}

}  // namespace

std::optional<dialect::ProviderError> TooLarge(const v1::Outcome& outcome) {
  if (outcome.raw_text().size() + outcome.reasoning_text().size() <= kMaxAnswerBytes) {
    return std::nullopt;
  }
  return dialect::ProviderError{
      .error_class = Attempt::MALFORMED_RESPONSE,
      .text = fmt::format("the text of the reply is above {} bytes", kMaxAnswerBytes),
      .retry_after = std::nullopt};
}

v1::AttemptReport HandBack(const v1::Lease& lease, std::string_view reason) {
  v1::AttemptReport report = NewReport(lease);
  SetError(Attempt::NOT_SENT, Attempt::ERROR_CLASS_UNSPECIFIED, reason, &report);
  return report;
}

net::HttpRequest Caller::MakeRequest(const Endpoint& endpoint, std::string_view model,
                                     const Secret& key, const v1::Lease& lease) const {
  const Route& route = endpoint.RouteOf(model);
  net::HttpRequest request;
  request.method = "POST";
  request.origin = endpoint.origin();
  request.target = endpoint.Target(route, model);
  request.timeouts = endpoint.timeouts();
  request.max_response_body_bytes = route.stream ? kMaxStreamBytes : kMaxAnswerBytes;
  request.headers.Reserve();
  request.headers.Add("Content-Type", "application/json");
  request.headers.Add("Accept",
                      route.stream ? "text/event-stream, application/json" : "application/json");
  request.headers.Add("X-Client-Request-Id", lease.attempt_id());
  endpoint.AddHeaders(route, key, &request.headers);
  return request;
}

void Caller::ReadAnswer(const Endpoint& endpoint, const v1::Scenario& scenario, v1::Outcome known,
                        const Secret& key, net::HttpResult result,
                        v1::AttemptReport* report) const {
  Attempt* attempt = report->mutable_attempt();
  attempt->set_http_status(result.status);
  ReadHeaders(result.headers, key, clock_.WallNow(), report);
  result.body = RedactBody(key, result.status, std::move(result.body));
  if (!result.ok()) return SetFailure(result, report);
  const auto header = [&](std::string_view name) { return result.headers.Find(name); };
  v1::Outcome* outcome = report->mutable_outcome();
  *outcome = std::move(known);
  auto error = dialect::ReadAnswer(
      endpoint.dialect(),
      {.status = result.status, .body = result.body, .header = header, .now = clock_.WallNow()},
      {.kind = outcome->kind(), .scenario = scenario}, outcome);
  if (!error) error = TooLarge(*outcome);
  // Tokens are paid for whatever else was wrong.
  if (outcome->has_usage()) *attempt->mutable_usage() = outcome->usage();
  if (error) {
    report->clear_outcome();
    SetError(*error, report);
    const bool unread = error->error_class == Attempt::MALFORMED_RESPONSE;
    const bool counted =
        attempt->usage().input_tokens() > 0 || attempt->usage().output_tokens() > 0;
    if (unread && !counted && MayBeReply(result.status)) {
      attempt->set_state(Attempt::UNANSWERED);
    }
    return;
  }
  attempt->set_state(Attempt::COMPLETED);
}

boost::asio::awaitable<v1::AttemptReport> Caller::Call(
    const v1::Lease& lease, std::shared_ptr<const dialect::JobRenderer> job, TimePoint start_by) {
  const v1::ResolvedEntry* entry = job->Entry(lease.cell());
  const Endpoint* endpoint = entry == nullptr ? nullptr : endpoints_.Find(entry->endpoint());
  if (entry != nullptr && endpoint == nullptr) {
    co_return HandBack(
        lease, fmt::format("endpoint {} is not in this worker's configuration", entry->endpoint()));
  }
  const std::shared_ptr<const Secret> key = endpoint == nullptr ? nullptr : endpoint->key();
  if (endpoint != nullptr && key == nullptr) co_return HandBack(lease, endpoint->reason());
  const TimePoint began = clock_.Now();
  if (began > start_by) {
    co_return HandBack(lease, "the lease came too late to the worker's turn to start in time");
  }
  v1::AttemptReport report = NewReport(lease);
  if (entry == nullptr) {
    SetError(Attempt::FAILED, Attempt::INVALID_REQUEST,
             fmt::format("entry {} is none of the job's", lease.cell().entry_index()), &report);
    co_return report;
  }
  const Status made =
      job->Render(lease.cell(), lease.has_trial() ? &lease.trial() : nullptr, endpoint->dialect(),
                  endpoint->RouteOf(entry->model()).rule, &rendered_);
  if (!made.ok()) {
    SetError(Attempt::FAILED, Attempt::INVALID_REQUEST,
             fmt::format("the request cannot be made: {}", Message(made)), &report);
    co_return report;
  }
  net::HttpRequest request = MakeRequest(*endpoint, entry->model(), *key, lease);
  request.body = rendered_.body;
  const v1::Scenario& scenario = *rendered_.scenario;
  v1::Outcome outcome = std::move(rendered_.outcome);
  *report.mutable_attempt()->mutable_start_time() = ToProto(clock_.WallNow());

  net::HttpResult result;
  if (observer_ != nullptr) observer_->Began(*endpoint);
  // Asio throws when the coroutine was cancelled before it came here.
  try {
    result = co_await http_.Call(std::move(request));
  } catch (const std::exception&) {
    result.failure = net::HttpFailure::kCancelled;
  }
  *report.mutable_attempt()->mutable_latency() = ToProto(clock_.Now() - began);
  const std::optional<Duration> first_byte = result.first_byte;
  ReadAnswer(*endpoint, scenario, std::move(outcome), *key, std::move(result), &report);
  if (report.attempt().state() == Attempt::NOT_SENT) {
    report.mutable_attempt()->clear_start_time();
    report.mutable_attempt()->clear_latency();
  }
  RedactTexts(*key, &report);
  if (observer_ != nullptr) observer_->Ended(*endpoint, report, first_byte);
  co_return report;
}

}  // namespace candor::provider
