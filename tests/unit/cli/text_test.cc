#include "cli/text.h"

#include "candor/v1/outcome.pb.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

namespace candor::cli {
namespace {

std::string SpanOf(std::int64_t seconds, int nanos = 0) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  duration.set_nanos(nanos);
  return Span(duration);
}

TEST(ExactMoney, IsPlainToTheLastDigit) {
  EXPECT_EQ(ExactMoney(0), "0");
  EXPECT_EQ(ExactMoney(5'000'000'000), "5");
  EXPECT_EQ(ExactMoney(1'000), "0.000001");
  EXPECT_EQ(ExactMoney(1'000'000'250'000'000), "1,000,000.25");
  EXPECT_EQ(ExactMoney(-500'000'000), "-0.5");
}

TEST(Text, WritesNumbersForPeople) {
  EXPECT_EQ(WithCommas(0), "0");
  EXPECT_EQ(WithCommas(999), "999");
  EXPECT_EQ(WithCommas(1'000), "1,000");
  EXPECT_EQ(WithCommas(-1'234'567), "-1,234,567");
  EXPECT_EQ(Short(9'999), "9,999");
  EXPECT_EQ(Short(10'000), "10.0k");
  EXPECT_EQ(Short(999'949), "1.0M");
  EXPECT_EQ(Short(1'234'567), "1.2M");
  EXPECT_EQ(Short(5'000'000'000'000), "5.0T");
  EXPECT_EQ(Money(0), "0.0000");
  EXPECT_EQ(Money(10), "<0.0001");
  EXPECT_EQ(Money(123'400'000), "0.1234");
  EXPECT_EQ(Money(12'345'000'000), "12.35");
}

TEST(Text, WritesTimesForPeople) {
  EXPECT_EQ(SpanOf(0), "0s");
  EXPECT_EQ(SpanOf(59, 600'000'000), "1m00s");
  EXPECT_EQ(SpanOf(3'725), "1h02m");
  EXPECT_EQ(SpanOf(100'000), "1d03h");
  google::protobuf::Timestamp time;
  EXPECT_EQ(Moment(time), "-");
  time.set_seconds(1'700'000'000);
  EXPECT_EQ(Moment(time), "2023-11-14 22:13:20");
}

TEST(Text, LetsNoTextCommandTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f"), "a [2Jb c ");
  EXPECT_EQ(Printable("a\nb\r", /*lines=*/true), "a\nb ");
  // U+009B begins an escape sequence too; letters beyond ASCII stay.
  EXPECT_EQ(Printable("\xC2\x9B"
                      "31m\xC3\xA9"),
            " 31m\xC3\xA9");
}

TEST(Text, CountsAndCutsByCharacter) {
  EXPECT_EQ(Columns("h\xC3\xA9llo"), 5U);
  EXPECT_EQ(Clip("h\xC3\xA9llo", 5), "h\xC3\xA9llo");
  EXPECT_EQ(Clip("h\xC3\xA9llo world", 5), "h\xC3\xA9...");
  EXPECT_EQ(PadRight("\xC3\xA9", 3), "\xC3\xA9  ");
  EXPECT_EQ(PadLeft("7", 3), "  7");
}

TEST(Table, AlignsColumns) {
  Table table({"NAME", ">COUNT", "WHY"});
  table.Add({"a", "1,000", ""});
  table.Add({"longer", "2", "because"});
  EXPECT_EQ(table.Text(),
            "NAME    COUNT  WHY\n"
            "a       1,000\n"
            "longer      2  because\n");
}

}  // namespace
}  // namespace candor::cli
