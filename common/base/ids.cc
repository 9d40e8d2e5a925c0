#include "common/base/ids.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace candor {
namespace {

constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kBytes = 10;

std::string Encode(const std::array<std::uint8_t, kBytes>& bytes) {
  std::string id;
  id.reserve(16);
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8U) | byte;
    count += 8;
    while (count >= 5) {
      count -= 5;
      id += kAlphabet[(bits >> static_cast<unsigned>(count)) & 31U];
    }
  }
  return id;
}

}  // namespace

std::string SystemIdGenerator::Next() {
  std::array<std::uint8_t, kBytes> bytes{};
  // Requests of up to 256 bytes are never cut short once the kernel has its entropy; without
  // random numbers there are no unique names, and nothing sensible left to do.
  ssize_t n = 0;
  do {
    n = getrandom(bytes.data(), bytes.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n != static_cast<ssize_t>(bytes.size())) std::abort();
  return Encode(bytes);
}

std::string SequentialIds::Next() {
  std::array<std::uint8_t, kBytes> bytes{};
  std::uint64_t value = ++last_;
  for (std::size_t i = kBytes; i-- > kBytes - 8; value >>= 8U) {
    bytes[i] = static_cast<std::uint8_t>(value & 255U);
  }
  return Encode(bytes);
}

}  // namespace candor
