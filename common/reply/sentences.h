// The text of a choice as sentences of words and punctuation, markup taken out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {

// What was taken out of a sentence.
enum Markup : unsigned {
  kMarkdown = 1U << 0U,
  kQuotes = 1U << 1U,
  kBrackets = 1U << 2U,
  kLatex = 1U << 3U,
  kXmlTag = 1U << 4U,
  kCodeFence = 1U << 5U,
};

struct Token {
  // A word in lower case, with its apostrophes and decimal points; empty for punctuation.
  std::string word;
  // One of , : - = ( ) and others as they are; '-' only where it separates, '~' where it joins
  // words; 0 for a word.
  char punctuation = 0;
  // The word began with an upper-case letter.
  bool capital = false;

  bool IsWord() const { return punctuation == 0; }
};

struct Sentence {
  std::vector<Token> tokens;
  // Of `Markup`.
  unsigned markup = 0;
  // Ended by a question mark.
  bool question = false;
  // Ended by ".", "!" or the like.
  bool ended = false;
  // A line that ends in a colon or begins with "#", and has others after it.
  bool heading = false;
};

// Sentences end with a line, or with . ! ? ; and never are empty.
std::vector<Sentence> SplitSentences(std::string_view text);

}  // namespace candor::reply
