#include "coordinator/engine/batch_table.h"

#include "common/base/time_proto.h"
#include "coordinator/engine/job_table.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace candor::engine {
namespace {

// A search goes back two days before the batch's time (docs/adr/0008), and clocks may jump by as
// much once more.
constexpr Duration kOthersKept = std::chrono::hours(96);
constexpr std::size_t kMaxOthers = 1'000;

const EntryState& EntryOf(const ProviderBatch& batch) { return batch.job->entries[batch.entry]; }

}  // namespace

std::string FormatBatchName(std::uint32_t store, ProviderBatchId id) {
  return fmt::format("batches/{:08x}-{:016x}", store, id);
}

std::shared_ptr<const v1::Batch> BuildRecord(const ProviderBatch& batch) {
  auto record = std::make_shared<v1::Batch>();
  record->set_state(batch.state);
  record->set_provider_batch(batch.provider_batch);
  record->set_provider_state(batch.provider_state);
  record->set_lines(batch.lines);
  record->set_lines_done(batch.lines_done);
  *record->mutable_create_time() = ToProto(batch.create_time);
  if (batch.poll_time) *record->mutable_poll_time() = ToProto(*batch.poll_time);
  record->set_error_text(batch.error_text);
  return record;
}

void RestoreRecord(const ProviderBatchRecord& record, ProviderBatch& batch) {
  batch.id = record.id;
  batch.entry = record.entry;
  const v1::Batch& from = *record.batch;
  batch.state = from.state();
  batch.provider_batch = from.provider_batch();
  batch.provider_state = from.provider_state();
  batch.lines = from.lines();
  batch.lines_done = from.lines_done();
  batch.create_time = ToWall(from.create_time());
  if (from.has_poll_time()) batch.poll_time = ToWall(from.poll_time());
  batch.error_text = from.error_text();
  batch.durable = true;
}

ProviderBatch& BatchTable::Add(ProviderBatch batch) {
  const ProviderBatchId id = batch.id;
  ProviderBatch& added = batches_.emplace(id, std::move(batch)).first->second;
  by_name_[added.name] = id;
  if (added.open()) open_[id] = &added;
  return added;
}

ProviderBatch* BatchTable::Find(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &batches_.find(found->second)->second;
}

ProviderBatch* BatchTable::Find(ProviderBatchId id) {
  const auto found = batches_.find(id);
  return found == batches_.end() ? nullptr : &found->second;
}

std::vector<const ProviderBatch*> BatchTable::OpenOf(const EntryState& entry) const {
  std::vector<const ProviderBatch*> found;
  for (const auto& [id, batch] : open_) {
    if (&EntryOf(*batch) == &entry) found.push_back(batch);
  }
  return found;
}

std::vector<std::string> BatchTable::OthersBeside(const ProviderBatch& batch) const {
  std::vector<std::string> others;
  for (auto at = batches_.rbegin(); at != batches_.rend(); ++at) {
    const ProviderBatch& other = at->second;
    if (other.provider_batch.empty()) continue;
    if (EntryOf(other).model.endpoint != EntryOf(batch).model.endpoint) continue;
    const WallTime last = other.poll_time.value_or(other.create_time);
    const bool recent = last + kOthersKept >= batch.create_time && others.size() < kMaxOthers;
    if (other.open() || recent) others.push_back(other.provider_batch);
  }
  return others;
}

void BatchTable::Remove(const JobState& job) {
  for (auto batch = batches_.begin(); batch != batches_.end();) {
    if (batch->second.job != &job) {
      ++batch;
      continue;
    }
    open_.erase(batch->first);
    by_name_.erase(batch->second.name);
    batch = batches_.erase(batch);
  }
}

}  // namespace candor::engine
