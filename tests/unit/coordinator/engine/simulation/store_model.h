// A store in memory that forgets what was not durable when its coordinator dies, and that checks
// what it is given.
#pragma once

#include "coordinator/engine/commands.h"
#include "coordinator/engine/records.h"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace candor::engine::simulation {

class StoreModel {
 public:
  struct AttemptRow {
    v1::Attempt::State state = v1::Attempt::STATE_UNSPECIFIED;
    CellKey cell;
    bool alone = false;
    bool refused_for_a_day = false;
    v1::Usage usage;
    std::int64_t money = 0;
  };
  struct OutcomeRow {
    AttemptId attempt = 0;  // 0: imported, or taken over
    v1::Outcome::Class outcome_class = v1::Outcome::CLASS_UNSPECIFIED;
    v1::Outcome::Choice choice = v1::Outcome::CHOICE_UNSPECIFIED;
  };
  struct JobRows {
    JobRecord record;
    std::shared_ptr<const v1::Job> status;
    std::map<CellKey, OutcomeRow> outcomes;
    std::set<CellKey> failed;
    std::map<AttemptId, AttemptRow> attempts;
    // A report came after the job had settled: which of its calls were repeats is not known.
    bool late = false;
  };

  // Durable from CommitUpTo on.
  void Write(Persist persist) { queue_.push_back(std::move(persist)); }
  Ticket last_written() const { return queue_.empty() ? durable_ : queue_.back().ticket; }
  void CommitUpTo(Ticket ticket);
  // The coordinator dies: what is not durable is lost.
  void Crash();
  // Also begins the next term.
  Recovery Recover();

  bool HasLease(AttemptId attempt) const { return leased_.contains(attempt); }
  const AttemptRow* FindAttempt(AttemptId attempt) const;
  const std::map<ProviderBatchId, ProviderBatchRecord>& provider_batches() const {
    return provider_batches_;
  }
  const std::map<JobKey, JobRows>& jobs() const { return jobs_; }
  const std::map<std::uint64_t, LeaseBatchRecord>& lease_batches() const { return batches_; }
  TimePoint engine_now() const { return engine_now_; }

  // What is wrong with what was written so far.
  const std::vector<std::string>& violations() const { return violations_; }
  // Compares each status with its rows.
  void Recount();

 private:
  void Apply(WriteBatch& batch);
  void Copy(const ReusedOutcomesRecord& reused);
  void RecountJob(const JobRows& rows);
  // A lease of an adaptive design comes only after all earlier cells of its scenario.
  void CheckOrder(const LeaseRecord& lease);

  std::deque<Persist> queue_;
  Ticket durable_ = 0;
  std::int64_t term_ = 0;
  JobKey next_job_ = 1;
  std::uint64_t next_batch_ = 1;
  std::map<JobKey, JobRows> jobs_;
  std::map<std::uint64_t, LeaseBatchRecord> batches_;
  // Every attempt that was ever leased durably, and whether alone.
  std::map<AttemptId, bool> leased_;
  std::map<AttemptId, JobKey> job_of_;
  std::vector<BlockedGroupRecord> blocked_;
  std::map<ProviderBatchId, ProviderBatchRecord> provider_batches_;
  TimePoint engine_now_{};
  std::vector<std::string> violations_;
};

}  // namespace candor::engine::simulation
