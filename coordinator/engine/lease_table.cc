#include "coordinator/engine/lease_table.h"

namespace candor::engine {

LeaseSlot LeaseTable::Add(const Lease& lease) {
  LeaseSlot slot = 0;
  if (free_.empty()) {
    slot = static_cast<LeaseSlot>(slab_.size());
    slab_.push_back(lease);
  } else {
    slot = free_.back();
    free_.pop_back();
    slab_[slot] = lease;
  }
  if (lists_.size() <= lease.worker) lists_.resize(lease.worker + 1);
  List& list = lists_[lease.worker];
  slab_[slot].previous_ = list.last;
  slab_[slot].next_ = kNoLease;
  (list.last == kNoLease ? list.first : slab_[list.last].next_) = slot;
  list.last = slot;
  ++list.count;
  by_attempt_[lease.attempt] = slot;
  return slot;
}

void LeaseTable::Remove(LeaseSlot slot) {
  const Lease& lease = slab_[slot];
  List& list = lists_[lease.worker];
  (lease.previous_ == kNoLease ? list.first : slab_[lease.previous_].next_) = lease.next_;
  (lease.next_ == kNoLease ? list.last : slab_[lease.next_].previous_) = lease.previous_;
  --list.count;
  by_attempt_.erase(lease.attempt);
  slab_[slot].attempt = 0;
  slab_[slot].trial.reset();
  free_.push_back(slot);
}

LeaseSlot LeaseTable::Find(AttemptId attempt) const {
  const auto found = by_attempt_.find(attempt);
  return found == by_attempt_.end() ? kNoLease : found->second;
}

std::vector<LeaseSlot> LeaseTable::OfWorker(std::uint32_t worker) const {
  std::vector<LeaseSlot> slots;
  if (worker >= lists_.size()) return slots;
  slots.reserve(lists_[worker].count);
  for (LeaseSlot slot = lists_[worker].first; slot != kNoLease; slot = slab_[slot].next_) {
    slots.push_back(slot);
  }
  return slots;
}

}  // namespace candor::engine
