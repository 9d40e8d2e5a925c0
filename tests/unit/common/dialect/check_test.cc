#include "common/dialect/check.h"

#include "tests/unit/common/dialect/reading.h"

#include <gmock/gmock.h>

#include <vector>

namespace candor::dialect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "field: description" of everything wrong with the small job at an endpoint of this dialect.
std::vector<std::string> Wrong(const char* dialect, const char* sampling, const char* rule = "",
                               bool own = false) {
  const v1::JobSpecification specification = JobWith(sampling);
  v1::Job job;
  job.add_models()->set_endpoint("local");
  if (own) job.mutable_models(0)->mutable_choices();
  v1::Config config;
  v1::Endpoint& endpoint = *config.add_endpoints();
  endpoint.set_name("local");
  endpoint.set_dialect(dialect);
  *endpoint.add_models() = Rule(rule);
  endpoint.mutable_models(0)->set_match("*");
  FieldViolations violations;
  CheckJob(job, specification, config, &violations);
  std::vector<std::string> lines;
  for (const FieldViolation& violation : violations) {
    lines.push_back(violation.field + ": " + violation.description);
  }
  return lines;
}

TEST(CheckJobTest, WhatIsWellIsSilent) {
  EXPECT_THAT(Wrong("openai", ""), IsEmpty());
  EXPECT_THAT(Wrong("openai", "max_output_tokens: 1 seed: 1 log_probabilities: 20"), IsEmpty());
  EXPECT_THAT(Wrong("openai-responses", "max_output_tokens: 16 log_probabilities: 20"), IsEmpty());
  EXPECT_THAT(Wrong("anthropic", "max_output_tokens: 1 response_schema: SCHEMA"), IsEmpty());
  EXPECT_THAT(Wrong("gemini", "max_output_tokens: 1 seed: 1 log_probabilities: 5"), IsEmpty());
}

TEST(CheckJobTest, OutputLimits) {
  EXPECT_THAT(Wrong("openai-responses", "max_output_tokens: 8"),
              ElementsAre("job.choices.sampling.max_output_tokens: is 8; openai-responses takes no "
                          "less than 16; give 16 or more",
                          HasSubstr("job.self_reports.sampling.max_output_tokens: is 8")));
  EXPECT_THAT(Wrong("anthropic", "", "", /*own=*/true),
              ElementsAre("job.models[0].choices.sampling.max_output_tokens: is missing; anthropic "
                          "requires an output limit; give 1 or more",
                          HasSubstr("job.self_reports.sampling.max_output_tokens: is missing")));
  EXPECT_THAT(Wrong("gemini", "max_output_tokens: 16", "reasoning: true"),
              ElementsAre(HasSubstr("is 16; model \"m\" thinks before it answers (its rule in "
                                    "candor.yaml says so), and what it thinks counts against the "
                                    "limit: below 1024 it may say nothing; give 1024 or more"),
                          HasSubstr("job.self_reports")));
  EXPECT_THAT(Wrong("gemini", "max_output_tokens: 99", "reasoning: true min_output_tokens: 100"),
              ElementsAre(HasSubstr("takes no less than 100 (min_output_tokens of its rule"),
                          HasSubstr("job.self_reports")));
  EXPECT_THAT(Wrong("gemini", "max_output_tokens: 100", "reasoning: true min_output_tokens: 100"),
              IsEmpty());
  // A rule cannot take back what the provider refuses.
  EXPECT_THAT(Wrong("openai-responses", "max_output_tokens: 8", "min_output_tokens: 4").size(), 2U);
}

TEST(CheckJobTest, WhatThereIsNot) {
  EXPECT_THAT(Wrong("anthropic", "max_output_tokens: 8 seed: 7 log_probabilities: 5"),
              ElementsAre("job.choices.sampling.log_probabilities: is 5; anthropic has no "
                          "log-probabilities; leave it out",
                          "job.choices.sampling.seed: is 7; anthropic has no sampling seed; leave "
                          "it out",
                          HasSubstr("job.self_reports.sampling.seed")));
  EXPECT_THAT(Wrong("anthropic", "max_output_tokens: 8 temperature: 1.5"),
              ElementsAre("job.choices.sampling.temperature: is 1.5; anthropic takes 0 to 1; give "
                          "one of these, or leave it out",
                          HasSubstr("job.self_reports.sampling.temperature")));
  EXPECT_THAT(Wrong("anthropic", "max_output_tokens: 8 temperature: 1"), IsEmpty());
  EXPECT_THAT(Wrong("openai", "temperature: 1.5"), IsEmpty());
  EXPECT_THAT(Wrong("openai", "log_probabilities: 5", "log_probabilities: false"),
              ElementsAre(HasSubstr("job.choices.sampling.log_probabilities: is 5; model \"m\" has "
                                    "no log-probabilities (its rule in candor.yaml says")));
  EXPECT_THAT(Wrong("openai", "response_schema: SCHEMA", "response_schema: false"),
              ElementsAre(HasSubstr("job.self_reports.sampling.response_schema: is SCHEMA; model "
                                    "\"m\" cannot be held to a schema")));
}

TEST(CheckJobTest, WhatTheDialectRefusesToSay) {
  EXPECT_THAT(Wrong("openai", "extra_body { fields { key: 'stream' value { bool_value: true } } }"),
              ElementsAre(HasSubstr("job.choices.sampling: extra_body.stream: Candor sets"),
                          HasSubstr("job.self_reports.sampling: extra_body.stream")));
  EXPECT_THAT(Wrong("gemini", "", "system_as: 'developer'"),
              ElementsAre(HasSubstr("system_as: is \"developer\"; give system or user"),
                          HasSubstr("system_as")));
}

TEST(CheckJobTest, UnknownEndpointsArePassedOver) {
  v1::Job job;
  job.add_models()->set_endpoint("nobody");
  v1::Config config;
  FieldViolations violations;
  CheckJob(job, JobWith("max_output_tokens: 1"), config, &violations);
  EXPECT_THAT(violations, IsEmpty());
}

}  // namespace
}  // namespace candor::dialect
