#include "common/base/csv.h"

#include "common/base/csv_text.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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

TEST(AppendCsvCell, QuotesWhereNeeded) {
  for (const auto& [cell, written] :
       std::vector<std::pair<std::string, std::string>>{{"a b", "a b"},
                                                        {"", ""},
                                                        {"a,b", "\"a,b\""},
                                                        {"a \"b\"", "\"a \"\"b\"\"\""},
                                                        {"a\nb", "\"a\nb\""},
                                                        {"a\r", "\"a\r\""}}) {
    std::string text = "x,";
    AppendCsvCell(cell, &text);
    EXPECT_EQ(text, "x," + written);
    EXPECT_EQ(Fields(text), (Rows{{"x", cell}}));
  }
}

// Every row of a text: "{line}: " and its fields joined by '|', or its error.
std::vector<std::string> Lines(std::string_view text, CsvLimits limits = {}) {
  CsvReader reader(text, limits);
  CsvRow row;
  std::vector<std::string> lines;
  while (reader.Next(&row)) {
    lines.push_back(row.error.ok() ? fmt::format("{}: {}", row.line, fmt::join(row.fields, "|"))
                                   : Message(row.error));
    EXPECT_EQ(row.fields.empty(), !row.error.ok());
  }
  EXPECT_FALSE(reader.Next(&row)) << "the end stays the end";
  return lines;
}

struct BadInput {
  const char* name;
  std::string text;
  std::vector<std::string> lines;
};

TEST(CsvReader, NamesMalformedRowsAndGoesOn) {
  const std::string stray =
      "a quote within an unquoted field; quote the whole field and double the quotes in it";
  const BadInput inputs[] = {
      {"nothing", "", {}},
      {"only a mark", "\xEF\xBB\xBF", {}},
      {"blank lines", "\r\n\n\r\n", {}},
      {"mark and CRLF", "\xEF\xBB\xBFx,y\r\n1,2\r\n", {"1: x|y", "2: 1|2"}},
      {"a mark is in front only", "x\n\xEF\xBB\xBFy", {"1: x", "2: \xEF\xBB\xBFy"}},
      {"quoted line breaks", "\"a\r\nb\",c\nd", {"1: a\r\nb|c", "3: d"}},
      {"doubled quotes", "\"\"\"a\"\"b\",\"\"\"\"\nc", {"1: \"a\"b|\"", "2: c"}},
      {"stray quote", "1,a\"b\n2,c", {"line 1, column 4: " + stray, "2: 2|c"}},
      {"a quote that hides lines",
       "1,\"a\n2,b\n3,\"c\",d\n",
       {"line 3, column 4: text after a closing quote; put a comma or end the line", "2: 2|b",
        "3: 3|c|d"}},
      {"a quote that never closes",
       "1,\"a\n2,b\n",
       {"line 1, column 3: a quote that is never closed", "2: 2|b"}},
      {"lone CR",
       "a\rb\nc",
       {"line 1, column 2: a CR without LF; end lines in LF or CRLF", "2: c"}},
      {"CR at the end", "a\r", {"line 1, column 2: a CR without LF; end lines in LF or CRLF"}},
      {"invalid UTF-8",
       "x,\xC3\xA4\xFFy\nz",
       {"line 1, column 5: the byte 0xFF is no UTF-8 here; save the file as UTF-8", "2: z"}},
      {"invalid UTF-8 behind a quoted line break",
       "\"x\ny\xC3\"\nz",
       {"line 2, column 2: the byte 0xC3 is no UTF-8 here; save the file as UTF-8",
        "line 2, column 3: " + stray, "3: z"}},
      {"UTF-16",
       std::string("\xFF\xFE"
                   "a\0,\0b\0",
                   8),
       {"line 1, column 1: the byte 0xFF is no UTF-8 here; save the file as UTF-8"}},
      {"NUL",
       std::string("a,b\0\nc", 6),
       {"line 1, column 4: a NUL byte, which is no text", "2: c"}},
  };
  for (const BadInput& input : inputs) {
    SCOPED_TRACE(input.name);
    EXPECT_EQ(Lines(input.text), input.lines);
  }
}

TEST(CsvReader, HoldsToLimits) {
  const CsvLimits limits{.row_bytes = 8, .fields = 3};
  const std::string too_long =
      ": the row has more than 8 bytes, the most that is read; is a quote left open, or is this "
      "another format?";
  EXPECT_THAT(Lines("abcd,fgh\nx", limits), ElementsAre("1: abcd|fgh", "2: x"));
  EXPECT_THAT(Lines("abcd,fgh\r\nx", limits), ElementsAre("1: abcd|fgh", "2: x"));
  EXPECT_THAT(Lines("abcd,fgh", limits), ElementsAre("1: abcd|fgh"));
  EXPECT_THAT(Lines("abcd,fghi", limits), ElementsAre("line 1, column 10" + too_long));
  EXPECT_THAT(Lines("\"bcdefgh\"", limits), ElementsAre("line 1, column 10" + too_long));
  EXPECT_THAT(Lines("\"bcdefghi", limits), ElementsAre("line 1, column 10" + too_long));
  EXPECT_THAT(Lines("abcd,fghi\nx", limits), ElementsAre("line 1, column 10" + too_long, "2: x"));
  EXPECT_THAT(Lines("\"b\nc\nd\ne\nf\"", limits),
              ElementsAre("line 5, column 1" + too_long, "2: c", "3: d", "4: e",
                          HasSubstr("a quote within")));
  EXPECT_THAT(Lines("\"bcdef\"\"\",\ny", limits),
              ElementsAre("line 1, column 10" + too_long, "2: y"));
  EXPECT_THAT(Lines("1,2,3,4\n1,2,3", limits),
              ElementsAre(HasSubstr("line 1, column 7: more than 3 fields"), "2: 1|2|3"));
}

TEST(CsvReader, ReadsAHundredMegabytesOnOneLine) {
  std::string text = "a,b\n" + std::string(std::size_t{100} << 20U, 'x') + "\n1,2\n";
  const auto lines = ElementsAre(
      "1: a|b", HasSubstr("line 2, column 16777218: the row has more than 16777216 "), "3: 1|2");
  EXPECT_THAT(Lines(text), lines);
  text[4] = '"';
  EXPECT_THAT(Lines(text), lines);
}

TEST(CsvReader, TakesLinearTime) {
  // Some of these would take hours if what a quote opens were read again from every line in it.
  for (const std::string_view piece : {"\"\"x\n", "\"x\n", "\",\n", "a,\"\"\"\n", "\"\n\"x\n",
                                       "x\"\n", "\"\"\"\n", "\n,\",\"", "\"\n,"}) {
    SCOPED_TRACE(piece);
    std::string text = "\"";
    while (text.size() < std::size_t{512} << 10U) text += piece;
    EXPECT_GT(Lines(text).size(), 0U);
    EXPECT_GT(Lines(std::string_view(text).substr(1)).size(), 0U);
  }
}

}  // namespace
}  // namespace candor
