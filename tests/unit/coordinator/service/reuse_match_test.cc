#include "coordinator/service/reuse_match.h"

#include "common/scenario/prompt.h"
#include "coordinator/design/pair.h"
#include "coordinator/service/same_design.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace candor::service {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

v1::Config MakeConfig() {
  v1::Config config;
  for (const char* name : {"local", "other"}) {
    v1::Endpoint& endpoint = *config.add_endpoints();
    endpoint.set_name(name);
    endpoint.set_dialect("openai");
  }
  return config;
}

struct Shape {
  std::string entry = "base";
  std::string endpoint = "local";
  std::string model = "m";
  std::vector<std::uint32_t> scenarios = {0, 1};
  int trials = 4;
  int reports = 2;
  bool adaptive = false;
  double temperature = 0;
};

v1::JobSpecification MakeJob(const Shape& shape = {}) {
  v1::JobSpecification job;
  job.set_job("jobs/x");
  job.set_seed(7);
  job.set_attribute_order(v1::Job::FIXED);
  for (const char* id : {"plot", "flat"}) {
    v1::Scenario& scenario = *job.add_scenarios();
    scenario.set_id(id);
    scenario.set_role("a gardener");
    scenario.set_question("Which?");
    for (const char* name : {"sun", "cost", "size"}) {
      v1::Attribute& attribute = *scenario.add_attributes();
      attribute.set_name(name);
      attribute.set_min(10);
      attribute.set_max(60);
    }
  }
  v1::ResolvedEntry& entry = *job.add_entries();
  entry.set_name(shape.entry);
  entry.set_endpoint(shape.endpoint);
  entry.set_model(shape.model);
  for (const std::uint32_t scenario : shape.scenarios) entry.add_scenario_indexes(scenario);
  *entry.mutable_choice_prompt() = scenario::DefaultPrompts().choice();
  *entry.mutable_self_report_prompt() = scenario::DefaultPrompts().self_report();
  v1::Choices& choices = *entry.mutable_choices();
  choices.set_trials_per_scenario(shape.trials);
  choices.set_samples_per_trial(1);
  choices.set_orders(v1::Choices::ONE);
  choices.set_design(shape.adaptive ? v1::Choices::ADAPTIVE : v1::Choices::RANDOM);
  if (shape.adaptive) {
    choices.mutable_adaptive()->set_random_pairs(2);
    choices.mutable_adaptive()->set_candidates(16);
  }
  choices.mutable_sampling()->set_temperature(shape.temperature);
  entry.mutable_self_reports()->set_reports_per_scenario(shape.reports);
  return job;
}

// Every outcome of a job in canonical order, as its workers would have sent them: A to every pair.
std::vector<v1::Outcome> Outcomes(const v1::JobSpecification& job) {
  const auto renderer = dialect::JobRenderer::Create(job).value();
  const dialect::Dialect& dialect = **dialect::FindDialect("openai");
  std::vector<v1::Outcome> outcomes;
  for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
    const scenario::CellMap cells(job, 0, kind);
    std::map<std::uint32_t, std::vector<v1::Outcome>> answers;
    for (std::uint32_t index = 0; index < cells.size(); ++index) {
      const scenario::CellAddress address = cells.At(index);
      v1::Cell cell;
      cell.set_kind(kind);
      cell.set_index(index);
      std::unique_ptr<v1::ExplicitTrial> trial;
      if (kind == v1::Cell::CHOICE && !scenario::IsDrawn(job.entries(0), address.pair)) {
        trial = std::make_unique<v1::ExplicitTrial>(
            design::NextPair(job.seed(), job.scenarios(static_cast<int>(address.scenario_index)),
                             16, address.pair, answers[address.scenario_ordinal]));
      }
      dialect::RenderedCell rendered;
      EXPECT_TRUE(renderer->Render(cell, trial.get(), dialect, {}, &rendered).ok());
      v1::Outcome& outcome = rendered.outcome;
      outcome.set_class_(v1::Outcome::VALID);
      if (kind == v1::Cell::CHOICE) outcome.set_choice(v1::Outcome::A);
      answers[address.scenario_ordinal].push_back(outcome);
      outcomes.push_back(outcome);
    }
  }
  return outcomes;
}

class ReuseMatchTest : public testing::Test {
 protected:
  void Begin(const v1::JobSpecification& job, const v1::RetryOf* retry = nullptr) {
    job_ = job;
    match_ = ReuseMatch::Create(job_, config_, retry).value();
  }
  void Offer(const v1::JobSpecification& source, const std::vector<v1::Outcome>& outcomes,
             engine::JobKey key = 3, const std::string& name = "jobs/old") {
    if (match_->BeginSource({key, name, std::make_shared<v1::JobSpecification>(source)}).empty()) {
      return;
    }
    for (const v1::Outcome& outcome : outcomes) EXPECT_TRUE(match_->Offer(outcome).ok());
  }
  // Cells of the choices that were taken.
  std::vector<std::uint32_t> Choices() { return Cells(v1::Cell::CHOICE); }
  std::vector<std::uint32_t> Cells(v1::Cell::Kind kind) {
    std::vector<std::uint32_t> cells;
    if (records_.empty()) records_ = match_->Take();
    for (const auto& record : records_) {
      for (const auto& item : record.items) {
        if (item.cell.kind == kind) cells.push_back(item.cell.index);
      }
    }
    return cells;
  }

  v1::Config config_ = MakeConfig();
  v1::JobSpecification job_;
  std::unique_ptr<ReuseMatch> match_;
  std::vector<engine::ReusedOutcomesRecord> records_;
};

// Lines of a batch are asked without a stream.
TEST_F(ReuseMatchTest, AnswersOfABatchAreTakenWhereRepliesStream) {
  for (v1::Endpoint& endpoint : *config_.mutable_endpoints()) {
    v1::ModelRule& rule = *endpoint.add_models();
    rule.set_match("*");
    rule.set_stream("always");
  }
  const v1::JobSpecification source = MakeJob();
  Begin(source);
  Offer(source, Outcomes(source));
  EXPECT_TRUE(match_->complete());
}

TEST_F(ReuseMatchTest, IdenticalRequestsAreTakenUnderAnyNameAndPlace) {
  const v1::JobSpecification source = MakeJob();
  // Another name, the scenarios the other way round, more of everything.
  Begin(MakeJob({.entry = "again", .scenarios = {1, 0}, .trials = 5, .reports = 3}));
  Offer(source, Outcomes(source));
  EXPECT_FALSE(match_->complete());
  EXPECT_THAT(Choices(), ElementsAre(1, 0, 3, 2, 5, 4, 7, 6));
  EXPECT_THAT(Cells(v1::Cell::SELF_REPORT), ElementsAre(1, 0, 3, 2));
  ASSERT_EQ(records_.size(), 1U);
  EXPECT_EQ(records_[0].source, 3U);
  EXPECT_EQ(records_[0].source_name, "jobs/old");
  EXPECT_EQ(records_[0].items[0].source_cell, (engine::CellKey{0, v1::Cell::CHOICE, 0}));
  EXPECT_EQ(records_[0].items[0].outcome_class, v1::Outcome::VALID);
}

TEST_F(ReuseMatchTest, AnythingElseIsAnotherRequest) {
  const v1::JobSpecification source = MakeJob();
  const std::pair<const char*, Shape> others[] = {{"endpoint", {.endpoint = "other"}},
                                                  {"model", {.model = "n"}},
                                                  {"temperature", {.temperature = 1}}};
  for (const auto& [what, shape] : others) {
    SCOPED_TRACE(what);
    records_.clear();
    Begin(MakeJob(shape));
    Offer(source, Outcomes(source));
    EXPECT_THAT(Choices(), IsEmpty());
  }
  records_.clear();
  v1::JobSpecification seed = MakeJob();
  seed.set_seed(8);
  Begin(seed);
  Offer(source, Outcomes(source));
  EXPECT_THAT(Choices(), IsEmpty());
}

TEST_F(ReuseMatchTest, TheFirstJobThatHasOneWins) {
  const v1::JobSpecification few = MakeJob({.trials = 1, .reports = 0});
  const v1::JobSpecification many = MakeJob({.trials = 3, .reports = 2});
  Begin(MakeJob({.trials = 3, .reports = 2}));
  Offer(few, Outcomes(few), 1, "jobs/few");
  Offer(many, Outcomes(many), 2, "jobs/many");
  EXPECT_TRUE(match_->complete());
  records_ = match_->Take();
  ASSERT_EQ(records_.size(), 2U);
  EXPECT_EQ(records_[0].items.size(), 2U);
  EXPECT_EQ(records_[1].items.size(), 4U + 4U);
}

TEST_F(ReuseMatchTest, AChainIsTakenUpToItsFirstGap) {
  const v1::JobSpecification source = MakeJob({.trials = 6, .reports = 0, .adaptive = true});
  std::vector<v1::Outcome> outcomes = Outcomes(source);
  // Scenario 1 lost its third answer.
  std::erase_if(outcomes, [](const v1::Outcome& outcome) { return outcome.index() == 5; });
  Begin(MakeJob({.trials = 8, .reports = 0, .adaptive = true}));
  Offer(source, outcomes);
  EXPECT_THAT(Choices(), ElementsAre(0, 1, 2, 3, 4, 6, 8, 10));
}

TEST_F(ReuseMatchTest, AProposedPairIsTakenOnlyWhereItWouldBeProposedAgain) {
  const v1::JobSpecification source = MakeJob({.trials = 6, .reports = 0, .adaptive = true});
  std::vector<v1::Outcome> outcomes = Outcomes(source);
  // Another first answer: what was proposed afterwards followed from one that is not there.
  outcomes[0].set_choice(v1::Outcome::B);
  Begin(MakeJob({.trials = 6, .reports = 0, .adaptive = true}));
  Offer(source, outcomes);
  std::vector<std::uint32_t> first;
  for (const std::uint32_t index : Choices()) {
    if (index % 2 == 0) first.push_back(index);
  }
  // The pair after the drawn ones comes out the same, by chance; the next one does not.
  EXPECT_THAT(first, ElementsAre(0, 2, 4));
}

TEST_F(ReuseMatchTest, ARetryKeepsAllButTheClassesOfItsEntries) {
  const v1::JobSpecification source = MakeJob();
  std::vector<v1::Outcome> outcomes = Outcomes(source);
  outcomes[2].set_class_(v1::Outcome::TRUNCATED);
  outcomes[3].set_class_(v1::Outcome::EMPTY);
  v1::RetryOf retry;
  retry.add_classes(v1::Outcome::TRUNCATED);
  // Asked in another way: kept all the same.
  Begin(MakeJob({.temperature = 1}), &retry);
  Offer(source, outcomes);
  EXPECT_THAT(Choices(), ElementsAre(0, 1, 3, 4, 5, 6, 7));

  records_.clear();
  retry.add_entries("other");
  Begin(MakeJob({.temperature = 1}), &retry);
  Offer(source, outcomes);
  EXPECT_TRUE(match_->complete());
}

TEST(SameDesignTest, SaysFieldByFieldWhatDiffers) {
  FieldViolations violations;
  v1::JobSpecification changed = MakeJob({.trials = 9, .reports = 3, .temperature = 1});
  CheckSameDesign(changed, MakeJob(), "jobs/old", violations);
  EXPECT_THAT(violations, IsEmpty());

  const std::pair<const char*, std::function<void(v1::JobSpecification&)>> changes[] = {
      {"job.seed", [](auto& job) { job.set_seed(8); }},
      {"job.attribute_order", [](auto& job) { job.set_attribute_order(v1::Job::SHUFFLED); }},
      {"job.models", [](auto& job) { *job.add_entries() = job.entries(0); }},
      {"job.models[0].name", [](auto& job) { job.mutable_entries(0)->set_name("x"); }},
      {"job.models[0].endpoint", [](auto& job) { job.mutable_entries(0)->set_endpoint("x"); }},
      {"job.models[0].model", [](auto& job) { job.mutable_entries(0)->set_model("x"); }},
      {"job.models[0].prompts",
       [](auto& job) { job.mutable_entries(0)->mutable_choice_prompt()->add_messages(); }},
      {"job.models[0].scenario_ids",
       [](auto& job) { job.mutable_entries(0)->set_scenario_indexes(0, 1); }},
      {"job.models[0].scenario_ids", [](auto& job) { job.mutable_scenarios(0)->set_role("x"); }},
      {"job.models[0].choices.trials_per_scenario",
       [](auto& job) { job.mutable_entries(0)->mutable_choices()->set_trials_per_scenario(3); }},
      {"job.models[0].choices",
       [](auto& job) { job.mutable_entries(0)->mutable_choices()->set_samples_per_trial(2); }},
      {"job.models[0].self_reports.reports_per_scenario", [](auto& job) {
         job.mutable_entries(0)->mutable_self_reports()->set_reports_per_scenario(1);
       }}};
  for (const auto& [field, change] : changes) {
    changed = MakeJob();
    change(changed);
    violations.clear();
    CheckSameDesign(changed, MakeJob(), "jobs/old", violations);
    ASSERT_EQ(violations.size(), 1U) << field;
    EXPECT_EQ(violations[0].field, field);
    EXPECT_THAT(violations[0].description, HasSubstr("jobs/old"));
  }
}

}  // namespace
}  // namespace candor::service
