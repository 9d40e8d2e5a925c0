// Who counts a worker's calls, for metrics.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"

#include <optional>

namespace candor::provider {

class Endpoint;

class CallObserver {
 public:
  virtual ~CallObserver() = default;
  // Both on the thread of the call; several threads have calls at the same time. A call that is
  // begun ends once.
  virtual void Began(const Endpoint& endpoint) = 0;
  // `first_byte`: from the request to the first byte of the answer; absent when none came.
  virtual void Ended(const Endpoint& endpoint, const v1::AttemptReport& report,
                     std::optional<Duration> first_byte) = 0;
};

}  // namespace candor::provider
