#include "simulator/answer.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace candor::simulator {

void Decide(const ApiRequest& request, const Traits& traits, const ScenarioRanges& ranges,
            std::uint64_t body_key, Decision* decision) {
  const Task task = ReadTask(request.messages);
  const std::vector<double> x = ranges.Differences(task, request.messages);
  decision->kind = task.kind;
  decision->reply = WriteReply(traits, task, x, request.format, request.schema_names, body_key);

  Completion& completion = decision->completion;
  completion.model = request.model;
  completion.prompt_tokens = request.prompt_tokens;
  completion.cached_tokens = request.cached_tokens;
  completion.cache_written_tokens = request.cache_written_tokens;
  completion.log_probabilities = request.log_probabilities;
  completion.top_log_probabilities = request.top_log_probabilities;
  completion.log_odds_a = decision->reply.log_odds_a;

  const std::int64_t cap = request.max_tokens.value_or(std::numeric_limits<std::int64_t>::max());
  completion.reasoning_tokens =
      std::min(DrawReasoning(traits, request.effort, body_key),
               request.reasoning_limit.value_or(std::numeric_limits<std::int64_t>::max()));
  if (completion.reasoning_tokens > 0 && completion.reasoning_tokens >= cap) {
    completion.reasoning_tokens = cap;
    completion.completion_tokens = cap;
    completion.cut = true;
    decision->exhausted = true;
    return;
  }
  if (DrawFiltered(traits, body_key)) {
    completion.filtered = true;
    completion.completion_tokens = completion.reasoning_tokens;
    return;
  }
  const std::int64_t left = cap - completion.reasoning_tokens;
  completion.text = decision->reply.text;
  std::int64_t tokens = CountTokens(completion.text);
  if (tokens > left) {
    completion.text = TakeTokens(completion.text, left);
    tokens = left;
    completion.cut = true;
  }
  completion.completion_tokens = completion.reasoning_tokens + tokens;
}

}  // namespace candor::simulator
