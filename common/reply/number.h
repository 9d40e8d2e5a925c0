// A number as models write it.
#pragma once

#include "common/reply/text.h"

#include <optional>
#include <string_view>

namespace candor::reply {

// The number that `token` says, and in `repairs` what it lacks to be a JSON number: "80%", "+15",
// "1,000", "80/100", "80 (very important)". None for words, ranges ("70-80"), other fractions
// ("8/10"), units ("80 USD"), NaN and infinities.
std::optional<double> ReadNumber(std::string_view token, Repairs& repairs);

// Whether the token is a literal for nothing or a truth value; the spellings that JSON does not
// know are a repair.
bool IsNoNumberLiteral(std::string_view token, Repairs& repairs);

}  // namespace candor::reply
