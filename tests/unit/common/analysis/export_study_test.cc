#include "common/analysis/export_study.h"

#include "common/analysis/job_study.h"
#include "export_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace candor::analysis {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

class ExportStudyTest : public testing::Test {
 protected:
  ExportStudyTest() {
    test_.AddEntry("tuned", 8, 3);
    test_.AddEntry("base", 0, 2, "tuned");
    outcomes_ = test_.AllOutcomes({1, 0});
    WriteExport(folder_, test_, outcomes_);
  }

  Study Read() {
    StatusOr<Study> study = ReadExportStudy({folder_.path()});
    EXPECT_TRUE(study.ok()) << study.status();
    return study.ok() ? *std::move(study) : Study();
  }
  std::string Lines() { return ReadFile(folder_.path() + "/outcomes.jsonl").value(); }

  TempFolder folder_;
  TestJob test_{4};
  std::vector<v1::Outcome> outcomes_;
};

void ExpectSame(const Study& a, const Study& b) {
  ASSERT_EQ(a.choosers.size(), b.choosers.size());
  for (std::size_t c = 0; c < a.choosers.size(); ++c) {
    ASSERT_EQ(a.choosers[c].choices.size(), b.choosers[c].choices.size());
    for (std::size_t s = 0; s < a.choosers[c].choices.size(); ++s) {
      EXPECT_EQ(a.choosers[c].choices[s].x, b.choosers[c].choices[s].x);
      EXPECT_EQ(a.choosers[c].choices[s].y, b.choosers[c].choices[s].y);
    }
  }
  ASSERT_EQ(a.report_sets.size(), b.report_sets.size());
  for (std::size_t r = 0; r < a.report_sets.size(); ++r) {
    for (std::size_t s = 0; s < a.report_sets[r].reports.size(); ++s)
      EXPECT_EQ(a.report_sets[r].reports[s].values, b.report_sets[r].reports[s].values);
  }
}

TEST_F(ExportStudyTest, IsTheStudyOfTheOutcomes) {
  JobStudyBuilder builder;
  ASSERT_TRUE(builder.AddJob(test_.specification, test_.job).ok());
  for (const v1::Outcome& outcome : outcomes_) ASSERT_TRUE(builder.Add(0, outcome).ok());
  const Study study = Read();
  EXPECT_EQ(study.excluded_row_count, 0);
  EXPECT_THAT(study.comparisons, SizeIs(2));
  EXPECT_THAT(study.contrasts, SizeIs(1));
  EXPECT_EQ(study.jobs[0].name(), "jobs/test");
  ExpectSame(study, builder.Build());
}

TEST_F(ExportStudyTest, DoesNotDependOnTheOrderOfLines) {
  const Study study = Read();
  std::reverse(outcomes_.begin(), outcomes_.end());
  std::rotate(outcomes_.begin(), outcomes_.begin() + 7, outcomes_.end());
  WriteExport(folder_, test_, outcomes_);
  ExpectSame(Read(), study);
}

TEST_F(ExportStudyTest, KeepsOutMalformedLines) {
  const std::string lines = Lines();
  const std::string again = lines.substr(0, lines.find('\n') + 1);
  folder_.Write("outcomes.jsonl", "\xef\xbb\xbf" + lines + "\r\n\n" + again +
                                      "{\"entry\": 7}\nnot json\n" +
                                      std::string("{\"ent\0ry\"", 8));
  const Study study = Read();
  const auto n = static_cast<std::int64_t>(outcomes_.size());
  EXPECT_EQ(study.excluded_row_count, 4);
  ASSERT_THAT(study.excluded_rows, SizeIs(4));
  EXPECT_EQ(study.excluded_rows[0].file(), folder_.path() + "/outcomes.jsonl");
  EXPECT_EQ(study.excluded_rows[0].line(), n + 3);
  EXPECT_THAT(study.excluded_rows[0].reason(), HasSubstr("had an outcome before"));
  EXPECT_EQ(study.excluded_rows[1].column(), "entry");
  EXPECT_THAT(study.excluded_rows[1].reason(), HasSubstr("entry is a number"));
  EXPECT_EQ(study.excluded_rows[2].column(), "1");
  EXPECT_EQ(study.excluded_rows[3].line(), n + 6);
}

TEST_F(ExportStudyTest, SkipsALineOf100Megabytes) {
  folder_.Write("outcomes.jsonl",
                "{\"raw_text\":\"" + std::string(100'000'000, 'x') + "\"}\n" + Lines());
  const Study study = Read();
  EXPECT_EQ(study.excluded_row_count, 1);
  EXPECT_THAT(study.excluded_rows[0].reason(), HasSubstr("has no entry"));
  EXPECT_THAT(study.choosers[0].choices[0].y, SizeIs(8));
}

TEST_F(ExportStudyTest, NamesFilesThatAreNotThereOrNone) {
  struct Case {
    const char* file;
    const char* text;
    const char* message;
  };
  for (const Case& wrong : {
           Case{"job.json", "", "has no \"job\""},
           Case{"job.json", "{\"job\": {\"nam\": 7}}", "nam"},
           Case{"scenarios.json", "{\"scenarios\": 7}", "scenarios"},
       }) {
    const std::string before = ReadFile(folder_.path() + "/" + wrong.file).value();
    folder_.Write(wrong.file, wrong.text);
    const Status status = ReadExportStudy({folder_.path()}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(status), AllOf(HasSubstr(wrong.file), HasSubstr(wrong.message)));
    folder_.Write(wrong.file, before);
  }
  std::filesystem::remove(folder_.path() + "/outcomes.jsonl");
  EXPECT_EQ(ReadExportStudy({folder_.path()}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadExportStudy({folder_.path() + "/none"}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ExportStudyTest, RefusesTheSameJobTwice) {
  const Status status = ReadExportStudy({folder_.path(), folder_.path()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("jobs/test"));
}

}  // namespace
}  // namespace candor::analysis
