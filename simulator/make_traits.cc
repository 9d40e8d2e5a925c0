#include "common/base/time_proto.h"
#include "simulator/provider_service.h"

#include <cmath>

namespace candor::simulator {
namespace {

Status CheckTraits(const v1::SimulatedModel& model, const Traits& traits, std::string_view path) {
  const auto share = [](double value) { return value >= 0 && value <= 1; };
  const auto sigma = [](double value) { return value >= 0 && value <= 5; };
  if (!std::isfinite(traits.decisiveness) || !std::isfinite(traits.position_bias)) {
    return InvalidArgument("{}: decisiveness and position_bias must be finite numbers", path);
  }
  if (!share(traits.self_knowledge)) {
    return InvalidArgument("{}.self_knowledge: {} is not from 0 to 1", path, traits.self_knowledge);
  }
  if (!share(traits.malformed_rate)) {
    return InvalidArgument("{}.malformed_rate: {} is not from 0 to 1", path, traits.malformed_rate);
  }
  if (!share(traits.filtered_rate)) {
    return InvalidArgument("{}.filtered_rate: {} is not from 0 to 1", path, traits.filtered_rate);
  }
  if (model.latency().seconds() < 0 || model.latency().nanos() < 0) {
    return InvalidArgument("{}.latency must not be negative", path);
  }
  if (!sigma(traits.latency_sigma)) {
    return InvalidArgument("{}.latency_sigma: {} is not from 0 to 5", path, traits.latency_sigma);
  }
  if (traits.reasoning_tokens < 0 || traits.reasoning_tokens > 1'000'000) {
    return InvalidArgument("{}.reasoning_tokens: {} is not from 0 to 1000000", path,
                           traits.reasoning_tokens);
  }
  if (!sigma(traits.reasoning_sigma)) {
    return InvalidArgument("{}.reasoning_sigma: {} is not from 0 to 5", path,
                           traits.reasoning_sigma);
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<Traits> MakeTraits(const v1::SimulatedModel& model, std::string_view path) {
  Traits traits;
  traits.seed = model.seed();
  if (model.has_decisiveness()) traits.decisiveness = model.decisiveness();
  traits.position_bias = model.position_bias();
  if (model.has_self_knowledge()) traits.self_knowledge = model.self_knowledge();
  traits.malformed_rate =
      model.has_malformed_rate() ? model.malformed_rate() : 0.1 * (1 - traits.self_knowledge);
  traits.latency = ToDuration(model.latency());
  traits.latency_sigma = model.latency_sigma();
  traits.reasoning_tokens = model.reasoning_tokens();
  traits.reasoning_sigma = model.reasoning_sigma();
  traits.exhausted_is_error = model.exhausted_is_error();
  traits.strict_parameters = model.strict_parameters();
  traits.refuses_system = model.refuses_system();
  traits.streams_only = model.streams_only();
  traits.refuses_log_probabilities = model.refuses_log_probabilities();
  traits.filtered_rate = model.filtered_rate();
  CANDOR_RETURN_IF_ERROR(CheckTraits(model, traits, path));
  return traits;
}

}  // namespace candor::simulator
