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
    const auto signal = signals_.emplace(signals_.end());
    // Kept for the case that the call cannot report itself. It may have been made, and is not to be
    // repeated for nothing as one that was never sent.
    v1::AttemptReport lost = provider::HandBack(start.lease, "the worker failed during the call");
    lost.mutable_attempt()->set_state(v1::Attempt::UNANSWERED);
    lost.mutable_attempt()->set_error_class(v1::Attempt::MALFORMED_RESPONSE);
    asio::co_spawn(
        io_, caller_.Call(std::move(start.lease), std::move(start.job), start.start_by),
        asio::bind_cancellation_slot(
            signal->slot(), [this, signal, lost = std::move(lost), done = std::move(done)](
                                std::exception_ptr error, v1::AttemptReport report) mutable {
              signals_.erase(signal);
              done(error ? std::move(lost) : std::move(report));
            }));
  }

  void CancelAll() {
    // A cancelled call may end, and leave the list, at once.
    for (auto at = signals_.begin(); at != signals_.end();) {
      auto& signal = *at++;
      signal.emit(asio::cancellation_type::terminal);
    }
  }

 private:
  asio::io_context& io_;
  std::unique_ptr<net::HttpClient> http_;
  provider::Caller caller_;
  std::list<asio::cancellation_signal> signals_;
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
