// The answer to a trial, read from a model's reply.
//
//   ParseChoice({.text = "A", .finish_reason = "stop"})       VALID, A
//   ParseChoice({.text = "I choose option **b**."})           REPAIRED, B
//   ParseChoice({.text = "A good option would be B"})         NOT_A_CHOICE
//
// VALID is the letter A or B alone, white space around it allowed. REPAIRED is, in this order:
//
// 1. a JSON object with a key such as "choice" or "answer" whose value is a letter, if no other
//    object and nothing around it says the other one;
// 2. sentences that say the choice in so many words ("Final answer: A", "I would pick B", "Option A
//    is better"), if all such sentences agree. One does not count when it is a question, negated,
//    conditional ("if", "depends"), or names the other letter but as the loser ("over B", "not B",
//    "because B ...");
// 3. a letter that stands alone ("A", "Option A", "(A)") as first or last sentence, if no other
//    sentence is the other letter alone;
// 4. a letter in front of its explanation ("A: ...", "A because ..."), if nothing in the text
//    names the other letter but as the loser.
//
// A text above 256 KiB is no choice, and a sentence above 300 words says none.
//
// The English article is no letter: "a" counts only where a letter is expected.
#pragma once

#include "candor/v1/outcome.pb.h"
#include "common/reply/reply.h"

#include <string>
#include <vector>

namespace candor::reply {

struct ParsedChoice {
  // VALID, REPAIRED, REFUSAL, NOT_A_CHOICE, EMPTY, TRUNCATED, REASONING_EXHAUSTED or
  // PROVIDER_BLOCKED; reply.h has their precedence.
  v1::Outcome::Class class_ = v1::Outcome::CLASS_UNSPECIFIED;
  // A or B when VALID or REPAIRED, otherwise unspecified.
  v1::Outcome::Choice choice = v1::Outcome::CHOICE_UNSPECIFIED;
  // See the table in reply.h. Empty unless REPAIRED.
  std::vector<std::string> repairs;
};

ParsedChoice ParseChoice(const Reply& reply);

}  // namespace candor::reply
