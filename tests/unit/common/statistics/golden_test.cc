// The choice model against the paper's data: exact posteriors of its 200 scenarios, and the weights
// that it published. The files are not part of the project; without them these tests say so.
#include "common/base/csv.h"
#include "common/base/files.h"
#include "common/statistics/choice_model.h"
#include "common/statistics/normalise.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace candor::statistics {
namespace {

constexpr Eigen::Index kAttributes = 5;

const std::string kShared = std::string(CANDOR_SOURCE_DIR) + "/../shared/";
const std::string kModel = "paper/gpt-4o-2024-08-06";

double Number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  EXPECT_TRUE(error == std::errc() && end == text.data() + text.size()) << text;
  return value;
}

// Rows of a file in `kShared` as maps from column to field.
std::vector<std::map<std::string, std::string>> ReadTable(const std::string& file) {
  const StatusOr<std::string> text = ReadFile(kShared + file);
  EXPECT_TRUE(text.ok()) << text.status();
  if (!text.ok()) return {};
  const StatusOr<std::vector<CsvRecord>> records = ParseCsv(*text);
  EXPECT_TRUE(records.ok()) << records.status();
  if (!records.ok()) return {};
  std::vector<std::map<std::string, std::string>> rows;
  for (std::size_t i = 1; i < records->size(); ++i) {
    auto& row = rows.emplace_back();
    for (std::size_t c = 0; c < (*records)[0].fields.size(); ++c) {
      row[(*records)[0].fields[c]] = (*records)[i].fields.at(c);
    }
  }
  return rows;
}

struct Data {
  std::vector<double> x;  // by rows
  std::vector<double> y;
};

class GoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kShared + "golden/golden_posteriors.csv")) {
      GTEST_SKIP() << "the paper's data are not here: " << kShared
                   << "golden/golden_posteriors.csv does not exist";
    }
    std::map<std::string, std::map<std::string, std::string>> scenarios;
    for (auto& row : ReadTable("paper/scenarios.csv")) scenarios[row["scenario"]] = row;
    for (const char* file : {"_instilled_selections.csv", "_instilled_latent_selections.csv"}) {
      for (auto& row : ReadTable(kModel + file)) {
        auto& scenario = scenarios[row["scenario"]];
        Data& data = data_[row["scenario"]];
        data.y.push_back(row["selection"] == "A" ? 1 : 0);
        for (Eigen::Index k = 1; k <= kAttributes; ++k) {
          const double range = Number(scenario[fmt::format("attr{}_max", k)]) -
                               Number(scenario[fmt::format("attr{}_min", k)]);
          data.x.push_back((Number(row[fmt::format("A_attribute_{}", k)]) -
                            Number(row[fmt::format("B_attribute_{}", k)])) /
                           range);
        }
      }
    }
  }

  ChoiceFit Fit(const std::string& scenario) {
    const Data& data = data_.at(scenario);
    const auto n = static_cast<Eigen::Index>(data.y.size());
    using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::MatrixXd x = Eigen::Map<const Rows>(data.x.data(), n, kAttributes);
    const Eigen::VectorXd y = Eigen::Map<const Eigen::VectorXd>(data.y.data(), n);
    const Status status = fitter_.Fit(x, y, {.tau = 1}, &fit_);
    EXPECT_TRUE(status.ok()) << scenario << ": " << status;
    return fit_;
  }

  std::map<std::string, Data> data_;
  ChoiceFitter fitter_;
  ChoiceFit fit_;
};

TEST_F(GoldenTest, ModesMeansAndSdsOfAll200Scenarios) {
  int fits = 0;
  double largest_mean_error = 0;
  double largest_distance_to_exact = 0;
  for (auto& row : ReadTable("golden/golden_posteriors.csv")) {
    const ChoiceFit fit = Fit(row["scenario"]);
    ++fits;
    EXPECT_EQ(fit.n_trials, Number(row["n"]));
    EXPECT_LE(fit.iterations, 8);
    for (Eigen::Index j = 0; j <= kAttributes; ++j) {
      const double mean = Number(row[fmt::format("tkk{}", j)]);
      EXPECT_NEAR(fit.mean(j), mean, 1e-8) << row["scenario"] << ", position " << j;
      EXPECT_NEAR(fit.mode(j), Number(row[fmt::format("map{}", j)]), 1e-8);
      EXPECT_NEAR(std::sqrt(fit.covariance(j, j)), Number(row[fmt::format("laplace_sd{}", j)]),
                  1e-8);
      largest_mean_error = std::max(largest_mean_error, std::abs(fit.mean(j) - mean));
      if (j > 0) {
        const double exact = Number(row[fmt::format("exact_mean{}", j)]);
        largest_distance_to_exact =
            std::max(largest_distance_to_exact, std::abs(fit.mean(j) - exact));
        EXPECT_NEAR(fit.sd(j), Number(row[fmt::format("exact_sd{}", j)]), 0.03 * fit.sd(j));
        EXPECT_EQ(RoundHalfEven(NormaliseWeights(fit.mean.tail(kAttributes))(j - 1)),
                  Number(row[fmt::format("norm{}", j)]));
      }
    }
  }
  EXPECT_EQ(fits, 200);
  fmt::print("largest |mean - tkk| {:.1e}, |mean - exact mean| of a weight {:.3f}\n",
             largest_mean_error, largest_distance_to_exact);
}

// r and mean |difference| between our rounded weights and the published ones.
struct Comparison {
  double r = 0;
  double mean_difference = 0;
};

Comparison Compare(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<Eigen::Index>(a.size());
  const Eigen::Map<const Eigen::VectorXd> ours(a.data(), n);
  const Eigen::Map<const Eigen::VectorXd> theirs(b.data(), n);
  const Eigen::VectorXd u = (ours.array() - ours.mean()).matrix();
  const Eigen::VectorXd v = (theirs.array() - theirs.mean()).matrix();
  return {u.dot(v) / (u.norm() * v.norm()), (ours - theirs).cwiseAbs().mean()};
}

TEST_F(GoldenTest, PublishedWeightsAreOurs) {
  struct Case {
    const char* file;
    double largest_mean_difference;
  };
  for (const Case& published :
       {Case{"_regression_results.csv", 0.35}, Case{"_latent_regression_results.csv", 0.22}}) {
    std::vector<double> ours;
    std::vector<double> theirs;
    for (auto& row : ReadTable(kModel + published.file)) {
      const Eigen::VectorXd weights = NormaliseWeights(Fit(row["scenario"]).mean.tail(kAttributes));
      ASSERT_EQ(weights.size(), kAttributes);
      for (Eigen::Index k = 0; k < kAttributes; ++k) {
        ours.push_back(RoundHalfEven(weights(k)));
        theirs.push_back(Number(row[fmt::format("b_attr{}", k + 1)]));
      }
    }
    ASSERT_EQ(ours.size(), 500U);
    const Comparison comparison = Compare(ours, theirs);
    EXPECT_GE(comparison.r, 0.9999);
    EXPECT_LE(comparison.mean_difference, published.largest_mean_difference);
    fmt::print("{}: r {:.6f}, mean |difference| {:.3f}\n", published.file, comparison.r,
               comparison.mean_difference);
  }
}

}  // namespace
}  // namespace candor::statistics
