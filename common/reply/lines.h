// A self-report that is no JSON at all, but has a line an attribute.
#pragma once

#include "common/reply/keys.h"
#include "common/reply/text.h"

#include <optional>
#include <string_view>
#include <vector>

namespace candor::reply {

// The numbers of lines such as "price: 80", "- **Price** = 80%" or "| price | 80 |", or of one line
// with such parts between commas; what was needed is added to `repairs`. None when an attribute has
// no line, an unreadable one, or two that differ: what echoes both options is no report. With
// `cut_within_word` the last line may be unfinished and does not count.
std::optional<std::vector<std::optional<double>>> ReadLines(std::string_view text,
                                                            const KeyMatcher& matcher,
                                                            bool cut_within_word, Repairs& repairs);

}  // namespace candor::reply
