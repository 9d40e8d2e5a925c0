#include "coordinator/engine/prompt_size.h"

#include "common/scenario/prompt.h"

#include <algorithm>

namespace candor::engine {
namespace {

constexpr std::int64_t kCharsPerToken = 4;
constexpr std::int64_t kDefaultOutputLimit = 256;

}  // namespace

PromptSize SizeOfPrompts(const v1::JobSpecification& specification, int entry_index,
                         v1::Cell::Kind kind) {
  const v1::ResolvedEntry& entry = specification.entries(entry_index);
  const auto renderer = scenario::PromptRenderer::Create(
      kind == v1::Cell::CHOICE ? entry.choice_prompt() : entry.self_report_prompt());
  PromptSize size;
  if (!renderer.ok()) return size;
  for (const std::uint32_t index : entry.scenario_indexes()) {
    if (index >= static_cast<std::uint32_t>(specification.scenarios_size())) {
      size.tokens.push_back(0);
      continue;
    }
    const auto chars = static_cast<std::int64_t>(
        renderer->EstimateChars(specification.scenarios(static_cast<int>(index))));
    const std::int64_t tokens = (chars + kCharsPerToken - 1) / kCharsPerToken;
    size.max_tokens = std::max(size.max_tokens, tokens);
    size.tokens.push_back(tokens);
    size.mean_tokens +=
        static_cast<double>(tokens) / static_cast<double>(entry.scenario_indexes_size());
  }
  return size;
}

std::int64_t OutputLimit(const v1::ResolvedEntry& entry, v1::Cell::Kind kind) {
  const v1::Sampling& sampling =
      kind == v1::Cell::CHOICE ? entry.choices().sampling() : entry.self_reports().sampling();
  return sampling.has_max_output_tokens() ? sampling.max_output_tokens() : kDefaultOutputLimit;
}

}  // namespace candor::engine
