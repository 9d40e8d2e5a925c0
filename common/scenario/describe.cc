#include "common/scenario/describe.h"

#include <algorithm>

namespace candor::scenario {
namespace {

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string shown(text.substr(0, kShown));
  // Not in the middle of a UTF-8 sequence.
  if (text.size() > kShown) {
    while (!shown.empty() && (static_cast<unsigned char>(text[shown.size()]) & 0xC0U) == 0x80U) {
      shown.pop_back();
    }
  }
  std::replace_if(shown.begin(), shown.end(), IsControl, '?');
  return fmt::format("'{}'{}", shown, text.size() > kShown ? "..." : "");
}

void CheckText(std::string_view text, std::size_t max_length, bool single_line,
               const std::string& field, FieldViolations& violations) {
  if (text.size() > max_length) {
    Add(violations, field, "has {} bytes; give at most {}", text.size(), max_length);
  } else if (single_line && std::any_of(text.begin(), text.end(), IsControl)) {
    Add(violations, field, "{} holds a line break or another control character; leave it out",
        Quoted(text));
  }
}

}  // namespace candor::scenario
