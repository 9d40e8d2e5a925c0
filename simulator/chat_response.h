// The bodies of chat-completions answers, in the exact shapes of OpenAI's API: whole, and as
// server-sent events.
#pragma once

#include "simulator/reply_writer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace candor::simulator {

struct Completion {
  std::string_view id;
  // Seconds since the Unix epoch.
  std::int64_t created = 0;
  std::string_view model;
  std::string_view system_fingerprint;
  // Cut to the tokens that were allowed.
  std::string_view text;
  // Whether it was cut: finish_reason is then "length" instead of "stop".
  bool cut = false;
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  bool log_probabilities = false;
  int top_log_probabilities = 0;
  // Of a choice.
  std::optional<double> log_odds_a;
};

// Log-probabilities: the tokens are the pieces of 4 bytes that CountTokens counts. The first one of
// a choice has the true log P(A) and log P(B), both times a share of 0.999, beside a few other
// openings with the rest, so that log P("A") - log P("B") are exactly the model's log-odds.
std::string WriteCompletion(const Completion& completion);

// The same as a stream: a first piece with the role, one with the text, one with the finish
// reason, with `usage` one with that, and [DONE].
std::string WriteCompletionEvents(const Completion& completion, bool usage);

}  // namespace candor::simulator
