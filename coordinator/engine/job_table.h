// Jobs as the engine sees them: entries, counts, and what is pending.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/specification.pb.h"
#include "coordinator/engine/accounts.h"
#include "coordinator/engine/catalog.h"
#include "coordinator/engine/cell_table.h"
#include "coordinator/engine/chain_table.h"
#include "coordinator/engine/records.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace candor::engine {

// Outcomes a second, over the last 10 s.
class RateMeter {
 public:
  void Add(TimePoint now, std::int64_t count);
  double Rate(TimePoint now) const;

 private:
  static constexpr std::int64_t kSeconds = 10;
  // One for the second that has begun.
  std::array<std::uint32_t, kSeconds + 1> counts_{};
  std::int64_t second_ = 0;
};

// How long replies are, for providers that count them as they are produced: what a call in flight
// is expected to add. Two standard deviations above the mean of the recent ones, so that the calls
// in flight together are hardly ever more; the output limit before ten are known.
class OutputEstimate {
 public:
  void Add(std::int64_t tokens);
  std::int64_t Expected(std::int64_t output_limit) const;

 private:
  std::int64_t count_ = 0;
  double mean_ = 0;
  double variance_ = 0;
};

// One (entry, kind) that has cells.
struct KindState {
  v1::Cell::Kind kind = v1::Cell::CHOICE;
  CellTable cells;
  // Empty unless the design is ADAPTIVE.
  ChainTable chains;
  // Kept when the cells are not, of a job that is over.
  std::uint64_t total = 0;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;

  std::int64_t calls = 0;
  std::int64_t repeated_calls = 0;
  std::array<std::int64_t, v1::Outcome::Class_MAX + 1> classes{};
  std::int64_t input_tokens = 0;
  std::int64_t cached_input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  std::int64_t money = 0;
  std::int64_t unknown_attempts = 0;
  std::int64_t unknown_money = 0;
  // Of `unknown_money`: of calls that were broken off before an answer.
  std::int64_t unanswered_money = 0;
  // Of `calls`: broken off before an answer.
  std::int64_t unanswered = 0;
  // Of `done`: taken over from other jobs.
  std::int64_t reused = 0;

  // Granted and not yet reported, and granted and not yet acknowledged.
  std::int64_t open = 0;
  std::int64_t in_flight = 0;
  // Of `open` and `calls`: lines of providers' batches.
  std::int64_t batch_open = 0;
  std::int64_t batch_calls = 0;
  // A complete reply came: the first-cell check is passed.
  bool replied = false;
  // Errors in a row that repeating cannot mend.
  std::int32_t streak = 0;

  // Of one prompt at most, by its length, and of those of each of the entry's scenarios; and of one
  // reply at most.
  std::int64_t prompt_tokens = 0;
  std::vector<std::int64_t> scenario_tokens;
  std::int64_t output_limit = 0;
  // Of the replies so far.
  OutputEstimate output;
  // The largest call so far; of those before a restart, what they took on average.
  std::int64_t largest_tokens = 0;
  std::int64_t largest_money = 0;

  // A call of unknown fate is known after all: its part of `unknown_money` goes.
  void CountKnown();
  // After a restart, when all counts are there.
  void RestoreUnanswered();

  // After a restart, until it is known again what cells that were leased before it show: none may
  // be leased.
  bool held() const { return chains.restoring() > 0; }
};

struct EntryState {
  enum class State { kRunning, kStopped, kFinished };

  std::string name;
  std::string endpoint_name;
  std::string model_name;
  Catalog::Model model;
  // Position in the engine's list of limit groups.
  std::uint32_t group = 0;
  State state = State::kRunning;
  // Why it was stopped.
  std::string reason;
  // The latest error that repeating cannot mend.
  std::string last_error;
  // Choices before self-reports; only those with cells.
  std::vector<KindState> kinds;
  // The largest number of prompt tokens seen, over that expected from the length.
  double prompt_ratio = 1.0;
  RateMeter rate;
  // Since the coordinator's start: what it waited for; the latest calls, the repeated ones marked;
  // of those that were answered in full how long they took, because a call that is refused, or
  // finds nobody, takes none of a call's time; and what the latest one that failed said.
  WaitAccount waits;
  RecentTimes recent_calls;
  RecentTimes recent_answers;
  std::string last_failure;

  // Its cells go in batches, but for the first one of each kind and those of adaptive designs.
  bool batching = false;
  // Of a job that may do either: so few are left that they go one by one.
  bool few_left = false;
  // Why its cells do not go in batches although they should; empty when there is no reason.
  std::string no_batches;
  // No batch is decided on before this time, and why: what was said of the latest one.
  TimePoint batch_after{};
  std::string batch_words;
  // Batches that were refused, or came to nothing, in a row; and those that came to their end.
  std::int32_t batch_refusals = 0;
  std::int32_t batch_pauses = 0;
  std::int32_t batches_ended = 0;

  // A cell of the kind, ready to be asked, is asked by itself.
  bool GoesLive(const KindState& kind) const {
    return !batching || few_left || !kind.replied || !kind.chains.empty();
  }
  KindState* FindKind(v1::Cell::Kind kind);
  bool replied() const;
  std::int32_t streak() const;
  std::int64_t open() const;
  std::int64_t in_flight() const;
  // Lines of batches that have no result yet.
  std::int64_t batch_open() const;
  std::uint64_t pending() const;
  // What a call of this kind takes of token limits at most; and what that of a cell does.
  CallSize Largest(const KindState& kind) const { return Size(kind, kind.prompt_tokens); }
  CallSize SizeOf(const KindState& kind, std::uint32_t index) const;
  // The most that a call of this kind is thought to take of a budget: by the length of its prompt
  // and its output limit, or as much as the largest one so far.
  std::int64_t MostTokens(const KindState& kind) const;
  // In a batch a call costs part of what it does by itself.
  std::int64_t MostMoney(const KindState& kind, bool in_batch = false) const;
  // A call may have been made and paid for, and nobody knows.
  void CountUnknown(KindState& kind, bool in_batch) const;

 private:
  CallSize Size(const KindState& kind, std::int64_t prompt_tokens) const;
};

struct JobState {
  JobRecord record;
  std::string hash;
  v1::Job::State state = v1::Job::QUEUED;
  std::string reason;
  std::optional<WallTime> start_time;
  std::optional<WallTime> end_time;
  std::int32_t max_attempts = 5;
  std::int32_t priority = 0;
  std::vector<EntryState> entries;
  // False once nothing can be asked any more: what was pending is forgotten.
  bool has_cells = true;
  bool deleted = false;
  // Durable, and so visible.
  bool visible = false;
  std::shared_ptr<const v1::Job> visible_status;
  // A status of it is to be written with the present batch.
  bool touched = false;
  // Whether something is left to run is to be seen at the end of the event.
  bool to_settle = false;
  // The workers were told to forget it.
  bool forgotten = false;

  JobKey key() const { return record.key; }
  const v1::Job& job() const { return *record.job; }
  bool terminal() const;
  // Calls are granted.
  bool runs() const { return state == v1::Job::QUEUED || state == v1::Job::RUNNING; }
  std::int64_t open() const;
  std::int64_t in_flight() const;
  std::uint64_t pending() const;
  std::uint64_t done() const;
  std::int64_t calls() const;
  std::int64_t unknown_attempts() const;
  bool has_stopped() const;
  // Now, or once a user resumes it.
  bool may_run() const { return !terminal() || state == v1::Job::FAILED; }
  bool settled() const { return terminal() && in_flight() == 0; }

  // --- job_budget.cc: the budget ---
  struct Used {
    std::int64_t calls = 0;
    std::int64_t tokens = 0;
    std::int64_t money = 0;
  };
  // What counts: calls that ended, and those of unknown fate or broken off before an answer with
  // the most that they can have taken. `with_open` also counts calls in flight, likewise.
  Used used(bool with_open) const;
  // Calls of a kind that may be granted; INT64_MAX without a budget. Tokens and money are reserved
  // as the most that a call can take, and a call may go while any are left: so a budget is passed
  // by less than one call takes, unless calls take more than was thought.
  std::int64_t BudgetLeft(const EntryState& entry, const KindState& kind) const;
  // Which part of the budget is spent, in words; empty when none is.
  std::string BudgetSpent() const;
  // Likewise of what calls in flight may yet spend, so that no other one goes now.
  std::string BudgetReserved() const;
  // Nothing is pending any more: frees what cells take.
  void DropCells();
};

// Builds the entries of a job from its specification, with every cell fresh, or without cells for a
// job that is over.
std::vector<EntryState> BuildEntries(const v1::JobSpecification& specification, Catalog& catalog,
                                     bool with_cells);

// How a job stands, as JobStatusRecord has it.
std::shared_ptr<const v1::Job> BuildStatus(const JobState& job);
// The other way round, after a restart; cells are left alone.
void RestoreStatus(const v1::Job& status, JobState& job);

}  // namespace candor::engine
