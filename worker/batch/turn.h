// One at a time, where each may take much memory. Inside this room only.
//
//   const Turn::Hold hold = co_await turn.Take(sink);
//   if (!hold) co_return;                              // the step was stopped meanwhile
//
// For one thread, as the runner.
#pragma once

#include "worker/batch/batch_runner.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>
#include <utility>

namespace candor::batch {

class Turn {
 public:
  // Whoever holds it has its turn. Must not outlive the Turn.
  class Hold {
   public:
    Hold() = default;
    explicit Hold(Turn& turn) : turn_(&turn) {}
    Hold(Hold&& other) noexcept : turn_(std::exchange(other.turn_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() { Release(); }
    explicit operator bool() const { return turn_ != nullptr; }
    void Release() {
      if (turn_ != nullptr) std::exchange(turn_, nullptr)->Give();
    }

   private:
    Turn* turn_ = nullptr;
  };

  // Waits until nobody else has it, or the step is stopped: then it is not had.
  boost::asio::awaitable<Hold> Take(const BatchSink& sink) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (!wake_) wake_.emplace(executor, boost::asio::steady_timer::time_point::max());
    while (taken_ && !sink.stopped()) {
      boost::system::error_code ignored;
      co_await wake_->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    if (sink.stopped()) co_return Hold();
    taken_ = true;
    co_return Hold(*this);
  }

 private:
  void Give() {
    taken_ = false;
    wake_->cancel();
  }

  bool taken_ = false;
  // Made with the executor of the first who waits.
  std::optional<boost::asio::steady_timer> wake_;
};

}  // namespace candor::batch
