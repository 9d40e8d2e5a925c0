#pragma once

#include <cstddef>
#include <cstdint>

namespace candor::net {

// Feeds `data` to the response reader: whole, and cut into pieces as its first byte says. Aborts
// when the two come out differently or a limit is passed.
void FuzzResponse(const std::uint8_t* data, std::size_t size);

}  // namespace candor::net
