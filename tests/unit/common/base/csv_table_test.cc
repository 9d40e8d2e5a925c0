#include "common/base/csv_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace candor {
namespace {

using testing::ElementsAre;

CsvTable Table(std::string_view text) {
  StatusOr<CsvTable> table = CsvTable::Create("w.csv", text);
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

std::string CreateError(std::string_view text) {
  return Message(CsvTable::Create("w.csv", text).status());
}

TEST(CsvTable, FindsColumns) {
  const CsvTable table = Table("\xEF\xBB\xBFscenario,attr2,attr1,attr1_min\r\n");
  EXPECT_EQ(table.Find("scenario"), 0U);
  EXPECT_EQ(table.Find("Scenario"), std::nullopt);
  EXPECT_EQ(*table.Column("attr1"), 2U);
  EXPECT_THAT(*table.Numbered("attr"), ElementsAre(2U, 1U));
  EXPECT_THAT(*table.Numbered("attr", "_min"), ElementsAre(3U));
}

TEST(CsvTable, NamesWhatIsMissing) {
  const CsvTable table = Table("scenario,attr1,attr3\n");
  EXPECT_EQ(Message(table.Column("scenarios").status()),
            "w.csv: has no column 'scenarios' (is it 'scenario'?)");
  EXPECT_EQ(Message(table.Column("selection").status()),
            "w.csv: has no column 'selection'; it has scenario, attr1, attr3");
  const std::string names[] = {"scenario", "model", "atr1"};
  EXPECT_EQ(Message(table.Columns(names).status()),
            "w.csv: has no column 'model', 'atr1' (is it 'attr1'?)");
  EXPECT_EQ(Message(table.Numbered("attr").status()),
            "w.csv: has a column 'attr3' and no 'attr2'; number them from 1 without a gap");
  EXPECT_EQ(Message(table.Numbered("b_attr").status()),
            "w.csv: has no column 'b_attr1' (is it 'attr1'?)");
  const std::string known[] = {"scenario", "attr1"};
  EXPECT_EQ(Message(table.AllowOnly(known)),
            "w.csv: has unknown columns: 'attr3' (known: scenario, attr1)");
}

TEST(CsvTable, CountsOnlyPlainNumbers) {
  EXPECT_THAT(*Table("attr1,attr02,attr0,attr,attr2x,attr+2\n").Numbered("attr"), ElementsAre(0U));
  EXPECT_THAT(Message(Table("attr1,attr99999999999\n").Numbered("attr").status()),
              testing::HasSubstr("no 'attr2'"));
}

TEST(CsvTable, RefusesHeaders) {
  EXPECT_EQ(CreateError(""), "w.csv: is empty; its first line must name the columns");
  EXPECT_EQ(CreateError("\xEF\xBB\xBF\r\n\n"),
            "w.csv: is empty; its first line must name the columns");
  EXPECT_EQ(CreateError("a,b,a\n"),
            "w.csv: line 1: columns 1 and 3 are both called 'a'; give each its own");
  EXPECT_THAT(CreateError("a,\"b\n"), testing::StartsWith("w.csv: the header: line 1, column 3: "));
  EXPECT_EQ(Table(",a,\n").columns().size(), 3U);
}

TEST(CsvTable, GoesOnBehindMalformedRows) {
  CsvTable table = Table("a,b\n1,2\n3\n4,5,6\n7,\"8\"9\n\n10,11\n");
  std::vector<std::string> seen;
  CsvRow row;
  while (table.Next(&row)) {
    seen.push_back(row.error.ok() ? std::string(CsvTable::Cell(row, 1)) : Message(row.error));
  }
  EXPECT_THAT(seen, ElementsAre("2", "w.csv: line 3: has 1 column, the header 2",
                                "w.csv: line 4: has 3 columns, the header 2",
                                "w.csv: line 5, column 6: text after a closing quote; put a comma "
                                "or end the line",
                                "11"));
}

struct BadCell {
  const char* cell;
  const char* what;
};

TEST(CsvTable, ReadsNumbersStrictly) {
  CsvTable good = Table("x\n12\n-3.5\n1e-05\n.5\n-0.0\n");
  CsvRow row;
  std::vector<double> values;
  while (good.Next(&row)) values.push_back(*good.Number(row, 0));
  EXPECT_THAT(values, ElementsAre(12, -3.5, 1e-5, 0.5, 0));

  for (const auto& [cell, what] : std::vector<BadCell>{
           {"nan", "'nan' is no finite number; give one, or leave the row out"},
           {"-inf", "'-inf' is no finite number; give one, or leave the row out"},
           {"NA", "'NA' is no number; give digits alone, such as 12 or -3.5"},
           {"12 kg", "'12 kg' is no number; give digits alone, such as 12 or -3.5"},
           {"twelve", "'twelve' is no number; give digits alone, such as 12 or -3.5"},
           {"+1", "'+1' is no number; give digits alone, such as 12 or -3.5"},
           {"0x10", "'0x10' is no number; give digits alone, such as 12 or -3.5"},
           {"1,5",
            "'1,5' is no number here; write the decimal point as '.', and none between thousands"},
           {" 1", "' 1' has blanks around it; give the number alone"},
           {"", "is empty; give a number"},
           {"  ", "is empty; give a number"},
           {"1e999", "'1e999' is beyond what a double holds"}}) {
    const std::string text = fmt::format("a,weight\n0,\"{}\"\n", cell);
    CsvTable table = Table(text);
    ASSERT_TRUE(table.Next(&row));
    EXPECT_EQ(Message(table.Number(row, 1).status()),
              fmt::format("w.csv: line 2, column 'weight': {}", what));
  }
}

TEST(CsvTable, ReadsIntegersAndTexts) {
  CsvTable table = Table("x,y\n-7,a\n101, \n1.0,\n");
  CsvRow row;
  ASSERT_TRUE(table.Next(&row));
  EXPECT_EQ(*table.Integer(row, 0, -100, 100), -7);
  EXPECT_EQ(*table.Text(row, 1), "a");
  ASSERT_TRUE(table.Next(&row));
  EXPECT_EQ(Message(table.Integer(row, 0, -100, 100).status()),
            "w.csv: line 3, column 'x': '101' is beyond -100 to 100");
  EXPECT_EQ(Message(table.Text(row, 1).status()),
            "w.csv: line 3, column 'y': is empty; give a text");
  ASSERT_TRUE(table.Next(&row));
  EXPECT_EQ(Message(table.Integer(row, 0, 0, 9).status()),
            "w.csv: line 4, column 'x': '1.0' is no whole number; give one from 0 to 9");
}

}  // namespace
}  // namespace candor
