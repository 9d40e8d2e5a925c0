#include "common/base/limit_text.h"
#include "common/base/rate_text.h"
#include "common/base/text_table.h"
#include "coordinator/engine/engine_impl.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace candor::engine {
namespace {

// "12s", "23h59m", rounded up to a second.
std::string Span(Duration duration) {
  return SpanText(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

// "600 requests a minute are in use".
std::string InUse(std::int64_t amount, v1::LimitUse::Dimension dimension) {
  return fmt::format("{} {} in use", AmountText(amount, dimension), amount == 1 ? "is" : "are");
}

// "4 calls are".
std::string CallsAre(std::int64_t calls) {
  return fmt::format("{} {}", WithCommas(calls), calls == 1 ? "call is" : "calls are");
}

// Behind a statement that calls failed: "; the latest error: ...".
std::string LatestError(const std::string& words) {
  return words.empty() ? "" : "; the latest error: " + words;
}

// No call goes before one of these is done.
const char* RemedyOf(v1::LimitUse::Dimension dimension, CallSize size, std::int64_t limit) {
  size.output = 0;
  return Pacer::Amount(dimension, size) > limit ? "raise the limit or shorten the prompts"
                                                : "raise the limit or lower max_output_tokens";
}

constexpr int kMaxReasons = 3;

}  // namespace

Waiting Engine::Impl::GroupWaitingFor(Group& group, const CallSize& size, TimePoint now) {
  const GroupLimits::Held held = group.limits.Holding(now, size);
  const std::string left = held.until && *held.until > now ? Span(*held.until - now) : "";
  const auto say = [&](const std::string& words) -> Waiting {
    return {held.reason, fmt::format("limit group \"{}\"{}", group.name, words)};
  };
  if (held.reason == v1::PROVIDER_ASKED ||
      (held.reason == v1::DAILY_LIMIT && held.dimension == v1::LimitUse::DIMENSION_UNSPECIFIED)) {
    const char* why = "the provider refused calls without saying how long";
    if (group.limits.provider_said()) why = "the provider said so";
    if (held.reason == v1::DAILY_LIMIT) {
      why = "the provider's quota of a day is used up";
      if (left.empty()) {
        return say(
            ": the provider's quota of a day was used up; one call is under way to see whether it "
            "is there again");
      }
    }
    return say(fmt::format(" waits {}, because {}", left, why));
  }
  if (group.settled_at > now) {
    return {
        v1::SETTLING,
        fmt::format("limit group \"{}\" waits up to {} for workers to say which calls of before "
                    "the restart they hold",
                    group.name, Span(group.settled_at - now))};
  }
  if (held.reason == v1::NOTHING) return {};
  if (held.reason == v1::CIRCUIT_OPEN) {
    const std::string fails =
        ": the provider fails" +
        (group.last_failure.empty() ? "" : fmt::format(" ({})", group.last_failure));
    return say(fails + (left.empty()
                            ? "; one call is under way to see whether it is back"
                            : fmt::format("; one call looks in {} whether it is back", left)));
  }
  const std::int64_t limit = LimitOf(group.limits.in_force(now), held.dimension);
  if (held.too_large) {
    return say(fmt::format(" allows {}, and one call takes up to {}: {}",
                           AmountText(limit, held.dimension), WithCommas(held.takes),
                           RemedyOf(held.dimension, size, limit)));
  }
  if (held.reason == v1::PROBING) {
    return say(fmt::format(": {} in flight, as many as the provider has been found to bear",
                           CallsAre(limit)));
  }
  if (held.dimension == v1::LimitUse::IN_FLIGHT) {
    return say(fmt::format(": {} in flight", CallsAre(limit)));
  }
  if (held.reason == v1::DAILY_LIMIT) {
    return say(": " + InUse(limit, held.dimension) +
               (left.empty() ? "" : fmt::format("; the next call goes in {}", left)));
  }
  if (held.reason == v1::RAMP) {
    return say(": the rate is still rising to the limit of " + AmountText(limit, held.dimension));
  }
  if (held.spread) {
    return say(fmt::format(": calls are spread over the minute: {} of {}",
                           SpreadText(limit, held.dimension), AmountText(limit, held.dimension)));
  }
  if (held.used < limit && held.takes > 1) {
    return say(fmt::format(": {} of {} are in use, and one call takes up to {}",
                           WithCommas(held.used), AmountText(limit, held.dimension),
                           WithCommas(held.takes)));
  }
  return say(": " + InUse(limit, held.dimension));
}

Waiting Engine::Impl::WaitingFor(const JobState& job, EntryState& entry, TimePoint now) {
  if (job.state == v1::Job::PAUSED) return {v1::PAUSED, "the job is paused"};
  if (!job.runs()) return {};
  if (!catalog_.IsConfigured(entry.endpoint_name)) {
    return {v1::NO_WORKER, fmt::format("endpoint \"{}\" is not in the configuration any more",
                                       entry.endpoint_name)};
  }
  const bool in_batches = entry.batch_open() > 0 && entry.batch_open() == entry.open();
  if (!in_batches && !job.BudgetSpent().empty()) {
    return {v1::NOTHING, "the budget is spent; calls in flight finish"};
  }
  if (std::string reserved = job.BudgetReserved(); !in_batches && !reserved.empty()) {
    return {v1::NOTHING, std::move(reserved)};
  }

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

  if (in_batches) {
    const auto number = static_cast<std::uint32_t>(&entry - job.entries.data());
    return {v1::PROVIDER_BATCH, BatchWords(job, number)};
  }

  bool first_check = false;
  std::optional<TimePoint> ready_at;
  bool ready = false;
  // Of what is ready something goes by itself, and not in a batch.
  bool live = false;
  CallSize largest;
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
      live = live || entry.GoesLive(kind);
      const CallSize size = entry.Largest(kind);
      if (size.total() >= largest.total()) largest = size;
    } else if (const auto next = kind.cells.NextReady()) {
      if (!ready_at || *next < *ready_at) ready_at = next;
    }
  }
  if (!ready && !alone) {
    if (ready_at) {
      return {v1::RETRY_BACK_OFF, fmt::format("calls that failed are tried again in {}{}",
                                              Span(std::max(Duration(0), *ready_at - now)),
                                              LatestError(entry.last_failure))};
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
  if (!live && !alone) {
    if (entry.batch_after > now) {
      return {v1::PROVIDER_BATCH,
              fmt::format("the next batch is made in {}, because of the last: {}",
                          Span(entry.batch_after - now), entry.batch_words)};
    }
    if (QueueLeft(entry) <= 0) {
      return {
          v1::PROVIDER_BATCH,
          fmt::format("other batches of limit group \"{}\" fill the provider's queue of {} tokens",
                      groups_[entry.group].name, entry.model.batch.queue_tokens())};
    }
  }
  Waiting group = GroupWaitingFor(groups_[entry.group], largest, now);
  if (!group.text.empty()) return group;
  if (!free && rests) {
    return {v1::SLOTS,
            fmt::format("workers handed calls back without making them; the next ones go in {}",
                        Span(*rests - now))};
  }
  if (!free)
    return {v1::SLOTS, slots == 1 ? "the one slot is taken"
                                  : fmt::format("all {} slots are taken", WithCommas(slots))};
  if (!ready && alone) {
    return {
        v1::SLOTS,
        "cells that lost their workers twice are asked one at a time, on a worker without other "
        "calls"};
  }
  return {};
}

}  // namespace candor::engine
