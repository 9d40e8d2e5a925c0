// What creating and importing a job have in common: the job checked and resolved.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/base/status.h"
#include "common/base/violations.h"
#include "coordinator/service/engine_host.h"

#include <memory>
#include <string>

namespace candor::service {

// A creation. Passed validation when there are no violations.
struct Creation {
  std::string request_id;
  // Name, specification fields, specification_hash and analysis_hash.
  std::shared_ptr<v1::Job> job;
  std::shared_ptr<v1::JobSpecification> specification;
};

enum class Endpoints {
  // Every entry names one of the configuration.
  kConfigured,
  // Nobody is called: any name, and "imported" where there is none.
  kAny,
};

// Everything that can be checked without the engine: adds to `violations`. Takes some milliseconds
// and reads the store: on a reader thread.
StatusOr<Creation> PrepareCreation(const v1::Job& job, const std::string& request_id,
                                   Endpoints endpoints, EngineHost& host, std::string job_name,
                                   FieldViolations& violations);

// The error for a request id that created another job before.
Status OtherRequest(const std::string& request_id, const std::string& job_name);

}  // namespace candor::service
