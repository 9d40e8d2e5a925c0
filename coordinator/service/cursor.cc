#include "coordinator/service/cursor.h"

#include "common/base/digest.h"

#include <absl/strings/escaping.h>

#include <charconv>

namespace candor::service {
namespace {

// Digits of the check: enough that a slip of the hand is noticed. Not a signature: a cursor holds
// nothing secret, and a forged one reads only what its user may read anyway.
constexpr std::size_t kCheckDigits = 8;

std::string Check(std::string_view sequence, std::string_view position) {
  return Sha256Hex(fmt::format("{}\n{}", sequence, position)).substr(0, kCheckDigits);
}

Status NoCursor(std::string_view text) {
  return InvalidArgument(
      "\"{}\" is no cursor of this sequence; give one that an earlier call with the same name and "
      "order returned, or "
      "leave it out to begin at the beginning",
      text.substr(0, 64));
}

}  // namespace

std::string PrintCursor(std::string_view sequence, std::string_view position) {
  return Check(sequence, position) + absl::WebSafeBase64Escape(ToAbsl(position));
}

std::string PrintCursor(std::string_view sequence, std::uint64_t position) {
  return PrintCursor(sequence, std::to_string(position));
}

StatusOr<std::string> ParseCursor(std::string_view text, std::string_view sequence) {
  std::string position;
  if (text.size() < kCheckDigits ||
      !absl::WebSafeBase64Unescape(ToAbsl(text.substr(kCheckDigits)), &position) ||
      text.substr(0, kCheckDigits) != Check(sequence, position)) {
    return NoCursor(text);
  }
  return position;
}

StatusOr<std::uint64_t> ParseNumberCursor(std::string_view text, std::string_view sequence) {
  if (text.empty()) return std::uint64_t{0};
  CANDOR_ASSIGN_OR_RETURN(const std::string position, ParseCursor(text, sequence));
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(position.data(), position.data() + position.size(), value);
  if (error != std::errc() || end != position.data() + position.size()) return NoCursor(text);
  return value;
}

}  // namespace candor::service
