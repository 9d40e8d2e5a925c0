// From a line's result to the report of its attempt, as a call of its own would have had it. Inside
// this room only.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/dialect/batch.h"
#include "common/dialect/render.h"
#include "worker/batch/provider_calls.h"

#include <string_view>

namespace candor::batch {

//   a complete model reply             COMPLETED, with the outcome
//   an error in its place, or broken   FAILED, class by the dialect
//   expired or cancelled unrun         NOT_SENT: nothing was paid, and it does not count as a try
v1::AttemptReport ReportLine(const ProviderCalls& calls, const v1::Lease& lease,
                             std::string_view batch, const dialect::RenderedCell& rendered,
                             const dialect::BatchResult& result);

// The report of a line whose result is above kMaxLineBytes: FAILED, MALFORMED_RESPONSE.
v1::AttemptReport ReportTooLong(const v1::Lease& lease, std::string_view batch);

// The report of a line that has no result, with the reason.
v1::AttemptReport ReportNotRun(const v1::Lease& lease, std::string_view batch,
                               std::string_view reason);

// What a line asks, as batches do: never streamed.
Status RenderLine(const ProviderCalls& calls, const dialect::JobRenderer& job,
                  const v1::Lease& lease, dialect::RenderedCell* rendered);

}  // namespace candor::batch
