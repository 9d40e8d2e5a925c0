// The worker's metrics: its calls, counted as they end, and its stream to the coordinator, looked
// at when somebody asks.
//
//   WorkerMetrics metrics(CANDOR_VERSION, endpoints);
//   CallPool calls(lanes, endpoints, http_options, clock, &metrics);
//   ...
//   auto server = metrics::ServeOperations(io, listen,
//                                          {.ready = ..., .collect =
//                                          metrics.CollectFrom(session)});
//
// Models are not labels here: the coordinator counts by model, for all workers together.
#pragma once

#include "common/metrics/operations_server.h"
#include "worker/provider/call_observer.h"
#include "worker/provider/endpoints.h"
#include "worker/session/session.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace candor::http {

class WorkerMetrics final : public provider::CallObserver {
 public:
  // `endpoints` outlives this.
  WorkerMetrics(std::string version, const provider::Endpoints& endpoints);

  void Began(const provider::Endpoint& endpoint) override;
  void Ended(const provider::Endpoint& endpoint, const v1::AttemptReport& report,
             std::optional<Duration> first_byte) override;

  // To be called on the session's executor; both outlive what it returns.
  std::function<void(metrics::SendFamilies)> CollectFrom(const session::Session& session);

 private:
  // A call's result: its error's class, or what became of it without one.
  static constexpr std::size_t kErrors = v1::Attempt::ErrorClass_ARRAYSIZE;
  static constexpr std::size_t kCompleted = kErrors;
  static constexpr std::size_t kNotSent = kErrors + 1;

  struct EndpointMetrics {
    const provider::Endpoint* endpoint = nullptr;
    prometheus::Gauge* in_flight = nullptr;
    std::array<prometheus::Counter*, kErrors + 2> calls{};
    prometheus::Histogram* duration = nullptr;
    prometheus::Histogram* first_byte = nullptr;
  };
  // By the address: there are few.
  EndpointMetrics* Find(const provider::Endpoint& endpoint);

  const std::string version_;
  prometheus::Registry registry_;
  std::vector<EndpointMetrics> endpoints_;
};

}  // namespace candor::http
