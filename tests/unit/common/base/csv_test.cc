#include "common/base/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace candor {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows Fields(std::string_view text) {
  const auto records = ParseCsv(text);
  EXPECT_TRUE(records.ok()) << records.status();
  Rows rows;
  if (records.ok()) {
    for (const CsvRecord& record : *records) rows.push_back(record.fields);
  }
  return rows;
}

std::string Error(std::string_view text) {
  const auto records = ParseCsv(text);
  EXPECT_FALSE(records.ok());
  return Message(records.status());
}

TEST(ParseCsv, ReadsFieldsAndRecords) {
  EXPECT_EQ(Fields("a,b\nc,d\n"), (Rows{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(Fields("a,b\nc,d"), (Rows{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(Fields(",\n,x"), (Rows{{"", ""}, {"", "x"}}));
  EXPECT_EQ(Fields(""), Rows{});
  EXPECT_EQ(Fields(" a , b "), (Rows{{" a ", " b "}}));
}

TEST(ParseCsv, ReadsQuotes) {
  EXPECT_EQ(Fields("\"a,b\",\"x \"\"y\"\"\",\"\"\n"), (Rows{{"a,b", "x \"y\"", ""}}));
  EXPECT_EQ(Fields("\"a\r\nb\",c\r\nd\r\n"), (Rows{{"a\r\nb", "c"}, {"d"}}));
}

TEST(ParseCsv, SkipsMarkAndBlankLines) {
  EXPECT_EQ(Fields("\xEF\xBB\xBFrole\r\n\r\nZeus\n\n"), (Rows{{"role"}, {"Zeus"}}));
}

TEST(ParseCsv, CountsLines) {
  const auto records = ParseCsv("a\n\n\"b\nc\"\nd");
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 3U);
  EXPECT_EQ((*records)[1].line, 3U);
  EXPECT_EQ((*records)[2].line, 5U);
}

TEST(ParseCsv, SaysWhereItIsWrong) {
  EXPECT_THAT(Error("a\nb\"c"), testing::StartsWith("CSV line 2, column 2: a quote within"));
  EXPECT_THAT(Error("x\ny,\"b\nc"), testing::StartsWith("CSV line 2, column 3: a quote that is"));
  EXPECT_THAT(Error("\"a\nb\"c"), testing::StartsWith("CSV line 2, column 3: text after"));
  EXPECT_THAT(Error("a\rb"), testing::StartsWith("CSV line 1, column 2: a CR without LF"));
}

}  // namespace
}  // namespace candor
