// How large batches are, and how many go at a time: what is configured for a model, and what holds
// where nothing is.
#pragma once

#include "candor/v1/config.pb.h"

#include <cstdint>
#include <span>

namespace candor::engine {

// Batches of one entry at a time: what the engine holds of a job of millions of cells is bounded.
inline constexpr std::int64_t kMaxOpenBatches = 10;

std::int64_t MaxLines(const v1::BatchConfig& config);
std::int64_t MaxBytes(const v1::BatchConfig& config);
// Bytes of a line, reckoned by the tokens of its prompt.
std::int64_t LineBytes(std::int64_t prompt_tokens);

// Lines of a full batch whose prompts take `prompt_tokens` each, which the provider's queue has to
// take as well. A line that is larger than all that goes alone.
std::int64_t FullBatch(const v1::BatchConfig& config, std::int64_t prompt_tokens);

// Lines of one kind, and what each of their prompts takes.
struct BatchShare {
  std::int64_t lines = 0;
  std::int64_t prompt_tokens = 0;
};
// How often an entry waits for batches, in which its kinds go together: as many lines as may be
// under way make one turn. 0 for no lines.
std::int64_t BatchTurns(const v1::BatchConfig& config, std::span<const BatchShare> shares);

}  // namespace candor::engine
