// What one sentence says about the options A and B. Letters are 'A', 'B', or 0 for none.
#pragma once

#include "common/reply/sentences.h"

#include <string_view>

namespace candor::reply {

// The letter of a sentence that is nothing else: "A", "Option A", "(A)".
char LetterAlone(const Sentence& sentence);
// The letter that the sentence says to choose ("The answer is A", "I choose option A", "A is
// better"); '?' when it says two. Questions and conditions say none.
char LetterSaid(const Sentence& sentence);
// The letter in front of an explanation: "A: ...", "Option A, because ...".
char LetterLeading(const Sentence& sentence);
// Whether the letter is named other than as an article or as the loser of a comparison.
bool NamesLetter(const Sentence& sentence, char letter);

// For the names of repairs.
bool HasOptionWord(const Sentence& sentence);
bool HasLowerCase(const Sentence& sentence, char letter);
bool HasPunctuation(const Sentence& sentence);

// Whether an answer is called by this word, given in lower case: "answer", "choice", "decision".
bool IsAnswerNoun(std::string_view word);

}  // namespace candor::reply
