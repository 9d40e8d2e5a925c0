// Writing of comma-separated values, as RFC 4180 has them.
#pragma once

#include <string>
#include <string_view>

namespace candor {

// Appends a cell: in quotes, those within doubled, if it holds a comma, a quote or a line break,
// and as it is if not.
void AppendCsvCell(std::string_view text, std::string* out);

// A text as such a cell, for people: one that a spreadsheet would take for a formula gets an
// apostrophe in front ("=1+1" -> "'=1+1"), so numbers are not written through here.
std::string CsvText(std::string_view text);

}  // namespace candor
