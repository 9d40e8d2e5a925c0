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

// What a limit counts: "requests a minute".
const char* UnitText(v1::LimitUse::Dimension dimension);
// "2.3 s", "340 ms", "0.8 ms".
std::string TimeText(Duration time);
// "166/s", "27.8/s", "0.42/s".
std::string RateText(double rate);
// 12345 -> "12,345".
std::string CountText(std::int64_t count);

}  // namespace candor::engine
