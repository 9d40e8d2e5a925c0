// Counts of calls, by endpoint and model, from what the engine writes of them: attempts, outcomes,
// tokens, money and times.
//
// A label's values are few whatever jobs bring: models above `kMostModels` are counted together as
// "other". A counter is found once and kept: a call costs a few additions and no look-up by name.
#pragma once

#include "coordinator/engine/engine.h"

#include <absl/container/flat_hash_map.h>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace candor::http {

// `Count` from one thread; the registry may be collected from any other meanwhile.
class CallMetrics {
 public:
  static constexpr std::size_t kMostModels = 200;

  // `registry` outlives this.
  explicit CallMetrics(prometheus::Registry& registry);

  void Count(const engine::WriteBatch& batch, const engine::Engine& engine);

 private:
  static constexpr std::size_t kStates = v1::Attempt::State_ARRAYSIZE;
  static constexpr std::size_t kErrors = v1::Attempt::ErrorClass_ARRAYSIZE;
  static constexpr std::size_t kKinds = v1::Cell::Kind_ARRAYSIZE;
  static constexpr std::size_t kClasses = v1::Outcome::Class_ARRAYSIZE;

  // Of one model at one endpoint. Counters of what has not happened yet are null.
  struct Model {
    std::string endpoint;
    std::string model;
    std::array<std::array<prometheus::Counter*, kErrors>, kStates> attempts{};
    std::array<std::array<prometheus::Counter*, kClasses>, kKinds> outcomes{};
    prometheus::Counter* reused = nullptr;
    prometheus::Counter* input_tokens = nullptr;
    prometheus::Counter* cached_input_tokens = nullptr;
    prometheus::Counter* output_tokens = nullptr;
    prometheus::Counter* reasoning_tokens = nullptr;
    prometheus::Counter* spend = nullptr;
    prometheus::Histogram* duration = nullptr;
  };
  using Entries = std::vector<Model*>;

  void CountAttempt(const v1::Attempt& attempt, Model& model);
  void CountOutcome(const engine::OutcomeRecord& record, Model& model);
  // Null when the job is not known (any more).
  Model* ModelOf(engine::JobKey job, std::uint16_t entry, const engine::Engine& engine);
  Model& FindModel(const std::string& endpoint, const std::string& model);

  prometheus::Family<prometheus::Counter>& attempts_;
  prometheus::Family<prometheus::Counter>& outcomes_;
  prometheus::Family<prometheus::Counter>& reused_;
  prometheus::Family<prometheus::Counter>& tokens_;
  prometheus::Family<prometheus::Counter>& cached_tokens_;
  prometheus::Family<prometheus::Counter>& reasoning_tokens_;
  prometheus::Family<prometheus::Counter>& spend_;
  prometheus::Family<prometheus::Histogram>& duration_;

  std::map<std::pair<std::string, std::string>, std::unique_ptr<Model>> models_;
  // By job and entry.
  absl::flat_hash_map<engine::JobKey, Entries> jobs_;
  // Rows of one job come together.
  engine::JobKey latest_job_ = 0;
  Entries* latest_ = nullptr;
};

}  // namespace candor::http
