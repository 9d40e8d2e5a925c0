#include "common/statistics/line.h"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace candor::statistics {
namespace {

// Below this share of the sum of squares, what is left about the mean is rounding.
constexpr double kConstant = 1e-12;

}  // namespace

PairSums PairSums::Of(Values x, Values y) {
  PairSums sums;
  sums.n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    sums.x += x[i];
    sums.y += y[i];
    sums.xx += x[i] * x[i];
    sums.xy += x[i] * y[i];
    sums.yy += y[i] * y[i];
  }
  return sums;
}

std::optional<double> PairSums::Slope() const {
  if (n < 2 || Sxx() <= kConstant * xx) return std::nullopt;
  return Sxy() / Sxx();
}

std::optional<double> PairSums::R() const {
  if (n < 2 || Sxx() <= kConstant * xx || Syy() <= kConstant * yy) return std::nullopt;
  return std::clamp(Sxy() / std::sqrt(Sxx() * Syy()), -1.0, 1.0);
}

double StudentT975(double degrees) {
  return boost::math::quantile(boost::math::students_t(degrees), 0.975);
}

double StudentTwoSidedP(double t, double degrees) {
  return 2 *
         boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), std::abs(t)));
}

std::optional<LineFit> FitLine(const PairedReports& pairs) {
  const PairSums sums = PairSums::Of(pairs.report, pairs.weight);
  const std::optional<double> slope = sums.Slope();
  const std::optional<double> r = sums.R();
  if (!slope || !r) return std::nullopt;

  LineFit line;
  line.slope = *slope;
  line.r = *r;
  line.intercept = (sums.y - *slope * sums.x) / sums.n;
  line.sxx = sums.Sxx();
  line.n_pairs = static_cast<std::int64_t>(pairs.report.size());
  line.n_scenarios = static_cast<std::int64_t>(pairs.scenarios.size());
  // Scores u_g = sum over the scenario of (x - mean x) error: the slope's part of the sandwich.
  const double mean_x = sums.x / sums.n;
  double scores = 0;
  for (const PairedScenario& scenario : pairs.scenarios) {
    double score = 0;
    for (std::size_t i = scenario.begin; i < scenario.begin + scenario.size; ++i) {
      const double error = pairs.weight[i] - line.intercept - line.slope * pairs.report[i];
      line.rss += error * error;
      score += (pairs.report[i] - mean_x) * error;
    }
    scores += score * score;
  }
  if (line.n_pairs < 3) return line;
  const auto around = [&](double error, double degrees) {
    const double half = StudentT975(degrees) * error;
    return Interval{line.slope - half, line.slope + half};
  };
  line.standard_error = std::sqrt(line.rss / (sums.n - 2) / line.sxx);
  line.interval = around(*line.standard_error, sums.n - 2);
  if (line.n_scenarios < 2) return line;
  const auto clusters = static_cast<double>(line.n_scenarios);
  const double factor = clusters / (clusters - 1) * (sums.n - 1) / (sums.n - 2);
  line.cluster_standard_error = std::sqrt(factor * scores) / line.sxx;
  line.cluster_interval = around(*line.cluster_standard_error, clusters - 1);
  if (*line.cluster_standard_error > 0) {
    line.p = StudentTwoSidedP(line.slope / *line.cluster_standard_error, clusters - 1);
  }
  return line;
}

}  // namespace candor::statistics
