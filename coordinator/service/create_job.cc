#include "coordinator/service/create_job.h"

#include "coordinator/analysis/design_precision.h"
#include "coordinator/service/creation.h"
#include "coordinator/service/derived_job.h"
#include "coordinator/service/grpc_status.h"
#include "coordinator/service/job_streams.h"
#include "coordinator/service/off_strand.h"
#include "coordinator/service/reuse_match.h"
#include "coordinator/service/same_design.h"
#include "coordinator/service/signal.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace candor::service {
namespace {

using google::protobuf::RepeatedPtrField;
using Reused = std::vector<engine::ReusedOutcomesRecord>;

// Outcomes that are looked at in one go: some milliseconds, so that others get their turn.
constexpr store::ReadLimit kPage{.rows = 2'000, .bytes = std::size_t{4} << 20U};

using Precision = RepeatedPtrField<v1::DesignPrecision>;

// A job that passed validation, with what the strand need not work out.
struct Prepared {
  Creation creation;
  Precision precision;
};

// Everything that was asked to be durable so far is.
boost::asio::awaitable<void> Committed(EngineHost& host) {
  Signal done(host.strand());
  host.AfterCommit([&done] { done.Notify(); });
  co_await done.Wait();
}

boost::asio::awaitable<grpc::Status> AnswerWith(EngineHost& host, std::string name,
                                                v1::CreateJobResponse* response) {
  co_await Committed(host);
  const auto key = host.engine().FindJob(name);
  if (!key) co_return ToGrpc(NotFound("{} was deleted meanwhile", name));
  *response->mutable_job() = host.engine().GetJob(*key, host.Now());
  co_return grpc::Status::OK;
}

// What the request's id created before: the same job, or an error for another one.
std::optional<StatusOr<engine::JobKey>> Earlier(const EngineHost& host, const Creation& creation) {
  if (creation.request_id.empty()) return std::nullopt;
  const auto earlier = host.engine().FindRequest(creation.request_id);
  if (!earlier) return std::nullopt;
  if (earlier->specification_hash == creation.job->specification_hash() &&
      earlier->import_hash.empty()) {
    return earlier->job;
  }
  return OtherRequest(creation.request_id, host.engine().GetSpecification(earlier->job)->job());
}

// Whether a job can be continued: it asked for its answers itself, and none comes any more.
Status CheckEnded(const EngineHost& host, engine::JobKey key) {
  const v1::Job job = host.engine().GetJobStatus(key, host.Now());
  if (job.imported()) {
    return FailedPrecondition(
        "{} was imported: its answers came from no requests of its own, so that none can be asked "
        "again and no more of them; create a job of its kind",
        job.name());
  }
  if (host.engine().Settled(key)) return absl::OkStatus();
  return FailedPrecondition(
      "{} is {} with calls that may still be answered; wait for its end (`candor watch {}`), or "
      "end it with what it has (`candor cancel {}`)",
      job.name(), v1::Job::State_Name(job.state()), job.name(), job.name());
}

// The jobs whose outcomes the job wants, in order.
StatusOr<std::vector<ReuseSource>> FindSources(const EngineHost& host, const Creation& creation,
                                               FieldViolations& violations) {
  std::vector<ReuseSource> sources;
  const engine::Engine& engine = host.engine();
  const auto find = [&](const std::string& field, const std::string& name) {
    const auto key = engine.FindJob(name);
    if (key) {
      sources.push_back({*key, name, engine.GetSpecification(*key)});
      return;
    }
    violations.push_back(
        {field, fmt::format("there is no job \"{}\", or it was deleted and its answers with it; "
                            "name jobs that ListJobs lists",
                            name)});
  };
  for (int i = 0; i < creation.job->reuse_from_size(); ++i) {
    find(fmt::format("job.reuse_from[{}]", i), creation.job->reuse_from(i));
  }
  if (!creation.job->has_retry_of()) return sources;
  find("job.retry_of.job", creation.job->retry_of().job());
  if (!violations.empty()) return sources;
  const ReuseSource& source = sources.back();
  CANDOR_RETURN_IF_ERROR(CheckEnded(host, source.key));
  CheckSameDesign(*creation.specification, *source.specification, source.name, violations);
  return sources;
}

// One page of one source; true when it was the last one, or every cell has its outcome.
StatusOr<bool> OfferPage(const store::Store& store, store::OutcomeQuery& query, ReuseMatch& match) {
  Status offered;
  CANDOR_ASSIGN_OR_RETURN(const store::ReadEnd at,
                          store.VisitOutcomes(query, [&](auto, const v1::Outcome& outcome) {
                            offered.Update(match.Offer(outcome));
                          }));
  CANDOR_RETURN_IF_ERROR(offered);
  query.after = at.next;
  return at.end || match.complete();
}

boost::asio::awaitable<StatusOr<Reused>> FindReusable(CreationContext context,
                                                      std::shared_ptr<UnaryCall> call,
                                                      const Creation& creation,
                                                      std::vector<ReuseSource> sources) {
  EngineHost& host = context.host;
  const Status entered = co_await context.turnstile.Enter();
  if (!entered.ok()) co_return entered;
  const Turnstile::Pass pass(context.turnstile);
  const v1::RetryOf* retry = creation.job->has_retry_of() ? &creation.job->retry_of() : nullptr;
  auto match = co_await OnAnalysts(host, [&] {
    return ReuseMatch::Create(*creation.specification, host.options().engine.config, retry);
  });
  if (!match.ok()) co_return match.status();
  for (const ReuseSource& source : sources) {
    store::OutcomeQuery query{.job = source.key,
                              .entries = (*match)->BeginSource(source),
                              .order = store::Order::kCanonical,
                              .limit = kPage};
    bool end = query.entries.empty();
    while (!end) {
      if (call->gone()) co_return Cancelled("the client has gone");
      const auto done =
          co_await OnAnalysts(host, [&] { return OfferPage(host.store(), query, **match); });
      if (!done.ok()) co_return done.status();
      end = *done;
    }
  }
  if (retry != nullptr && (*match)->complete()) {
    co_return FailedPrecondition(
        "classes: {} has an outcome for every cell, and none of these classes; there is nothing "
        "to ask again",
        retry->job());
  }
  co_return (*match)->Take();
}

// What a job continues. Empty for one that was written by hand. (Always a variable of its own: g++
// 12 destroys an aggregate twice that is made within a co_await.)
struct Origin {
  // The job that it makes longer, and as it stood before its outcomes were looked through.
  std::shared_ptr<const v1::JobSpecification> extended;
  std::shared_ptr<const v1::Job> before;
  // Its `retry_of` was made from a request.
  bool retried = false;
};

// Violations in the words of the request.
grpc::Status Refuse(const Origin& origin, FieldViolations violations) {
  constexpr std::string_view kRetry = "job.retry_of.";
  for (FieldViolation& violation : violations) {
    if (origin.retried && violation.field.starts_with(kRetry)) {
      violation.field.erase(0, kRetry.size());
    }
  }
  return ToGrpc(violations);
}

boost::asio::awaitable<grpc::Status> Create(CreationContext context,
                                            std::shared_ptr<UnaryCall> call,
                                            v1::CreateJobRequest request, Origin origin,
                                            v1::CreateJobResponse* response) {
  EngineHost& host = context.host;
  FieldViolations violations;
  CheckSources(request.job(), violations);
  auto prepared = co_await OnReaders(host, [&]() -> StatusOr<Prepared> {
    Prepared made;
    CANDOR_ASSIGN_OR_RETURN(
        made.creation, PrepareCreation(request.job(), request.request_id(), Endpoints::kConfigured,
                                       host, "jobs/" + context.ids.Next(), violations));
    if (violations.empty()) {
      made.precision =
          analysis::ExpectPrecision(*made.creation.specification, made.creation.job->analysis());
    }
    return made;
  });
  if (!prepared.ok()) co_return ToGrpc(prepared.status());
  if (!request.has_job()) violations.assign(1, {"job", "is missing; give the job to create"});
  if (!violations.empty()) co_return Refuse(origin, violations);
  Creation& creation = prepared->creation;
  if (origin.extended != nullptr) {
    CheckSameDesign(*creation.specification, *origin.extended, origin.extended->job(), violations);
    if (!violations.empty()) co_return Refuse(origin, violations);
  }
  const auto estimate = [&](const engine::ReusedCounts& reused) {
    *response->mutable_estimate() =
        host.engine().Estimate(*creation.job, *creation.specification, reused);
    *response->mutable_estimate()->mutable_precision() = prepared->precision;
  };

  // A job that is there needs no sources any more.
  std::optional<StatusOr<engine::JobKey>> earlier;
  if (!request.validate_only()) earlier = Earlier(host, creation);
  Reused reused;
  if (!earlier) {
    const auto sources = FindSources(host, creation, violations);
    if (!sources.ok()) co_return ToGrpc(sources.status());
    if (!violations.empty()) co_return Refuse(origin, violations);
    if (!sources->empty()) {
      auto found = co_await FindReusable(context, call, creation, *sources);
      if (!found.ok()) co_return ToGrpc(found.status());
      reused = *std::move(found);
    }
    if (origin.before != nullptr) {
      const Status all = CheckAllTaken(*origin.before, *origin.extended, reused);
      if (!all.ok()) co_return ToGrpc(all);
    }
    estimate(engine::CountReused(reused));
    if (request.validate_only()) co_return grpc::Status::OK;
    for (const ReuseSource& source : *sources) {
      if (host.engine().CheckReuse(source.key).ok()) continue;
      co_return ToGrpc(FailedPrecondition(
          "{} was deleted meanwhile, and its answers with it; leave it out", source.name));
    }
    // Others had their turn meanwhile; from here on nobody has.
    earlier = Earlier(host, creation);
  }
  if (earlier && !earlier->ok()) co_return ToGrpc(earlier->status());
  if (earlier) {
    const std::string there = host.engine().GetSpecification(**earlier)->job();
    const grpc::Status status = co_await AnswerWith(host, there, response);
    if (status.ok()) estimate(engine::CountReused(response->job()));
    co_return status;
  }
  const std::string name = creation.job->name();
  host.Handle(engine::JobCreated{.request_id = creation.request_id,
                                 .job = creation.job,
                                 .specification = creation.specification,
                                 .reused = std::move(reused)});
  const grpc::Status status = co_await AnswerWith(host, name, response);
  co_return status;
}

// The job that is continued. Its specification does not change.
struct Continued {
  v1::Job job;
  std::shared_ptr<const v1::JobSpecification> specification;
};

StatusOr<Continued> FindContinued(const EngineHost& host, const std::string& name) {
  const auto key = host.engine().FindJob(name);
  if (!key) return NoSuchJob(name);
  CANDOR_RETURN_IF_ERROR(CheckEnded(host, *key));
  return Continued{host.engine().GetJob(*key, host.Now()), host.engine().GetSpecification(*key)};
}

// What was asked for under the request's id before.
template <typename Request>
auto EarlierRequest(const EngineHost& host, const Request& request)
    -> decltype(host.engine().FindRequest(request.request_id())) {
  if (request.request_id().empty() || request.validate_only()) return std::nullopt;
  return host.engine().FindRequest(request.request_id());
}

// The job that the request made before. Its sources may be gone by now, and the job that it
// continued with them.
template <typename Request>
std::optional<engine::JobKey> MadeBefore(const EngineHost& host, const Request& request) {
  const auto earlier = EarlierRequest(host, request);
  if (!earlier || !earlier->import_hash.empty()) return std::nullopt;
  const auto job = host.engine().GetCreated(earlier->job);
  if (job == nullptr || !IsMadeBy(*job, request)) return std::nullopt;
  return earlier->job;
}

// As the first time, but for the estimate's outcomes to take over, which are counted in the job.
boost::asio::awaitable<grpc::Status> AnswerAgain(EngineHost& host, engine::JobKey key,
                                                 v1::CreateJobResponse* response) {
  const auto specification = host.engine().GetSpecification(key);
  const grpc::Status status = co_await AnswerWith(host, specification->job(), response);
  if (!status.ok()) co_return status;
  const v1::Job& job = response->job();
  *response->mutable_estimate() =
      host.engine().Estimate(job, *specification, engine::CountReused(job));
  auto precision = co_await OnReaders(host, [&]() -> StatusOr<Precision> {
    return analysis::ExpectPrecision(*specification, job.analysis());
  });
  if (!precision.ok()) co_return ToGrpc(precision.status());
  *response->mutable_estimate()->mutable_precision() = *std::move(precision);
  co_return grpc::Status::OK;
}

// Why a job cannot be continued, to a request that made another one before too.
template <typename Request>
grpc::Status CannotContinue(const EngineHost& host, const Request& request, const Status& why) {
  const auto earlier = EarlierRequest(host, request);
  if (!earlier || !absl::IsNotFound(why)) return ToGrpc(why);
  return ToGrpc(
      OtherRequest(request.request_id(), host.engine().GetSpecification(earlier->job)->job()));
}

template <typename Request>
v1::CreateJobRequest RequestFor(v1::Job job, const Request& from) {
  v1::CreateJobRequest request;
  *request.mutable_job() = std::move(job);
  request.set_request_id(from.request_id());
  request.set_validate_only(from.validate_only());
  return request;
}

}  // namespace

boost::asio::awaitable<grpc::Status> CreateJob(CreationContext context,
                                               std::shared_ptr<UnaryCall> call,
                                               v1::CreateJobRequest request,
                                               v1::CreateJobResponse* response) {
  Origin by_hand;
  const grpc::Status status =
      co_await Create(context, std::move(call), std::move(request), std::move(by_hand), response);
  co_return status;
}

boost::asio::awaitable<grpc::Status> ExtendJob(CreationContext context,
                                               std::shared_ptr<UnaryCall> call,
                                               v1::ExtendJobRequest request,
                                               v1::CreateJobResponse* response) {
  if (const auto made = MadeBefore(context.host, request)) {
    const grpc::Status again = co_await AnswerAgain(context.host, *made, response);
    co_return again;
  }
  const auto continued = FindContinued(context.host, request.name());
  if (!continued.ok()) co_return CannotContinue(context.host, request, continued.status());
  std::vector<std::string> present;
  for (const std::string& source : continued->job.reuse_from()) {
    if (context.host.engine().FindJob(source)) present.push_back(source);
  }
  FieldViolations violations;
  v1::Job longer = ExtendedJob(continued->job, request, present, violations);
  if (!violations.empty()) co_return ToGrpc(violations);
  v1::CreateJobRequest creation = RequestFor(std::move(longer), request);
  Origin origin{.extended = continued->specification,
                .before = std::make_shared<const v1::Job>(continued->job),
                .retried = false};
  const grpc::Status status =
      co_await Create(context, std::move(call), std::move(creation), std::move(origin), response);
  co_return status;
}

boost::asio::awaitable<grpc::Status> RetryJob(CreationContext context,
                                              std::shared_ptr<UnaryCall> call,
                                              v1::RetryJobRequest request,
                                              v1::CreateJobResponse* response) {
  if (const auto made = MadeBefore(context.host, request)) {
    const grpc::Status again = co_await AnswerAgain(context.host, *made, response);
    co_return again;
  }
  const auto continued = FindContinued(context.host, request.name());
  if (!continued.ok()) co_return CannotContinue(context.host, request, continued.status());
  v1::CreateJobRequest creation = RequestFor(RetriedJob(continued->job, request), request);
  Origin origin{.extended = nullptr, .before = nullptr, .retried = true};
  const grpc::Status status =
      co_await Create(context, std::move(call), std::move(creation), std::move(origin), response);
  co_return status;
}

}  // namespace candor::service
