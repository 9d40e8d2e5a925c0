// The pacer against a provider's limits, in simulated time: the real engine, a store, workers that
// do what they are told, and a provider that enforces limits over exact sliding windows, with or
// without headers, with others who use the account too, and with hours in which it fails.
//
//   LimitsScenario scenario;
//   scenario.provider.limits.set_requests_per_minute(600);
//   const LimitsOutcome outcome = RunLimits(scenario);
//   EXPECT_GE(outcome.LeastShare(60), 0.95);
//
// Where simulation.h looks for broken promises in a bad world, this one measures what is made of a
// good one. Everything follows from the seed.
#pragma once

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/config.pb.h"
#include "common/base/clock.h"
#include "coordinator/engine/pacer.h"
#include "tests/unit/coordinator/engine/fixtures.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace candor::engine::simulation {

// What the provider does.
struct LimitsProvider {
  v1::Limits limits;
  TokenCount count = TokenCount::kLarger;
  // Whether its answers say what the limits are and what is left; tokens rounded to so many.
  bool headers = false;
  std::int64_t rounded_to = 0;
  // Whether a refusal says how long to wait, in whole seconds.
  bool retry_after = true;
  // Calls are answered within this time on the average; never in less than half of it.
  Duration latency = std::chrono::milliseconds(200);
  // Tokens of replies: a reply takes between half and one and a half times as many.
  std::int64_t reply_tokens = 4;
  // Requests a minute that others make on the account, from when to when.
  std::int64_t others = 0;
  Duration others_from{0};
  Duration others_to{0};
  // It answers 529, from when to when.
  Duration fails_from{0};
  Duration fails_to{0};
};

struct LimitsScenario {
  std::uint64_t seed = 1;
  // Of the endpoint "local": its limits as configured, dialect and share.
  v1::Endpoint endpoint;
  LimitsProvider provider;
  // Another endpoint, "other", without limits; calls take so long. Absent: none.
  std::optional<Duration> other_latency;
  // The jobs, and when they are created.
  std::vector<std::pair<Duration, JobShape>> jobs;
  // How many workers there are, from when on; each with so many slots.
  std::vector<std::pair<Duration, int>> workers = {{Duration(0), 4}};
  int slots = 128;
  // How long it runs, unless all jobs end before.
  Duration time = std::chrono::seconds(300);
  // Shares are taken from here on.
  Duration warm = std::chrono::seconds(120);
  // The coordinator is killed then, and is back half a second later.
  std::optional<Duration> restart;
  Duration commit = std::chrono::milliseconds(8);
  // Whether the outcome tells how things stood, second by second.
  bool watch = true;
};

struct LimitsOutcome {
  // Of what is limited, by tenths of a second: what the provider let pass of it.
  std::vector<std::int64_t> used;
  std::int64_t calls = 0;
  std::int64_t refused = 0;
  std::int64_t failed = 0;
  // Since `warm`.
  std::int64_t warm_calls = 0;
  std::int64_t warm_refused = 0;
  // Calls in flight at the end of each second.
  std::vector<std::int64_t> in_flight;
  // By job: answers, and when it ended, if it did.
  std::vector<std::int64_t> answers;
  std::vector<std::optional<Duration>> ended;
  // How the group stood at the end of each second.
  std::vector<v1::LimitGroup> group;
  // What went against the promises.
  std::vector<std::string> violations;

  // The least and the mean share of `limit` a minute that was used in any so many seconds between
  // `from` and `to`.
  double LeastShare(std::int64_t limit, int seconds, Duration from, Duration to) const;
  double MeanShare(std::int64_t limit, Duration from, Duration to) const;
  double RefusedShare() const {
    return warm_calls == 0 ? 0
                           : static_cast<double>(warm_refused) / static_cast<double>(warm_calls);
  }
};

LimitsOutcome RunLimits(const LimitsScenario& scenario);

}  // namespace candor::engine::simulation
