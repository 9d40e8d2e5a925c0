// WorkerService of proto/candor/v1: the streams of the workers.
#pragma once

#include "candor/v1/worker_service.grpc.pb.h"
#include "coordinator/service/engine_host.h"

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <string>

namespace candor::service {

class WorkerStream;

class WorkerService final : public v1::WorkerService::CallbackService {
 public:
  // `host` outlives the service.
  explicit WorkerService(EngineHost& host) : host_(host) {}

  grpc::ServerBidiReactor<v1::ConnectRequest, v1::ConnectResponse>* Connect(
      grpc::CallbackServerContext* context) override;

  // Ends every stream with UNAVAILABLE, and those that open later. Workers come back to the next
  // coordinator. Returns at once; from any thread.
  void CloseAll(const std::string& reason);

 private:
  friend class WorkerStream;

  EngineHost& host_;
  // On the strand.
  absl::flat_hash_set<std::shared_ptr<WorkerStream>> streams_;
  std::string closed_;
};

}  // namespace candor::service
