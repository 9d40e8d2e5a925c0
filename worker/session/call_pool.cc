#include "worker/session/call_pool.h"

#include "worker/provider/caller.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <list>
#include <utility>

namespace candor::session {

namespace asio = boost::asio;

// The calls of one thread.
class CallPool::Lane {
 public:
  Lane(asio::io_context& io, const provider::Endpoints& endpoints,
       const net::HttpClientOptions& options, const Clock& clock, provider::CallObserver* observer)
      : io_(io),
        http_(net::MakeHttpClient(io.get_executor(), options)),
        caller_(endpoints, *http_, clock, observer) {}

  asio::io_context& io() { return io_; }

  // On the lane's thread, as all that follows.
  void Begin(Start start, Done done) {
    const auto running = running_.emplace(running_.end());
    running->lease = std::move(start.lease);
    asio::co_spawn(io_, caller_.Call(running->lease, std::move(start.job), start.start_by),
                   asio::bind_cancellation_slot(
                       running->signal.slot(),
                       [this, running, done = std::move(done)](std::exception_ptr error,
                                                               v1::AttemptReport report) mutable {
                         if (error) report = Lost(running->lease);
                         running_.erase(running);
                         done(std::move(report));
                       }));
  }

  void CancelAll() {
    // A cancelled call may end, and leave the list, at once.
    for (auto at = running_.begin(); at != running_.end();) {
      Running& running = *at++;
      running.signal.emit(asio::cancellation_type::terminal);
    }
  }

 private:
  struct Running {
    v1::Lease lease;
    asio::cancellation_signal signal;
  };

  // A call that could not report itself. It may have been made, and is not to be repeated for
  // nothing as one that was never sent.
  static v1::AttemptReport Lost(const v1::Lease& lease) {
    v1::AttemptReport lost = provider::HandBack(lease, "the worker failed during the call");
    lost.mutable_attempt()->set_state(v1::Attempt::UNANSWERED);
    lost.mutable_attempt()->set_error_class(v1::Attempt::MALFORMED_RESPONSE);
    return lost;
  }

  asio::io_context& io_;
  std::unique_ptr<net::HttpClient> http_;
  provider::Caller caller_;
  std::list<Running> running_;
};

CallPool::CallPool(std::vector<asio::io_context*> ios, const provider::Endpoints& endpoints,
                   const net::HttpClientOptions& options, const Clock& clock,
                   provider::CallObserver* observer) {
  for (asio::io_context* io : ios) {
    lanes_.push_back(std::make_unique<Lane>(*io, endpoints, options, clock, observer));
  }
}

CallPool::~CallPool() = default;

void CallPool::Begin(Start start, Done done) {
  Lane& lane = *lanes_[next_++ % lanes_.size()];
  asio::dispatch(lane.io(), [&lane, start = std::move(start), done = std::move(done)]() mutable {
    lane.Begin(std::move(start), std::move(done));
  });
}

void CallPool::CancelAll() {
  for (const auto& lane : lanes_) {
    asio::post(lane->io(), [lane = lane.get()] { lane->CancelAll(); });
  }
}

}  // namespace candor::session
