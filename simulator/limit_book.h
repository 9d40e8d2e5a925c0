// Which limits hold for which model: the rules of the configuration, and the limiters that they
// have led to. Rules may change while calls are served.
//
// Not for concurrent use.
#pragma once

#include "candor/v1/simulator.pb.h"
#include "common/base/status.h"
#include "simulator/limiter.h"

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {

class LimitBook {
 public:
  // INVALID_ARGUMENT, naming the field, for negative numbers.
  static StatusOr<LimitBook> Create(const v1::SimulatorConfig& config);

  // Lives as long as the book; another one may hold for the model when version() has changed.
  Limiter& Find(std::string_view model);
  std::uint64_t version() const { return version_; }
  // The rule comes before all others, in the place of one for the same models if there is one. An
  // empty pool keeps the models in the pools in which they are.
  Status Change(const v1::LimitRule& rule);
  // The limits in force as JSON: of each pool, or model without one, that has been called.
  std::string Print() const;

 private:
  struct Rule {
    std::string match;
    std::string pool;
    LimitSettings settings;
  };

  const Rule& RuleOf(std::string_view model) const;

  bool count_rejected_ = false;
  std::uint64_t version_ = 1;
  // The last one fits all.
  std::vector<Rule> rules_;
  // By "pool NAME" or "model NAME".
  absl::flat_hash_map<std::string, std::unique_ptr<Limiter>> limiters_;
  absl::flat_hash_map<std::string, Limiter*> by_model_;
};

}  // namespace candor::simulator
