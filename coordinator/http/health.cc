#include "coordinator/http/health.h"

#include <utility>

namespace candor::http {

StatusOr<std::unique_ptr<net::HttpServer>> ServeHealth(boost::asio::io_context& io,
                                                       const std::string& listen,
                                                       const std::atomic<bool>& ready) {
  net::HttpServerOptions options;
  options.listen = listen;
  // Probes have no body.
  options.max_body_bytes = 1024;
  return net::HttpServer::Create(
      io, std::move(options),
      [&ready](const net::HttpServerRequest& request, net::Responder responder) {
        if (request.method != "GET")
          return responder.Send(405, "text/plain", "only GET is answered here\n");
        if (request.path == "/healthz/live") return responder.Send(200, "text/plain", "live\n");
        if (request.path == "/healthz/ready") {
          return ready ? responder.Send(200, "text/plain", "ready\n")
                       : responder.Send(503, "text/plain", "not ready\n");
        }
        responder.Send(404, "text/plain",
                       "no such page; there are /healthz/live and /healthz/ready\n");
      });
}

}  // namespace candor::http
