#include "common/analysis/analyze.h"

#include "common/analysis/export_study.h"
#include "common/analysis/job_study.h"
#include "common/analysis/paper_study.h"
#include "common/base/json_proto.h"
#include "common/statistics/line.h"
#include "export_writer.h"
#include "paper_writer.h"
#include "testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace candor::analysis {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

// Quick, and enough for intervals.
constexpr Options kQuick{.resamples = 500, .permutations = 200, .seed = 7};

v1::Analysis Analysed(const Study& study, const Options& options = kQuick) {
  StatusOr<v1::Analysis> analysis = Analyze(study, options);
  EXPECT_TRUE(analysis.ok()) << analysis.status();
  return analysis.ok() ? *std::move(analysis) : v1::Analysis();
}

v1::Analysis AnalysedPaper(const TempFolder& folder, const std::vector<std::string>& models) {
  const StatusOr<Study> study = ReadPaperStudy(folder.path(), models);
  EXPECT_TRUE(study.ok()) << study.status();
  return study.ok() ? Analysed(*study) : v1::Analysis();
}

v1::Analysis AnalysedJob(const TestJob& test, const std::vector<v1::Outcome>& outcomes) {
  JobStudyBuilder builder;
  EXPECT_TRUE(builder.AddJob(test.specification, test.job).ok());
  for (const v1::Outcome& outcome : outcomes) EXPECT_TRUE(builder.Add(0, outcome).ok());
  return Analysed(builder.Build());
}

TEST(AnalyzeTest, FindsAModelThatKnowsItselfAndOneThatDoesNot) {
  TestJob test(30);
  test.AddEntry("knows", 40, 5);
  test.AddEntry("guesses", 0, 5, "knows");
  const v1::Analysis analysis = AnalysedJob(test, test.AllOutcomes({0.8, 0}));
  const v1::Agreement& knows = analysis.models().at("knows").self_reports();
  const v1::Agreement& guesses = analysis.models().at("guesses").self_reports();
  EXPECT_GT(knows.interval_low(), 0.6);
  EXPECT_LT(knows.permutation_p(), 0.01);
  EXPECT_LT(std::abs(guesses.slope()), 0.4);
  EXPECT_EQ(knows.n_pairs(), 90);
  EXPECT_EQ(knows.n_scenarios(), 30);
  EXPECT_EQ(knows.replies_valid(), 150);
  EXPECT_EQ(knows.replies_total(), 150);
  EXPECT_EQ(knows.weights_source(), v1::Agreement::ESTIMATED);
  EXPECT_THAT(knows.scenarios(), SizeIs(30));
  EXPECT_THAT(knows.domains(), SizeIs(2));
  EXPECT_TRUE(knows.reliability().has_weights());
  EXPECT_TRUE(knows.bootstrap().slope().has_low());
  EXPECT_THAT(analysis.headline(), HasSubstr("knows"));
  const v1::Contrast& contrast = analysis.models().at("guesses").contrast_self_reports();
  EXPECT_EQ(contrast.trained(), "guesses");
  EXPECT_EQ(contrast.untrained(), "knows");
  EXPECT_LT(contrast.interval_high(), 0);
  EXPECT_NEAR(contrast.slope(), guesses.slope() - knows.slope(), 1e-12);
}

TEST(AnalyzeTest, FillsScenariosAndChoices) {
  TestJob test(3, 4, /*instilled=*/true);
  test.AddEntry("tuned", 20, 2);
  const v1::Analysis analysis = AnalysedJob(test, test.AllOutcomes({1}));
  const v1::ModelAnalysis& model = analysis.models().at("tuned");
  ASSERT_THAT(model.scenarios(), SizeIs(3));
  const v1::ScenarioFit& fit = model.scenarios(0);
  EXPECT_EQ(fit.scenario_id(), "scenario_0");
  EXPECT_THAT(fit.map(), SizeIs(5));
  EXPECT_THAT(fit.mean(), SizeIs(5));
  EXPECT_THAT(fit.sd(), SizeIs(5));
  EXPECT_THAT(fit.normalised(), SizeIs(4));
  EXPECT_THAT(fit.instilled(), SizeIs(4));
  EXPECT_FALSE(fit.native());
  EXPECT_EQ(fit.n_trials(), 20);
  EXPECT_TRUE(fit.has_position_bias_q());
  EXPECT_TRUE(fit.fit().model().has_accuracy());
  EXPECT_EQ(fit.wide_prior().tau(), 5);
  const v1::Agreement& learned = model.learned_vs_instilled();
  EXPECT_EQ(learned.replies_valid(), 60);
  EXPECT_EQ(learned.replies_total(), 60);
  EXPECT_GT(learned.r(), 0.8);
  EXPECT_GT(learned.reliability().ceiling(), 0.8);
  EXPECT_THAT(model.replies(), SizeIs(2));
}

TEST(AnalyzeTest, DoesNotDependOnTheOrderOfOutcomes) {
  TestJob test(6);
  test.AddEntry("base", 12, 3);
  test.AddEntry("other", 12, 3);
  std::vector<v1::Outcome> outcomes = test.AllOutcomes({0.7, 0.2});
  TempFolder folder;
  WriteExport(folder, test, outcomes);
  const StatusOr<Study> first = ReadExportStudy({folder.path()});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string json = PrintJson(Analysed(*first));
  std::reverse(outcomes.begin(), outcomes.end());
  std::rotate(outcomes.begin(), outcomes.begin() + 31, outcomes.end());
  WriteExport(folder, test, outcomes);
  const StatusOr<Study> second = ReadExportStudy({folder.path()});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(PrintJson(Analysed(*second)), json);
}

TEST(AnalyzeTest, TellsWhoKnowsWhom) {
  TestJob test(40);
  test.AddEntry("one", 40, 4);
  test.AddEntry("two", 40, 4);
  std::vector<v1::Outcome> outcomes = test.AllOutcomes({0.9, 0.9});
  // The second decides by weights of its own, and reports them.
  TestJob other(40);
  other.AddEntry("one", 40, 4);
  other.AddEntry("two", 40, 4);
  std::rotate(other.truth.begin(), other.truth.begin() + 1, other.truth.end());
  std::vector<v1::Outcome> mixed;
  for (const v1::Outcome& outcome : outcomes)
    if (outcome.entry() == "one") mixed.push_back(outcome);
  for (const v1::Outcome& outcome : other.AllOutcomes({0.9, 0.9}))
    if (outcome.entry() == "two") mixed.push_back(outcome);
  const v1::Analysis analysis = AnalysedJob(test, mixed);
  const v1::PrivilegedAccess& access = analysis.privileged_access();
  EXPECT_THAT(access.choosers(), SizeIs(2));
  EXPECT_THAT(access.pairs(), SizeIs(4));
  EXPECT_THAT(access.differences(), SizeIs(2));
  EXPECT_GT(access.overall().interval().low(), 0.3);
}

TEST(AnalyzeTest, AdjustsThePrimaryStatisticsAlone) {
  TestJob test(12);
  test.AddEntry("base", 20, 3);
  test.AddEntry("other", 20, 3);
  v1::AnalysisPlan* plan = test.job.mutable_analysis();
  plan->add_primary("base.self_reports");
  plan->add_primary("other.contrast_self_reports");
  plan->set_tau(2);
  test.job.set_analysis_hash("abc");
  const v1::Analysis analysis = AnalysedJob(test, test.AllOutcomes({0.6, 0}));
  EXPECT_EQ(analysis.settings().tau(), 2);
  EXPECT_EQ(analysis.plan_hash(), "abc");
  ASSERT_GE(analysis.tests_size(), 2);
  EXPECT_EQ(analysis.tests(0).statistic(), "models.base.self_reports.slope");
  EXPECT_TRUE(analysis.tests(0).primary());
  EXPECT_TRUE(analysis.tests(0).has_p_holm());
  EXPECT_FALSE(analysis.tests(1).primary());
  EXPECT_FALSE(analysis.tests(1).has_p_holm());
  std::vector<std::string> left_out;
  for (const v1::LeftOut& item : analysis.left_out()) left_out.push_back(item.statistic());
  EXPECT_THAT(left_out, Contains("other.contrast_self_reports"));
}

TEST(AnalyzeTest, LetsThePlansExclusionsActOnTheHeadline) {
  TestJob test(8);
  test.AddEntry("base", 20, 2);
  std::vector<v1::Outcome> outcomes = test.AllOutcomes({1});
  for (v1::Outcome& outcome : outcomes) {
    if (outcome.kind() != v1::Cell::SELF_REPORT || outcome.scenario() != "scenario_3") continue;
    outcome.set_class_(v1::Outcome::OUT_OF_RANGE);
    outcome.mutable_report(0)->set_value(900);
  }
  const v1::Agreement as_is = AnalysedJob(test, outcomes).models().at("base").self_reports();
  EXPECT_EQ(as_is.out_of_range().n_values(), 2);
  EXPECT_EQ(as_is.out_of_range().as_is().slope(), as_is.slope());
  EXPECT_NE(as_is.out_of_range().clipped().slope(), as_is.slope());
  EXPECT_EQ(as_is.out_of_range().dropped().n_scenarios(), 7);
  test.job.mutable_analysis()->mutable_exclusions()->set_out_of_range(v1::AnalysisPlan::DROPPED);
  test.job.mutable_analysis()->mutable_exclusions()->add_scenario_ids("scenario_1");
  const v1::Agreement dropped = AnalysedJob(test, outcomes).models().at("base").self_reports();
  EXPECT_EQ(dropped.n_scenarios(), 6);
  EXPECT_EQ(dropped.replies_valid(), 14);
  EXPECT_EQ(dropped.slope(), dropped.out_of_range().dropped().slope());
}

TEST(AnalyzeTest, SaysWhatCannotBeComputed) {
  TestJob test(2);
  test.AddEntry("base", 5, 2);
  const v1::Analysis nothing = AnalysedJob(test, {});
  EXPECT_FALSE(nothing.models().at("base").self_reports().has_slope());
  EXPECT_EQ(nothing.models().at("base").self_reports().replies_total(), 4);
  EXPECT_EQ(nothing.models().at("base").self_reports().n_pairs(), 0);
  EXPECT_THAT(nothing.headline(), HasSubstr("Nothing can be said yet"));
  EXPECT_THAT(nothing.left_out(), Not(SizeIs(0)));
  EXPECT_THAT(PrintJson(nothing), Not(AnyOf(HasSubstr("NaN"), HasSubstr(": nan"))));
  // One trial and one report of one scenario: still no NaN.
  const v1::Analysis little = AnalysedJob(test, {test.Choice(0, 0, 0), test.Report(0, 0, 0)});
  EXPECT_THAT(PrintJson(little), Not(AnyOf(HasSubstr("NaN"), HasSubstr(": nan"))));
  EXPECT_EQ(little.models().at("base").scenarios_size(), 1);
}

TEST(AnalyzeTest, RefusesOptionsOutOfRange) {
  for (const Options& options :
       {Options{.tau = 0}, Options{.tau = std::nan("")}, Options{.tau = 1e9},
        Options{.resamples = -1}, Options{.resamples = 2'000'000}, Options{.permutations = -1},
        Options{.folds = 1}}) {
    EXPECT_EQ(Analyze(Study(), options).status().code(), absl::StatusCode::kInvalidArgument);
  }
  v1::AnalysisSettings settings;
  settings.set_tau(5);
  settings.set_resamples(0);
  const StatusOr<Options> options = OptionsFrom(settings);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->tau, 5);
  EXPECT_EQ(options->resamples, 0);
  EXPECT_EQ(options->permutations, 10'000);
}

// The paper's layout, of models that never were; K is 4, then 2 and 7.

// Separate lines, pooled variance: written down again from the formulas.
struct Closed {
  double slope = 0;
  double low = 0;
  double high = 0;
};
struct Sums {
  double slope, rss, sxx;
  int n;
};
Sums SumsOf(const v1::Agreement& agreement) {
  std::vector<double> x;
  std::vector<double> y;
  for (const v1::ScenarioAgreement& scenario : agreement.scenarios()) {
    x.insert(x.end(), scenario.standardised_report().begin(), scenario.standardised_report().end());
    y.insert(y.end(), scenario.standardised_weights().begin(),
             scenario.standardised_weights().end());
  }
  double mx = 0;
  double my = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mx += x[i] / static_cast<double>(x.size());
    my += y[i] / static_cast<double>(x.size());
  }
  double sxx = 0;
  double sxy = 0;
  double syy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sxx += (x[i] - mx) * (x[i] - mx);
    sxy += (x[i] - mx) * (y[i] - my);
    syy += (y[i] - my) * (y[i] - my);
  }
  return {sxy / sxx, syy - sxy * sxy / sxx, sxx, static_cast<int>(x.size())};
}
Closed Contrast(const std::vector<std::pair<v1::Agreement, v1::Agreement>>& bases) {
  const auto b = static_cast<double>(bases.size());
  double rss = 0;
  double inverse = 0;
  double n = 0;
  Closed closed;
  for (const auto& [trained, untrained] : bases) {
    const Sums t = SumsOf(trained);
    const Sums u = SumsOf(untrained);
    closed.slope += (t.slope - u.slope) / b;
    rss += t.rss + u.rss;
    inverse += 1 / t.sxx + 1 / u.sxx;
    n += t.n + u.n;
  }
  const double dof = n - 4 * b;
  const double se = std::sqrt(rss / dof * inverse / (b * b));
  closed.low = closed.slope - statistics::StudentT975(dof) * se;
  closed.high = closed.slope + statistics::StudentT975(dof) * se;
  return closed;
}
void ExpectEqual(const v1::Contrast& contrast, const Closed& closed) {
  EXPECT_NEAR(contrast.slope(), closed.slope, 1e-10);
  EXPECT_NEAR(contrast.interval_low(), closed.low, 1e-10);
  EXPECT_NEAR(contrast.interval_high(), closed.high, 1e-10);
}

TEST(AnalyzePaperLayoutTest, PoolsTwoModels) {
  TempFolder folder;
  PaperWriter writer(folder, 24, 4);
  writer.WriteModel("one", 3, {0, 0.5, 0.8, 0.4, 0.7});
  writer.WriteModel("two", 4, {0.1, 0.3, 0.6, 0.2, 0.6}, /*trials=*/40, /*reports=*/7);
  const v1::Analysis analysis = AnalysedPaper(folder, {"one", "two"});
  const v1::ModelAnalysis& one = analysis.models().at("one");
  const v1::ModelAnalysis& two = analysis.models().at("two");
  ExpectEqual(one.contrast_instilled(),
              Contrast({{one.introspection_trained(), one.preference_trained()}}));
  ExpectEqual(two.contrast_native(), Contrast({{two.native_after(), two.native_before()}}));
  ExpectEqual(analysis.pooled().contrast_instilled(),
              Contrast({{one.introspection_trained(), one.preference_trained()},
                        {two.introspection_trained(), two.preference_trained()}}));
  ExpectEqual(analysis.pooled().contrast_native(),
              Contrast({{one.native_after(), one.native_before()},
                        {two.native_after(), two.native_before()}}));
  EXPECT_THAT(analysis.pooled().contrast_native().models(), SizeIs(2));
  EXPECT_EQ(two.control().replies_valid(), 84);
  EXPECT_EQ(two.control().replies_total(), 120);
  EXPECT_THAT(one.scenarios(), SizeIs(24));
  EXPECT_TRUE(one.scenarios(20).native());
  EXPECT_THAT(analysis.privileged_access().pairs(), SizeIs(4));
  EXPECT_EQ(analysis.left_out_size(), 0);
}

TEST(AnalyzePaperLayoutTest, TakesAnyNumberOfAttributes) {
  for (const int attributes : {2, 7}) {
    TempFolder folder;
    PaperWriter writer(folder, 20, attributes);
    writer.WriteModel("m", 5, {0, 0.7, 0.9, 0.7, 0.9});
    const v1::Analysis analysis = AnalysedPaper(folder, {"m"});
    const v1::ModelAnalysis& model = analysis.models().at("m");
    EXPECT_EQ(model.preference_trained().n_pairs(), 10 * attributes);
    EXPECT_THAT(model.scenarios(0).mean(), SizeIs(attributes + 1));
    EXPECT_GT(model.introspection_trained().r(), 0.5);
  }
}

TEST(AnalyzePaperLayoutTest, CountsLostReportsAndValuesOutOfRange) {
  TempFolder folder;
  PaperWriter writer(folder, 20, 4);
  writer.WriteModel("m", 5, {0, 0.7, 0.9, 0.7, 0.9});
  std::string few =
      "explaining_model,version,scenario,report_attr1,report_attr2,report_attr3,"
      "report_attr4\n";
  for (int i = 0; i < 9; ++i)
    few += fmt::format("ft,v,s{},{},-20.5,{},5\n", 10 + i / 3, 30 * i, i == 4 ? 498 : i);
  folder.Write("m_instilled_latent_weight_reports.csv", few);
  const v1::Analysis analysis = AnalysedPaper(folder, {"m"});
  const v1::Agreement& before = analysis.models().at("m").native_before();
  EXPECT_EQ(before.replies_valid(), 9);
  EXPECT_EQ(before.replies_total(), 100);
  EXPECT_EQ(before.n_scenarios(), 3);
  EXPECT_EQ(before.attrition().scenarios_total(), 10);
  EXPECT_EQ(before.attrition().scenarios_lost(), 7);
  EXPECT_EQ(before.out_of_range().n_values(), 6);
  EXPECT_LE(before.attrition().worst_case_slope().low(), before.slope());
  EXPECT_GE(before.attrition().worst_case_slope().high(), before.slope());
  std::vector<std::string> warnings(analysis.warnings().begin(), analysis.warnings().end());
  EXPECT_THAT(warnings, Contains(HasSubstr("91 of 100 replies and 7 of 10 scenarios are lost")));
  // The refits beside published weights.
  EXPECT_FALSE(before.has_refit());
  std::string published = "scenario,b_attr1,b_attr2,b_attr3,b_attr4\n";
  for (int s = 10; s < 20; ++s) {
    published += fmt::format("s{},{},{},{},{}\n", s, writer.At(s, 0), writer.At(s, 1),
                             writer.At(s, 2), writer.At(s, 3));
  }
  folder.Write("m_latent_regression_results.csv", published);
  const v1::Analysis again = AnalysedPaper(folder, {"m"});
  const v1::Agreement& beside = again.models().at("m").native_before();
  EXPECT_EQ(beside.weights_source(), v1::Agreement::PUBLISHED);
  EXPECT_EQ(beside.refit().slope(), before.slope());
  EXPECT_THAT(again.models().at("m").scenarios(15).published(), SizeIs(4));
}

}  // namespace
}  // namespace candor::analysis
