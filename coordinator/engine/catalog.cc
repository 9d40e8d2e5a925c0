#include "coordinator/engine/catalog.h"

#include "common/base/config.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace candor::engine {

namespace {

// OpenAI documents "the maximum of max_tokens and the estimated number of tokens based on the
// character count"; who reserves otherwise adds both; Gemini counts input only; Anthropic counts
// output as it is produced.
TokenCount CountOf(const v1::Endpoint& endpoint, const v1::ModelRule* rule) {
  const std::string words = rule != nullptr ? rule->output_counts() : std::string();
  if (words == "produced") return TokenCount::kProduced;
  if (words == "reserved") return TokenCount::kAdded;
  if (endpoint.dialect() == "anthropic") return TokenCount::kProduced;
  if (endpoint.dialect() == "gemini") return TokenCount::kInput;
  return endpoint.dialect().starts_with("openai") ? TokenCount::kLarger : TokenCount::kAdded;
}

}  // namespace

PriceTable::PriceTable(const v1::Price& price) {
  const double nanos_per_token =
      1e9 / static_cast<double>(price.per_tokens() > 0 ? price.per_tokens() : 1'000'000);
  input_ = price.input() * nanos_per_token;
  cached_ = (price.has_cached_input() ? price.cached_input() : price.input()) * nanos_per_token;
  output_ = price.output() * nanos_per_token;
}

std::int64_t PriceTable::Money(const v1::Usage& usage, double part) const {
  if (free()) return 0;
  const std::int64_t cached =
      std::clamp<std::int64_t>(usage.cached_input_tokens(), 0, usage.input_tokens());
  const double money = static_cast<double>(usage.input_tokens() - cached) * input_ +
                       static_cast<double>(cached) * cached_ +
                       static_cast<double>(usage.output_tokens()) * output_;
  // Within what an integer holds, however absurdly a provider counts.
  return std::llround(std::clamp(money * part, 0.0, 1e15));
}

Catalog::Catalog(v1::Config config) : config_(std::move(config)) {
  for (const v1::Endpoint& endpoint : config_.endpoints()) EndpointNumber(endpoint.name());
}

std::uint32_t Catalog::EndpointNumber(std::string_view endpoint) {
  return numbers_.try_emplace(std::string(endpoint), static_cast<std::uint32_t>(numbers_.size()))
      .first->second;
}

bool Catalog::IsConfigured(std::string_view endpoint) const {
  return FindEndpoint(config_, endpoint) != nullptr;
}

std::vector<std::string> Catalog::endpoints() const {
  std::vector<std::string> names;
  for (const v1::Endpoint& endpoint : config_.endpoints()) names.push_back(endpoint.name());
  return names;
}

Catalog::Model Catalog::Find(std::string_view endpoint, std::string_view model) {
  Model found;
  found.endpoint = EndpointNumber(endpoint);
  found.group = std::string(endpoint);
  const v1::Endpoint* configured = FindEndpoint(config_, endpoint);
  if (configured == nullptr) return found;
  found.group = LimitGroupOf(*configured, model);
  const v1::ModelRule* rule = FindModelRule(*configured, model);
  found.count = CountOf(*configured, rule);
  if (rule != nullptr && rule->has_price()) {
    found.price = PriceTable(rule->price());
    found.priced = true;
    if (rule->price().has_batch()) found.batch_price = rule->price().batch();
  }
  found.has_batches = HasBatches(configured->dialect());
  if (rule != nullptr) found.batch = rule->batch();
  return found;
}

v1::Limits Catalog::LimitsOf(std::string_view group) const { return LimitsOfGroup(config_, group); }

GroupLimits::Configured Catalog::ConfiguredOf(std::string_view group) const {
  return {ConfiguredLimits(config_, group), ShareOfGroup(config_, group)};
}

std::vector<std::string> Catalog::Groups() const {
  std::vector<std::string> names = endpoints();
  for (const v1::LimitGroupConfig& group : config_.limit_groups()) {
    if (std::find(names.begin(), names.end(), group.name()) == names.end()) {
      names.push_back(group.name());
    }
  }
  return names;
}

}  // namespace candor::engine
