// EvaluationService.ImportJob: pieces in, one job out, durable as a whole or not at all.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "common/base/ids.h"
#include "coordinator/service/engine_host.h"

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstddef>

namespace candor::service {

// Of one import.
inline constexpr std::size_t kMaxImportBytes = 100'000'000;
inline constexpr std::size_t kMaxImportOutcomes = 1'000'000;
inline constexpr std::size_t kMaxImportPieceBytes = std::size_t{4} << 20U;
// Imports at a time: each may hold its outcomes in memory, some times as large as on the wire.
inline constexpr int kMaxImports = 2;

// Answers one call; deletes itself when gRPC is done with it. `under_way` counts the imports of the
// service. All references outlive the call.
grpc::ServerReadReactor<v1::ImportJobRequest>* StartImport(EngineHost& host, IdGenerator& ids,
                                                           std::atomic<int>& under_way,
                                                           v1::Job* response);

}  // namespace candor::service
