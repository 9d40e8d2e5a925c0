// ScenarioService of proto/candor/v1.
#pragma once

#include "candor/v1/scenario_service.grpc.pb.h"
#include "common/base/clock.h"
#include "coordinator/service/engine_host.h"

namespace candor::service {

class ScenarioService final : public v1::ScenarioService::CallbackService {
 public:
  // Both outlive the service.
  ScenarioService(EngineHost& host, const Clock& clock) : host_(host), clock_(clock) {}

  grpc::ServerUnaryReactor* CreateScenarioSet(grpc::CallbackServerContext* context,
                                              const v1::CreateScenarioSetRequest* request,
                                              v1::ScenarioSet* response) override;
  grpc::ServerReadReactor<v1::UploadScenarioSetRequest>* UploadScenarioSet(
      grpc::CallbackServerContext* context, v1::ScenarioSet* response) override;
  grpc::ServerUnaryReactor* GetScenarioSet(grpc::CallbackServerContext* context,
                                           const v1::GetScenarioSetRequest* request,
                                           v1::ScenarioSet* response) override;
  grpc::ServerUnaryReactor* ListScenarioSets(grpc::CallbackServerContext* context,
                                             const v1::ListScenarioSetsRequest* request,
                                             v1::ListScenarioSetsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteScenarioSet(grpc::CallbackServerContext* context,
                                              const v1::DeleteScenarioSetRequest* request,
                                              google::protobuf::Empty* response) override;

  // Validates and stores `set` under `id`; the set as stored, without its scenarios. On a reader
  // thread.
  grpc::Status Store(const std::string& id, std::string_view field, v1::ScenarioSet set,
                     v1::ScenarioSet* response);

 private:
  EngineHost& host_;
  const Clock& clock_;
};

}  // namespace candor::service
