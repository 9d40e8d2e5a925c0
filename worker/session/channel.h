// The stream to the coordinator, as the session sees it.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/status.h"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace candor::session {

// One stream. At most one Read and one write (Write or WritesDone) may be pending; all is to be
// awaited on the session's executor. Destroy it only after Finish has returned.
class WorkerChannel {
 public:
  virtual ~WorkerChannel() = default;

  // Waits for the next message; false when there will be none any more.
  virtual boost::asio::awaitable<bool> Read(v1::ConnectResponse* message) = 0;
  // Returns when the message has been passed on, or false when the stream has broken; `*message` is
  // then what it was, but not in between.
  virtual boost::asio::awaitable<bool> Write(v1::ConnectRequest* message) = 0;
  // Nothing more is written; the coordinator ends the stream then.
  virtual boost::asio::awaitable<void> WritesDone() = 0;
  // Ends the stream at once: a pending Read and Write return false.
  virtual void Cancel() = 0;
  // How it ended. Once, after Read or Write returned false, with nothing pending.
  virtual boost::asio::awaitable<Status> Finish() = 0;
};

class WorkerChannelFactory {
 public:
  virtual ~WorkerChannelFactory() = default;
  // Begins a stream; a failure to connect shows in its first Read or Write.
  virtual std::unique_ptr<WorkerChannel> Open() = 0;
};

}  // namespace candor::session
