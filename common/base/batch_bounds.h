// The largest batches that providers take: what a configuration may ask for, and what a worker
// sends; and how large batches are that nobody asked to be smaller or larger.
#pragma once

#include <cstdint>
#include <string_view>

namespace candor {

struct BatchBounds {
  std::int32_t lines = 0;
  // Of the whole input.
  std::int64_t bytes = 0;
};

// Where a configuration says nothing (0).
inline constexpr BatchBounds kDefaultBatch{.lines = 10'000, .bytes = 100'000'000};

// Of a dialect with batches: Anthropic's, or OpenAI's and those who copy it.
inline BatchBounds BatchBoundsOf(std::string_view dialect) {
  if (dialect == "anthropic") return {.lines = 100'000, .bytes = 256'000'000};
  return {.lines = 50'000, .bytes = 200'000'000};
}

}  // namespace candor
