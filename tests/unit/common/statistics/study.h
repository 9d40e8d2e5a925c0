// Simulated studies with a known amount of self-knowledge, for tests and benchmarks of agreement.
#pragma once

#include "common/statistics/comparison.h"
#include "tests/unit/common/statistics/chooser.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace candor::statistics {

struct SimulatedStudy {
  std::size_t scenarios = 40;
  std::size_t attributes = 5;
  // 1: reports are the weights plus noise; 0: reports are of another scenario's kind.
  double self_knowledge = 1;
  // Standard deviation of the estimation error of weights, on the scale of 100.
  double estimation_error = 20;
  // Standard deviation of a single report about what the model believes.
  double report_noise = 25;
  int reports = 10;
  // Standard deviation of a shift that all attributes of a scenario's weights share, and likewise
  // of its beliefs: makes the pairs of a scenario dependent.
  double scenario_effect = 0;
  // What everybody knows without knowing himself: the first attribute of every scenario is liked by
  // this much and the last disliked, in weights and beliefs alike.
  double custom = 0;
};

// Pearson's r of weights and mean reports in the population of such studies, without custom.
inline double TrueR(const SimulatedStudy& study) {
  const double uniform = 200.0 * 200.0 / 12;
  const double shift = study.scenario_effect * study.scenario_effect;
  const double own = study.self_knowledge;
  const double of_weights = uniform + shift + study.estimation_error * study.estimation_error;
  const double of_reports = (own * own + (1 - own) * (1 - own)) * uniform + shift +
                            study.report_noise * study.report_noise / study.reports;
  return own * uniform / std::sqrt(of_weights * of_reports);
}

// The same of true weights and beliefs: what disattenuation should find. Without scenario_effect.
inline double TrueDisattenuatedR(const SimulatedStudy& study) {
  const double own = study.self_knowledge;
  return own / std::sqrt(own * own + (1 - own) * (1 - own));
}

inline Comparison Simulate(const SimulatedStudy& study, RandomStream& random) {
  Comparison comparison;
  for (std::size_t i = 0; i < study.scenarios; ++i) {
    ComparedScenario scenario;
    scenario.replies_total = study.reports;
    const double weight_shift = study.scenario_effect * DrawNormal(random);
    const double belief_shift = study.scenario_effect * DrawNormal(random);
    std::vector<double> belief;
    const auto custom = [&](std::size_t k) {
      return study.custom * (1 - 2 * static_cast<double>(k) /
                                     std::max(1.0, static_cast<double>(study.attributes) - 1));
    };
    for (std::size_t k = 0; k < study.attributes; ++k) {
      const double truth = 200 * random.Uniform() - 100;
      const double unrelated = 200 * random.Uniform() - 100;
      belief.push_back(study.self_knowledge * truth + (1 - study.self_knowledge) * unrelated +
                       belief_shift + custom(k));
      scenario.weights.push_back(truth + weight_shift + custom(k) +
                                 study.estimation_error * DrawNormal(random));
      scenario.first_half.push_back(truth + 1.4 * study.estimation_error * DrawNormal(random));
      scenario.second_half.push_back(truth + 1.4 * study.estimation_error * DrawNormal(random));
    }
    for (int report = 0; report < study.reports; ++report) {
      for (const double value : belief) {
        scenario.reports.push_back(value + study.report_noise * DrawNormal(random));
      }
    }
    comparison.scenarios.push_back(scenario);
  }
  return comparison;
}

}  // namespace candor::statistics
