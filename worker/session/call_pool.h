// The calls in flight of a worker, over one or more threads.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "common/net/http_client.h"
#include "worker/provider/call_observer.h"
#include "worker/provider/endpoints.h"
#include "worker/session/session_state.h"

#include <absl/functional/any_invocable.h>

#include <memory>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace candor::session {

class CallRunner {
 public:
  using Done = absl::AnyInvocable<void(v1::AttemptReport)>;

  virtual ~CallRunner() = default;
  // Begins a call; `done` is called once, on any thread. To be called by one thread.
  virtual void Begin(Start start, Done done) = 0;
  // Ends all calls that were begun; each still reports. Any thread.
  virtual void CancelAll() = 0;
};

// Makes the calls, on the given io_contexts in turn; each has connections of its own and must be
// run by exactly one thread. All must outlive the pool; destroy it when none is running any more.
// `observer` may be null.
class CallPool final : public CallRunner {
 public:
  CallPool(std::vector<boost::asio::io_context*> ios, const provider::Endpoints& endpoints,
           const net::HttpClientOptions& options, const Clock& clock,
           provider::CallObserver* observer = nullptr);
  ~CallPool() override;

  void Begin(Start start, Done done) override;
  void CancelAll() override;

 private:
  class Lane;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::size_t next_ = 0;
};

}  // namespace candor::session
