// The line of agreement: standardised weight on standardised report, by least squares, with the two
// intervals that stand beside each other.
//
//   const PairedReports pairs = PairUp(comparison);
//   if (const auto line = FitLine(pairs)) Print(line->slope, line->interval);
//
// weight_i = intercept + slope report_i + error_i over the n pairs of (scenario, attribute).
#pragma once

#include "common/statistics/comparison.h"

#include <cstdint>
#include <optional>

namespace candor::statistics {

// Ends of a 95 % interval.
struct Interval {
  double low = 0;
  double high = 0;
};

// Sums over some pairs (x, y); they add up, so that scenarios can be resampled without their pairs.
struct PairSums {
  double n = 0;
  double x = 0;
  double y = 0;
  double xx = 0;
  double xy = 0;
  double yy = 0;

  static PairSums Of(Values x, Values y);
  // Here, so that resampling spends its time on sums instead of calls.
  PairSums& operator+=(const PairSums& other) {
    n += other.n;
    x += other.x;
    y += other.y;
    xx += other.xx;
    xy += other.xy;
    yy += other.yy;
    return *this;
  }

  // Sums of squares and products about the means.
  double Sxx() const { return xx - x * x / n; }
  double Sxy() const { return xy - x * y / n; }
  double Syy() const { return yy - y * y / n; }
  // Absent with fewer than 2 pairs or a constant x (or, for r, y).
  std::optional<double> Slope() const;
  std::optional<double> R() const;
};

struct LineFit {
  double slope = 0;
  double intercept = 0;
  double r = 0;
  // Residual sum of squares, and sum of squares of the reports about their mean.
  double rss = 0;
  double sxx = 0;
  // sqrt(rss / (n - 2) / sxx); slope +- t(.975, n - 2) standard_error, as the paper has it. Absent
  // with fewer than 3 pairs.
  std::optional<double> standard_error;
  std::optional<Interval> interval;
  // Cluster-robust, scenarios as clusters: CR1 = G / (G - 1) (n - 1) / (n - 2) times the sandwich
  // (Liang and Zeger 1986, Biometrika 73, 13-22; the factor as in Stata and R's clubSandwich),
  // slope +- t(.975, G - 1) of it. Absent with fewer than 2 scenarios or 3 pairs.
  std::optional<double> cluster_standard_error;
  std::optional<Interval> cluster_interval;
  // Two-sided p of a slope of 0, by the cluster-robust error and t(G - 1).
  std::optional<double> p;
  std::int64_t n_pairs = 0;
  std::int64_t n_scenarios = 0;
};

// Absent when there are fewer than 2 pairs, or either side is constant.
std::optional<LineFit> FitLine(const PairedReports& pairs);

// Quantile .975 of Student's t. degrees >= 1.
double StudentT975(double degrees);
// P(|T| >= |t|) of Student's t.
double StudentTwoSidedP(double t, double degrees);

}  // namespace candor::statistics
