#include "cli/paper_import.h"

#include "common/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace candor::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kSelectionsHeader =
    "model,scenario,selection,A_attribute_1,A_attribute_2,B_attribute_1,B_attribute_2\n";
constexpr const char* kReportsHeader =
    "explaining_model,version,scenario,report_attr1,report_attr2,A_attribute_1,A_attribute_2,"
    "B_attribute_1,B_attribute_2\n";

class PaperImportTest : public testing::Test {
 protected:
  PaperImportTest() {
    directory_ = testing::TempDir() + "/paper_import_" +
                 testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    std::string scenarios =
        "scenario,question,attr1,attr2,attr1_min,attr2_min,attr1_max,attr2_max\n";
    std::string instilled = "scenario,attr1,attr2\n";
    for (const char* id : {"s1", "s2", "s3", "s4", "n1"}) {
      scenarios += std::string(id) +
                   ",\"Imagine you are Dr. E. T., M.D. Which one, would you prefer?\",size,price,"
                   "0.0,1.0,10.0,3.0\n";
      instilled += std::string(id) + ",-100,50\n";
    }
    Write("scenarios.csv", scenarios);
    Write("instilled_weights.csv", instilled);
  }
  ~PaperImportTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(directory_ + "/" + name, text).ok());
  }
  StatusOr<PaperImport> Read() const {
    return ReadPaperImport({.directory = directory_, .model = "m"});
  }

  std::string directory_;
};

TEST_F(PaperImportTest, FilesBecomeEntries) {
  std::string selections = kSelectionsHeader;
  for (const char* id : {"s1", "s2", "s3", "s4"}) {
    for (const char* rest : {",A,1.0,2.0,3.0,1.5\n", ",B,2.0,2.0,3.0,1.5\n"})
      selections += std::string("ft:m,") + id + rest;
  }
  Write("m_instilled_selections.csv", selections);
  Write("m_instilled_weight_reports.csv",
        std::string(kReportsHeader) + "ft:m,instilled_100,s1,20,-60,7.0,1.5,3.0,2.0\n");
  Write("m_weight_reports.csv",
        std::string(kReportsHeader) + "m,instilled_100,s2,20.0,150,7.0,1.5,3.0,2.0\n");
  Write("m_itrained_first_50_of_100_50ex_weight_reports.csv",
        std::string(kReportsHeader) + "ft:i,instilled_100,s4,1,2,7.0,1.5,3.0,2.0\n");
  Write("m_instilled_latent_selections.csv",
        std::string(kSelectionsHeader) + "ft:m,n1,A,7.0,1.5,3.0,2.0\n");
  Write("m_itrained_all_100_50ex_latent_weight_reports.csv",
        std::string(kReportsHeader) + "ft:a,latent,n1,1,2,7.0,1.5,3.0,2.0\n" +
            "ft:a,other,n1,1,3,7.0,1.5,3.0,2.0\n");
  Write("m2_weight_reports.csv", "not ours\n");
  const auto import = Read();
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_THAT(import->excluded_lines, IsEmpty());
  const v1::Job& job = import->job;
  std::vector<std::string> names;
  for (const v1::Entry& entry : job.models()) {
    names.push_back(entry.name());
    EXPECT_EQ(entry.endpoint(), "imported");
  }
  EXPECT_THAT(names, ElementsAre("preference_trained", "control", "introspection_first_50",
                                 "native_before", "native_after", "native_after.other"));
  const v1::Entry& tuned = job.models(0);
  EXPECT_EQ(tuned.model(), "ft:m");
  EXPECT_EQ(tuned.condition(), "preference_trained");
  EXPECT_EQ(tuned.weights_from(), "");
  EXPECT_THAT(tuned.scenario_ids(), ElementsAre("s1", "s2", "s3", "s4"));
  EXPECT_EQ(tuned.choices().trials_per_scenario(), 2);
  EXPECT_EQ(tuned.self_reports().reports_per_scenario(), 10);
  // All of the chooser's scenarios were asked; the half's are the others'.
  EXPECT_EQ(job.models(1).weights_from(), "preference_trained");
  EXPECT_EQ(job.models(1).scenario_ids_size(), 4);
  EXPECT_THAT(job.models(2).scenario_ids(), ElementsAre("s3", "s4"));
  EXPECT_EQ(job.models(4).weights_from(), "native_before");
  EXPECT_EQ(job.labels().at("paper.prefix.native_after.other"), "m_itrained_all_100_50ex_latent");
  EXPECT_EQ(job.labels().at("paper.version.native_after"), "latent");
  EXPECT_EQ(job.labels().at("paper.regression.native_before"), "m_latent");
  EXPECT_EQ(job.labels().at("paper.regression.preference_trained"), "m");

  ASSERT_EQ(job.inline_scenarios().scenarios_size(), 5);
  const v1::Scenario& first = job.inline_scenarios().scenarios(0);
  EXPECT_EQ(first.role(), "Dr. E. T., M.D");
  EXPECT_EQ(first.question(), "Which one, would you prefer?");
  EXPECT_THAT(first.instilled_weights(), ElementsAre(-100, 50));
  EXPECT_THAT(job.inline_scenarios().scenarios(4).instilled_weights(), IsEmpty());

  ASSERT_EQ(import->outcomes.size(), 8U + 1 + 1 + 1 + 1 + 2);
  EXPECT_EQ(import->outcomes[1].pair(), 1U);
  EXPECT_EQ(import->outcomes[1].choice(), v1::Outcome::B);
  EXPECT_EQ(import->outcomes[1].served_model(), "ft:m");
  EXPECT_EQ(import->outcomes[8].raw_text(), R"({"size":20,"price":-60})");
  EXPECT_EQ(import->outcomes[8].class_(), v1::Outcome::VALID);
  EXPECT_EQ(import->outcomes[9].raw_text(), R"({"size":20.0,"price":150})");
  EXPECT_EQ(import->outcomes[9].class_(), v1::Outcome::OUT_OF_RANGE);
}

TEST_F(PaperImportTest, MalformedRowsAreNamedAndKeptOut) {
  Write("m_instilled_selections.csv", std::string("\xEF\xBB\xBF") + kSelectionsHeader +
                                          "ft:m,s1,A,7.0,1.5,3.0,2.0\r\n"
                                          "ft:m,s1,C,7.0,1.5,3.0,2.0\r\n"
                                          "ft:m,s9,A,7.0,1.5,3.0,2.0\r\n"
                                          "ft:m,s1,A,NaN,1.5,3.0,2.0\r\n"
                                          "ft:m,s1,A,7.0,1.5,3.0\r\n"
                                          "ft:m,s1,A,7.0,1.5,3.0,2.0\r\n"
                                          "ft:m,s1,B,seven,1.5,3.0,2.0\r\n"
                                          "ft:m,s1,B,7.0,1.5,3.0,2.0");
  const auto import = Read();
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_EQ(import->outcomes.size(), 2U);
  EXPECT_EQ(import->excluded, 6);
  const std::string file = directory_ + "/m_instilled_selections.csv: line ";
  ASSERT_EQ(import->excluded_lines.size(), 6U);
  EXPECT_THAT(import->excluded_lines[0],
              AllOf(HasSubstr(file + "3, column 'selection'"), HasSubstr("'C'")));
  EXPECT_THAT(import->excluded_lines[1],
              AllOf(HasSubstr(file + "4, column 'scenario'"), HasSubstr("'s9'")));
  EXPECT_THAT(import->excluded_lines[2], HasSubstr(file + "5, column 'A_attribute_1'"));
  EXPECT_THAT(import->excluded_lines[3], HasSubstr(file + "6"));
  EXPECT_THAT(import->excluded_lines[4], AllOf(HasSubstr(file + "7"), HasSubstr("line 2")));
  EXPECT_THAT(import->excluded_lines[5], HasSubstr("'seven'"));
}

TEST_F(PaperImportTest, AFileThatIsNoTableIsAnError) {
  EXPECT_THAT(Message(Read().status()), HasSubstr("has no m_*selections.csv"));
  Write("m_weight_reports.csv", "");
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kInvalidArgument);
  Write("m_weight_reports.csv", "scenario,report_attr1\ns1,3\n");
  EXPECT_THAT(Message(Read().status()), HasSubstr("A_attribute_"));
  Write("m_weight_reports.csv", std::string(kReportsHeader) + "m,v,s9,1,2,7.0,1.5,3.0,2.0\n");
  EXPECT_THAT(Message(Read().status()), AllOf(HasSubstr("no row"), HasSubstr("'s9'")));
  std::filesystem::remove(directory_ + "/scenarios.csv");
  EXPECT_THAT(Message(Read().status()), HasSubstr("scenarios.csv"));
  EXPECT_EQ(ReadPaperImport({.directory = directory_ + "/none", .model = "m"}).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace candor::cli
