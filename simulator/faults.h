// What goes wrong with a call: by script first, then by chance. A function of the configuration,
// the body and how often that body has arrived, so that a run can be repeated whatever the order in
// which its calls come.
#pragma once

#include "candor/v1/simulator.pb.h"
#include "common/base/clock.h"
#include "common/base/status.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::simulator {

enum class FaultKind : std::uint8_t {
  kNone,
  kTooManyRequests,
  kServerError,
  kUnavailable,
  kOverloaded,
  kBadRequest,
  kUnauthorized,
  kNotFound,
  kQuota,
  kHang,
  kReset,
  kTruncated,
  kWrongJson,
};
// "", "429", "500", "503", "529", "400", "401", "404", "quota", "hang", "reset", "truncated",
// "wrong_json": the words of scripts and ledger.
std::string_view ToString(FaultKind kind);
std::optional<FaultKind> ParseFault(std::string_view word);

struct Fault {
  FaultKind kind = FaultKind::kNone;
  std::optional<Duration> retry_after;
};

class FaultPlan {
 public:
  // A 429 by chance, and a scripted one without `retry_after`, asks to wait so long.
  static constexpr Duration kDefaultRetryAfter = std::chrono::seconds{1};

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
