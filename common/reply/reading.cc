#include "common/reply/reading.h"

#include "common/reply/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {
namespace {

template <std::size_t size>
using Words = std::array<std::string_view, size>;

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}
template <std::size_t size>
bool IsOneOf(std::string_view word, const Words<size>& words) {
  return std::ranges::find(words, word) != words.end();
}

// Words that an answer is called by.
constexpr Words<18> kNouns = {"answer",     "choice",         "decision", "selection", "pick",
                              "preference", "recommendation", "response", "verdict",   "conclusion",
                              "answers",    "choose",         "select",   "chosen",    "selected",
                              "preferred",  "vote",           "judgment"};
// Words that may stand before such a noun without changing its meaning.
constexpr Words<43> kAround = {
    "the",     "my",       "our",         "final", "best",      "better", "right",    "correct",
    "optimal", "overall",  "recommended", "so",    "therefore", "thus",   "hence",    "in",
    "is",      "would",    "be",          "will",  "to",        "this",   "question", "and",
    "result",  "then",     "option",      "his",   "her",       "their",  "your",     "as",
    "clear",   "superior", "preferable",  "one",   "of",        "for",    "own",      "ultimately",
    "letter",  "here",     "clearly"};
constexpr Words<8> kOptionWords = {"option",    "choice", "alternative", "letter",
                                   "candidate", "plan",   "offer",       "scenario"};
constexpr Words<20> kVerbs = {"choose",     "chose",   "choosing", "pick",      "picked",
                              "picking",    "select",  "selected", "selecting", "prefer",
                              "recommend",  "suggest", "favor",    "favour",    "recommending",
                              "preferring", "take",    "say",      "selects",   "chooses"};
constexpr Words<12> kNegations = {"not",      "never",  "no",    "neither", "nor",      "don't",
                                  "wouldn't", "cannot", "can't", "won't",   "couldn't", "hardly"};
// A sentence with one of these says no choice.
constexpr Words<12> kOpen = {"if",      "unless",    "whether", "when",  "either", "neither",
                             "depends", "depending", "both",    "might", "could",  "equally"};

// A sentence is looked at from each of its letters: longer ones would cost quadratic time.
constexpr std::size_t kMaxSentenceTokens = 300;

bool IsNegation(std::string_view word) {
  return IsOneOf(word, kNegations) || word.ends_with("n't");
}

// One sentence, and the questions that are asked of it. Positions are those of its tokens.
class Reading {
 public:
  explicit Reading(const Sentence& sentence) : tokens_(sentence.tokens) {
    open_ = sentence.question || tokens_.size() > kMaxSentenceTokens ||
            std::ranges::any_of(tokens_, [](const Token& token) {
              return token.IsWord() && IsOneOf(token.word, kOpen);
            });
  }

  // The letter of a sentence that is nothing else: "A", "Option A", "(A)".
  char Alone() const {
    if (open_) return 0;
    char letter = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!tokens_[i].IsWord()) {
        if (std::string_view("(),:-").find(tokens_[i].punctuation) == std::string_view::npos) {
          return 0;
        }
      } else if (const char here = LetterAt(i); here != 0) {
        if (letter != 0) return 0;
        letter = here;
      } else if (letter != 0 || !(IsOneOf(tokens_[i].word, kOptionWords) ||
                                  IsOneOf(tokens_[i].word, {"the", "so", "therefore", "thus",
                                                            "definitely", "clearly"}))) {
        return 0;
      }
    }
    return letter;
  }

  // The letter that the sentence says to choose, 0 for none, '?' when it says two.
  char Said() const {
    if (open_) return 0;
    char said = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const char letter = LetterAt(i);
      if (letter == 0 || !(SaidBefore(i) || SaidAfter(i)) || NamesRival(letter, i)) continue;
      if (said != 0 && said != letter) return '?';
      said = letter;
    }
    return said;
  }

  // The letter in front of an explanation: "A: ...", "Option A, because ...".
  char Leading() const {
    if (open_) return 0;
    std::size_t i = 0;
    while (i < tokens_.size() && (tokens_[i].punctuation == '(' || IsOption(i))) ++i;
    const char letter = i < tokens_.size() ? LetterAt(i) : '\0';
    if (letter == 0 || i + 1 >= tokens_.size()) return letter;
    const Token& next = tokens_[i + 1];
    if (next.IsWord()) return IsOneOf(next.word, {"because", "since"}) ? letter : '\0';
    return std::string_view(":),-(").find(next.punctuation) != std::string_view::npos ? letter
                                                                                      : '\0';
  }

  // Whether the letter is named other than as the loser of a comparison.
  bool Names(char letter) const {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (IsMention(i, letter) && !IsLoser(i)) return true;
    }
    return false;
  }

  bool HasOptionWord() const {
    for (std::size_t i = 1; i < tokens_.size(); ++i) {
      if (LetterAt(i) != 0 && IsOption(i - 1)) return true;
    }
    return false;
  }
  bool HasLowerCase(char letter) const {
    return std::ranges::none_of(tokens_, [letter](const Token& token) {
      return token.word.size() == 1 && token.word[0] == ToLower(letter) && token.capital;
    });
  }
  bool HasPunctuation() const {
    return std::ranges::any_of(tokens_, [](const Token& token) {
      return !token.IsWord() && token.punctuation != '(' && token.punctuation != ')';
    });
  }

 private:
  bool IsWordAt(std::size_t i, std::initializer_list<std::string_view> words) const {
    return i < tokens_.size() && tokens_[i].IsWord() && IsOneOf(tokens_[i].word, words);
  }
  bool IsOption(std::size_t i) const {
    return i < tokens_.size() && tokens_[i].IsWord() && IsOneOf(tokens_[i].word, kOptionWords);
  }

  // 'A' or 'B' when the word is that letter alone.
  char LetterAt(std::size_t i) const {
    const std::string& word = tokens_[i].word;
    if (word == "a") return 'A';
    return word == "b" ? 'B' : '\0';
  }

  // The letter before `i` is not the beginning of a noun phrase or of an alternative.
  bool EndsAfter(std::size_t i, bool after_option) const {
    if (i + 1 >= tokens_.size()) return true;
    const Token& next = tokens_[i + 1];
    if (!next.IsWord()) {
      return std::string_view(",:-()").find(next.punctuation) != std::string_view::npos;
    }
    if (IsOneOf(next.word, {"or", "and", "nor"})) return false;
    return after_option ||
           IsOneOf(next.word, {"because", "since", "over", "as", "for", "due", "rather", "instead",
                               "given", "based", "here", "overall", "not", "on", "with"});
  }

  // Steps back from `end` over what may stand between a phrase and its letter.
  std::size_t BackOver(std::size_t end, std::initializer_list<std::string_view> words) const {
    while (end > 0 && IsWordAt(end - 1, words)) --end;
    return end;
  }

  // "I choose [option] A", "The answer is A", "Final answer: A".
  bool SaidBefore(std::size_t i) const {
    std::size_t end = i;
    bool separated = false;
    bool after_option = false;
    while (end > 0) {
      const Token& token = tokens_[end - 1];
      if (token.punctuation == '(' || token.punctuation == ':' || token.punctuation == '-' ||
          token.punctuation == '=') {
        separated |= token.punctuation != '(';
      } else if (IsOption(end - 1) && !after_option && !separated) {
        after_option = true;
      } else {
        break;
      }
      --end;
    }
    if (!EndsAfter(i, after_option)) return false;
    if (separated) return IsNounPhrase(end, /*noun_needed=*/true);
    std::size_t verb = BackOver(end, {"the"});
    if (verb > 0 && tokens_[verb - 1].IsWord()) {
      const std::string& word = tokens_[verb - 1].word;
      if (IsOneOf(word, kVerbs) && IsOwnClause(verb - 1)) return true;
      if (verb > 1 && IsOneOf(word, {"with", "for", "on"}) &&
          IsWordAt(verb - 2, {"go", "going", "went", "opt", "opting", "vote", "voting", "settle",
                              "settling", "decide", "decided", "stick"}) &&
          IsOwnClause(verb - 2)) {
        return true;
      }
    }
    const std::size_t is = BackOver(end, {"clearly", "definitely", "simply", "probably", "to", "be",
                                          "therefore", "thus", "hence"});
    return is > 0 && IsWordAt(is - 1, {"is", "would", "was", "be"}) &&
           IsNounPhrase(is, /*noun_needed=*/false);
  }

  // Whether the clause up to `end` is but "[the|my|final|...] answer [is|would be]".
  bool IsNounPhrase(std::size_t end, bool noun_needed) const {
    bool noun = false;
    bool praise = false;
    bool option = false;
    for (std::size_t i = end; i > 0 && tokens_[i - 1].IsWord(); --i) {
      const std::string& word = tokens_[i - 1].word;
      noun |= IsOneOf(word, kNouns);
      praise |= IsOneOf(word, {"best", "better", "preferred", "preferable", "optimal", "superior",
                               "right", "correct", "recommended", "chosen", "selected", "my"});
      option |= IsOneOf(word, kOptionWords) || word == "one";
      if (!IsOneOf(word, kNouns) && !IsOneOf(word, kAround) && !IsOneOf(word, kOptionWords)) {
        return false;
      }
    }
    return noun || (praise && option) || (!noun_needed && praise);
  }

  // Whether the clause up to the verb at `verb` speaks for the speaker and does not deny.
  bool IsOwnClause(std::size_t verb) const {
    bool own = false;
    std::size_t words = 0;
    for (std::size_t i = verb; i > 0 && tokens_[i - 1].IsWord(); --i) {
      const std::string& word = tokens_[i - 1].word;
      if (IsNegation(word)) return false;
      own |= IsOneOf(word, {"i", "i'd", "i'll", "i'm", "i've", "we", "we'd", "we'll", "he", "he'd",
                            "she", "she'd", "let's"});
      ++words;
    }
    return own || words == 0 || (words == 1 && IsWordAt(verb - 1, {"so", "therefore", "please"}));
  }

  // "A is better", "Option A is the best choice".
  bool SaidAfter(std::size_t i) const {
    if (!IsMention(i, LetterAt(i))) return false;
    std::size_t at = i + 1;
    if (!IsWordAt(at, {"is", "seems", "would", "looks"})) return false;
    ++at;
    while (IsWordAt(at, {"be", "the", "a", "my", "clearly", "definitely", "slightly", "much",
                         "simply", "overall", "final", "far", "by"})) {
      ++at;
    }
    if (!IsWordAt(at, {"better", "best", "preferable", "superior", "preferred", "choice", "answer",
                       "pick", "winner"})) {
      return false;
    }
    ++at;
    while (IsWordAt(at,
                    {"option", "choice", "one", "alternative", "fit", "overall", "answer", "here"}))
      ++at;
    if (at < tokens_.size() && tokens_[at].IsWord() &&
        !IsOneOf(tokens_[at].word, {"than", "because", "since", "as"})) {
      return false;
    }
    for (std::size_t back = i; back > 0 && tokens_[back - 1].IsWord(); --back) {
      const std::string& word = tokens_[back - 1].word;
      if (IsNegation(word) || !(IsOneOf(word, kOptionWords) || IsOneOf(word, kAround) ||
                                IsOneOf(word, {"i", "think", "believe", "that", "say", "feel"}))) {
        return false;
      }
    }
    return true;
  }

  // Whether the other letter stands in the sentence as a rival: not as the loser, and not within
  // the reason for the choice at `chosen`.
  bool NamesRival(char letter, std::size_t chosen) const {
    const char other = letter == 'A' ? 'B' : 'A';
    bool reason = false;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (i > chosen && IsWordAt(i, {"because", "since", "as"})) reason = true;
      if (IsWordAt(i, {"but", "though", "although", "however", "while", "whereas", "yet"})) {
        reason = false;
      }
      if (!reason && IsMention(i, other) && !IsLoser(i)) return true;
    }
    return false;
  }

  // Whether the word is the name of an option rather than an article.
  bool IsMention(std::size_t i, char letter) const {
    if (LetterAt(i) != letter) return false;
    if (letter == 'B') return true;
    if (i > 0 && IsOption(i - 1)) return true;
    if (i + 1 >= tokens_.size() || !tokens_[i + 1].IsWord()) return true;
    if (IsOneOf(
            tokens_[i + 1].word,
            {"is",     "has",      "was",    "would", "and",   "or",   "because", "over",  "seems",
             "offers", "vs",       "versus", "but",   "for",   "if",   "costs",   "with",  "wins",
             "gives",  "provides", "scores", "since", "looks", "does", "may",     "could", "might",
             "can",    "will",     "than",   "in",    "isn't", "on",   "as",      "to"})) {
      return tokens_[i].capital ||
             !IsOneOf(tokens_[i + 1].word, {"in", "on", "as", "to", "can", "will"});
    }
    return tokens_[i].capital && i > 0 && tokens_[i - 1].IsWord();
  }

  // "than B", "over option B", "instead of B", "not B".
  bool IsLoser(std::size_t i) const {
    std::size_t at = i;
    while (at > 0 && (IsOption(at - 1) || IsWordAt(at - 1, {"the"}))) --at;
    if (at == 0 || !tokens_[at - 1].IsWord()) return false;
    if (IsWordAt(at - 1, {"than", "over", "versus", "vs", "unlike", "not", "against"})) return true;
    return at > 1 && IsWordAt(at - 1, {"to", "with", "of"}) &&
           IsWordAt(at - 2, {"compared", "instead", "preferable", "superior", "relative", "ahead"});
  }

  const std::vector<Token>& tokens_;
  bool open_ = false;
};

}  // namespace

char LetterAlone(const Sentence& sentence) { return Reading(sentence).Alone(); }
char LetterSaid(const Sentence& sentence) { return Reading(sentence).Said(); }
char LetterLeading(const Sentence& sentence) { return Reading(sentence).Leading(); }
bool NamesLetter(const Sentence& sentence, char letter) { return Reading(sentence).Names(letter); }
bool HasOptionWord(const Sentence& sentence) { return Reading(sentence).HasOptionWord(); }
bool HasLowerCase(const Sentence& sentence, char letter) {
  return Reading(sentence).HasLowerCase(letter);
}
bool HasPunctuation(const Sentence& sentence) { return Reading(sentence).HasPunctuation(); }
bool IsAnswerNoun(std::string_view word) { return IsOneOf(word, kNouns); }

}  // namespace candor::reply
