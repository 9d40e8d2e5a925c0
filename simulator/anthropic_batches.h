// Anthropic's message batches, in memory.
//
//   POST /messages/batches {"requests": [{"custom_id", "params"}]}
//   GET /messages/batches?limit&after_id&before_id   GET /messages/batches/ID
//   GET /messages/batches/ID/results   POST /messages/batches/ID/cancel
//   DELETE /messages/batches/ID
#pragma once

#include "common/base/status.h"
#include "simulator/batch_api.h"
#include "simulator/provider_service.h"

#include <memory>
#include <string_view>

namespace candor::simulator {

// `service` outlives it. `scheme`, "http" or "https", is that of results_url. INVALID_ARGUMENT as
// from MakeBatchSettings.
StatusOr<std::unique_ptr<BatchApi>> MakeAnthropicBatches(const v1::SimulatedBatches& settings,
                                                         ProviderService& service,
                                                         std::string_view scheme = "http");

}  // namespace candor::simulator
