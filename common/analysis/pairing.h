// From a study to what the statistics take. Private to the room.
#pragma once

#include "common/analysis/scenario_fits.h"
#include "common/analysis/study.h"
#include "common/statistics/comparison.h"

#include <compare>
#include <cstddef>
#include <map>
#include <vector>

namespace candor::analysis {

// The fits of one chooser, by position of the scenario.
struct ChooserFits {
  std::vector<FittedScenario> fits;
  std::map<std::size_t, std::size_t> at;

  const FittedScenario* Find(std::size_t scenario) const {
    const auto found = at.find(scenario);
    return found == at.end() ? nullptr : &fits[found->second];
  }
};

// Which weights.
enum class WeightsFrom {
  // Those that the figures rest on: published ones where there are any, else our fits.
  kHeadline,
  kFits,
  kWidePrior,
};

// One place of a comparison: a scenario, and, where several reporters of one condition were asked
// about it, which of them.
struct Place {
  std::size_t scenario = 0;
  std::size_t occurrence = 0;

  auto operator<=>(const Place&) const = default;
};

// A comparison as the statistics take it, and which scenario stands where.
struct Paired {
  statistics::Comparison comparison;
  std::vector<Place> places;
};

// Everything that the comparison is about, without the scenarios that the plan leaves out; reports
// as they are.
Paired Pair(const Study& study, const Comparison& comparison, const ChooserFits& fits,
            WeightsFrom from);

// The same with empty scenarios put in so that places agree, for joint resampling: all are brought
// to the union of their places.
void Align(const std::vector<Paired*>& comparisons);

// A chooser's weights by position of the scenario: only those that it has.
std::map<std::size_t, std::vector<double>> WeightsOf(const Chooser& chooser,
                                                     const ChooserFits& fits, WeightsFrom from);

// How a plan has reports beyond the scale treated.
statistics::OutOfRangeAs TreatmentOf(v1::AnalysisPlan::OutOfRange out_of_range);

}  // namespace candor::analysis
