// Looking for a batch that may have been created. Inside this room only.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/dialect/batch.h"
#include "worker/batch/batch_runner.h"
#include "worker/batch/provider_calls.h"

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace candor::batch {

struct Search {
  // The batch, when it is there.
  std::optional<dialect::BatchObject> found;
  // A batch that may be it has not ended, and does not show its lines before.
  bool undecided = false;
  // The search failed; NOT_FOUND: the server lists no batches at all, nor has a path for that.
  std::optional<dialect::ProviderError> error;
};

// Lists the provider's batches back to the task's creation. Where providers keep our token
// (OpenAI's metadata) it decides; elsewhere (Anthropic) what has ended shows the custom ids of its
// lines, and what has not but has as many lines is awaited.
boost::asio::awaitable<Search> LookForBatch(ProviderCalls& calls, const dialect::BatchForm& form,
                                            const v1::BatchTask& task, const BatchSink& sink);

}  // namespace candor::batch
