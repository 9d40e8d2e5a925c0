// Why a job is not faster, in words with numbers. Pure: facts in, sentences out.
//
// A rate that nobody measured is Little's law: calls in flight, over the time of one call, are
// calls a second. So 64 slots at 2.3 s a call give 27.8/s whatever the limits are, and a limit of 8
// calls in flight 3.5/s whatever the slots are.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/evaluation_service.pb.h"
#include "coordinator/engine/accounts.h"
#include "coordinator/engine/group_limits.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace candor::engine {

// How long batches took lately, from their hand-over to their commit.
struct StoreTimes {
  Duration median{};
  Duration p95{};
};

struct EntryFacts {
  std::string entry;
  v1::EntryProgress::State state = v1::EntryProgress::RUNNING;
  // What it waits for now; or that it was stopped and why, "stopped: ..."; may be empty.
  std::string reason;
  v1::WaitReason wait_reason = v1::NOTHING;
  std::int64_t total = 0;
  // The job has ended: nothing is waited for any more.
  bool over = false;
  // Outcomes; and cells that were given up.
  std::int64_t done = 0;
  std::int64_t given_up = 0;
  std::int64_t in_flight = 0;
  // Cells that could be asked at once if nothing held them back.
  std::int64_t pending = 0;
  // Outcomes a second.
  double rate = 0;
  WaitAccount waits;

  // Of the latest calls; and how long those took that were answered in full, 0 while there are
  // none.
  std::int64_t calls = 0;
  std::int64_t repeated = 0;
  Duration latency_median{};
  Duration latency_p95{};
  // What the latest call said by which the group's provider fails; may be empty.
  std::string group_failure;

  std::string endpoint;
  // Its limit group, as others see it.
  v1::LimitGroup group;
  // Where its limits are from, by dimension.
  std::array<LimitOrigin, v1::LimitUse::Dimension_ARRAYSIZE> origins;
  // Other entries that ask of the same group.
  std::int64_t group_sharers = 0;
  // What one call takes of limits of tokens, at most.
  double call_tokens = 0;
  // Replies count against limits of tokens, so that a lower max_output_tokens takes less of them.
  bool counts_output = true;
  // Tokens of prompts and replies so far, by call; 0 before the first.
  double call_input_tokens = 0;
  double call_output_tokens = 0;

  // Connected workers that serve the endpoint, and their slots, of which calls of this entry and of
  // others take some.
  std::int64_t workers = 0;
  std::int64_t slots = 0;
  std::int64_t slots_taken = 0;
};

// Calls a second that the group's limits allow, and which of them binds; 0 where there is none. A
// limit of a day counts once it is used up, with what it allows on average.
struct LimitRate {
  double rate = 0;
  v1::LimitUse binding;
  // One call takes more than a limit allows, so that none ever goes; the rate is 0.
  bool never = false;
};
LimitRate RateOfLimits(const EntryFacts& facts);
// Calls a second that the slots allow at the present latency; 0 where it cannot be told.
double RateOfSlots(const EntryFacts& facts);

// The first finding of an entry that has anything left to do is what it waits for now, with a share
// of 0; those of the time so far follow, the largest share first.
v1::JobExplanation::EntryExplanation ExplainEntry(const EntryFacts& facts, const StoreTimes& store);
// `state` is the job's.
v1::JobExplanation ExplainJob(const std::string& name, v1::Job::State state,
                              const std::string& state_reason,
                              const std::vector<EntryFacts>& entries, const StoreTimes& store);

}  // namespace candor::engine
