// One limit over time: how much of one thing may be used in any 60 s, or in any 24 h.
//
// A use holds its place in the window from its grant until it cannot lie in a window of the
// provider any more: without end until it is known when it began, and from then on for the
// window's length. So every window at the provider holds at most what one of ours holds.
//
// Uses are summed up by when they leave, in steps of 10 ms for a minute and of 15 s for a day,
// rounded so that a use counts too long rather than too short: what that costs is 1 part in 12,000.
// A window of minutes is also spread evenly (generic cell rate algorithm, ITU-T I.371): a limit of
// 60 a minute is one a second, because some providers look at shorter windows than they say. Up to
// 100 ms worth of uses may go together.
//
//   LimitWindow window(LimitWindow::Kind::kMinute);
//   window.SetLimit(600);
//   const std::int64_t room = window.Available(now, amount);   // so many uses of `amount`
//   window.Take(now, room * amount, amount);                   // granted
//   window.Settle(now, amount, amount);                        // one of them, from `now` on
//
// Not for concurrent use. `now` never goes back.
#pragma once

#include "common/base/clock.h"

#include <cstdint>
#include <deque>
#include <optional>

namespace candor::engine {

class LimitWindow {
 public:
  enum class Kind { kMinute, kDay };

  // What `Available` says where nothing is limited.
  static constexpr std::int64_t kMost = std::int64_t{1} << 31U;

  explicit LimitWindow(Kind kind) : kind_(kind) {}

  // 0: no limit. The window stays as it is: a lower limit holds at once.
  void SetLimit(std::int64_t limit);
  std::int64_t limit() const { return limit_; }
  // What part of the even spread may go now, above 0 and at most 1. Spreads of half a second and
  // more stay as they are.
  void SetPace(double pace) { pace_ = pace; }
  // The pace slows down uses of `amount`.
  bool Ramps(std::int64_t amount) const;

  // How many uses of `amount` may be granted now. Nothing is always available.
  std::int64_t Available(TimePoint now, std::int64_t amount);
  // When `Available` is above 0 again by the passing of time alone; absent when something else has
  // to happen first.
  std::optional<TimePoint> NextChance(TimePoint now, std::int64_t amount);

  // `total` was granted, in uses of `amount`.
  void Take(TimePoint now, std::int64_t total, std::int64_t amount);
  // Of what was taken, `taken` came to be `used`, no later than `began`; 0 when it came to nothing.
  void Settle(TimePoint began, std::int64_t taken, std::int64_t used);
  // What was settled as `used` at `began` was so much less or more, or nothing; or began earlier.
  void Remove(TimePoint began, std::int64_t used);
  void Add(TimePoint began, std::int64_t used);
  // The even spread gives back so much, or takes more.
  void Correct(TimePoint now, std::int64_t less);

  // What counts now; what is taken and not settled included.
  std::int64_t used(TimePoint now);
  std::int64_t taken() const { return taken_; }

 private:
  struct Bucket {
    // When it leaves the window, in grains.
    std::int64_t leaves = 0;
    std::int64_t amount = 0;
  };

  Duration length() const;
  Duration grain() const;
  std::int64_t Leaves(TimePoint began) const;
  // Between two uses of `amount`, in nanoseconds; by the limit, and as it goes now.
  double Spread(std::int64_t amount) const;
  std::int64_t Step(std::int64_t amount) const;
  void Advance(TimePoint now);

  Kind kind_;
  std::int64_t limit_ = 0;
  double pace_ = 1;
  // The first to leave comes first.
  std::deque<Bucket> buckets_;
  std::int64_t settled_ = 0;
  std::int64_t taken_ = 0;
  // When the next use is due, in nanoseconds.
  std::int64_t next_ = INT64_MIN;
};

}  // namespace candor::engine
