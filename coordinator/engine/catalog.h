// What the configuration says about a model at an endpoint: its limit group and its price. Names
// become numbers once, so that the engine compares numbers.
#pragma once

#include "candor/v1/config.pb.h"
#include "candor/v1/outcome.pb.h"
#include "coordinator/engine/group_limits.h"

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::engine {

// Money of calls, in nano-units.
class PriceTable {
 public:
  PriceTable() = default;
  explicit PriceTable(const v1::Price& price);

  bool free() const { return input_ == 0 && cached_ == 0 && output_ == 0; }
  // Rounded to the nearest nano-unit. Tokens from the cache are part of the input tokens.
  // `part` of it is to be paid.
  std::int64_t Money(const v1::Usage& usage, double part = 1.0) const;

 private:
  // Nano-units a token.
  double input_ = 0;
  double cached_ = 0;
  double output_ = 0;
};

class Catalog {
 public:
  explicit Catalog(v1::Config config);

  struct Model {
    std::uint32_t endpoint = 0;
    std::string group;
    PriceTable price;
    bool priced = false;
    // Its dialect has batches; how large they may be, and what part of the price their calls cost.
    bool has_batches = false;
    v1::BatchConfig batch;
    double batch_price = 0.5;
    // How the provider counts tokens against its limits.
    TokenCount count = TokenCount::kAdded;
  };
  // An endpoint that is not configured (any more) has a number too, and no limits.
  Model Find(std::string_view endpoint, std::string_view model);
  bool IsConfigured(std::string_view endpoint) const;
  // Names of the configured endpoints, in order.
  std::vector<std::string> endpoints() const;
  // The number of an endpoint's name; assigned at first sight.
  std::uint32_t EndpointNumber(std::string_view endpoint);
  v1::Limits LimitsOf(std::string_view group) const;
  // As the operator gave them, and the share that may be used.
  GroupLimits::Configured ConfiguredOf(std::string_view group) const;
  // All configured groups: endpoints' own ones in order, then the shared ones.
  std::vector<std::string> Groups() const;

 private:
  v1::Config config_;
  absl::flat_hash_map<std::string, std::uint32_t> numbers_;
};

}  // namespace candor::engine
