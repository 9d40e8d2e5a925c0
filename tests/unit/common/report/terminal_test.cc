#include "common/report/report.h"
#include "tests/unit/common/report/sample_analysis.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace candor::report {
namespace {

std::string Terminal(const v1::Analysis& analysis) {
  return fmt::format("{}\n", fmt::join(RenderTerminal(analysis), "\n"));
}

v1::Analysis Small() {
  v1::Analysis analysis;
  analysis.set_headline("Yes: \x1b[31mbase knows its weights.");
  auto& models = *analysis.mutable_models();
  v1::Agreement& reports = *models["base"].mutable_self_reports();
  reports.set_slope(0.7407);
  reports.set_interval_low(0.6814);
  reports.set_interval_high(0.8);
  reports.set_r(-0.0001);
  reports.mutable_bootstrap()->mutable_r()->set_low(-0.1);
  reports.mutable_bootstrap()->mutable_r()->set_high(0.1);
  reports.set_n_scenarios(100);
  reports.set_replies_valid(998);
  reports.set_replies_total(1000);
  models["other"].mutable_native_before()->set_slope(std::numeric_limits<double>::quiet_NaN());
  v1::Contrast& contrast = *models["other"].mutable_contrast_native();
  contrast.set_slope(0.2459);
  contrast.set_interval_low(0.1464);
  contrast.set_interval_high(0.3455);
  contrast.set_p(0.0002);
  analysis.mutable_privileged_access()->mutable_overall()->set_difference(0.25);
  analysis.mutable_plan()->add_primary("base.self_reports");
  analysis.add_warnings("two served models answered for \"base\"");
  v1::LeftOut& left_out = *analysis.add_left_out();
  left_out.set_statistic("models.other.control");
  left_out.set_reason("x_base_weight_reports.csv is not there");
  analysis.set_excluded_row_count(1204);
  return analysis;
}

TEST(RenderTerminal, SaysTheHeadlineTheFiguresAndWhatIsMissing) {
  EXPECT_EQ(Terminal(Small()), R"(Yes: [31mbase knows its weights.

model  weights against reports  slope  95 % interval       r  by scenarios     scenarios    replies
base   self reports *           0.741  [0.681, 0.800]  0.000  [-0.100, 0.100]        100  998/1,000
other  native before                -  -                   -  -                        -          -

model  trained minus untrained  slope  95 % interval   r  by scenarios (slope)       p
other  contrast native          0.246  [0.146, 0.345]  -  -                     <0.001

own weights minus others' weights, r: 0.250 -

* named by the analysis plan; everything else is exploratory

Warnings:
- two served models answered for "base"

Left out:
- models.other.control: x_base_weight_reports.csv is not there

1,204 rows were kept out; excluded_rows.csv says why
)");
}

TEST(RenderTerminal, WrapsLongTextsAndListsTheFirst) {
  v1::Analysis analysis;
  for (int i = 0; i < 30; ++i) {
    std::string text;
    for (int word = 0; word < 40; ++word) text += "warning ";
    analysis.add_warnings(text);
  }
  const std::vector<std::string> lines = RenderTerminal(analysis);
  EXPECT_EQ(lines.size(), 1U + 12U * 4U + 1U);
  EXPECT_EQ(lines.back(), "- and 18 more; the report lists all");
  for (const std::string& line : lines) EXPECT_LE(line.size(), 100U);
}

TEST(RenderTerminal, HasNothingThatATerminalObeys) {
  for (const std::string& line : RenderTerminal(HostileAnalysis())) {
    EXPECT_THAT(line, testing::Not(testing::MatchesRegex(".*[\x01-\x1f].*")));
  }
}

TEST(RenderTerminal, OfNothingIsNothing) {
  EXPECT_THAT(RenderTerminal(EmptyAnalysis()), testing::IsEmpty());
}

}  // namespace
}  // namespace candor::report
