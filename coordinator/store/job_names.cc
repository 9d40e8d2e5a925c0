#include "coordinator/store/job_names.h"

#include <algorithm>
#include <utility>

namespace candor::store {
namespace {

// Jobs that are read at the same time, with room; the names of a large one take a few megabytes.
constexpr std::size_t kCachedJobs = 64;

}  // namespace

JobNames::JobNames(const v1::JobSpecification& specification) {
  entries_.reserve(static_cast<std::size_t>(specification.entries_size()));
  for (const v1::ResolvedEntry& entry : specification.entries()) {
    entries_.push_back(
        {entry.name(), {entry.scenario_indexes().begin(), entry.scenario_indexes().end()}});
  }
  scenarios_.reserve(static_cast<std::size_t>(specification.scenarios_size()));
  for (const v1::Scenario& scenario : specification.scenarios()) {
    scenarios_.push_back(scenario.id());
  }
}

const std::string* JobNames::Entry(const engine::CellKey& cell) const {
  return cell.entry < entries_.size() ? &entries_[cell.entry].name : nullptr;
}

const std::string* JobNames::Scenario(const engine::CellKey& cell) const {
  if (cell.entry >= entries_.size()) return nullptr;
  const std::vector<std::uint32_t>& scenarios = entries_[cell.entry].scenarios;
  if (scenarios.empty()) return nullptr;
  // The scenario runs fastest: proto/candor/v1/cell.proto.
  const std::uint32_t position = scenarios[cell.index % scenarios.size()];
  return position < scenarios_.size() ? &scenarios_[position] : nullptr;
}

std::shared_ptr<const JobNames> JobNamesCache::Find(engine::JobKey job) {
  const std::lock_guard lock(mutex_);
  const auto it = items_.find(job);
  if (it == items_.end()) return nullptr;
  it->second.last_use = ++uses_;
  return it->second.names;
}

void JobNamesCache::Add(engine::JobKey job, std::shared_ptr<const JobNames> names) {
  const std::lock_guard lock(mutex_);
  if (items_.size() >= kCachedJobs && !items_.contains(job)) {
    items_.erase(std::min_element(items_.begin(), items_.end(), [](const auto& a, const auto& b) {
      return a.second.last_use < b.second.last_use;
    }));
  }
  items_[job] = {std::move(names), ++uses_};
}

}  // namespace candor::store
