#include "common/reply/scanner.h"

#include <array>
#include <cstdint>
#include <utility>

namespace candor::reply {
namespace {

using Kind = ScannedNode::Kind;
constexpr std::size_t kNoNode = static_cast<std::size_t>(-1);

// What opens and closes strings.
enum class Quote { kNone, kDouble, kSingle, kSmartDouble, kSmartSingle };
struct QuoteMark {
  Quote quote = Quote::kNone;
  std::size_t size = 0;
};

QuoteMark QuoteAt(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  if (text[at] == '"') return {Quote::kDouble, 1};
  if (text[at] == '\'') return {Quote::kSingle, 1};
  const std::string_view rest = text.substr(at, 3);
  for (const std::string_view mark : {"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e"}) {
    if (rest == mark) return {Quote::kSmartDouble, 3};
  }
  for (const std::string_view mark : {"\xe2\x80\x98", "\xe2\x80\x99"}) {
    if (rest == mark) return {Quote::kSmartSingle, 3};
  }
  return {};
}

bool Closes(Quote opened, Quote mark) {
  return opened == mark || (opened == Quote::kSmartDouble && mark == Quote::kDouble) ||
         (opened == Quote::kSmartSingle && mark == Quote::kSingle);
}

// What is expected next within a container.
enum class State { kKey, kColon, kValue, kComma };

struct Frame {
  // Index of the container, kNoNode when it is read over.
  std::size_t node = kNoNode;
  bool is_object = false;
  State state = State::kKey;
};

class Scanner {
 public:
  Scanner(std::string_view text, std::size_t begin) : text_(text), at_(begin) {
    value_.begin = begin;
  }

  ScannedValue Scan() {
    Push(text_[at_] == '{');
    while (!frames_.empty()) {
      SkipSpace();
      if (at_ >= text_.size()) {
        value_.open = true;
        value_.repairs.Add("missing_brace");
        break;
      }
      Step();
    }
    value_.end = at_;
    return std::move(value_);
  }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void Repair(std::string_view name) { value_.repairs.Add(name); }

  // White space and comments.
  void SkipSpace() {
    while (at_ < text_.size()) {
      if (const std::size_t size = SpaceAt(text_, at_); size != 0) {
        if (size > 1 || Peek() == '\v' || Peek() == '\f') Repair("white_space");
        at_ += size;
      } else if (StartsComment(at_)) {
        Repair("comment");
        const bool block = Peek(1) == '*' && Peek() == '/';
        const auto end = block ? text_.find("*/", at_ + 2) : text_.find('\n', at_);
        at_ = end == text_.npos ? text_.size() : end + (block ? 2 : 1);
      } else {
        return;
      }
    }
  }

  bool StartsComment(std::size_t at) const {
    const std::string_view rest = text_.substr(at, 2);
    return rest == "//" || rest == "/*" || rest.starts_with('#');
  }

  // One token of the innermost container.
  void Step() {
    Frame& frame = frames_.back();
    const char c = Peek();
    if (c == '}' || c == ']') {
      Close(c == '}');
      return;
    }
    switch (frame.state) {
      case State::kKey:
        StepKey(frame);
        return;
      case State::kColon:
        StepColon(frame);
        return;
      case State::kValue:
        StepValue(frame);
        return;
      case State::kComma:
        if (c == ',' || c == ';') {
          if (c == ';') Repair("separator");
          ++at_;
          after_comma_ = true;
        } else if (c == ':') {
          // A colon behind a value: the quotes did not match.
          Repair("stray_text");
          ++at_;
          return;
        } else {
          lacks_comma_ = true;
        }
        frame.state = frame.is_object ? State::kKey : State::kValue;
        return;
    }
  }

  void StepKey(Frame& frame) {
    const char c = Peek();
    if (c == ',' || c == ';') {
      Repair("extra_comma");
      ++at_;
    } else if (c == '{' || c == '[') {
      Repair("stray_text");
      frame.state = State::kComma;
      key_.clear();
      Push(c == '{');
    } else if (QuoteAt(text_, at_).quote != Quote::kNone) {
      key_ = ReadString(/*is_key=*/true);
      bare_key_ = false;
      frame.state = State::kColon;
    } else {
      const std::size_t begin = at_;
      while (at_ < text_.size() && std::string_view(":=,;{}[]\"\n").find(Peek()) == text_.npos &&
             !(at_ > begin && StartsComment(at_))) {
        ++at_;
      }
      key_ = Trim(text_.substr(begin, at_ - begin));
      if (at_ == begin) ++at_;
      bare_key_ = true;
      frame.state = State::kColon;
    }
  }

  void StepColon(Frame& frame) {
    const char c = Peek();
    if (c == ':' || c == '=') {
      if (c == '=') Repair("separator");
      ++at_;
      if (c == '=' && Peek() == '>') ++at_;
    } else if (!bare_key_ && (IsDigit(c) || c == '-' || c == '+')) {
      Repair("missing_colon");
    } else {
      Repair("stray_text");
      key_.clear();
      frame.state = State::kComma;
      after_comma_ = false;
      return;
    }
    if (bare_key_) Repair(key_.empty() ? "stray_text" : "bare_key");
    if (std::exchange(lacks_comma_, false)) Repair("missing_comma");
    after_comma_ = false;
    frame.state = State::kValue;
  }

  void StepValue(Frame& frame) {
    const char c = Peek();
    if (!frame.is_object) {
      if (std::exchange(lacks_comma_, false)) Repair("missing_comma");
      if (c == ',' || c == ';') {
        Repair("extra_comma");
        ++at_;
        return;
      }
    }
    frame.state = State::kComma;
    if (c == '{' || c == '[') {
      after_comma_ = false;
      Push(c == '{');
      return;
    }
    if (c == ',' || c == ';') {
      Add(Kind::kNone, {});
      return;
    }
    after_comma_ = false;
    if (QuoteAt(text_, at_).quote != Quote::kNone) {
      std::string text = ReadString(/*is_key=*/false);
      Add(Kind::kString, std::move(text), !string_closed_);
    } else {
      ReadBare(frame.is_object);
    }
  }

  // A value without quotes: up to a comma, a bracket, a line's end, a comment, or a string.
  void ReadBare(bool in_object) {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = Peek();
      if (c == '\n' || c == '}' || c == ']' || c == '{' || c == '[' || c == ';') break;
      if (at_ > begin && StartsComment(at_)) break;
      if (c == ',') {
        const std::size_t digits = in_object ? GroupedDigits() : 0;
        if (digits == 0) break;
        at_ += digits;
      }
      if (at_ > begin && SpaceAt(text_, at_ - 1) != 0 && QuoteAt(text_, at_).size != 0) break;
      ++at_;
    }
    std::string_view token = Trim(text_.substr(begin, at_ - begin));
    const bool touches_end = at_ == text_.size();
    for (; !token.empty() && (token.back() == '"' || token.back() == '\'');
         token.remove_suffix(1)) {
      Repair("stray_text");
    }
    if (at_ == begin) ++at_;
    Add(Kind::kBare, std::string(token), touches_end);
  }

  // How many digits follow the comma here, when they belong to the number in front of it: "1,000".
  // No key of an object is a number, so that "80,5" is one number, too, if an unreadable one.
  std::size_t GroupedDigits() const {
    if (at_ == 0 || !IsDigit(text_[at_ - 1])) return 0;
    std::size_t digits = 0;
    while (IsDigit(Peek(1 + digits))) ++digits;
    const char next = Peek(1 + digits);
    return next == ':' || next == '=' || IsWordByte(next) || next == '_' ? 0 : digits;
  }

  std::string ReadString(bool is_key) {
    const QuoteMark open = QuoteAt(text_, at_);
    if (open.quote == Quote::kSingle) Repair("single_quotes");
    if (open.quote == Quote::kSmartDouble || open.quote == Quote::kSmartSingle) {
      Repair("smart_quotes");
    }
    at_ += open.size;
    string_closed_ = false;
    std::string text;
    while (at_ < text_.size()) {
      const char c = Peek();
      if (c == '\\') {
        ReadEscape(text);
        continue;
      }
      if (const QuoteMark mark = QuoteAt(text_, at_); Closes(open.quote, mark.quote)) {
        if (EndsString(at_ + mark.size, is_key)) {
          at_ += mark.size;
          string_closed_ = true;
          return text;
        }
        Repair("inner_quotes");
      }
      if (static_cast<unsigned char>(c) < 0x20) Repair("raw_newline");
      text += c;
      ++at_;
    }
    return text;
  }

  // Whether a quote whose end is `at` closes its string, rather than stands within it.
  bool EndsString(std::size_t at, bool is_key) const {
    bool space = false;
    while (const std::size_t size = SpaceAt(text_, at)) {
      if (text_[at] == '\n') return true;
      space = true;
      at += size;
    }
    if (at >= text_.size()) return true;
    const char c = text_[at];
    if (std::string_view(",:}]=;").find(c) != std::string_view::npos || StartsComment(at)) {
      return true;
    }
    if (!space) return false;
    return is_key ? IsDigit(c) || c == '-' || c == '+' : QuoteAt(text_, at).size != 0;
  }

  void ReadEscape(std::string& text) {
    const char c = Peek(1);
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (at_ + 1 >= text_.size()) {
      ++at_;
    } else if (const auto i = kNames.find(c); i != kNames.npos) {
      text += kMeanings[i];
      at_ += 2;
    } else if (std::uint32_t unit = 0; c == 'u' && ReadHex(at_ + 2, unit)) {
      at_ += 6;
      std::uint32_t low = 0;
      if (unit >= 0xd800 && unit < 0xdc00 && Peek() == '\\' && Peek(1) == 'u' &&
          ReadHex(at_ + 2, low) && low >= 0xdc00 && low < 0xe000) {
        unit = 0x10000 + ((unit - 0xd800) << 10U) + (low - 0xdc00);
        at_ += 6;
      } else if (unit >= 0xd800 && unit < 0xe000) {
        Repair("bad_escape");
        unit = 0xfffd;
      }
      AppendUtf8(unit, text);
    } else {
      Repair("bad_escape");
      ++at_;
    }
  }

  bool ReadHex(std::size_t at, std::uint32_t& unit) const {
    if (at + 4 > text_.size()) return false;
    unit = 0;
    for (const char c : text_.substr(at, 4)) {
      const char lower = ToLower(c);
      if (!IsDigit(c) && (lower < 'a' || lower > 'f')) return false;
      unit = unit * 16 + static_cast<std::uint32_t>(IsDigit(c) ? c - '0' : lower - 'a' + 10);
    }
    return true;
  }

  static void AppendUtf8(std::uint32_t code, std::string& text) {
    const auto tail = [&](unsigned shift) {
      text += static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
    };
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xc0U | (code >> 6U));
      tail(0);
    } else if (code < 0x10000) {
      text += static_cast<char>(0xe0U | (code >> 12U));
      tail(6);
      tail(0);
    } else {
      text += static_cast<char>(0xf0U | (code >> 18U));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  // Adds a node to the innermost container; kNoNode when it is one too many or too deep.
  std::size_t Add(Kind kind, std::string text, bool touches_end = false) {
    if (value_.nodes.size() >= kMaxScannedNodes || frames_.size() > kMaxScannedDepth) {
      Repair("too_deep");
      return kNoNode;
    }
    const std::size_t parent = frames_.empty() ? kNoNode : frames_.back().node;
    if (!frames_.empty() && parent == kNoNode) return kNoNode;
    const std::size_t index = value_.nodes.size();
    ScannedNode& node = value_.nodes.emplace_back();
    node.kind = kind;
    node.key = std::exchange(key_, {});
    node.text = std::move(text);
    node.touches_end = touches_end;
    if (parent != kNoNode) {
      ScannedNode& container = value_.nodes[parent];
      (container.first_child == 0 ? container.first_child
                                  : value_.nodes[container.last_child].next) = index;
      container.last_child = index;
    }
    return index;
  }

  void Push(bool is_object) {
    const std::size_t node = Add(is_object ? Kind::kObject : Kind::kArray, {});
    frames_.push_back({node, is_object, is_object ? State::kKey : State::kValue});
    ++(is_object ? open_objects_ : open_arrays_);
    lacks_comma_ = false;
    after_comma_ = false;
    ++at_;
  }

  void Pop() {
    --(frames_.back().is_object ? open_objects_ : open_arrays_);
    frames_.pop_back();
    lacks_comma_ = false;
    after_comma_ = false;
  }

  void Close(bool is_object) {
    Frame& frame = frames_.back();
    if (after_comma_) Repair("extra_comma");
    if (frame.is_object && frame.state == State::kColon) Repair("stray_text");
    if (frame.is_object && frame.state == State::kValue) Add(Kind::kNone, {});
    if (frame.is_object == is_object) {
      ++at_;
    } else if ((is_object ? open_objects_ : open_arrays_) > 0) {
      // It closes an outer one: this one was left open. The bracket is read again.
      Repair("missing_brace");
    } else {
      Repair("mismatched_bracket");
      ++at_;
    }
    key_.clear();
    Pop();
  }

  std::string_view text_;
  std::size_t at_;
  ScannedValue value_;
  std::vector<Frame> frames_;
  std::size_t open_objects_ = 0;
  std::size_t open_arrays_ = 0;
  std::string key_;
  bool bare_key_ = false;
  // The last string was.
  bool string_closed_ = false;
  // A member began without a comma in front.
  bool lacks_comma_ = false;
  // The last token was a comma.
  bool after_comma_ = false;
};

}  // namespace

std::optional<ScannedValue> ScanNext(std::string_view text, std::size_t from) {
  const std::size_t begin = text.find_first_of("{[", from);
  if (begin == text.npos) return std::nullopt;
  return Scanner(text, begin).Scan();
}

void AddOutside(std::string_view text, std::size_t begin, std::size_t end, Repairs& repairs) {
  bool prose = false;
  for (std::string_view part : {text.substr(0, begin), text.substr(end)}) {
    while (!part.empty()) {
      if (part.front() == '`') {
        repairs.Add("code_fence");
        const bool fence = part.starts_with("```");
        part.remove_prefix(fence ? 3 : 1);
        // The language's name.
        while (fence && !part.empty() && IsWordByte(part.front())) {
          part.remove_prefix(1);
        }
      } else if (const std::size_t space = SpaceAt(part, 0); space != 0) {
        part.remove_prefix(space);
      } else {
        prose = true;
        part.remove_prefix(1);
      }
    }
  }
  if (prose) repairs.Add("surrounding_prose");
}

}  // namespace candor::reply
