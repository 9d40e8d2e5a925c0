// What a job would take: time as the pacer will count it, and what batches add to it.
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>

namespace candor::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(EstimateTest, SaysWhatAJobTakes) {
  Driver driver(MakeConfig(60));
  const JobCreated job = MakeJob({.entries = {{.reports = 5}, {.endpoint = "nowhere"}}});
  const v1::JobEstimate estimate = driver.engine->Estimate(*job.job, *job.specification);
  EXPECT_EQ(estimate.cells(), 30);
  EXPECT_EQ(estimate.calls(), 30);
  EXPECT_EQ(estimate.output_tokens(), 20 * 16 + 10 * 64);
  EXPECT_GT(estimate.input_tokens(), 0);
  EXPECT_EQ(estimate.money(), estimate.input_tokens() * 1000 + estimate.output_tokens() * 10'000);
  EXPECT_EQ(estimate.duration().seconds(), 30);
  ASSERT_EQ(estimate.warnings_size(), 1);
  EXPECT_THAT(estimate.warnings(0), HasSubstr("there is no endpoint \"nowhere\""));
}

// 20 calls of some input and 16 tokens of output each, or 4,000, at 1,000 tokens a minute.
v1::JobEstimate At(v1::Config config, std::int32_t reply, v1::Job::Mode mode = v1::Job::LIVE) {
  Driver driver(std::move(config));
  const JobCreated created = MakeJob({.entries = {{.prompt_chars = 400}}, .mode = mode});
  v1::JobSpecification specification = *created.specification;
  specification.mutable_entries(0)->mutable_choices()->mutable_sampling()->set_max_output_tokens(
      reply);
  return driver.engine->Estimate(*created.job, specification);
}

std::int64_t SecondsFor(std::int64_t tokens) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(tokens) * 60 / 1000));
}

std::int64_t Seconds(const v1::JobEstimate& estimate) {
  return estimate.duration().seconds() + (estimate.duration().nanos() > 0 ? 1 : 0);
}

TEST(EstimateTest, CountsTokensAsTheirProviderDoes) {
  v1::Config config = MakeConfig(0, 1'000);
  const std::int64_t input = At(config, 16).input_tokens();
  ASSERT_GT(input, 20 * 100);
  const auto seconds = [&config](const std::string& dialect, std::int32_t reply) {
    config.mutable_endpoints(0)->set_dialect(dialect);
    return Seconds(At(config, reply));
  };
  // The larger one of both.
  EXPECT_EQ(seconds("openai", 16), SecondsFor(input));
  EXPECT_EQ(seconds("openai", 900), SecondsFor(20 * 900));
  // Input alone.
  EXPECT_EQ(seconds("gemini", 900), SecondsFor(input));
  // Both, and replies at their longest.
  EXPECT_EQ(seconds("anthropic", 700), SecondsFor(input + 20 * 700));
  config.mutable_endpoints(0)->mutable_models(0)->set_output_counts("reserved");
  EXPECT_EQ(seconds("openai", 700), SecondsFor(input + 20 * 700));
}

TEST(EstimateTest, SaysWhatFitsInNoMinute) {
  v1::Config config = MakeConfig(0, 1'000);
  EXPECT_THAT(At(config, 1'000).warnings(), IsEmpty());
  EXPECT_THAT(At(config, 1'001).warnings(), ElementsAre(HasSubstr("takes up to 1001 tokens")));
  // Of any limit, and of a day's.
  v1::Limits& limits = *config.mutable_endpoints(0)->mutable_limits();
  limits = {};
  limits.set_tokens_per_day(900);
  limits.set_output_tokens_per_minute(500);
  limits.set_input_tokens_per_minute(10);
  limits.set_requests_per_minute(1);
  limits.set_requests_per_day(1);
  EXPECT_THAT(
      At(config, 901).warnings(),
      ElementsAre(
          HasSubstr("tokens, but limit group \"local\" allows 10 input tokens a minute"),
          HasSubstr("takes up to 901 tokens, but limit group \"local\" allows 500 output tokens a "
                    "minute: it would wait for ever"),
          HasSubstr("allows 900 tokens a day")));
  limits = {};
  limits.set_tokens_per_minute(1'000);
  config.mutable_endpoints(0)->set_dialect("gemini");
  EXPECT_THAT(At(config, 4'000).warnings(), IsEmpty());
}

TEST(EstimateTest, LeavesBatchesToTheirProvider) {
  v1::Config config = MakeConfig(60, 1'000);
  EXPECT_TRUE(At(config, 16).has_duration());
  for (const v1::Job::Mode mode : {v1::Job::BATCH, v1::Job::AUTO}) {
    const v1::JobEstimate estimate = At(config, 16, mode);
    EXPECT_FALSE(estimate.has_duration());
    EXPECT_FALSE(estimate.kinds(0).has_duration());
    EXPECT_THAT(estimate.warnings(),
                ElementsAre("entry \"entry0\": 20 calls go in batches, which the time at the "
                            "limits leaves out: the provider may take up to 24 hours"));
  }
  // 10 batches of one line each at a time.
  config.mutable_endpoints(0)->mutable_models(0)->mutable_batch()->set_max_lines(1);
  EXPECT_THAT(At(config, 16, v1::Job::BATCH).warnings(),
              ElementsAre(HasSubstr("up to 24 hours for each of 2 turns")));
  // The provider's queue takes no more than one prompt.
  config.mutable_endpoints(0)->mutable_models(0)->mutable_batch()->set_queue_tokens(1);
  EXPECT_THAT(At(config, 16, v1::Job::BATCH).warnings(),
              ElementsAre(HasSubstr("up to 24 hours for each of 20 turns")));
  // No batches: AUTO asks one by one.
  config.mutable_endpoints(0)->set_dialect("gemini");
  EXPECT_TRUE(At(config, 16, v1::Job::AUTO).has_duration());
  EXPECT_THAT(At(config, 16, v1::Job::AUTO).warnings(), IsEmpty());
}

// Choices and self-reports go in the same batches.
TEST(EstimateTest, KindsOfAnEntryShareItsTurns) {
  const auto warning = [](int max_lines) {
    v1::Config config = MakeConfig();
    config.mutable_endpoints(0)->mutable_models(0)->mutable_batch()->set_max_lines(max_lines);
    Driver driver(std::move(config));
    const JobCreated job = MakeJob({.entries = {{.reports = 5}}, .mode = v1::Job::BATCH});
    const v1::JobEstimate estimate = driver.engine->Estimate(*job.job, *job.specification);
    return estimate.warnings_size() == 1 ? estimate.warnings(0) : std::string();
  };
  // 20 and 10 of them: 30 at a time, and then 20.
  EXPECT_THAT(warning(3), testing::EndsWith("30 calls go in batches, which the time at the limits "
                                            "leaves out: the provider may take up to 24 hours"));
  EXPECT_THAT(warning(2), HasSubstr("up to 24 hours for each of 2 turns"));
}

}  // namespace
}  // namespace candor::engine
