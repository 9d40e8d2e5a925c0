#include "coordinator/engine/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace candor::engine {
namespace {

// "12 s", rounded up.
std::string Seconds(Duration duration) {
  return fmt::format("{} s", std::chrono::ceil<std::chrono::seconds>(duration).count());
}

constexpr int kMaxReasons = 3;

}  // namespace

Waiting Engine::Impl::GroupWaitingFor(Group& group, std::int64_t tokens, TimePoint now) {
  if (group.blocked_until > now) {
    return {
        v1::PROVIDER_ASKED,
        fmt::format("limit group \"{}\" waits {}, because {}", group.name,
                    Seconds(group.blocked_until - now),
                    group.provider_said ? "the provider said so"
                                        : "the provider refused calls without saying how long")};
  }
  if (group.settled_at > now) {
    return {
        v1::SETTLING,
        fmt::format("limit group \"{}\" waits up to {} for workers to say which calls of before "
                    "the restart they hold",
                    group.name, Seconds(group.settled_at - now))};
  }
  const v1::Limits& limits = group.pacer.limits();
  switch (group.pacer.Holding(now, tokens)) {
    case Pacer::Hold::kRequests:
      return {v1::REQUEST_LIMIT, fmt::format("limit group \"{}\": {} requests a minute are in use",
                                             group.name, limits.requests_per_minute())};
    case Pacer::Hold::kTokens:
      return {v1::TOKEN_LIMIT, fmt::format("limit group \"{}\": {} tokens a minute are in use",
                                           group.name, limits.tokens_per_minute())};
    case Pacer::Hold::kInFlight:
      return {v1::IN_FLIGHT_LIMIT, fmt::format("limit group \"{}\": {} calls are in flight",
                                               group.name, limits.in_flight())};
    case Pacer::Hold::kTooLarge:
      return {v1::TOKEN_LIMIT, fmt::format("limit group \"{}\" allows {} tokens a minute, and one "
                                           "call takes up to {}: raise the "
                                           "limit or lower max_output_tokens",
                                           group.name, limits.tokens_per_minute(), tokens)};
    case Pacer::Hold::kNone:
      break;
  }
  return {};
}

Waiting Engine::Impl::WaitingFor(const JobState& job, EntryState& entry, TimePoint now) {
  if (job.state == v1::Job::PAUSED) return {v1::PAUSED, "the job is paused"};
  if (!job.runs()) return {};
  if (!catalog_.IsConfigured(entry.endpoint_name)) {
    return {v1::NO_WORKER, fmt::format("endpoint \"{}\" is not in the configuration any more",
                                       entry.endpoint_name)};
  }
  if (job.BudgetLeft() == 0) return {v1::NOTHING, "the budget is spent; calls in flight finish"};

  bool served = false;
  bool free = false;
  std::int64_t slots = 0;
  std::optional<TimePoint> rests;
  int reasons = 0;
  std::string why;
  for (const auto& [name, number] : workers_.by_name()) {
    const WorkerState& worker = workers_[number];
    if (worker.session == 0) continue;
    if (worker.Serves(entry.model.endpoint)) {
      if (worker.draining) continue;
      served = true;
      slots += worker.slots;
      free = free || worker.Free(now) > 0;
      if (worker.rests_until > now && (!rests || worker.rests_until < *rests)) {
        rests = worker.rests_until;
      }
      continue;
    }
    for (const v1::Worker::EndpointService& endpoint : worker.endpoints) {
      if (endpoint.endpoint() != entry.endpoint_name || endpoint.reason().empty()) continue;
      if (++reasons <= kMaxReasons) {
        why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", name, endpoint.reason());
      }
    }
  }
  if (!served) {
    if (reasons > kMaxReasons) why += fmt::format("; and {} more", reasons - kMaxReasons);
    return {v1::NO_WORKER,
            fmt::format("no connected worker serves endpoint \"{}\"{}", entry.endpoint_name,
                        why.empty() ? "" : fmt::format(" ({})", why))};
  }

  bool first_check = false;
  std::optional<TimePoint> ready_at;
  bool ready = false;
  std::int64_t tokens = 0;
  bool alone = false;
  bool held = false;
  bool closed = false;
  for (KindState& kind : entry.kinds) {
    if (kind.cells.pending() == 0) continue;
    if (kind.held()) {
      held = true;
      continue;
    }
    if (!kind.replied && kind.open > 0) {
      first_check = true;
      continue;
    }
    alone = alone || kind.cells.HasAlone(now);
    closed = closed || kind.cells.closed() > 0;
    if (kind.cells.HasReady(now)) {
      ready = true;
      tokens = std::max(tokens, entry.Reservation(kind));
    } else if (const auto next = kind.cells.NextReady()) {
      if (!ready_at || *next < *ready_at) ready_at = next;
    }
  }
  if (!ready && !alone) {
    if (ready_at) {
      return {v1::RETRY_BACK_OFF, fmt::format("calls that failed are tried again in {}",
                                              Seconds(std::max(Duration(0), *ready_at - now)))};
    }
    if (first_check)
      return {v1::FIRST_CALL, "one call goes first; the others follow when it is answered"};
    if (held)
      return {v1::ADAPTIVE_DESIGN,
              "the trials that follow from the answers so far are worked out again"};
    if (closed) {
      return {
          v1::ADAPTIVE_DESIGN,
          "each scenario's next trial follows from its last answer: one choice of a scenario is "
          "asked at a time"};
    }
    return {};
  }
  Waiting group = GroupWaitingFor(groups_[entry.group], tokens, now);
  if (!group.text.empty()) return group;
  if (!free && rests) {
    return {v1::SLOTS,
            fmt::format("workers handed calls back without making them; the next ones go in {}",
                        Seconds(*rests - now))};
  }
  if (!free) return {v1::SLOTS, fmt::format("all {} slots are taken", slots)};
  if (!ready && alone) {
    return {
        v1::SLOTS,
        "cells that lost their workers twice are asked one at a time, on a worker without other "
        "calls"};
  }
  return {};
}

}  // namespace candor::engine
