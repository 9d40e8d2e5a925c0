// Batches at providers, as the engine sees them.
//
// A provider's batch is like a worker that is never lost: it holds leases, its lines, under its own
// name, and each ends with a report. What differs is that others do the talking: any worker that
// serves the endpoint can be given the next step (create it, ask for it, read its results, cancel
// it), and nothing of a batch lives in a worker.
//
//   INTENDED --created--> SUBMITTED --ended--> COLLECTING --all read--> DONE
//      |  \--withdrawn, nothing was created--------------------------> DONE
//      \--refused--> REFUSED <--refused while looked at-- SUBMITTED
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "candor/v1/worker_service.pb.h"
#include "coordinator/engine/events.h"
#include "coordinator/engine/records.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::engine {

struct EntryState;
struct JobState;

struct ProviderBatch {
  ProviderBatchId id = 0;
  // "batches/{batch}": our token at the provider, and the name under which its leases stand.
  std::string name;
  JobState* job = nullptr;
  std::uint16_t entry = 0;
  v1::Batch::State state = v1::Batch::INTENDED;
  std::string provider_batch;
  std::string provider_state;
  std::string error_text;
  std::int64_t lines = 0;
  std::int64_t lines_done = 0;
  // Of its prompts, as reckoned: what it takes of the provider's queue.
  std::int64_t prompt_tokens = 0;
  WallTime create_time{};
  std::optional<WallTime> poll_time;

  // The first record is durable: steps may be taken, and it may be seen.
  bool durable = false;
  // A record of it is to be written with the present batch.
  bool touched = false;

  // The step under way, and on which session; 0: none.
  SessionId session = 0;
  v1::BatchTask::Step step = v1::BatchTask::STEP_UNSPECIFIED;
  TimePoint given{};
  // No step before this time.
  TimePoint due{};
  // A SUBMIT was given: the provider may have it; and to which worker, the last time. Nobody knows
  // to which after a restart.
  bool may_exist = false;
  std::string submitter;
  // Its step waits until a worker that had the SUBMIT can be creating it no more.
  bool quiet = false;
  // The provider has been asked to cancel it.
  bool cancelled = false;
  // A line of it came back as a call; one of them with a reply; and so many with errors that
  // repeating cannot mend. The order in which results are read says nothing: such errors stop an
  // entry when the batch is at its end without one reply.
  bool answered = false;
  bool replied = false;
  std::int32_t unmendable = 0;
  // Steps that failed in a row, polls without progress in a row, and times in a row that the
  // provider did not know it, or had no list in which to look for it.
  std::int32_t failures = 0;
  std::int32_t idle_polls = 0;
  std::int32_t absences = 0;

  bool open() const { return state < v1::Batch::DONE; }
};

// "batches/{store}-{id}", 8 and 16 lower-case hexadecimal digits.
std::string FormatBatchName(std::uint32_t store, ProviderBatchId id);

// As it is stored.
std::shared_ptr<const v1::Batch> BuildRecord(const ProviderBatch& batch);
// The other way round; job and name are left to the caller.
void RestoreRecord(const ProviderBatchRecord& record, ProviderBatch& batch);

class BatchTable {
 public:
  // Stays where it is until Remove.
  ProviderBatch& Add(ProviderBatch batch);
  // Null when there is none.
  ProviderBatch* Find(std::string_view name);
  ProviderBatch* Find(ProviderBatchId id);
  // Forgets the batches of a job.
  void Remove(const JobState& job);

  // In the order of their ids, which is that of their making.
  std::map<ProviderBatchId, ProviderBatch>& all() { return batches_; }
  const std::map<ProviderBatchId, ProviderBatch>& all() const { return batches_; }
  // Those that are not at their end; Close takes one out.
  const std::map<ProviderBatchId, ProviderBatch*>& open() const { return open_; }
  void Close(ProviderBatchId id) { open_.erase(id); }
  // Those of one job's entry that are not at their end, in the order of their making.
  std::vector<const ProviderBatch*> OpenOf(const EntryState& entry) const;
  // Provider's ids that a search for `batch` may meet, the newest first: all that are open at its
  // endpoint, and of those at their end what it was asked for last within a few days before `batch`
  // was decided on, a thousand at most. One that is left out costs the search a look at it.
  std::vector<std::string> OthersBeside(const ProviderBatch& batch) const;

 private:
  std::map<ProviderBatchId, ProviderBatch> batches_;
  std::map<ProviderBatchId, ProviderBatch*> open_;
  std::map<std::string, ProviderBatchId, std::less<>> by_name_;
};

}  // namespace candor::engine
