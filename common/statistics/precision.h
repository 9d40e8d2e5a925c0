// What a design can be expected to tell, before a call is paid for.
//
//   const DesignPrecision precision = ExpectPrecision({.scenarios = 100, .attributes = 5,
//                                                      .trials = 50});
//
// Formulas, for a slope of 0.5 of standardised weights on standardised reports:
//
//   standard error of the slope   sqrt((1 - 0.5^2) / (n - 2)), n = scenarios x attributes pairs
//   interval width                2 t(.975, n - 2) times that
//   smallest contrast             (1.96 + 0.84) sqrt(2) times that: 5 %, two-sided, 80 % power, two
//                                 entries of the same design
//   reliability of the weights    i / (1 + i), i = trials x E[p (1 - p)] x 1 / 6 times tau^2: the
//                                 information of a trial on a weight (options are uniform, so a
//                                 difference x has variance 1 / 6) against the prior's. E[p (1 -
//                                 p)] is that of log-odds of variance K tau^2 / 6, by the probit
//                                 approximation: 1 / 4 / sqrt(1 + K tau^2 / 6 x 0.36).
//
// They are those of the interval by Student's t, for models without position bias, and take every
// reply for readable. Against whole simulated studies (tests/bench/agreement/precision_bench.cc; 20
// to 100 scenarios, 20 to 100 trials, position biases of sd 0.5): Student's interval is within 1 %
// of the width; the cluster-robust one is often narrower, since extreme reports err less, and wider
// where the pairs of a scenario go together. The smallest contrast is seen in 85 to 88 % when the
// two entries have scenarios and weights of their own and at least 50 trials; with 20, a slope so
// large is out of reach. Entries judged against the same weights share their noise, so that smaller
// contrasts are seen, too. The weights' reliability is .03 to .06 lower in log-odds than here, and
// .06 to .14 lower once they are normalised to 100.
#pragma once

#include <cstdint>

namespace candor::statistics {

struct Design {
  // Scenarios with both choices and self-reports.
  std::int64_t scenarios = 0;
  // Attributes of a scenario; the mean where they differ.
  double attributes = 0;
  // Trials of a scenario: both orders of a pair are two, samples of one trial are one.
  double trials = 0;
  // Prior standard deviation of the weights.
  double tau = 1;
};

struct DesignPrecision {
  double interval_width = 0;
  double smallest_contrast = 0;
  double weights_reliability = 0;
};

// Zeros for a design of fewer than 3 pairs, which tells nothing.
DesignPrecision ExpectPrecision(const Design& design);

}  // namespace candor::statistics
