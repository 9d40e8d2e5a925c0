// The simulated provider on a port:
//
//   POST {any prefix}/chat/completions, /responses, /messages, /models/MODEL:generateContent
//   .../files, .../batches, .../messages/batches          the batch APIs
//   GET  {any prefix}/models               the names that are configured
//   GET  /_simulator/ledger?after=N        a JSON line a call (ledger.h), from call N + 1 on
//   GET  /_simulator/summary               totals, and the most that any 60 s have seen
//   GET  /_simulator/series?window_ms=N&model=M           what happened in consecutive windows
//   GET  /_simulator/limits                the limits in force
//   PUT  /_simulator/limits                (or POST) a LimitRule as JSON: changes them
//   GET  /healthz                          "ok"
#pragma once

#include "candor/v1/simulator.pb.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "simulator/provider_service.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace candor::simulator {

struct ServerOptions {
  // "host:port"; port 0 picks a free one.
  std::string listen = "127.0.0.1:8080";
  // Each with connections of its own.
  int threads = 1;
  v1::SimulatedBatches batches = {};
  // PEM; with both the server speaks TLS only.
  std::string certificate_file = {};
  std::string key_file = {};
};

class SimulatorServer {
 public:
  // Serves at once, on threads of its own. `service` outlives the server. INVALID_ARGUMENT and
  // UNAVAILABLE as HttpServer, and for numbers of threads and batches that make no sense.
  static StatusOr<std::unique_ptr<SimulatorServer>> Start(const ServerOptions& options,
                                                          ProviderService& service);
  virtual ~SimulatorServer() = default;

  // "host:port", as bound.
  virtual std::string address() const = 0;
  virtual std::uint16_t port() const = 0;
  // Stops listening, lets calls be answered for up to `grace`, and returns when all threads have
  // ended. Once; the destructor does it with a grace of zero.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace candor::simulator
