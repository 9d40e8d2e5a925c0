// Time, injected. Nothing in Candor reads a clock of the system but `SystemClock`.
//
//   class Pacer { explicit Pacer(const Clock& clock); ... clock.Now() ... };
//
// `Now` is for measuring and for deadlines: it never goes back and has no date. `WallNow` is for
// people and for stored times: it may jump.
#pragma once

#include <chrono>
#include <cstdint>

namespace candor {

// A point on the monotonic clock. Tests count from the epoch of the type.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;
using Duration = std::chrono::microseconds;
// Microseconds since the Unix epoch.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  // May be called by any number of threads.
  virtual TimePoint Now() const = 0;
  // May be called by any number of threads.
  virtual WallTime WallNow() const = 0;
};

// The clock of the machine.
class SystemClock final : public Clock {
 public:
  TimePoint Now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  WallTime WallNow() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

// A clock for tests, which moves when it is told to. Not for concurrent use.
class ManualClock final : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  WallTime WallNow() const override { return wall_; }
  // Both clocks go on by `step`.
  void Advance(Duration step) {
    now_ += step;
    wall_ += step;
  }
  // The wall clock jumps; the monotonic one does not.
  void SetWall(WallTime wall) { wall_ = wall; }

 private:
  TimePoint now_{};
  WallTime wall_{std::chrono::seconds{1'700'000'000}};
};

}  // namespace candor
