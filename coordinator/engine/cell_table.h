// Which cells of one (entry, kind) are pending, and in which order they go.
//
// A cell that was never tried costs two bits: one says that it was taken, one that it is done. Only
// a cell that came back has an entry in a map, until it has its outcome.
//
//   std::uint32_t index;
//   while (cells.Take(now, &index)) Grant(index);
//   cells.Return(index, now + back_off, /*alone=*/false);     // to be tried again
//   cells.MarkDone(index);                                    // it has its outcome
//
// The cells of an adaptive design are opened one by one: a fresh cell goes only after `Open`.
//
// Every cell is in exactly one place: fresh, queued, leased, tentative (failed, unless its entry is
// stopped by its provider), failed or done.
//
// Not for concurrent use. Iteration orders never depend on hash functions.
#pragma once

#include "common/base/clock.h"
#include "coordinator/engine/records.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace candor::engine {

class CellTable {
 public:
  enum class Place : std::uint8_t { kFresh, kQueued, kLeased, kTentative, kFailed, kDone };

  // What is known of a cell without outcome that came back.
  struct Tried {
    std::int32_t failures = 0;
    // Of these the first, or the restart after it.
    TimePoint first_failure{};
    // Refusals because a day's quota was used up, and the first of these or the restart after it.
    std::int32_t refusals = 0;
    TimePoint first_refusal{};
    std::int32_t deaths = 0;
    std::int32_t deaths_alone = 0;
    Place place = Place::kLeased;
    bool alone = false;
    TimePoint ready{};

    // It was asked before, in vain.
    bool was_called() const { return failures > 0 || refusals > 0; }
  };

  enum class Opening : std::uint8_t { kAllAtOnce, kOneByOne };

  CellTable() = default;
  explicit CellTable(std::uint64_t size, Opening opening = Opening::kAllAtOnce);

  std::uint64_t size() const { return size_; }
  std::uint64_t done() const { return done_; }
  std::uint64_t failed() const { return failed_; }
  // Wanted, and leased to nobody; tentative ones included.
  std::uint64_t pending() const { return fresh_ + queued_ + tentative_.size(); }
  std::uint64_t leased() const { return size_ - done_ - failed_ - pending(); }
  std::uint64_t tentative() const { return tentative_.size(); }
  // Of the pending ones: those that were never taken.
  std::uint64_t fresh() const { return fresh_; }
  // Of the pending ones: fresh cells that were not opened.
  std::uint64_t closed() const { return one_by_one_ ? fresh_ - opened_.size() : 0; }

  // Lets a fresh cell go, behind those opened before. Only of a table that is opened one by one,
  // and once for each cell.
  void Open(std::uint32_t index) { opened_.push_back(index); }

  Place At(std::uint32_t index) const;
  bool IsDone(std::uint32_t index) const { return (done_bits_[index >> 6U] >> (index & 63U)) & 1U; }

  // Takes the next cell: one that comes back and is ready, or else the next fresh and open one.
  // False when there is none.
  bool Take(TimePoint now, std::uint32_t* index);
  // Likewise of those that go alone.
  bool TakeAlone(TimePoint now, std::uint32_t* index);
  bool HasReady(TimePoint now) { return fresh_ > closed() || IsReady(now, queue_, false); }
  bool HasAlone(TimePoint now) { return IsReady(now, alone_queue_, true); }
  // When the next queued cell is ready; absent when none is queued.
  std::optional<TimePoint> NextReady();

  // What is known of a leased, queued, tentative or failed cell; to be changed by the caller.
  Tried& Know(std::uint32_t index) { return tried_[index]; }
  // Null: never came back.
  const Tried* Find(std::uint32_t index) const;

  // A leased cell is pending again, from `ready` on.
  void Return(std::uint32_t index, TimePoint ready, bool alone);
  // A leased cell failed with an error that repeating cannot mend.
  void MarkTentative(std::uint32_t index);
  // The tentative cells are pending again.
  void ReturnTentative(TimePoint now);
  // The tentative cells are given up; returns them in the order of their failures.
  std::vector<std::uint32_t> GiveUpTentative();
  // A leased or queued cell is given up.
  void MarkFailed(std::uint32_t index);
  // A cell that is not done gets its outcome, wherever it is.
  void MarkDone(std::uint32_t index);

  // Restoring, before the first Take: cells are fresh at first. False when the index is out of
  // range or the cell was restored before.
  bool RestoreDone(std::uint32_t index);
  bool RestoreFailed(std::uint32_t index);
  bool RestoreLeased(std::uint32_t index);
  bool RestoreTried(std::uint32_t index, const Tried& known, bool alone, TimePoint ready);

 private:
  using Queue = std::vector<std::pair<TimePoint, std::uint32_t>>;

  bool IsTaken(std::uint32_t index) const { return (taken_[index >> 6U] >> (index & 63U)) & 1U; }
  bool TakeFresh(std::uint32_t* index);
  bool TakeQueued(TimePoint now, Queue& queue, bool alone, std::uint32_t* index);
  // Drops entries of cells that are elsewhere by now; true when one is ready.
  bool IsReady(TimePoint now, Queue& queue, bool alone);
  void Settle(Queue& queue, bool alone);
  bool RestoreTaken(std::uint32_t index);

  std::uint64_t size_ = 0;
  std::uint64_t fresh_ = 0;
  std::uint64_t queued_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t done_ = 0;
  // No fresh cell lies before this word of `taken_`.
  std::size_t cursor_ = 0;
  std::vector<std::uint64_t> taken_;
  std::vector<std::uint64_t> done_bits_;
  absl::flat_hash_map<std::uint32_t, Tried> tried_;
  std::vector<std::uint32_t> tentative_;
  bool one_by_one_ = false;
  // Fresh cells that were opened, in that order.
  std::deque<std::uint32_t> opened_;
  // Heaps, the earliest first. An entry counts while its cell is queued with the same time.
  Queue queue_;
  Queue alone_queue_;
};

}  // namespace candor::engine
