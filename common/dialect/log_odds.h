// P(A) against P(B) from a provider's log-probabilities. Private to the room.
#pragma once

#include "candor/v1/outcome.pb.h"

#include <boost/json/array.hpp>

#include <optional>

namespace candor::dialect {

struct LogOdds {
  // ln(P(A) / P(B)).
  double a = 0;
  // One of the letters was not among the likely tokens: `a` is a bound, nearer to 0 than the truth.
  bool truncated = false;
};

// Reads the tokens of a reply as chat completions have them: [{"token": "A", "logprob": -0.1,
// "top_logprobs": [{"token": " B", "logprob": -2.3}, ...]}, ...]; null where there are none.
//
// Looked at is the first token that is the letter of `choice`, which is what the reply was read as;
// without such a token, or without a list, there are no log-odds. Letters are "A" and "B" with any
// white space around, that of tokenizers too ("\u2581A", "\u0120A"); the probabilities of such
// variants are summed. Lower case is not counted: "a" is an article. For a missing letter stands
// the smaller of the least likely listed token's probability and what the list leaves over.
std::optional<LogOdds> ReadLogOdds(const boost::json::array* tokens, v1::Outcome::Choice choice);

}  // namespace candor::dialect
