// Ctrl-C for calls that block: cancels the call under way, and ends waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace candor::cli {

class Interrupt {
 public:
  // From any thread; later calls do nothing.
  void Trigger() {
    const std::lock_guard lock(mutex_);
    triggered_ = true;
    if (cancel_) cancel_();
    changed_.notify_all();
  }
  bool triggered() const {
    const std::lock_guard lock(mutex_);
    return triggered_;
  }
  // Waits; true when interrupted meanwhile.
  bool WaitFor(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return triggered_; });
  }

  // While it lives, `cancel` is what an interrupt does. One at a time.
  class Scope {
   public:
    Scope(Interrupt& interrupt, std::function<void()> cancel) : interrupt_(interrupt) {
      const std::lock_guard lock(interrupt_.mutex_);
      if (interrupt_.triggered_) cancel();
      interrupt_.cancel_ = std::move(cancel);
    }
    ~Scope() {
      const std::lock_guard lock(interrupt_.mutex_);
      interrupt_.cancel_ = nullptr;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt& interrupt_;
  };

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> cancel_;
  bool triggered_ = false;
};

}  // namespace candor::cli
