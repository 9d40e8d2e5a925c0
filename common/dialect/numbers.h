// Numbers and times in the texts of headers. Private to the room.
#pragma once

#include "common/base/clock.h"

#include <optional>
#include <string_view>

namespace candor::dialect {

// `text` without spaces and tabs around it.
std::string_view Trim(std::string_view text);

// The whole of `text` as a number; NaN and infinities are none.
std::optional<double> ParseNumber(std::string_view text);

// Likewise, without fraction or exponent.
std::optional<int> ParseInt(std::string_view text);

// A time of day on a date, "08:49:37" on 1994, 11, 6; absent when a part is missing or there is no
// such date.
std::optional<WallTime> MakeTime(std::optional<int> year, std::optional<int> month,
                                 std::optional<int> day, std::string_view time);

}  // namespace candor::dialect
