#include "common/scenario/import.h"

#include "common/base/csv.h"
#include "common/base/files.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/trial.h"
#include "tests/unit/common/scenario/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace candor::scenario {
namespace {

using testing::HasSubstr;

constexpr const char* kCandidates = R"([
  {"short_name": "one", "question": "Which?", "attributes": [
    {"name": "a", "units": "mm", "range": [0, 1]}, {"name": "b", "units": "", "range": [0.5, 2]}]},
  {"short_name": "two", "question": "Which?", "attributes": [
    {"name": "a", "units": "mm", "range": [0, 1]}, {"name": "b", "units": "kg", "range": [0, 2]}]}])";

std::string Error(std::string_view scenarios, std::string_view roles = {}) {
  const auto set = ImportScenarios(scenarios, roles);
  EXPECT_FALSE(set.ok());
  return Message(set.status());
}

TEST(ImportScenarios, ReadsCandidatesWithRoles) {
  // The first line is a role like the others; Python 3.11 shuffles range(3) with seed 0 to 0 2 1.
  const auto set = ImportScenarios(kCandidates, "role\n\"Zeus, \"\"the\"\" god\"\nAnansi\n");
  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_EQ(set->scenarios_size(), 2);
  EXPECT_EQ(set->scenario_count(), 2);
  EXPECT_EQ(set->scenarios(0).id(), "one");
  EXPECT_EQ(set->scenarios(0).role(), "role");
  EXPECT_EQ(set->scenarios(1).role(), "Anansi");
  EXPECT_EQ(set->scenarios(0).attributes(1).min(), 0.5);
  EXPECT_EQ(set->scenarios(0).attributes(1).unit(), "");
}

TEST(ImportScenarios, ReadsCandidatesWithoutRoles) {
  const auto set = ImportScenarios(kCandidates);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->scenarios(1).role(), "");
}

TEST(ImportScenarios, ReadsOurOwnFormats) {
  const auto whole = ImportScenarios(PrintScenarioSet(BuiltinScenarioSet()));
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->name(), "");
  EXPECT_EQ(whole->content_hash(), BuiltinScenarioSet().content_hash());

  const auto list = ImportScenarios(R"([{"id": "x", "question": "Which?", "attributes": [
      {"name": "a", "min": 0, "max": 1}, {"name": "b", "min": 0, "max": 2}]}])");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->scenarios(0).id(), "x");
}

TEST(ImportScenarios, SaysWhatIsWrong) {
  EXPECT_THAT(Error("[1"), HasSubstr("JSON line 1, column 3"));
  EXPECT_THAT(Error("7"), HasSubstr("the file is a number; give a scenario set"));
  EXPECT_THAT(Error("[]"), HasSubstr("the list: is empty; give at least one scenario"));
  EXPECT_THAT(Error(kCandidates, "role\n"), HasSubstr("has 1 roles for 2 scenarios"));
  EXPECT_THAT(Error(kCandidates, "a\nb,c\n"), HasSubstr("roles: line 2 has 2 fields"));
  EXPECT_THAT(Error(kCandidates, "a\n\"b"), HasSubstr("roles: CSV line 2, column 1"));
  EXPECT_THAT(Error("{\"scenarios\": []}", "a\nb"), HasSubstr("roles: are given beside"));
  EXPECT_THAT(
      Error(R"([{"short_name": "a", "question": "b", "attributes": [
                        {"name": "x", "unit": "mm", "range": [1]}]}])"),
      testing::AllOf(HasSubstr("[0].attributes[0]: unknown field 'unit'; did you mean 'units'?"),
                     HasSubstr("[0].attributes[0].units: is missing"),
                     HasSubstr("[0].attributes[0].range: has 1 items; give two, [min, max]")));
}

// The paper's own files, which lie beside the source tree where they may be read; they carry no
// licence and are not part of it.
TEST(ImportScenarios, GivesThePapersScenarios) {
  const std::string folder = std::string(CANDOR_SOURCE_DIR) + "/../shared/paper/";
  if (!std::filesystem::exists(folder + "scenarios.csv")) {
    GTEST_SKIP() << "NOT TESTED: the import of the paper's scenarios. Its files are not in "
                 << folder;
  }
  const auto candidates = ReadFile(folder + "candidate_scenarios.json");
  const auto roles = ReadFile(folder + "roles.csv");
  const auto published = ReadFile(folder + "scenarios.csv");
  ASSERT_TRUE(candidates.ok() && roles.ok() && published.ok());
  const auto set = ImportScenarios(*candidates, *roles);
  ASSERT_TRUE(set.ok()) << set.status();
  const auto records = ParseCsv(*published);
  ASSERT_TRUE(records.ok()) << records.status();
  ASSERT_EQ(set->scenarios_size(), 1'100);
  ASSERT_EQ(records->size(), 1'101U);
  for (int i = 0; i < set->scenarios_size(); ++i) {
    const v1::Scenario& scenario = set->scenarios(i);
    std::vector<std::string> expected = {
        scenario.id(), "Imagine you are " + scenario.role() + ". " + scenario.question()};
    for (const auto& attribute : scenario.attributes()) expected.push_back(attribute.name());
    for (const auto& attribute : scenario.attributes()) {
      expected.push_back(FormatValue(attribute.min()));
    }
    for (const auto& attribute : scenario.attributes()) {
      expected.push_back(FormatValue(attribute.max()));
    }
    ASSERT_EQ((*records)[static_cast<std::size_t>(i) + 1].fields, expected) << "row " << i;
  }
}

}  // namespace
}  // namespace candor::scenario
