#include "common/base/csv_text.h"

#include <gtest/gtest.h>

namespace candor {
namespace {

TEST(CsvText, GuardsFormulasAndQuotes) {
  EXPECT_EQ(CsvText("plain"), "plain");
  EXPECT_EQ(CsvText("=1+1"), "'=1+1");
  EXPECT_EQ(CsvText("@a"), "'@a");
  EXPECT_EQ(CsvText("-5"), "'-5");
  EXPECT_EQ(CsvText("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvText("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(CsvText("+a\nb"), "\"'+a\nb\"");
  EXPECT_EQ(CsvText(""), "");
}

}  // namespace
}  // namespace candor
