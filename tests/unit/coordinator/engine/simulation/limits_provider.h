// A provider's limits over exact sliding windows, for limits_world.h.
#pragma once

#include "candor/v1/worker_service.pb.h"
#include "common/base/clock.h"
#include "tests/unit/coordinator/engine/simulation/limits_world.h"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

namespace candor::engine::simulation {

class ProviderLimits {
 public:
  explicit ProviderLimits(const LimitsProvider& settings);

  // How long the call would have to wait; absent when it is admitted, and then it counts.
  std::optional<Duration> Admit(TimePoint now, const CallSize& size);
  // An admitted call was answered.
  void Finish(TimePoint now, const CallSize& size, std::int64_t produced);
  // What the headers say.
  void Headers(TimePoint now, google::protobuf::RepeatedPtrField<v1::LimitObservation>* out);

 private:
  struct Window {
    v1::LimitUse::Dimension dimension;
    std::int64_t limit = 0;
    Duration length{0};
    std::int64_t sum = 0;
    std::deque<std::pair<TimePoint, std::int64_t>> uses;
  };

  static std::int64_t AtStart(v1::LimitUse::Dimension dimension, const CallSize& size);
  static std::int64_t AtEnd(v1::LimitUse::Dimension dimension, const CallSize& size,
                            std::int64_t produced);
  static void Forget(TimePoint now, Window& window);

  const LimitsProvider settings_;
  std::vector<Window> windows_;
  std::int64_t in_flight_ = 0;
};

}  // namespace candor::engine::simulation
