// Leases that the engine knows: from the grant until their report is durable.
//
// A slab with a list through the leases of each worker, so that nothing is allocated for a lease
// once the slab has grown, and a worker's leases are found without looking at others'.
#pragma once

#include "coordinator/engine/events.h"
#include "coordinator/engine/pacer.h"
#include "coordinator/engine/records.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace candor::engine {

struct JobState;

// Numbers a lease within the table; used again after its end.
using LeaseSlot = std::uint32_t;
inline constexpr LeaseSlot kNoLease = UINT32_MAX;

struct Lease {
  enum class State : std::uint8_t {
    kCommitting,  // its batch is not durable yet
    kWaiting,     // durable, but its worker was not connected then
    kSent,
    kReported,  // its attempt is being written
  };

  AttemptId attempt = 0;
  JobState* job = nullptr;
  std::uint32_t worker = 0;
  std::uint32_t index = 0;
  std::uint16_t entry = 0;
  // Position in EntryState::kinds.
  std::uint8_t kind = 0;
  State state = State::kCommitting;
  bool alone = false;
  // A line of a provider's batch: its worker is the batch, and no limit of live calls counts it.
  bool in_batch = false;
  CallSize size;
  TimePoint granted{};
  TimePoint sent{};
  WallTime grant_wall{};
  std::uint64_t batch = 0;
  // The session on which it was sent; 0: before a restart.
  SessionId session = 0;
  // What it shows, where that is not drawn.
  std::shared_ptr<const v1::ExplicitTrial> trial;

 private:
  friend class LeaseTable;
  LeaseSlot previous_ = kNoLease;
  LeaseSlot next_ = kNoLease;
};

class LeaseTable {
 public:
  // Adds a lease at the end of its worker's list; `lease.worker` is its list from now on.
  LeaseSlot Add(const Lease& lease);
  void Remove(LeaseSlot slot);
  // kNoLease when there is none.
  LeaseSlot Find(AttemptId attempt) const;
  Lease& operator[](LeaseSlot slot) { return slab_[slot]; }
  const Lease& operator[](LeaseSlot slot) const { return slab_[slot]; }
  std::size_t size() const { return by_attempt_.size(); }

  // The worker's leases in the order of their grants. The list may change meanwhile.
  std::vector<LeaseSlot> OfWorker(std::uint32_t worker) const;
  std::uint32_t CountOfWorker(std::uint32_t worker) const {
    return worker < lists_.size() ? lists_[worker].count : 0;
  }

 private:
  struct List {
    LeaseSlot first = kNoLease;
    LeaseSlot last = kNoLease;
    std::uint32_t count = 0;
  };

  std::vector<Lease> slab_;
  std::vector<LeaseSlot> free_;
  std::vector<List> lists_;
  absl::flat_hash_map<AttemptId, LeaseSlot> by_attempt_;
};

}  // namespace candor::engine
