#include "coordinator/engine/batch_sizes.h"

#include "common/base/batch_bounds.h"

#include <algorithm>
#include <cmath>

namespace candor::engine {
namespace {

// Of a line, beside its prompt: custom id, request fields, sampling, escapes.
constexpr std::int64_t kLineBytes = 1024;
constexpr std::int64_t kBytesPerToken = 5;

// Lines that fit into one batch, whose prompts take `prompt_tokens` each; a larger one goes alone.
std::int64_t LinesThatFit(const v1::BatchConfig& config, std::int64_t prompt_tokens) {
  return std::max<std::int64_t>(
      1, std::min(MaxLines(config), MaxBytes(config) / LineBytes(prompt_tokens)));
}

// As many of `lines` as the provider's queue takes, at least one.
std::int64_t InQueue(const v1::BatchConfig& config, std::int64_t lines,
                     std::int64_t prompt_tokens) {
  if (config.queue_tokens() <= 0) return lines;
  const std::int64_t queue = config.queue_tokens() / std::max<std::int64_t>(1, prompt_tokens);
  return std::max<std::int64_t>(1, std::min(lines, queue));
}

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

std::int64_t FullBatch(const v1::BatchConfig& config, std::int64_t prompt_tokens) {
  return InQueue(config, LinesThatFit(config, prompt_tokens), prompt_tokens);
}

std::int64_t BatchTurns(const v1::BatchConfig& config, std::span<const BatchShare> shares) {
  double turns = 0;
  for (const BatchShare& share : shares) {
    const std::int64_t turn = InQueue(
        config, kMaxOpenBatches * LinesThatFit(config, share.prompt_tokens), share.prompt_tokens);
    turns += static_cast<double>(share.lines) / static_cast<double>(turn);
  }
  // Parts of a turn that make a whole one may add up to a little more.
  constexpr double kRounding = 1e-9;
  return static_cast<std::int64_t>(std::ceil(turns * (1 - kRounding)));
}

}  // namespace candor::engine
