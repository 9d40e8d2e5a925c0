// The known name that somebody probably meant, for errors about unknown fields, placeholders and
// ids: "unknown field 'modles'; did you mean 'models'?".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace candor {

// The candidate with the fewest edits from `name` (a letter inserted, left out or replaced, or two
// neighbours swapped; upper and lower case are the same), the first one of several. Empty when
// none is within a third of the longer one's length: then no suggestion is better than a wrong one.
//
//   NearestName("modles", {"models", "labels"})  ->  "models"
//   NearestName("zebra", {"models", "labels"})   ->  ""
//
// Takes O(|name| * sum of candidate lengths); texts above 256 characters are never near.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

// "; did you mean '{nearest}'?", or an empty text when nothing is near: the end of an error.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace candor
