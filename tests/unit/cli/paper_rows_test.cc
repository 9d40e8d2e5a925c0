#include "cli/paper_rows.h"

#include "cli/paper_names.h"
#include "cli/row_spool.h"
#include "common/base/json_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace candor::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

v1::Scenario Tea() {
  v1::Scenario scenario;
  EXPECT_TRUE(ParseYaml(R"(
id: tea
attributes: [{name: size, min: 0, max: 10}, {name: price, min: 1, max: 3}]
)",
                        &scenario)
                  .ok());
  return scenario;
}

v1::Outcome Shown() {
  v1::Outcome outcome;
  // Shown in another order than the scenario's.
  EXPECT_TRUE(ParseYaml(R"(
scenario: tea
class: VALID
option_a: [{attribute: price, value: 1.5}, {attribute: size, value: 7}]
option_b: [{attribute: price, value: 3}, {attribute: size, value: -0.0}]
)",
                        &outcome)
                  .ok());
  return outcome;
}

v1::Outcome Report(double size, double price, const std::string& text) {
  v1::Outcome outcome = Shown();
  outcome.set_kind(v1::Cell::SELF_REPORT);
  v1::ReportedWeight& first = *outcome.add_report();
  first.set_attribute("size");
  first.set_value(size);
  v1::ReportedWeight& second = *outcome.add_report();
  second.set_attribute("price");
  second.set_value(price);
  outcome.set_raw_text(text);
  return outcome;
}

std::string Written(const v1::Outcome& outcome) {
  const auto row = WeightReportsRow("m", "v", outcome, Tea(), 2);
  EXPECT_TRUE(row.ok()) << row.status();
  return row.ok() ? row->substr(0, row->find(",7.0,1.5")) : "";
}

TEST(PaperRowsTest, HeadersAreThePapers) {
  EXPECT_EQ(SelectionsHeader(2),
            "model,scenario,selection,A_attribute_1,A_attribute_2,B_attribute_1,B_attribute_2\n");
  EXPECT_EQ(WeightReportsHeader(2),
            "explaining_model,version,scenario,report_attr1,report_attr2,A_attribute_1,"
            "A_attribute_2,B_attribute_1,B_attribute_2\n");
  EXPECT_EQ(RegressionHeader(2), "scenario,b_attr1,b_attr2\n");
}

TEST(PaperRowsTest, OptionsAreFloatsInTheScenariosOrder) {
  v1::Outcome outcome = Shown();
  outcome.set_choice(v1::Outcome::B);
  EXPECT_EQ(*SelectionsRow("ft:a:b", outcome, Tea(), 2), "ft:a:b,tea,B,7.0,1.5,-0.0,3.0\n");
  // A model's name may hold anything; a table may have room for more attributes.
  EXPECT_EQ(*SelectionsRow("a, \"b\"", outcome, Tea(), 3),
            "\"a, \"\"b\"\"\",tea,B,7.0,1.5,,-0.0,3.0,\n");
  EXPECT_THAT(*Differences(outcome, Tea()), ElementsAre((7.0 - -0.0) / 10, (1.5 - 3.0) / 2));
  outcome.mutable_option_b()->RemoveLast();
  EXPECT_EQ(SelectionsRow("m", outcome, Tea(), 2).status().code(), absl::StatusCode::kDataLoss);
}

TEST(PaperRowsTest, ReportsAreWrittenAsTheReplyWroteThem) {
  EXPECT_EQ(Written(Report(20, -60, R"({"size": 20, "price": -60})")), "m,v,tea,20,-60");
  EXPECT_EQ(Written(Report(20, -60.5, R"({"size": 20.0, "price": -60.5})")), "m,v,tea,20.0,-60.5");
  EXPECT_EQ(Written(Report(20, 150, "I would say {'size': 20, ...}")), "m,v,tea,20,150");
  EXPECT_EQ(Written(Report(1e22, -0.0, "")), "m,v,tea,1e+22,-0");
}

TEST(PaperRowsTest, WeightsAreIntegersHalfToEven) {
  const double weights[] = {-100, 2.5, -0.4};
  EXPECT_EQ(RegressionRow("tea", weights, 4), "tea,-100,2,-0,\n");
}

TEST(PaperNamesTest, SetsAreNamedByWhatTheyAre) {
  EXPECT_EQ(DescribePaperSet("").entry, "control");
  EXPECT_EQ(DescribePaperSet("instilled").entry, "preference_trained");
  EXPECT_EQ(DescribePaperSet("instilled_latent").entry, "native_before");
  EXPECT_TRUE(DescribePaperSet("instilled_latent").latent);
  EXPECT_EQ(DescribePaperSet("itrained_all_100_50ex_latent").entry, "native_after");
  const PaperSet half = DescribePaperSet("itrained_first_50_of_100_50ex");
  EXPECT_EQ(half.entry, "introspection_first_50");
  EXPECT_EQ(half.condition, "introspection_trained");
  EXPECT_EQ(half.half, PaperSet::Half::kFirstTrained);
  EXPECT_EQ(DescribePaperSet("something_else").entry, "something_else");
}

TEST(PaperNamesTest, EntriesHaveFilesOfTheirOwnUnlessLabelsSayOtherwise) {
  v1::Job job;
  v1::JobSpecification specification;
  for (const char* name : {"a/b", "a b", "a_b", "../x", "y"}) {
    specification.add_entries()->set_name(name);
    specification.mutable_entries(specification.entries_size() - 1)->set_condition("tuned");
  }
  (*job.mutable_labels())["paper.prefix.y"] = "m_instilled";
  (*job.mutable_labels())["paper.regression.y"] = "m";
  (*job.mutable_labels())["paper.version.y"] = "v 1";
  const std::vector<PaperNames> names = NamesOfEntries(job, specification);
  EXPECT_EQ(names[0].prefix, "a_b");
  EXPECT_EQ(names[1].prefix, "a b");
  EXPECT_EQ(names[2].prefix, "a_b_2");
  EXPECT_EQ(names[3].prefix, "_.._x");
  EXPECT_EQ(names[3].version, "tuned");
  EXPECT_EQ(names[4].prefix, "m_instilled");
  EXPECT_EQ(names[4].regression, "m");
  EXPECT_EQ(names[4].version, "v 1");
}

TEST(RowSpoolTest, GroupsRowsAndKeepsTheirOrder) {
  auto spool = RowSpool::Create(testing::TempDir());
  ASSERT_TRUE(spool.ok()) << spool.status();
  for (int round = 0; round < 2; ++round) {
    std::vector<std::pair<std::uint32_t, std::string>> rows;
    // More than one buffer.
    const std::string long_row(700'000, 'x');
    ASSERT_TRUE(spool->Add(2, "first").ok());
    ASSERT_TRUE(spool->Add(0, long_row).ok());
    ASSERT_TRUE(spool->Add(2, "").ok());
    ASSERT_TRUE(spool->Add(1, long_row).ok());
    ASSERT_TRUE(spool->Add(0, "last").ok());
    ASSERT_TRUE(spool
                    ->Drain([&](std::uint32_t group, std::string_view row) {
                      rows.emplace_back(group, row);
                      return absl::OkStatus();
                    })
                    .ok());
    EXPECT_THAT(rows, ElementsAre(Pair(0U, long_row), Pair(0U, "last"), Pair(1U, long_row),
                                  Pair(2U, "first"), Pair(2U, "")));
    EXPECT_TRUE(spool->empty());
  }
  EXPECT_THAT(Message(RowSpool::Create("/none/such").status()), HasSubstr("/none/such"));
}

}  // namespace
}  // namespace candor::cli
