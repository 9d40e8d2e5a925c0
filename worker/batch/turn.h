// One at a time, where each may take much memory. Inside this room only.
//
//   const Turn::Hold hold = co_await turn.Take(sink);
//   if (!hold) co_return;                              // the step was stopped meanwhile
//
// For one thread, as the runner.
#pragma once

#include "worker/batch/batch_runner.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace candor::batch {

class Turn {
  struct State;

 public:
  // Whoever holds it has its turn. May outlive the Turn: a worker that ends while a batch is being
  // created destroys the runner first, and what waits with the executor, holds among it, last.
  class Hold {
   public:
    Hold() = default;
    explicit Hold(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Hold(Hold&& other) noexcept = default;
    Hold& operator=(Hold&&) = delete;
    ~Hold() { Release(); }
    explicit operator bool() const { return state_ != nullptr; }
    void Release() {
      if (state_ == nullptr) return;
      state_->taken = false;
      state_->wake.cancel();
      state_ = nullptr;
    }

   private:
    std::shared_ptr<State> state_;
  };

  // Waits until nobody else has it, or the step is stopped: then it is not had.
  boost::asio::awaitable<Hold> Take(const BatchSink& sink) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (state_ == nullptr) state_ = std::make_shared<State>(executor);
    while (state_->taken && !sink.stopped()) {
      boost::system::error_code ignored;
      co_await state_->wake.async_wait(
          boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    if (sink.stopped()) co_return Hold();
    state_->taken = true;
    co_return Hold(state_);
  }

 private:
  struct State {
    explicit State(const boost::asio::any_io_executor& executor)
        : wake(executor, boost::asio::steady_timer::time_point::max()) {}
    bool taken = false;
    boost::asio::steady_timer wake;
  };

  // Made with the executor of the first who asks.
  std::shared_ptr<State> state_;
};

}  // namespace candor::batch
