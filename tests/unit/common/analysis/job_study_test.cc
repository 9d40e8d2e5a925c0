#include "common/analysis/job_study.h"

#include "testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace candor::analysis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Study StudyOf(const TestJob& test, const std::vector<v1::Outcome>& outcomes) {
  JobStudyBuilder builder;
  const StatusOr<int> job = builder.AddJob(test.specification, test.job);
  EXPECT_TRUE(job.ok()) << job.status();
  for (const v1::Outcome& outcome : outcomes) {
    const Status status = builder.Add(*job, outcome);
    EXPECT_TRUE(status.ok()) << status;
  }
  return builder.Build();
}

TEST(JobStudyTest, KeepsChoicesAndReportsInTheOrderOfTheirCells) {
  TestJob test(2);
  test.AddEntry("base", 3, 2);
  std::vector<v1::Outcome> outcomes = test.AllOutcomes({1});
  std::reverse(outcomes.begin(), outcomes.end());
  const Study study = StudyOf(test, outcomes);

  ASSERT_THAT(study.scenarios, SizeIs(2));
  EXPECT_EQ(study.scenarios[1].id, "scenario_1");
  EXPECT_EQ(study.scenarios[1].domain, "odd");
  ASSERT_THAT(study.choosers, SizeIs(1));
  ASSERT_THAT(study.choosers[0].choices, SizeIs(2));
  const ScenarioChoices& choices = study.choosers[0].choices[1];
  EXPECT_EQ(choices.asked, 3);
  EXPECT_TRUE(choices.native);
  ASSERT_THAT(choices.y, SizeIs(3));
  for (std::size_t t = 0; t < 3; ++t) {
    const v1::Outcome outcome = test.Choice(0, 1, static_cast<int>(t));
    EXPECT_EQ(choices.keys[t].pair, t);
    EXPECT_EQ(choices.y[t], outcome.choice() == v1::Outcome::A ? 1 : 0);
    EXPECT_EQ(choices.x[t * 3 + 2],
              (outcome.option_a(2).value() - outcome.option_b(2).value()) / 10);
  }
  const ScenarioReports& reports = study.report_sets[0].reports[0];
  EXPECT_EQ(reports.asked, 2);
  ASSERT_THAT(reports.values, SizeIs(6));
  EXPECT_EQ(reports.values[3], test.Report(0, 0, 1).report(0).value());
}

TEST(JobStudyTest, FindsAttributesByTheirNames) {
  TestJob test(1);
  test.AddEntry("base", 1, 0);
  v1::Outcome outcome = test.Choice(0, 0, 0);
  const double x = (outcome.option_a(0).value() - outcome.option_b(0).value()) / 10;
  outcome.mutable_option_a()->SwapElements(0, 2);
  outcome.mutable_option_b()->SwapElements(0, 1);
  EXPECT_EQ(StudyOf(test, {outcome}).choosers[0].choices[0].x[0], x);
}

TEST(JobStudyTest, TakesLogProbabilitiesAsSoftChoices) {
  TestJob test(1);
  test.AddEntry("base", 1, 0);
  v1::Outcome outcome = test.Choice(0, 0, 0);
  outcome.set_log_odds_a(std::log(3.0));
  const ScenarioChoices choices = StudyOf(test, {outcome}).choosers[0].choices[0];
  EXPECT_DOUBLE_EQ(choices.y[0], 0.75);
  EXPECT_EQ(choices.soft, 1);
}

TEST(JobStudyTest, CountsWhatCannotBeRead) {
  TestJob test(1);
  test.AddEntry("base", 2, 3);
  v1::Outcome refusal = test.Choice(0, 0, 0);
  refusal.set_class_(v1::Outcome::REFUSAL);
  refusal.clear_choice();
  refusal.set_raw_text("I would rather not.");
  v1::Outcome beyond = test.Report(0, 0, 1);
  beyond.set_class_(v1::Outcome::OUT_OF_RANGE);
  beyond.mutable_report(0)->set_value(250);
  v1::Outcome missing = test.Report(0, 0, 2);
  missing.set_class_(v1::Outcome::MISSING_ATTRIBUTE);
  missing.mutable_report(0)->clear_value();
  const Study study =
      StudyOf(test, {refusal, test.Choice(0, 0, 1), test.Report(0, 0, 0), beyond, missing});
  EXPECT_EQ(study.choosers[0].choices[0].unreadable, 1);
  EXPECT_THAT(study.choosers[0].choices[0].y, SizeIs(1));
  EXPECT_THAT(study.report_sets[0].reports[0].values, SizeIs(6));
  EXPECT_EQ(study.report_sets[0].reports[0].asked, 3);
  ASSERT_THAT(study.replies.at("base"), SizeIs(2));
  EXPECT_EQ(study.replies.at("base")[1].classes_size(), 3);
  EXPECT_EQ(study.replies.at("base")[1].unanswered(), 0);
  ASSERT_THAT(study.examples, SizeIs(5));
  EXPECT_EQ(study.examples[1].text(), "I would rather not.");
}

TEST(JobStudyTest, NamesOutcomesThatDoNotFit) {
  TestJob test(1);
  test.AddEntry("base", 2, 1);
  JobStudyBuilder builder;
  ASSERT_TRUE(builder.AddJob(test.specification, test.job).ok());
  EXPECT_EQ(builder.AddJob(test.specification, test.job).status().code(),
            absl::StatusCode::kInvalidArgument);
  const auto refused = [&](const v1::Outcome& outcome) {
    const Status status = builder.Add(0, outcome);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    return Message(status);
  };
  v1::Outcome outcome = test.Choice(0, 0, 0);
  outcome.set_entry("other");
  EXPECT_THAT(refused(outcome), HasSubstr("no entry \"other\""));
  outcome = test.Choice(0, 0, 0);
  outcome.set_scenario("elsewhere");
  EXPECT_THAT(refused(outcome), HasSubstr("no scenario \"elsewhere\""));
  outcome = test.Choice(0, 0, 0);
  outcome.set_index(2);
  EXPECT_THAT(refused(outcome), HasSubstr("only 2 cells"));
  outcome = test.Choice(0, 0, 0);
  outcome.mutable_option_b()->RemoveLast();
  EXPECT_THAT(refused(outcome), HasSubstr("no value of the attribute \"attribute 2\""));
  outcome = test.Choice(0, 0, 0);
  outcome.mutable_option_a(0)->set_value(std::nan(""));
  EXPECT_THAT(refused(outcome), HasSubstr("not finite"));
  outcome = test.Choice(0, 0, 0);
  outcome.clear_choice();
  EXPECT_THAT(refused(outcome), HasSubstr("neither A nor B"));
  outcome = test.Report(0, 0, 0);
  outcome.mutable_report(1)->clear_value();
  EXPECT_THAT(refused(outcome), HasSubstr("without a number for \"attribute 1\""));
  EXPECT_EQ(builder.size(), 0);
  ASSERT_TRUE(builder.Add(0, test.Choice(0, 0, 0)).ok());
  EXPECT_THAT(refused(test.Choice(0, 0, 0)), HasSubstr("had an outcome before"));
  EXPECT_EQ(builder.size(), 1);
}

TEST(JobStudyTest, ComparesEntriesAsTheirWeightsFromSays) {
  TestJob test(2, 3, /*instilled=*/true);
  test.AddEntry("tuned", 2, 1);
  test.AddEntry("base", 0, 1, "tuned");
  test.AddEntry("introspective", 0, 1, "tuned");
  test.AddEntry("lost", 0, 1);
  const Study study = StudyOf(test, {});
  ASSERT_THAT(study.comparisons, SizeIs(4));
  EXPECT_EQ(study.comparisons[0].statistic, Statistic::kLearnedVsInstilled);
  EXPECT_EQ(study.comparisons[2].model, "base");
  EXPECT_EQ(study.comparisons[2].chooser, 0U);
  EXPECT_THAT(study.comparisons[2].report_sets, ElementsAre(1U));
  ASSERT_THAT(study.left_out, SizeIs(1));
  EXPECT_EQ(study.left_out[0].statistic(), "models.lost.self_reports");
  // Without a plan every other entry is compared with the first that has the same weights.
  ASSERT_THAT(study.contrasts, SizeIs(2));
  EXPECT_EQ(study.contrasts[1].model, "introspective");
  EXPECT_EQ(study.contrasts[1].trained, 3U);
  EXPECT_EQ(study.contrasts[1].untrained, 1U);
}

TEST(JobStudyTest, TakesContrastsAndExclusionsFromThePlan) {
  TestJob test(3);
  test.AddEntry("tuned", 4, 2);
  test.AddEntry("base", 0, 2, "tuned");
  v1::AnalysisPlan* plan = test.job.mutable_analysis();
  plan->add_primary("tuned.self_reports");
  v1::AnalysisPlan::Contrast* contrast = plan->add_contrasts();
  contrast->set_trained("tuned");
  contrast->set_untrained("base");
  plan->mutable_exclusions()->add_scenario_ids("scenario_2");
  plan->mutable_exclusions()->add_classes(v1::Outcome::REPAIRED);
  plan->mutable_exclusions()->set_min_reports_per_scenario(2);
  plan->mutable_exclusions()->set_out_of_range(v1::AnalysisPlan::CLIPPED);
  std::vector<v1::Outcome> outcomes = test.AllOutcomes({1, 1});
  for (v1::Outcome& outcome : outcomes) {
    // One report of scenario_1 in the entry "base".
    if (outcome.entry() == "base" && outcome.scenario() == "scenario_1" && outcome.pair() == 0)
      outcome.set_class_(v1::Outcome::REPAIRED);
  }
  const Study study = StudyOf(test, outcomes);
  EXPECT_TRUE(study.has_plan);
  ASSERT_THAT(study.contrasts, SizeIs(1));
  EXPECT_EQ(study.contrasts[0].model, "tuned");
  EXPECT_THAT(study.comparisons[0].excluded, ElementsAre(2U));
  EXPECT_THAT(study.comparisons[1].excluded, ElementsAre(1U, 2U));
  EXPECT_EQ(study.comparisons[1].out_of_range, v1::AnalysisPlan::CLIPPED);
}

TEST(JobStudyTest, PutsSeveralJobsTogether) {
  TestJob first(2);
  first.AddEntry("base", 2, 1);
  TestJob second(3);
  second.AddEntry("base", 2, 1);
  second.job.set_name("jobs/other");
  second.specification.mutable_scenarios(0)->mutable_attributes(0)->set_max(99);
  JobStudyBuilder builder;
  ASSERT_TRUE(builder.AddJob(first.specification, first.job).ok());
  ASSERT_TRUE(builder.AddJob(second.specification, second.job).ok());
  const Study study = builder.Build();
  // scenario_1 is the same in both, scenario_0 is not.
  ASSERT_THAT(study.scenarios, SizeIs(4));
  EXPECT_EQ(study.choosers[1].model, "jobs/other/base");
  EXPECT_EQ(study.choosers[1].choices[0].scenario, 1U);
  EXPECT_THAT(study.warnings, ElementsAre(HasSubstr("scenario_0")));
  EXPECT_THAT(study.participants, SizeIs(2));
}

TEST(JobStudyTest, WarnsOfSeveralServedModels) {
  TestJob test(1);
  test.AddEntry("base", 2, 0);
  v1::Outcome other = test.Choice(0, 0, 1);
  other.set_served_model("m-2");
  EXPECT_THAT(StudyOf(test, {test.Choice(0, 0, 0)}).warnings, IsEmpty());
  EXPECT_THAT(StudyOf(test, {test.Choice(0, 0, 0), other}).warnings,
              ElementsAre(HasSubstr("m-1 (1 replies), m-2 (1 replies)")));
}

TEST(JobStudyTest, CountsCellsToComeAsLostOnlyWhenTheJobHasEnded) {
  TestJob test(1);
  test.AddEntry("base", 5, 4);
  EXPECT_EQ(StudyOf(test, {}).report_sets[0].reports[0].asked, 4);
  test.job.set_state(v1::Job::RUNNING);
  const Study study = StudyOf(test, {test.Choice(0, 0, 0), test.Report(0, 0, 0)});
  EXPECT_EQ(study.report_sets[0].reports[0].asked, 1);
  EXPECT_EQ(study.choosers[0].choices[0].asked, 1);
  EXPECT_EQ(study.replies.at("base")[0].unanswered(), 4);
}

}  // namespace
}  // namespace candor::analysis
