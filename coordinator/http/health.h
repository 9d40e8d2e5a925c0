// The coordinator's HTTP port: whether it lives and serves, for probes that do not speak gRPC.
//
//   GET /healthz/live    200 while the process runs
//   GET /healthz/ready   200 while it takes jobs and workers, 503 otherwise
#pragma once

#include "common/base/status.h"
#include "common/net/http_server.h"

#include <atomic>
#include <memory>
#include <string>

namespace candor::http {

// Serves on `io`. `ready` outlives the server.
StatusOr<std::unique_ptr<net::HttpServer>> ServeHealth(boost::asio::io_context& io,
                                                       const std::string& listen,
                                                       const std::atomic<bool>& ready);

}  // namespace candor::http
