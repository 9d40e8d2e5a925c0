#include "simulator/decision_model.h"

#include "common/base/digest.h"
#include "common/base/random.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>
#include <string>

namespace candor::simulator {
namespace {

constexpr std::uint64_t kTrueStream = 0;
constexpr std::uint64_t kBelievedStream = 1;
constexpr double kReportNoise = 10;

void AppendNumber(std::uint64_t value, std::string* out) {
  for (int i = 0; i < 8; ++i) {
    out->push_back(static_cast<char>(value & 0xFFU));
    value >>= 8U;
  }
}

// Weights in the order of `names`, drawn in the order of the sorted names.
std::vector<double> DrawWeights(std::uint64_t seed, std::span<const std::string_view> names,
                                std::uint64_t stream) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
  std::string text = "candor.simulator.weights";
  text.reserve(256);
  AppendNumber(seed, &text);
  for (const std::size_t i : order) {
    AppendNumber(names[i].size(), &text);
    text += names[i];
  }
  const Digest digest = Sha256(text);
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key |= std::uint64_t{digest[i]} << (8 * i);

  RandomStream random(key, stream);
  std::vector<double> weights(names.size());
  double largest = 0;
  for (const std::size_t i : order) {
    weights[i] = 200 * random.Uniform() - 100;
    largest = std::max(largest, std::abs(weights[i]));
  }
  if (largest > 0) {
    for (double& weight : weights) weight = std::nearbyint(weight * 100 / largest);
  }
  return weights;
}

// One standard normal number (Box and Muller).
double Normal(RandomStream& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.Uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.Uniform());
}

}  // namespace

std::vector<double> TrueWeights(std::uint64_t seed, std::span<const std::string_view> names) {
  return DrawWeights(seed, names, kTrueStream);
}

std::vector<double> BelievedWeights(std::uint64_t seed, std::span<const std::string_view> names) {
  return DrawWeights(seed, names, kBelievedStream);
}

double UtilityDifference(std::span<const double> weights, std::span<const double> x) {
  double difference = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) difference += weights[k] / 100 * x[k];
  return difference;
}

double LogOddsOfA(const Traits& traits, std::span<const double> weights,
                  std::span<const double> x) {
  return traits.decisiveness * UtilityDifference(weights, x) + traits.position_bias;
}

double Sigmoid(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

std::vector<int> ReportedWeights(const Traits& traits, std::span<const std::string_view> names,
                                 std::uint64_t body_key) {
  const std::vector<double> actual = TrueWeights(traits.seed, names);
  const std::vector<double> believed = BelievedWeights(traits.seed, names);
  RandomStream random(body_key, static_cast<std::uint64_t>(Draw::kReportNoise));
  std::vector<int> reported(names.size());
  for (std::size_t k = 0; k < names.size(); ++k) {
    const double unknown = believed[k] + kReportNoise * Normal(random);
    const double value = traits.self_knowledge * actual[k] + (1 - traits.self_knowledge) * unknown;
    reported[k] = static_cast<int>(std::lround(std::clamp(value, -100.0, 100.0)));
  }
  return reported;
}

Duration DrawLatency(const Traits& traits, std::uint64_t body_key) {
  if (traits.latency.count() <= 0) return Duration{0};
  RandomStream random(body_key, static_cast<std::uint64_t>(Draw::kLatency));
  const double factor = std::exp(traits.latency_sigma * Normal(random));
  constexpr double kHour = 3.6e9;
  return Duration{static_cast<std::int64_t>(
      std::min(static_cast<double>(traits.latency.count()) * factor, kHour))};
}

std::int64_t DrawReasoning(const Traits& traits, double effort, std::uint64_t body_key) {
  if (traits.reasoning_tokens <= 0 || effort <= 0) return 0;
  RandomStream random(body_key, static_cast<std::uint64_t>(Draw::kReasoning));
  const double factor = std::exp(traits.reasoning_sigma * Normal(random));
  return std::llround(
      std::clamp(static_cast<double>(traits.reasoning_tokens) * effort * factor, 1.0, 1e6));
}

bool DrawFiltered(const Traits& traits, std::uint64_t body_key) {
  if (traits.filtered_rate <= 0) return false;
  RandomStream random(body_key, static_cast<std::uint64_t>(Draw::kFiltered));
  return random.Uniform() < traits.filtered_rate;
}

}  // namespace candor::simulator
