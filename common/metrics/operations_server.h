// The HTTP port of a program that runs somewhere and is looked after by others: probes and metrics.
//
//   GET /healthz/live    200 while the process runs
//   GET /healthz/ready   200 while it does its work, 503 otherwise
//   GET /metrics         Prometheus' text format
//
//   auto server = ServeOperations(io, "127.0.0.1:0",
//                                 {.ready = [&] { return session.state().welcomed(); },
//                                  .collect = [&](SendFamilies send) { send(metrics.Collect());
//                                  }});
//
// Nothing can be changed by it and nothing secret is shown, so it may listen where probes come
// from.
#pragma once

#include "common/base/status.h"
#include "common/metrics/families.h"
#include "common/net/http_server.h"

#include <absl/functional/any_invocable.h>

#include <functional>
#include <memory>
#include <string>

namespace candor::metrics {

// Answers one request for metrics: to be called once, on any thread, where the text is then made.
// What the process takes of the machine is added.
using SendFamilies = absl::AnyInvocable<void(Families)>;

struct Operations {
  // Called on the server's thread; must not block.
  std::function<bool()> ready;
  std::function<void(SendFamilies)> collect;
};

// Serves on `io`. What `operations` refer to outlives the server. Errors as HttpServer::Create.
StatusOr<std::unique_ptr<net::HttpServer>> ServeOperations(boost::asio::io_context& io,
                                                           const std::string& listen,
                                                           Operations operations);

}  // namespace candor::metrics
