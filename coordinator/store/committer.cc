#include "coordinator/store/committer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace candor::store {
namespace {

// What a row takes beside its texts. Sizes are for grouping and back-pressure: near is enough.
constexpr std::size_t kOutcomeBytes = 512;
constexpr std::size_t kRowBytes = 256;
constexpr std::size_t kLeaseBytes = 32;
constexpr std::size_t kJobBytes = 16'384;

std::size_t Bytes(const engine::WriteBatch& batch) {
  std::size_t bytes = kRowBytes + (batch.statuses.size() + batch.failed_cells.size()) * kRowBytes +
                      batch.new_jobs.size() * kJobBytes;
  for (const engine::LeaseBatchRecord& leases : batch.lease_batches) {
    bytes += kRowBytes + leases.leases.size() * kLeaseBytes;
  }
  for (const engine::AttemptRecord& attempt : batch.attempts) {
    bytes += kRowBytes + attempt.attempt->error_text().size();
  }
  for (const engine::OutcomeRecord& outcome : batch.outcomes) {
    bytes += kOutcomeBytes + outcome.outcome->raw_text().size() +
             outcome.outcome->reasoning_text().size();
  }
  for (const engine::ReusedOutcomesRecord& reused : batch.reused_outcomes) {
    bytes += kRowBytes + reused.items.size() * sizeof(engine::ReusedOutcomesRecord::Item);
  }
  return bytes;
}

std::size_t Rows(const engine::WriteBatch& batch) {
  std::size_t reused = 0;
  for (const engine::ReusedOutcomesRecord& record : batch.reused_outcomes) {
    reused += record.items.size();
  }
  return reused + batch.new_jobs.size() + batch.deleted_jobs.size() + batch.statuses.size() +
         batch.lease_batches.size() + batch.closed_lease_batches.size() + batch.attempts.size() +
         batch.outcomes.size() + batch.failed_cells.size();
}

}  // namespace

class GroupCommitter::Impl {
 public:
  Impl(Store& store, CommitterOptions options,
       absl::AnyInvocable<void(engine::Ticket)> on_committed,
       absl::AnyInvocable<void(Status)> on_failed)
      : store_(store),
        options_(std::move(options)),
        on_committed_(std::move(on_committed)),
        on_failed_(std::move(on_failed)),
        thread_([this] { Run(); }) {}

  void Submit(engine::Ticket ticket, engine::WriteBatch batch) {
    Item item{ticket, Rows(batch), Bytes(batch), std::move(batch)};
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      pending_bytes_ += item.bytes;
      queued_bytes_ += item.bytes;
      queued_rows_ += item.rows;
      queue_.push_back(std::move(item));
      if (resting_ && !Full()) return;
    }
    wake_.notify_one();
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  std::size_t pending_bytes() const { return pending_bytes_; }
  bool full() const { return pending_bytes_ >= options_.full_bytes; }

 private:
  struct Item {
    engine::Ticket ticket = 0;
    std::size_t rows = 0;
    std::size_t bytes = 0;
    engine::WriteBatch batch;
  };
  struct Group {
    engine::Ticket ticket = 0;
    std::size_t rows = 0;
    std::size_t bytes = 0;
    std::vector<engine::WriteBatch> batches;
  };

  void Run() {
    while (true) {
      Group group = Gather();
      if (group.batches.empty()) return;
      const auto began = std::chrono::steady_clock::now();
      next_ = began + std::clamp(static_cast<std::int64_t>(group.rows) * options_.row_interval,
                                 options_.min_interval, options_.max_interval);
      Status status = store_.Commit(group.batches);
      if (!status.ok()) {
        {
          const std::lock_guard lock(mutex_);
          closed_ = true;
          queue_.clear();
          pending_bytes_ = 0;
        }
        on_failed_(std::move(status));
        return;
      }
      pending_bytes_ -= group.bytes;
      if (options_.on_report) {
        options_.on_report({.batches = group.batches.size(),
                            .rows = group.rows,
                            .bytes = group.bytes,
                            .time = std::chrono::duration_cast<Duration>(
                                std::chrono::steady_clock::now() - began)});
      }
      on_committed_(group.ticket);
    }
  }

  // Whether the queue has all that a group may have.
  bool Full() const {
    return queued_rows_ >= options_.max_rows || queued_bytes_ >= options_.max_bytes;
  }

  // Waits for a batch and takes what has gathered; nothing once stopped and empty.
  Group Gather() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    resting_ = true;
    wake_.wait_until(lock, next_, [this] { return closed_ || Full(); });
    resting_ = false;
    Group group;
    while (!queue_.empty()) {
      Item& next = queue_.front();
      if (!group.batches.empty() && (group.rows + next.rows > options_.max_rows ||
                                     group.bytes + next.bytes > options_.max_bytes)) {
        break;
      }
      group.rows += next.rows;
      group.bytes += next.bytes;
      group.ticket = next.ticket;
      group.batches.push_back(std::move(next.batch));
      queue_.pop_front();
    }
    queued_rows_ -= group.rows;
    queued_bytes_ -= group.bytes;
    return group;
  }

  Store& store_;
  const CommitterOptions options_;
  absl::AnyInvocable<void(engine::Ticket)> on_committed_;
  absl::AnyInvocable<void(Status)> on_failed_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  std::size_t queued_rows_ = 0;
  std::size_t queued_bytes_ = 0;
  bool closed_ = false;
  // The thread waits for `next_`, not for a batch.
  bool resting_ = false;
  // When the next group may begin. Of the committer's thread alone.
  std::chrono::steady_clock::time_point next_{};
  std::atomic<std::size_t> pending_bytes_ = 0;
  // Last: it uses all of the above.
  std::thread thread_;
};

GroupCommitter::GroupCommitter(Store& store, CommitterOptions options,
                               absl::AnyInvocable<void(engine::Ticket)> on_committed,
                               absl::AnyInvocable<void(Status)> on_failed)
    : impl_(std::make_unique<Impl>(store, std::move(options), std::move(on_committed),
                                   std::move(on_failed))) {}

GroupCommitter::~GroupCommitter() { impl_->Stop(); }

void GroupCommitter::Submit(engine::Ticket ticket, engine::WriteBatch batch) {
  impl_->Submit(ticket, std::move(batch));
}
std::size_t GroupCommitter::pending_bytes() const { return impl_->pending_bytes(); }
bool GroupCommitter::full() const { return impl_->full(); }
void GroupCommitter::Stop() { impl_->Stop(); }

}  // namespace candor::store
