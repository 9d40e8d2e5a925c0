// How two lists of numbers go together. Each function takes n pairs (a_i, b_i), finite, and gives
// nothing where its statistic is not defined: fewer than 2 pairs, or a list that is constant.
//
// Pure; may be called by any number of threads.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace candor::statistics {

using Values = std::span<const double>;

// Pearson's r, in [-1, 1].
std::optional<double> Pearson(Values a, Values b);

// Spearman's rank correlation: Pearson's r of mid-ranks. O(n log n).
std::optional<double> Spearman(Values a, Values b);

// Kendall's tau-b, ties taken off both sides (Kendall 1945, "The Treatment of Ties in Ranking
// Problems", Biometrika 33, 239-251), by Knight's merge sort (1966). O(n log n).
std::optional<double> KendallTauB(Values a, Values b);

// Ranks from 1; equal values share the mean of their ranks.
std::vector<double> MidRanks(Values values);

// a.b / (|a| |b|). Absent when either vector is 0.
std::optional<double> Cosine(Values a, Values b);

// The share of pairs with the same sign, of those in which neither number is 0.
std::optional<double> SignAgreement(Values a, Values b);

// The first position of largest magnitude. `values` is not empty.
std::size_t LargestMagnitude(Values values);

// Mean and standard deviation (n - 1). An sd of 0 for fewer than 2 values.
struct Moments {
  double mean = 0;
  double sd = 0;
};
Moments MomentsOf(Values values);

// Quantile of a sorted list by linear interpolation (type 7 of Hyndman and Fan 1996, R's default).
// `sorted` is not empty, 0 <= q <= 1.
double Quantile(Values sorted, double q);

}  // namespace candor::statistics
