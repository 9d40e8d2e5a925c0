#include "common/dialect/render.h"

#include "common/base/config.h"
#include "common/base/digest.h"
#include "common/dialect/openai.h"
#include "tests/unit/common/dialect/job.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <set>

namespace candor::dialect {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const OpenAiDialect kOpenAi;

std::string Body(const v1::JobSpecification& job, v1::Cell::Kind kind, std::uint32_t index,
                 const v1::ModelRule& rule = {}) {
  std::string body;
  const Status status = RenderCell(job, 0, kind, index, nullptr, kOpenAi, rule, &body, nullptr);
  EXPECT_TRUE(status.ok()) << status;
  return body;
}

std::string Error(const v1::JobSpecification& job, v1::Cell::Kind kind, std::uint32_t index,
                  const v1::ModelRule& rule = {}) {
  std::string body;
  const Status status = RenderCell(job, 0, kind, index, nullptr, kOpenAi, rule, &body, nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return Message(status);
}

v1::Sampling Sampling(const char* text) {
  v1::Sampling sampling;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &sampling));
  return sampling;
}

TEST(RenderCellTest, APairThatFollowsFromAnswersIsNotDrawn) {
  v1::JobSpecification job = SmallJob();
  v1::Choices& choices = *job.mutable_entries(0)->mutable_choices();
  choices.set_design(v1::Choices::ADAPTIVE);
  choices.mutable_adaptive()->set_random_pairs(1);
  // Both scenarios, both orders of pair 0; then pair 1.
  EXPECT_EQ(Body(job, v1::Cell::CHOICE, 3), Body(SmallJob(), v1::Cell::CHOICE, 3));
  EXPECT_THAT(Error(job, v1::Cell::CHOICE, 4), HasSubstr("pair 1 follows from the answers"));
  EXPECT_NE(Body(job, v1::Cell::SELF_REPORT, 1), "");
}

TEST(RenderCellTest, WritesNothingThatIsAbsent) {
  v1::JobSpecification job = SmallJob();
  const v1::ExplicitTrial trial = [] {
    v1::ExplicitTrial t;
    t.add_a(3);
    t.add_a(20);
    t.add_b(4.5);
    t.add_b(30);
    return t;
  }();
  std::string body;
  v1::Outcome outcome;
  // Index 3: trial 1 of the entry's second scenario, so pair 0 swapped.
  ASSERT_TRUE(RenderCell(job, 0, v1::Cell::CHOICE, 3, &trial, kOpenAi, {}, &body, &outcome).ok());
  EXPECT_EQ(body,
            "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a nurse.\"},"
            "{\"role\":\"user\",\"content\":\"Which \\\"plot\\\"?\\nA:\\nsunlight: 4.5 hours\\n"
            "cost: 30.0\\n\\nB:\\nsunlight: 3.0 hours\\ncost: 20.0\"}]}");
  EXPECT_EQ(outcome.entry(), "base");
  EXPECT_EQ(outcome.scenario(), "plot");
  EXPECT_EQ(outcome.kind(), v1::Cell::CHOICE);
  EXPECT_EQ(outcome.index(), 3U);
  EXPECT_EQ(outcome.pair(), 0U);
  EXPECT_EQ(outcome.order(), 1U);
  EXPECT_EQ(outcome.sample(), 0U);
  ASSERT_EQ(outcome.option_a_size(), 2);
  EXPECT_EQ(outcome.option_a(0).attribute(), "sunlight");
  EXPECT_EQ(outcome.option_a(0).value(), 4.5);
  EXPECT_EQ(outcome.option_b(1).value(), 20);
  EXPECT_EQ(outcome.prompt_hash(), Sha256Hex(body));
  EXPECT_EQ(outcome.class_(), v1::Outcome::CLASS_UNSPECIFIED);
}

TEST(RenderCellTest, WritesEverySamplingFieldInOneOrder) {
  v1::JobSpecification job = SmallJob();
  *job.mutable_entries(0)->mutable_choices()->mutable_sampling() =
      Sampling(R"pb(temperature: 0
                    top_p: 0.95
                    max_output_tokens: 16
                    seed: 9007199254740991
                    reasoning_effort: "low"
                    log_probabilities: 20)pb");
  EXPECT_THAT(Body(job, v1::Cell::CHOICE, 0),
              EndsWith("],\"temperature\":0,\"top_p\":0.95,\"max_tokens\":16,"
                       "\"seed\":9007199254740991,\"reasoning_effort\":\"low\",\"logprobs\":true,"
                       "\"top_logprobs\":20}"));
}

TEST(RenderCellTest, MaxTokensUnderTheNameThatTheModelTakes) {
  v1::JobSpecification job = SmallJob();
  *job.mutable_entries(0)->mutable_choices()->mutable_sampling() =
      Sampling("max_output_tokens: 16");
  v1::ModelRule rule;
  rule.set_max_tokens_field("max_completion_tokens");
  EXPECT_THAT(Body(job, v1::Cell::CHOICE, 0, rule), EndsWith("],\"max_completion_tokens\":16}"));
}

TEST(RenderCellTest, SystemMessages) {
  const v1::JobSpecification job = SmallJob();
  v1::ModelRule rule;
  rule.set_system_as("developer");
  EXPECT_THAT(Body(job, v1::Cell::CHOICE, 0, rule),
              HasSubstr("[{\"role\":\"developer\",\"content\":\"You are a student.\"},{"));
  rule.set_system_as("user");
  EXPECT_THAT(Body(job, v1::Cell::CHOICE, 0, rule),
              HasSubstr("[{\"role\":\"user\",\"content\":\"You are a student.\\n\\nWhich flat?"));
  rule.set_system_as("system");
  EXPECT_EQ(Body(job, v1::Cell::CHOICE, 0, rule), Body(job, v1::Cell::CHOICE, 0));
  rule.set_system_as("root");
  EXPECT_THAT(Error(job, v1::Cell::CHOICE, 0, rule), HasSubstr("system_as: is \"root\""));
}

TEST(RenderCellTest, FoldsAllSystemMessagesIntoTheFirstUserMessage) {
  v1::JobSpecification job = SmallJob();
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(messages { role: "system" content: "one" }
           messages { role: "user" content: "{option_a}{option_b}" }
           messages { role: "assistant" content: "ok" }
           messages { role: "system" content: "two" }
           messages { role: "user" content: "now" })pb",
      job.mutable_entries(0)->mutable_choice_prompt()));
  v1::ModelRule rule;
  rule.set_system_as("user");
  const std::string body = Body(job, v1::Cell::CHOICE, 0, rule);
  EXPECT_THAT(body, HasSubstr("[{\"role\":\"user\",\"content\":\"one\\n\\ntwo\\n\\nrent: "));
  EXPECT_THAT(body, HasSubstr("{\"role\":\"assistant\",\"content\":\"ok\"},"
                              "{\"role\":\"user\",\"content\":\"now\"}]"));
}

TEST(RenderCellTest, SchemaOfASelfReport) {
  v1::JobSpecification job = SmallJob();
  *job.mutable_entries(0)->mutable_self_reports()->mutable_sampling() =
      Sampling("response_schema: SCHEMA log_probabilities: 3");
  const std::string body = Body(job, v1::Cell::SELF_REPORT, 1);
  EXPECT_THAT(
      body,
      EndsWith("],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
               "\"self_report\",\"strict\":true,\"schema\":{\"type\":\"object\",\"properties\":{"
               "\"sunlight\":{\"type\":\"number\",\"minimum\":-100,\"maximum\":100},"
               "\"cost\":{\"type\":\"number\",\"minimum\":-100,\"maximum\":100}},"
               "\"required\":[\"sunlight\",\"cost\"],\"additionalProperties\":false}}}}"));
  // Log-probabilities are for choices only.
  EXPECT_THAT(body, Not(HasSubstr("logprobs")));
}

TEST(RenderCellTest, SchemaHasTheOrderShown) {
  v1::JobSpecification job = SmallJob();
  job.set_attribute_order(v1::Job::SHUFFLED);
  *job.mutable_entries(0)->mutable_self_reports()->mutable_sampling() =
      Sampling("response_schema: SCHEMA");
  std::set<std::string> orders;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    job.set_seed(seed);
    std::string body;
    v1::Outcome outcome;
    ASSERT_TRUE(
        RenderCell(job, 0, v1::Cell::SELF_REPORT, 0, nullptr, kOpenAi, {}, &body, &outcome).ok());
    std::string required = "\"required\":[";
    for (const v1::ShownValue& value : outcome.option_a()) {
      required += "\"" + value.attribute() + "\",";
    }
    required.back() = ']';
    EXPECT_THAT(body, HasSubstr(required));
    orders.insert(required);
  }
  EXPECT_GT(orders.size(), 1U);
}

TEST(RenderCellTest, ExtraBodyInByteOrderWithWholeNumbers) {
  v1::JobSpecification job = SmallJob();
  *job.mutable_entries(0)->mutable_choices()->mutable_sampling() = Sampling(
      R"pb(extra_body {
             fields {
               key: "top_k"
               value { number_value: 40 }
             }
             fields {
               key: "grammar"
               value { string_value: "root ::= \"A\" | \"B\"" }
             }
             fields {
               key: "min_p"
               value { number_value: 0.05 }
             }
             fields {
               key: "big"
               value { number_value: 9007199254740991 }
             }
             fields {
               key: "cache"
               value { bool_value: false }
             }
             fields {
               key: "none"
               value { null_value: NULL_VALUE }
             }
             fields {
               key: "nested"
               value {
                 struct_value {
                   fields {
                     key: "z"
                     value { number_value: -1 }
                   }
                   fields {
                     key: "a"
                     value {
                       list_value {
                         values { number_value: 1.5 }
                         values { string_value: "x" }
                       }
                     }
                   }
                 }
               }
             }
           })pb");
  EXPECT_THAT(Body(job, v1::Cell::CHOICE, 0),
              EndsWith("],\"big\":9007199254740991,\"cache\":false,"
                       "\"grammar\":\"root ::= \\\"A\\\" | \\\"B\\\"\",\"min_p\":0.05,"
                       "\"nested\":{\"a\":[1.5,\"x\"],\"z\":-1},\"none\":null,\"top_k\":40}"));
}

TEST(RenderCellTest, ExtraBodyReplacesNothing) {
  for (const char* field : {"model", "messages", "n", "stream", "temperature", "max_tokens"}) {
    v1::JobSpecification job = SmallJob();
    v1::Sampling* sampling = job.mutable_entries(0)->mutable_choices()->mutable_sampling();
    *sampling = Sampling("temperature: 0 max_output_tokens: 4");
    (*sampling->mutable_extra_body()->mutable_fields())[field].set_number_value(1);
    EXPECT_THAT(Error(job, v1::Cell::CHOICE, 0),
                StartsWith("extra_body." + std::string(field) + ": Candor sets this"));
  }
}

TEST(RenderCellTest, ExtraBodyOfWhatJsonHasNot) {
  v1::JobSpecification job = SmallJob();
  v1::Sampling* sampling = job.mutable_entries(0)->mutable_choices()->mutable_sampling();
  auto* fields = sampling->mutable_extra_body()->mutable_fields();
  (*fields)["x"].set_number_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(Error(job, v1::Cell::CHOICE, 0), StartsWith("extra_body.x: is not finite"));
  google::protobuf::Value* value = &(*fields)["x"];
  for (int i = 0; i < 100; ++i) {
    value = &(*value->mutable_struct_value()->mutable_fields())["y"];
  }
  EXPECT_THAT(Error(job, v1::Cell::CHOICE, 0), HasSubstr("nested deeper than 32"));
}

TEST(RenderCellTest, SamplesOfATrialHaveSeedsOfTheirOwn) {
  v1::JobSpecification job = SmallJob();
  v1::Choices* choices = job.mutable_entries(0)->mutable_choices();
  choices->set_samples_per_trial(3);
  *choices->mutable_sampling() = Sampling("seed: 100");
  // ((trial * samples) + sample) * scenarios + scenario.
  const std::string first = Body(job, v1::Cell::CHOICE, 0);
  const std::string third = Body(job, v1::Cell::CHOICE, 4);
  EXPECT_THAT(first, EndsWith("\"seed\":100}"));
  EXPECT_THAT(third, EndsWith("\"seed\":102}"));
  EXPECT_EQ(first.substr(0, first.size() - 4), third.substr(0, third.size() - 4));
  choices->set_samples_per_trial(1);
  EXPECT_THAT(Body(job, v1::Cell::CHOICE, 4), EndsWith("\"seed\":100}"));
}

TEST(RenderCellTest, CellsThatTheJobDoesNotHave) {
  const v1::JobSpecification job = SmallJob();
  EXPECT_THAT(Error(job, v1::Cell::CHOICE, 8), HasSubstr("index: 8 is not below 8, the choices"));
  EXPECT_THAT(Error(job, v1::Cell::SELF_REPORT, 4),
              HasSubstr("4 is not below 4, the self-reports"));
  EXPECT_THAT(Error(job, v1::Cell::KIND_UNSPECIFIED, 0), HasSubstr("kind: 0"));
  std::string body;
  for (const int entry : {-1, 1}) {
    EXPECT_THAT(
        Message(RenderCell(job, entry, v1::Cell::CHOICE, 0, nullptr, kOpenAi, {}, &body, nullptr)),
        HasSubstr("is none of the 1 entries"));
  }
  v1::ExplicitTrial trial;
  trial.add_a(1);
  EXPECT_FALSE(RenderCell(job, 0, v1::Cell::CHOICE, 0, &trial, kOpenAi, {}, &body, nullptr).ok());
}

TEST(JobRendererTest, RefusesWhatIsNotResolved) {
  v1::JobSpecification job = SmallJob();
  job.mutable_entries(0)->add_scenario_indexes(2);
  EXPECT_THAT(Message(JobRenderer::Create(job).status()), HasSubstr("scenario_indexes: 2"));
  job = SmallJob();
  job.mutable_entries(0)->mutable_choices()->clear_samples_per_trial();
  EXPECT_THAT(Message(JobRenderer::Create(job).status()), HasSubstr("choices: is not resolved"));
  job = SmallJob();
  job.mutable_entries(0)->clear_self_report_prompt();
  EXPECT_THAT(Message(JobRenderer::Create(job).status()),
              StartsWith("entries[0].self_report_prompt"));
  // What is not asked needs no prompt.
  job.mutable_entries(0)->mutable_self_reports()->set_reports_per_scenario(0);
  EXPECT_TRUE(JobRenderer::Create(job).ok());
}

TEST(JobRendererTest, MemoryThatIsUsedAgainChangesNothing) {
  const auto job = JobRenderer::Create(SmallJob());
  ASSERT_TRUE(job.ok());
  RenderedCell again;
  for (const v1::Cell::Kind kind : {v1::Cell::CHOICE, v1::Cell::SELF_REPORT}) {
    for (std::uint32_t index = 0; index < 4; ++index) {
      v1::Cell cell;
      cell.set_kind(kind);
      cell.set_index(index);
      RenderedCell fresh;
      ASSERT_TRUE((*job)->Render(cell, nullptr, kOpenAi, {}, &fresh).ok());
      ASSERT_TRUE((*job)->Render(cell, nullptr, kOpenAi, {}, &again).ok());
      EXPECT_EQ(again.body, fresh.body);
      EXPECT_EQ(again.outcome.SerializeAsString(), fresh.outcome.SerializeAsString());
      EXPECT_EQ(again.scenario, fresh.scenario);
    }
  }
}

TEST(FindDialectTest, ByName) {
  for (const std::string& name : DialectNames()) {
    const auto dialect = FindDialect(name);
    ASSERT_TRUE(dialect.ok()) << name;
    EXPECT_EQ((*dialect)->name(), name);
  }
  EXPECT_EQ((*FindDialect(""))->name(), "openai");
  EXPECT_THAT(Message(FindDialect("opneai").status()), HasSubstr("\"opneai\" is not known"));
}

TEST(FindModelRuleTest, FirstMatchWins) {
  v1::Endpoint endpoint;
  endpoint.add_models()->set_match("gpt-5-mini");
  endpoint.add_models()->set_match("gpt-5*");
  endpoint.add_models()->set_match("*:free");
  EXPECT_EQ(&FindModelRule(endpoint, "gpt-5-mini"), &endpoint.models(0));
  EXPECT_EQ(&FindModelRule(endpoint, "gpt-5-mini-2"), &endpoint.models(1));
  EXPECT_EQ(&FindModelRule(endpoint, "gpt-5"), &endpoint.models(1));
  EXPECT_EQ(&FindModelRule(endpoint, "x/llama:free"), &endpoint.models(2));
  EXPECT_EQ(FindModelRule(endpoint, "o3").match(), "");
}

}  // namespace
}  // namespace candor::dialect
