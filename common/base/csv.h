// Reading of comma-separated values, as RFC 4180 has them.
#pragma once

#include "common/base/status.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace candor {

// One record: a line, or more where a quoted field holds line breaks.
struct CsvRecord {
  // The line of the text on which it begins, from 1.
  std::size_t line = 0;
  std::vector<std::string> fields;
};

// The records of a text, a header row among them. A byte-order mark in front is skipped, lines end
// in LF or CRLF (line breaks within quotes are kept as they are), the last one may lack its end,
// and blank lines are no records. Records may differ in their number of fields.
//
//   ParseCsv("a,\"b \"\"x\"\"\"\r\n")  ->  {{1, {"a", "b \"x\""}}}
//
// INVALID_ARGUMENT with line and column (in bytes, from 1) for a quote within an unquoted field,
// for text after a closing quote, for a quote that never closes and for a CR without LF.
StatusOr<std::vector<CsvRecord>> ParseCsv(std::string_view text);

}  // namespace candor
