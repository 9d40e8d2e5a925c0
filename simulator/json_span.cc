#include "simulator/json_span.h"

#include <cstddef>

namespace candor::simulator {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  // True when the next character, after space, is `c`, which is then behind us.
  bool Take(char c) {
    SkipSpace();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }
  // The next value, whole.
  std::string_view Value() {
    SkipSpace();
    const std::size_t begin = at_;
    if (at_ == text_.size()) return {};
    if (text_[at_] == '"') {
      SkipString();
    } else if (text_[at_] == '{' || text_[at_] == '[') {
      SkipNested();
    } else {
      at_ = text_.find_first_of(",]} \t\r\n", at_);
      if (at_ == std::string_view::npos) at_ = text_.size();
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  void SkipString() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = at_ < text_.size() ? at_ + 1 : text_.size();
  }
  void SkipNested() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        SkipString();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view RawMember(std::string_view object, std::string_view name) {
  Scanner scanner(object);
  if (!scanner.Take('{')) return {};
  while (!scanner.AtEnd() && !scanner.Take('}')) {
    const std::string_view key = scanner.Value();
    if (!scanner.Take(':')) return {};
    const std::string_view value = scanner.Value();
    if (key.size() == name.size() + 2 && key.substr(1, name.size()) == name) return value;
    scanner.Take(',');
  }
  return {};
}

std::vector<std::string_view> RawElements(std::string_view array) {
  std::vector<std::string_view> elements;
  Scanner scanner(array);
  if (!scanner.Take('[')) return elements;
  while (!scanner.AtEnd() && !scanner.Take(']')) {
    const std::string_view value = scanner.Value();
    if (value.empty()) break;
    elements.push_back(value);
    scanner.Take(',');
  }
  return elements;
}

}  // namespace candor::simulator
