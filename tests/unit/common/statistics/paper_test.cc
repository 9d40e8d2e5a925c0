// The table of published statistics, from the paper's own files where they are.
#include "common/base/csv.h"
#include "common/base/files.h"
#include "common/statistics/agreement.h"
#include "common/statistics/contrast.h"

#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace candor::statistics {
namespace {

using Rows = std::map<std::string, std::vector<double>>;

const std::string kFolder = std::string(CANDOR_SOURCE_DIR) + "/../shared/paper/";
const std::string kModel = "gpt-4o-2024-08-06";

// Five numbers a row from column `first`, gathered by the name in column `key`.
Rows Read(const std::string& name, std::size_t key, std::size_t first) {
  const auto text = ReadFile(kFolder + name);
  EXPECT_TRUE(text.ok()) << name;
  const auto records = ParseCsv(*text);
  Rows rows;
  for (std::size_t i = 1; i < records->size(); ++i) {
    const std::vector<std::string>& fields = (*records)[i].fields;
    for (std::size_t k = first; k < first + 5; ++k) {
      double value = 0;
      std::from_chars(fields[k].data(), fields[k].data() + fields[k].size(), value);
      rows[fields[key]].push_back(value);
    }
  }
  return rows;
}

Rows ReadReports(const std::string& name) { return Read(kModel + name, 2, 3); }

Comparison Compare(const Rows& weights, const std::vector<Rows>& sets) {
  Comparison comparison;
  for (const auto& [scenario, values] : weights) {
    ComparedScenario compared;
    compared.weights = values;
    compared.replies_total = 10;
    for (std::size_t set = 0; set < sets.size(); ++set) {
      const auto found = sets[set].find(scenario);
      if (found == sets[set].end()) continue;
      compared.reports = found->second;
      compared.report_set = static_cast<int>(set);
    }
    comparison.scenarios.push_back(compared);
  }
  return comparison;
}

class PaperTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder)) {
      GTEST_SKIP() << "the paper's files are not in " << kFolder
                   << ": nothing is compared with the published statistics";
    }
    const Rows learned = Read(kModel + "_regression_results.csv", 0, 1);
    const Rows native = Read(kModel + "_latent_regression_results.csv", 0, 1);
    learned_vs_instilled = Compare(learned, {Read("instilled_weights.csv", 0, 1)});
    control = Compare(learned, {ReadReports("_weight_reports.csv")});
    preference_trained = Compare(learned, {ReadReports("_instilled_weight_reports.csv")});
    introspection_trained =
        Compare(learned, {ReadReports("_itrained_first_50_of_100_50ex_weight_reports.csv"),
                          ReadReports("_itrained_last_50_of_100_50ex_weight_reports.csv")});
    native_before = Compare(native, {ReadReports("_instilled_latent_weight_reports.csv")});
    native_after =
        Compare(native, {ReadReports("_itrained_all_100_50ex_latent_weight_reports.csv")});
  }

  static void Expect(const Comparison& comparison, double slope, double low, double high) {
    const auto line = FitLine(PairUp(comparison));
    ASSERT_TRUE(line);
    EXPECT_NEAR(line->slope, slope, 5e-5);
    EXPECT_NEAR(line->interval->low, low, 5e-5);
    EXPECT_NEAR(line->interval->high, high, 5e-5);
  }

  static void Expect(const Comparison& trained, const Comparison& untrained, double slope,
                     double low, double high) {
    const ConditionPair pair{&trained, &untrained};
    const auto contrast = MeasureContrast(std::span(&pair, 1), {.resamples = 0});
    ASSERT_TRUE(contrast);
    EXPECT_NEAR(contrast->slope, slope, 5e-5);
    EXPECT_NEAR(contrast->interval->low, low, 5e-5);
    EXPECT_NEAR(contrast->interval->high, high, 5e-5);
  }

  Comparison learned_vs_instilled;
  Comparison control;
  Comparison preference_trained;
  Comparison introspection_trained;
  Comparison native_before;
  Comparison native_after;
};

TEST_F(PaperTest, SlopesAndIntervals) {
  Expect(control, .1022, .0146, .1898);
  Expect(preference_trained, .5427, .4687, .6166);
  Expect(introspection_trained, .7407, .6814, .8000);
  EXPECT_NEAR(FitLine(PairUp(native_before))->r, .4637, 5e-5);
  EXPECT_NEAR(FitLine(PairUp(native_after))->r, .7096, 5e-5);
}

TEST_F(PaperTest, MissingRepliesOfNativeScenarios) {
  const Interval bounds = *WorstCaseSlope(native_before);
  EXPECT_NEAR(bounds.low, .296, 5e-4);
  EXPECT_NEAR(bounds.high, .498, 5e-4);
}

TEST_F(PaperTest, LearnedAgainstInstilledWeights) {
  const auto line = FitLine(PairUp(learned_vs_instilled));
  EXPECT_NEAR(line->r, .8433, 5e-5);
  EXPECT_EQ(line->n_pairs, 500);
}

TEST_F(PaperTest, Contrasts) {
  Expect(introspection_trained, preference_trained, .1980, .1033, .2927);
  Expect(native_after, native_before, .2459, .1464, .3455);
}

}  // namespace
}  // namespace candor::statistics
