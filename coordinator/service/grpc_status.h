// Statuses on their way out: absl::Status and field violations as grpc::Status with google.rpc
// details.
#pragma once

#include "common/base/status.h"
#include "common/base/violations.h"

#include <grpcpp/support/status.h>

#include <chrono>

namespace candor::service {

// The same code and message. UNAVAILABLE and RESOURCE_EXHAUSTED carry a google.rpc.RetryInfo of
// `retry_delay`.
grpc::Status ToGrpc(const Status& status,
                    std::chrono::milliseconds retry_delay = std::chrono::milliseconds(1000));

// INVALID_ARGUMENT with a google.rpc.BadRequest that lists every violation; OK when there is none.
grpc::Status ToGrpc(const FieldViolations& violations);

// INVALID_ARGUMENT for one field.
grpc::Status InvalidField(std::string field, std::string description);

}  // namespace candor::service
