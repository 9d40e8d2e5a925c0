#include "coordinator/analysis/live_study.h"

#include "tests/unit/coordinator/analysis/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace candor::analysis {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

std::string Bytes(const LiveStudy& study) {
  v1::LiveEstimates estimates;
  study.FillEntries(&estimates);
  LiveStudy::Seen seen;
  EXPECT_TRUE(study.FillScenarios(kNoLimit, seen, &estimates));
  return estimates.SerializeAsString();
}

v1::LiveEstimates Entries(const LiveStudy& study) {
  v1::LiveEstimates estimates;
  study.FillEntries(&estimates);
  return estimates;
}

class LiveStudyTest : public testing::Test {
 protected:
  const v1::Job job_ = ExampleJob();
  const std::shared_ptr<const v1::JobSpecification> specification_ = Specification(job_);
  const std::vector<v1::Outcome> answers_ = Answers(*specification_);

  v1::LiveEstimates Estimates(const v1::AnalysisPlan& plan,
                              const std::vector<v1::Outcome>& answers) const {
    LiveStudy study(specification_, plan);
    for (const v1::Outcome& answer : answers) study.Add(answer);
    study.Refit();
    return Entries(study);
  }
};

TEST_F(LiveStudyTest, FindsWhatAModelKnowsOfItself) {
  const v1::LiveEstimates estimates = Estimates({}, answers_);
  EXPECT_EQ(estimates.outcomes(), 12 * (30 + 4 + 4));
  ASSERT_EQ(estimates.entries_size(), 2);
  const auto& base = estimates.entries(0);
  EXPECT_EQ(base.entry(), "base");
  EXPECT_EQ(base.choices(), 360);
  EXPECT_EQ(base.reports(), 48);
  EXPECT_EQ(base.n_scenarios(), 12);
  EXPECT_EQ(base.n_scenarios_with_weights(), 12);
  EXPECT_GT(base.r(), 0.8);
  EXPECT_GT(base.slope(), 0.8);
  EXPECT_LT(base.interval_low(), base.slope());
  EXPECT_GT(base.interval_high(), base.slope());
  EXPECT_FALSE(base.has_r_instilled());
  const auto& control = estimates.entries(1);
  EXPECT_EQ(control.choices(), 0);
  EXPECT_EQ(control.n_scenarios(), 12);
  EXPECT_LT(std::abs(control.r()), 0.5);
}

TEST_F(LiveStudyTest, IsTheSameInWhateverOrderOutcomesCome) {
  LiveStudy once(specification_, {});
  for (const v1::Outcome& answer : answers_) once.Add(answer);
  EXPECT_TRUE(once.Refit());
  const std::string expected = Bytes(once);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    std::vector<v1::Outcome> shuffled = answers_;
    Shuffle(shuffled, seed);
    LiveStudy study(specification_, {});
    for (std::size_t i = 0; i < shuffled.size(); ++i) {
      study.Add(shuffled[i]);
      // Estimates on the way leave no trace.
      if (i % 37 == 0) {
        EXPECT_TRUE(study.Refit());
      }
    }
    study.Refit();
    EXPECT_EQ(Bytes(study), expected);
  }
}

TEST_F(LiveStudyTest, HasNoNumbersBeforeThereAreAny) {
  LiveStudy study(specification_, {});
  EXPECT_FALSE(study.Refit());
  v1::LiveEstimates estimates = Entries(study);
  EXPECT_EQ(estimates.outcomes(), 0);
  ASSERT_EQ(estimates.entries_size(), 2);
  EXPECT_FALSE(estimates.entries(0).has_slope());
  LiveStudy::Seen seen;
  EXPECT_TRUE(study.FillScenarios(kNoLimit, seen, &estimates));
  EXPECT_EQ(estimates.scenarios_size(), 0);

  // Choices of one scenario alone: weights, and no agreement.
  for (const v1::Outcome& answer : answers_) {
    if (answer.scenario() == "scenario_0" && answer.kind() == v1::Cell::CHOICE) study.Add(answer);
  }
  study.Refit();
  estimates = Entries(study);
  EXPECT_EQ(estimates.entries(0).n_scenarios_with_weights(), 1);
  EXPECT_FALSE(estimates.entries(0).has_slope());
}

TEST_F(LiveStudyTest, SendsScenariosThatChangedInPieces) {
  LiveStudy study(specification_, {});
  for (const v1::Outcome& answer : answers_) study.Add(answer);
  study.Refit();
  LiveStudy::Seen seen;
  std::size_t messages = 0;
  int scenarios = 0;
  for (bool all = false; !all; ++messages) {
    v1::LiveEstimates estimates;
    all = study.FillScenarios(1'000, seen, &estimates);
    EXPECT_LE(estimates.ByteSizeLong(), 1'000U);
    EXPECT_GT(estimates.scenarios_size(), 0);
    scenarios += estimates.scenarios_size();
    ASSERT_LT(messages, 100U);
  }
  EXPECT_EQ(scenarios, 24);
  EXPECT_GT(messages, 1U);

  // One more report: one scenario more.
  v1::Outcome late = answers_.back();
  study.Add(late);
  study.Refit();
  v1::LiveEstimates estimates;
  EXPECT_TRUE(study.FillScenarios(kNoLimit, seen, &estimates));
  ASSERT_EQ(estimates.scenarios_size(), 1);
  EXPECT_EQ(estimates.scenarios(0).entry(), "control");
  EXPECT_EQ(estimates.scenarios(0).scenario(), late.scenario());
  EXPECT_EQ(estimates.scenarios(0).report_size(), 4);
  EXPECT_EQ(estimates.scenarios(0).normalised_size(), 0);
}

TEST_F(LiveStudyTest, NormalisedWeightsStandWithTheirIntervals) {
  LiveStudy study(specification_, {});
  for (const v1::Outcome& answer : answers_) study.Add(answer);
  study.Refit();
  v1::LiveEstimates estimates;
  LiveStudy::Seen seen;
  study.FillScenarios(kNoLimit, seen, &estimates);
  const auto& first = estimates.scenarios(0);
  ASSERT_EQ(first.normalised_size(), 4);
  double largest = 0;
  for (int k = 0; k < 4; ++k) {
    largest = std::max(largest, std::abs(first.normalised(k)));
    EXPECT_LT(first.low(k), first.normalised(k));
    EXPECT_GT(first.high(k), first.normalised(k));
  }
  EXPECT_DOUBLE_EQ(largest, 100);
  EXPECT_EQ(first.n_choices(), 30);
  EXPECT_EQ(first.n_reports(), 4);
}

TEST_F(LiveStudyTest, ThePlansExclusionsHold) {
  v1::AnalysisPlan plan;
  plan.mutable_exclusions()->add_scenario_ids("scenario_3");
  EXPECT_EQ(Estimates(plan, answers_).entries(0).n_scenarios(), 11);

  plan.Clear();
  plan.mutable_exclusions()->add_classes(v1::Outcome::REPAIRED);
  std::vector<v1::Outcome> answers = answers_;
  for (v1::Outcome& answer : answers) {
    if (answer.kind() == v1::Cell::SELF_REPORT) answer.set_class_(v1::Outcome::REPAIRED);
  }
  EXPECT_EQ(Estimates(plan, answers).entries(0).reports(), 0);
  EXPECT_EQ(Estimates({}, answers).entries(0).reports(), 48);

  plan.Clear();
  plan.mutable_exclusions()->set_min_reports_per_scenario(4);
  answers = answers_;
  for (v1::Outcome& answer : answers) {
    // One of four reports of one scenario cannot be read.
    if (answer.entry() != "base" || answer.scenario() != "scenario_5" ||
        answer.kind() != v1::Cell::SELF_REPORT) {
      continue;
    }
    answer.set_class_(v1::Outcome::REFUSAL);
    answer.clear_report();
    break;
  }
  EXPECT_EQ(Estimates(plan, answers).entries(0).n_scenarios(), 11);
  EXPECT_EQ(Estimates({}, answers).entries(0).n_scenarios(), 12);

  plan.Clear();
  plan.set_tau(5);
  EXPECT_NE(Estimates(plan, answers_).entries(0).slope(),
            Estimates({}, answers_).entries(0).slope());
}

TEST_F(LiveStudyTest, ReportsBeyondTheScaleAreTreatedAsPlanned) {
  std::vector<v1::Outcome> answers = answers_;
  for (v1::Outcome& answer : answers) {
    if (answer.kind() != v1::Cell::SELF_REPORT || answer.entry() != "base") continue;
    answer.mutable_report(0)->set_value(-1'000);
    answer.set_class_(v1::Outcome::OUT_OF_RANGE);
    break;
  }
  v1::AnalysisPlan plan;
  const auto with = [&](v1::AnalysisPlan::OutOfRange way) {
    plan.mutable_exclusions()->set_out_of_range(way);
    return Estimates(plan, answers).entries(0);
  };
  EXPECT_EQ(with(v1::AnalysisPlan::AS_IS).reports(), 48);
  EXPECT_EQ(with(v1::AnalysisPlan::CLIPPED).reports(), 48);
  EXPECT_EQ(with(v1::AnalysisPlan::DROPPED).reports(), 48);
  EXPECT_GT(with(v1::AnalysisPlan::DROPPED).r(), with(v1::AnalysisPlan::AS_IS).r());
  EXPECT_GT(with(v1::AnalysisPlan::CLIPPED).r(), with(v1::AnalysisPlan::AS_IS).r());
}

TEST_F(LiveStudyTest, UnreadableAnswersAreLeftOut) {
  std::vector<v1::Outcome> answers = answers_;
  for (v1::Outcome& answer : answers) {
    if (answer.index() % 2 == 0) continue;
    answer.set_class_(v1::Outcome::REFUSAL);
    answer.clear_choice();
    answer.clear_report();
  }
  const v1::LiveEstimates estimates = Estimates({}, answers);
  EXPECT_EQ(estimates.outcomes(), static_cast<std::int64_t>(answers.size()));
  EXPECT_EQ(estimates.entries(0).choices(), 180);
  EXPECT_EQ(estimates.entries(0).reports(), 24);
  // Of an entry or a cell that is not the job's: counted, and nothing else.
  answers = answers_;
  answers[0].set_entry("nobody");
  answers[1].set_index(1'000'000);
  EXPECT_EQ(Estimates({}, answers).entries(0).choices(), 358);
}

TEST_F(LiveStudyTest, KeepsTheFirstTrialsOfEveryScenarioWhenThereAreTooMany) {
  LiveStudy small(specification_, {}, {.max_rows = 12 * 10});
  LiveStudy first(specification_, {});
  for (const v1::Outcome& answer : answers_) {
    small.Add(answer);
    if (answer.kind() == v1::Cell::SELF_REPORT || answer.index() < 12 * 10) first.Add(answer);
  }
  small.Refit();
  first.Refit();
  const auto kept = Entries(small).entries(0);
  EXPECT_EQ(kept.choices(), 360);
  EXPECT_EQ(kept.slope(), Entries(first).entries(0).slope());
}

TEST_F(LiveStudyTest, LearnedWeightsAreComparedWithInstilledOnes) {
  v1::Job job = ExampleJob();
  for (int s = 0; s < 12; ++s) {
    v1::Scenario& scenario = *job.mutable_inline_scenarios()->mutable_scenarios(s);
    for (int k = 0; k < 4; ++k)
      scenario.add_instilled_weights(TrueWeight(static_cast<std::uint32_t>(s), k));
  }
  LiveStudy study(Specification(job), {});
  for (const v1::Outcome& answer : answers_) study.Add(answer);
  study.Refit();
  EXPECT_GT(Entries(study).entries(0).r_instilled(), 0.8);
  EXPECT_FALSE(Entries(study).entries(1).has_r_instilled());
}

}  // namespace
}  // namespace candor::analysis
