// EvaluationService of proto/candor/v1: translate, validate, call the engine, answer once it is
// durable.
#pragma once

#include "candor/v1/evaluation_service.grpc.pb.h"
#include "common/base/ids.h"
#include "coordinator/service/create_job.h"
#include "coordinator/service/engine_host.h"
#include "coordinator/service/live_jobs.h"
#include "coordinator/service/turnstile.h"

#include <atomic>
#include <string>

namespace candor::service {

class EvaluationService final : public v1::EvaluationService::CallbackService {
 public:
  // Both outlive the service.
  EvaluationService(EngineHost& host, IdGenerator& ids);

  grpc::ServerUnaryReactor* CreateJob(grpc::CallbackServerContext* context,
                                      const v1::CreateJobRequest* request,
                                      v1::CreateJobResponse* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::ServerUnaryReactor* GetJobSpecification(grpc::CallbackServerContext* context,
                                                const v1::GetJobSpecificationRequest* request,
                                                v1::JobSpecification* response) override;
  grpc::ServerUnaryReactor* ExplainJob(grpc::CallbackServerContext* context,
                                       const v1::ExplainJobRequest* request,
                                       v1::JobExplanation* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* PauseJob(grpc::CallbackServerContext* context,
                                     const v1::PauseJobRequest* request,
                                     v1::Job* response) override;
  grpc::ServerUnaryReactor* ResumeJob(grpc::CallbackServerContext* context,
                                      const v1::ResumeJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const v1::CancelJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* DeleteJob(grpc::CallbackServerContext* context,
                                      const v1::DeleteJobRequest* request,
                                      google::protobuf::Empty* response) override;
  grpc::ServerWriteReactor<v1::WatchJobResponse>* WatchJob(
      grpc::CallbackServerContext* context, const v1::WatchJobRequest* request) override;
  grpc::ServerWriteReactor<v1::StreamOutcomesResponse>* StreamOutcomes(
      grpc::CallbackServerContext* context, const v1::StreamOutcomesRequest* request) override;
  grpc::ServerWriteReactor<v1::StreamAttemptsResponse>* StreamAttempts(
      grpc::CallbackServerContext* context, const v1::StreamAttemptsRequest* request) override;
  grpc::ServerUnaryReactor* ExtendJob(grpc::CallbackServerContext* context,
                                      const v1::ExtendJobRequest* request,
                                      v1::CreateJobResponse* response) override;
  grpc::ServerUnaryReactor* RetryJob(grpc::CallbackServerContext* context,
                                     const v1::RetryJobRequest* request,
                                     v1::CreateJobResponse* response) override;
  grpc::ServerUnaryReactor* ListBatches(grpc::CallbackServerContext* context,
                                        const v1::ListBatchesRequest* request,
                                        v1::ListBatchesResponse* response) override;
  grpc::ServerReadReactor<v1::ImportJobRequest>* ImportJob(grpc::CallbackServerContext* context,
                                                           v1::Job* response) override;

 private:
  CreationContext creation() { return {host_, ids_, turnstile_}; }

  // What Pause, Resume and Cancel have in common: check, tell the engine, answer with the job once
  // durable.
  using Check = Status (engine::Engine::*)(engine::JobKey) const;
  template <typename Event, typename Request>
  grpc::ServerUnaryReactor* Change(grpc::CallbackServerContext* context, const Request* request,
                                   v1::Job* response, Check check);

  EngineHost& host_;
  IdGenerator& ids_;
  LiveJobs live_;
  Turnstile turnstile_;
  // Imports under way.
  std::atomic<int> imports_ = 0;
};

}  // namespace candor::service
