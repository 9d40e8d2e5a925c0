// What a fault makes of an answer.
#pragma once

#include "simulator/delivery.h"
#include "simulator/dialect.h"
#include "simulator/faults.h"

#include <string>

namespace candor::simulator {

struct BreakFacts {
  DialectKind dialect = DialectKind::kChat;
  RefusalFacts refusal;
  // Of configuration; the fault's own form comes before it.
  v1::ScriptedFault::RetryAfterFormat format = v1::ScriptedFault::RETRY_AFTER_FORMAT_UNSPECIFIED;
  std::string request_id;
};

// Replaces the answer by an error.
void Refuse(const Dialect& dialect, ApiError error, const std::string& request_id, Answer* answer);

// Changes an answer that is whole so far.
void Break(const Fault& fault, const BreakFacts& facts, Answer* answer);

// About 2 MB of gzip that unpack to 2 GB.
const std::string& GzipBomb();

}  // namespace candor::simulator
