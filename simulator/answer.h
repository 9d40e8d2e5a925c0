// The one core behind all dialects: what a model answers to a request.
//
//   Decision decision;
//   Decide(request, traits, ranges, body_key, &decision);
//   dialect.Write(decision.completion)
//
// A function of its arguments: the same body gets the same answer live, streamed and in a batch.
#pragma once

#include "simulator/api_request.h"
#include "simulator/decision_model.h"
#include "simulator/dialect.h"
#include "simulator/message_reader.h"
#include "simulator/reply_writer.h"
#include "simulator/scenario_ranges.h"

#include <cstdint>

namespace candor::simulator {

// The completion points into the reply and the request.
struct Decision {
  Decision() = default;
  Decision(const Decision&) = delete;
  Decision& operator=(const Decision&) = delete;

  Kind kind = Kind::kUnknown;
  Reply reply;
  // All but its ids and its time.
  Completion completion;
  // The cap went on thinking, and nothing is left to show for it.
  bool exhausted = false;
};

void Decide(const ApiRequest& request, const Traits& traits, const ScenarioRanges& ranges,
            std::uint64_t body_key, Decision* decision);

}  // namespace candor::simulator
