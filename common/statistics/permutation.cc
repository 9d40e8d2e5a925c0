#include "common/statistics/permutation.h"

#include "common/base/random.h"
#include "common/statistics/line.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

namespace candor::statistics {
namespace {

constexpr std::uint64_t kPurpose = 0x7065726d75746174;  // "permutat"
constexpr std::size_t kMostExact = 7;
constexpr int kSampled = 5'040;  // 7!
// Equal up to rounding counts as equal: the observed order is one of the reassignments.
constexpr double kTie = 1e-12;

void Shuffle(std::vector<std::size_t>& items, IndexStream& random) {
  for (std::size_t i = items.size(); i-- > 1;) {
    std::swap(items[i], items[random.Below(static_cast<std::uint32_t>(i + 1))]);
  }
}

}  // namespace

std::optional<PermutationResult> PermuteReports(const Comparison& comparison,
                                                const PairedReports& pairs,
                                                const PermutationOptions& options) {
  const PairSums sums = PairSums::Of(pairs.report, pairs.weight);
  const std::optional<double> observed = sums.R();
  if (!observed || options.permutations <= 0) return std::nullopt;
  // Scenarios that may exchange reports, as positions in pairs.scenarios.
  std::map<std::pair<std::size_t, int>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < pairs.scenarios.size(); ++i) {
    const PairedScenario& paired = pairs.scenarios[i];
    groups[{paired.size, comparison.scenarios[paired.scenario].report_set}].push_back(i);
  }
  if (std::all_of(groups.begin(), groups.end(),
                  [](const auto& group) { return group.second.size() < 2; })) {
    return std::nullopt;
  }
  // Means and sums of squares stay what they are: only the products change.
  const double scale = std::sqrt(sums.Sxx() * sums.Syy());
  const double correction = sums.x * sums.y / sums.n;
  std::vector<double> permuted;
  permuted.reserve(static_cast<std::size_t>(options.permutations));
  std::vector<std::size_t> from;
  for (int i = 0; i < options.permutations; ++i) {
    IndexStream random(options.seed ^ kPurpose, static_cast<std::uint64_t>(i));
    double products = 0;
    for (const auto& [key, members] : groups) {
      from = members;
      Shuffle(from, random);
      for (std::size_t m = 0; m < members.size(); ++m) {
        const Values weight = pairs.WeightOf(pairs.scenarios[members[m]]);
        const Values report = pairs.ReportOf(pairs.scenarios[from[m]]);
        products += std::inner_product(weight.begin(), weight.end(), report.begin(), 0.0);
      }
    }
    permuted.push_back((products - correction) / scale);
  }
  PermutationResult result;
  result.permutations = options.permutations;
  result.mean_r = MomentsOf(permuted).mean;
  // The centre counts the observed order in, so that all orders stand alike under the null.
  const auto n = static_cast<double>(options.permutations);
  const double centre = (n * result.mean_r + *observed) / (n + 1);
  const double distance = std::abs(*observed - centre);
  const auto extreme = std::count_if(permuted.begin(), permuted.end(), [&](double r) {
    return std::abs(r - centre) >= distance - kTie;
  });
  result.p = (1 + static_cast<double>(extreme)) / (1 + n);
  return result;
}

std::optional<double> AttributePermutationP(Values weights, Values report, std::uint64_t seed,
                                            std::uint64_t stream) {
  if (!Cosine(weights, report)) return std::nullopt;
  // Norms stay what they are: only the product changes.
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto product = [&] {
    double sum = 0;
    for (std::size_t k = 0; k < order.size(); ++k) sum += weights[k] * report[order[k]];
    return sum;
  };
  const double observed = product();
  const double margin = kTie * std::max(1.0, std::abs(observed));
  std::int64_t extreme = 0;
  std::int64_t all = 0;
  if (order.size() <= kMostExact) {
    do {
      ++all;
      extreme += product() >= observed - margin ? 1 : 0;
    } while (std::next_permutation(order.begin(), order.end()));
  } else {
    IndexStream random(seed ^ kPurpose, stream);
    for (extreme = 1, all = 1; all <= kSampled; ++all) {
      Shuffle(order, random);
      extreme += product() >= observed - margin ? 1 : 0;
    }
  }
  return static_cast<double>(extreme) / static_cast<double>(all);
}

}  // namespace candor::statistics
