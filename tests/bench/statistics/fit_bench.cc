// What a fit of the choice model takes, on one core, beside R's glm on the same trials in the same
// run.
//
//   candor_fit_bench
//
// R is left out, and says so, where Rscript is not installed.
#include "common/base/files.h"
#include "common/statistics/adaptive.h"
#include "common/statistics/choice_model.h"
#include "common/statistics/fit_quality.h"
#include "tests/unit/common/statistics/chooser.h"

#include <fmt/format.h>

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace candor::statistics {
namespace {

constexpr int kScenarios = 1000;

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void Check(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "candor_fit_bench: {}\n", status.ToString());
  std::exit(1);
}

std::vector<DrawnScenario> Draw(Eigen::Index trials, Eigen::Index attributes) {
  std::vector<DrawnScenario> scenarios;
  for (std::uint64_t s = 0; s < kScenarios; ++s) {
    RandomStream random(/*key=*/1, s);
    scenarios.push_back(DrawFromPrior(random, trials, attributes, 1));
  }
  return scenarios;
}

// Microseconds a scenario, the least of five rounds.
double PerScenario(const std::vector<DrawnScenario>& scenarios,
                   const std::function<void(const DrawnScenario&)>& work) {
  double least = 1e300;
  for (int round = 0; round < 5; ++round) {
    const double before = CpuSeconds();
    for (const DrawnScenario& scenario : scenarios) work(scenario);
    least = std::min(least, CpuSeconds() - before);
  }
  return least / static_cast<double>(scenarios.size()) * 1e6;
}

std::string TrialsCsv(const std::vector<DrawnScenario>& scenarios) {
  std::string csv = "scenario,y,x_1,x_2,x_3,x_4,x_5\n";
  for (std::size_t s = 0; s < scenarios.size(); ++s) {
    for (Eigen::Index i = 0; i < scenarios[s].x.rows(); ++i) {
      fmt::format_to(std::back_inserter(csv), "{},{}", s, scenarios[s].y(i));
      for (Eigen::Index k = 0; k < scenarios[s].x.cols(); ++k) {
        fmt::format_to(std::back_inserter(csv), ",{}", scenarios[s].x(i, k));
      }
      csv += '\n';
    }
  }
  return csv;
}

void RunR(const std::vector<DrawnScenario>& scenarios) {
  if (std::system("command -v Rscript >/dev/null 2>&1") != 0) {
    fmt::print("R: LEFT OUT, Rscript is not installed (package r-base-core)\n");
    return;
  }
  const std::string file =
      (std::filesystem::temp_directory_path() / fmt::format("candor_fit_bench.{}.csv", ::getpid()))
          .string();
  Check(WriteFileAtomically(file, TrialsCsv(scenarios)));
  const std::string command = fmt::format(
      "Rscript --vanilla '{}/tests/bench/statistics/fit_bench.R' '{}'", CANDOR_SOURCE_DIR, file);
  std::fflush(stdout);
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    char function[32];
    double microseconds = 0;
    while (std::fscanf(pipe, "%31s %lf", function, &microseconds) == 2) {
      fmt::print("  reference: R's {:<8}{:>22.0f} us a fit, no prior, no intervals\n", function,
                 microseconds);
    }
    if (::pclose(pipe) != 0) fmt::print("R: LEFT OUT, {} failed\n", command);
  }
  std::filesystem::remove(file);
}

int Main() {
  const std::vector<DrawnScenario> usual = Draw(50, 5);
  ChoiceFitter fitter;
  ChoiceFit fit;
  fmt::print("fit, 50 trials of 5 attributes      {:>7.1f} us (at most 35 wanted)\n",
             PerScenario(usual, [&](const DrawnScenario& s) {
               Check(fitter.Fit(s.x, s.y, {.tau = 1}, &fit));
             }));
  RunR(std::vector<DrawnScenario>(usual.begin(), usual.begin() + 200));
  fmt::print("  the same at tau 5                 {:>7.1f} us\n",
             PerScenario(usual, [&](const DrawnScenario& s) {
               Check(fitter.Fit(s.x, s.y, {.tau = 5}, &fit));
             }));
  FitQualityEvaluator evaluator;
  fmt::print("fit quality, 5 folds, 4 predictors  {:>7.1f} us\n",
             PerScenario(usual, [&](const DrawnScenario& s) {
               Check(evaluator.Evaluate(s.x, s.y, {}).status());
             }));
  RandomStream random(2);
  const Eigen::MatrixXd candidates = DrawTrials(random, kAdaptiveCandidates, 5);
  std::size_t sum = 0;
  fmt::print("proposal of a pair, refit included  {:>7.1f} us\n",
             PerScenario(usual, [&](const DrawnScenario& s) {
               const StatusOr<std::size_t> next = ProposeNext(fitter, s.x, s.y, candidates);
               Check(next.status());
               sum += *next;
             }));
  for (const auto& [trials, attributes] : {std::pair{100, 5}, {1000, 5}, {50, 2}, {100, 64}}) {
    const std::vector<DrawnScenario> other = Draw(trials, attributes);
    fmt::print("fit, {:>4} trials of {:>2} attributes    {:>7.1f} us\n", trials, attributes,
               PerScenario(other, [&](const DrawnScenario& s) {
                 Check(fitter.Fit(s.x, s.y, {.tau = 1}, &fit));
               }));
  }
  return sum == 0 ? 1 : 0;  // keeps the proposals
}

}  // namespace
}  // namespace candor::statistics

int main() { return candor::statistics::Main(); }
