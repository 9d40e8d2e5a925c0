#include "common/analysis/outcome_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace candor::analysis {
namespace {

using testing::HasSubstr;

constexpr const char* kLine =
    R"({"entry":"base","scenario":"plot","kind":"CHOICE","index":7,"pair":3,"order":1,"sample":0,)"
    R"("class":"VALID","repairs":["x",{"y":[1]}],"choice":"B","report":null,"log_odds_a":-0.1,)"
    R"("log_odds_truncated":false,"option_a":{"sun":0.30000000000000004,"cost":5},)"
    R"("option_b":{"sun":1e-1,"cost":-2},"raw_text":"B","usage":{"entry":1,"index":"no"},)"
    R"("served_model":"m"})";

Status Parse(std::string_view line, v1::Outcome* outcome, std::string* column = nullptr,
             std::size_t piece = 1'000'000) {
  OutcomeLineParser parser;
  for (std::size_t at = 0; at < line.size(); at += piece) parser.Write(line.substr(at, piece));
  const Status status = parser.Finish(outcome);
  if (column != nullptr) *column = std::string(parser.Column());
  return status;
}

TEST(OutcomeLineTest, TakesWhatFiguresNeed) {
  for (const std::size_t piece : {1'000'000, 7, 1}) {
    v1::Outcome outcome;
    const Status status = Parse(kLine, &outcome, nullptr, piece);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(outcome.entry(), "base");
    EXPECT_EQ(outcome.scenario(), "plot");
    EXPECT_EQ(outcome.kind(), v1::Cell::CHOICE);
    EXPECT_EQ(outcome.index(), 7U);
    EXPECT_EQ(outcome.pair(), 3U);
    EXPECT_EQ(outcome.order(), 1U);
    EXPECT_EQ(outcome.choice(), v1::Outcome::B);
    EXPECT_EQ(outcome.log_odds_a(), -0.1);
    ASSERT_EQ(outcome.option_a_size(), 2);
    EXPECT_EQ(outcome.option_a(0).attribute(), "sun");
    EXPECT_EQ(outcome.option_a(0).value(), 0.30000000000000004);
    EXPECT_EQ(outcome.option_b(0).value(), 0.1);
    EXPECT_EQ(outcome.option_b(1).value(), -2);
    EXPECT_EQ(outcome.served_model(), "m");
    EXPECT_EQ(outcome.raw_text(), "B");
  }
}

TEST(OutcomeLineTest, TakesReportsWithWhatIsMissing) {
  std::string line = kLine;
  line.replace(line.find("\"report\":null"), 13, "\"report\":{\"sun\":-100.5,\"cost\":null}");
  v1::Outcome outcome;
  ASSERT_TRUE(Parse(line, &outcome).ok());
  ASSERT_EQ(outcome.report_size(), 2);
  EXPECT_EQ(outcome.report(0).value(), -100.5);
  EXPECT_FALSE(outcome.report(1).has_value());
}

TEST(OutcomeLineTest, NamesWhatIsWrong) {
  struct Case {
    const char* from;
    const char* to;
    const char* message;
    const char* column;
  };
  for (const Case& wrong : {
           Case{"\"kind\":\"CHOICE\",", "", "no kind", "kind"},
           Case{"\"CHOICE\"", "\"CHOOSE\"", "kind is 'CHOOSE'", "kind"},
           Case{"\"index\":7", "\"index\":-7", "index is '-7'", "index"},
           Case{"\"index\":7", "\"index\":\"seven\"", "index is the text 'seven'", "index"},
           Case{"\"index\":7", "\"index\":7.5", "index is '7.5'", "index"},
           Case{"\"pair\":3", "\"pair\":null", "pair is null", "pair"},
           Case{"\"pair\":3", "\"index\":3", "index stands twice", "index"},
           Case{"\"entry\":\"base\"", "\"entry\":[1]", "entry is a list", "entry"},
           Case{"\"cost\":5", "\"cost\":\"five\"", "option_a has the text 'five'", "option_a"},
           Case{"\"cost\":5", "\"cost\":1e999", "no finite number", "option_a"},
           Case{"\"log_odds_a\":-0.1", "\"log_odds_a\":NaN", "no JSON object", ""},
           Case{"\"raw_text\":\"B\"", "\"raw_text\":\"\xff\"", "no JSON object", ""},
       }) {
    std::string line = kLine;
    line.replace(line.find(wrong.from), std::string_view(wrong.from).size(), wrong.to);
    v1::Outcome outcome;
    std::string column;
    const Status status = Parse(line, &outcome, &column);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << wrong.to;
    EXPECT_THAT(std::string(status.message()), HasSubstr(wrong.message));
    if (*wrong.column != '\0') {
      EXPECT_EQ(column, wrong.column);
    }
  }
}

TEST(OutcomeLineTest, RefusesWhatIsNoObject) {
  v1::Outcome outcome;
  for (const char* line : {"[]", "null", "7", "\"text\"", "true", "{", "{}", "{} {}", "{}x"})
    EXPECT_FALSE(Parse(line, &outcome).ok()) << line;
}

TEST(OutcomeLineTest, IsReadyForTheNextLineAfterAnError) {
  OutcomeLineParser parser;
  v1::Outcome outcome;
  parser.Write("{\"entry\": oops");
  EXPECT_FALSE(parser.Finish(&outcome).ok());
  EXPECT_EQ(parser.Column(), "11");
  parser.Write(kLine);
  EXPECT_TRUE(parser.Finish(&outcome).ok());
  EXPECT_EQ(outcome.index(), 7U);
}

TEST(OutcomeLineTest, KeepsLittleOfLongTexts) {
  std::string line = kLine;
  line.replace(line.find("\"raw_text\":\"B\""), 14,
               "\"raw_text\":\"" + std::string(3'000'000, 'x') + "\"");
  v1::Outcome outcome;
  ASSERT_TRUE(Parse(line, &outcome, nullptr, 65'536).ok());
  EXPECT_LE(outcome.raw_text().size(), 2'000U);
  line.replace(line.find("\"base\""), 6, "\"" + std::string(5'000, 'x') + "\"");
  EXPECT_THAT(std::string(Parse(line, &outcome).message()), HasSubstr("entry is longer than"));
}

}  // namespace
}  // namespace candor::analysis
