#include "common/scenario/resolve.h"

#include "common/scenario/cells.h"
#include "common/scenario/prompt.h"
#include "common/scenario/validate.h"
#include "tests/unit/common/scenario/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace candor::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::ScenarioSet Set(const std::vector<std::string>& ids = {"alpha", "beta", "gamma", "delta"}) {
  v1::ScenarioSet set;
  for (const std::string& id : ids) *set.add_scenarios() = GardenPlot(id);
  return set;
}

v1::Job Job() {
  return FromText<v1::Job>(R"pb(
    models { endpoint: "local" model: "m" condition: "base" }
    choices { trials_per_scenario: 4 }
    self_reports { reports_per_scenario: 2 }
    seed: 7
  )pb");
}

v1::JobSpecification Resolve(const v1::Job& job, const v1::ScenarioSet& set = Set()) {
  v1::JobSpecification specification;
  EXPECT_EQ(Text(ResolveJob(job, set.scenarios(), &specification)), "");
  return specification;
}

std::string Errors(const v1::Job& job, const v1::ScenarioSet& set = Set()) {
  v1::JobSpecification specification;
  specification.set_job("untouched");
  const std::string text = Text(ResolveJob(job, set.scenarios(), &specification));
  EXPECT_EQ(specification.job(), "untouched");
  return text;
}

std::vector<std::string> Ids(const v1::JobSpecification& specification, int entry) {
  std::vector<std::string> ids;
  for (const auto position : specification.entries(entry).scenario_indexes()) {
    ids.push_back(specification.scenarios(static_cast<int>(position)).id());
  }
  return ids;
}

TEST(ResolveJob, FillsInDefaults) {
  const auto specification = Resolve(Job());
  EXPECT_EQ(specification.seed(), 7U);
  EXPECT_EQ(specification.attribute_order(), v1::Job::FIXED);
  ASSERT_EQ(specification.entries_size(), 1);
  const v1::ResolvedEntry& entry = specification.entries(0);
  EXPECT_EQ(entry.name(), "base");
  EXPECT_EQ(entry.weights_from(), "base");
  EXPECT_EQ(entry.endpoint(), "local");
  EXPECT_THAT(Ids(specification, 0), ElementsAre("alpha", "beta", "gamma", "delta"));
  EXPECT_EQ(entry.choices().orders(), v1::Choices::ONE);
  EXPECT_EQ(entry.choices().samples_per_trial(), 1);
  EXPECT_EQ(entry.choice_prompt().SerializeAsString(),
            DefaultPrompts().choice().SerializeAsString());
  EXPECT_EQ(entry.self_report_prompt().SerializeAsString(),
            DefaultPrompts().self_report().SerializeAsString());
  EXPECT_EQ(CellMap(specification, 0, v1::Cell::CHOICE).size(), 16U);
  EXPECT_EQ(CellMap(specification, 0, v1::Cell::SELF_REPORT).size(), 8U);
}

TEST(ResolveJob, FillsInDesigns) {
  auto job = Job();
  EXPECT_EQ(Resolve(job).entries(0).choices().design(), v1::Choices::RANDOM);
  EXPECT_FALSE(Resolve(job).entries(0).choices().has_adaptive());
  job.mutable_choices()->set_design(v1::Choices::ADAPTIVE);
  const v1::Choices choices = Resolve(job).entries(0).choices();
  EXPECT_EQ(choices.adaptive().random_pairs(), 5);
  EXPECT_EQ(choices.adaptive().candidates(), 64);
  job.mutable_choices()->mutable_adaptive()->set_random_pairs(2);
  job.mutable_choices()->set_orders(v1::Choices::BOTH);
  EXPECT_EQ(Resolve(job).entries(0).choices().adaptive().random_pairs(), 2);
}

TEST(ResolveJob, NamesEntriesByConditionOrModel) {
  auto job = Job();
  *job.add_models() = FromText<v1::Entry>("endpoint: 'local' model: 'm2'");
  *job.add_models() = FromText<v1::Entry>("endpoint: 'local' model: 'm2' name: 'n' condition: 'c'");
  const auto specification = Resolve(job);
  EXPECT_EQ(specification.entries(1).name(), "m2");
  EXPECT_EQ(specification.entries(2).name(), "n");
  EXPECT_EQ(specification.entries(2).condition(), "c");
}

TEST(ResolveJob, SelectsScenarios) {
  auto job = Job();
  job.add_scenario_ids("gamma");
  job.add_scenario_ids("alpha");
  job.add_scenario_ids("delta");
  EXPECT_THAT(Ids(Resolve(job), 0), ElementsAre("gamma", "alpha", "delta"));
  job.set_scenario_limit(2);
  EXPECT_THAT(Ids(Resolve(job), 0), ElementsAre("gamma", "alpha"));
  job.set_scenario_limit(20);
  EXPECT_THAT(Ids(Resolve(job), 0), ElementsAre("gamma", "alpha", "delta"));
}

TEST(ResolveJob, KeepsOnlyScenariosThatAnEntryAsks) {
  auto job = Job();
  job.mutable_models(0)->add_scenario_ids("delta");
  job.mutable_models(0)->add_scenario_ids("beta");
  const auto specification = Resolve(job);
  ASSERT_EQ(specification.scenarios_size(), 2);
  EXPECT_EQ(specification.scenarios(0).id(), "beta");
  EXPECT_THAT(Ids(specification, 0), ElementsAre("delta", "beta"));
}

TEST(ResolveJob, TakesInlineScenarios) {
  auto job = Job();
  *job.mutable_inline_scenarios()->add_scenarios() = GardenPlot("mine");
  EXPECT_THAT(Ids(Resolve(job, {}), 0), ElementsAre("mine"));
}

TEST(ResolveJob, EntriesReplacePromptByPromptAndCountsAsAWhole) {
  auto job = Job();
  job.set_attribute_order(v1::Job::SHUFFLED);
  const auto prompt = [](const char* text) {
    auto made = FromText<v1::PromptTemplate>("messages { role: 'user' }");
    made.mutable_messages(0)->set_content(std::string(text) + " {option_a} {option_b}");
    return made;
  };
  *job.mutable_prompts()->mutable_choice() = prompt("job");
  *job.mutable_prompts()->mutable_self_report() = prompt("job");
  job.mutable_choices()->set_samples_per_trial(3);
  *job.add_models() = FromText<v1::Entry>(
      "endpoint: 'local' model: 'b' weights_from: 'base' choices { } "
      "self_reports { reports_per_scenario: 9 }");
  *job.mutable_models(1)->mutable_prompts()->mutable_choice() = prompt("entry");
  const auto specification = Resolve(job);
  EXPECT_EQ(specification.attribute_order(), v1::Job::SHUFFLED);
  EXPECT_EQ(specification.entries(0).choices().samples_per_trial(), 3);
  const v1::ResolvedEntry& entry = specification.entries(1);
  EXPECT_EQ(entry.weights_from(), "base");
  EXPECT_THAT(entry.choice_prompt().messages(0).content(), testing::StartsWith("entry"));
  EXPECT_THAT(entry.self_report_prompt().messages(0).content(), testing::StartsWith("job"));
  EXPECT_EQ(CellMap(specification, 1, v1::Cell::CHOICE).size(), 0U);
  EXPECT_EQ(CellMap(specification, 1, v1::Cell::SELF_REPORT).size(), 36U);
}

struct Bad {
  const char* name;
  void (*spoil)(v1::Job&);
  const char* error;
};

class ResolveJobTest : public testing::TestWithParam<Bad> {};

std::string BadName(const testing::TestParamInfo<Bad>& bad) { return bad.param.name; }

TEST_P(ResolveJobTest, SaysWhatIsWrong) {
  auto job = Job();
  GetParam().spoil(job);
  const std::string text = Errors(job);
  EXPECT_THAT(text, testing::StartsWith(GetParam().error));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

void ExtraField(v1::Job& job, const char* name) {
  (*job.mutable_choices()->mutable_sampling()->mutable_extra_body()->mutable_fields())[name]
      .set_number_value(1);
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Entries, ResolveJobTest,
    testing::Values(
        Bad{"NoModels", [](auto& job) { job.clear_models(); },
            "job.models: has 0 entries; give from 1 to 200"},
        Bad{"NoModel",
            [](auto& job) {
              job.mutable_models(0)->clear_model();
              job.mutable_models(0)->clear_condition();
            },
            "job.models[0].model: is empty; name the model as its endpoint calls it"},
        Bad{"NoEndpoint", [](auto& job) { job.mutable_models(0)->clear_endpoint(); },
            "job.models[0].endpoint: is empty; name an endpoint"},
        Bad{"DuplicateName",
            [](auto& job) {
              *job.add_models() = job.models(0);
              job.mutable_models(1)->set_name("base");
            },
            "job.models[1].name: is 'base', the name of job.models[0] as well; give"},
        Bad{"DuplicateDefaultName", [](auto& job) { *job.add_models() = job.models(0); },
            "job.models[1].name: is 'base' (left out: the condition, or the model), the name of"},
        Bad{"LongName", [](auto& job) { job.mutable_models(0)->set_name(std::string(257, 'n')); },
            "job.models[0].name: has 257 bytes; give at most 256"},
        Bad{"WeightsFromNobody", [](auto& job) { job.mutable_models(0)->set_weights_from("bsae"); },
            "job.models[0].weights_from: 'bsae' is no entry of job.models; did you mean 'base'?"},
        Bad{"Prompt",
            [](auto& job) {
              auto* message = job.mutable_prompts()->mutable_choice()->add_messages();
              message->set_role("user");
              message->set_content("{option_a} {option_b} {option_c}");
            },
            "job.prompts.choice.messages[0].content: {option_c} is no placeholder"},
        Bad{"EntryPrompt",
            [](auto& job) { job.mutable_models(0)->mutable_prompts()->mutable_self_report(); },
            "job.models[0].prompts.self_report.messages: has 0 items"},
        Bad{"EntryChoices",
            [](auto& job) {
              job.mutable_models(0)->mutable_choices()->set_trials_per_scenario(-3);
            },
            "job.models[0].choices.trials_per_scenario: is -3; give 0 (no choices) or more"}),
    BadName);

INSTANTIATE_TEST_SUITE_P(
    Scenarios, ResolveJobTest,
    testing::Values(
        Bad{"UnknownId", [](auto& job) { job.add_scenario_ids("gama"); },
            "job.scenario_ids[0]: 'gama' is no scenario of the job's set; did you mean 'gamma'?"},
        Bad{"RepeatedId",
            [](auto& job) {
              job.add_scenario_ids("gamma");
              job.add_scenario_ids("gamma");
            },
            "job.scenario_ids[1]: 'gamma' stands at [0] already; list each scenario once"},
        Bad{"UnknownIdOfEntry", [](auto& job) { job.mutable_models(0)->add_scenario_ids("zzz"); },
            "job.models[0].scenario_ids[0]: 'zzz' is no scenario of the job's set\n"},
        Bad{"IdBeyondTheLimit",
            [](auto& job) {
              job.set_scenario_limit(1);
              job.mutable_models(0)->add_scenario_ids("beta");
            },
            "job.models[0].scenario_ids[0]: 'beta' is left out by job.scenario_ids or"},
        Bad{"NegativeLimit", [](auto& job) { job.set_scenario_limit(-1); },
            "job.scenario_limit: is -1; give 0 (all of them) or more"},
        Bad{"BothSources",
            [](auto& job) {
              job.set_scenario_set("scenarioSets/builtin");
              *job.mutable_inline_scenarios()->add_scenarios() = GardenPlot();
            },
            "job.inline_scenarios: stands beside job.scenario_set, which is "
            "'scenarioSets/builtin'"},
        Bad{"EmptyInline", [](auto& job) { job.mutable_inline_scenarios(); },
            "job.inline_scenarios.scenarios: is empty; give at least one scenario"},
        Bad{"BadInline",
            [](auto& job) {
              *job.mutable_inline_scenarios()->add_scenarios() = GardenPlot();
              *job.mutable_inline_scenarios()->add_scenarios() = GardenPlot("b c");
            },
            "job.inline_scenarios.scenarios[1].id: 'b c' holds a character"},
        Bad{"HugeInline",
            [](auto& job) {
              auto scenario = GardenPlot();
              scenario.set_question(std::string(5U << 20U, 'q'));
              *job.mutable_inline_scenarios()->add_scenarios() = scenario;
            },
            "job.inline_scenarios: has 5243017 bytes; the limit is 4194304. Upload the scenarios"}),
    BadName);

INSTANTIATE_TEST_SUITE_P(
    Counts, ResolveJobTest,
    testing::Values(
        Bad{"NothingAsked",
            [](auto& job) {
              job.clear_choices();
              job.clear_self_reports();
            },
            "job.choices.trials_per_scenario: is 0, as is job.self_reports.reports_per_scenario"},
        Bad{"NegativeTrials", [](auto& job) { job.mutable_choices()->set_trials_per_scenario(-4); },
            "job.choices.trials_per_scenario: is -4; give 0 (no choices) or more"},
        Bad{"NegativeReports",
            [](auto& job) { job.mutable_self_reports()->set_reports_per_scenario(-1); },
            "job.self_reports.reports_per_scenario: is -1; give 0 (no self-reports) or more"},
        Bad{"OddBoth",
            [](auto& job) {
              job.mutable_choices()->set_orders(v1::Choices::BOTH);
              job.mutable_choices()->set_trials_per_scenario(5);
            },
            "job.choices.trials_per_scenario: is 5, an odd number; with orders BOTH"},
        Bad{"UnknownDesign",
            [](auto& job) {
              job.mutable_choices()->set_design(static_cast<v1::Choices::Design>(9));
            },
            "job.choices.design: is 9, which is no such value; give RANDOM or ADAPTIVE"},
        Bad{"AdaptiveOfARandomDesign", [](auto& job) { job.mutable_choices()->mutable_adaptive(); },
            "job.choices.adaptive: is set, but the design is RANDOM; give design ADAPTIVE, or "
            "leave "
            "it out"},
        Bad{"NoRandomPairs",
            [](auto& job) {
              job.mutable_choices()->set_design(v1::Choices::ADAPTIVE);
              job.mutable_choices()->mutable_adaptive()->set_random_pairs(0);
            },
            "job.choices.adaptive.random_pairs: is 0; give a number from 1 to 1,000, or leave it "
            "out"},
        Bad{"OneCandidate",
            [](auto& job) {
              job.mutable_models(0)->mutable_choices()->set_trials_per_scenario(2);
              job.mutable_models(0)->mutable_choices()->set_design(v1::Choices::ADAPTIVE);
              job.mutable_models(0)->mutable_choices()->mutable_adaptive()->set_candidates(1);
            },
            "job.models[0].choices.adaptive.candidates: is 1; give a number from 2 to 1,024, or "
            "leave it out"},
        Bad{"NoSamples", [](auto& job) { job.mutable_choices()->set_samples_per_trial(0); },
            "job.choices.samples_per_trial: is 0; give at least 1, or leave it out"},
        Bad{"TooMany",
            [](auto& job) { job.mutable_choices()->set_trials_per_scenario(25'000'000); },
            "job.models: the entry would ask for 100000008 cells"},
        Bad{"FarTooMany",
            [](auto& job) {
              job.mutable_choices()->set_trials_per_scenario(std::numeric_limits<int>::max());
              job.mutable_choices()->set_samples_per_trial(std::numeric_limits<int>::max());
              *job.add_models() = FromText<v1::Entry>("endpoint: 'local' model: 'm2'");
            },
            "job.models: the entries together would ask for more than 18446744073709551615 cells"},
        Bad{"UnknownOrders",
            [](auto& job) {
              job.mutable_choices()->set_orders(static_cast<v1::Choices::Orders>(9));
            },
            "job.choices.orders: is 9, which is no such value; give ONE or BOTH"},
        Bad{"UnknownAttributeOrder",
            [](auto& job) { job.set_attribute_order(static_cast<v1::Job::AttributeOrder>(9)); },
            "job.attribute_order: is 9, which is no such value; give FIXED or SHUFFLED"},
        Bad{"Attempts", [](auto& job) { job.mutable_retry()->set_max_attempts(21); },
            "job.retry.max_attempts: is 21; give a number from 1 to 20"},
        Bad{"NoAttempts", [](auto& job) { job.mutable_retry()->set_max_attempts(0); },
            "job.retry.max_attempts: is 0; give a number from 1 to 20"},
        Bad{"BudgetCalls", [](auto& job) { job.mutable_budget()->set_calls(-1); },
            "job.budget.calls: is -1; give 0 (no limit) or more"},
        Bad{"BudgetTokens", [](auto& job) { job.mutable_budget()->set_tokens(-1); },
            "job.budget.tokens: is -1; give 0 (no limit) or more"},
        Bad{"BudgetMoney", [](auto& job) { job.mutable_budget()->set_money(-1); },
            "job.budget.money: is -1; give 0 (no limit) or more"},
        Bad{"Priority", [](auto& job) { job.set_priority(101); },
            "job.priority: is 101; give a number from -100 to 100"},
        Bad{"Seed", [](auto& job) { job.set_seed(9007199254740993); },
            "job.seed: is 9007199254740993; give at most 2^53 (9007199254740992)"},
        Bad{"DisplayName", [](auto& job) { job.set_display_name(std::string(257, 'd')); },
            "job.display_name: has 257 bytes; give at most 256"},
        Bad{"LabelValue", [](auto& job) { (*job.mutable_labels())["k"] = std::string(257, 'v'); },
            "job.labels['k']: has 257 bytes; give at most 256"},
        Bad{"LabelKey", [](auto& job) { (*job.mutable_labels())[""] = "v"; },
            "job.labels['']: has an empty key; name the label"},
        Bad{"Labels",
            [](auto& job) {
              for (int i = 0; i < 65; ++i) (*job.mutable_labels())[std::to_string(i)] = "";
            },
            "job.labels: has 65 items; give at most 64"}),
    BadName);

v1::Sampling& ChoiceSampling(v1::Job& job) { return *job.mutable_choices()->mutable_sampling(); }
v1::Sampling& ReportSampling(v1::Job& job) {
  return *job.mutable_self_reports()->mutable_sampling();
}

INSTANTIATE_TEST_SUITE_P(
    Sampling, ResolveJobTest,
    testing::Values(
        Bad{"Temperature", [](auto& job) { ChoiceSampling(job).set_temperature(2.1); },
            "job.choices.sampling.temperature: is 2.1; give a number from 0 to 2, or leave it out"},
        Bad{"NanTemperature", [](auto& job) { ReportSampling(job).set_temperature(kNan); },
            "job.self_reports.sampling.temperature: is nan; give a number from 0 to 2"},
        Bad{"TopP", [](auto& job) { ChoiceSampling(job).set_top_p(0); },
            "job.choices.sampling.top_p: is 0.0; give a number above 0 and at most 1"},
        Bad{"MaxOutputTokens", [](auto& job) { ChoiceSampling(job).set_max_output_tokens(0); },
            "job.choices.sampling.max_output_tokens: is 0; give 1 to 10000000, or leave it out"},
        Bad{"SamplingSeed", [](auto& job) { ChoiceSampling(job).set_seed(9007199254740993); },
            "job.choices.sampling.seed: is 9007199254740993; give a number from -2^53 to 2^53"},
        Bad{"ReasoningEffort", [](auto& job) { ChoiceSampling(job).set_reasoning_effort(""); },
            "job.choices.sampling.reasoning_effort: is empty; give the provider's own word"},
        Bad{"LogProbabilities", [](auto& job) { ChoiceSampling(job).set_log_probabilities(21); },
            "job.choices.sampling.log_probabilities: is 21; give a number from 1 to 20"},
        Bad{"LogProbabilitiesOfReports",
            [](auto& job) { ReportSampling(job).set_log_probabilities(5); },
            "job.self_reports.sampling.log_probabilities: is set for self-reports; it is for "
            "choices"},
        Bad{"SchemaOfChoices",
            [](auto& job) { ChoiceSampling(job).set_response_schema(v1::Sampling::SCHEMA); },
            "job.choices.sampling.response_schema: is SCHEMA for choices; it is for self-reports"},
        Bad{"UnknownSchema",
            [](auto& job) {
              ReportSampling(job).set_response_schema(static_cast<v1::Sampling::ResponseSchema>(7));
            },
            "job.self_reports.sampling.response_schema: is 7, which is no such value"},
        Bad{"ExtraModel", [](auto& job) { ExtraField(job, "model"); },
            "job.choices.sampling.extra_body.model: is a field that Candor sets itself; leave it "
            "out"},
        Bad{"ExtraN", [](auto& job) { ExtraField(job, "n"); },
            "job.choices.sampling.extra_body.n: is a field that Candor sets itself"},
        Bad{"ExtraNan",
            [](auto& job) {
              ExtraField(job, "x");
              (*ChoiceSampling(job).mutable_extra_body()->mutable_fields())["x"]
                  .mutable_list_value()
                  ->add_values()
                  ->set_number_value(kNan);
            },
            "job.choices.sampling.extra_body: holds a number that is not finite; JSON has none"},
        Bad{"ExtraSize",
            [](auto& job) {
              (*ChoiceSampling(job).mutable_extra_body()->mutable_fields())["x"].set_string_value(
                  std::string(300'000, 'x'));
            },
            "job.choices.sampling.extra_body: has 3000"}),
    BadName);

TEST(ResolveJob, TakesTheEdgesOfEveryRange) {
  auto job = FromText<v1::Job>(R"pb(
    models { endpoint: "local" model: "m" }
    choices {
      trials_per_scenario: 24999999
      sampling {
        temperature: 2
        top_p: 1
        max_output_tokens: 1
        seed: -9007199254740992
        log_probabilities: 20
        reasoning_effort: "low"
        response_schema: NONE
        extra_body {
          fields {
            key: "grammar"
            value { string_value: "root" }
          }
        }
      }
    }
    self_reports {
      reports_per_scenario: 1
      sampling { temperature: 0 response_schema: SCHEMA }
    }
    retry { max_attempts: 20 }
    priority: -100
    seed: 9007199254740992
  )pb");
  EXPECT_EQ(Resolve(job).entries(0).choices().sampling().top_p(), 1);
}

TEST(ResolveJob, CollectsEverything) {
  auto job = Job();
  job.set_priority(1'000);
  job.set_scenario_limit(-1);
  job.add_scenario_ids("nobody");
  job.mutable_models(0)->clear_endpoint();
  ChoiceSampling(job).set_temperature(9);
  const std::string text = Errors(job);
  for (const char* field : {"job.priority", "job.scenario_limit", "job.scenario_ids[0]",
                            "job.models[0].endpoint", "job.choices.sampling.temperature"}) {
    EXPECT_THAT(text, HasSubstr(field));
  }
}

TEST(ResolveJob, NeedsScenarios) {
  auto job = Job();
  job.set_scenario_set("scenarioSets/none");
  job.add_scenario_ids("alpha");
  EXPECT_EQ(Errors(job, {}),
            "job.scenario_set: 'scenarioSets/none' has no scenarios; name a set that has some\n");
}

TEST(ResolveJob, BoundsWhatBadInputCosts) {
  auto job = Job();
  for (int i = 0; i < 100'000; ++i) job.add_scenario_ids("wrong_" + std::to_string(i));
  v1::JobSpecification specification;
  EXPECT_EQ(ResolveJob(job, Set().scenarios(), &specification).size(), kMaxViolations);
}

TEST(ResolveJob, RefusesEveryOwnFieldInExtraBody) {
  for (const char* name : {"model", "messages", "n", "stream", "temperature", "top_p", "max_tokens",
                           "max_completion_tokens", "seed", "reasoning_effort", "logprobs",
                           "top_logprobs", "response_format"}) {
    auto job = Job();
    ExtraField(job, name);
    EXPECT_THAT(Errors(job), HasSubstr(std::string("extra_body.") + name + ": is a field"));
  }
}

TEST(SpecificationHash, LeavesOutWhatTheServerSets) {
  auto job = Job();
  (*job.mutable_labels())["a"] = "1";
  (*job.mutable_labels())["b"] = "2";
  const std::string hash = SpecificationHash(job);
  EXPECT_EQ(hash.size(), 64U);
  auto created = job;
  created.set_name("jobs/1");
  created.set_state(v1::Job::RUNNING);
  created.set_state_reason("r");
  created.set_specification_hash(hash);
  created.add_progress()->set_entry("base");
  created.mutable_create_time()->set_seconds(1);
  created.mutable_start_time()->set_seconds(2);
  created.mutable_end_time()->set_seconds(3);
  EXPECT_EQ(SpecificationHash(created), hash);
  auto other = job;
  other.set_seed(8);
  EXPECT_NE(SpecificationHash(other), hash);
  auto labels_again = Job();
  (*labels_again.mutable_labels())["b"] = "2";
  (*labels_again.mutable_labels())["a"] = "1";
  EXPECT_EQ(SpecificationHash(labels_again), hash);
}

}  // namespace
}  // namespace candor::scenario
