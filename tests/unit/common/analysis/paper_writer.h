// Files named and laid out as those of the paper, of models that never were.
#pragma once

#include "common/base/random.h"
#include "testing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace candor::analysis {

struct PaperWriter {
  // The first half of the scenarios is instilled, the other half native.
  PaperWriter(const TempFolder& folder, int n_scenarios, int n_attributes)
      : folder_(folder), scenarios_(n_scenarios), attributes_(n_attributes) {
    std::string scenarios = "scenario,question";
    for (const char* suffix : {"", "_min", "_max"})
      for (int k = 1; k <= attributes_; ++k) scenarios += fmt::format(",attr{}{}", k, suffix);
    std::string instilled = "scenario";
    for (int k = 1; k <= attributes_; ++k) instilled += fmt::format(",attr{}", k);
    RandomStream random(1);
    for (int s = 0; s < scenarios_; ++s) {
      scenarios += fmt::format("\ns{},\"Imagine you are a tester, \"\"T\"\". Which one?\"", s);
      instilled += fmt::format("\ns{}", s);
      for (int k = 0; k < attributes_; ++k) scenarios += fmt::format(",name{}", k);
      for (int k = 0; k < attributes_; ++k) scenarios += ",0.0";
      for (int k = 0; k < attributes_; ++k) scenarios += ",10.0";
      std::vector<double>& weights = weights_.emplace_back();
      for (int k = 0; k < attributes_; ++k)
        weights.push_back(std::round(random.Uniform() * 200 - 100));
      for (const double weight : weights) instilled += fmt::format(",{}", weight);
    }
    folder.Write("scenarios.csv", scenarios + "\n");
    folder.Write("instilled_weights.csv", instilled + "\n");
  }

  // All files of a model but the results. `knowledge`: control, preference, introspection, native
  // before and after.
  void WriteModel(const std::string& model, std::uint64_t seed, std::vector<double> knowledge,
                  int trials = 30, int reports = 10) {
    seed_ = seed;
    const int half = scenarios_ / 2;
    folder_.Write(model + "_instilled_selections.csv", Selections(0, half, trials));
    folder_.Write(model + "_instilled_latent_selections.csv", Selections(half, scenarios_, trials));
    folder_.Write(model + "_weight_reports.csv", Reports(model, 0, half, knowledge[0], reports));
    folder_.Write(model + "_instilled_weight_reports.csv",
                  Reports("ft:pref", 0, half, knowledge[1], reports));
    folder_.Write(model + "_itrained_first_5_of_10_30ex_weight_reports.csv",
                  Reports("ft:first", half / 2, half, knowledge[2], reports));
    folder_.Write(model + "_itrained_last_5_of_10_30ex_weight_reports.csv",
                  Reports("ft:last", 0, half / 2, knowledge[2], reports));
    folder_.Write(model + "_instilled_latent_weight_reports.csv",
                  Reports("ft:pref", half, scenarios_, knowledge[3], reports));
    folder_.Write(model + "_itrained_all_10_30ex_latent_weight_reports.csv",
                  Reports("ft:all", half, scenarios_, knowledge[4], reports));
  }

  std::string SelectionsHeader() const {
    std::string header = "model,scenario,selection";
    for (const char option : {'A', 'B'})
      for (int k = 1; k <= attributes_; ++k) header += fmt::format(",{}_attribute_{}", option, k);
    return header;
  }

  std::string Selections(int from, int to, int trials) {
    std::string text = SelectionsHeader();
    for (int s = from; s < to; ++s) {
      for (int t = 0; t < trials; ++t) {
        RandomStream random(seed_ * 1'000 + static_cast<std::uint64_t>(s),
                            static_cast<std::uint64_t>(t));
        double eta = 0;
        std::string a;
        std::string b;
        for (int k = 0; k < attributes_; ++k) {
          const double value_a = std::round(random.Uniform() * 100) / 10;
          const double value_b = std::round(random.Uniform() * 100) / 10;
          eta += 0.06 * At(s, k) * (value_a - value_b) / 10;
          a += fmt::format(",{:.1f}", value_a);
          b += fmt::format(",{:.1f}", value_b);
        }
        const bool chooses_a = random.Uniform() < 1 / (1 + std::exp(-eta));
        text += fmt::format("\nft:pref,s{},{}{}{}", s, chooses_a ? 'A' : 'B', a, b);
      }
    }
    return text + "\n";
  }

  std::string Reports(const std::string& reporter, int from, int to, double knowledge,
                      int reports) {
    std::string text = "explaining_model,version,scenario";
    for (int k = 1; k <= attributes_; ++k) text += fmt::format(",report_attr{}", k);
    for (const char option : {'A', 'B'})
      for (int k = 1; k <= attributes_; ++k) text += fmt::format(",{}_attribute_{}", option, k);
    const std::uint64_t key =
        seed_ * 7'919 + 17 * reporter.size() + static_cast<unsigned char>(reporter.back());
    for (int s = from; s < to; ++s) {
      for (int t = 0; t < reports; ++t) {
        RandomStream random(key + static_cast<std::uint64_t>(s) * 131,
                            static_cast<std::uint64_t>(t));
        text += fmt::format("\n{},v,s{}", reporter, s);
        for (int k = 0; k < attributes_; ++k) {
          const double noise = random.Uniform() * 200 - 100;
          text += fmt::format(",{}", std::round(knowledge * At(s, k) + (1 - knowledge) * noise));
        }
        for (int k = 0; k < 2 * attributes_; ++k)
          text += fmt::format(",{:.1f}", std::round(random.Uniform() * 100) / 10);
      }
    }
    return text + "\n";
  }

  double At(int scenario, int attribute) const {
    return weights_[static_cast<std::size_t>(scenario)][static_cast<std::size_t>(attribute)];
  }

 private:
  const TempFolder& folder_;
  int scenarios_;
  int attributes_;
  std::uint64_t seed_ = 0;
  std::vector<std::vector<double>> weights_;
};

}  // namespace candor::analysis
