// What goes wrong with a call: by script first, then by chance. A function of the configuration,
// the body and how often that body has arrived, so that a run can be repeated whatever the order in
// which its calls come.
#pragma once

#include "candor/v1/simulator.pb.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "simulator/limit_headers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::simulator {

enum class FaultKind : std::uint8_t {
  kNone,
  // Refusals.
  kTooManyRequests,
  kServerError,
  kBadGateway,
  kUnavailable,
  kGatewayTimeout,
  kOverloaded,
  kBadRequest,
  kUnauthorized,
  kPaymentRequired,
  kForbidden,
  kNotFound,
  kTimeout,
  kTooLarge,
  kQuota,
  kSpendCap,
  kDailyQuota,
  // Of the transport.
  kHang,
  kReset,
  kTruncated,
  kSlowFirstByte,
  kStalledBody,
  kHeaderDrip,
  kEndlessBody,
  kHugeBody,
  kGzipBomb,
  kRedirect,
  // Of the body.
  kWrongJson,
  kHalfJson,
  kError200,
  kHtml,
  kBrokenStream,
  kStreamError,
  // Of the limit headers, beside a good answer.
  kHeadersNegative,
  kHeadersAbsurd,
  kHeadersMissing,
  kHeadersPast,
};
// The words of scripts and ledger, as candor/v1/simulator.proto lists them; "" for kNone.
std::string_view ToString(FaultKind kind);
std::optional<FaultKind> ParseFault(std::string_view word);

struct Fault {
  FaultKind kind = FaultKind::kNone;
  std::optional<Duration> retry_after;
  v1::ScriptedFault::RetryAfterFormat format = v1::ScriptedFault::RETRY_AFTER_FORMAT_UNSPECIFIED;
  // Of kSlowFirstByte.
  Duration delay{0};
};

// How the limit headers lie with a fault.
HeaderLie LieOf(FaultKind kind);

class FaultPlan {
 public:
  // A 429 by chance, and a scripted one without `retry_after`, asks to wait so long.
  static constexpr Duration kDefaultRetryAfter = std::chrono::seconds{1};
  // How late a slow first byte is where nothing is said.
  static constexpr Duration kDefaultDelay = std::chrono::seconds{30};

  // INVALID_ARGUMENT, naming the field, for unknown words, negative numbers, rates outside of
  // [0, 1] or above 1 together.
  static StatusOr<FaultPlan> Create(const v1::SimulatorConfig& config);

  // `arrival` counts the arrivals of this body from 1; `body_key` is a hash of it.
  Fault Draw(std::string_view body, std::uint64_t body_key, std::uint32_t arrival) const;

 private:
  struct Scripted {
    std::string body_contains;
    // The arrivals [first, last].
    std::uint32_t first;
    std::uint32_t last;
    Fault fault;
  };

  std::vector<Scripted> scripted_;
  std::vector<std::pair<FaultKind, double>> rates_;
};

}  // namespace candor::simulator
