// One finding each: what held an entry back, in words with numbers, and what would help.
#pragma once

#include "coordinator/engine/explain.h"

#include <string>

namespace candor::engine {

struct FindingText {
  std::string text;
  // Empty where nothing would help.
  std::string advice;
};

FindingText TextOf(v1::WaitReason reason, const EntryFacts& facts, const StoreTimes& store);

}  // namespace candor::engine
