// One limit, as the provider's response headers show it.
//
// What the limit is: believed at first sight, and changed when three answers in a row agree on
// another value, which calls that were under way at the last change do not count for (a raise) or
// may (a lower one: too low for a moment is safe). Values that cannot be are left out, and what was
// not said again for ten minutes is forgotten: a lie about it too.
//
// What others use of the account: a window of the provider's that is used to `limit - remaining`,
// less what ours holds at the same time. Ours counts each call sooner and longer than the provider
// does, so what is left over is others' (never less than 0); it is the least that the answers of
// the last one to two seconds say, because an answer that was under way is out of date by what was
// sent meanwhile. A provider that fills a bucket instead of sliding a window shows less use than
// there was, and so nothing of others until they and we together pass the limit: then its refusals
// tell (call_probe.h).
//
// Not for concurrent use. `now` never goes back.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"

#include <cstdint>
#include <optional>

namespace candor::engine {

class HeaderLimit {
 public:
  // An answer to a call that was granted at `granted`; `ours` is what our own window holds now.
  // True when the limit is another one than before.
  bool Observe(TimePoint now, TimePoint granted, const v1::LimitObservation& observation,
               std::int64_t ours);

  // What the provider says that the limit is; 0: nothing, or not for long.
  std::int64_t Limit(TimePoint now) const;
  // What others use of it; 0 a minute after the last answer.
  std::int64_t Others(TimePoint now) const;
  // When `Others` becomes 0 by itself; absent when it is.
  std::optional<TimePoint> Forgets(TimePoint now) const;

  // By the latest answer; absent when it did not say.
  std::optional<std::int64_t> remaining() const { return remaining_; }
  std::optional<TimePoint> reset_at() const { return reset_at_; }

 private:
  bool ObserveLimit(TimePoint now, TimePoint granted, std::int64_t limit);

  std::int64_t limit_ = 0;
  TimePoint said_at_ = TimePoint::min();
  TimePoint changed_at_ = TimePoint::min();
  std::int64_t candidate_ = 0;
  std::int32_t agree_ = 0;
  std::optional<std::int64_t> remaining_;
  std::optional<TimePoint> reset_at_;
  // The least use of others in this second of answers, and in the one before.
  TimePoint since_ = TimePoint::min();
  std::int64_t least_ = 0;
  std::int64_t least_before_ = 0;
  TimePoint seen_at_ = TimePoint::min();
};

}  // namespace candor::engine
