#include "coordinator/design/pair.h"

#include "common/base/random.h"
#include "common/statistics/adaptive.h"
#include "tests/unit/coordinator/design/adaptive_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace candor::design {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kA = v1::Outcome::A;
constexpr auto kB = v1::Outcome::B;

// The scenario of ordinal 0, and its first answers: A, B, B.
class NextPairTest : public testing::Test {
 protected:
  NextPairTest() : job_(AdaptiveJob()), scenario_(job_.scenarios(1)) {
    const scenario::TrialStream stream(7, scenario_, v1::Cell::CHOICE, v1::Job::FIXED);
    for (const v1::Outcome::Choice choice : {kA, kB, kB}) {
      scenario::Trial trial;
      stream.Draw(static_cast<std::uint32_t>(answers_.size()), 0, trial);
      scenario::CellAddress address;
      address.pair = static_cast<std::uint32_t>(answers_.size());
      answers_.push_back(Answer(scenario_, address, trial, choice));
    }
  }
  std::string Next(const std::vector<v1::Outcome>& answers, std::uint32_t pair = 3,
                   std::uint64_t seed = 7) const {
    return NextPair(seed, scenario_, 16, pair, answers).ShortDebugString();
  }

  v1::JobSpecification job_;
  const v1::Scenario& scenario_;
  std::vector<v1::Outcome> answers_;
};

TEST(CellsBeforeTest, AreAllOrdersAndSamplesOfTheEarlierPairs) {
  v1::JobSpecification job = AdaptiveJob(/*trials=*/6);
  EXPECT_THAT(CellsBefore(scenario::CellMap(job, 0, v1::Cell::CHOICE), 1, 3), ElementsAre(1, 3, 5));
  job.mutable_entries(0)->mutable_choices()->set_orders(v1::Choices::BOTH);
  job.mutable_entries(0)->mutable_choices()->set_samples_per_trial(2);
  const scenario::CellMap cells(job, 0, v1::Cell::CHOICE);
  EXPECT_THAT(CellsBefore(cells, 0, 0), IsEmpty());
  EXPECT_THAT(CellsBefore(cells, 1, 1), ElementsAre(1, 3, 5, 7));
  EXPECT_EQ(CellsBefore(cells, 0, 2).size(), 8U);
}

TEST_F(NextPairTest, IsTheCandidateThatTellsMost) {
  Eigen::MatrixXd x(3, 3);
  Eigen::VectorXd y(3);
  y << 1, 0, 0;
  for (int i = 0; i < 3; ++i) {
    const v1::Outcome& answer = answers_[static_cast<std::size_t>(i)];
    for (int k = 0; k < 3; ++k) {
      x(i, k) = (answer.option_a(k).value() - answer.option_b(k).value()) / 50;
    }
  }
  const scenario::CandidateStream stream(7, scenario_);
  Eigen::MatrixXd candidates(16, 3);
  std::vector<v1::ExplicitTrial> trials;
  for (std::uint32_t i = 0; i < 16; ++i) {
    std::vector<double> a;
    std::vector<double> b;
    stream.Draw(3, i, a, b);
    v1::ExplicitTrial& trial = trials.emplace_back();
    for (std::size_t k = 0; k < 3; ++k) {
      candidates(i, static_cast<int>(k)) = (a[k] - b[k]) / 50;
      trial.add_a(a[k]);
      trial.add_b(b[k]);
    }
  }
  statistics::ChoiceFitter fitter;
  const auto best = statistics::ProposeNext(fitter, x, y, candidates);
  ASSERT_TRUE(best.ok()) << best.status();
  EXPECT_EQ(Next(answers_), trials[*best].ShortDebugString());
}

TEST_F(NextPairTest, DependsOnSeedPairAndAnswersAlone) {
  const std::string next = Next(answers_);
  std::vector<v1::Outcome> reversed(answers_.rbegin(), answers_.rend());
  EXPECT_EQ(Next(reversed), next);
  std::vector<v1::Outcome> shuffled = answers_;
  for (v1::Outcome& answer : shuffled) {
    answer.mutable_option_a()->SwapElements(0, 2);
    answer.mutable_option_b()->SwapElements(0, 2);
    answer.set_raw_text("whatever");
  }
  EXPECT_EQ(Next(shuffled), next);
  EXPECT_NE(Next(answers_, 4), next);
  EXPECT_NE(Next(answers_, 3, 8), next);
}

TEST_F(NextPairTest, RepliesThatAreNoChoiceCountForNothing) {
  const std::vector<v1::Outcome> two(answers_.begin(), answers_.begin() + 2);
  for (const v1::Outcome::Class unreadable :
       {v1::Outcome::NOT_A_CHOICE, v1::Outcome::REFUSAL, v1::Outcome::EMPTY}) {
    std::vector<v1::Outcome> answers = answers_;
    answers[2].set_class_(unreadable);
    EXPECT_EQ(Next(answers), Next(two)) << v1::Outcome::Class_Name(unreadable);
  }
  std::vector<v1::Outcome> strange = answers_;
  strange[2].mutable_option_b(1)->set_attribute("no attribute of the scenario");
  EXPECT_EQ(Next(strange), Next(two));
  strange = answers_;
  strange[2].mutable_option_b(1)->set_value(std::nan(""));
  EXPECT_EQ(Next(strange), Next(two));
}

TEST_F(NextPairTest, SomethingIsAskedThoughNothingWasAnswered) {
  const v1::ExplicitTrial trial = NextPair(7, scenario_, 16, 3, {});
  ASSERT_EQ(trial.a_size(), 3);
  for (const double value : trial.b()) {
    EXPECT_GE(value, 10);
    EXPECT_LE(value, 60);
    EXPECT_EQ(value, std::round(value));
  }
}

TEST_F(NextPairTest, LogProbabilitiesCountInsteadOfTheLetter) {
  // Letters that follow the first attribute, and likewise the second one.
  std::vector<std::vector<v1::Outcome>> answers(2);
  const scenario::TrialStream stream(7, scenario_, v1::Cell::CHOICE, v1::Job::FIXED);
  for (std::uint32_t pair = 0; pair < 20; ++pair) {
    scenario::Trial trial;
    stream.Draw(pair, 0, trial);
    scenario::CellAddress address;
    address.pair = pair;
    for (std::size_t k = 0; k < 2; ++k) {
      answers[k].push_back(Answer(scenario_, address, trial, trial.a[k] > trial.b[k] ? kA : kB));
    }
  }
  const auto next = [this](const std::vector<v1::Outcome>& given) {
    return NextPair(7, scenario_, 1024, 21, given).ShortDebugString();
  };
  ASSERT_NE(next(answers[0]), next(answers[1]));
  std::vector<v1::Outcome> soft = answers[0];
  for (std::size_t i = 0; i < soft.size(); ++i) {
    soft[i].set_log_odds_a(answers[1][i].choice() == kA ? 30 : -30);
  }
  EXPECT_EQ(next(soft), next(answers[1]));
}

// The mean over scenarios of |estimated - true weights|, for a chooser of known weights.
double ErrorAfter(int trials, bool adaptive) {
  double error = 0;
  for (int s = 0; s < 60; ++s) {
    v1::Scenario scenario = AdaptiveJob().scenarios(0);
    scenario.set_id("scenario " + std::to_string(s));
    RandomStream random(99, static_cast<std::uint64_t>(s));
    Eigen::VectorXd weights(3);
    for (double& weight : weights) weight = 8 * random.Uniform() - 4;
    const scenario::TrialStream stream(7, scenario, v1::Cell::CHOICE, v1::Job::FIXED);
    std::vector<v1::Outcome> answers;
    Eigen::MatrixXd x(trials, 3);
    Eigen::VectorXd y(trials);
    for (std::uint32_t pair = 0; pair < static_cast<std::uint32_t>(trials); ++pair) {
      scenario::Trial trial;
      if (adaptive && pair >= 5) {
        const v1::ExplicitTrial values = NextPair(7, scenario, 64, pair, answers);
        EXPECT_TRUE(stream.Place(values, pair, 0, trial).ok());
      } else {
        stream.Draw(pair, 0, trial);
      }
      for (int k = 0; k < 3; ++k) {
        x(pair, k) =
            (trial.a[static_cast<std::size_t>(k)] - trial.b[static_cast<std::size_t>(k)]) / 50;
      }
      y(pair) = random.Uniform() < 1 / (1 + std::exp(-x.row(pair).dot(weights))) ? 1 : 0;
      scenario::CellAddress address;
      address.pair = pair;
      answers.push_back(Answer(scenario, address, trial, y(pair) > 0 ? kA : kB));
    }
    const auto fit = statistics::FitChoices(x, y, {.tau = 2});
    EXPECT_TRUE(fit.ok()) << fit.status();
    error += (fit->mean.tail(3) - weights).norm();
  }
  return error / 60;
}

TEST(AdaptiveDesignTest, LearnsMoreFromTheSameNumberOfCalls) {
  const double random = ErrorAfter(25, false);
  const double adaptive = ErrorAfter(25, true);
  RecordProperty("random", std::to_string(random));
  RecordProperty("adaptive", std::to_string(adaptive));
  EXPECT_LT(adaptive, 0.9 * random);
}

}  // namespace
}  // namespace candor::design
