#include "common/scenario/catalogue.h"

#include "common/base/files.h"
#include "tests/unit/common/scenario/testing.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <set>

namespace candor::scenario {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::HasSubstr;

// A file with one scenario, of which a part is replaced.
std::string File(const std::string& what = "", const std::string& by = "") {
  std::string text = R"({
  "name": "mine",
  "display_name": "My scenarios",
  "scenarios": [
    {
      "id": "plot",
      "domain": "civic_life",
      "role": "a \"retired\" nurse",
      "question": "Which plot?",
      "attributes": [
        {"name": "sunlight", "unit": "hours", "min": 1, "max": 9.25},
        {"name": "rent", "unit": "", "min": -0.07, "max": 57}
      ],
      "instilled_weights": [100, -40.5]
    }
  ]
}
)";
  if (!what.empty()) {
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string Error(const std::string& text) {
  const auto set = ParseScenarioSet(text);
  EXPECT_FALSE(set.ok()) << text;
  EXPECT_EQ(set.status().code(), absl::StatusCode::kInvalidArgument);
  return Message(set.status());
}

TEST(ParseScenarioSet, ReadsEveryField) {
  const auto set = ParseScenarioSet(File());
  ASSERT_TRUE(set.ok()) << set.status();
  auto expected = FromText<v1::ScenarioSet>(R"pb(
    name: "scenarioSets/mine"
    display_name: "My scenarios"
    scenarios {
      id: "plot"
      domain: "civic_life"
      role: "a \"retired\" nurse"
      question: "Which plot?"
      attributes { name: "sunlight" unit: "hours" min: 1 max: 9.25 }
      attributes { name: "rent" min: -0.07 max: 57 }
      instilled_weights: [ 100, -40.5 ]
    }
    scenario_count: 1
  )pb");
  expected.set_content_hash(ContentHash(expected.scenarios()));
  EXPECT_TRUE(MessageDifferencer::Equals(*set, expected)) << set->DebugString();
}

TEST(ParseScenarioSet, ReadsNumbersExactly) {
  const auto set = ParseScenarioSet(File("9.25", "8.4442185152504811"));
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->scenarios(0).attributes(0).max(), 8.4442185152504811);
}

TEST(ParseScenarioSet, KnowsOneZero) {
  const auto plain = ParseScenarioSet(File("-0.07", "0"));
  ASSERT_TRUE(plain.ok()) << plain.status();
  for (const char* zero : {"-0", "-0.0", "-0E-3"}) {
    const auto set = ParseScenarioSet(File("-0.07", zero));
    ASSERT_TRUE(set.ok()) << set.status();
    EXPECT_EQ(set->content_hash(), plain->content_hash()) << zero;
  }
}

TEST(ParseScenarioSet, SkipsAByteOrderMark) {
  EXPECT_TRUE(ParseScenarioSet("\xEF\xBB\xBF" + File()).ok());
}

TEST(PrintScenarioSet, PrintsWhatParses) {
  const auto set = ParseScenarioSet(File());
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(PrintScenarioSet(*set), File());
}

TEST(ParseScenarioSet, SaysWhereJsonEnds) {
  EXPECT_THAT(Error(File("\"domain\":", "\"domain\" 7")), HasSubstr("JSON line 7, column 16: "));
  EXPECT_THAT(Error(File("9.25}", "9.25")), HasSubstr("JSON line 12, column 9: "));
  EXPECT_THAT(Error("{\"name\": \"a\""),
              HasSubstr("JSON line 1, column 13: the JSON ends too early"));
  EXPECT_THAT(Error(""), HasSubstr("JSON line 1, column 1: "));
  EXPECT_THAT(Error(File() + "x"), HasSubstr("JSON line 18, column 1: text after the end"));
  EXPECT_THAT(Error(std::string(100, '[')),
              HasSubstr("JSON line 1, column 65: nested more than 64 levels"));
  EXPECT_THAT(Error(File("civic", "\xff")), HasSubstr("JSON line 7, column "));
}

TEST(ParseScenarioSet, RefusesWhatWouldBeDroppedSilently) {
  EXPECT_THAT(Error(File("\"unit\": \"hours\"", "\"min\": 0")),
              HasSubstr("\"min\" stands twice in the object"));
  EXPECT_THAT(Error(File("9.25", "9.25e999")),
              HasSubstr("'9.25e999' is beyond what a double holds"));
}

TEST(ParseScenarioSet, NamesUnknownFields) {
  EXPECT_THAT(Error(File("\"scenarios\"", "\"scenarois\"")),
              HasSubstr("unknown field 'scenarois'; did you mean 'scenarios'?"));
  EXPECT_THAT(Error(File("\"question\"", "\"qestion\"")),
              HasSubstr("scenarios[0]: unknown field 'qestion'; did you mean 'question'?"));
  EXPECT_THAT(Error(File("\"unit\"", "\"units\"")),
              HasSubstr("scenarios[0].attributes[0]: unknown field 'units'; did you mean 'unit'?"));
}

TEST(ParseScenarioSet, NamesMissingFieldsAndWrongTypes) {
  EXPECT_THAT(Error("{}"), HasSubstr("scenarios: is missing"));
  EXPECT_THAT(Error("[]"), HasSubstr("the file: is a list; give an object"));
  EXPECT_THAT(Error(File("\"min\": 1, ", "")),
              HasSubstr("scenarios[0].attributes[0].min: is missing"));
  EXPECT_THAT(Error(File("\"plot\"", "5")), HasSubstr("scenarios[0].id: is a number; give a text"));
  EXPECT_THAT(Error(File("57", "\"57\"")),
              HasSubstr("scenarios[0].attributes[1].max: is a text; give a number"));
  EXPECT_THAT(Error(File("[100, -40.5]", "{}")),
              HasSubstr("scenarios[0].instilled_weights: is an object; give a list"));
  EXPECT_THAT(Error(File("-40.5", "null")),
              HasSubstr("scenarios[0].instilled_weights[1]: is null; give a number"));
}

TEST(ParseScenarioSet, ValidatesScenarios) {
  EXPECT_THAT(Error(File("9.25", "1")),
              HasSubstr("scenarios[0].attributes[0].min: is 1.0, not below"));
  EXPECT_THAT(Error(File("\"mine\"", "\"My set\"")),
              HasSubstr("name: is 'My set'; give lower-case"));
  EXPECT_THAT(Error("{\"scenarios\": []}"), HasSubstr("scenarios: is empty"));
}

TEST(ContentHash, DependsOnScenariosAndTheirOrder) {
  v1::ScenarioSet set;
  *set.add_scenarios() = GardenPlot("a");
  *set.add_scenarios() = GardenPlot("b");
  const std::string hash = ContentHash(set.scenarios());
  EXPECT_EQ(hash.size(), 64U);
  v1::ScenarioSet other = set;
  EXPECT_EQ(ContentHash(other.scenarios()), hash);
  other.mutable_scenarios()->SwapElements(0, 1);
  EXPECT_NE(ContentHash(other.scenarios()), hash);
  other = set;
  other.mutable_scenarios(1)->mutable_attributes(0)->set_min(1.0000000000000002);
  EXPECT_NE(ContentHash(other.scenarios()), hash);
}

TEST(BuiltinScenarioSet, HasWhatWasPromised) {
  const v1::ScenarioSet& set = BuiltinScenarioSet();
  EXPECT_EQ(set.name(), "scenarioSets/builtin");
  EXPECT_TRUE(set.built_in());
  EXPECT_GE(set.scenario_count(), 200);
  EXPECT_EQ(set.scenario_count(), set.scenarios_size());
  EXPECT_EQ(set.content_hash(), ContentHash(set.scenarios()));
  std::set<std::string> domains;
  std::set<std::string> roles;
  int five = 0;
  for (const v1::Scenario& scenario : set.scenarios()) {
    domains.insert(scenario.domain());
    roles.insert(scenario.role());
    EXPECT_GE(scenario.attributes_size(), 3);
    EXPECT_LE(scenario.attributes_size(), 7);
    five += scenario.attributes_size() == 5 ? 1 : 0;
  }
  EXPECT_GE(domains.size(), 20U);
  EXPECT_GE(roles.size(), 200U);
  EXPECT_GT(2 * five, set.scenarios_size());
}

TEST(BuiltinScenarioSet, IsTheFileOfTheTree) {
  const auto text = ReadFile(std::string(CANDOR_SOURCE_DIR) + "/data/catalogue/builtin.json");
  ASSERT_TRUE(text.ok()) << text.status();
  const auto set = ParseScenarioSet(*text);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->content_hash(), BuiltinScenarioSet().content_hash());
  const auto again = ParseScenarioSet(PrintScenarioSet(*set));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(MessageDifferencer::Equals(*again, *set));
}

}  // namespace
}  // namespace candor::scenario
