#include "common/statistics/multiple_testing.h"

#include <algorithm>
#include <cstddef>

namespace candor::statistics {
namespace {

// Positions of the tests made, by ascending p.
std::vector<std::size_t> Ascending(const PValues& p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i]) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return *p[i] < *p[j]; });
  return order;
}

}  // namespace

PValues Holm(const PValues& p) {
  const std::vector<std::size_t> order = Ascending(p);
  PValues adjusted(p.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const auto left = static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, left * *p[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

PValues BenjaminiHochberg(const PValues& p) {
  const std::vector<std::size_t> order = Ascending(p);
  PValues adjusted(p.size());
  double smallest = 1;
  for (std::size_t rank = order.size(); rank-- > 0;) {
    const double factor = static_cast<double>(order.size()) / static_cast<double>(rank + 1);
    smallest = std::min(smallest, factor * *p[order[rank]]);
    adjusted[order[rank]] = smallest;
  }
  return adjusted;
}

}  // namespace candor::statistics
