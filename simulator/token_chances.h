// Log-probabilities of a reply's tokens: the tokens are the pieces of 4 bytes that CountTokens
// counts. The first one of a choice has the true log P(A) and log P(B), both times a share of
// 0.999, beside a few other openings with the rest, so that log P("A") - log P("B") are exactly the
// model's log-odds. All other tokens are beyond doubt.
#pragma once

#include "simulator/dialect.h"

#include <string_view>
#include <vector>

namespace candor::simulator {

struct TokenChance {
  std::string_view token;
  double log_probability;
};

struct TokenPosition {
  TokenChance chosen;
  // The likeliest first; as many as were asked for, at most.
  std::vector<TokenChance> top;
};

// One for each token of the text. Views point into the completion's text, or into constants.
std::vector<TokenPosition> TokenChances(const Completion& completion);

// {"token":...,"logprob":...,"bytes":[...],"top_logprobs":[{...}]} for each token, separated by
// commas: the form that chat completions and Responses share.
void AppendOpenAiTokens(const Completion& completion, std::string* out);

}  // namespace candor::simulator
