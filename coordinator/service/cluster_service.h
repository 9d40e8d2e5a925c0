// ClusterService of proto/candor/v1, for operators.
#pragma once

#include "candor/v1/cluster_service.grpc.pb.h"
#include "coordinator/service/engine_host.h"

#include <string>

namespace candor::service {

class ClusterService final : public v1::ClusterService::CallbackService {
 public:
  // `host` outlives the service; `version` is the program's.
  ClusterService(EngineHost& host, std::string version)
      : host_(host), version_(std::move(version)) {}

  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext* context,
                                        const v1::ListWorkersRequest* request,
                                        v1::ListWorkersResponse* response) override;
  grpc::ServerUnaryReactor* DrainWorker(grpc::CallbackServerContext* context,
                                        const v1::DrainWorkerRequest* request,
                                        v1::Worker* response) override;
  grpc::ServerUnaryReactor* ListLimitGroups(grpc::CallbackServerContext* context,
                                            const v1::ListLimitGroupsRequest* request,
                                            v1::ListLimitGroupsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateLimitGroup(grpc::CallbackServerContext* context,
                                             const v1::UpdateLimitGroupRequest* request,
                                             v1::LimitGroup* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::ClusterStatus* response) override;

 private:
  EngineHost& host_;
  const std::string version_;
};

}  // namespace candor::service
