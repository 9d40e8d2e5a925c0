#include "common/analysis/paper_study.h"

#include "paper_writer.h"
#include "testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace candor::analysis {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string Read(const std::string& path) {
  const StatusOr<std::string> text = ReadFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}

Study StudyIn(const TempFolder& folder, const std::vector<std::string>& models) {
  StatusOr<Study> study = ReadPaperStudy(folder.path(), models);
  EXPECT_TRUE(study.ok()) << study.status();
  return study.ok() ? *std::move(study) : Study();
}

std::vector<std::string> LeftOutOf(const Study& study) {
  std::vector<std::string> names;
  for (const v1::LeftOut& left_out : study.left_out) names.push_back(left_out.statistic());
  return names;
}

class PaperStudyTest : public testing::Test {
 protected:
  PaperStudyTest() { writer_.WriteModel("m", 3, {0, 0.5, 0.8, 0.5, 0.8}); }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }

  // Puts a line behind line `after` (1 is the header) of a file.
  void Insert(const std::string& name, int after, const std::string& line) {
    std::string text = Read(Path(name));
    std::size_t at = 0;
    for (int i = 0; i < after; ++i) at = text.find('\n', at) + 1;
    text.insert(at, line + "\n");
    folder_.Write(name, text);
  }

  // The first row of a file with one cell replaced.
  std::string RowWith(const std::string& name, int column, const std::string& cell) {
    const std::string text = Read(Path(name));
    const std::size_t begin = text.find('\n') + 1;
    std::string row = text.substr(begin, text.find('\n', begin) - begin);
    std::size_t from = 0;
    for (int i = 0; i < column; ++i) from = row.find(',', from) + 1;
    const std::size_t to = std::min(row.find(',', from), row.size());
    return row.replace(from, to - from, cell);
  }

  void ExpectExcluded(const std::string& file, int line, const std::string& column,
                      const std::string& reason) {
    const Study study = StudyIn(folder_, {"m"});
    EXPECT_EQ(study.excluded_row_count, 1);
    ASSERT_THAT(study.excluded_rows, SizeIs(1));
    EXPECT_EQ(study.excluded_rows[0].file(), Path(file));
    EXPECT_EQ(study.excluded_rows[0].line(), line);
    EXPECT_EQ(study.excluded_rows[0].column(), column);
    EXPECT_THAT(study.excluded_rows[0].reason(), HasSubstr(reason));
  }

  TempFolder folder_;
  PaperWriter writer_{folder_, 20, 4};
};

TEST_F(PaperStudyTest, ReadsAllFilesOfAModel) {
  const Study study = StudyIn(folder_, {"m"});
  EXPECT_THAT(study.scenarios, SizeIs(20));
  EXPECT_THAT(study.scenarios[3].attributes, ElementsAre("name0", "name1", "name2", "name3"));
  ASSERT_THAT(study.choosers, SizeIs(2));
  EXPECT_THAT(study.choosers[0].choices, SizeIs(10));
  EXPECT_FALSE(study.choosers[0].choices[0].native);
  EXPECT_TRUE(study.choosers[1].choices[0].native);
  EXPECT_EQ(study.choosers[1].choices[0].scenario, 10U);
  EXPECT_EQ(study.choosers[0].choices[0].asked, 30);
  EXPECT_THAT(study.choosers[0].choices[0].y, SizeIs(30));
  // control, preference, two halves, before, after; and what is compared.
  EXPECT_THAT(study.report_sets, SizeIs(6));
  EXPECT_THAT(study.comparisons, SizeIs(6));
  EXPECT_THAT(study.comparisons[3].report_sets, SizeIs(2));
  EXPECT_THAT(study.contrasts, SizeIs(2));
  EXPECT_THAT(study.participants, SizeIs(1));
  EXPECT_THAT(study.left_out, IsEmpty());
  EXPECT_THAT(study.warnings, IsEmpty());
  EXPECT_EQ(study.excluded_row_count, 0);
}

TEST_F(PaperStudyTest, TakesPublishedWeightsWhereTheyAre) {
  folder_.Write("m_regression_results.csv",
                "scenario,b_attr1,b_attr2,b_attr3,b_attr4\ns4,1,2,3,100\ns2,-100,5,6,7\n");
  const Study study = StudyIn(folder_, {"m"});
  ASSERT_THAT(study.choosers[0].published, SizeIs(2));
  EXPECT_EQ(study.choosers[0].published[0].scenario, 2U);
  EXPECT_THAT(study.choosers[0].published[1].weights, ElementsAre(1, 2, 3, 100));
  EXPECT_THAT(study.choosers[1].published, IsEmpty());
}

TEST_F(PaperStudyTest, CountsLostScenariosAmongThoseThatWereAsked) {
  // 3 reports on one scenario are all that is left.
  std::string text = Read(Path("m_instilled_latent_weight_reports.csv"));
  std::size_t at = 0;
  for (int i = 0; i < 4; ++i) at = text.find('\n', at) + 1;
  folder_.Write("m_instilled_latent_weight_reports.csv", text.substr(0, at));
  const Study study = StudyIn(folder_, {"m"});
  const ReportSet& before = study.report_sets[study.comparisons[4].report_sets[0]];
  ASSERT_THAT(before.reports, SizeIs(10));
  std::int64_t asked = 0;
  std::size_t valid = 0;
  for (const ScenarioReports& reports : before.reports) {
    asked += reports.asked;
    valid += reports.values.size() / 4;
  }
  EXPECT_EQ(asked, 100);
  EXPECT_EQ(valid, 3U);
}

TEST_F(PaperStudyTest, LeavesOutTheStatisticsOfMissingFiles) {
  std::filesystem::remove(Path("m_itrained_last_5_of_10_30ex_weight_reports.csv"));
  std::filesystem::remove(Path("m_weight_reports.csv"));
  const Study study = StudyIn(folder_, {"m"});
  EXPECT_THAT(LeftOutOf(study), ElementsAre("models.m.control", "models.m.introspection_trained",
                                            "models.m.contrast_instilled"));
  EXPECT_THAT(study.left_out[1].reason(), HasSubstr("m_itrained_last_*_weight_reports.csv"));
  EXPECT_THAT(study.left_out[2].reason(), HasSubstr("introspection_trained"));
}

TEST_F(PaperStudyTest, DoesWithoutScenariosWhereWeightsArePublished) {
  std::filesystem::remove(Path("scenarios.csv"));
  folder_.Write("m_regression_results.csv",
                "scenario,b_attr1,b_attr2,b_attr3,b_attr4\ns4,1,2,3,100\ns2,-100,5,6,7\n");
  const Study study = StudyIn(folder_, {"m"});
  ASSERT_THAT(study.choosers, SizeIs(1));
  EXPECT_THAT(study.choosers[0].choices, IsEmpty());
  EXPECT_THAT(study.choosers[0].published, SizeIs(2));
  EXPECT_THAT(LeftOutOf(study), Contains("models.m.scenarios").Times(2));
  EXPECT_THAT(LeftOutOf(study), Contains("models.m.native_before"));
  EXPECT_THAT(LeftOutOf(study), Not(Contains("models.m.learned_vs_instilled")));
}

TEST_F(PaperStudyTest, NamesFoldersAndModelsThatAreNotThere) {
  EXPECT_EQ(ReadPaperStudy(Path("nowhere"), {"m"}).status().code(), absl::StatusCode::kNotFound);
  const Status status = ReadPaperStudy(folder_.path(), {"gpt"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(status), AllOf(HasSubstr("\"gpt\""), HasSubstr("files of: m")));
  EXPECT_EQ(ReadPaperStudy(folder_.path(), {"m", "m"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// Bad input, each kept out and named.

TEST_F(PaperStudyTest, KeepsOutNumbersInWordsAndNaN) {
  for (const char* cell : {"twelve", "NaN", "NA", "", "inf"}) {
    const std::string file = "m_weight_reports.csv";
    const std::string before = Read(Path(file));
    Insert(file, 3, RowWith(file, 4, cell));
    ExpectExcluded(file, 4, "report_attr2", "number");
    folder_.Write(file, before);
  }
}

TEST_F(PaperStudyTest, KeepsOutWhatIsNeitherANorB) {
  const std::string file = "m_instilled_selections.csv";
  Insert(file, 1, RowWith(file, 2, "C"));
  ExpectExcluded(file, 2, "selection", "'C' is neither A nor B");
}

TEST_F(PaperStudyTest, KeepsOutRepeatedRows) {
  const std::string file = "m_instilled_selections.csv";
  Insert(file, 2, RowWith(file, 0, "ft:pref"));
  ExpectExcluded(file, 3, "", "line 2 again");
}

TEST_F(PaperStudyTest, KeepsOutShortAndLongRows) {
  Insert("m_weight_reports.csv", 1, "m,v,s1,1,2");
  Insert("m_instilled_selections.csv", 1, RowWith("m_instilled_selections.csv", 10, "5.0,77"));
  const Study study = StudyIn(folder_, {"m"});
  EXPECT_EQ(study.excluded_row_count, 2);
  EXPECT_THAT(study.excluded_rows, SizeIs(2));
}

TEST_F(PaperStudyTest, KeepsOutScenariosThatAreNotListed) {
  const std::string file = "m_weight_reports.csv";
  Insert(file, 1, RowWith(file, 2, "elsewhere"));
  ExpectExcluded(file, 2, "scenario", "'elsewhere' is not in scenarios.csv");
}

TEST_F(PaperStudyTest, KeepsOutRepeatedScenariosAndEmptyRanges) {
  Insert("scenarios.csv", 1, RowWith("scenarios.csv", 0, "s0"));
  Insert("scenarios.csv", 1, "s99,q,a,b,c,d,0,0,0,7,1,1,1,7");
  const Study study = StudyIn(folder_, {"m"});
  EXPECT_EQ(study.excluded_row_count, 2);
  ASSERT_THAT(study.excluded_rows, SizeIs(2));
  EXPECT_EQ(study.excluded_rows[0].column(), "attr4_max");
  EXPECT_THAT(study.excluded_rows[1].reason(), HasSubstr("'s0' stands here twice"));
}

TEST_F(PaperStudyTest, KeepsOutInvalidUtf8AndStrayQuotes) {
  Insert("m_weight_reports.csv", 1, RowWith("m_weight_reports.csv", 0, "ft\xff"));
  Insert("m_instilled_selections.csv", 1, RowWith("m_instilled_selections.csv", 0, "\"open"));
  const Study study = StudyIn(folder_, {"m"});
  EXPECT_EQ(study.excluded_row_count, 2);
  EXPECT_THAT(study.choosers[0].choices[0].y, SizeIs(30));
}

TEST_F(PaperStudyTest, KeepsOutALineOf100Megabytes) {
  Insert("m_weight_reports.csv", 1, std::string(100'000'000, '7'));
  const Study study = StudyIn(folder_, {"m"});
  EXPECT_EQ(study.excluded_row_count, 1);
  EXPECT_EQ(study.excluded_rows[0].line(), 2);
}

TEST_F(PaperStudyTest, ReadsByteOrderMarksCrlfAndQuotedNewlines) {
  const Study plain = StudyIn(folder_, {"m"});
  for (const char* name : {"scenarios.csv", "m_weight_reports.csv", "m_instilled_selections.csv"}) {
    std::string text = Read(Path(name));
    std::string crlf = "\xef\xbb\xbf";
    for (const char c : text) crlf += c == '\n' ? "\r\n" : std::string(1, c);
    folder_.Write(name, crlf);
  }
  Insert("scenarios.csv", 1, "s98,\"two\nlines\",a,b,c,d,0,0,0,0,1,1,1,1");
  const Study study = StudyIn(folder_, {"m"});
  EXPECT_EQ(study.excluded_row_count, 0);
  EXPECT_THAT(study.scenarios, SizeIs(21));
  EXPECT_EQ(study.choosers[0].choices[5].x, plain.choosers[0].choices[5].x);
  EXPECT_EQ(study.report_sets[0].reports[5].values, plain.report_sets[0].reports[5].values);
}

TEST_F(PaperStudyTest, RefusesFilesThatAreNone) {
  struct Case {
    const char* file;
    const char* text;
    const char* message;
  };
  for (const Case& wrong : {
           Case{"m_weight_reports.csv", "", "empty"},
           Case{"m_weight_reports.csv", "scenario,report_attr1,report_attr2,report_attr3\n",
                "has 4 attributes"},
           Case{"m_weight_reports.csv", "scene,report_attr1\n", "scenario"},
           Case{"m_instilled_selections.csv", "model,scenario,A_attribute_1\n", "selection"},
           Case{"instilled_weights.csv", "scenario,attr1,attr3\n", "attr"},
       }) {
    const std::string before = Read(Path(wrong.file));
    folder_.Write(wrong.file, wrong.text);
    const Status status = ReadPaperStudy(folder_.path(), {"m"}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(status), AllOf(HasSubstr(Path(wrong.file)), HasSubstr(wrong.message)));
    folder_.Write(wrong.file, before);
  }
}

TEST_F(PaperStudyTest, WarnsOfColumnsThatAreNotReadAndOfMixedModels) {
  std::string text = Read(Path("instilled_weights.csv"));
  std::string wider;
  for (const char c : text) wider += c == '\n' ? ",1\n" : std::string(1, c);
  wider.replace(wider.find(",1\n"), 3, ",note\n");
  folder_.Write("instilled_weights.csv", wider);
  Insert("m_weight_reports.csv", 1, RowWith("m_weight_reports.csv", 0, "another"));
  const Study study = StudyIn(folder_, {"m"});
  EXPECT_THAT(study.warnings, ElementsAre(HasSubstr("'note'"), HasSubstr("another and m")));
  EXPECT_THAT(study.comparisons[1].report_sets, SizeIs(2));
}

}  // namespace
}  // namespace candor::analysis
