// The coordinator's gRPC server: its services, health and reflection behind one address.
#pragma once

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "coordinator/service/engine_host.h"

#include <memory>
#include <string>

namespace candor::service {

class Server {
 public:
  struct Options {
    // "127.0.0.1:7070"; port 0 picks a free one.
    std::string listen;
    // Of the program.
    std::string version;
  };

  // Serves when it returns. The address cannot be bound: UNAVAILABLE names it and the reason.
  // `host`, `ids` and `clock` outlive the server.
  static StatusOr<std::unique_ptr<Server>> Start(Options options, EngineHost& host,
                                                 IdGenerator& ids, const Clock& clock);
  ~Server();

  // "127.0.0.1:41233", with the port that was bound.
  const std::string& address() const;
  // Health becomes NOT_SERVING, streams get UNAVAILABLE, calls under way have `grace` to finish.
  // Blocks; the strand must be running, because streams end there.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace candor::service
