#include "coordinator/service/job_streams.h"

#include "common/base/nearest.h"
#include "common/base/violations.h"
#include "coordinator/service/cursor.h"
#include "coordinator/service/grpc_status.h"
#include "coordinator/service/off_strand.h"

#include <string>
#include <utility>
#include <vector>

namespace candor::service {
namespace {

constexpr std::chrono::seconds kHeartbeat(10);

// Names that a filter may hold, checked so that a slip does not look like an empty result.
void CheckNames(const google::protobuf::RepeatedPtrField<std::string>& names,
                const std::vector<std::string>& known, std::string_view field,
                std::string_view what, FieldViolations& violations) {
  for (int i = 0; i < names.size(); ++i) {
    if (std::find(known.begin(), known.end(), names[i]) != known.end()) continue;
    violations.push_back(
        {fmt::format("{}[{}]", field, i), fmt::format("\"{}\" is no {} of this job{}", names[i],
                                                      what, DidYouMean(names[i], known))});
  }
}

FieldViolations CheckFilter(const v1::StreamOutcomesRequest& request,
                            const v1::JobSpecification& specification) {
  std::vector<std::string> entries;
  std::vector<std::string> scenarios;
  for (const auto& entry : specification.entries()) entries.push_back(entry.name());
  for (const auto& scenario : specification.scenarios()) scenarios.push_back(scenario.id());
  FieldViolations violations;
  CheckNames(request.entries(), entries, "entries", "entry", violations);
  CheckNames(request.scenarios(), scenarios, "scenarios", "scenario", violations);
  for (int i = 0; i < request.kinds_size(); ++i) {
    if (request.kinds(i) != v1::Cell::CHOICE && request.kinds(i) != v1::Cell::SELF_REPORT) {
      violations.push_back(
          {fmt::format("kinds[{}]", i),
           fmt::format("is {}; give CHOICE or SELF_REPORT", static_cast<int>(request.kinds(i)))});
    }
  }
  for (int i = 0; i < request.classes_size(); ++i) {
    if (request.classes(i) == 0 || !v1::Outcome::Class_IsValid(request.classes(i))) {
      violations.push_back(
          {fmt::format("classes[{}]", i),
           fmt::format("is {}; give a class such as VALID", static_cast<int>(request.classes(i)))});
    }
  }
  if (request.follow() && request.order() == v1::StreamOutcomesRequest::CANONICAL) {
    violations.push_back(
        {"follow",
         "is true with order CANONICAL; new outcomes can be followed in order COMMIT only"});
  }
  return violations;
}

}  // namespace

Status ShuttingDown() {
  return Unavailable("the coordinator is shutting down; ask again when it is back");
}

Status NoSuchJob(const std::string& name) {
  return NotFound("there is no job \"{}\"; a name looks like \"jobs/abc\", and ListJobs lists them",
                  name);
}

boost::asio::awaitable<grpc::Status> SendOutcomes(
    EngineHost& host, std::shared_ptr<ResponseStream<v1::StreamOutcomesResponse>> stream,
    v1::StreamOutcomesRequest request) {
  const auto key = host.engine().FindJob(request.name());
  if (!key) co_return ToGrpc(NoSuchJob(request.name()));
  const FieldViolations violations = CheckFilter(request, *host.engine().GetSpecification(*key));
  if (!violations.empty()) co_return ToGrpc(violations);

  const bool canonical = request.order() == v1::StreamOutcomesRequest::CANONICAL;
  const std::string sequence =
      fmt::format("outcomes:{}:{}", canonical ? "CANONICAL" : "COMMIT", request.name());
  store::OutcomeQuery query{.job = *key,
                            .order = canonical ? store::Order::kCanonical : store::Order::kCommit};
  const auto after = ParseNumberCursor(request.cursor(), sequence);
  if (!after.ok()) co_return InvalidField("cursor", Message(after.status()));
  query.after = *after;
  query.entries.assign(request.entries().begin(), request.entries().end());
  query.scenarios.assign(request.scenarios().begin(), request.scenarios().end());
  for (const int kind : request.kinds()) query.kinds.push_back(static_cast<v1::Cell::Kind>(kind));
  for (const int value : request.classes())
    query.classes.push_back(static_cast<v1::Outcome::Class>(value));

  const EngineHost::Subscription subscription(host, *key, [&stream] { stream->Wake(); });
  while (true) {
    // Asked before the read: what commits in between is read, and what commits later wakes the next
    // round.
    const bool last = !request.follow() || host.engine().Settled(*key);
    auto page = co_await OnReaders(host, [&] { return host.store().ReadOutcomes(query); });
    if (!page.ok()) co_return ToGrpc(page.status());
    query.after = page->next;
    if (!page->rows.empty()) {
      v1::StreamOutcomesResponse message;
      for (auto& row : page->rows) *message.add_outcomes() = std::move(row.outcome);
      message.set_cursor(PrintCursor(sequence, page->next));
      const bool written = co_await stream->Write(message);
      if (!written) co_return grpc::Status::CANCELLED;
    }
    if (!page->end) continue;
    if (last) co_return grpc::Status::OK;
    const bool awake = co_await stream->Sleep(kHeartbeat);
    if (!awake) co_return grpc::Status::CANCELLED;
    if (host.closing()) co_return ToGrpc(ShuttingDown());
    if (!host.engine().FindJob(request.name())) co_return ToGrpc(NoSuchJob(request.name()));
  }
}

boost::asio::awaitable<grpc::Status> SendAttempts(
    EngineHost& host, std::shared_ptr<ResponseStream<v1::StreamAttemptsResponse>> stream,
    v1::StreamAttemptsRequest request) {
  const auto key = host.engine().FindJob(request.name());
  if (!key) co_return ToGrpc(NoSuchJob(request.name()));
  const std::string sequence = "attempts:" + request.name();
  auto after = ParseNumberCursor(request.cursor(), sequence);
  if (!after.ok()) co_return InvalidField("cursor", Message(after.status()));
  while (true) {
    auto page =
        co_await OnReaders(host, [&] { return host.store().ReadAttempts(*key, *after, {}); });
    if (!page.ok()) co_return ToGrpc(page.status());
    *after = page->next;
    if (!page->rows.empty()) {
      v1::StreamAttemptsResponse message;
      for (auto& row : page->rows) *message.add_attempts() = std::move(row.attempt);
      message.set_cursor(PrintCursor(sequence, page->next));
      const bool written = co_await stream->Write(message);
      if (!written) co_return grpc::Status::CANCELLED;
    }
    if (page->end) co_return grpc::Status::OK;
  }
}

}  // namespace candor::service
