#include "coordinator/engine/cell_table.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace candor::engine {
namespace {

constexpr std::uint64_t Bit(std::uint32_t index) { return std::uint64_t{1} << (index & 63U); }

}  // namespace

CellTable::CellTable(std::uint64_t size, Opening opening)
    : size_(size),
      fresh_(size),
      taken_((size + 63) / 64),
      done_bits_((size + 63) / 64),
      one_by_one_(opening == Opening::kOneByOne) {
  // What lies behind the last cell is taken for ever.
  if (size % 64 != 0) taken_.back() = ~std::uint64_t{0} << (size % 64);
}

CellTable::Place CellTable::At(std::uint32_t index) const {
  if (IsDone(index)) return Place::kDone;
  if (!IsTaken(index)) return Place::kFresh;
  const Tried* tried = Find(index);
  return tried == nullptr ? Place::kLeased : tried->place;
}

const CellTable::Tried* CellTable::Find(std::uint32_t index) const {
  const auto found = tried_.find(index);
  return found == tried_.end() ? nullptr : &found->second;
}

bool CellTable::TakeFresh(std::uint32_t* index) {
  if (fresh_ == closed()) return false;
  if (one_by_one_) {
    *index = opened_.front();
    opened_.pop_front();
    taken_[*index >> 6U] |= Bit(*index);
    --fresh_;
    return true;
  }
  while (~taken_[cursor_] == 0) ++cursor_;
  const auto bit = static_cast<unsigned>(std::countr_one(taken_[cursor_]));
  taken_[cursor_] |= std::uint64_t{1} << bit;
  *index = static_cast<std::uint32_t>(cursor_ * 64 + bit);
  --fresh_;
  return true;
}

void CellTable::Settle(Queue& queue, bool alone) {
  while (!queue.empty()) {
    const auto& [ready, index] = queue.front();
    const Tried* tried = Find(index);
    if (tried != nullptr && tried->place == Place::kQueued && tried->ready == ready &&
        tried->alone == alone) {
      return;
    }
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    queue.pop_back();
  }
}

bool CellTable::IsReady(TimePoint now, Queue& queue, bool alone) {
  Settle(queue, alone);
  return !queue.empty() && queue.front().first <= now;
}

bool CellTable::TakeQueued(TimePoint now, Queue& queue, bool alone, std::uint32_t* index) {
  if (!IsReady(now, queue, alone)) return false;
  *index = queue.front().second;
  std::pop_heap(queue.begin(), queue.end(), std::greater<>());
  queue.pop_back();
  --queued_;
  const auto found = tried_.find(*index);
  found->second.place = Place::kLeased;
  // A cell that only came back unsent is like a fresh one.
  if (!found->second.was_called() && found->second.deaths == 0) tried_.erase(found);
  return true;
}

bool CellTable::Take(TimePoint now, std::uint32_t* index) {
  return TakeQueued(now, queue_, false, index) || TakeFresh(index);
}

bool CellTable::TakeAlone(TimePoint now, std::uint32_t* index) {
  return TakeQueued(now, alone_queue_, true, index);
}

std::optional<TimePoint> CellTable::NextReady() {
  Settle(queue_, false);
  Settle(alone_queue_, true);
  std::optional<TimePoint> next;
  if (!queue_.empty()) next = queue_.front().first;
  if (!alone_queue_.empty() && (!next || alone_queue_.front().first < *next)) {
    next = alone_queue_.front().first;
  }
  return next;
}

void CellTable::Return(std::uint32_t index, TimePoint ready, bool alone) {
  Tried& tried = tried_[index];
  tried.place = Place::kQueued;
  tried.ready = ready;
  tried.alone = alone;
  ++queued_;
  Queue& queue = alone ? alone_queue_ : queue_;
  queue.emplace_back(ready, index);
  std::push_heap(queue.begin(), queue.end(), std::greater<>());
}

void CellTable::MarkTentative(std::uint32_t index) {
  tried_[index].place = Place::kTentative;
  tentative_.push_back(index);
}

void CellTable::ReturnTentative(TimePoint now) {
  for (const std::uint32_t index : std::exchange(tentative_, {})) {
    Return(index, now, tried_[index].alone);
  }
}

std::vector<std::uint32_t> CellTable::GiveUpTentative() {
  std::vector<std::uint32_t> given_up = std::exchange(tentative_, {});
  for (const std::uint32_t index : given_up) {
    tried_[index].place = Place::kFailed;
    ++failed_;
  }
  return given_up;
}

void CellTable::MarkFailed(std::uint32_t index) {
  Tried& tried = tried_[index];
  if (tried.place == Place::kQueued) --queued_;
  tried.place = Place::kFailed;
  ++failed_;
}

void CellTable::MarkDone(std::uint32_t index) {
  if (!IsTaken(index)) {
    taken_[index >> 6U] |= Bit(index);
    --fresh_;
    if (one_by_one_) std::erase(opened_, index);
  } else if (!tried_.empty()) {
    if (const auto found = tried_.find(index); found != tried_.end()) {
      switch (found->second.place) {
        case Place::kQueued:
          --queued_;
          break;
        case Place::kTentative:
          std::erase(tentative_, index);
          break;
        case Place::kFailed:
          --failed_;
          break;
        default:
          break;
      }
      tried_.erase(found);
    }
  }
  done_bits_[index >> 6U] |= Bit(index);
  ++done_;
}

bool CellTable::RestoreTaken(std::uint32_t index) {
  if (index >= size_ || IsTaken(index)) return false;
  taken_[index >> 6U] |= Bit(index);
  --fresh_;
  return true;
}

bool CellTable::RestoreDone(std::uint32_t index) {
  if (!RestoreTaken(index)) return false;
  done_bits_[index >> 6U] |= Bit(index);
  ++done_;
  return true;
}

bool CellTable::RestoreFailed(std::uint32_t index) {
  if (!RestoreTaken(index)) return false;
  tried_[index].place = Place::kFailed;
  ++failed_;
  return true;
}

bool CellTable::RestoreLeased(std::uint32_t index) { return RestoreTaken(index); }

bool CellTable::RestoreTried(std::uint32_t index, const Tried& known, bool alone, TimePoint ready) {
  if (index >= size_ || IsDone(index)) return false;
  if (!IsTaken(index)) {
    RestoreTaken(index);
    tried_[index] = known;
    Return(index, ready, alone);
    return true;
  }
  // Leased or given up: only what is known is added.
  Tried& tried = tried_[index];
  const Place place = tried.place;
  tried = known;
  tried.place = place;
  tried.alone = alone;
  return true;
}

}  // namespace candor::engine
