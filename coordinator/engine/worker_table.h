// Workers that are connected, or hold leases.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "coordinator/engine/events.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::engine {

struct WorkerState {
  // False: this place of the table is free.
  bool present = false;
  // A provider's batch, whose lines stand here as leases: never connected, never lost.
  bool is_batch = false;
  std::string name;
  std::string version;
  std::int32_t slots = 0;
  // Granted and not yet acknowledged.
  std::int32_t taken = 0;
  bool draining = false;
  // An operator asked for its drain, and it has not said yet that it drains.
  bool drain_asked = false;
  // It holds a lease beside which it gets no other.
  bool alone = false;
  // 0: not connected.
  SessionId session = 0;
  TimePoint last_heard{};
  // It handed leases back so many times in a row, and gets no others before then.
  std::int32_t hand_backs = 0;
  TimePoint rests_until{};
  std::optional<WallTime> connect_time;
  std::int64_t outcomes = 0;
  // As it said; and by the numbers of the endpoints.
  std::vector<v1::Worker::EndpointService> endpoints;
  std::vector<bool> serves;

  bool Serves(std::uint32_t endpoint) const { return endpoint < serves.size() && serves[endpoint]; }
  // Slots that leases may take.
  std::int32_t Free(TimePoint now) const {
    const bool none = session == 0 || draining || alone || rests_until > now || slots <= taken;
    return none ? 0 : slots - taken;
  }
};

class WorkerTable {
 public:
  // Places are used again after Remove; nullptr when there is none.
  WorkerState* Find(std::string_view name);
  const WorkerState* Find(std::string_view name) const;
  WorkerState* OfSession(SessionId session);
  std::uint32_t NumberOf(const WorkerState& worker) const {
    return static_cast<std::uint32_t>(&worker - workers_.data());
  }
  // The worker of this name, made when there is none. Moves the others in memory.
  WorkerState& Add(const std::string& name);
  void Remove(std::uint32_t number);
  void SetSession(std::uint32_t number, SessionId session);

  WorkerState& operator[](std::uint32_t number) { return workers_[number]; }
  const WorkerState& operator[](std::uint32_t number) const { return workers_[number]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(workers_.size()); }
  // Numbers in the order of names.
  const std::map<std::string, std::uint32_t, std::less<>>& by_name() const { return by_name_; }

 private:
  std::vector<WorkerState> workers_;
  std::vector<std::uint32_t> free_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;
  absl::flat_hash_map<SessionId, std::uint32_t> by_session_;
};

}  // namespace candor::engine
