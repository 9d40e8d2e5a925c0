// Limits and waits in the headers of responses, in the formats of those who send them, and in false
// ones.
#pragma once

#include "candor/v1/simulator.pb.h"
#include "common/base/clock.h"
#include "common/net/http_types.h"
#include "simulator/dialect.h"
#include "simulator/limiter.h"

#include <span>

namespace candor::simulator {

// How headers lie.
enum class HeaderLie : std::uint8_t { kNone, kNegative, kAbsurd, kMissing, kPast };

// `style` is resolved already: not LIMIT_HEADERS_UNSPECIFIED.
void AddLimitHeaders(v1::SimulatorConfig::LimitHeaders style, std::span<const LimitView> limits,
                     WallTime now, HeaderLie lie, net::HttpHeaders* headers);

// What a dialect sends where nothing else is configured.
v1::SimulatorConfig::LimitHeaders OwnLimitHeaders(DialectKind dialect);

// `format` may be unspecified: then as `dialect` does.
void AddRetryAfter(v1::ScriptedFault::RetryAfterFormat format, DialectKind dialect, Duration wait,
                   WallTime now, net::HttpHeaders* headers);

}  // namespace candor::simulator
