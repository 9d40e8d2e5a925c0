// Writing of comma-separated values, as RFC 4180 has them.
#pragma once

#include <string>
#include <string_view>

namespace candor {

// A text as a cell: quoted where needed. One that a spreadsheet would take for a formula gets an
// apostrophe in front ("=1+1" -> "'=1+1"), so numbers are not written through here.
std::string CsvText(std::string_view text);

}  // namespace candor
