// A user's text within an error or a line of a log.
#pragma once

#include <string>
#include <string_view>

namespace candor {

// `text` in single quotes, at most 60 bytes of it (not cut within a UTF-8 sequence, "..." after the
// quote when there is more), control characters as "?".
std::string Quoted(std::string_view text);

}  // namespace candor
