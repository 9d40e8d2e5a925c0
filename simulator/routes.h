// Paths -> what they name.
//
//   FindRoute("/v1/messages/batches/msgbatch_1/results")
//       ->  {kMessageBatchResults, prefix "/v1", id "msgbatch_1"}
#pragma once

#include "simulator/dialect.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace candor::simulator {

enum class Endpoint : std::uint8_t {
  kNone,
  kCall,
  kModels,
  // OpenAI's files and batches.
  kFiles,
  kFile,
  kFileContent,
  kBatches,
  kBatch,
  kBatchCancel,
  // Anthropic's.
  kMessageBatches,
  kMessageBatch,
  kMessageBatchResults,
  kMessageBatchCancel,
  // The simulator's own.
  kHealth,
  kLedger,
  kSummary,
  kSeries,
  kLimits,
};

// Views point into the path.
struct Route {
  Endpoint endpoint = Endpoint::kNone;
  // In whose words errors are.
  DialectKind dialect = DialectKind::kChat;
  // What stands before the part that the API names.
  std::string_view prefix;
  // Of a file or a batch.
  std::string_view id;
  // That the path names.
  std::string_view model;
  // :streamGenerateContent.
  bool stream = false;
};

Route FindRoute(std::string_view path);

// The value of a parameter in a query, decoded; empty without one.
std::string QueryValue(std::string_view query, std::string_view name);

}  // namespace candor::simulator
