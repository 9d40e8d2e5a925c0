// How large prompts are, before anybody has rendered one.
#pragma once

#include "candor/v1/specification.pb.h"

#include <cstdint>
#include <vector>

namespace candor::engine {

// Tokens are reckoned as four characters each, as providers do when they admit a request.
struct PromptSize {
  double mean_tokens = 0;
  std::int64_t max_tokens = 0;
  // Of each of the entry's scenarios, in its order.
  std::vector<std::int64_t> tokens;
};

// Of the prompts of one (entry, kind), over the entry's scenarios.
PromptSize SizeOfPrompts(const v1::JobSpecification& specification, int entry, v1::Cell::Kind kind);

// Tokens of a reply at most: the output limit of the job, or 256 where there is none.
std::int64_t OutputLimit(const v1::ResolvedEntry& entry, v1::Cell::Kind kind);

}  // namespace candor::engine
