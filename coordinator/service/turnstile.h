// Lets one through at a time: what takes seconds of a processor is to stand in line, and not to
// take every thread there is.
//
//   const Status entered = co_await turnstile.Enter();
//   if (!entered.ok()) co_return ToGrpc(entered);
//   const Turnstile::Pass pass(turnstile);
#pragma once

#include "common/base/status.h"
#include "coordinator/service/signal.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <deque>
#include <string_view>

namespace candor::service {

// All of it on the strand.
class Turnstile {
 public:
  // `what` is what stands in line, for errors.
  Turnstile(boost::asio::io_context& strand, std::size_t max_waiting,
            std::string_view what = "analyses")
      : strand_(strand), max_waiting_(max_waiting), what_(what) {}

  // Waits for its turn. RESOURCE_EXHAUSTED when so many wait that it would take long.
  boost::asio::awaitable<Status> Enter() {
    if (taken_) {
      if (waiting_.size() >= max_waiting_) {
        co_return ResourceExhausted("{} {} wait already; ask again when some of them are done",
                                    waiting_.size(), what_);
      }
      Signal turn(strand_);
      waiting_.push_back(&turn);
      co_await turn.Wait();
    }
    taken_ = true;
    co_return absl::OkStatus();
  }

  // The turn of whoever has entered: ends with it.
  class Pass {
   public:
    explicit Pass(Turnstile& turnstile) : turnstile_(turnstile) {}
    ~Pass() { turnstile_.Leave(); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    Turnstile& turnstile_;
  };

 private:
  // The next one takes over, without a moment in which somebody else could enter.
  void Leave() {
    taken_ = !waiting_.empty();
    if (waiting_.empty()) return;
    waiting_.front()->Notify();
    waiting_.pop_front();
  }

  boost::asio::io_context& strand_;
  const std::size_t max_waiting_;
  const std::string_view what_;
  bool taken_ = false;
  std::deque<Signal*> waiting_;
};

}  // namespace candor::service
