// What can be reached at best: a noiseless chooser with the instilled weights, asked the paper's
// own trials.
#include "common/base/csv.h"
#include "common/base/files.h"
#include "common/statistics/choice_model.h"
#include "common/statistics/correlation.h"
#include "common/statistics/normalise.h"

#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace candor::statistics {
namespace {

const std::string kFolder = std::string(CANDOR_SOURCE_DIR) + "/../shared/paper/";
constexpr Eigen::Index kAttributes = 5;

std::vector<CsvRecord> Read(const std::string& name) {
  const auto text = ReadFile(kFolder + name);
  EXPECT_TRUE(text.ok()) << name;
  auto records = ParseCsv(*text);
  EXPECT_TRUE(records.ok()) << name;
  return *records;
}

Eigen::VectorXd Numbers(const std::vector<std::string>& fields, std::size_t first) {
  Eigen::VectorXd numbers(kAttributes);
  for (std::size_t k = 0; k < static_cast<std::size_t>(kAttributes); ++k) {
    const std::string& field = fields[first + k];
    std::from_chars(field.data(), field.data() + field.size(),
                    numbers(static_cast<Eigen::Index>(k)));
  }
  return numbers;
}

TEST(CeilingTest, IsThatOfANoiselessChooser) {
  if (!std::filesystem::exists(kFolder)) {
    GTEST_SKIP() << "the paper's files are not in " << kFolder << ": the ceiling is not compared";
  }
  std::map<std::string, Eigen::VectorXd> width;
  std::map<std::string, Eigen::VectorXd> instilled;
  std::map<std::string, std::vector<Eigen::VectorXd>> trials;
  const auto scenarios = Read("scenarios.csv");
  for (std::size_t i = 1; i < scenarios.size(); ++i) {
    const auto& fields = scenarios[i].fields;
    width[fields[0]] = Numbers(fields, 12) - Numbers(fields, 7);
  }
  const auto weights = Read("instilled_weights.csv");
  for (std::size_t i = 1; i < weights.size(); ++i) {
    instilled[weights[i].fields[0]] = Numbers(weights[i].fields, 1);
  }
  const auto selections = Read("gpt-4o-2024-08-06_instilled_selections.csv");
  for (std::size_t i = 1; i < selections.size(); ++i) {
    const auto& fields = selections[i].fields;
    const Eigen::VectorXd difference = Numbers(fields, 3) - Numbers(fields, 8);
    trials[fields[1]].push_back(difference.cwiseQuotient(width.at(fields[1])));
  }

  std::vector<double> estimated;
  std::vector<double> truth;
  for (const auto& [scenario, rows] : trials) {
    const auto n = static_cast<Eigen::Index>(rows.size());
    const Eigen::VectorXd& taught = instilled.at(scenario);
    Eigen::MatrixXd x(n, kAttributes);
    Eigen::VectorXd y(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      x.row(i) = rows[static_cast<std::size_t>(i)];
      y(i) = x.row(i).dot(taught) > 0 ? 1 : 0;
    }
    const auto fit = FitChoices(x, y);
    ASSERT_TRUE(fit.ok());
    for (const double weight : NormaliseWeights(fit->mean.tail(kAttributes))) {
      estimated.push_back(RoundHalfEven(weight));
    }
    truth.insert(truth.end(), taught.begin(), taught.end());
  }
  ASSERT_EQ(trials.size(), 100U);
  EXPECT_NEAR(*Pearson(estimated, truth), .966, 5e-4);
}

}  // namespace
}  // namespace candor::statistics
