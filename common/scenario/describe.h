// How the room's errors are written. Private to the room.
#pragma once

#include "common/base/quoted.h"
#include "common/base/violations.h"
#include "common/scenario/validate.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace candor::scenario {

// "path.name", or "name" for an empty path.
inline std::string Join(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

// "path[index]".
template <typename Index>
std::string At(std::string_view path, Index index) {
  return fmt::format("{}[{}]", path, index);
}

inline bool Full(const FieldViolations& violations) { return violations.size() >= kMaxViolations; }

// Adds one, unless there are kMaxViolations already.
template <typename... Args>
void Add(FieldViolations& violations, std::string field, fmt::format_string<Args...> format,
         Args&&... args) {
  if (Full(violations)) return;
  violations.push_back({std::move(field), fmt::format(format, std::forward<Args>(args)...)});
}

// Adds a violation for a text above `max_length` bytes, or with control characters (line breaks
// among them) where the text is a single line.
void CheckText(std::string_view text, std::size_t max_length, bool single_line,
               const std::string& field, FieldViolations& violations);

}  // namespace candor::scenario
