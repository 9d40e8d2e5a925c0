// Choosers with known weights, for tests and benchmarks of the statistics.
#pragma once

#include "common/base/random.h"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace candor::statistics {

inline double Sigmoid(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

// One standard normal number (Box and Muller).
inline double DrawNormal(RandomStream& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.Uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.Uniform());
}

// One number of Student's t distribution with 3 degrees of freedom: a normal over the root of a
// chi-square by its degrees.
inline double DrawStudent3(RandomStream& random) {
  const double normal = DrawNormal(random);
  double chi_square = 0;
  for (int i = 0; i < 3; ++i) {
    const double one = DrawNormal(random);
    chi_square += one * one;
  }
  return normal / std::sqrt(chi_square / 3);
}

// Trials as a study draws them, [n, K]: both options uniform over each attribute's range.
inline Eigen::MatrixXd DrawTrials(RandomStream& random, Eigen::Index n, Eigen::Index attributes) {
  Eigen::MatrixXd x(n, attributes);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index k = 0; k < attributes; ++k) x(i, k) = random.Uniform() - random.Uniform();
  }
  return x;
}

// A choice with the given log-odds of A: 1 or 0.
inline double DrawChoice(RandomStream& random, double log_odds) {
  return random.Uniform() < Sigmoid(log_odds) ? 1 : 0;
}

// One scenario and what is true of it.
struct DrawnScenario {
  Eigen::MatrixXd x;        // [n, K]
  Eigen::VectorXd y;        // [n]
  Eigen::VectorXd weights;  // [K]
  double intercept = 0;     // centred
};

// Weights from Normal(0, tau^2), the centred intercept from Student-t(3, 0, 2.5): the prior of the
// choice model.
inline DrawnScenario DrawFromPrior(RandomStream& random, Eigen::Index n, Eigen::Index attributes,
                                   double tau) {
  DrawnScenario drawn;
  drawn.weights.resize(attributes);
  for (Eigen::Index k = 0; k < attributes; ++k) drawn.weights(k) = tau * DrawNormal(random);
  drawn.intercept = 2.5 * DrawStudent3(random);
  drawn.x = DrawTrials(random, n, attributes);
  const Eigen::RowVectorXd centre = drawn.x.colwise().mean();
  drawn.y.resize(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const double log_odds = drawn.intercept + (drawn.x.row(i) - centre).dot(drawn.weights);
    drawn.y(i) = DrawChoice(random, log_odds);
  }
  return drawn;
}

// Weights as the paper instils them (method.md, section 2): uniform on [-100, 100], scaled so that
// the largest magnitude is 100, rounded. [K]
inline Eigen::VectorXd DrawInstilledWeights(RandomStream& random, Eigen::Index attributes) {
  Eigen::VectorXd weights(attributes);
  for (Eigen::Index k = 0; k < attributes; ++k) weights(k) = 200 * random.Uniform() - 100;
  const double largest = std::max(weights.cwiseAbs().maxCoeff(), 1e-300);
  for (Eigen::Index k = 0; k < attributes; ++k) {
    weights(k) = std::nearbyint(100 * weights(k) / largest);
  }
  return weights;
}

}  // namespace candor::statistics
