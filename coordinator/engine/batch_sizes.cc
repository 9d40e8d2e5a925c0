#include "coordinator/engine/batch_sizes.h"

#include "common/base/batch_bounds.h"

#include <algorithm>

namespace candor::engine {
namespace {

// Of a line, beside its prompt: custom id, request fields, sampling, escapes.
constexpr std::int64_t kLineBytes = 1024;
constexpr std::int64_t kBytesPerToken = 5;

}  // namespace

std::int64_t MaxLines(const v1::BatchConfig& config) {
  return config.max_lines() > 0 ? config.max_lines() : kDefaultBatch.lines;
}

std::int64_t MaxBytes(const v1::BatchConfig& config) {
  return config.max_bytes() > 0 ? config.max_bytes() : kDefaultBatch.bytes;
}

std::int64_t LineBytes(std::int64_t prompt_tokens) {
  return prompt_tokens * kBytesPerToken + kLineBytes;
}

std::int64_t BatchTurns(const v1::BatchConfig& config, std::int64_t lines,
                        std::int64_t prompt_tokens) {
  if (lines <= 0) return 0;
  const std::int64_t batch =
      std::min(MaxLines(config), MaxBytes(config) / LineBytes(prompt_tokens));
  std::int64_t turn = kMaxOpenBatches * batch;
  if (config.queue_tokens() > 0) {
    turn = std::min(turn, config.queue_tokens() / std::max<std::int64_t>(1, prompt_tokens));
  }
  // A line that is larger than all that may be under way goes alone.
  turn = std::max<std::int64_t>(1, turn);
  return lines / turn + (lines % turn > 0 ? 1 : 0);
}

}  // namespace candor::engine
