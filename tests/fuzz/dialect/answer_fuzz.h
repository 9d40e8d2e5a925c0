// One input of the fuzzer: what must hold for any answer of a provider.
#pragma once

#include <cstdint>
#include <span>

namespace candor::dialect {

// The first byte chooses kind and status, the first line after it is the value of every header, the
// rest is the body. It is read by every dialect as a reply, as a stream and as an error; broken
// invariants abort. What holds: either an error with a class and a bounded text in UTF-8, or an
// outcome with a class; log-odds are finite; waits are positive and bounded; limits are positive,
// and no more is left of one than it is; what is read can be serialised and parsed.
void CheckAnswer(std::span<const std::uint8_t> bytes);

}  // namespace candor::dialect
