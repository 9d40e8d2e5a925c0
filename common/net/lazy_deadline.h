// A deadline that is moved often and reached seldom. Internal.
//
// Moving it later costs a store: the timer stays where it is, and when it fires too early it is set
// anew. So a connection that carries ten thousand calls a second touches the timer queue about
// never.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace candor::net {

// `Owner` is held by std::shared_ptr and has `void OnDeadline()`, which is called once the deadline
// has passed. For the thread of the executor alone.
template <typename Owner>
class LazyDeadline {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit LazyDeadline(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  void Set(const std::shared_ptr<Owner>& owner, Time deadline) {
    deadline_ = deadline;
    if (deadline < armed_until_) Arm(owner);
  }
  void Clear() { deadline_ = Time::max(); }
  void Cancel() {
    Clear();
    ++generation_;
    armed_until_ = Time::max();
    timer_.cancel();
  }

 private:
  void Arm(const std::weak_ptr<Owner>& owner) {
    armed_until_ = deadline_;
    timer_.expires_at(deadline_);
    timer_.async_wait(
        [this, owner, generation = ++generation_](const boost::system::error_code& error) {
          if (error) return;
          const std::shared_ptr<Owner> alive = owner.lock();
          // `this` is a part of the owner.
          if (alive == nullptr || generation != generation_) return;
          armed_until_ = Time::max();
          if (deadline_ == Time::max()) return;
          if (std::chrono::steady_clock::now() < deadline_) return Arm(owner);
          deadline_ = Time::max();
          alive->OnDeadline();
        });
  }

  boost::asio::steady_timer timer_;
  Time deadline_ = Time::max();
  // Time::max() when the timer does not run.
  Time armed_until_ = Time::max();
  unsigned generation_ = 0;
};

}  // namespace candor::net
