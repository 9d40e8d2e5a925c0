// The batch APIs behind their routes.
#pragma once

#include "common/net/http_server.h"
#include "simulator/routes.h"

#include <string>

namespace candor::simulator {

struct HttpReply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};

class BatchApi {
 public:
  virtual ~BatchApi() = default;
  // Answers a request to one of its routes; one with another method gets 405. The key has been
  // checked. By any number of threads.
  virtual HttpReply Handle(const Route& route, const net::HttpServerRequest& request) = 0;
  // Brings all batches to the present, so that what they have called is in the ledger.
  virtual void Advance() = 0;
};

}  // namespace candor::simulator
