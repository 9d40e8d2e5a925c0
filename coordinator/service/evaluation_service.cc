#include "coordinator/service/evaluation_service.h"

#include "common/base/violations.h"
#include "coordinator/analysis/design_precision.h"
#include "coordinator/service/creation.h"
#include "coordinator/service/grpc_status.h"
#include "coordinator/service/import_job.h"
#include "coordinator/service/job_streams.h"
#include "coordinator/service/paging.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace candor::service {
namespace {

// Runs `use` on the strand with the job that the request names, or ends the call with NOT_FOUND.
template <typename Request, typename Use>
grpc::ServerUnaryReactor* OnJob(EngineHost& host, grpc::CallbackServerContext* context,
                                const Request* request, Use use) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host.Post([&host, request, reactor, use] {
    const auto job = host.engine().FindJob(request->name());
    if (!job) return reactor->Finish(ToGrpc(NoSuchJob(request->name())));
    use(*job, reactor);
  });
  return reactor;
}

void LeaveOutInlineScenarios(v1::Job& job) {
  if (job.has_inline_scenarios()) job.mutable_inline_scenarios()->clear_scenarios();
}

}  // namespace

grpc::ServerUnaryReactor* EvaluationService::CreateJob(grpc::CallbackServerContext* context,
                                                       const v1::CreateJobRequest* request,
                                                       v1::CreateJobResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.PostToReaders([this, request, response, reactor] {
    FieldViolations violations;
    auto creation = PrepareCreation(request->job(), request->request_id(), Endpoints::kConfigured,
                                    host_, "jobs/" + ids_.Next(), violations);
    if (!creation.ok()) return reactor->Finish(ToGrpc(creation.status()));
    if (!request->has_job()) violations.assign(1, {"job", "is missing; give the job to create"});
    if (!violations.empty()) return reactor->Finish(ToGrpc(violations));
    auto precision = analysis::ExpectPrecision(*creation->specification, creation->job->analysis());
    host_.Post([this, request, response, reactor, creation = *std::move(creation),
                precision = std::move(precision)]() mutable {
      const engine::Engine& engine = host_.engine();
      *response->mutable_estimate() = engine.Estimate(*creation.job, *creation.specification);
      *response->mutable_estimate()->mutable_precision() = std::move(precision);
      if (request->validate_only()) return reactor->Finish(grpc::Status::OK);

      if (const auto earlier = engine.FindRequest(creation.request_id);
          earlier && !creation.request_id.empty()) {
        if (earlier->specification_hash != creation.job->specification_hash() ||
            !earlier->import_hash.empty()) {
          return reactor->Finish(ToGrpc(
              OtherRequest(creation.request_id, engine.GetSpecification(earlier->job)->job())));
        }
        return host_.AfterCommit([this, key = earlier->job, response, reactor] {
          *response->mutable_job() = host_.engine().GetJob(key, host_.Now());
          reactor->Finish(grpc::Status::OK);
        });
      }
      const std::string name = creation.job->name();
      host_.Handle(engine::JobCreated{.request_id = std::move(creation.request_id),
                                      .job = std::move(creation.job),
                                      .specification = std::move(creation.specification)});
      host_.AfterCommit([this, name, response, reactor] {
        *response->mutable_job() =
            host_.engine().GetJob(*host_.engine().FindJob(name), host_.Now());
        reactor->Finish(grpc::Status::OK);
      });
    });
  });
  return reactor;
}

grpc::ServerUnaryReactor* EvaluationService::GetJob(grpc::CallbackServerContext* context,
                                                    const v1::GetJobRequest* request,
                                                    v1::Job* response) {
  return OnJob(host_, context, request, [this, response](engine::JobKey job, auto* reactor) {
    *response = host_.engine().GetJob(job, host_.Now());
    reactor->Finish(grpc::Status::OK);
  });
}

grpc::ServerUnaryReactor* EvaluationService::GetJobSpecification(
    grpc::CallbackServerContext* context, const v1::GetJobSpecificationRequest* request,
    v1::JobSpecification* response) {
  return OnJob(host_, context, request, [this, response](engine::JobKey job, auto* reactor) {
    *response = *host_.engine().GetSpecification(job);
    reactor->Finish(grpc::Status::OK);
  });
}

grpc::ServerUnaryReactor* EvaluationService::ExplainJob(grpc::CallbackServerContext* context,
                                                        const v1::ExplainJobRequest* request,
                                                        v1::JobExplanation* response) {
  return OnJob(host_, context, request, [this, response](engine::JobKey job, auto* reactor) {
    *response = host_.engine().Explain(job, host_.Now(), host_.store_times());
    reactor->Finish(grpc::Status::OK);
  });
}

grpc::ServerUnaryReactor* EvaluationService::ListJobs(grpc::CallbackServerContext* context,
                                                      const v1::ListJobsRequest* request,
                                                      v1::ListJobsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  host_.Post([this, request, response, reactor] {
    const auto page = ParsePage(*request, "jobs");
    if (!page.ok()) return reactor->Finish(ToGrpc(page.status()));
    // The newest first, and names do not sort by age: a page goes on behind the job that ended the
    // page before. When that one was deleted meanwhile the list begins anew.
    const std::vector<engine::JobKey> keys = host_.engine().Jobs();
    auto key = keys.begin();
    if (const auto last = host_.engine().FindJob(page->after))
      key = std::next(std::find(keys.begin(), keys.end(), *last));
    for (; key != keys.end() && response->jobs_size() < page->size; ++key) {
      *response->add_jobs() = host_.engine().GetJob(*key, host_.Now());
      LeaveOutInlineScenarios(*response->mutable_jobs(response->jobs_size() - 1));
    }
    if (key != keys.end()) {
      response->set_next_page_token(
          PrintCursor("jobs", response->jobs(response->jobs_size() - 1).name()));
    }
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

template <typename Event, typename Request>
grpc::ServerUnaryReactor* EvaluationService::Change(grpc::CallbackServerContext* context,
                                                    const Request* request, v1::Job* response,
                                                    Check check) {
  const auto change = [this, request, response, check](engine::JobKey job, auto* reactor) {
    const Status status = (host_.engine().*check)(job);
    if (!status.ok()) return reactor->Finish(ToGrpc(status));
    host_.Handle(Event{job});
    host_.AfterCommit([this, job, name = request->name(), response, reactor] {
      // Deleted meanwhile: the change was made, and there is nothing left to show.
      if (!host_.engine().FindJob(name)) return reactor->Finish(ToGrpc(NoSuchJob(name)));
      *response = host_.engine().GetJob(job, host_.Now());
      reactor->Finish(grpc::Status::OK);
    });
  };
  return OnJob(host_, context, request, change);
}

grpc::ServerUnaryReactor* EvaluationService::PauseJob(grpc::CallbackServerContext* context,
                                                      const v1::PauseJobRequest* request,
                                                      v1::Job* response) {
  return Change<engine::JobPaused>(context, request, response, &engine::Engine::CheckPause);
}

grpc::ServerUnaryReactor* EvaluationService::ResumeJob(grpc::CallbackServerContext* context,
                                                       const v1::ResumeJobRequest* request,
                                                       v1::Job* response) {
  return Change<engine::JobResumed>(context, request, response, &engine::Engine::CheckResume);
}

grpc::ServerUnaryReactor* EvaluationService::CancelJob(grpc::CallbackServerContext* context,
                                                       const v1::CancelJobRequest* request,
                                                       v1::Job* response) {
  return Change<engine::JobCancelled>(context, request, response, &engine::Engine::CheckCancel);
}

grpc::ServerUnaryReactor* EvaluationService::DeleteJob(grpc::CallbackServerContext* context,
                                                       const v1::DeleteJobRequest* request,
                                                       google::protobuf::Empty* /*response*/) {
  return OnJob(host_, context, request, [this](engine::JobKey job, auto* reactor) {
    const Status status = host_.engine().CheckDelete(job);
    if (!status.ok()) return reactor->Finish(ToGrpc(status));
    host_.Handle(engine::JobDeleted{job});
    host_.AfterCommit([reactor] { reactor->Finish(grpc::Status::OK); });
  });
}

grpc::ServerWriteReactor<v1::WatchJobResponse>* EvaluationService::WatchJob(
    grpc::CallbackServerContext* /*context*/, const v1::WatchJobRequest* request) {
  return ResponseStream<v1::WatchJobResponse>::Run(host_, [this, request = *request](auto stream) {
    return Watch(host_, live_, std::move(stream), request);
  });
}

grpc::ServerWriteReactor<v1::StreamOutcomesResponse>* EvaluationService::StreamOutcomes(
    grpc::CallbackServerContext* /*context*/, const v1::StreamOutcomesRequest* request) {
  return ResponseStream<v1::StreamOutcomesResponse>::Run(
      host_, [this, request = *request](auto stream) {
        return SendOutcomes(host_, std::move(stream), request);
      });
}

grpc::ServerWriteReactor<v1::StreamAttemptsResponse>* EvaluationService::StreamAttempts(
    grpc::CallbackServerContext* /*context*/, const v1::StreamAttemptsRequest* request) {
  return ResponseStream<v1::StreamAttemptsResponse>::Run(
      host_, [this, request = *request](auto stream) {
        return SendAttempts(host_, std::move(stream), request);
      });
}

grpc::ServerReadReactor<v1::ImportJobRequest>* EvaluationService::ImportJob(
    grpc::CallbackServerContext* /*context*/, v1::Job* response) {
  return StartImport(host_, ids_, imports_, response);
}

}  // namespace candor::service
