#include "common/analysis/scenario_fits.h"

#include "common/statistics/choice_trials.h"

#include <cmath>
#include <span>
#include <utility>

namespace candor::analysis {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

StatusOr<statistics::TrialData> Rows(const ScenarioChoices& choices, std::size_t attributes) {
  statistics::ChoiceTrials trials(static_cast<Index>(attributes));
  for (std::size_t i = 0; i < choices.y.size(); ++i) {
    const AnswerKey& key = choices.keys[i];
    CANDOR_RETURN_IF_ERROR(trials.Add(
        {key.pair, key.order, key.sample},
        std::span<const double>(choices.x).subspan(i * attributes, attributes), choices.y[i]));
  }
  return trials.Build();
}

// Fits some scenarios in turn, keeping its workspace.
class Fitting {
 public:
  Fitting(const Study& study, double tau, const Options& options)
      : study_(study), tau_(tau), options_(options) {}

  StatusOr<FittedScenario> Fit(const ScenarioChoices& choices) {
    const StudyScenario& scenario = study_.scenarios[choices.scenario];
    CANDOR_ASSIGN_OR_RETURN(const statistics::TrialData data,
                            Rows(choices, scenario.attributes.size()));
    FittedScenario fitted;
    fitted.scenario = choices.scenario;
    fitted.native = choices.native;
    fitted.n_trials = static_cast<std::int32_t>(data.y.size());
    fitted.n_choices = data.n_choices;
    fitted.unreadable = choices.unreadable;
    fitted.soft = choices.soft;
    fitted.flip_rate = data.flip_rate;
    CANDOR_RETURN_IF_ERROR(fitter_.Fit(data.x, data.y, {.tau = tau_}, &fitted.fit));
    fitted.normalised = statistics::Normalise(fitted.fit);
    CANDOR_RETURN_IF_ERROR(fitter_.Fit(data.x, data.y, {.tau = options_.wide_tau}, &fitted.wide));
    fitted.wide_normalised = Weights(fitted.wide);
    CANDOR_RETURN_IF_ERROR(FitHalves(data, &fitted));
    if (!choices.native && !scenario.instilled.empty())
      CANDOR_RETURN_IF_ERROR(FitCeiling(data, scenario.instilled, &fitted));
    if (options_.scenarios) {
      auto quality =
          evaluator_.Evaluate(data.x, data.y, data.pairs,
                              {.tau = tau_, .folds = options_.folds, .seed = options_.seed});
      // Fewer than two pairs: nothing to predict from.
      if (quality.ok()) fitted.quality = *std::move(quality);
    }
    return fitted;
  }

 private:
  static VectorXd Weights(const statistics::ChoiceFit& fit) {
    return statistics::NormaliseWeights(fit.mean.tail(fit.mean.size() - 1));
  }

  // Pairs alternate between the halves: both orders of a pair stay together.
  Status FitHalves(const statistics::TrialData& data, FittedScenario* fitted) {
    for (const int half : {0, 1}) {
      std::vector<Index> rows;
      int rank = -1;
      for (Index i = 0; i < data.y.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (i == 0 || data.pairs[at] != data.pairs[at - 1]) ++rank;
        if (rank % 2 == half) rows.push_back(i);
      }
      if (rows.empty()) return absl::OkStatus();
      half_x_ = data.x(rows, Eigen::all);
      half_y_ = data.y(rows);
      CANDOR_RETURN_IF_ERROR(fitter_.Fit(half_x_, half_y_, {.tau = tau_}, &scratch_));
      (half == 0 ? fitted->first_half : fitted->second_half) = Weights(scratch_);
    }
    return absl::OkStatus();
  }

  // Chooses A where it is better by the instilled weights, as the training examples were made.
  Status FitCeiling(const statistics::TrialData& data, const std::vector<double>& instilled,
                    FittedScenario* fitted) {
    const Eigen::Map<const VectorXd> weights(instilled.data(),
                                             static_cast<Index>(instilled.size()));
    half_y_ = ((data.x * weights).array() > 0).cast<double>();
    CANDOR_RETURN_IF_ERROR(fitter_.Fit(data.x, half_y_, {.tau = tau_}, &scratch_));
    fitted->ceiling = Weights(scratch_);
    return absl::OkStatus();
  }

  const Study& study_;
  double tau_;
  const Options& options_;
  statistics::ChoiceFitter fitter_;
  statistics::FitQualityEvaluator evaluator_;
  statistics::ChoiceFit scratch_;
  Eigen::MatrixXd half_x_;
  VectorXd half_y_;
};

void SetNumbers(const VectorXd& values, google::protobuf::RepeatedField<double>* field) {
  field->Clear();
  field->Add(values.begin(), values.end());
}

v1::PredictionScore ScoreMessage(const statistics::PredictionScore& score) {
  v1::PredictionScore message;
  message.set_accuracy(score.accuracy);
  message.set_log_loss(score.log_loss);
  return message;
}

}  // namespace

StatusOr<std::vector<FittedScenario>> FitChooser(const Study& study, const Chooser& chooser,
                                                 double tau, const Options& options) {
  std::vector<FittedScenario> fits;
  Fitting fitting(study, tau, options);
  for (const ScenarioChoices& choices : chooser.choices) {
    if (choices.y.empty()) continue;
    StatusOr<FittedScenario> fitted = fitting.Fit(choices);
    if (!fitted.ok()) {
      return Annotate(fitted.status(),
                      fmt::format("choices of {} in the scenario \"{}\"", chooser.name,
                                  study.scenarios[choices.scenario].id));
    }
    fits.push_back(*std::move(fitted));
  }
  return fits;
}

v1::FitQuality QualityMessage(const statistics::FitQuality& quality) {
  v1::FitQuality message;
  *message.mutable_model() = ScoreMessage(quality.model);
  *message.mutable_majority() = ScoreMessage(quality.majority);
  *message.mutable_best_single_attribute() = ScoreMessage(quality.best_single_attribute);
  *message.mutable_equal_weights() = ScoreMessage(quality.equal_weights);
  message.set_folds(quality.folds);
  message.set_n_choices(static_cast<std::int32_t>(quality.n_choices));
  return message;
}

double NormalP(double z) { return std::erfc(std::abs(z) / std::sqrt(2.0)); }

v1::ScenarioFit ScenarioMessage(const StudyScenario& scenario, const FittedScenario& fitted,
                                const std::vector<double>* published, const std::string& chooser) {
  v1::ScenarioFit message;
  message.set_scenario_id(scenario.id);
  message.set_domain(scenario.domain);
  message.mutable_attributes()->Add(scenario.attributes.begin(), scenario.attributes.end());
  message.set_native(fitted.native);
  message.set_chooser(chooser);
  SetNumbers(fitted.fit.mode, message.mutable_map());
  SetNumbers(fitted.fit.mean, message.mutable_mean());
  SetNumbers(fitted.fit.sd, message.mutable_sd());
  SetNumbers(fitted.normalised.weights, message.mutable_normalised());
  for (Index k = 0; k < fitted.normalised.weights.size(); ++k) {
    v1::Interval* interval = message.add_normalised_intervals();
    interval->set_low(fitted.normalised.low[k]);
    interval->set_high(fitted.normalised.high[k]);
  }
  if (published != nullptr) message.mutable_published()->Add(published->begin(), published->end());
  if (!fitted.native)
    message.mutable_instilled()->Add(scenario.instilled.begin(), scenario.instilled.end());
  message.set_position_bias(fitted.fit.position_bias);
  message.set_position_bias_sd(fitted.fit.position_bias_sd);
  message.set_position_bias_z(fitted.fit.position_bias_z);
  message.set_n_trials(fitted.n_trials);
  message.set_n_choices(static_cast<std::int32_t>(fitted.n_choices));
  message.set_n_unreadable(fitted.unreadable);
  message.set_n_soft(fitted.soft);
  if (fitted.flip_rate) message.set_flip_rate(*fitted.flip_rate);
  if (fitted.quality) *message.mutable_fit() = QualityMessage(*fitted.quality);
  v1::WeightEstimate* wide = message.mutable_wide_prior();
  wide->set_tau(fitted.wide.tau);
  SetNumbers(fitted.wide.mode, wide->mutable_map());
  SetNumbers(fitted.wide.mean, wide->mutable_mean());
  SetNumbers(fitted.wide.sd, wide->mutable_sd());
  SetNumbers(fitted.wide_normalised, wide->mutable_normalised());
  return message;
}

}  // namespace candor::analysis
