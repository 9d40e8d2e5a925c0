// How a simulated model decides, and what it knows of itself.
//
// True weights are a function of (seed, the set of attribute names) and nothing else in the prompt.
// Names alone are the key because they are the only part of a scenario that a choice and a
// self-report share under every wording, role, attribute order and unit: were the question part of
// the key, a wording with a question of its own would silently make self-reports of other weights.
// The price: two scenarios with the very same names have the same weights (5 pairs among the
// paper's 1,365 scenarios, none in the built-in catalogue).
//
//   std::vector<double> w = TrueWeights(seed, names);              // largest |w| is 100
//   double p = Sigmoid(LogOddsOfA(traits, w, x));                  // x as in method.md, section 3
//   std::vector<int> r = ReportedWeights(traits, names, body_key); // in [-100, 100]
#pragma once

#include "common/base/clock.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace candor::simulator {

// A simulated model, defaults filled in; candor/v1/simulator.proto says what each means.
struct Traits {
  std::uint64_t seed = 0;
  double decisiveness = 6;
  double position_bias = 0;
  double self_knowledge = 0.7;
  double malformed_rate = 0.03;
  Duration latency{0};
  double latency_sigma = 0;
  // Tokens of thinking: median, and sigma of their log-normal distribution.
  std::int64_t reasoning_tokens = 0;
  double reasoning_sigma = 0;
  bool exhausted_is_error = false;
  bool strict_parameters = false;
  bool refuses_system = false;
  bool streams_only = false;
  bool refuses_log_probabilities = false;
  double filtered_rate = 0;
};

// What is drawn for one request body: a stream each, so that none depends on another's use.
enum class Draw : std::uint64_t {
  kChoice = 1,
  kReportNoise = 2,
  kMalformed = 3,
  kLatency = 4,
  kReasoning = 5,
  kFiltered = 6,
  // + number of the body's arrival.
  kBatchLine = 500'000'000,
  // + number of the body's arrival.
  kFault = 1'000,
};

// One weight for each name, in their order: uniform on [-100, 100], scaled so that the largest
// magnitude is 100, rounded to integers (method.md, section 2, item 1).
std::vector<double> TrueWeights(std::uint64_t seed, std::span<const std::string_view> names);

// What the model believes of itself where it does not know: drawn alike, independent of the above.
std::vector<double> BelievedWeights(std::uint64_t seed, std::span<const std::string_view> names);

// Sum of w_k / 100 * x_k, where x_k = (A_k - B_k) / (max_k - min_k).
double UtilityDifference(std::span<const double> weights, std::span<const double> x);

// decisiveness * utility difference + position bias.
double LogOddsOfA(const Traits& traits, std::span<const double> weights, std::span<const double> x);

// 1 / (1 + exp(-log_odds)).
double Sigmoid(double log_odds);

// self_knowledge * true + (1 - self_knowledge) * (believed + noise), rounded and held within
// [-100, 100]. The noise is normal with a standard deviation of 10 and differs from body to body.
std::vector<int> ReportedWeights(const Traits& traits, std::span<const std::string_view> names,
                                 std::uint64_t body_key);

// A log-normal time with the model's median, drawn from the body. At most an hour.
Duration DrawLatency(const Traits& traits, std::uint64_t body_key);

// Tokens that the model thinks about the body, for `effort` times its usual thinking. At most a
// million.
std::int64_t DrawReasoning(const Traits& traits, double effort, std::uint64_t body_key);

// Whether a filter withholds the reply to the body.
bool DrawFiltered(const Traits& traits, std::uint64_t body_key);

}  // namespace candor::simulator
