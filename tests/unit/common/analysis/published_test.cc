// The paper's own data, from the JSON: what `candor analyze` prints of it.
#include "common/analysis/analyze.h"
#include "common/analysis/paper_study.h"
#include "common/base/csv_table.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/statistics/normalise.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace candor::analysis {
namespace {

namespace json = boost::json;

constexpr const char* kModel = "gpt-4o-2024-08-06";
const std::string kShared = std::string(CANDOR_SOURCE_DIR) + "/../shared";

class PublishedTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kShared + "/paper/scenarios.csv"))
      GTEST_SKIP() << "NOT CHECKED: the paper's files are not in " << kShared << "/paper";
    // The analysis is made once.
    static const json::value analysis = [] {
      const StatusOr<Study> study = ReadPaperStudy(kShared + "/paper", {kModel});
      EXPECT_TRUE(study.ok()) << study.status();
      const auto made = Analyze(*study, {.resamples = 1'000, .permutations = 500});
      EXPECT_TRUE(made.ok()) << made.status();
      return json::parse(PrintJson(*made));
    }();
    analysis_ = &analysis;
  }

  const json::object& Model() const { return analysis_->at("models").at(kModel).as_object(); }
  // "slope [low, high]" to the digits of the table.
  std::string Shown(const char* statistic) const {
    const json::object& s = Model().at(statistic).as_object();
    return fmt::format("{:.4f} [{:.4f}, {:.4f}]", s.at("slope").to_number<double>(),
                       s.at("interval_low").to_number<double>(),
                       s.at("interval_high").to_number<double>());
  }
  std::string R(const char* statistic) const {
    return fmt::format("{:.4f}", Model().at(statistic).at("r").to_number<double>());
  }
  std::string Replies(const char* statistic) const {
    const json::object& s = Model().at(statistic).as_object();
    return fmt::format("{} of {}", s.at("replies_valid").to_number<int>(),
                       s.at("replies_total").to_number<int>());
  }

  const json::value* analysis_ = nullptr;
};

TEST_F(PublishedTest, GivesTheTableToTheLastDigit) {
  EXPECT_EQ(R("learned_vs_instilled"), "0.8433");
  EXPECT_EQ(Shown("control"), "0.1022 [0.0146, 0.1898]");
  EXPECT_EQ(Shown("preference_trained"), "0.5427 [0.4687, 0.6166]");
  EXPECT_EQ(Shown("introspection_trained"), "0.7407 [0.6814, 0.8000]");
  EXPECT_EQ(R("native_before"), "0.4637");
  EXPECT_EQ(R("native_after"), "0.7096");
  EXPECT_EQ(Shown("contrast_instilled"), "0.1980 [0.1033, 0.2927]");
  EXPECT_EQ(Shown("contrast_native"), "0.2459 [0.1464, 0.3455]");
}

TEST_F(PublishedTest, CountsReplies) {
  EXPECT_EQ(Replies("learned_vs_instilled"), "5000 of 5000");
  EXPECT_EQ(Replies("control"), "1000 of 1000");
  EXPECT_EQ(Replies("introspection_trained"), "1000 of 1000");
  EXPECT_EQ(Replies("native_before"), "966 of 1000");
  EXPECT_EQ(Replies("contrast_native"), "1966 of 2000");
  EXPECT_EQ(analysis_->as_object().contains("left_out"), false);
  EXPECT_EQ(analysis_->at("excluded_row_count").to_number<int>(), 0);
}

TEST_F(PublishedTest, GivesTheCeilingAndTheWidePriorOfTheMethod) {
  const json::object& learned = Model().at("learned_vs_instilled").as_object();
  EXPECT_NEAR(learned.at("reliability").at("ceiling").to_number<double>(), 0.966, 0.0005);
  EXPECT_NEAR(learned.at("refit").at("r").to_number<double>(), 0.843, 0.001);
  EXPECT_NEAR(learned.at("wide_prior").at("r").to_number<double>(), 0.850, 0.001);
}

TEST_F(PublishedTest, GivesTheGoldenPosteriors) {
  const std::string path = kShared + "/golden/golden_posteriors.csv";
  const StatusOr<std::string> text = ReadFile(path);
  ASSERT_TRUE(text.ok()) << text.status();
  StatusOr<CsvTable> table = CsvTable::Create(path, *text);
  ASSERT_TRUE(table.ok()) << table.status();
  std::map<std::string, const json::object*> fits;
  for (const json::value& fit : Model().at("scenarios").as_array())
    fits.emplace(json::value_to<std::string>(fit.at("scenario_id")), &fit.as_object());
  ASSERT_EQ(fits.size(), 200U);
  CsvRow row;
  int rows = 0;
  double worst = 0;
  std::map<std::string, double> difference;
  while (table->Next(&row)) {
    const auto cell = [&](const std::string& name) {
      return table->Number(row, table->Column(name).value()).value();
    };
    const json::object& fit =
        *fits.at(std::string(CsvTable::Cell(row, table->Column("scenario").value())));
    const bool native = cell("native") != 0;
    EXPECT_EQ(fit.at("native").as_bool(), native);
    for (int k = 0; k <= 5; ++k) {
      const auto at = static_cast<std::size_t>(k);
      worst = std::max(worst, std::abs(fit.at("mean").at(at).to_number<double>() -
                                       cell(fmt::format("tkk{}", k))));
      worst = std::max(worst, std::abs(fit.at("map").at(at).to_number<double>() -
                                       cell(fmt::format("map{}", k))));
      if (k == 0) continue;
      const double normalised =
          statistics::RoundHalfEven(fit.at("normalised").at(at - 1).to_number<double>());
      EXPECT_EQ(normalised, cell(fmt::format("norm{}", k)));
      difference[native ? "native" : "instilled"] +=
          std::abs(normalised - fit.at("published").at(at - 1).to_number<double>()) / 500;
    }
    ++rows;
  }
  EXPECT_EQ(rows, 200);
  EXPECT_LT(worst, 1e-8);
  EXPECT_LE(difference["instilled"], 0.35);
  EXPECT_LE(difference["native"], 0.22);
  RecordProperty("worst", fmt::format("{}", worst));
}

}  // namespace
}  // namespace candor::analysis
