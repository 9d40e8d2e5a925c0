#include "common/analysis/pairing.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace candor::analysis {
namespace {

using statistics::ComparedScenario;

std::vector<double> Numbers(const Eigen::VectorXd& values) {
  return {values.begin(), values.end()};
}

// Where a chooser's weights and the halves of its trials go.
class WeightSource {
 public:
  WeightSource(const Chooser& chooser, const ChooserFits& fits, WeightsFrom from)
      : fits_(fits), weights_(WeightsOf(chooser, fits, from)) {}

  const std::map<std::size_t, std::vector<double>>& weights() const { return weights_; }

  void Fill(std::size_t scenario, ComparedScenario* compared) const {
    if (const auto found = weights_.find(scenario); found != weights_.end())
      compared->weights = found->second;
    const FittedScenario* fitted = fits_.Find(scenario);
    if (fitted == nullptr || fitted->first_half.size() == 0 || fitted->second_half.size() == 0)
      return;
    compared->first_half = Numbers(fitted->first_half);
    compared->second_half = Numbers(fitted->second_half);
  }

 private:
  const ChooserFits& fits_;
  std::map<std::size_t, std::vector<double>> weights_;
};

}  // namespace

std::map<std::size_t, std::vector<double>> WeightsOf(const Chooser& chooser,
                                                     const ChooserFits& fits, WeightsFrom from) {
  std::map<std::size_t, std::vector<double>> weights;
  if (from == WeightsFrom::kHeadline && !chooser.published.empty()) {
    for (const PublishedWeights& published : chooser.published)
      weights.emplace(published.scenario, published.weights);
    return weights;
  }
  for (const FittedScenario& fitted : fits.fits) {
    const Eigen::VectorXd& values =
        from == WeightsFrom::kWidePrior ? fitted.wide_normalised : fitted.normalised.weights;
    if (values.size() > 0) weights.emplace(fitted.scenario, Numbers(values));
  }
  return weights;
}

statistics::OutOfRangeAs TreatmentOf(v1::AnalysisPlan::OutOfRange out_of_range) {
  switch (out_of_range) {
    case v1::AnalysisPlan::CLIPPED:
      return statistics::OutOfRangeAs::kClipped;
    case v1::AnalysisPlan::DROPPED:
      return statistics::OutOfRangeAs::kDropped;
    default:
      return statistics::OutOfRangeAs::kIs;
  }
}

Paired Pair(const Study& study, const Comparison& comparison, const ChooserFits& fits,
            WeightsFrom from) {
  const Chooser& chooser = study.choosers[comparison.chooser];
  const WeightSource source(chooser, fits, from);
  const std::set<std::size_t> excluded(comparison.excluded.begin(), comparison.excluded.end());
  std::map<Place, ComparedScenario> places;
  // Where a scenario has its next occurrence.
  std::map<std::size_t, std::size_t> occurrences;

  if (comparison.statistic == Statistic::kLearnedVsInstilled) {
    std::set<std::size_t> native;
    for (const ScenarioChoices& choices : chooser.choices) {
      if (choices.native) native.insert(choices.scenario);
    }
    for (const auto& [scenario, weights] : source.weights()) {
      const std::vector<double>& instilled = study.scenarios[scenario].instilled;
      if (native.count(scenario) > 0 || instilled.empty()) continue;
      ComparedScenario compared;
      compared.reports = instilled;
      compared.replies_total = 1;
      places.emplace(Place{scenario, occurrences[scenario]++}, std::move(compared));
    }
  }
  for (std::size_t set = 0; set < comparison.report_sets.size(); ++set) {
    for (const ScenarioReports& reports : study.report_sets[comparison.report_sets[set]].reports) {
      ComparedScenario compared;
      compared.reports = reports.values;
      compared.report_set = static_cast<int>(set);
      compared.replies_total = reports.asked;
      places.emplace(Place{reports.scenario, occurrences[reports.scenario]++}, std::move(compared));
    }
  }
  // Weights are standardised by all values of their set, also where nobody was asked.
  for (const auto& [scenario, weights] : source.weights()) {
    if (occurrences[scenario] == 0) places.emplace(Place{scenario, 0}, ComparedScenario());
  }

  Paired paired;
  for (auto& [place, compared] : places) {
    if (excluded.count(place.scenario) > 0) continue;
    compared.attributes = study.scenarios[place.scenario].attributes.size();
    source.Fill(place.scenario, &compared);
    paired.comparison.scenarios.push_back(std::move(compared));
    paired.places.push_back(place);
  }
  return paired;
}

void Align(const std::vector<Paired*>& comparisons) {
  std::set<Place> all;
  for (const Paired* paired : comparisons) all.insert(paired->places.begin(), paired->places.end());
  for (Paired* paired : comparisons) {
    statistics::Comparison aligned;
    std::size_t next = 0;
    for (const Place& place : all) {
      if (next < paired->places.size() && paired->places[next] == place) {
        aligned.scenarios.push_back(std::move(paired->comparison.scenarios[next++]));
      } else {
        aligned.scenarios.emplace_back();
      }
    }
    paired->comparison = std::move(aligned);
    paired->places.assign(all.begin(), all.end());
  }
}

}  // namespace candor::analysis
