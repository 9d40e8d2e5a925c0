#include "coordinator/http/call_metrics.h"

#include "common/base/time_proto.h"
#include "common/metrics/families.h"
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::http {
namespace {

using testing::HasSubstr;
using testing::Not;

engine::AttemptRecord Attempt(engine::JobKey job, std::uint16_t entry, v1::Attempt::State state,
                              v1::Attempt::ErrorClass error) {
  engine::AttemptRecord record{.id = 1, .job = job, .cell = {.entry = entry}, .attempt = nullptr};
  record.attempt = std::make_unique<v1::Attempt>();
  record.attempt->set_state(state);
  record.attempt->set_error_class(error);
  return record;
}

class CallMetricsTest : public testing::Test {
 protected:
  void Count(engine::WriteBatch batch) { calls_.Count(batch, *driver_.engine); }
  void CountAttempts(std::vector<engine::AttemptRecord> attempts) {
    engine::WriteBatch batch;
    batch.attempts = std::move(attempts);
    Count(std::move(batch));
  }
  std::string Page() const { return metrics::Text(registry_.Collect()); }

  engine::Driver driver_;
  prometheus::Registry registry_;
  CallMetrics calls_{registry_};
};

TEST_F(CallMetricsTest, CountsWhatBecameOfCalls) {
  const engine::JobKey job = driver_.Create();
  engine::AttemptRecord good = Attempt(job, 0, v1::Attempt::COMPLETED, {});
  good.attempt->set_money(2'500'000'000);
  good.attempt->mutable_usage()->set_input_tokens(100);
  good.attempt->mutable_usage()->set_cached_input_tokens(40);
  good.attempt->mutable_usage()->set_output_tokens(7);
  *good.attempt->mutable_latency() = ToProto(std::chrono::milliseconds(300));
  std::vector<engine::AttemptRecord> attempts;
  attempts.push_back(std::move(good));
  attempts.push_back(Attempt(job, 0, v1::Attempt::FAILED, v1::Attempt::RATE_LIMITED));
  attempts.push_back(Attempt(job, 0, v1::Attempt::FAILED, v1::Attempt::RATE_LIMITED));
  CountAttempts(std::move(attempts));
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("candor_attempts_total{endpoint=\"local\",error_class=\"none\","
                              "model=\"m\",state=\"completed\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("error_class=\"rate_limited\",model=\"m\",state=\"failed\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("candor_spend_total{endpoint=\"local\",model=\"m\"} 2.5\n"));
  EXPECT_THAT(page, HasSubstr("candor_tokens_total{direction=\"input\",endpoint=\"local\","
                              "model=\"m\"} 100\n"));
  EXPECT_THAT(page,
              HasSubstr("candor_cached_input_tokens_total{endpoint=\"local\",model=\"m\"} 40"));
  // Calls without a time, such as those that were never made, are no part of the histogram.
  EXPECT_THAT(page,
              HasSubstr("candor_attempt_duration_seconds_count{endpoint=\"local\",model=\"m\"} "
                        "1\n"));
}

TEST_F(CallMetricsTest, CountsOutcomesButNotImportedOnes) {
  const engine::JobKey job = driver_.Create();
  engine::WriteBatch batch;
  const auto add = [&](engine::AttemptId attempt) {
    engine::OutcomeRecord& record = batch.outcomes.emplace_back();
    record.job = job;
    record.attempt = attempt;
    record.outcome = std::make_unique<v1::Outcome>();
    record.outcome->set_class_(v1::Outcome::VALID);
  };
  add(1);
  add(2);
  add(0);
  engine::ReusedOutcomesRecord& reused = batch.reused_outcomes.emplace_back();
  reused.job = job;
  reused.items.emplace_back();
  Count(std::move(batch));
  EXPECT_THAT(Page(), HasSubstr("candor_outcomes_total{class=\"valid\",endpoint=\"local\","
                                "kind=\"choice\",model=\"m\"} 2\n"));
  EXPECT_THAT(Page(),
              HasSubstr("candor_reused_outcomes_total{endpoint=\"local\",model=\"m\"} 1\n"));
}

TEST_F(CallMetricsTest, JobsOfOneModelCountTogether) {
  const engine::JobKey a = driver_.Create({.name = "jobs/a"});
  const engine::JobKey b = driver_.Create({.name = "jobs/b"});
  std::vector<engine::AttemptRecord> attempts;
  attempts.push_back(Attempt(a, 0, v1::Attempt::COMPLETED, {}));
  attempts.push_back(Attempt(b, 0, v1::Attempt::COMPLETED, {}));
  attempts.push_back(Attempt(a, 0, v1::Attempt::COMPLETED, {}));
  CountAttempts(std::move(attempts));
  EXPECT_THAT(Page(), HasSubstr("model=\"m\",state=\"completed\"} 3\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("jobs/")));
}

TEST_F(CallMetricsTest, WhatIsUnknownIsNotCounted) {
  const engine::JobKey job = driver_.Create();
  std::vector<engine::AttemptRecord> attempts;
  attempts.push_back(Attempt(job + 77, 0, v1::Attempt::COMPLETED, {}));
  attempts.push_back(Attempt(job, 9, v1::Attempt::COMPLETED, {}));
  attempts.push_back(Attempt(job, 0, static_cast<v1::Attempt::State>(99), {}));
  CountAttempts(std::move(attempts));
  EXPECT_THAT(Page(), HasSubstr("model=\"m\",state=\"completed\"} 0\n"));
}

TEST_F(CallMetricsTest, LabelsAreFewWhateverJobsBring) {
  for (std::size_t i = 0; i < CallMetrics::kMostModels + 50; ++i) {
    engine::JobShape shape{.name = fmt::format("jobs/{}", i)};
    shape.entries[0].model = fmt::format("tuned-{}", i);
    std::vector<engine::AttemptRecord> attempts;
    attempts.push_back(Attempt(driver_.Create(shape), 0, v1::Attempt::COMPLETED, {}));
    CountAttempts(std::move(attempts));
  }
  EXPECT_THAT(Page(), HasSubstr("model=\"other\",state=\"completed\"} 50\n"));
  for (const auto& family : registry_.Collect()) {
    if (family.name == "candor_spend_total") {
      EXPECT_EQ(family.metric.size(), CallMetrics::kMostModels + 1);
    }
  }
}

}  // namespace
}  // namespace candor::http
