#include "coordinator/design/pair.h"

#include "common/scenario/trial.h"
#include "common/statistics/adaptive.h"
#include "common/statistics/choice_trials.h"

#include <Eigen/Core>

#include <cmath>
#include <optional>
#include <string>

namespace candor::design {
namespace {

using ShownValues = google::protobuf::RepeatedPtrField<v1::ShownValue>;

// Where nothing was shuffled the value of attribute k stands at position k.
const v1::ShownValue* Find(const ShownValues& shown, const std::string& attribute, int k) {
  if (k < shown.size() && shown[k].attribute() == attribute) return &shown[k];
  for (const v1::ShownValue& value : shown) {
    if (value.attribute() == attribute) return &value;
  }
  return nullptr;
}

// The probability of A that an answer stands for; absent when it is no choice.
std::optional<double> ChoiceOf(const v1::Outcome& outcome) {
  const bool readable =
      outcome.class_() == v1::Outcome::VALID || outcome.class_() == v1::Outcome::REPAIRED;
  if (!readable || outcome.choice() == v1::Outcome::CHOICE_UNSPECIFIED) return std::nullopt;
  if (outcome.has_log_odds_a() && !std::isnan(outcome.log_odds_a())) {
    return 1 / (1 + std::exp(-outcome.log_odds_a()));
  }
  return outcome.choice() == v1::Outcome::A ? 1 : 0;
}

// Fills `x` [K]; false when the options shown are not of this scenario.
bool DifferenceOf(const v1::Scenario& scenario, const v1::Outcome& outcome,
                  std::vector<double>& x) {
  x.clear();
  for (int k = 0; k < scenario.attributes_size(); ++k) {
    const v1::Attribute& attribute = scenario.attributes(k);
    const v1::ShownValue* a = Find(outcome.option_a(), attribute.name(), k);
    const v1::ShownValue* b = Find(outcome.option_b(), attribute.name(), k);
    if (a == nullptr || b == nullptr) return false;
    x.push_back((a->value() - b->value()) / (attribute.max() - attribute.min()));
  }
  return true;
}

StatusOr<std::size_t> Choose(const v1::Scenario& scenario, std::span<const v1::Outcome> outcomes,
                             const Eigen::MatrixXd& differences) {
  statistics::ChoiceTrials trials(differences.cols());
  std::vector<double> x;
  for (const v1::Outcome& outcome : outcomes) {
    const std::optional<double> y = ChoiceOf(outcome);
    if (!y || !DifferenceOf(scenario, outcome, x)) continue;
    const statistics::SampleKey key{outcome.pair(), outcome.order(), outcome.sample()};
    // Values that are not finite: as with a reply that is no choice.
    if (!trials.Add(key, x, *y).ok()) continue;
  }
  CANDOR_ASSIGN_OR_RETURN(const statistics::TrialData data, trials.Build());
  statistics::ChoiceFitter fitter;
  return statistics::ProposeNext(fitter, data.x, data.y, differences);
}

}  // namespace

std::vector<std::uint32_t> CellsBefore(const scenario::CellMap& cells,
                                       std::uint32_t scenario_ordinal, std::uint32_t pair) {
  std::vector<std::uint32_t> before;
  for (std::uint32_t trial = 0; trial < cells.trials(); ++trial) {
    for (std::uint32_t sample = 0; sample < cells.samples(); ++sample) {
      const std::uint32_t index = cells.IndexOf(scenario_ordinal, trial, sample);
      if (cells.At(index).pair >= pair) return before;
      before.push_back(index);
    }
  }
  return before;
}

v1::ExplicitTrial NextPair(std::uint64_t seed, const v1::Scenario& scenario,
                           std::uint32_t candidates, std::uint32_t pair,
                           std::span<const v1::Outcome> outcomes) {
  const scenario::CandidateStream stream(seed, scenario);
  std::vector<double> a;
  std::vector<double> b;
  Eigen::MatrixXd differences(candidates, scenario.attributes_size());
  for (std::uint32_t i = 0; i < candidates; ++i) {
    stream.Draw(pair, i, a, b);
    for (int k = 0; k < scenario.attributes_size(); ++k) {
      const v1::Attribute& attribute = scenario.attributes(k);
      const auto at = static_cast<std::size_t>(k);
      differences(i, k) = (a[at] - b[at]) / (attribute.max() - attribute.min());
    }
  }
  const StatusOr<std::size_t> chosen = Choose(scenario, outcomes, differences);
  stream.Draw(pair, chosen.ok() ? static_cast<std::uint32_t>(*chosen) : 0, a, b);
  v1::ExplicitTrial trial;
  trial.mutable_a()->Assign(a.begin(), a.end());
  trial.mutable_b()->Assign(b.begin(), b.end());
  return trial;
}

}  // namespace candor::design
