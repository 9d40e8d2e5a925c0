// What a job would take, as lines of text. Pure.
#pragma once

#include "candor/v1/evaluation_service.pb.h"
#include "common/base/status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace candor::cli {

// Lines, each with its end:
//
//   8,000 cells, 2,000 calls, 6,000 reused, about 100k input tokens, at most 32.0k output tokens,
//   at most 1.20 to pay, 45s at the limits in force ENTRY  KIND          CALLS  REUSED  TOKENS IN
//   OUT AT MOST  TO PAY AT MOST  TIME base   choices       1,000  3,000   ...
//
// The table only when there are several rows, then what the design can see, and warnings.
std::string EstimateLines(const v1::JobEstimate& estimate);

// "2.50" -> 2'500'000'000 nano-units, exactly. INVALID_ARGUMENT for what is no amount of 0 or more
// with at most nine decimals.
StatusOr<std::int64_t> ParseMoney(std::string_view text);

}  // namespace candor::cli
