// What designs save: error of the estimated weights against the number of calls, for choosers with
// known weights. The table and the plot of docs/guides/designs.md.
//
//   candor_design_bench [--scenarios 1000] [--tau 1] [--decisiveness 6] [--bias 1.5] [--svg FILE]
//
// The chooser is the simulator's (simulator/decision_model.h): weights w as the paper instils them,
// A with probability sigmoid(decisiveness * sum_k w_k / 100 * x_k + position bias). The error of a
// scenario is the mean over its attributes of |normalised estimate - w|, in points of 100; every
// design meets the same scenarios.
#include "common/base/files.h"
#include "common/statistics/adaptive.h"
#include "common/statistics/choice_model.h"
#include "common/statistics/normalise.h"
#include "tests/bench/statistics/line_chart.h"
#include "tests/unit/common/statistics/chooser.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

namespace candor::statistics {
namespace {

constexpr Eigen::Index kAttributes = 5;
constexpr std::array<Eigen::Index, 11> kCalls = {6, 10, 14, 20, 26, 30, 40, 50, 60, 80, 100};
constexpr Eigen::Index kMostCalls = kCalls.back();

struct Settings {
  int scenarios = 1000;
  double tau = 1;
  double decisiveness = 6;
  double bias = 1.5;
  std::string svg;
};

struct Design {
  std::string name;
  bool adaptive = false;
  bool both_orders = false;
  // The answer is the probability of A, not a letter.
  bool soft = false;
  // Standard deviation of what a trial adds to the chooser's log-odds that no weight explains.
  double noise = 0;
};

// Errors of one design at each of kCalls.
struct Curve {
  std::array<double, kCalls.size()> error{};           // mean over scenarios
  std::array<double, kCalls.size()> standard_error{};  // of that mean
};

void Check(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "candor_design_bench: {}\n", status.ToString());
  std::exit(1);
}

// One scenario asked by one design; errors at each of kCalls.
class Session {
 public:
  Session(const Settings& settings, const Design& design, double bias)
      : settings_(settings), design_(design), bias_(bias) {}

  std::array<double, kCalls.size()> Run(std::uint64_t scenario) {
    RandomStream weights_random(/*key=*/1, scenario);
    weights_ = DrawInstilledWeights(weights_random, kAttributes);
    // Trials and answers in streams of their own: random designs meet the same trials.
    RandomStream trials(/*key=*/2, scenario);
    RandomStream answers(/*key=*/3, scenario);
    std::array<double, kCalls.size()> errors{};
    std::size_t checkpoint = 0;
    for (Eigen::Index call = 0; call < kMostCalls; ++call) {
      if (design_.both_orders && call % 2 == 1) {
        x_.row(call) = -x_.row(call - 1);
      } else {
        Propose(call, trials);
      }
      y_(call) = Answer(call, answers);
      if (call + 1 == kCalls[checkpoint]) errors[checkpoint++] = Error(call + 1);
    }
    return errors;
  }

 private:
  void Propose(Eigen::Index call, RandomStream& random) {
    if (!design_.adaptive || call < kAdaptiveRandomTrials) {
      x_.row(call) = DrawTrials(random, 1, kAttributes);
      return;
    }
    const Eigen::MatrixXd candidates = DrawTrials(random, kAdaptiveCandidates, kAttributes);
    const StatusOr<std::size_t> next =
        ProposeNext(fitter_, x_.topRows(call), y_.head(call), candidates, {.tau = settings_.tau});
    Check(next.status());
    x_.row(call) = candidates.row(static_cast<Eigen::Index>(*next));
  }

  double Answer(Eigen::Index call, RandomStream& random) const {
    double log_odds = settings_.decisiveness * x_.row(call).dot(weights_) / 100 + bias_;
    if (design_.noise > 0) log_odds += design_.noise * DrawNormal(random);
    return design_.soft ? Sigmoid(log_odds) : DrawChoice(random, log_odds);
  }

  double Error(Eigen::Index calls) {
    Check(fitter_.Fit(x_.topRows(calls), y_.head(calls), {.tau = settings_.tau}, &fit_));
    const Eigen::VectorXd normalised = NormaliseWeights(fit_.mean.tail(kAttributes));
    if (normalised.size() == 0) return weights_.cwiseAbs().mean();
    return (normalised - weights_).cwiseAbs().mean();
  }

  const Settings& settings_;
  const Design& design_;
  double bias_;
  ChoiceFitter fitter_;
  ChoiceFit fit_;
  Eigen::VectorXd weights_;
  Eigen::MatrixXd x_ = Eigen::MatrixXd(kMostCalls, kAttributes);
  Eigen::VectorXd y_ = Eigen::VectorXd(kMostCalls);
};

Curve Measure(const Settings& settings, const Design& design, double bias) {
  std::array<double, kCalls.size()> sum{};
  std::array<double, kCalls.size()> squares{};
  Session session(settings, design, bias);
  for (int s = 0; s < settings.scenarios; ++s) {
    const auto errors = session.Run(static_cast<std::uint64_t>(s));
    for (std::size_t c = 0; c < kCalls.size(); ++c) {
      sum[c] += errors[c];
      squares[c] += errors[c] * errors[c];
    }
  }
  Curve curve;
  const double n = settings.scenarios;
  for (std::size_t c = 0; c < kCalls.size(); ++c) {
    curve.error[c] = sum[c] / n;
    curve.standard_error[c] = std::sqrt(
        std::max(0.0, squares[c] / n - curve.error[c] * curve.error[c]) / std::max(1.0, n - 1));
  }
  return curve;
}

// How many calls of `reference` have the given error, between its measured points by the power law
// through its neighbours; 0 when even the most calls do not.
double CallsFor(const Curve& reference, double error) {
  if (error >= reference.error[0]) return static_cast<double>(kCalls[0]);
  for (std::size_t c = 1; c < kCalls.size(); ++c) {
    if (reference.error[c] > error) continue;
    const double share = std::log(reference.error[c - 1] / error) /
                         std::log(reference.error[c - 1] / reference.error[c]);
    const auto before = static_cast<double>(kCalls[c - 1]);
    return before * std::pow(static_cast<double>(kCalls[c]) / before, share);
  }
  return 0;
}

ChartPanel MeasurePanel(const Settings& settings, double bias, const std::vector<Design>& designs) {
  fmt::print("position bias {}\n\n{:>6}", bias, "calls");
  std::vector<Curve> curves;
  ChartPanel panel;
  panel.title =
      bias == 0 ? "No position bias" : fmt::format("Position bias {} (log-odds of A)", bias);
  for (const Design& design : designs) {
    fmt::print(" {:>24}", design.name);
    curves.push_back(Measure(settings, design, bias));
    ChartLine& line = panel.lines.emplace_back();
    line.label = design.name;
    line.x.assign(kCalls.begin(), kCalls.end());
    line.y.assign(curves.back().error.begin(), curves.back().error.end());
  }
  for (std::size_t c = 0; c < kCalls.size(); ++c) {
    fmt::print("\n{:>6}", kCalls[c]);
    for (const Curve& curve : curves) {
      fmt::print(" {:>17.2f} +-{:>5.2f}", curve.error[c], 1.96 * curve.standard_error[c]);
    }
  }
  fmt::print("\n\nas good as how many calls of the first design:\n");
  for (const std::size_t c : {std::size_t{4}, std::size_t{7}}) {
    for (std::size_t d = 1; d < designs.size(); ++d) {
      const double calls = CallsFor(curves[0], curves[d].error[c]);
      fmt::print("  {:>3} {:<24} {}\n", kCalls[c], designs[d].name,
                 calls > 0 ? fmt::format("{:.0f}", calls) : fmt::format("above {}", kMostCalls));
    }
  }
  fmt::print("\n");
  return panel;
}

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"Error of estimated weights against the number of calls, by design."};
  app.add_option("--scenarios", settings.scenarios, "Scenarios a design")
      ->check(CLI::Range(2, 1'000'000));
  app.add_option("--tau", settings.tau, "Prior standard deviation of the fits")
      ->check(CLI::Range(kMinTau, kMaxTau));
  app.add_option("--decisiveness", settings.decisiveness,
                 "Log-odds per unit of utility difference");
  app.add_option("--bias", settings.bias, "Log-odds of A at a tie, in the second table");
  app.add_option("--svg", settings.svg, "File for the plot");
  CLI11_PARSE(app, argc, argv);

  fmt::print(
      "{} scenarios of {} attributes, decisiveness {}, fitted at tau {}; mean |error| of a "
      "normalised weight\nin points of 100, with 95 % intervals\n\n",
      settings.scenarios, kAttributes, settings.decisiveness, settings.tau);
  Chart chart{.title = "Error of estimated weights by design",
              .x_label = "calls a scenario",
              .y_label = "mean |error| of a weight (points of 100)",
              .panels = {}};
  chart.panels.push_back(
      MeasurePanel(settings, 0,
                   {{.name = "random"},
                    {.name = "adaptive", .adaptive = true},
                    {.name = "log-probabilities", .soft = true},
                    {.name = "adaptive, log-prob.", .adaptive = true, .soft = true},
                    {.name = "log-prob., noise 1", .soft = true, .noise = 1}}));
  chart.panels.push_back(
      MeasurePanel(settings, settings.bias,
                   {{.name = "random, one order"},
                    {.name = "adaptive, one order", .adaptive = true},
                    {.name = "random, both orders", .both_orders = true},
                    {.name = "adaptive, both orders", .adaptive = true, .both_orders = true}}));
  if (!settings.svg.empty()) {
    Check(WriteFileAtomically(settings.svg, RenderSvg(chart)));
    fmt::print("plot: {}\n", settings.svg);
  }
  return 0;
}

}  // namespace
}  // namespace candor::statistics

int main(int argc, char** argv) { return candor::statistics::Main(argc, argv); }
