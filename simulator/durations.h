// Times as providers write them.
#pragma once

#include "common/base/clock.h"

#include <string>

namespace candor::simulator {

// As Go prints a duration: "0s", "2ms", "1.234s", "6m0s", "1h0m3s".
std::string GoDuration(Duration duration);
// RFC 3339 in UTC with whole seconds: "2026-11-25T19:00:00Z".
std::string Rfc3339(WallTime time);
// The date of HTTP: "Wed, 25 Nov 2026 19:00:00 GMT".
std::string HttpDate(WallTime time);
// Whole seconds, rounded up.
std::int64_t CeilSeconds(Duration duration);

}  // namespace candor::simulator
