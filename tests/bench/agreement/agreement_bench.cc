// How often the intervals of agreement hold the truth, how often unrelated reports are taken for
// self-knowledge, and how long resampling takes.
//
//   build/release/bench/agreement_bench [--studies N]
//
// Studies are simulated (tests/unit/common/statistics/study.h). `effect` is the standard deviation
// of what all attributes of a scenario share: with it the pairs of a scenario are not independent,
// and Student's interval, which takes them for independent, is too narrow. The true slope of
// standardised pairs is the r of the population.
#include "common/statistics/agreement.h"
#include "common/statistics/contrast.h"
#include "tests/unit/common/statistics/study.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>

namespace candor::statistics {
namespace {

constexpr std::uint64_t kSeed = 4711;

// Counts what holds, or is below 5 %.
struct Count {
  int held = 0;
  int all = 0;

  void Add(const std::optional<Interval>& interval, double truth) {
    Add(interval && interval->low <= truth && truth <= interval->high);
  }
  void Add(bool held_this) {
    held += held_this ? 1 : 0;
    ++all;
  }
  double percent() const { return all == 0 ? 0 : 100.0 * held / all; }
};

// Streams 2 i and 2 i + 1 draw the two conditions of a contrast. They share no scenario here; how
// the shared ones narrow the bootstrap is in the unit tests.
Comparison Draw(const SimulatedStudy& study, int i, std::uint64_t condition) {
  RandomStream random(kSeed, 2 * static_cast<std::uint64_t>(i) + condition);
  return Simulate(study, random);
}

void PrintCoverageRow(const SimulatedStudy& study, int studies) {
  const double truth = TrueR(study);
  SimulatedStudy other = study;
  other.self_knowledge = study.self_knowledge / 2;
  Count student;
  Count robust;
  Count slope;
  Count r;
  Count disattenuated;
  Count contrast_closed;
  Count contrast_bootstrap;
  for (int i = 0; i < studies; ++i) {
    const BootstrapOptions bootstrap{.resamples = 1'000, .seed = static_cast<std::uint64_t>(i)};
    const Comparison comparison = Draw(study, i, 0);
    const PairedReports pairs = PairUp(comparison);
    const LineFit line = *FitLine(pairs);
    student.Add(line.interval, truth);
    robust.Add(line.cluster_interval, truth);
    const BootstrapResult result = Bootstrap(SumsByScenario(comparison, pairs), bootstrap);
    slope.Add(result.slope, truth);
    r.Add(result.r, truth);
    disattenuated.Add(result.r_disattenuated, TrueDisattenuatedR(study));

    const Comparison untrained = Draw(other, i, 1);
    const ConditionPair base{&comparison, &untrained};
    const auto contrast = MeasureContrast(std::span(&base, 1), bootstrap);
    contrast_closed.Add(contrast->interval, truth - TrueR(other));
    contrast_bootstrap.Add(contrast->slope_bootstrap, truth - TrueR(other));
  }
  fmt::print("{:>9} {:>6} {:>9} {:>6.3f}   {:>7.1f} {:>6.1f} {:>9.1f}   {:>11.1f} ",
             study.scenarios, study.scenario_effect, study.self_knowledge, truth, student.percent(),
             robust.percent(), slope.percent(), r.percent());
  if (study.scenario_effect == 0) {
    fmt::print("{:>13.1f}", disattenuated.percent());
  } else {
    fmt::print("{:>13}", "");
  }
  fmt::print("   {:>7.1f} {:>9.1f}\n", contrast_closed.percent(), contrast_bootstrap.percent());
}

void PrintCoverage(int studies) {
  fmt::print("Percent of 95 % intervals that hold the truth; {} studies a row, 5 attributes\n\n",
             studies);
  fmt::print("{:33}   {:^24}   {:^25}   {:^17}\n", "", "slope", "r, bootstrap",
             "contrast of slopes");
  fmt::print("{:>9} {:>6} {:>9} {:>6}   {:>7} {:>6} {:>9}   {:>11} {:>13}   {:>7} {:>9}\n",
             "scenarios", "effect", "knowledge", "r", "Student", "CR1", "bootstrap", "as it is",
             "disattenuated", "closed", "bootstrap");
  for (const std::size_t scenarios : {10U, 20U, 40U, 100U}) {
    for (const double effect : {0.0, 60.0}) {
      for (const double knowledge : {0.0, 0.5}) {
        PrintCoverageRow({.scenarios = scenarios,
                          .self_knowledge = knowledge,
                          .reports = 3,
                          .scenario_effect = effect},
                         studies);
      }
    }
  }
}

void PrintFalseAlarms(int studies) {
  fmt::print(
      "Percent of {} studies of 20 scenarios in which reports that know nothing are taken for "
      "self-knowledge at 5 %\n\n{:>6} {:>6}   {:>11} {:>7} {:>5}\n",
      studies, "effect", "custom", "permutation", "Student", "CR1");
  for (const SimulatedStudy& study :
       {SimulatedStudy{}, SimulatedStudy{.scenario_effect = 60}, SimulatedStudy{.custom = 30}}) {
    SimulatedStudy unrelated = study;
    unrelated.scenarios = 20;
    unrelated.self_knowledge = 0;
    unrelated.reports = 2;
    Count permutation;
    Count student;
    Count robust;
    for (int i = 0; i < studies; ++i) {
      const Comparison comparison = Draw(unrelated, i, 0);
      const PairedReports pairs = PairUp(comparison);
      const LineFit line = *FitLine(pairs);
      const auto seed = static_cast<std::uint64_t>(i);
      permutation.Add(PermuteReports(comparison, pairs, {.permutations = 199, .seed = seed})->p <=
                      0.05);
      student.Add(line.interval->low > 0 || line.interval->high < 0);
      robust.Add(*line.p <= 0.05);
    }
    fmt::print("{:>6} {:>6}   {:>11.2f} {:>7.2f} {:>5.2f}\n", study.scenario_effect, study.custom,
               permutation.percent(), student.percent(), robust.percent());
  }
  fmt::print("\n");
  std::fflush(stdout);
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
      "100 scenarios of 5 attributes, 10,000 times: bootstrap of slope, r and disattenuated r "
      "{:.0f} ms (drawing alone {:.0f} ms), permutations {:.0f} ms\n\n",
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
  candor::statistics::PrintTimes();
  candor::statistics::PrintFalseAlarms(10 * studies);
  candor::statistics::PrintCoverage(studies);
  return 0;
}
