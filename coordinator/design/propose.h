// Answers the engine's ProposeTrials from the store.
#pragma once

#include "candor/v1/specification.pb.h"
#include "common/base/status.h"
#include "coordinator/engine/events.h"
#include "coordinator/store/store.h"

#include <span>

namespace candor::design {

// Proposes pairs of one job, whose earlier outcomes are durable. May block: one indexed read for
// each earlier answer, and a fit for each pair. From any thread.
//
// Cells that were given up count as without an answer for ever, also when a reply came after all: a
// pair may have been proposed before it came, and has to come out the same.
//
// NOT_FOUND when the job is gone; INVALID_ARGUMENT when it has no such pairs; errors of the store.
StatusOr<engine::TrialsProposed> ProposeTrials(const store::Store& store,
                                               const v1::JobSpecification& specification,
                                               std::span<const engine::WantedPair> pairs);

}  // namespace candor::design
