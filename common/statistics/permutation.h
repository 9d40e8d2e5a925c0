// What agreement would be by chance: reports reassigned among scenarios, or attributes among each
// other.
#pragma once

#include "common/statistics/comparison.h"

#include <cstdint>
#include <optional>

namespace candor::statistics {

struct PermutationOptions {
  // 0: no permutation test.
  int permutations = 10'000;
  std::uint64_t seed = 0;
};

struct PermutationResult {
  // Two-sided, (1 + as extreme) / (1 + permutations): never 0.
  double p = 1;
  // Mean of r over the reassignments: not 0, because attributes stand in an order that means
  // something (the first ones tend to be liked) and reports know that without knowing themselves.
  double mean_r = 0;
  int permutations = 0;
};

// Whole reports are reassigned among the scenarios of the same K and report set, and r is computed
// anew: as extreme is what lies as far from the mean of all of them, the observed one included.
// Absent when r is not defined, or fewer than 2 scenarios could exchange reports.
std::optional<PermutationResult> PermuteReports(const Comparison& comparison,
                                                const PairedReports& pairs,
                                                const PermutationOptions& options);

// One scenario: p of the cosine between weights and report, [K] each, when the report's attributes
// are exchanged; one-sided, as a report that is opposite is not agreement. All K! orders for K <=
// 7, else 5,040 drawn from (seed, stream). Absent when the cosine is not defined.
std::optional<double> AttributePermutationP(Values weights, Values report, std::uint64_t seed,
                                            std::uint64_t stream);

}  // namespace candor::statistics
