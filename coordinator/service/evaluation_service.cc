#include "coordinator/service/evaluation_service.h"

#include "coordinator/service/grpc_status.h"
#include "coordinator/service/import_job.h"
#include "coordinator/service/job_streams.h"
#include "coordinator/service/paging.h"
#include "coordinator/service/unary_call.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace candor::service {
namespace {

// Creations that wait for their turn to look through other jobs at most.
constexpr std::size_t kMaxWaiting = 16;

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

EvaluationService::EvaluationService(EngineHost& host, IdGenerator& ids)
    : host_(host), ids_(ids), live_(host), turnstile_(host.strand(), kMaxWaiting, "creations") {}

grpc::ServerUnaryReactor* EvaluationService::CreateJob(grpc::CallbackServerContext* /*context*/,
                                                       const v1::CreateJobRequest* request,
                                                       v1::CreateJobResponse* response) {
  return UnaryCall::Run(host_, [this, request, response](std::shared_ptr<UnaryCall> call) {
    return service::CreateJob(creation(), std::move(call), *request, response);
  });
}

grpc::ServerUnaryReactor* EvaluationService::ExtendJob(grpc::CallbackServerContext* /*context*/,
                                                       const v1::ExtendJobRequest* request,
                                                       v1::CreateJobResponse* response) {
  return UnaryCall::Run(host_, [this, request, response](std::shared_ptr<UnaryCall> call) {
    return service::ExtendJob(creation(), std::move(call), *request, response);
  });
}

grpc::ServerUnaryReactor* EvaluationService::RetryJob(grpc::CallbackServerContext* /*context*/,
                                                      const v1::RetryJobRequest* request,
                                                      v1::CreateJobResponse* response) {
  return UnaryCall::Run(host_, [this, request, response](std::shared_ptr<UnaryCall> call) {
    return service::RetryJob(creation(), std::move(call), *request, response);
  });
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

grpc::ServerUnaryReactor* EvaluationService::ListBatches(grpc::CallbackServerContext* context,
                                                         const v1::ListBatchesRequest* request,
                                                         v1::ListBatchesResponse* response) {
  const auto list = [this, request, response](engine::JobKey job, auto* reactor) {
    const std::string name = "batches:" + request->name();
    const auto page = ParsePage(*request, name);
    if (!page.ok()) return reactor->Finish(ToGrpc(page.status()));
    // The newest first; what was added meanwhile stands before the page. None ever goes.
    const std::vector<v1::Batch> batches = host_.engine().Batches(job);
    auto next = std::find_if(batches.begin(), batches.end(),
                             [&](const v1::Batch& batch) { return batch.name() == page->after; });
    next = next == batches.end() ? batches.begin() : std::next(next);
    for (; next != batches.end() && response->batches_size() < page->size; ++next) {
      *response->add_batches() = *next;
    }
    if (next != batches.end() && response->batches_size() > 0) {
      response->set_next_page_token(
          PrintCursor(name, response->batches(response->batches_size() - 1).name()));
    }
    reactor->Finish(grpc::Status::OK);
  };
  return OnJob(host_, context, request, list);
}

grpc::ServerReadReactor<v1::ImportJobRequest>* EvaluationService::ImportJob(
    grpc::CallbackServerContext* /*context*/, v1::Job* response) {
  return StartImport(host_, ids_, imports_, response);
}

}  // namespace candor::service
