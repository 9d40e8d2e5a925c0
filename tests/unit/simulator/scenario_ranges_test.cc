#include "simulator/scenario_ranges.h"

#include "candor/v1/scenario.pb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

void AddScenario(v1::ScenarioSet* set, const std::string& question, double scale) {
  v1::Scenario* scenario = set->add_scenarios();
  scenario->set_question(question);
  for (const auto& [name, min, max] :
       {std::tuple{"year", 1900.0, 1900.0 + 10 * scale}, std::tuple{"price", 0.0, 100.0 * scale}}) {
    v1::Attribute* attribute = scenario->add_attributes();
    attribute->set_name(name);
    attribute->set_min(min);
    attribute->set_max(max);
  }
}

Task MakeTask(double year_a, double year_b, double price_a, double price_b) {
  Task task;
  task.attributes = {{"price", "euros", price_a, price_b}, {"year", "", year_a, year_b}};
  return task;
}

TEST(ScenarioRanges, ScalesByTheRangesOfAKnownScenario) {
  v1::ScenarioSet set;
  AddScenario(&set, "Which?", 1);
  ScenarioRanges ranges;
  ranges.Add(set);
  EXPECT_EQ(ranges.size(), 1U);
  EXPECT_THAT(ranges.Differences(MakeTask(1905, 1901, 30, 80), {}),
              ElementsAre(DoubleEq(-0.5), DoubleEq(0.4)));
}

TEST(ScenarioRanges, ScalesAnUnknownScenarioByTheLargerMagnitude) {
  const ScenarioRanges none;
  EXPECT_THAT(none.Differences(MakeTask(1905, 1901, -30, 60), {}),
              ElementsAre(DoubleEq(-1.5), DoubleEq(4.0 / 1905)));
  EXPECT_THAT(none.Differences(MakeTask(0, 0, 0, 5), {}), ElementsAre(DoubleEq(-1), DoubleEq(0)));
}

TEST(ScenarioRanges, TellsScenariosOfTheSameNamesApart) {
  v1::ScenarioSet set;
  AddScenario(&set, "Which stamp?", 2);
  AddScenario(&set, "Which coin?", 1);
  ScenarioRanges ranges;
  ranges.Add(set);
  const Task task = MakeTask(1904, 1902, 50, 40);
  const auto ask = [&](std::string_view text) {
    const std::vector<ChatMessage> messages = {{"user", text}};
    return ranges.Differences(task, messages).front();
  };
  EXPECT_DOUBLE_EQ(ask("... Which coin? ..."), 0.1);
  EXPECT_DOUBLE_EQ(ask("... Which stamp? ..."), 0.05);
  EXPECT_DOUBLE_EQ(ask("no question that is known"), 0.05);
  // Only the first one has a range that holds these.
  EXPECT_DOUBLE_EQ(ranges.Differences(MakeTask(1904, 1902, 150, 50), {}).front(), 0.5);
  // None has.
  EXPECT_DOUBLE_EQ(ranges.Differences(MakeTask(1904, 1902, 1500, 500), {}).front(), 2.0 / 3);
}

}  // namespace
}  // namespace candor::simulator
