// How large batches are, and how many go at a time: what is configured for a model, and what holds
// where nothing is.
#pragma once

#include "candor/v1/config.pb.h"

#include <cstdint>

namespace candor::engine {

// Batches of one entry at a time: what the engine holds of a job of millions of cells is bounded.
inline constexpr std::int64_t kMaxOpenBatches = 10;

std::int64_t MaxLines(const v1::BatchConfig& config);
std::int64_t MaxBytes(const v1::BatchConfig& config);
// Bytes of a line, reckoned by the tokens of its prompt.
std::int64_t LineBytes(std::int64_t prompt_tokens);

// How often an entry waits for batches when each prompt takes `prompt_tokens`: as many lines as may
// be under way make one turn. 0 for no lines.
std::int64_t BatchTurns(const v1::BatchConfig& config, std::int64_t lines,
                        std::int64_t prompt_tokens);

}  // namespace candor::engine
