// One input of the fuzzer: what must hold for any text that is read as CSV.
#pragma once

#include <string_view>

namespace candor {

// The first byte chooses the limits, the rest is the text. It is read by rows, as a whole, and as a
// table; broken invariants abort. What holds: rows begin on ever later lines; a row has an error
// that names line and column, or fields in UTF-8 without NUL, within the limits; the whole is read
// exactly when every row is, with the same fields; what was read can be written and read again; a
// table's rows have the header's count, its numbers are finite, its errors name the file.
void CheckCsv(std::string_view input);

}  // namespace candor
