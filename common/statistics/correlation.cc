#include "common/statistics/correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace candor::statistics {
namespace {

// Positions of `values` in ascending order.
std::vector<std::size_t> Ascending(Values values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  return order;
}

// Sum over runs of equal neighbours of run (run - 1) / 2.
template <typename Equal>
std::int64_t TiedPairs(std::size_t n, Equal equal) {
  std::int64_t pairs = 0;
  std::int64_t run = 1;
  for (std::size_t i = 1; i <= n; ++i) {
    if (i < n && equal(i - 1, i)) {
      ++run;
    } else {
      pairs += run * (run - 1) / 2;
      run = 1;
    }
  }
  return pairs;
}

// Exchanges of neighbours that sorting takes: strict inversions.
std::int64_t SortAndCount(std::vector<double>& values, std::vector<double>& buffer,
                          std::size_t begin, std::size_t end) {
  if (end - begin < 2) return 0;
  const std::size_t middle = begin + (end - begin) / 2;
  std::int64_t swaps =
      SortAndCount(values, buffer, begin, middle) + SortAndCount(values, buffer, middle, end);
  std::size_t left = begin;
  std::size_t right = middle;
  for (std::size_t to = begin; to < end; ++to) {
    if (right == end || (left < middle && values[left] <= values[right])) {
      buffer[to] = values[left++];
    } else {
      swaps += static_cast<std::int64_t>(middle - left);
      buffer[to] = values[right++];
    }
  }
  std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(begin),
            buffer.begin() + static_cast<std::ptrdiff_t>(end),
            values.begin() + static_cast<std::ptrdiff_t>(begin));
  return swaps;
}

}  // namespace

Moments MomentsOf(Values values) {
  Moments moments;
  if (values.empty()) return moments;
  const auto n = static_cast<double>(values.size());
  moments.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return moments;
  double squares = 0;
  for (const double value : values) squares += (value - moments.mean) * (value - moments.mean);
  moments.sd = std::sqrt(squares / (n - 1));
  return moments;
}

std::optional<double> Pearson(Values a, Values b) {
  if (a.size() < 2) return std::nullopt;
  const Moments of_a = MomentsOf(a);
  const Moments of_b = MomentsOf(b);
  // A constant list has an sd of rounding errors only.
  if (of_a.sd <= 1e-13 * std::abs(of_a.mean) || of_b.sd <= 1e-13 * std::abs(of_b.mean)) {
    return std::nullopt;
  }
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += ((a[i] - of_a.mean) / of_a.sd) * ((b[i] - of_b.mean) / of_b.sd);
  }
  return std::clamp(sum / static_cast<double>(a.size() - 1), -1.0, 1.0);
}

std::vector<double> MidRanks(Values values) {
  const std::vector<std::size_t> order = Ascending(values);
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + end + 1) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

std::optional<double> Spearman(Values a, Values b) { return Pearson(MidRanks(a), MidRanks(b)); }

std::optional<double> KendallTauB(Values a, Values b) {
  const std::size_t n = a.size();
  if (n < 2) return std::nullopt;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    if (a[i] != a[j]) return a[i] < a[j];
    if (b[i] != b[j]) return b[i] < b[j];
    return i < j;
  });
  const std::int64_t tied_a =
      TiedPairs(n, [&](std::size_t i, std::size_t j) { return a[order[i]] == a[order[j]]; });
  const std::int64_t tied_both = TiedPairs(n, [&](std::size_t i, std::size_t j) {
    return a[order[i]] == a[order[j]] && b[order[i]] == b[order[j]];
  });
  std::vector<double> by_a(n);
  for (std::size_t i = 0; i < n; ++i) by_a[i] = b[order[i]];
  std::vector<double> buffer(n);
  const std::int64_t swaps = SortAndCount(by_a, buffer, 0, n);
  const std::int64_t tied_b =
      TiedPairs(n, [&](std::size_t i, std::size_t j) { return by_a[i] == by_a[j]; });
  const auto all = static_cast<std::int64_t>(n) * (static_cast<std::int64_t>(n) - 1) / 2;
  const double scale =
      std::sqrt(static_cast<double>(all - tied_a)) * std::sqrt(static_cast<double>(all - tied_b));
  if (scale <= 0) return std::nullopt;
  const std::int64_t difference = all - tied_a - tied_b + tied_both - 2 * swaps;
  return std::clamp(static_cast<double>(difference) / scale, -1.0, 1.0);
}

std::optional<double> Cosine(Values a, Values b) {
  const double of_a = std::sqrt(std::inner_product(a.begin(), a.end(), a.begin(), 0.0));
  const double of_b = std::sqrt(std::inner_product(b.begin(), b.end(), b.begin(), 0.0));
  if (of_a <= 0 || of_b <= 0) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] / of_a) * (b[i] / of_b);
  return std::clamp(sum, -1.0, 1.0);
}

std::optional<double> SignAgreement(Values a, Values b) {
  std::int64_t same = 0;
  std::int64_t pairs = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == 0 || b[i] == 0) continue;
    ++pairs;
    same += (a[i] > 0) == (b[i] > 0) ? 1 : 0;
  }
  if (pairs == 0) return std::nullopt;
  return static_cast<double>(same) / static_cast<double>(pairs);
}

std::size_t LargestMagnitude(Values values) {
  std::size_t largest = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (std::abs(values[i]) > std::abs(values[largest])) largest = i;
  }
  return largest;
}

double Quantile(Values sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

}  // namespace candor::statistics
