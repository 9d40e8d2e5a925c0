#include "common/report/report.h"

#include "common/base/csv.h"
#include "common/base/json_proto.h"
#include "tests/unit/common/report/sample_analysis.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace candor::report {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kDataBegins = "<script id=\"analysis\" type=\"application/json\">";

std::string DataOf(std::string_view html) {
  const std::size_t begin = html.find(kDataBegins) + kDataBegins.size();
  return std::string(html.substr(begin, html.find("</script>", begin) - begin));
}

std::size_t Count(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

std::string ContentOf(const std::vector<File>& files, std::string_view name) {
  for (const File& file : files) {
    if (file.name == name) return file.content;
  }
  ADD_FAILURE() << "there is no " << name;
  return "";
}

std::vector<std::vector<std::string>> RowsOf(std::string_view csv) {
  const auto records = ParseCsv(csv);
  EXPECT_TRUE(records.ok()) << Message(records.status());
  std::vector<std::vector<std::string>> rows;
  for (const CsvRecord& record : *records) rows.push_back(record.fields);
  return rows;
}

std::vector<std::string> Names(const std::vector<File>& files) {
  std::vector<std::string> names;
  for (const File& file : files) names.push_back(file.name);
  return names;
}

TEST(RenderHtml, HoldsTheAnalysisAsItIs) {
  for (const v1::Analysis& analysis :
       {PaperAnalysis(), JobAnalysis(1), JobAnalysis(30), EmptyAnalysis()}) {
    v1::Analysis read;
    const Status status = ParseJson(DataOf(RenderHtml(analysis)), &read);
    ASSERT_TRUE(status.ok()) << Message(status);
    EXPECT_TRUE(MessageDifferencer::Equals(read, analysis));
  }
}

TEST(RenderHtml, HoldsHostileTextsAsDataOnly) {
  const v1::Analysis hostile = HostileAnalysis();
  const std::string html = RenderHtml(hostile);
  const std::string empty = RenderHtml(EmptyAnalysis());
  for (const std::string_view tag : {"<script", "</script", "<img", "<!--", "\xE2\x80\xA8"}) {
    EXPECT_EQ(Count(html, tag), Count(empty, tag)) << tag;
  }
  EXPECT_EQ(Count(DataOf(html), "<"), 0);
  v1::Analysis read;
  ASSERT_TRUE(ParseJson(DataOf(html), &read).ok());
  EXPECT_TRUE(MessageDifferencer::Equals(read, hostile));
}

TEST(RenderHtml, LoadsNothing) {
  const std::string html = RenderHtml(EmptyAnalysis());
  EXPECT_THAT(html, HasSubstr("default-src 'none'; script-src 'sha256-"));
  for (const std::string_view load :
       {"<script src", "<link rel=\"stylesheet\"", "@import", "url(http"}) {
    EXPECT_EQ(Count(html, load), 0) << load;
  }
}

TEST(RenderJson, ReadsBack) {
  v1::Analysis read;
  ASSERT_TRUE(ParseJson(RenderJson(PaperAnalysis()), &read).ok());
  EXPECT_TRUE(MessageDifferencer::Equals(read, PaperAnalysis()));
}

TEST(RenderCsv, MakesRectangularTables) {
  for (const v1::Analysis& analysis : {PaperAnalysis(), JobAnalysis(1), HostileAnalysis()}) {
    for (const File& file : RenderCsv(analysis)) {
      SCOPED_TRACE(file.name);
      const auto rows = RowsOf(file.content);
      ASSERT_GE(rows.size(), 2U);
      for (const auto& row : rows) {
        ASSERT_EQ(row.size(), rows.front().size());
        for (const std::string& cell : row) {
          EXPECT_THAT(cell, Not(testing::StartsWith("=")));
          EXPECT_THAT(cell, Not(HasSubstr("nan")));
        }
      }
    }
  }
}

TEST(RenderCsv, HasOneRowAnItem) {
  const v1::Analysis analysis = JobAnalysis(40);
  const std::vector<File> files = RenderCsv(analysis);
  const auto rows = [&](std::string_view name) {
    return RowsOf(ContentOf(files, name)).size() - 1;
  };
  EXPECT_EQ(rows("agreement.csv"), 3U);
  EXPECT_EQ(rows("agreement_lines.csv"), 3U * 5U);
  EXPECT_EQ(rows("agreement_scenarios.csv"), 3U * 40U);
  EXPECT_EQ(rows("pairs.csv"), 3U * 40U * 5U);
  EXPECT_EQ(rows("domains.csv"), 3U * 4U);
  EXPECT_EQ(rows("weights.csv"), 3U * 40U * 6U);
  EXPECT_EQ(rows("scenarios.csv"), 3U * 40U);
  EXPECT_EQ(rows("contrasts.csv"), 3U);
  EXPECT_EQ(rows("privileged_access.csv"), 9U);
  EXPECT_EQ(rows("privileged_access_differences.csv"), 7U);
  EXPECT_EQ(rows("tests.csv"), 3U);
}

TEST(RenderCsv, WritesNumbersThatReadBackAndLeavesAbsentOnesEmpty) {
  v1::Analysis analysis;
  v1::Agreement& agreement = *(*analysis.mutable_models())["-base"].mutable_self_reports();
  agreement.set_slope(0.1 + 0.2);
  agreement.set_r(0);
  agreement.set_spearman(std::numeric_limits<double>::quiet_NaN());
  const auto rows = RowsOf(ContentOf(RenderCsv(analysis), "agreement.csv"));
  const auto cell = [&](std::string_view name) -> std::string {
    for (std::size_t i = 0; i < rows[0].size(); ++i) {
      if (rows[0][i] == name) return rows[1][i];
    }
    return "no such column";
  };
  EXPECT_EQ(cell("model"), "'-base");
  EXPECT_EQ(cell("slope"), "0.30000000000000004");
  EXPECT_EQ(cell("r"), "0");
  EXPECT_EQ(cell("spearman"), "");
  EXPECT_EQ(cell("interval_low"), "");
  EXPECT_EQ(cell("standing"), "");
}

TEST(RenderCsv, MarksWhatThePlanNames) {
  const auto rows = RowsOf(ContentOf(RenderCsv(JobAnalysis(3)), "agreement.csv"));
  std::vector<std::string> standings;
  for (std::size_t i = 1; i < rows.size(); ++i) standings.push_back(rows[i][0] + " " + rows[i][2]);
  // In the order of the job's entries.
  EXPECT_THAT(standings, ElementsAre("base exploratory", "preference-trained exploratory",
                                     "introspective primary"));
}

TEST(ReportFiles, ArePageAnalysisAndTables) {
  const std::vector<std::string> names = Names(ReportFiles(PaperAnalysis()));
  EXPECT_EQ(names[0], "report.html");
  EXPECT_EQ(names[1], "analysis.json");
  EXPECT_THAT(names, Contains("weights.csv"));
  EXPECT_THAT(names, Contains("left_out.csv"));
  EXPECT_THAT(names, Not(Contains("privileged_access.csv")));
  EXPECT_THAT(Names(ReportFiles(EmptyAnalysis())), ElementsAre("report.html", "analysis.json"));
}

}  // namespace
}  // namespace candor::report
