// Page tokens and stream cursors: opaque to users, checked on their way back. A cursor says what it
// belongs to, so that one of another job or another order is refused instead of skipping silently.
#pragma once

#include "common/base/status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace candor::service {

// Printable text without white space for a place in a sequence. `sequence` says which, such as
// "outcomes:COMMIT:jobs/x"; `position` is its business: the number or name after which it goes on.
std::string PrintCursor(std::string_view sequence, std::string_view position);
std::string PrintCursor(std::string_view sequence, std::uint64_t position);

// The position. INVALID_ARGUMENT when `text` is no cursor, was changed, or belongs to another
// sequence.
StatusOr<std::string> ParseCursor(std::string_view text, std::string_view sequence);
// The same for positions that are numbers. An empty text is the beginning: 0.
StatusOr<std::uint64_t> ParseNumberCursor(std::string_view text, std::string_view sequence);

}  // namespace candor::service
