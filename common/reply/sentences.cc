#include "common/reply/sentences.h"

#include "common/reply/text.h"

#include <array>
#include <utility>

namespace candor::reply {
namespace {

struct Typographic {
  std::string_view bytes;
  std::string_view ascii;
};
constexpr std::array<Typographic, 16> kTypographic = {{{"\xe2\x80\x98", "'"},
                                                       {"\xe2\x80\x99", "'"},
                                                       {"\xe2\x80\x9c", "\""},
                                                       {"\xe2\x80\x9d", "\""},
                                                       {"\xe2\x80\x9e", "\""},
                                                       {"\xc2\xab", "\""},
                                                       {"\xc2\xbb", "\""},
                                                       {"\xe2\x80\x93", " - "},
                                                       {"\xe2\x80\x94", " - "},
                                                       {"\xe2\x86\x92", ":"},
                                                       {"\xe2\x80\xa6", "~"},
                                                       {"\xef\xbc\x9a", ":"},
                                                       {"\xef\xbc\x8c", ","},
                                                       {"\xe3\x80\x82", "."},
                                                       {"\xef\xbc\x88", "("},
                                                       {"\xef\xbc\x89", ")"}}};

// Typographic punctuation as ASCII, and all white space but line breaks as plain spaces.
std::string Plain(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      plain += text[at++];
      continue;
    }
    if (const std::size_t space = SpaceAt(text, at)) {
      plain += ' ';
      at += space;
      continue;
    }
    std::size_t size = 0;
    for (const Typographic& sign : kTypographic) {
      if (!text.substr(at, sign.bytes.size()).starts_with(sign.bytes)) continue;
      plain += sign.ascii;
      size = sign.bytes.size();
      break;
    }
    if (size == 0) plain += text[at];
    at += size == 0 ? 1 : size;
  }
  return plain;
}

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<Sentence> Split() {
    bool line_start = true;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n' || c == '\r') {
        End();
        line_start = true;
        ++at_;
      } else if (IsSpace(c)) {
        ++at_;
      } else if (line_start && (Starts("```") || SkipEnumerator())) {
        if (Starts("```")) SkipFence();
        line_start = false;
      } else {
        if (line_start && c == '#') now_.heading = true;
        line_start = false;
        Read(c);
      }
    }
    End();
    // Heads nothing.
    if (sentences_.size() == 1) sentences_.back().heading = false;
    return std::move(sentences_);
  }

 private:
  char Peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool Starts(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }

  void End() {
    if (!now_.tokens.empty()) {
      if (now_.tokens.back().punctuation == ':') now_.heading = true;
      // Only a line ends here: what a full stop ended is no heading.
      sentences_.push_back(std::move(now_));
    } else if (!sentences_.empty()) {
      // A closing quote or asterisk after the full stop.
      sentences_.back().markup |= now_.markup;
    } else {
      const unsigned markup = now_.markup;
      now_ = Sentence();
      now_.markup = markup;
      return;
    }
    now_ = Sentence();
  }

  void SkipFence() {
    now_.markup |= kCodeFence;
    at_ += 3;
    // The language's name, which nothing follows on its line.
    std::size_t size = 0;
    while (size < 16 && IsLetter(Peek(size))) ++size;
    if (size > 0 && (Peek(size) == '\n' || Peek(size) == '\r')) at_ += size;
  }

  // "1. " or "- " or "> " in front of a line.
  bool SkipEnumerator() {
    std::size_t size = 0;
    while (size < 3 && IsDigit(Peek(size))) ++size;
    if (size > 0) {
      if (Peek(size) != '.' && Peek(size) != ')') return false;
      ++size;
    } else if (Peek(0) == '-' || Peek(0) == '*' || Peek(0) == '+') {
      size = 1;
    }
    if (size == 0 || !IsSpace(Peek(size))) return false;
    now_.markup |= kMarkdown;
    at_ += size;
    return true;
  }

  void Read(char c) {
    if (IsWordByte(c)) {
      ReadWord();
      return;
    }
    switch (c) {
      case '*':
      case '_':
      case '#':
      case '`':
      case '~':
        if (c == '~' || (c == '`' && Starts("```"))) {
          if (c == '~')
            Punctuate('~');
          else
            now_.markup |= kCodeFence;
        } else {
          now_.markup |= kMarkdown;
        }
        ++at_;
        return;
      case '"':
      case '\'':
        now_.markup |= kQuotes;
        ++at_;
        return;
      case '[':
      case '{':
      case '(':
        now_.markup |= kBrackets;
        Punctuate('(');
        ++at_;
        return;
      case ']':
      case '}':
      case ')':
        Punctuate(')');
        ++at_;
        return;
      case '$':
      case '\\':
        ReadLatex();
        return;
      case '<':
      case '>':
        ReadAngle();
        return;
      case '-': {
        const bool joins = at_ > 0 && IsWordByte(text_[at_ - 1]) && IsWordByte(Peek(1));
        Punctuate(joins ? '~' : '-');
        ++at_;
        return;
      }
      case '.':
        if (Peek(1) == '.') {
          // An ellipsis hesitates.
          Punctuate('~');
          while (at_ < text_.size() && text_[at_] == '.') ++at_;
          return;
        }
        [[fallthrough]];
      case '!':
      case '?':
      case ';':
        now_.question = c == '?';
        now_.ended = true;
        ++at_;
        EndSentence();
        return;
      default:
        Punctuate(c);
        ++at_;
    }
  }

  void EndSentence() {
    if (now_.tokens.empty() && !sentences_.empty()) {
      sentences_.back().question |= now_.question;
      now_ = Sentence();
      return;
    }
    now_.heading = false;
    if (!now_.tokens.empty()) sentences_.push_back(std::move(now_));
    now_ = Sentence();
  }

  void ReadWord() {
    Token token;
    token.capital = text_[at_] >= 'A' && text_[at_] <= 'Z';
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool inner = at_ > 0 && IsWordByte(text_[at_ - 1]) && IsWordByte(Peek(1));
      const bool decimal =
          (c == '.' || c == ',') && at_ > 0 && IsDigit(text_[at_ - 1]) && IsDigit(Peek(1));
      if (!IsWordByte(c) && !(c == '\'' && inner) && !decimal) break;
      token.word += ToLower(c);
      ++at_;
    }
    now_.tokens.push_back(std::move(token));
  }

  void ReadLatex() {
    now_.markup |= kLatex;
    ++at_;
    for (const std::string_view command :
         {"boxed", "textbf", "text", "mathrm", "mathbf", "mathit", "fbox", "displaystyle"}) {
      if (!Starts(command)) continue;
      at_ += command.size();
      return;
    }
  }

  // <answer>, </answer>, a quoted line's "> ", an arrow's head.
  void ReadAngle() {
    std::size_t size = 1;
    if (Peek(0) == '<') {
      if (Peek(size) == '/') ++size;
      const std::size_t name = size;
      while (size < 32 && (IsLetter(Peek(size)) || Peek(size) == '_' || Peek(size) == '-')) ++size;
      if (Peek(size) == '>' && size - name > 1) {
        End();
        now_.markup |= kXmlTag;
        at_ += size + 1;
        return;
      }
    }
    now_.markup |= Peek(0) == '>' ? kMarkdown : kBrackets;
    ++at_;
  }

  void Punctuate(char c) {
    Token token;
    token.punctuation = c;
    now_.tokens.push_back(std::move(token));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Sentence now_;
  std::vector<Sentence> sentences_;
};

}  // namespace

std::vector<Sentence> SplitSentences(std::string_view text) {
  const std::string plain = Plain(text);
  return Splitter(plain).Split();
}

}  // namespace candor::reply
