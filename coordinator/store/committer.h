// Group commit: one thread that makes write batches durable, together with all others that have
// gathered meanwhile.
//
//   GroupCommitter committer(
//       *store, {}, [&](engine::Ticket ticket) { post(strand, [=] { Handle(CommitFinished{ticket});
//       }); },
//       [&](Status status) { post(strand, [=] { Die(status); }); });
//   committer.Submit(persist.ticket, std::move(persist.batch));
//   if (committer.full()) StopReadingReports();
//
// On an idle store a batch is committed at once. On a busy one it waits while another group is
// being written, and some milliseconds since that one began, more after a large group than after a
// small one: groups grow by themselves, and what a group costs (fsync, index pages, waking threads)
// is shared by more rows where there are so many that it matters.
#pragma once

#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/engine/records.h"
#include "coordinator/store/store.h"

#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace candor::store {

// One group that was committed.
struct CommitReport {
  std::size_t batches = 0;
  std::size_t rows = 0;
  // As `pending_bytes` counts them.
  std::size_t bytes = 0;
  // What the store took for it.
  Duration time{};
};

struct CommitterOptions {
  // A group is closed by whichever comes first. A single batch may be larger.
  std::size_t max_rows = 1'000;
  std::size_t max_bytes = std::size_t{1} << 20U;
  // From the beginning of one group to that of the next, unless that is full before:
  // `row_interval` for each row of the one, but within these bounds.
  Duration row_interval{};
  Duration min_interval{};
  Duration max_interval{};
  // From here on `full` is true. Submit still accepts: an engine's command cannot be refused.
  std::size_t full_bytes = std::size_t{64} << 20U;
  // Called after each commit on the committer's thread, for metrics. May be empty.
  std::function<void(const CommitReport&)> on_report = nullptr;
};

class GroupCommitter {
 public:
  // Both callbacks run on the committer's thread and must only hand on. `on_committed`: all batches
  // up to this ticket are durable; called once a group. `on_failed`: called once, and nothing is
  // written after it. `store` must outlive the committer.
  GroupCommitter(Store& store, CommitterOptions options,
                 absl::AnyInvocable<void(engine::Ticket)> on_committed,
                 absl::AnyInvocable<void(Status)> on_failed);
  // As Stop.
  ~GroupCommitter();
  GroupCommitter(const GroupCommitter&) = delete;
  GroupCommitter& operator=(const GroupCommitter&) = delete;

  // Queues a batch; never blocks on I/O. Tickets grow. From any thread. A batch submitted after a
  // failure or after Stop is dropped without a callback.
  void Submit(engine::Ticket ticket, engine::WriteBatch batch);

  // Approximate size of what was submitted and is not durable yet. From any thread.
  std::size_t pending_bytes() const;
  // True when the owner should take in no more: `pending_bytes` has reached `full_bytes`.
  bool full() const;

  // Commits what was submitted, with its callbacks, and ends the thread. Not from a callback.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace candor::store
