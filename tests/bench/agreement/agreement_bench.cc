// How often the intervals of the slope hold the true one, how often unrelated reports are taken for
// self-knowledge, and how long resampling takes.
//
//   build/release/bench/agreement_bench [--studies N]
//
// Studies are simulated (tests/unit/common/statistics/study.h). The true slope is that of a study
// of 20,000 scenarios. `effect` is the standard deviation of what all attributes of a scenario
// share: with it the pairs of a scenario are not independent, and Student's interval, which takes
// them for independent, is too narrow.
#include "common/statistics/agreement.h"
#include "tests/unit/common/statistics/study.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

namespace candor::statistics {
namespace {

constexpr std::uint64_t kSeed = 4711;

void PrintCoverage(int studies) {
  fmt::print("Share of 95 % intervals that hold the true slope; {} studies a row, 5 attributes\n\n",
             studies);
  fmt::print("{:>9} {:>6} {:>9} {:>10} {:>8} {:>8} {:>10}\n", "scenarios", "effect", "knowledge",
             "true slope", "Student", "CR1", "bootstrap");
  for (const std::size_t scenarios : {20U, 40U, 100U}) {
    for (const double effect : {0.0, 60.0}) {
      for (const double knowledge : {0.0, 0.5}) {
        SimulatedStudy study{.scenarios = 20'000,
                             .self_knowledge = knowledge,
                             .reports = 3,
                             .scenario_effect = effect};
        RandomStream of_truth(kSeed, 1);
        const double truth = FitLine(PairUp(Simulate(study, of_truth)))->slope;
        study.scenarios = scenarios;
        int student = 0;
        int robust = 0;
        int bootstrap = 0;
        const auto holds = [&](const Interval& interval) {
          return interval.low <= truth && truth <= interval.high ? 1 : 0;
        };
        for (int i = 0; i < studies; ++i) {
          RandomStream random(kSeed, static_cast<std::uint64_t>(i) + 2);
          const Comparison comparison = Simulate(study, random);
          const PairedReports pairs = PairUp(comparison);
          const LineFit line = *FitLine(pairs);
          student += holds(*line.interval);
          robust += holds(*line.cluster_interval);
          bootstrap += holds(*Bootstrap(SumsByScenario(comparison, pairs),
                                        {.resamples = 1000, .seed = static_cast<std::uint64_t>(i)})
                                  .slope);
        }
        const auto percent = [&](int count) { return 100.0 * count / studies; };
        fmt::print("{:>9} {:>6} {:>9} {:>10.3f} {:>7.1f}% {:>7.1f}% {:>9.1f}%\n", scenarios, effect,
                   knowledge, truth, percent(student), percent(robust), percent(bootstrap));
      }
    }
  }
}

void PrintFalseAlarms(int studies) {
  int rejected = 0;
  for (int i = 0; i < studies; ++i) {
    RandomStream random(kSeed + 1, static_cast<std::uint64_t>(i));
    const Comparison comparison =
        Simulate({.scenarios = 20, .self_knowledge = 0, .reports = 2}, random);
    const auto result =
        PermuteReports(comparison, PairUp(comparison),
                       {.permutations = 199, .seed = static_cast<std::uint64_t>(i)});
    rejected += result->p <= 0.05 ? 1 : 0;
  }
  fmt::print("\nUnrelated reports: the permutation test rejects {:.2f} % of {} studies at 5 %\n",
             100.0 * rejected / studies, studies);
}

void PrintTimes() {
  RandomStream random(kSeed, 0);
  const Comparison comparison = Simulate({.scenarios = 100}, random);
  const PairedReports pairs = PairUp(comparison);
  const auto sums = SumsByScenario(comparison, pairs);
  const auto milliseconds = [](auto work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
  };
  // The reference: what drawing the scenarios costs without any statistic.
  const double drawing = milliseconds([] {
    ScenarioResampler(100, {}).Run(1, [](auto, std::span<std::optional<double>> to) { to[0] = 0; });
  });
  const double bootstrap = milliseconds([&] { Bootstrap(sums, {}); });
  const double permutation = milliseconds([&] { PermuteReports(comparison, pairs, {}); });
  fmt::print(
      "\n100 scenarios of 5 attributes, 10,000 times: bootstrap of slope, r and disattenuated r "
      "{:.0f} ms (drawing alone {:.0f} ms), permutations {:.0f} ms\n",
      bootstrap, drawing, permutation);
}

}  // namespace
}  // namespace candor::statistics

int main(int argc, char** argv) {
  int studies = 2000;
  if (argc == 3 && std::string_view(argv[1]) == "--studies") studies = std::atoi(argv[2]);
  if (studies < 1 || (argc != 1 && argc != 3)) {
    fmt::print(stderr, "usage: agreement_bench [--studies N]\n");
    return 2;
  }
  candor::statistics::PrintCoverage(studies);
  candor::statistics::PrintFalseAlarms(2 * studies);
  candor::statistics::PrintTimes();
  return 0;
}
