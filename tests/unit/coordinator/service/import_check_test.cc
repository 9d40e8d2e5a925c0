#include "coordinator/service/import_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace candor::service {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Entry "tuned" asks "tea" and "board" for 2 pairs in both orders, twice each, and 3 reports;
// "base" asks "tea" for reports.
v1::JobSpecification MakeSpecification() {
  v1::JobSpecification specification;
  for (const char* id : {"board", "tea"}) {
    v1::Scenario& scenario = *specification.add_scenarios();
    scenario.set_id(id);
    scenario.add_attributes()->set_name("price");
    scenario.add_attributes()->set_name("size");
  }
  v1::ResolvedEntry& tuned = *specification.add_entries();
  tuned.set_name("tuned");
  tuned.add_scenario_indexes(1);
  tuned.add_scenario_indexes(0);
  tuned.mutable_choices()->set_trials_per_scenario(4);
  tuned.mutable_choices()->set_orders(v1::Choices::BOTH);
  tuned.mutable_choices()->set_samples_per_trial(2);
  tuned.mutable_self_reports()->set_reports_per_scenario(3);
  v1::ResolvedEntry& base = *specification.add_entries();
  base.set_name("base");
  base.add_scenario_indexes(1);
  base.mutable_choices()->set_samples_per_trial(1);
  base.mutable_self_reports()->set_reports_per_scenario(3);
  return specification;
}

void Show(v1::Outcome& outcome) {
  for (auto* option : {outcome.mutable_option_a(), outcome.mutable_option_b()}) {
    for (const char* name : {"size", "price"}) {
      v1::ShownValue& value = *option->Add();
      value.set_attribute(name);
      value.set_value(7);
    }
  }
}

v1::Outcome Choice() {
  v1::Outcome outcome;
  outcome.set_entry("tuned");
  outcome.set_scenario("board");
  outcome.set_kind(v1::Cell::CHOICE);
  outcome.set_pair(1);
  outcome.set_order(1);
  outcome.set_sample(1);
  outcome.set_class_(v1::Outcome::VALID);
  outcome.set_choice(v1::Outcome::B);
  outcome.set_attempt_id("somebody's");
  Show(outcome);
  return outcome;
}

v1::Outcome Report() {
  v1::Outcome outcome;
  outcome.set_entry("base");
  outcome.set_scenario("tea");
  outcome.set_kind(v1::Cell::SELF_REPORT);
  outcome.set_pair(2);
  outcome.set_class_(v1::Outcome::VALID);
  for (const char* name : {"size", "price"}) {
    v1::ReportedWeight& weight = *outcome.add_report();
    weight.set_attribute(name);
    weight.set_value(name[0]);
  }
  outcome.mutable_report(0)->set_value(-100);
  outcome.mutable_report(1)->set_value(12.5);
  Show(outcome);
  return outcome;
}

TEST(ImportCheckTest, OutcomesGetTheirCells) {
  const v1::JobSpecification specification = MakeSpecification();
  ImportCheck check(specification);
  check.Add(Choice());
  check.Add(Report());
  EXPECT_TRUE(check.violations().empty()) << check.violations()[0].description;
  const std::vector<engine::OutcomeRecord> records = check.Take();
  ASSERT_EQ(records.size(), 2U);
  // Trial 3, sample 1, scenario 1 of 2.
  EXPECT_EQ(records[0].cell, (engine::CellKey{0, v1::Cell::CHOICE, (3 * 2 + 1) * 2 + 1}));
  EXPECT_EQ(records[0].outcome->index(), 15U);
  EXPECT_EQ(records[0].outcome->attempt_id(), "");
  EXPECT_EQ(records[0].outcome->option_a(0).attribute(), "size");
  EXPECT_EQ(records[1].cell, (engine::CellKey{1, v1::Cell::SELF_REPORT, 2}));
  // In the scenario's order.
  EXPECT_EQ(records[1].outcome->report(0).attribute(), "price");
  EXPECT_EQ(records[1].outcome->report(0).value(), 12.5);
}

TEST(ImportCheckTest, TheHashIsThatOfTheOutcomesInTheirOrder) {
  const v1::JobSpecification specification = MakeSpecification();
  const auto hash = [&](const std::vector<v1::Outcome>& outcomes) {
    ImportCheck check(specification);
    for (const v1::Outcome& outcome : outcomes) check.Add(outcome);
    return check.Hash();
  };
  v1::Outcome other = Choice();
  other.set_choice(v1::Outcome::A);
  EXPECT_EQ(hash({Choice(), Report()}), hash({Choice(), Report()}));
  EXPECT_NE(hash({Choice(), Report()}), hash({Report(), Choice()}));
  EXPECT_NE(hash({Choice()}), hash({other}));
  EXPECT_EQ(hash({Choice()}).size(), 64U);
}

TEST(ImportCheckTest, WhatIsWrongNamesOutcomeFieldAndValue) {
  struct Case {
    const char* field;
    std::vector<const char*> words;
    v1::Outcome outcome;
    std::function<void(v1::Outcome&)> spoil;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Case> cases = {
      {"entry",
       {"'tunde'", "did you mean 'tuned'"},
       Choice(),
       [](auto& o) { o.set_entry("tunde"); }},
      {"kind", {"0"}, Choice(), [](auto& o) { o.clear_kind(); }},
      {"kind", {"CHOICE", "'base'"}, Choice(), [](auto& o) { o.set_entry("base"); }},
      {"scenario", {"'board'", "'base'"}, Report(), [](auto& o) { o.set_scenario("board"); }},
      {"pair", {"is 2", "0 to 1"}, Choice(), [](auto& o) { o.set_pair(2); }},
      {"order", {"is 2", "0 or 1"}, Choice(), [](auto& o) { o.set_order(2); }},
      {"order", {"is 1", "one order"}, Report(), [](auto& o) { o.set_order(1); }},
      {"sample", {"is 2", "0 to 1"}, Choice(), [](auto& o) { o.set_sample(2); }},
      {"sample", {"is 1"}, Report(), [](auto& o) { o.set_sample(1); }},
      {"index", {"is 3", "15"}, Choice(), [](auto& o) { o.set_index(3); }},
      {"class", {"CLASS_UNSPECIFIED"}, Choice(), [](auto& o) { o.clear_class_(); }},
      {"class", {"NOT_JSON"}, Choice(), [](auto& o) { o.set_class_(v1::Outcome::NOT_JSON); }},
      {"class", {"OUT_OF_RANGE"}, Report(), [](auto& o) { o.mutable_report(0)->set_value(101); }},
      {"class", {"no value"}, Report(), [](auto& o) { o.set_class_(v1::Outcome::OUT_OF_RANGE); }},
      {"choice", {"VALID", "A or B"}, Choice(), [](auto& o) { o.clear_choice(); }},
      {"choice", {"B", "none"}, Choice(), [](auto& o) { o.set_class_(v1::Outcome::EMPTY); }},
      {"choice", {"SELF_REPORT"}, Report(), [](auto& o) { o.set_choice(v1::Outcome::A); }},
      {"report", {"CHOICE"}, Choice(), [](auto& o) { o.add_report(); }},
      {"report", {"'price'"}, Report(), [](auto& o) { o.mutable_report()->RemoveLast(); }},
      {"report[0].attribute",
       {"'prise'"},
       Report(),
       [](auto& o) { o.mutable_report(0)->set_attribute("prise"); }},
      {"report[1].attribute",
       {"twice"},
       Report(),
       [](auto& o) { o.mutable_report(1)->set_attribute("size"); }},
      {"report[1].value", {"nan"}, Report(), [=](auto& o) { o.mutable_report(1)->set_value(nan); }},
      {"option_a", {"'price'"}, Choice(), [](auto& o) { o.mutable_option_a()->RemoveLast(); }},
      {"option_b[1].attribute",
       {"'weight'"},
       Choice(),
       [](auto& o) { o.mutable_option_b(1)->set_attribute("weight"); }},
      {"option_b[1].attribute",
       {"twice"},
       Choice(),
       [](auto& o) { o.mutable_option_b(1)->set_attribute("size"); }},
      {"option_a[0].value",
       {"nan"},
       Choice(),
       [=](auto& o) { o.mutable_option_a(0)->set_value(nan); }},
      {"log_odds_a", {"nan"}, Choice(), [=](auto& o) { o.set_log_odds_a(nan); }},
      {"usage", {"-1"}, Choice(), [](auto& o) { o.mutable_usage()->set_output_tokens(-1); }},
  };
  const v1::JobSpecification specification = MakeSpecification();
  for (const Case& one : cases) {
    SCOPED_TRACE(one.field);
    ImportCheck check(specification);
    v1::Outcome first = Choice();
    first.set_pair(0);
    check.Add(first);
    v1::Outcome spoilt = one.outcome;
    one.spoil(spoilt);
    check.Add(spoilt);
    ASSERT_EQ(check.violations().size(), 1U);
    EXPECT_EQ(check.violations()[0].field, std::string("outcomes[1].") + one.field);
    for (const char* word : one.words)
      EXPECT_THAT(check.violations()[0].description, HasSubstr(word));
    EXPECT_TRUE(check.Take().empty());
  }
}

TEST(ImportCheckTest, ACellHasOneOutcome) {
  const v1::JobSpecification specification = MakeSpecification();
  ImportCheck check(specification);
  check.Add(Report());
  check.Add(Choice());
  check.Add(Choice());
  ASSERT_EQ(check.violations().size(), 1U);
  EXPECT_EQ(check.violations()[0].field, "outcomes[2]");
  EXPECT_THAT(check.violations()[0].description, HasSubstr("outcomes[1]"));
}

TEST(ImportCheckTest, WhatCouldNotBeReadIsTakenAsItIs) {
  const v1::JobSpecification specification = MakeSpecification();
  ImportCheck check(specification);
  v1::Outcome refusal = Choice();
  refusal.set_class_(v1::Outcome::REFUSAL);
  refusal.clear_choice();
  check.Add(refusal);
  v1::Outcome partial = Report();
  partial.set_class_(v1::Outcome::MISSING_ATTRIBUTE);
  partial.mutable_report(0)->clear_value();
  check.Add(partial);
  EXPECT_TRUE(check.violations().empty());
  EXPECT_EQ(check.Take().size(), 2U);
}

TEST(ImportCheckTest, FindingsAreBounded) {
  const v1::JobSpecification specification = MakeSpecification();
  ImportCheck check(specification);
  for (int i = 0; i < 1000; ++i) check.Add({});
  EXPECT_EQ(check.violations().size(), 100U);
  EXPECT_EQ(check.size(), 1000U);
}

}  // namespace
}  // namespace candor::service
