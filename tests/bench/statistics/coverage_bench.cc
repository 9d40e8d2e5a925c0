// How often 95 % intervals hold the truth that choices were made with: the table of
// docs/guides/designs.md.
//
//   candor_coverage_bench [SCENARIOS]
//
// Weights and centred intercept are drawn from the choice model's own prior, at `drawn tau`, and
// fitted at `fit tau`. An interval is estimate +- 1.96 sd. Beside the posterior mean stands what
// the plain mode with Laplace's sd would cover. "middle" are scenarios whose less frequent answer
// makes at least a tenth: where all choices are alike, nothing but the prior bounds the intercept.
#include "common/statistics/choice_model.h"
#include "tests/unit/common/statistics/chooser.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace candor::statistics {
namespace {

// Shares of intervals that hold their truth.
class Coverage {
 public:
  void Add(double estimate, double sd, double truth) {
    ++total_;
    if (std::abs(estimate - truth) <= 1.96 * sd) ++covered_;
  }
  double percent() const { return total_ == 0 ? 0 : 100.0 * covered_ / total_; }

 private:
  int covered_ = 0;
  int total_ = 0;
};

struct Design {
  Eigen::Index trials;
  Eigen::Index attributes;
  double drawn_tau;
  double fit_tau;
};

bool PrintRow(const Design& design, int scenarios) {
  ChoiceFitter fitter;
  ChoiceFit fit;
  Coverage weights;
  Coverage laplace;
  Coverage intercept;
  Coverage bias;
  Coverage middle;
  for (int s = 0; s < scenarios; ++s) {
    RandomStream random(/*key=*/2, static_cast<std::uint64_t>(s));
    const DrawnScenario drawn =
        DrawFromPrior(random, design.trials, design.attributes, design.drawn_tau);
    if (const Status status = fitter.Fit(drawn.x, drawn.y, {.tau = design.fit_tau}, &fit);
        !status.ok()) {
      fmt::print(stderr, "scenario {}: {}\n", s, status.ToString());
      return false;
    }
    for (Eigen::Index k = 1; k <= design.attributes; ++k) {
      weights.Add(fit.mean(k), fit.sd(k), drawn.weights(k - 1));
      laplace.Add(fit.mode(k), std::sqrt(fit.covariance(k, k)), drawn.weights(k - 1));
    }
    intercept.Add(fit.mean(0), fit.sd(0), drawn.intercept);
    bias.Add(fit.position_bias, fit.position_bias_sd,
             drawn.intercept - fit.centre.dot(drawn.weights));
    const double share = drawn.y.mean();
    if (share >= 0.1 && share <= 0.9) middle.Add(fit.mean(0), fit.sd(0), drawn.intercept);
  }
  fmt::print("{:>6} {:>3} {:>9} {:>7}   {:>7.2f} {:>14.2f} {:>9.2f} {:>8.2f} {:>13.2f}\n",
             design.trials, design.attributes, design.drawn_tau, design.fit_tau, weights.percent(),
             laplace.percent(), intercept.percent(), middle.percent(), bias.percent());
  return true;
}

int Main(int scenarios) {
  fmt::print("{} scenarios a row; percent of 95 % intervals that hold the truth\n\n", scenarios);
  fmt::print(
      "trials   K drawn tau fit tau   weights mode + Laplace intercept (middle) position "
      "bias\n");
  for (const Design& design : {Design{50, 5, 1, 1},
                               {100, 5, 1, 1},
                               {25, 5, 1, 1},
                               {50, 2, 1, 1},
                               {50, 10, 1, 1},
                               {50, 5, 5, 5},
                               {100, 5, 5, 5},
                               {50, 5, 1, 5},
                               {50, 5, 5, 1}}) {
    if (!PrintRow(design, scenarios)) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace candor::statistics

int main(int argc, char** argv) {
  const int scenarios = argc > 1 ? std::atoi(argv[1]) : 20'000;
  return candor::statistics::Main(scenarios > 0 ? scenarios : 20'000);
}
