// The names that outcomes and attempts carry, by cell. Inside this room only.
#pragma once

#include "candor/v1/specification.pb.h"
#include "coordinator/engine/records.h"

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace candor::store {

class JobNames {
 public:
  explicit JobNames(const v1::JobSpecification& specification);

  // Absent (null) when the job has no such entry or scenario: the store is damaged.
  const std::string* Entry(const engine::CellKey& cell) const;
  const std::string* Scenario(const engine::CellKey& cell) const;

  // Positions of the entries that are named.
  std::size_t entry_count() const { return entries_.size(); }

 private:
  struct EntryNames {
    std::string name;
    // In the order that cell numbers count them, with positions in scenarios_.
    std::vector<std::uint32_t> scenarios;
  };
  std::vector<EntryNames> entries_;
  std::vector<std::string> scenarios_;
};

// The names of the jobs that were read last. For any number of threads.
class JobNamesCache {
 public:
  // Null when the job is not there.
  std::shared_ptr<const JobNames> Find(engine::JobKey job);
  void Add(engine::JobKey job, std::shared_ptr<const JobNames> names);

 private:
  struct Item {
    std::shared_ptr<const JobNames> names;
    std::uint64_t last_use = 0;
  };
  std::mutex mutex_;
  std::uint64_t uses_ = 0;
  absl::flat_hash_map<engine::JobKey, Item> items_;
};

}  // namespace candor::store
