#include "common/statistics/choice_trials.h"

#include "common/statistics/choice_model.h"
#include "tests/unit/common/statistics/chooser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace candor::statistics {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using X = std::array<double, 2>;

TEST(ChoiceTrialsTest, ATrialCountsOnceWithTheMeanOfItsSamples) {
  ChoiceTrials trials(2);
  const X x = {0.5, -0.25};
  ASSERT_TRUE(trials.Add({.pair = 7, .sample = 0}, x, 1).ok());
  ASSERT_TRUE(trials.Add({.pair = 7, .sample = 1}, x, 0).ok());
  ASSERT_TRUE(trials.Add({.pair = 7, .sample = 2}, x, 1).ok());
  ASSERT_TRUE(trials.Add({.pair = 7, .sample = 3}, x, 1).ok());
  ASSERT_TRUE(trials.Add({.pair = 2}, X{0.1, 0.2}, 0.75).ok());
  const StatusOr<TrialData> data = trials.Build();
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_EQ(data->x.rows(), 2);
  EXPECT_THAT(data->pairs, ElementsAre(2, 7));
  EXPECT_EQ(data->y(0), 0.75);
  EXPECT_EQ(data->y(1), 0.75);
  EXPECT_EQ(data->x(1, 1), -0.25);
  EXPECT_EQ(data->n_choices, 5);
  // Of the 6 pairs of samples, 3 are of the one that chose B with one that did not.
  EXPECT_DOUBLE_EQ(data->flip_rate.value(), 0.5);
}

TEST(ChoiceTrialsTest, TheTwoOrdersAreTwoTrialsOfOnePair) {
  ChoiceTrials trials(2);
  ASSERT_TRUE(trials.Add({.pair = 0, .order = 1}, X{-0.5, 0.25}, 0).ok());
  ASSERT_TRUE(trials.Add({.pair = 0, .order = 0}, X{0.5, -0.25}, 1).ok());
  const StatusOr<TrialData> data = trials.Build();
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_EQ(data->x.rows(), 2);
  EXPECT_EQ(data->x(0, 0), 0.5);
  EXPECT_EQ(data->x(1, 0), -0.5);
  EXPECT_THAT(data->pairs, ElementsAre(0, 0));
  EXPECT_FALSE(data->flip_rate.has_value());
}

TEST(ChoiceTrialsTest, AskingAgainAndHearingTheSameAddsNothing) {
  RandomStream random(1);
  const DrawnScenario drawn = DrawFromPrior(random, 50, 2, 1);
  ChoiceTrials once(2);
  ChoiceTrials thrice(2);
  for (std::uint32_t i = 0; i < 50; ++i) {
    const X x = {drawn.x(i, 0), drawn.x(i, 1)};
    ASSERT_TRUE(once.Add({.pair = i}, x, drawn.y(i)).ok());
    for (std::uint32_t sample = 0; sample < 3; ++sample) {
      ASSERT_TRUE(thrice.Add({.pair = i, .sample = sample}, x, drawn.y(i)).ok());
    }
  }
  const StatusOr<TrialData> single = once.Build();
  const StatusOr<TrialData> repeated = thrice.Build();
  ASSERT_TRUE(single.ok() && repeated.ok());
  EXPECT_EQ(single->x, repeated->x);
  EXPECT_EQ(single->y, repeated->y);
  EXPECT_EQ(repeated->n_choices, 150);
  EXPECT_EQ(repeated->flip_rate, 0);
}

TEST(ChoiceTrialsTest, TheOrderInWhichAnswersComeDoesNotMatter) {
  ChoiceTrials forward(2);
  ChoiceTrials backward(2);
  // Thirds and sevenths: their sums depend on the order in which they are added.
  const auto add = [](std::uint32_t i, ChoiceTrials* trials) {
    const std::uint32_t pair = i / 7;
    return trials
        ->Add({.pair = pair, .sample = i % 7}, X{pair / 9.0, 0.1}, (i % 7) / 7.0 + (i % 3) / 30.0)
        .ok();
  };
  for (std::uint32_t i = 0; i < 63; ++i) ASSERT_TRUE(add(i, &forward));
  for (std::uint32_t i = 63; i-- > 0;) ASSERT_TRUE(add(i, &backward));
  const StatusOr<TrialData> a = forward.Build();
  const StatusOr<TrialData> b = backward.Build();
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->x, b->x);
  EXPECT_EQ(a->y, b->y);
  EXPECT_EQ(a->flip_rate, b->flip_rate);
}

TEST(ChoiceTrialsTest, NoAnswerIsNoRow) {
  ChoiceTrials trials(3);
  StatusOr<TrialData> data = trials.Build();
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->x.rows(), 0);
  EXPECT_EQ(data->x.cols(), 3);
  ASSERT_TRUE(trials.Add({}, std::array{0.1, 0.2, 0.3}, 1).ok());
  trials.Clear();
  EXPECT_EQ(trials.size(), 0U);
}

TEST(ChoiceTrialsTest, NamesWhatIsWrong) {
  ChoiceTrials trials(2);
  const X x = {0, 0};
  EXPECT_THAT(Message(trials.Add({.pair = 3}, std::array{0.5}, 1)),
              HasSubstr("trial 3, order 0: has 1 values"));
  EXPECT_THAT(Message(trials.Add({.pair = 3}, X{0, std::numeric_limits<double>::infinity()}, 1)),
              HasSubstr("value 1 is inf"));
  EXPECT_THAT(Message(trials.Add({.pair = 3, .sample = 4}, x, -1)), HasSubstr("sample 4: y is -1"));
  EXPECT_EQ(trials.size(), 0U);

  ASSERT_TRUE(trials.Add({.pair = 3}, x, 1).ok());
  ASSERT_TRUE(trials.Add({.pair = 3}, x, 1).ok());
  EXPECT_EQ(trials.Build().status().code(), absl::StatusCode::kAlreadyExists);
  trials.Clear();
  ASSERT_TRUE(trials.Add({.pair = 3}, x, 1).ok());
  ASSERT_TRUE(trials.Add({.pair = 3, .sample = 1}, X{0, 0.1}, 1).ok());
  EXPECT_THAT(Message(trials.Build().status()), HasSubstr("samples 0 and 1 were shown different"));
}

}  // namespace
}  // namespace candor::statistics
