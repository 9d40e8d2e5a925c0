#include "common/metrics/operations_server.h"

#include "common/metrics/process_metrics.h"

#include <utility>

namespace candor::metrics {
namespace {

constexpr std::string_view kPlain = "text/plain";

void SendMetrics(const Operations& operations, net::Responder responder) {
  operations.collect([responder = std::move(responder)](Families families) mutable {
    AddProcessMetrics(families);
    responder.Send(200, kTextType, Text(families));
  });
}

}  // namespace

StatusOr<std::unique_ptr<net::HttpServer>> ServeOperations(boost::asio::io_context& io,
                                                           const std::string& listen,
                                                           Operations operations) {
  net::HttpServerOptions options;
  options.listen = listen;
  // Probes have no body.
  options.max_body_bytes = 1024;
  return net::HttpServer::Create(
      io, std::move(options),
      [operations = std::move(operations)](const net::HttpServerRequest& request,
                                           net::Responder responder) {
        if (request.method != "GET") {
          return responder.Send(405, kPlain, "only GET is answered here\n");
        }
        if (request.path == "/healthz/live") return responder.Send(200, kPlain, "live\n");
        if (request.path == "/healthz/ready") {
          return operations.ready() ? responder.Send(200, kPlain, "ready\n")
                                    : responder.Send(503, kPlain, "not ready\n");
        }
        if (request.path == "/metrics") return SendMetrics(operations, std::move(responder));
        responder.Send(404, kPlain,
                       "no such page; there are /healthz/live, /healthz/ready and /metrics\n");
      });
}

}  // namespace candor::metrics
