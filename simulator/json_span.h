// The text of a part of a JSON text, byte for byte: a line of a batch must be the very body that
// would be sent live, because what a model answers is a function of its bytes.
//
//   RawMember(R"({"custom_id": "a", "body": {"x": 1}})", "body")  ->  {"x": 1}
//
// For texts that a parser has accepted.
#pragma once

#include <string_view>
#include <vector>

namespace candor::simulator {

// The value of a member at the top level; empty without one. Names with escapes are not found.
std::string_view RawMember(std::string_view object, std::string_view name);
// The elements of an array.
std::vector<std::string_view> RawElements(std::string_view array);

}  // namespace candor::simulator
