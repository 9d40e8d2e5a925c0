#include "common/scenario/describe.h"

#include <algorithm>

namespace candor::scenario {
namespace {

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

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
