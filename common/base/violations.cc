#include "common/base/violations.h"

#include <algorithm>
#include <cstddef>

namespace candor {

Status ToStatus(const FieldViolations& violations) {
  constexpr std::size_t kShown = 20;
  if (violations.empty()) return {};
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, violations.size()); ++i) {
    if (i > 0) text += '\n';
    text += fmt::format("{}: {}", violations[i].field, violations[i].description);
  }
  if (violations.size() > kShown) {
    text += fmt::format("\nand {} more", violations.size() - kShown);
  }
  return MakeStatus(absl::StatusCode::kInvalidArgument, text);
}

}  // namespace candor
