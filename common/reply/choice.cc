#include "common/reply/choice.h"

#include "common/reply/reading.h"
#include "common/reply/scanner.h"
#include "common/reply/sentences.h"
#include "common/reply/text.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace candor::reply {
namespace {

using v1::Outcome;

// What is longer is not read: it would cost much memory.
constexpr std::size_t kMaxChoiceBytes = std::size_t{256} << 10U;

// A letter, the sentence that says it, and how.
struct Verdict {
  char letter = 0;
  std::size_t sentence = 0;
  bool said = false;
};

// By rules 2 to 4 of the header.
Verdict Judge(const std::vector<Sentence>& sentences) {
  Verdict said;
  Verdict alone;
  std::vector<char> alone_at(sentences.size(), 0);
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    if (sentences[i].heading) continue;
    if (const char letter = LetterSaid(sentences[i]); letter != 0) {
      if (letter == '?' || (said.letter != 0 && said.letter != letter)) return {};
      said = {letter, i, true};
    } else {
      alone_at[i] = LetterAlone(sentences[i]);
    }
  }
  const char first = alone_at.front();
  const char last = alone_at.back();
  if (said.letter != 0) {
    const bool denied = (first != 0 && first != said.letter) || (last != 0 && last != said.letter);
    return denied ? Verdict() : said;
  }
  for (const char letter : alone_at) {
    if (letter == 0) continue;
    if (alone.letter != 0 && alone.letter != letter) return {};
    alone.letter = letter;
  }
  if (last != 0 && first == 0) {
    alone.sentence = sentences.size() - 1;
  } else if (first == 0) {
    alone = {LetterLeading(sentences.front()), 0, false};
  }
  // A sentence that is the letter of an enumeration is no choice if the rest speaks for the other.
  if (alone.letter != 0 && (first == 0 || last == 0)) {
    const char other = alone.letter == 'A' ? 'B' : 'A';
    const bool whole_line = (first != 0 && !sentences.front().ended) || (last != 0 && first == 0);
    for (const Sentence& sentence : sentences) {
      if (NamesLetter(sentence, other) && !whole_line) return {};
    }
  }
  return alone;
}

// The letter of {"choice": "A"}, 0 when the object says none, '?' when it says two.
char JudgeObject(const ScannedValue& object) {
  char found = 0;
  const ScannedNode& root = object.nodes.front();
  for (std::size_t child = root.first_child; child != 0; child = object.nodes[child].next) {
    const ScannedNode& node = object.nodes[child];
    if (node.kind != ScannedNode::Kind::kString && node.kind != ScannedNode::Kind::kBare) continue;
    const std::vector<Sentence> words = SplitSentences(node.key);
    if (words.size() != 1 || !std::ranges::any_of(words.front().tokens, [](const Token& token) {
          return IsAnswerNoun(token.word) || token.word == "option";
        })) {
      continue;
    }
    const std::vector<Sentence> value = SplitSentences(node.text);
    if (value.size() != 1) continue;
    const char letter = LetterAlone(value.front());
    if (letter == 0) continue;
    if (found != 0 && found != letter) return '?';
    found = letter;
  }
  return found;
}

// What the objects of a text say, together.
struct Objects {
  // As of `JudgeObject`.
  char letter = 0;
  // What stands around them.
  std::string outside;
  Repairs repairs;
};

Objects JudgeObjects(std::string_view text) {
  Objects all;
  if (text.size() > kMaxChoiceBytes || text.find('{') == text.npos) return all;
  std::size_t end = 0;
  for (std::optional<ScannedValue> scanned = ScanNext(text, 0); scanned.has_value();
       scanned = ScanNext(text, end)) {
    const char letter =
        scanned->nodes.front().kind == ScannedNode::Kind::kObject ? JudgeObject(*scanned) : '\0';
    if (letter != 0) {
      if (all.letter == 0) AddOutside(text, scanned->begin, scanned->end, all.repairs);
      all.repairs.Add("json");
      all.repairs.AddAll(scanned->repairs);
      all.letter = all.letter == 0 || all.letter == letter ? letter : '?';
    }
    all.outside += text.substr(end, scanned->begin - end);
    all.outside += '\n';
    end = scanned->end;
  }
  all.outside += text.substr(end);
  return all;
}

void AddMarkup(unsigned markup, Repairs& repairs) {
  if ((markup & kCodeFence) != 0) repairs.Add("code_fence");
  if ((markup & kXmlTag) != 0) repairs.Add("xml_tag");
  if ((markup & kLatex) != 0) repairs.Add("latex");
  if ((markup & kMarkdown) != 0) repairs.Add("markdown");
  if ((markup & kQuotes) != 0) repairs.Add("quotes");
  if ((markup & kBrackets) != 0 && (markup & kLatex) == 0) repairs.Add("brackets");
}

}  // namespace

ParsedChoice ParseChoice(const Reply& reply) {
  ParsedChoice parsed;
  Opened opened = Open(reply);
  if (opened.class_.has_value()) {
    parsed.class_ = *opened.class_;
    return parsed;
  }
  const std::string_view text = opened.text;
  const auto understood = [&](char letter) {
    parsed.choice = letter == 'A' ? Outcome::A : Outcome::B;
    parsed.repairs = opened.repairs.Take();
    parsed.class_ = parsed.repairs.empty() ? Outcome::VALID : Outcome::REPAIRED;
    return parsed;
  };
  if (text == "A" || text == "B") return understood(text.front());

  const Objects objects = JudgeObjects(text);
  const std::string_view readable = text.size() <= kMaxChoiceBytes ? text : std::string_view();
  const std::vector<Sentence> sentences =
      SplitSentences(objects.letter == 0 ? readable : std::string_view(objects.outside));
  const Verdict verdict = sentences.empty() ? Verdict() : Judge(sentences);
  if (objects.letter != 0) {
    const bool denied = verdict.letter != 0 && verdict.letter != objects.letter;
    if (objects.letter != '?' && !denied) {
      opened.repairs.AddAll(objects.repairs);
      return understood(objects.letter);
    }
  }
  if (verdict.letter == 0 || objects.letter != 0) {
    parsed.class_ = ClassOfUnread(opened, Outcome::NOT_A_CHOICE);
    return parsed;
  }
  const Sentence& sentence = sentences[verdict.sentence];
  const bool phrase = verdict.said;
  const bool leading = !phrase && LetterAlone(sentence) == 0;
  if (sentences.size() > 1 || leading) opened.repairs.Add("surrounding_prose");
  AddMarkup(sentence.markup, opened.repairs);
  if (phrase) opened.repairs.Add("answer_phrase");
  if (HasOptionWord(sentence)) opened.repairs.Add("option_word");
  if (sentence.ended || (!phrase && HasPunctuation(sentence))) opened.repairs.Add("punctuation");
  if (HasLowerCase(sentence, verdict.letter)) opened.repairs.Add("lower_case");
  if (opened.repairs.empty()) opened.repairs.Add("surrounding_prose");
  return understood(verdict.letter);
}

}  // namespace candor::reply
