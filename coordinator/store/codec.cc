#include "coordinator/store/codec.h"

#include <absl/strings/str_cat.h>

#include <array>
#include <charconv>
#include <cstddef>

namespace candor::store {
namespace {

constexpr std::size_t kLeaseBytes = 28;

// Little-endian, whatever the machine.
template <typename T>
void Put(std::string& bytes, T value) {
  auto rest = static_cast<std::uint64_t>(value);
  std::array<char, sizeof(T)> digits;
  for (char& digit : digits) {
    digit = static_cast<char>(rest & 0xffU);
    rest >>= 8U;
  }
  bytes.append(digits.data(), digits.size());
}

template <typename T>
T Take(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  bytes.remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

// Lower-case digits only: an id has one spelling.
bool ParseHex(std::string_view digits, std::uint64_t& value) {
  for (const char digit : digits) {
    if ((digit < '0' || digit > '9') && (digit < 'a' || digit > 'f')) return false;
  }
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return error == std::errc{} && end == digits.data() + digits.size();
}

// Tokens of the prompt above, of the reply below 32 bits; with none of the prompt, the sum alone,
// as earlier releases wrote it.
std::int64_t PackReserved(const engine::LeaseRecord& lease) {
  constexpr std::int64_t kMost = (std::int64_t{1} << 31U) - 1;
  const std::int64_t prompt = lease.reserved_tokens - lease.reserved_output;
  if (prompt <= 0 || prompt > kMost || lease.reserved_output < 0 || lease.reserved_output > kMost) {
    return lease.reserved_tokens;
  }
  return prompt << 32U | lease.reserved_output;
}

void UnpackReserved(std::int64_t packed, engine::LeaseRecord& lease) {
  const std::int64_t prompt = packed >> 32U;
  if (prompt <= 0) {
    lease.reserved_tokens = packed;
    return;
  }
  lease.reserved_output = packed & 0xFFFFFFFF;
  lease.reserved_tokens = prompt + lease.reserved_output;
}

}  // namespace

std::string PackLeases(std::span<const engine::LeaseRecord> leases) {
  std::string bytes;
  bytes.reserve(leases.size() * kLeaseBytes);
  for (const engine::LeaseRecord& lease : leases) {
    Put<std::uint64_t>(bytes, lease.attempt);
    Put<std::uint32_t>(bytes, lease.job);
    Put<std::uint16_t>(bytes, lease.cell.entry);
    Put<std::uint8_t>(bytes, static_cast<std::uint8_t>(lease.cell.kind));
    Put<std::uint8_t>(bytes, lease.alone ? 1 : 0);
    Put<std::uint32_t>(bytes, lease.cell.index);
    Put<std::int64_t>(bytes, PackReserved(lease));
  }
  return bytes;
}

std::optional<std::vector<engine::LeaseRecord>> UnpackLeases(std::string_view bytes) {
  if (bytes.size() % kLeaseBytes != 0) return std::nullopt;
  std::vector<engine::LeaseRecord> leases(bytes.size() / kLeaseBytes);
  for (engine::LeaseRecord& lease : leases) {
    lease.attempt = Take<std::uint64_t>(bytes);
    lease.job = Take<std::uint32_t>(bytes);
    lease.cell.entry = Take<std::uint16_t>(bytes);
    lease.cell.kind = static_cast<v1::Cell::Kind>(Take<std::uint8_t>(bytes));
    lease.alone = Take<std::uint8_t>(bytes) != 0;
    lease.cell.index = Take<std::uint32_t>(bytes);
    UnpackReserved(Take<std::int64_t>(bytes), lease);
  }
  return leases;
}

std::string FormatAttemptName(std::uint32_t store, engine::AttemptId attempt) {
  return absl::StrCat(absl::Hex(store, absl::kZeroPad8), "-", absl::Hex(attempt, absl::kZeroPad16));
}

std::optional<engine::AttemptId> ParseAttemptName(std::uint32_t store, std::string_view text) {
  std::uint64_t owner = 0;
  std::uint64_t attempt = 0;
  if (text.size() != 25 || text[8] != '-' || !ParseHex(text.substr(0, 8), owner) ||
      !ParseHex(text.substr(9), attempt) || owner != store) {
    return std::nullopt;
  }
  return attempt;
}

}  // namespace candor::store
