// One step of a provider's batch, carried out: create it, ask for it, read its results, cancel it.
//
//   const auto runner = MakeBatchRunner(endpoints, *http_client, clock);
//   v1::BatchReport report = co_await runner->Run(start, sink);
//
// Nothing is remembered between steps, nor is any step repeated here: what failed is reported, and
// the coordinator decides. The one thing that must not happen twice, a creation, keeps to the
// task's time: it begins before `create_by`, or not at all, and takes `create_within` at most.
//
// Not for concurrent use by several threads; any number of steps may be pending on one.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "common/dialect/render.h"
#include "common/net/http_client.h"
#include "worker/provider/endpoints.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace candor::batch {

// A step to take.
struct BatchStart {
  // With all its leases.
  v1::BatchTask task;
  // Null when the job's specification has not come, or cannot be used: `error` says why.
  std::shared_ptr<const dialect::JobRenderer> job;
  std::string error;
  // A creation begins before this time, and ends within so long.
  TimePoint create_by{};
  Duration create_within = std::chrono::seconds(60);
};

// Takes the results of a step as they are read.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  // Takes one. Waits while too many are on their way, so that memory stays bounded. False: nobody
  // wants them any more, and the step is to end.
  virtual boost::asio::awaitable<bool> Take(v1::AttemptReport report) = 0;
  // Waits until all that were taken are acknowledged. False as above.
  virtual boost::asio::awaitable<bool> Flush() = 0;
  // True when the step is to end: the stream or the worker does.
  virtual bool stopped() const = 0;
};

class BatchRunner {
 public:
  virtual ~BatchRunner() = default;
  // Takes the step and says how it went. Never throws. A step that is stopped ends soon, but for a
  // creation that has begun, which ends within its time.
  virtual boost::asio::awaitable<v1::BatchReport> Run(BatchStart start, BatchSink& sink) = 0;
};

// Speaks to the providers of `endpoints` over `http`, on whose executor everything is to happen.
// All must outlive the runner and its steps.
std::unique_ptr<BatchRunner> MakeBatchRunner(const provider::Endpoints& endpoints,
                                             net::HttpClient& http, const Clock& clock);

}  // namespace candor::batch
