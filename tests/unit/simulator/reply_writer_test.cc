#include "simulator/reply_writer.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;

Task MakeTask(Kind kind) {
  Task task;
  task.kind = kind;
  task.attributes = {
      {"yearly_rent", "euros", 1, 2}, {"sun", "", 3, 4}, {"Plot \"size\"", "", 5, 6}};
  return task;
}
const std::vector<double> kX = {0.1, -0.2, 0.3};

TEST(ReplyWriter, WritesChoicesInEveryShape) {
  const Task task = MakeTask(Kind::kChoice);
  EXPECT_EQ(WriteChoice('A', task, Shape::kAsAsked), "A");
  EXPECT_EQ(WriteChoice('B', task, Shape::kLowerCase), "b");
  EXPECT_EQ(WriteChoice('B', task, Shape::kOptionWord), "Option B");
  EXPECT_EQ(WriteChoice('A', task, Shape::kBold), "**A**.");
  EXPECT_EQ(WriteChoice('A', task, Shape::kSentence),
            "I would choose option A because of its yearly_rent.");
  EXPECT_EQ(WriteChoice('A', task, Shape::kBoth), "A and B are equally good here.");
  EXPECT_EQ(WriteChoice('A', task, Shape::kEmpty), "");
  EXPECT_THAT(WriteChoice('A', task, Shape::kRefusal), ::testing::HasSubstr("can't"));
}

TEST(ReplyWriter, WritesReportsInEveryShape) {
  const std::vector<std::string_view> names = {"yearly_rent", "sun"};
  const std::vector<int> weights = {-70, 20};
  const auto write = [&](Shape shape) { return WriteReport(names, weights, shape); };
  EXPECT_EQ(write(Shape::kAsAsked), R"({"yearly_rent": -70, "sun": 20})");
  EXPECT_EQ(write(Shape::kCodeFence), "```json\n{\"yearly_rent\": -70, \"sun\": 20}\n```");
  EXPECT_EQ(write(Shape::kSingleQuotes), "{'yearly_rent': -70, 'sun': 20}");
  EXPECT_EQ(write(Shape::kTrailingComma), R"({"yearly_rent": -70, "sun": 20,})");
  EXPECT_EQ(write(Shape::kPercentSigns), R"({"yearly_rent": -70%, "sun": 20%})");
  EXPECT_EQ(write(Shape::kNumbersAsText), R"({"yearly_rent": "-70", "sun": "20"})");
  EXPECT_EQ(write(Shape::kNested), R"({"weights": {"yearly_rent": -70, "sun": 20}})");
  EXPECT_EQ(write(Shape::kOutOfRange), R"({"yearly_rent": -150, "sun": 20})");
  EXPECT_EQ(write(Shape::kMissingAttribute), R"({"yearly_rent": -70})");
  EXPECT_EQ(write(Shape::kRenamedAttribute), R"({"yearly": -70, "sun": 20})");
  EXPECT_EQ(write(Shape::kUnfinished), R"({"yearly_rent": -70,)");
  EXPECT_EQ(write(Shape::kNotJson),
            "I weighted the attributes as follows:\n- yearly_rent: -70\n- sun: 20");
  EXPECT_EQ(write(Shape::kEmpty), "");
  EXPECT_THAT(write(Shape::kProse), ::testing::HasSubstr(R"({"yearly_rent": -70, "sun": 20})"));
}

TEST(ReplyWriter, EveryShapeComesAtItsRate) {
  Traits traits;
  traits.malformed_rate = 0.5;
  constexpr int kDraws = 14'000;
  for (const Kind kind : {Kind::kChoice, Kind::kSelfReport}) {
    std::map<Shape, int> counts;
    for (std::uint64_t body = 1; body <= kDraws; ++body) {
      ++counts[WriteReply(traits, MakeTask(kind), kX, ReplyFormat::kText, {}, body).shape];
    }
    // 5 standard errors of a share of a half.
    EXPECT_NEAR(counts[Shape::kAsAsked], kDraws / 2, 5 * 59.2);
    const std::size_t shapes = kind == Kind::kChoice ? 7 : 14;
    EXPECT_EQ(counts.size(), shapes + 1);
    for (const auto& [shape, count] : counts) {
      EXPECT_GT(count, kDraws / 2 / static_cast<int>(shapes) * 7 / 10) << ToString(shape);
    }
  }
}

TEST(ReplyWriter, RateZeroMeansNone) {
  Traits traits;
  traits.malformed_rate = 0;
  for (std::uint64_t body = 1; body <= 2'000; ++body) {
    const Reply reply =
        WriteReply(traits, MakeTask(Kind::kSelfReport), kX, ReplyFormat::kText, {}, body);
    ASSERT_EQ(reply.shape, Shape::kAsAsked);
    const json::object report = json::parse(reply.text).as_object();
    ASSERT_EQ(report.size(), 3U);
    ASSERT_TRUE(report.at("Plot \"size\"").is_int64());
  }
}

TEST(ReplyWriter, ASchemaIsAlwaysKept) {
  Traits traits;
  traits.malformed_rate = 1;
  const std::vector<std::string_view> names = {"sun", "yearly_rent", "unheard_of"};
  for (std::uint64_t body = 1; body <= 200; ++body) {
    const Task task = MakeTask(Kind::kSelfReport);
    const Reply with_names = WriteReply(traits, task, kX, ReplyFormat::kJsonSchema, names, body);
    const json::object report = json::parse(with_names.text).as_object();
    ASSERT_EQ(report.size(), 3U);
    EXPECT_EQ(report.at("unheard_of"), 0);
    const json::object without =
        json::parse(WriteReply(traits, task, kX, ReplyFormat::kJsonSchema, {}, body).text)
            .as_object();
    EXPECT_EQ(without.at("sun"), report.at("sun"));
    const Reply object = WriteReply(traits, task, kX, ReplyFormat::kJsonObject, {}, body);
    EXPECT_TRUE(json::parse(object.text).is_object()) << object.text;
    EXPECT_NE(object.shape, Shape::kAsAsked);
  }
}

TEST(ReplyWriter, JsonIsAReportAndNothingToCompareIsSaid) {
  const Traits traits;
  const Reply choice_in_json =
      WriteReply(traits, MakeTask(Kind::kChoice), kX, ReplyFormat::kJsonSchema, {}, 1);
  EXPECT_EQ(json::parse(choice_in_json.text).as_object().size(), 3U);
  const Reply unknown = WriteReply(traits, {}, {}, ReplyFormat::kText, {}, 1);
  EXPECT_THAT(unknown.text, ::testing::HasSubstr("two options"));
  const std::vector<std::string_view> names = {"x"};
  EXPECT_EQ(WriteReply(traits, {}, {}, ReplyFormat::kJsonSchema, names, 1).text, R"({"x": 0})");
  EXPECT_EQ(WriteReply(traits, {}, {}, ReplyFormat::kJsonObject, {}, 1).text, "{}");
}

TEST(ReplyWriter, ShapesHaveDistinctNames) {
  std::map<std::string_view, int> names;
  for (int i = 0; i <= static_cast<int>(Shape::kNotJson); ++i) {
    ++names[ToString(static_cast<Shape>(i))];
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Shape::kNotJson) + 1);
  EXPECT_EQ(ToString(Shape::kNotJson), "NOT_JSON");
}

}  // namespace
}  // namespace candor::simulator
