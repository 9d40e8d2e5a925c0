// A reader of what was meant to be JSON: one pass, no recursion, never fails.
#pragma once

#include "common/reply/text.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::reply {

// Deeper containers, and values beyond the count, are read over.
inline constexpr std::size_t kMaxScannedDepth = 32;
inline constexpr std::size_t kMaxScannedNodes = 10'000;

struct ScannedNode {
  // kBare is anything without quotes: a number, a literal, a word. kNone: a key without a value.
  enum class Kind { kObject, kArray, kString, kBare, kNone };
  Kind kind = Kind::kNone;
  // Of a member of an object.
  std::string key;
  // Of kString (decoded) and kBare (trimmed).
  std::string text;
  // Indices into `ScannedValue::nodes`; 0 for none.
  std::size_t first_child = 0;
  std::size_t last_child = 0;
  std::size_t next = 0;
  // The text ended right behind it, so that there may be more of it.
  bool touches_end = false;
};

// One object or array.
struct ScannedValue {
  // The first one is the root.
  std::vector<ScannedNode> nodes;
  // [begin, end) of the text.
  std::size_t begin = 0;
  std::size_t end = 0;
  // The text ended before it was closed.
  bool open = false;
  // Of the syntax, as in the table of reply.h. None exactly when the text is JSON by RFC 8259
  // (numbers and literals apart, which are the caller's to judge).
  Repairs repairs;
};

// The first object or array at or behind `from`; none when there is no brace or bracket.
std::optional<ScannedValue> ScanNext(std::string_view text, std::size_t from);

// Adds "code_fence" and "surrounding_prose" for what stands before `begin` and behind `end`.
void AddOutside(std::string_view text, std::size_t begin, std::size_t end, Repairs& repairs);

}  // namespace candor::reply
