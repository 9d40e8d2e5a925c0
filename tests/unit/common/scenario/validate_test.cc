#include "common/scenario/validate.h"

#include "tests/unit/common/scenario/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace candor::scenario {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string Violations(const v1::Scenario& scenario) {
  FieldViolations violations;
  ValidateScenario(scenario, "s", violations);
  return Text(violations);
}

TEST(ValidateScenario, AcceptsGoodOnes) {
  EXPECT_EQ(Violations(GardenPlot()), "");
  auto scenario = GardenPlot("A-z_0.9");
  scenario.clear_role();
  for (const double weight : {-100.0, 0.5, 100.0}) scenario.add_instilled_weights(weight);
  EXPECT_EQ(Violations(scenario), "");
}

struct Bad {
  const char* name;
  void (*spoil)(v1::Scenario&);
  const char* error;
};

class ValidateScenarioTest : public testing::TestWithParam<Bad> {};

std::string BadName(const testing::TestParamInfo<Bad>& bad) { return bad.param.name; }

TEST_P(ValidateScenarioTest, SaysWhatIsWrong) {
  auto scenario = GardenPlot();
  GetParam().spoil(scenario);
  EXPECT_EQ(Violations(scenario), std::string(GetParam().error) + "\n");
}

v1::Attribute& First(v1::Scenario& scenario) { return *scenario.mutable_attributes(0); }

INSTANTIATE_TEST_SUITE_P(
    All, ValidateScenarioTest,
    testing::Values(
        Bad{"EmptyId", [](auto& s) { s.clear_id(); },
            "s.id: is empty; give an id such as 'community_garden_plot'"},
        Bad{"IdCharacters", [](auto& s) { s.set_id("garden plot\n"); },
            "s.id: 'garden plot?' holds a character other than A-Z a-z 0-9 _ . -; use only these"},
        Bad{"LongId", [](auto& s) { s.set_id(std::string(129, 'a')); },
            "s.id: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'... has 129 "
            "characters; give at most 128"},
        Bad{"EmptyQuestion", [](auto& s) { s.clear_question(); },
            "s.question: is empty; give the question that the options answer"},
        Bad{"LongQuestion", [](auto& s) { s.set_question(std::string(10'001, 'q')); },
            "s.question: has 10001 bytes; give at most 10000"},
        Bad{"LongRole", [](auto& s) { s.set_role(std::string(2'001, 'q')); },
            "s.role: has 2001 bytes; give at most 2000"},
        Bad{"OneAttribute", [](auto& s) { s.mutable_attributes()->DeleteSubrange(1, 2); },
            "s.attributes: has 1 item; give from 2 to 64"},
        Bad{"ManyAttributes",
            [](auto& s) {
              while (s.attributes_size() < 65) s.add_attributes();
            },
            "s.attributes: has 65 items; give from 2 to 64"},
        Bad{"DuplicateName", [](auto& s) { s.mutable_attributes(2)->set_name("sunlight"); },
            "s.attributes[2].name: 'sunlight' is the name of attributes[0] as well; give each its "
            "own"},
        Bad{"EmptyName", [](auto& s) { First(s).clear_name(); },
            "s.attributes[0].name: is empty; name the attribute"},
        Bad{"NameWithLineBreak", [](auto& s) { First(s).set_name("a\nb"); },
            "s.attributes[0].name: 'a?b' holds a line break or another control character; leave it "
            "out"},
        Bad{"UnitWithLineBreak", [](auto& s) { First(s).set_unit("a\tb"); },
            "s.attributes[0].unit: 'a?b' holds a line break or another control character; leave it "
            "out"},
        Bad{"EmptyRange", [](auto& s) { First(s).set_min(9); },
            "s.attributes[0].min: is 9.0, not below max, which is 9.0; give min < max"},
        Bad{"TurnedRange", [](auto& s) { First(s).set_min(12); },
            "s.attributes[0].min: is 12.0, not below max, which is 9.0; give min < max"},
        Bad{"TinyRange", [](auto& s) { First(s).set_min(9 - 1e-9); },
            "s.attributes[0].max: is only 1.000000082740371e-09 above min; give a range of at "
            "least "
            "1e-06, or use a smaller unit"},
        Bad{"NotANumber",
            [](auto& s) { First(s).set_min(std::numeric_limits<double>::quiet_NaN()); },
            "s.attributes[0].min: is nan; give a finite number from -1e12 to 1e12"},
        Bad{"Infinite", [](auto& s) { First(s).set_max(kInfinity); },
            "s.attributes[0].max: is inf; give a finite number from -1e12 to 1e12"},
        Bad{"Huge", [](auto& s) { First(s).set_max(1e13); },
            "s.attributes[0].max: is 10000000000000.0; give a finite number from -1e12 to 1e12"},
        Bad{"FewWeights", [](auto& s) { s.add_instilled_weights(1); },
            "s.instilled_weights: has 1 items; give one an attribute, 3, or none"},
        Bad{"WeightOutOfRange",
            [](auto& s) {
              for (const double weight : {1.0, 2.0, 101.0}) s.add_instilled_weights(weight);
            },
            "s.instilled_weights[2]: is 101.0; give a number from -100 to 100"},
        Bad{"InfiniteWeight",
            [](auto& s) {
              for (const double weight : {1.0, -kInfinity, 3.0}) s.add_instilled_weights(weight);
            },
            "s.instilled_weights[1]: is -inf; give a number from -100 to 100"}),
    BadName);

TEST(ValidateScenario, CollectsEverything) {
  auto scenario = GardenPlot("");
  scenario.clear_question();
  First(scenario).set_min(99);
  const std::string text = Violations(scenario);
  EXPECT_THAT(text, HasSubstr("s.id:"));
  EXPECT_THAT(text, HasSubstr("s.question:"));
  EXPECT_THAT(text, HasSubstr("s.attributes[0].min:"));
}

TEST(ValidateScenario, ShortensTextsBetweenCharacters) {
  auto scenario = GardenPlot(std::string(59, 'a') + "\u00e9" + std::string(9, 'b'));
  EXPECT_THAT(Violations(scenario), HasSubstr("'" + std::string(59, 'a') + "'... holds"));
}

TEST(ValidateScenarios, WantsUniqueIds) {
  v1::ScenarioSet set;
  for (const char* id : {"a", "b", "a"}) *set.add_scenarios() = GardenPlot(id);
  FieldViolations violations;
  ValidateScenarios(set.scenarios(), "scenarios", violations);
  EXPECT_EQ(Text(violations),
            "scenarios[2].id: 'a' is the id of [0] as well; give each scenario its own\n");
}

TEST(ValidateScenarios, WantsAtLeastOne) {
  FieldViolations violations;
  ValidateScenarios(v1::ScenarioSet().scenarios(), "scenarios", violations);
  EXPECT_EQ(Text(violations), "scenarios: is empty; give at least one scenario\n");
}

TEST(ValidateScenarios, StopsAtAHundredViolations) {
  v1::ScenarioSet set;
  for (int i = 0; i < 1'000; ++i) set.add_scenarios();
  FieldViolations violations;
  ValidateScenarios(set.scenarios(), "scenarios", violations);
  EXPECT_EQ(violations.size(), kMaxViolations);
}

}  // namespace
}  // namespace candor::scenario
