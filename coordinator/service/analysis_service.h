// AnalysisService of proto/candor/v1: what the outcomes of jobs say, and reports of it.
#pragma once

#include "candor/v1/analysis_service.grpc.pb.h"
#include "coordinator/service/engine_host.h"
#include "coordinator/service/turnstile.h"

#include <string>

namespace candor::service {

class AnalysisService final : public v1::AnalysisService::CallbackService {
 public:
  // `host` outlives the service. `version` is that of the program.
  AnalysisService(EngineHost& host, std::string version);

  grpc::ServerUnaryReactor* AnalyzeJobs(grpc::CallbackServerContext* context,
                                        const v1::AnalyzeJobsRequest* request,
                                        v1::Analysis* response) override;
  grpc::ServerWriteReactor<v1::GetReportResponse>* GetReport(
      grpc::CallbackServerContext* context, const v1::GetReportRequest* request) override;

 private:
  EngineHost& host_;
  const std::string version_;
  // One analysis at a time, so that live estimates always have a thread.
  Turnstile turnstile_;
};

}  // namespace candor::service
