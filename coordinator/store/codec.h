// How cells, leases and attempt ids are written. Inside this room only.
#pragma once

#include "coordinator/engine/records.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace candor::store {

// A cell as one number that sorts by entry, kind and index: the canonical order. Never 0, because
// kinds count from 1.
constexpr std::uint64_t PackCell(const engine::CellKey& cell) {
  return std::uint64_t{cell.entry} << 40U | static_cast<std::uint64_t>(cell.kind) << 32U |
         cell.index;
}

constexpr engine::CellKey UnpackCell(std::uint64_t packed) {
  return {.entry = static_cast<std::uint16_t>(packed >> 40U),
          .kind = static_cast<v1::Cell::Kind>(packed >> 32U & 0xffU),
          .index = static_cast<std::uint32_t>(packed)};
}

// Leases of one batch, 28 bytes each.
std::string PackLeases(std::span<const engine::LeaseRecord> leases);
// Absent when the bytes are no such thing.
std::optional<std::vector<engine::LeaseRecord>> UnpackLeases(std::string_view bytes);

// "{store}-{attempt}", 8 and 16 lower-case hexadecimal digits.
std::string FormatAttemptName(std::uint32_t store, engine::AttemptId attempt);
std::optional<engine::AttemptId> ParseAttemptName(std::uint32_t store, std::string_view text);

}  // namespace candor::store
