// SHA-256, for hashes of specifications, scenario sets and requests, and for the keys of random
// streams.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace candor {

using Digest = std::array<std::uint8_t, 32>;

Digest Sha256(std::string_view bytes);
// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);
// Lower-case hexadecimal digits of any bytes.
std::string Hex(std::string_view bytes);

}  // namespace candor
