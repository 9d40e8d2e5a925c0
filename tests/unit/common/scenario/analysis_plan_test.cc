#include "common/scenario/analysis_plan.h"

#include "common/scenario/resolve.h"
#include "tests/unit/common/scenario/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace candor::scenario {
namespace {

using testing::HasSubstr;

v1::ScenarioSet Set(bool instilled = false) {
  v1::ScenarioSet set;
  for (const char* id : {"alpha", "beta", "gamma"}) {
    *set.add_scenarios() = GardenPlot(id);
    if (!instilled) continue;
    for (const double weight : {100.0, -20.0, 5.0})
      set.mutable_scenarios(set.scenarios_size() - 1)->add_instilled_weights(weight);
  }
  return set;
}

// A control that only reports, a trained entry with a dot in its name, and one that only chooses.
v1::Job Job(const std::string& plan) {
  auto job = FromText<v1::Job>(R"pb(
    models {
      name: "control"
      endpoint: "local"
      model: "m"
      weights_from: "m-4.1"
      choices { trials_per_scenario: 0 }
    }
    models { name: "m-4.1" endpoint: "local" model: "m-4.1" }
    models {
      name: "chooser"
      endpoint: "local"
      model: "c"
      self_reports { reports_per_scenario: 0 }
    }
    choices { trials_per_scenario: 4 }
    self_reports { reports_per_scenario: 2 }
  )pb");
  *job.mutable_analysis() = FromText<v1::AnalysisPlan>(plan);
  return job;
}

std::string Errors(const std::string& plan, bool instilled = false) {
  v1::JobSpecification specification;
  return Text(ResolveJob(Job(plan), Set(instilled).scenarios(), &specification));
}

TEST(AnalysisPlan, TakesAPlanThatTheDesignCanAnswer) {
  EXPECT_EQ(Errors(R"pb(
                     primary: "control.self_reports"
                     primary: "m-4.1.self_reports"
                     primary: "m-4.1.learned_vs_instilled"
                     primary: "m-4.1.contrast_self_reports"
                     primary: "pooled.contrast_self_reports"
                     tau: 5
                     exclusions {
                       scenario_ids: "beta"
                       classes: REPAIRED
                       classes: OUT_OF_RANGE
                       min_reports_per_scenario: 2
                       min_choices_per_scenario: 4
                       out_of_range: DROPPED
                     }
                     contrasts { trained: "m-4.1" untrained: "control" }
                   )pb",
                   true),
            "");
  EXPECT_EQ(Errors(""), "");
}

struct Wrong {
  const char* plan;
  const char* field;
  const char* words;
};

class WrongPlan : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPlan, NamesTheFieldTheValueAndWhatWouldBeRight) {
  const std::string errors = Errors(GetParam().plan);
  EXPECT_THAT(errors, testing::StartsWith(std::string(GetParam().field) + ": "));
  EXPECT_THAT(errors, HasSubstr(GetParam().words));
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongPlan,
    testing::Values(
        Wrong{R"(primary: "contro.self_reports")", "job.analysis.primary[0]",
              "names 'contro', which is no entry of job.models; did you mean 'control'?"},
        Wrong{R"(primary: "control.self_report")", "job.analysis.primary[0]",
              "did you mean 'control.self_reports'?"},
        Wrong{R"(primary: "privileged_acces")", "job.analysis.primary[0]",
              "did you mean 'privileged_access'?"},
        Wrong{R"(primary: "control.self_reports" primary: "control.self_reports")",
              "job.analysis.primary[1]", "stands at [0] already"},
        Wrong{R"(primary: "chooser.self_reports")", "job.analysis.primary[0]",
              "entry 'chooser' asks for none"},
        Wrong{R"(primary: "control.learned_vs_instilled")", "job.analysis.primary[0]",
              "needs choices, and entry 'control' asks for none"},
        Wrong{R"(primary: "chooser.learned_vs_instilled")", "job.analysis.primary[0]",
              "instilled_weights"},
        Wrong{R"(primary: "control.contrast_self_reports")", "job.analysis.primary[0]",
              "add it to job.analysis.contrasts"},
        Wrong{R"(primary: "pooled.self_reports")", "job.analysis.primary[0]",
              "give pooled.contrast_self_reports"},
        Wrong{R"(primary: "privileged_access")", "job.analysis.primary[0]", "at least 2"},
        Wrong{"tau: 0", "job.analysis.tau", "is 0.0; give a number from 0.001 to 100"},
        Wrong{"tau: 1e-5", "job.analysis.tau", "is 1e-05"},
        Wrong{"tau: -1", "job.analysis.tau", "is -1.0"},
        Wrong{"tau: 101", "job.analysis.tau", "is 101.0"},
        Wrong{"tau: nan", "job.analysis.tau", "give a number from"},
        Wrong{R"(contrasts { trained: "m-41" untrained: "control" })",
              "job.analysis.contrasts[0].trained", "did you mean 'm-4.1'?"},
        Wrong{R"(contrasts { trained: "m-4.1" untrained: "chooser" })",
              "job.analysis.contrasts[0].untrained", "asks for no self-reports"},
        Wrong{R"(contrasts { trained: "control" untrained: "control" })",
              "job.analysis.contrasts[0]", "with itself"},
        Wrong{R"(contrasts { trained: "m-4.1" untrained: "control" }
                 contrasts { trained: "m-4.1" untrained: "control" })",
              "job.analysis.contrasts[1]", "the same as [0]"},
        Wrong{R"(exclusions { scenario_ids: "alhpa" })", "job.analysis.exclusions.scenario_ids[0]",
              "did you mean 'alpha'?"},
        Wrong{R"(exclusions { scenario_ids: "alpha" scenario_ids: "alpha" })",
              "job.analysis.exclusions.scenario_ids[1]", "listed twice"},
        Wrong{R"(exclusions { scenario_ids: "alpha" scenario_ids: "beta" scenario_ids: "gamma" })",
              "job.analysis.exclusions.scenario_ids", "all 3 scenarios"},
        Wrong{"exclusions { classes: VALID }", "job.analysis.exclusions.classes[0]", "VALID"},
        Wrong{"exclusions { classes: CLASS_UNSPECIFIED }", "job.analysis.exclusions.classes[0]",
              "is 0, which is no class"},
        Wrong{"exclusions { classes: REFUSAL classes: REFUSAL }",
              "job.analysis.exclusions.classes[1]", "REFUSAL is listed twice"},
        Wrong{"exclusions { min_reports_per_scenario: -1 }",
              "job.analysis.exclusions.min_reports_per_scenario", "is -1; give 0"},
        Wrong{"exclusions { min_reports_per_scenario: 3 }",
              "job.analysis.exclusions.min_reports_per_scenario", "asks for 2 reports a scenario"},
        Wrong{"exclusions { min_choices_per_scenario: 5 }",
              "job.analysis.exclusions.min_choices_per_scenario", "give at most 4"},
        Wrong{"exclusions { classes: OUT_OF_RANGE out_of_range: CLIPPED }",
              "job.analysis.exclusions.out_of_range", "give DROPPED"}));

TEST(AnalysisPlan, SelfReportsNeedSomebodysChoices) {
  v1::Job job = Job(R"(primary: "control.self_reports")");
  job.mutable_models(0)->clear_weights_from();
  v1::JobSpecification specification;
  EXPECT_THAT(Text(ResolveJob(job, Set().scenarios(), &specification)),
              HasSubstr("asks for no choices; give it trials_per_scenario above 0, or set "
                        "weights_from of entry 'control'"));
}

TEST(AnalysisPlan, TheLastDotSeparatesEntryAndStatistic) {
  EXPECT_EQ(ParsePlannedStatistic("gpt-4.1.self_reports"),
            (PlannedStatistic{"gpt-4.1", "self_reports"}));
  EXPECT_EQ(ParsePlannedStatistic("privileged_access"),
            (PlannedStatistic{"", "privileged_access"}));
  for (const char* text : {"", "x", ".x", "x."})
    EXPECT_EQ(ParsePlannedStatistic(text), std::nullopt) << text;
}

TEST(AnalysisPlan, ContrastsAreThoseJudgedAgainstTheSameWeights) {
  v1::JobSpecification specification;
  ASSERT_TRUE(ResolveJob(Job(""), Set().scenarios(), &specification).empty());
  const auto contrasts = PlannedContrasts({}, specification.entries());
  ASSERT_EQ(contrasts.size(), 1U);
  EXPECT_EQ(contrasts[0].trained(), "m-4.1");
  EXPECT_EQ(contrasts[0].untrained(), "control");

  const auto named = FromText<v1::AnalysisPlan>(R"(contrasts { trained: "a" untrained: "b" })");
  ASSERT_EQ(PlannedContrasts(named, specification.entries()).size(), 1U);
  EXPECT_EQ(PlannedContrasts(named, specification.entries())[0].trained(), "a");
}

TEST(AnalysisPlan, HashesArePartOfTheSpecificationAndTellPlansApart) {
  const v1::Job one = Job("tau: 1");
  const v1::Job five = Job("tau: 5");
  EXPECT_EQ(AnalysisPlanHash(one.analysis()).size(), 64U);
  EXPECT_EQ(AnalysisPlanHash(one.analysis()), AnalysisPlanHash(Job("tau: 1").analysis()));
  EXPECT_NE(AnalysisPlanHash(one.analysis()), AnalysisPlanHash(five.analysis()));
  EXPECT_NE(SpecificationHash(one), SpecificationHash(five));
  // What the coordinator adds is not hashed.
  v1::Job shown = one;
  shown.set_analysis_hash(AnalysisPlanHash(one.analysis()));
  EXPECT_EQ(SpecificationHash(shown), SpecificationHash(one));
}

}  // namespace
}  // namespace candor::scenario
