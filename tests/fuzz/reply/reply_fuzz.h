// One input of the fuzzer: what must hold for any bytes.
#pragma once

#include <cstdint>
#include <span>

namespace candor::reply {

// The first byte chooses how the reply ended, the rest is its text. Both readers read it; broken
// invariants abort. What holds: values are finite and one an attribute; the choice is set exactly
// when there is one; VALID means no repairs, and a VALID report is JSON to Boost.JSON, with the
// same numbers; equal replies give equal results.
void CheckReply(std::span<const std::uint8_t> bytes);

}  // namespace candor::reply
