// How far ExpectPrecision is from what studies of a design show.
//
//   build/release/bench/precision_bench [--studies N]
//
// Whole studies: weights from Normal(0, tau^2), a position bias of sd 0.5, trials, noisy choices,
// fits, normalised weights; reports of what the model believes, 10 a scenario. Beliefs hold as much
// of the true weights as gives a slope of 0.5 on average, which is what ExpectPrecision assumes.
//
// Reliability: the squared correlation of estimated with true weights, in log-odds and normalised
// to 100, and what the split-half of an analysis says.
//
// Power is that of two entries whose slopes differ by the expected smallest contrast, around 0.5:
// how often the closed-form interval leaves out 0 when each has scenarios and weights of its own,
// and when both are judged against the same weights; and how often the bootstrap's does, then.
#include "common/statistics/choice_model.h"
#include "common/statistics/contrast.h"
#include "common/statistics/normalise.h"
#include "common/statistics/precision.h"
#include "tests/unit/common/statistics/chooser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace candor::statistics {
namespace {

constexpr std::uint64_t kSeed = 9'001;
constexpr int kReports = 10;
constexpr double kPositionBias = 0.5;
// Standard deviation of a single report about the belief.
constexpr double kReportNoise = 25;

// What studies of one design are made of: everything but the beliefs.
struct Material {
  Comparison comparison;
  // Normalised, [K] a scenario: the true weights, and those of nobody.
  std::vector<Eigen::VectorXd> truth;
  std::vector<Eigen::VectorXd> unrelated;
  // In log-odds, [K] a scenario one after the other.
  std::vector<double> true_log_odds;
  std::vector<double> estimated_log_odds;
};

Eigen::VectorXd DrawBelief(RandomStream& random, Eigen::Index attributes) {
  Eigen::VectorXd weights(attributes);
  for (double& weight : weights) weight = DrawNormal(random);
  return NormaliseWeights(weights);
}

// Normalised weights, and those in log-odds.
Eigen::VectorXd Estimate(ChoiceFitter& fitter, const Eigen::MatrixXd& x, const Eigen::VectorXd& y,
                         double tau, std::vector<double>* weights) {
  ChoiceFit fit;
  if (const Status status = fitter.Fit(x, y, {.tau = tau}, &fit); !status.ok()) std::abort();
  const Eigen::VectorXd log_odds = fit.mean.tail(x.cols());
  const Eigen::VectorXd normalised = NormaliseWeights(log_odds);
  weights->assign(normalised.begin(), normalised.end());
  return log_odds;
}

Material Draw(const Design& design, std::uint64_t stream) {
  RandomStream random(kSeed, stream);
  const auto attributes = static_cast<Eigen::Index>(design.attributes);
  const auto trials = static_cast<Eigen::Index>(design.trials);
  ChoiceFitter fitter;
  Material material;
  for (std::int64_t i = 0; i < design.scenarios; ++i) {
    const Eigen::MatrixXd x = DrawTrials(random, trials, attributes);
    Eigen::VectorXd weights(attributes);
    for (double& weight : weights) weight = design.tau * DrawNormal(random);
    const double bias = kPositionBias * DrawNormal(random);
    Eigen::VectorXd y(trials);
    for (Eigen::Index t = 0; t < trials; ++t)
      y(t) = DrawChoice(random, bias + x.row(t).dot(weights));
    ComparedScenario scenario;
    scenario.replies_total = kReports;
    const Eigen::VectorXd estimate = Estimate(fitter, x, y, design.tau, &scenario.weights);
    material.true_log_odds.insert(material.true_log_odds.end(), weights.begin(), weights.end());
    material.estimated_log_odds.insert(material.estimated_log_odds.end(), estimate.begin(),
                                       estimate.end());
    const Eigen::Index half = trials / 2;
    Estimate(fitter, x.topRows(half), y.head(half), design.tau, &scenario.first_half);
    Estimate(fitter, x.bottomRows(half), y.tail(half), design.tau, &scenario.second_half);
    material.comparison.scenarios.push_back(scenario);
    material.truth.push_back(NormaliseWeights(weights));
    material.unrelated.push_back(DrawBelief(random, attributes));
  }
  return material;
}

// Reports of beliefs that hold `knowledge` of the truth; `stream` draws the noise.
Comparison Report(const Material& material, double knowledge, std::uint64_t stream) {
  RandomStream random(kSeed + 1, stream);
  Comparison comparison = material.comparison;
  for (std::size_t i = 0; i < comparison.scenarios.size(); ++i) {
    const Eigen::VectorXd belief = knowledge * material.truth[i] +
                                   std::sqrt(1 - knowledge * knowledge) * material.unrelated[i];
    for (int report = 0; report < kReports; ++report) {
      for (const double value : belief) {
        comparison.scenarios[i].reports.push_back(value + kReportNoise * DrawNormal(random));
      }
    }
  }
  return comparison;
}

double MeanSlope(const std::vector<Material>& studies, double knowledge) {
  double sum = 0;
  for (std::size_t i = 0; i < studies.size(); ++i) {
    sum += FitLine(PairUp(Report(studies[i], knowledge, i)))->slope;
  }
  return sum / static_cast<double>(studies.size());
}

// The knowledge that gives this slope on average.
double Calibrate(const std::vector<Material>& studies, double slope) {
  double low = 0;
  double high = 1;
  for (int step = 0; step < 8; ++step) {
    const double middle = (low + high) / 2;
    (MeanSlope(studies, middle) < slope ? low : high) = middle;
  }
  return (low + high) / 2;
}

template <typename Values>
void Append(const Values& values, std::vector<double>* to) {
  to->insert(to->end(), values.begin(), values.end());
}

ContrastResult Contrast(const Comparison& trained, const Comparison& untrained,
                        std::uint64_t seed) {
  const ConditionPair base{&trained, &untrained};
  return *MeasureContrast(std::span(&base, 1), {.resamples = 400, .seed = seed});
}

void PrintRow(const Design& design, int n_studies) {
  const DesignPrecision expected = ExpectPrecision(design);
  std::vector<Material> studies;
  for (int i = 0; i < n_studies; ++i) {
    studies.push_back(Draw(design, static_cast<std::uint64_t>(i)));
  }
  double student = 0;
  double robust = 0;
  double split_half = 0;
  std::vector<double> truth;
  std::vector<double> estimated;
  const double knowledge = Calibrate(studies, 0.5);
  const double more = Calibrate(studies, 0.5 + expected.smallest_contrast / 2);
  const double less = Calibrate(studies, 0.5 - expected.smallest_contrast / 2);
  std::vector<double> true_log_odds;
  std::vector<double> estimated_log_odds;
  int seen_apart = 0;
  int seen = 0;
  int seen_by_bootstrap = 0;
  for (std::size_t i = 0; i < studies.size(); ++i) {
    const Comparison comparison = Report(studies[i], knowledge, i);
    const PairedReports pairs = PairUp(comparison);
    const LineFit line = *FitLine(pairs);
    student += line.interval->high - line.interval->low;
    robust += line.cluster_interval->high - line.cluster_interval->low;
    split_half += Total(SumsByScenario(comparison, pairs)).WeightsReliability().value_or(0);
    for (const ComparedScenario& scenario : comparison.scenarios)
      Append(scenario.weights, &estimated);
    for (const Eigen::VectorXd& weights : studies[i].truth) Append(weights, &truth);
    Append(studies[i].true_log_odds, &true_log_odds);
    Append(studies[i].estimated_log_odds, &estimated_log_odds);

    const Comparison trained = Report(studies[i], more, i + 1'000'000);
    const Comparison untrained = Report(studies[i], less, i + 2'000'000);
    const Comparison apart = Report(studies[(i + 1) % studies.size()], less, i + 3'000'000);
    seen_apart += Contrast(trained, apart, 0).interval->low > 0 ? 1 : 0;
    const ContrastResult contrast = Contrast(trained, untrained, i);
    seen += contrast.interval->low > 0 ? 1 : 0;
    seen_by_bootstrap += contrast.slope_bootstrap->low > 0 ? 1 : 0;
  }
  const double r = *Pearson(truth, estimated);
  const double r_log_odds = *Pearson(true_log_odds, estimated_log_odds);
  const double n = n_studies;
  fmt::print(
      "{:>9} {:>3} {:>6}   {:>8.3f} {:>7.3f} {:>7.3f}   {:>8.2f} {:>8.2f} {:>10.2f} {:>10.2f}   "
      "{:>8.3f} {:>6.0f}% {:>6.0f}% {:>9.0f}%\n",
      design.scenarios, design.attributes, design.trials, expected.interval_width, student / n,
      robust / n, expected.weights_reliability, r_log_odds * r_log_odds, r * r, split_half / n,
      expected.smallest_contrast, 100 * seen_apart / n, 100 * seen / n,
      100 * seen_by_bootstrap / n);
  if (std::max(more, 1 - less) > 0.99) fmt::print("{:>18}   (such slopes cannot be reached)\n", "");
}

}  // namespace
}  // namespace candor::statistics

int main(int argc, char** argv) {
  int studies = 200;
  if (argc == 3 && std::string_view(argv[1]) == "--studies") studies = std::atoi(argv[2]);
  if (studies < 1 || (argc != 1 && argc != 3)) {
    fmt::print(stderr, "usage: precision_bench [--studies N]\n");
    return 2;
  }
  fmt::print("{} studies a row, slope 0.5, tau 1\n\n", studies);
  fmt::print("{:18}     {:^22}    {:^39}   {:^33}\n", "design", "interval width",
             "reliability of weights", "smallest contrast: power");
  fmt::print(
      "{:>9} {:>3} {:>6}   {:>8} {:>7} {:>7}   {:>8} {:>8} {:>10} {:>10}   {:>8} {:>7} {:>7} "
      "{:>10}\n",
      "scenarios", "K", "trials", "expected", "Student", "CR1", "expected", "log-odds",
      "normalised", "split-half", "expected", "apart", "same", "bootstrap");
  for (const double scenarios : {20.0, 40.0, 100.0}) {
    for (const double trials : {20.0, 50.0, 100.0}) {
      candor::statistics::PrintRow({.scenarios = static_cast<std::int64_t>(scenarios),
                                    .attributes = 5,
                                    .trials = trials,
                                    .tau = 1},
                                   studies);
    }
  }
  candor::statistics::PrintRow({.scenarios = 40, .attributes = 3, .trials = 50, .tau = 1}, studies);
  candor::statistics::PrintRow({.scenarios = 40, .attributes = 8, .trials = 100, .tau = 1},
                               studies);
  return 0;
}
