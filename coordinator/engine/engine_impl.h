// The engine's state, and what its parts ask of each other. One source file a concern:
//
//   engine.cc            dispatch, tickets, timers, commits
//   engine_jobs.cc       creating, pausing, resuming, cancelling, deleting, ending
//   engine_imports.cc    taking in what others collected, and what other jobs have
//   engine_workers.cc    connecting, reconciling, losing
//   engine_grants.cc     which cell goes to whom, and sending what is durable
//   engine_reports.cc    what a report makes of its cell
//   engine_adaptive.cc   designs whose trials follow from the answers before
//   engine_batches.cc    what goes in providers' batches, and what becomes of their lines
//   engine_batch_steps.cc  who takes the next step of a batch, and what its answer means
//   engine_batch_views.cc  batches as others see them
//   engine_late.cc       reports for what is no lease any more
//   engine_recovery.cc   going on after a restart
//   engine_views.cc      what others see
//   engine_waiting.cc    why nothing happens, in words
//   engine_accounts.cc   what was waited for, and how everything stands in numbers
//   engine_explain.cc    why a job is not faster
//   engine_estimate.cc   what a job would take
#pragma once

#include "common/base/random.h"
#include "coordinator/engine/accounts.h"
#include "coordinator/engine/batch_table.h"
#include "coordinator/engine/catalog.h"
#include "coordinator/engine/engine.h"
#include "coordinator/engine/group_limits.h"
#include "coordinator/engine/job_table.h"
#include "coordinator/engine/lease_table.h"
#include "coordinator/engine/retry_policy.h"
#include "coordinator/engine/worker_table.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace candor::engine {

// Why nothing goes: for programs, and in words.
struct Waiting {
  v1::WaitReason reason = v1::NOTHING;
  // Empty when something can go.
  std::string text;
};

// One account at an endpoint.
struct Group {
  // A job that asks of it, with its share.
  struct Member {
    JobState* job = nullptr;
    // Positions of the entries that ask.
    std::vector<std::uint32_t> entries;
    std::size_t next_entry = 0;
    // Virtual time of its last grant's end, in calls.
    std::int64_t finish = 0;
  };

  Group(std::string group_name, GroupLimits::Configured configured, Duration guard)
      : name(std::move(group_name)), limits(std::move(configured), guard) {}

  std::string name;
  GroupLimits limits;
  // After a restart: workers that have not said yet what they hold, and until when they are
  // awaited.
  std::set<std::string> awaited;
  TimePoint settled_at{};
  // By job key.
  std::vector<Member> members;
  // Virtual time: that of the grant made last.
  std::int64_t clock = 0;
  // Since the coordinator's start: what it waited for, and what the latest call said of which the
  // circuit took that the provider fails.
  WaitAccount waits;
  std::string last_failure;
};

class Engine::Impl {
 public:
  Impl(Options options, Recovery recovery);

  std::vector<Command> Handle(const Instant& instant, Event& event);
  std::optional<TimePoint> NextWakeup();

  // engine_views.cc
  std::optional<Request> FindRequest(std::string_view request_id) const;
  std::optional<JobKey> FindJobName(std::string_view name) const;
  std::vector<JobKey> Jobs() const;
  void FillStatus(const JobState& job, const Instant& instant, v1::Job& out);
  v1::Job GetJob(JobKey key, const Instant& instant);
  v1::Job GetJobStatus(JobKey key, const Instant& instant);
  std::optional<Duration> TimeLeft(JobKey key, const Instant& instant) const;
  Status CheckPause(JobKey key) const;
  Status CheckResume(JobKey key) const;
  Status CheckCancel(JobKey key) const;
  Status CheckDelete(JobKey key) const;
  Status CheckReuse(JobKey key) const;
  v1::Worker ViewWorker(const WorkerState& worker) const;
  std::vector<v1::Worker> Workers() const;
  std::vector<v1::LimitGroup> LimitGroups(const Instant& instant);
  // engine_batch_views.cc
  std::vector<v1::Batch> Batches(JobKey key) const;
  // "2 batches of 3,000 lines at the provider, 1,200 done"; empty when there are none.
  std::string BatchWords(const JobState& job, std::uint32_t entry) const;
  std::string NextBatchWords(const JobState& job, const EntryState& entry) const;
  // engine_waiting.cc: why no cell of the entry can be leased now.
  Waiting WaitingFor(const JobState& job, EntryState& entry, TimePoint now);
  Waiting GroupWaitingFor(Group& group, const CallSize& size, TimePoint now);
  // engine_accounts.cc
  Overview GetOverview(const Instant& instant) const;
  // engine_explain.cc
  v1::JobExplanation Explain(JobKey key, const Instant& instant, const StoreTimes& store);
  // engine_estimate.cc
  v1::JobEstimate Estimate(const v1::Job& job, const v1::JobSpecification& specification,
                           const ReusedCounts& reused);

  const JobState* FindJob(JobKey key) const;
  JobState* FindJob(JobKey key);
  std::int64_t term() const { return term_; }
  Catalog& catalog() { return catalog_; }

 private:
  // What happens once a ticket is durable.
  struct AtCommit {
    Ticket ticket = 0;
    std::vector<LeaseSlot> reported;
    // Reports of what is no lease: by worker.
    std::vector<std::pair<std::string, AttemptId>> late;
    // Decided on with this.
    std::vector<ProviderBatchId> provider_batches;
    std::vector<std::pair<JobKey, std::shared_ptr<const v1::Job>>> statuses;
    std::vector<JobKey> deleted;
    // Leases of one worker.
    struct Granted {
      WallTime grant_wall{};
      std::vector<std::pair<LeaseSlot, AttemptId>> leases;
    };
    std::vector<Granted> granted;
    // They rest on outcomes of this batch.
    std::vector<WantedPair> wanted;
  };
  struct Batch {
    // Leases without an attempt record.
    std::uint32_t open = 0;
    // Leases that are neither sent nor given up.
    std::uint32_t unsent = 0;
    // It counts in no limit window any more.
    bool aged = false;
    // It counts in a window of a day.
    bool day = false;
  };
  struct Parked {
    std::string worker;
    // Who sent the same before.
    std::vector<std::string> others;
    Report report;
    // Asked once this is durable.
    Ticket after = 0;
    bool asked = false;
  };

  // --- engine.cc ---
  void On(JobCreated& event);
  void On(JobImported& event);
  void On(JobPaused& event);
  void On(JobResumed& event);
  void On(JobCancelled& event);
  void On(JobDeleted& event);
  void On(WorkerConnected& event);
  void On(WorkerHeartbeat& event);
  void On(WorkerDisconnected& event);
  void On(WorkerDrained& event);
  void On(ReportsArrived& event);
  void On(AttemptsLookedUp& event);
  void On(CommitFinished& event);
  void On(LimitsChanged& event);
  void On(TimePassed& event);
  void On(TrialsProposed& event);  // engine_adaptive.cc
  void On(BatchReported& event);   // engine_batch_steps.cc
  // True when it slept.
  bool ForgiveSleep(TimePoint woken);
  void Finish();
  void Publish(JobKey job);
  void FinishCommit(AtCommit& done);
  bool WriteIsEmpty() const;
  // A lease or a blocked group counts on the time that a restart goes on from.
  bool TimeMatters() const;
  void CloseOldBatches();
  void EndedLease(std::uint64_t batch);
  // A lease was sent, or never will be.
  void SettledSending(std::uint64_t batch);
  // To the worker's present session, if it has one.
  void Acknowledge(const WorkerState& worker, AttemptId attempt);
  // Once all that has been written is durable.
  void AcknowledgeWithLast(const WorkerState& worker, AttemptId attempt);
  TimePoint now() const { return instant_.now; }

  // --- engine_jobs.cc ---
  void Touch(JobState& job);
  // Enters the job's running entries into their groups, or takes them out.
  void UpdateMembers(JobState& job);
  // Finishes entries and the job when nothing is left to run.
  void SettleLater(JobState& job);
  void Settle(JobState& job);
  void SettleEntry(JobState& job, std::uint16_t entry);
  void StopEntry(JobState& job, EntryState& entry, const std::string& words, std::int32_t calls);
  // Of what nobody of the group may go on with.
  void StopGroup(std::uint32_t group, const std::string& words);
  void GiveUpTentative(JobState& job, std::uint16_t entry, KindState& kind);
  void EndJob(JobState& job, v1::Job::State state, std::string reason);
  void FreeWhenSettled(JobState& job);
  std::uint32_t GroupNumber(const std::string& name);

  // --- engine_imports.cc ---
  // A cell of a new job has an outcome that came with it.
  static void CountTaken(KindState& kind, v1::Outcome::Class outcome_class);
  // Before any cell of the job is leased.
  void TakeOver(JobState& job, std::vector<ReusedOutcomesRecord>& reused);

  // --- engine_workers.cc ---
  void Lose(std::uint32_t worker, const std::string& why);
  void LoseSilentWorkers();
  void RemoveIfGone(std::uint32_t worker);
  // A lease that was never received, or never sent.
  void NeverSent(LeaseSlot slot);
  void LostWithWorker(LeaseSlot slot);
  void RecordEnd(const Lease& lease, v1::Attempt::State state, const std::string& why);

  // --- engine_grants.cc ---
  void Grant();
  // Whose turn it is in a group, and how many cells that may be.
  struct Grantee {
    Group* group = nullptr;
    Group::Member* member = nullptr;
    std::uint32_t entry = 0;
    KindState* kind = nullptr;
    std::uint32_t worker = 0;
    std::int64_t count = 0;
    // Another job of its group could go too.
    bool contested = false;
  };
  void GrantInTurns();
  std::optional<Grantee> NextOf(Group& group);
  void GrantTurn(const Grantee& grantee, bool groups_wait);
  static std::int64_t StartOf(const Group& group, const Group::Member& member);
  bool GrantAlone(Group& group);
  KindState* Grantable(EntryState& entry);
  bool HasReady(KindState& kind) { return !kind.held() && kind.cells.HasReady(now()); }
  std::uint32_t PickWorker(std::uint32_t endpoint, std::int64_t* free_slots, std::int64_t* workers);
  std::int64_t GrantCells(JobState& job, std::uint32_t entry, KindState& kind, std::uint32_t worker,
                          std::int64_t count);
  // As it is stored, and sent.
  static LeaseRecord RecordOf(const Lease& lease);
  void AddLease(JobState& job, std::uint32_t entry, KindState& kind, std::uint32_t index,
                std::uint32_t worker, bool alone);
  void SendGranted(const AtCommit::Granted& granted);
  void SendWaiting(std::uint32_t worker);
  bool MayStart(const Lease& lease) const;
  void MarkSent(Lease& lease, WorkerState& worker, SendLeases& command);

  // --- engine_reports.cc ---
  void HandleReport(WorkerState& worker, Report& report);
  void ReportForLease(LeaseSlot slot, Report& report, WorkerState& reporter);
  void HandedBack(WorkerState& worker);
  // What an answer says of its group's limits.
  void TellLimits(GroupLimits& limits, const Lease& lease, const v1::AttemptReport& report,
                  const v1::Attempt& attempt);
  // Leaves only what may be stored and counted.
  static void Sanitize(v1::AttemptReport& report, std::uint32_t kind);
  void CountCall(JobState& job, EntryState& entry, KindState& kind, v1::Attempt& attempt,
                 bool repeated);
  void WriteAttempt(JobState& job, const CellKey& cell, AttemptId id,
                    std::shared_ptr<v1::Attempt> attempt);
  void WriteOutcome(JobState& job, const CellKey& cell, AttemptId id, EntryState& entry,
                    KindState& kind, std::shared_ptr<v1::Outcome> outcome);
  void Completed(JobState& job, EntryState& entry, KindState& kind);
  void Failed(JobState& job, std::uint16_t entry, KindState& kind, std::uint32_t index,
              const v1::Attempt& attempt);
  // A call for the cell came to no reply.
  void CountTry(CellTable::Tried& tried, const v1::Attempt& attempt) const;
  // And so it is given up; `attempt` is counted.
  bool IsHopeless(const JobState& job, const CellTable::Tried& tried,
                  const v1::Attempt& attempt) const;
  void FailCell(JobState& job, std::uint16_t entry, KindState& kind, std::uint32_t index);

  // --- engine_accounts.cc ---
  void AccountWaits(TimePoint until);
  bool StoreBound() const;

  // --- engine_explain.cc ---
  EntryFacts FactsOf(const JobState& job, EntryState& entry, const Instant& instant,
                     const std::vector<v1::LimitGroup>& groups);

  // --- engine_adaptive.cc ---
  // Lets the first cell of each chain go that has no outcome yet, or asks for its pair.
  void StartChains(JobState& job, std::uint16_t entry, KindState& kind);
  void RestoreChains(JobState& job);
  // The cell is done or given up: the next one of its chain follows.
  void CellSettled(JobState& job, std::uint16_t entry, KindState& kind, std::uint32_t index);

  // --- engine_batches.cc ---
  // Of a new or recovered job: which entries go in batches.
  void InitBatches(JobState& job);
  bool MayBatch(const JobState& job, EntryState& entry);
  std::int64_t QueueLeft(const EntryState& entry) const;
  bool IsWorthwhile(const JobState& job, const EntryState& entry) const;
  void DecideBatches();
  void DecideBatch(JobState& job, std::uint32_t entry);
  void AddLine(JobState& job, std::uint32_t entry, KindState& kind, std::uint32_t index,
               LeaseBatchRecord& record);
  void TouchBatch(ProviderBatch& batch);
  void WriteTouchedBatches();
  void BatchesDurable(const std::vector<ProviderBatchId>& ids);
  // A result of it was reported.
  void LineReported(const Lease& lease, const v1::Attempt& attempt);
  // Its leases without a report.
  std::vector<LeaseSlot> LinesOf(const ProviderBatch& batch) const;
  // Lines whose results are here.
  std::int64_t Collected(const ProviderBatch& batch) const;
  // Ends what is left of its leases; their cells go again.
  void EndLines(ProviderBatch& batch, v1::Attempt::State state, const std::string& why);
  void EndBatch(ProviderBatch& batch, v1::Batch::State state);
  void WithdrawBatch(ProviderBatch& batch, const std::string& why);
  void RefuseBatch(ProviderBatch& batch, v1::Attempt::ErrorClass error_class,
                   const std::string& words);
  void FinishBatch(ProviderBatch& batch);
  void CountRefusal(JobState& job, EntryState& entry, v1::Attempt::ErrorClass error_class,
                    const std::string& words);

  // --- engine_batch_steps.cc ---
  // The time after which a SUBMIT of a lost worker has created its batch, or never will.
  Duration SubmitQuiet() const;
  Duration PollPause(const ProviderBatch& batch) const;
  bool IsWanted(const ProviderBatch& batch) const;
  v1::BatchTask::Step NextStep(const ProviderBatch& batch) const;
  void TakeSteps();
  SessionId PickForStep(std::uint32_t endpoint,
                        const std::map<SessionId, std::int64_t>& busy) const;
  void GiveStep(ProviderBatch& batch, v1::BatchTask::Step step, SessionId session);
  // The session has ended, and with it the steps that it had.
  void StepsLost(SessionId session);
  bool EndsSubmit(const ProviderBatch& batch, const v1::BatchReport& report,
                  const WorkerState* worker) const;
  std::optional<TimePoint> NextBatchWakeup();
  void BatchInProgress(ProviderBatch& batch, const v1::BatchReport& report, bool found);
  void BatchEnded(ProviderBatch& batch, const v1::BatchReport& report);
  void BatchAbsent(ProviderBatch& batch, const v1::BatchReport& report);
  void BatchUnlisted(ProviderBatch& batch, const v1::BatchReport& report);
  void AwaitInterval(ProviderBatch& batch);
  void RetryStep(ProviderBatch& batch, const v1::BatchReport& report);

  // --- engine_late.cc ---
  void Park(WorkerState& worker, Report& report);
  void AskAboutParked();
  void AcknowledgeParked(const Parked& parked);
  void Late(Parked& parked, v1::Attempt::State recorded);
  void LateForJob(JobState& job, Parked& parked, v1::Attempt::State recorded);

  // --- engine_recovery.cc ---
  void Recover(Recovery& recovery);
  void RecoverBatches(std::vector<ProviderBatchRecord>& records);
  JobState& RecoverJob(JobRecovery& recovery);

  const Options options_;
  Catalog catalog_;
  RandomStream random_;
  std::int64_t term_ = 0;
  std::uint32_t store_id_ = 0;
  Instant instant_;
  // What NextWakeup said since the last event, if it was asked.
  std::optional<std::optional<TimePoint>> promised_;

  std::map<JobKey, std::unique_ptr<JobState>> jobs_;
  JobKey next_job_ = 1;
  absl::flat_hash_map<std::string, JobKey> by_request_;
  absl::flat_hash_map<std::string, JobKey> by_name_;
  std::deque<Group> groups_;
  std::map<std::string, std::uint32_t, std::less<>> group_numbers_;
  WorkerTable workers_;
  LeaseTable leases_;
  BatchTable provider_batches_;
  std::uint64_t next_attempt_ = 1;
  std::uint64_t next_batch_ = 1;
  absl::flat_hash_map<std::uint64_t, Batch> batches_;
  // Those with unsent leases.
  std::set<std::uint64_t> unsent_batches_;
  // Those that have not aged, in the order of their grants.
  std::deque<std::pair<TimePoint, std::uint64_t>> aging_;
  // Of these the older ones that count in a window of a day.
  std::deque<std::pair<TimePoint, std::uint64_t>> aging_for_a_day_;
  // Aged and without open leases: to be closed with the next batch.
  std::vector<std::uint64_t> closable_;
  std::optional<TimePoint> closable_since_;
  absl::flat_hash_map<AttemptId, Parked> parked_;
  // In the order of arrival.
  std::vector<std::pair<SessionId, AttemptId>> to_ask_;
  // Late reports that are being written.
  absl::flat_hash_map<AttemptId, Ticket> late_;
  // The worker that gets no lease, because cells wait that go alone; kNoWorker: none.
  static constexpr std::uint32_t kNoWorker = UINT32_MAX;
  std::uint32_t held_back_ = kNoWorker;

  // Of the event at hand.
  std::vector<Command> commands_;
  WriteBatch write_;
  AtCommit at_commit_;
  std::vector<JobState*> touched_;
  std::vector<JobState*> to_settle_;
  std::vector<ProviderBatchId> touched_batches_;
  bool blocked_changed_ = false;
  // By session; sent at the end of the event.
  std::map<SessionId, std::vector<AttemptId>> acknowledged_;
  std::vector<JobKey> published_;
  // To be asked for at the end of the event.
  std::vector<WantedPair> wanted_;
  // By worker: position in write_.lease_batches of the batch that still takes leases.
  std::vector<std::uint32_t> open_batch_;

  // Until when waits are accounted for, and all entries' waits together.
  TimePoint accounted_{};
  WaitAccount waits_;
  // When the latest batch was handed out.
  TimePoint persisted_{};
  Ticket last_ticket_ = 0;
  Ticket durable_ = 0;
  std::deque<AtCommit> uncommitted_;
};

}  // namespace candor::engine
