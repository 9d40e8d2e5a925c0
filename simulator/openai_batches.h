// OpenAI's files and batches, in memory.
//
//   POST /files (multipart: purpose, file)     GET /files   GET /files/ID   GET /files/ID/content
//   DELETE /files/ID
//   POST /batches {"input_file_id", "endpoint", "completion_window", "metadata"}
//   GET /batches?limit&after   GET /batches/ID   POST /batches/ID/cancel
#pragma once

#include "common/base/status.h"
#include "simulator/batch_api.h"
#include "simulator/provider_service.h"

#include <memory>

namespace candor::simulator {

// `service` outlives it. INVALID_ARGUMENT as from MakeBatchSettings.
StatusOr<std::unique_ptr<BatchApi>> MakeOpenAiBatches(const v1::SimulatedBatches& settings,
                                                      ProviderService& service);

}  // namespace candor::simulator
