#include "common/dialect/openai_responses.h"

#include "tests/unit/common/dialect/reading.h"

#include <gmock/gmock.h>

namespace candor::dialect {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using v1::Attempt;
using v1::Cell;
using v1::Outcome;

const OpenAiResponsesDialect kDialect;

TEST(ResponsesRequestTest, MessagesAreInputItems) {
  EXPECT_THAT(Rendered(kDialect, TheJob()),
              StartsWith(R"({"model":"m","input":[{"role":"system","content":"You are a nurse."},)"
                         R"({"role":"user","content":"Which )"));
  EXPECT_THAT(Rendered(kDialect, TheJob(), Cell::CHOICE, Rule("system_as: 'developer'")),
              HasSubstr(R"({"role":"developer","content":"You are a nurse."})"));
  EXPECT_THAT(
      Rendered(kDialect, TheJob(), Cell::CHOICE, Rule("system_as: 'user'")),
      StartsWith(R"({"model":"m","input":[{"role":"user","content":"You are a nurse.\n\nW)"));
}

TEST(ResponsesRequestTest, EverySamplingFieldInOneOrder) {
  EXPECT_THAT(
      Rendered(kDialect, JobWith(R"pb(temperature: 0
                                      top_p: 0.5
                                      max_output_tokens: 16
                                      reasoning_effort: "low"
                                      log_probabilities: 20
                                      extra_body {
                                        fields {
                                          key: "reasoning"
                                          value {
                                            struct_value {
                                              fields {
                                                key: "summary"
                                                value { string_value: "auto" }
                                              }
                                            }
                                          }
                                        }
                                        fields {
                                          key: "store"
                                          value { bool_value: false }
                                        }
                                      })pb")),
      EndsWith(R"(],"temperature":0,"top_p":0.5,"max_output_tokens":16,)"
               R"("reasoning":{"effort":"low","summary":"auto"},)"
               R"("include":["message.output_text.logprobs"],"top_logprobs":20,"store":false})"));
  EXPECT_THAT(Rendered(kDialect, JobWith("response_schema: SCHEMA"), Cell::SELF_REPORT),
              HasSubstr(R"("text":{"format":{"type":"json_schema","name":"self_report",)"
                        R"("strict":true,"schema":{"type":"object","properties":{)"));
  EXPECT_THAT(Rendered(kDialect, TheJob(), Cell::CHOICE, Rule("stream: 'always'")),
              EndsWith(R"(],"stream":true})"));
}

TEST(ResponsesRequestTest, WhatCannotBeSaid) {
  EXPECT_THAT(Rendered(kDialect, JobWith("seed: 1")), HasSubstr("error: sampling.seed"));
  EXPECT_THAT(Rendered(kDialect, JobWith(R"pb(reasoning_effort: "low"
                                              extra_body {
                                                fields {
                                                  key: "reasoning"
                                                  value { string_value: "x" }
                                                }
                                              })pb")),
              HasSubstr("extra_body.reasoning: must be an object"));
  EXPECT_THAT(Rendered(kDialect, JobWith(R"pb(reasoning_effort: "low"
                                              extra_body {
                                                fields {
                                                  key: "reasoning"
                                                  value {
                                                    struct_value {
                                                      fields {
                                                        key: "effort"
                                                        value { string_value: "high" }
                                                      }
                                                    }
                                                  }
                                                }
                                              })pb")),
              HasSubstr("extra_body.reasoning.effort: Candor sets this field itself"));
  EXPECT_THAT(Rendered(kDialect, JobWith(R"pb(extra_body {
                                                fields {
                                                  key: "background"
                                                  value { bool_value: true }
                                                }
                                              })pb")),
              HasSubstr("extra_body.background"));
}

// The reference's example of a response, shortened.
std::string Response(std::string_view output, std::string_view more = R"("status":"completed")") {
  return R"({"id":"resp_67ccd2bed1ec8190b14f964abc054267","object":"response","error":null,)"
         R"("model":"gpt-5-2026-08-07","output":[)" +
         std::string(output) +
         R"(],"usage":{"input_tokens":36,"input_tokens_details":)"
         R"({"cached_tokens":4},"output_tokens":87,"output_tokens_details":)"
         R"({"reasoning_tokens":80},"total_tokens":123},)" +
         std::string(more) + "}";
}

std::string Said(std::string_view text) {
  return R"({"type":"message","id":"msg_1","status":"completed","role":"assistant","content":)"
         R"([{"type":"output_text","text":")" +
         std::string(text) + R"(","annotations":[]}]})";
}

TEST(ResponsesReplyTest, DocumentedExample) {
  const ReadAs read = ReadBody(
      kDialect,
      Response(
          R"({"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."}]},)" +
          Said("A")));
  ExpectThoughtAndChoseA(read, "completed", "gpt-5-2026-08-07");
  ExpectUsage(read, {.input = 36, .cached = 4, .output = 87, .reasoning = 80});
}

TEST(ResponsesReplyTest, LogProbabilities) {
  const ReadAs read = ReadBody(
      kDialect, Response(R"({"type":"message","content":[{"type":"output_text","text":"B",)"
                         R"("logprobs":[{"token":"B","logprob":-0.2,"top_logprobs":)"
                         R"([{"token":"B","logprob":-0.2},{"token":"A","logprob":-1.2}]}]}]})"));
  ASSERT_TRUE(read.outcome.has_log_odds_a());
  EXPECT_NEAR(read.outcome.log_odds_a(), -1.0, 1e-12);
}

TEST(ResponsesReplyTest, ClassesByStatus) {
  const std::string cut =
      R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"})";
  EXPECT_EQ(
      ReadBody(kDialect, Response(R"({"type":"reasoning","summary":[]})", cut)).outcome.class_(),
      Outcome::REASONING_EXHAUSTED);
  EXPECT_EQ(ReadBody(kDialect, Response(Said("I thi"), cut)).outcome.class_(), Outcome::TRUNCATED);
  const std::string filtered =
      R"("status":"incomplete","incomplete_details":{"reason":"content_filter"})";
  EXPECT_EQ(ReadBody(kDialect, Response(Said("A"), filtered)).outcome.class_(),
            Outcome::PROVIDER_BLOCKED);
  EXPECT_EQ(ReadBody(kDialect, Response(R"({"type":"message","content":[{"type":"refusal",)"
                                        R"("refusal":"I can't help."}]})"))
                .outcome.class_(),
            Outcome::REFUSAL);
  EXPECT_EQ(ReadBody(kDialect, Response("")).outcome.class_(), Outcome::EMPTY);
}

TEST(ResponsesReplyTest, WhatIsNoReply) {
  const auto class_of = [](std::string_view body) {
    const ReadAs read = ReadBody(kDialect, body);
    EXPECT_TRUE(read.error) << body;
    return read.error.value_or(ProviderError()).error_class;
  };
  EXPECT_EQ(class_of(R"({"status":"failed","output":[],"error":{"code":"rate_limit_exceeded",)"
                     R"("message":"slow down"}})"),
            Attempt::RATE_LIMITED);
  EXPECT_EQ(
      class_of(R"({"status":"failed","output":[],"error":{"code":"server_error","message":"x"}})"),
      Attempt::MALFORMED_RESPONSE);
  for (const char* status : {"in_progress", "queued", "cancelled", "incomplete"}) {
    EXPECT_EQ(class_of(Response("", "\"status\":\"" + std::string(status) + "\"")),
              Attempt::MALFORMED_RESPONSE);
  }
  EXPECT_EQ(class_of("{}"), Attempt::MALFORMED_RESPONSE);
  EXPECT_EQ(class_of(R"({"output":"A"})"), Attempt::MALFORMED_RESPONSE);
}

TEST(ResponsesStreamTest, TheLastEventHoldsTheResponse) {
  const std::string stream =
      "event: response.created\ndata: {\"type\":\"response.created\",\"response\":"
      "{\"status\":\"in_progress\",\"output\":[]}}\n\n"
      "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
      "\"delta\":\"A\"}\n\n"
      "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":" +
      Response(Said("A")) + "}\n\n";
  const ReadAs read = ReadEvents(kDialect, stream);
  ASSERT_FALSE(read.error) << read.error->text;
  EXPECT_EQ(read.outcome.choice(), Outcome::A);
  EXPECT_EQ(read.outcome.usage().output_tokens(), 87);
  ExpectNoPrefixIsAnotherReply(kDialect, stream);
  const ReadAs failed = ReadEvents(
      kDialect,
      "event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"x\","
      "\"param\":null}\n\n");
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->error_class, Attempt::RATE_LIMITED);
}

}  // namespace
}  // namespace candor::dialect
