// The one bridge between std and Abseil strings. Debian builds Abseil with a string_view of its
// own, so std::string_view stops at its borders: our interfaces take std types, text is formatted
// with fmt, and what must cross goes through here.
#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace candor {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

// Hash and equality for maps with std::string keys that are looked up by std::string_view:
//   absl::flat_hash_map<std::string, int, StringHash, StringEqual> map;
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
struct StringEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

}  // namespace candor
