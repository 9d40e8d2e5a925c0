// A wake-up call between callbacks and coroutines of one strand. A call that comes before the wait
// is not lost.
//
//   Signal changed(strand);
//   auto subscription = Subscribe([&] { changed.Notify(); });
//   const bool called = co_await changed.WaitFor(10s);
#pragma once

#include "common/base/clock.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace candor::service {

// All of it on the strand; one waiter at a time.
class Signal {
 public:
  explicit Signal(boost::asio::io_context& strand) : timer_(strand) {}

  void Notify() {
    notified_ = true;
    timer_.cancel();
  }

  boost::asio::awaitable<void> Wait() {
    // g++ 12 miscompiles co_await in a loop's condition; so here and wherever a result is used.
    bool notified = false;
    while (!notified) notified = co_await WaitFor(std::chrono::hours(1));
  }

  // True when notified, false when `timeout` passed first. Takes the notification.
  boost::asio::awaitable<bool> WaitFor(Duration timeout) {
    if (!notified_) {
      timer_.expires_after(timeout);
      boost::system::error_code ignored;
      co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    co_return std::exchange(notified_, false);
  }

 private:
  boost::asio::steady_timer timer_;
  bool notified_ = false;
};

}  // namespace candor::service
