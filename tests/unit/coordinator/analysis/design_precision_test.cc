#include "coordinator/analysis/design_precision.h"

#include "tests/unit/coordinator/analysis/answers.h"

#include <gtest/gtest.h>

namespace candor::analysis {
namespace {

v1::JobEstimate Estimate(const v1::Job& job) {
  v1::JobEstimate estimate;
  *estimate.mutable_precision() = ExpectPrecision(*Specification(job), job.analysis());
  return estimate;
}

TEST(DesignPrecision, SaysWhatEveryEntryWithReportsCanTell) {
  const v1::JobEstimate estimate = Estimate(ExampleJob());
  ASSERT_EQ(estimate.precision_size(), 2);
  EXPECT_EQ(estimate.precision(0).entry(), "base");
  // The control is judged against the weights of the other entry.
  EXPECT_EQ(estimate.precision(1).entry(), "control");
  EXPECT_EQ(estimate.precision(1).interval_width(), estimate.precision(0).interval_width());
  // 48 pairs: 2 x 2.0129 sqrt(0.75 / 46).
  EXPECT_NEAR(estimate.precision(0).interval_width(), 0.5140, 1e-3);
  EXPECT_NEAR(estimate.precision(0).smallest_contrast(), 2.8 * 0.1277 * 1.4142, 2e-3);
  EXPECT_GT(estimate.precision(0).weights_reliability(), 0.3);
  EXPECT_LT(estimate.precision(0).weights_reliability(), 0.9);
}

TEST(DesignPrecision, MoreTellsMoreAndWhatIsLeftOutTellsNothing) {
  v1::Job job = ExampleJob();
  const v1::JobEstimate few = Estimate(job);
  job.mutable_choices()->set_trials_per_scenario(60);
  EXPECT_GT(Estimate(job).precision(0).weights_reliability(),
            few.precision(0).weights_reliability());
  job.mutable_analysis()->mutable_exclusions()->add_scenario_ids("scenario_0");
  EXPECT_GT(Estimate(job).precision(0).interval_width(), few.precision(0).interval_width());

  job = ExampleJob();
  job.mutable_self_reports()->set_reports_per_scenario(0);
  EXPECT_EQ(Estimate(job).precision_size(), 0);
}

}  // namespace
}  // namespace candor::analysis
