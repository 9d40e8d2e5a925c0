#include "common/base/quoted.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace candor {

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string shown(text.substr(0, kShown));
  // Not in the middle of a UTF-8 sequence.
  if (text.size() > kShown) {
    while (!shown.empty() && (static_cast<unsigned char>(text[shown.size()]) & 0xC0U) == 0x80U) {
      shown.pop_back();
    }
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return fmt::format("'{}'{}", shown, text.size() > kShown ? "..." : "");
}

}  // namespace candor
