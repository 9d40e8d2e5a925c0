// Private to the room: RetryAfter of error.h for a body that has been read already.
#pragma once

#include "common/base/clock.h"
#include "common/dialect/error.h"
#include "common/dialect/error_body.h"

#include <optional>

namespace candor::dialect {

// Longer waits are cut to `most`.
std::optional<Duration> RetryAfter(HeaderFinder header, const ErrorBody& body, WallTime now,
                                   Duration most = kMaxRetryAfter);

}  // namespace candor::dialect
