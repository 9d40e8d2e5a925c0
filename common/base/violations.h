// What is wrong with a request, field by field: all of it at once, so that one round mends it.
#pragma once

#include "common/base/status.h"

#include <string>
#include <vector>

namespace candor {

// One thing wrong.
struct FieldViolation {
  // Where: "job.models[0].name".
  std::string field;
  // What is wrong, with the value, and what would be right: "is -1; give 0 (no limit) or more".
  std::string description;

  bool operator==(const FieldViolation&) const = default;
};

using FieldViolations = std::vector<FieldViolation>;

// OK without violations; otherwise INVALID_ARGUMENT whose message has a line for each ("field:
// description"), the first 20 of them in full and the others as a count. The service adds the whole
// list as a google.rpc.BadRequest.
Status ToStatus(const FieldViolations& violations);

}  // namespace candor
