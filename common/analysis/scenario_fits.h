// The choice models of one chooser, scenario by scenario. Private to the room.
#pragma once

#include "candor/v1/analysis.pb.h"
#include "common/analysis/analyze.h"
#include "common/analysis/study.h"
#include "common/base/status.h"
#include "common/statistics/choice_model.h"
#include "common/statistics/fit_quality.h"
#include "common/statistics/normalise.h"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace candor::analysis {

// What is estimated of one scenario. Weights are normalised to 100, [K]; empty where every weight
// is 0.
struct FittedScenario {
  std::size_t scenario = 0;
  bool native = false;
  statistics::ChoiceFit fit;
  statistics::NormalisedWeights normalised;
  statistics::ChoiceFit wide;
  Eigen::VectorXd wide_normalised;
  // From either half of the trials (pairs of even and of odd rank), for the reliability.
  Eigen::VectorXd first_half;
  Eigen::VectorXd second_half;
  // What a noiseless chooser with the instilled weights would give on these trials. Empty for
  // native scenarios.
  Eigen::VectorXd ceiling;
  std::optional<statistics::FitQuality> quality;
  // Trials, and answers with repeated samples.
  std::int32_t n_trials = 0;
  std::int64_t n_choices = 0;
  std::int32_t unreadable = 0;
  std::int32_t soft = 0;
  std::optional<double> flip_rate;
};

// Fits every scenario with at least one readable choice, in their order. Fit quality only with
// `quality`. Errors are those of broken data, and name the scenario.
StatusOr<std::vector<FittedScenario>> FitChooser(const Study& study, const Chooser& chooser,
                                                 double tau, const Options& options);

// The message about one scenario, all but the adjusted p of the position bias. `published` may be
// null.
v1::ScenarioFit ScenarioMessage(const StudyScenario& scenario, const FittedScenario& fitted,
                                const std::vector<double>* published, const std::string& chooser);

// The message of a fit quality.
v1::FitQuality QualityMessage(const statistics::FitQuality& quality);

// Two-sided p of a standard normal z.
double NormalP(double z);

}  // namespace candor::analysis
