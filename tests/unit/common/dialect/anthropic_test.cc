#include "common/dialect/anthropic.h"

#include "tests/unit/common/dialect/reading.h"

#include <gmock/gmock.h>

namespace candor::dialect {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using v1::Attempt;
using v1::Cell;
using v1::Outcome;

const AnthropicDialect kDialect;

TEST(AnthropicRequestTest, TheSystemMessageHasAFieldOfItsOwn) {
  const v1::JobSpecification job = JobWith("max_output_tokens: 8");
  EXPECT_THAT(Rendered(kDialect, job),
              StartsWith(R"({"model":"m","max_tokens":8,"system":"You are a nurse.","messages":)"
                         R"([{"role":"user","content":"Which )"));
  EXPECT_THAT(Rendered(kDialect, job, Cell::CHOICE, Rule("system_as: 'user'")),
              StartsWith(R"({"model":"m","max_tokens":8,"messages":)"
                         R"([{"role":"user","content":"You are a nurse.\n\nWhich )"));
  EXPECT_THAT(Rendered(kDialect, job, Cell::CHOICE, Rule("system_as: 'developer'")),
              HasSubstr("error: system_as: is \"developer\"; give system or user"));
}

TEST(AnthropicRequestTest, EverySamplingFieldInOneOrder) {
  const char* sampling = R"pb(temperature: 1
                              top_p: 0.5
                              max_output_tokens: 4096
                              reasoning_effort: "low"
                              response_schema: SCHEMA
                              extra_body {
                                fields {
                                  key: "thinking"
                                  value {
                                    struct_value {
                                      fields {
                                        key: "type"
                                        value { string_value: "adaptive" }
                                      }
                                    }
                                  }
                                }
                              })pb";
  const std::string body = Rendered(kDialect, JobWith(sampling), Cell::SELF_REPORT);
  EXPECT_THAT(body, HasSubstr(R"(],"temperature":1,"top_p":0.5,"output_config":{"effort":"low",)"
                              R"("format":{"type":"json_schema","schema":{"type":"object",)"
                              R"("properties":{)"));
  EXPECT_THAT(body, EndsWith(R"("additionalProperties":false}}},"thinking":{"type":"adaptive"}})"));
  // Its schemas know no bounds.
  EXPECT_THAT(body, Not(HasSubstr("minimum")));
  EXPECT_THAT(body, HasSubstr(R"("sunlight":{"type":"number"})"));
  EXPECT_THAT(
      Rendered(kDialect, JobWith("max_output_tokens: 8"), Cell::CHOICE, Rule("stream: 'always'")),
      EndsWith(R"(],"stream":true})"));
}

TEST(AnthropicRequestTest, WhatCannotBeSaid) {
  EXPECT_THAT(Rendered(kDialect, TheJob()), HasSubstr("error: sampling.max_output_tokens"));
  EXPECT_THAT(Rendered(kDialect, JobWith("max_output_tokens: 8 seed: 1")),
              HasSubstr("error: sampling.seed"));
  EXPECT_THAT(Rendered(kDialect, JobWith("max_output_tokens: 8 log_probabilities: 5")),
              HasSubstr("error: sampling.log_probabilities"));
}

std::string Message(std::string_view content, std::string_view stop_reason = "end_turn") {
  return R"({"id":"msg_013Zva2CMHLNnjNjJJKqJ2EF","type":"message","role":"assistant",)"
         R"("model":"claude-sonnet-5","content":[)" +
         std::string(content) + R"(],"stop_reason":")" + std::string(stop_reason) +
         R"(","stop_sequence":null,"usage":{"input_tokens":2095,"cache_creation_input_tokens":100,)"
         R"("cache_read_input_tokens":2000,"output_tokens":503}})";
}

TEST(AnthropicReplyTest, DocumentedExample) {
  const ReadAs read =
      ReadBody(kDialect, Message(R"({"type":"thinking","thinking":"Hm.",)"
                                 R"("signature":"EqQB"},{"type":"text","text":"B"})"));
  ASSERT_FALSE(read.error) << read.error->text;
  EXPECT_EQ(read.outcome.class_(), Outcome::VALID);
  EXPECT_EQ(read.outcome.choice(), Outcome::B);
  EXPECT_EQ(read.outcome.reasoning_text(), "Hm.");
  EXPECT_EQ(read.outcome.finish_reason(), "end_turn");
  EXPECT_EQ(read.outcome.served_model(), "claude-sonnet-5");
  // All of the prompt, from the cache or not.
  EXPECT_EQ(read.outcome.usage().input_tokens(), 4195);
  EXPECT_EQ(read.outcome.usage().cached_input_tokens(), 2000);
  EXPECT_EQ(read.outcome.usage().output_tokens(), 503);
}

TEST(AnthropicReplyTest, ClassesByStopReason) {
  const auto class_of = [](std::string_view content, std::string_view reason) {
    const ReadAs read = ReadBody(kDialect, Message(content, reason));
    EXPECT_FALSE(read.error);
    return read.outcome.class_();
  };
  EXPECT_EQ(class_of(R"({"type":"text","text":"A"})", "max_tokens"), Outcome::VALID);
  EXPECT_EQ(class_of(R"({"type":"text","text":"Let me thi"})", "max_tokens"), Outcome::TRUNCATED);
  EXPECT_EQ(class_of(R"({"type":"thinking","thinking":"","signature":"x"})", "max_tokens"),
            Outcome::REASONING_EXHAUSTED);
  EXPECT_EQ(class_of(R"({"type":"redacted_thinking","data":"x"})", "max_tokens"),
            Outcome::REASONING_EXHAUSTED);
  EXPECT_EQ(class_of("", "refusal"), Outcome::REFUSAL);
  EXPECT_EQ(class_of("", "end_turn"), Outcome::EMPTY);
}

TEST(AnthropicReplyTest, WhatIsNoReply) {
  for (const char* body : {"{}", R"({"type":"message"})", R"({"content":"A"})", R"({"content":[]})",
                           R"({"content":[{"type":"text","text":"A"}],"stop_reason":null})"}) {
    const ReadAs read = ReadBody(kDialect, body);
    ASSERT_TRUE(read.error) << body;
    EXPECT_EQ(read.error->error_class, Attempt::MALFORMED_RESPONSE);
  }
  const ReadAs error = ReadBody(
      kDialect, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
  ASSERT_TRUE(error.error);
  EXPECT_EQ(error.error->error_class, Attempt::OVERLOADED);
}

// The documentation's stream with thinking, shortened.
constexpr const char* kStream =
    R"(event: message_start
data: {"type": "message_start", "message": {"id": "msg_01", "type": "message", "role": "assistant", "content": [], "model": "claude-opus-5", "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 25, "cache_read_input_tokens": 5, "output_tokens": 1}}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Cheap"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": " wins."}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQB"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: content_block_start
data: {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "**"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "A**"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 1}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence":null}, "usage": {"output_tokens": 15}}

event: message_stop
data: {"type": "message_stop"}

)";

TEST(AnthropicStreamTest, IsTheReplyInOnePiece) {
  const ReadAs read = ReadEvents(kDialect, kStream);
  ASSERT_FALSE(read.error) << read.error->text;
  EXPECT_EQ(read.outcome.choice(), Outcome::A);
  EXPECT_EQ(read.outcome.raw_text(), "**A**");
  EXPECT_EQ(read.outcome.reasoning_text(), "Cheap wins.");
  EXPECT_EQ(read.outcome.finish_reason(), "end_turn");
  EXPECT_EQ(read.outcome.served_model(), "claude-opus-5");
  EXPECT_EQ(read.outcome.usage().input_tokens(), 30);
  EXPECT_EQ(read.outcome.usage().output_tokens(), 15);
  ExpectNoPrefixIsAnotherReply(kDialect, kStream);
}

TEST(AnthropicStreamTest, AnErrorEventIsAnError) {
  std::string stream = kStream;
  stream = stream.substr(0, stream.find("event: message_delta")) +
           "event: error\ndata: {\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\", "
           "\"message\": \"Overloaded\"}}\n\n";
  const ReadAs read = ReadEvents(kDialect, stream);
  ASSERT_TRUE(read.error);
  EXPECT_EQ(read.error->error_class, Attempt::OVERLOADED);
  // What was counted until then is paid for.
  EXPECT_EQ(read.outcome.usage().input_tokens(), 30);
}

TEST(AnthropicStreamTest, StrangeEventsAreNotFatal) {
  for (const char* event :
       {R"({"type":"content_block_delta","index":-1,"delta":{"text":"x"}})",
        R"({"type":"content_block_delta","index":1000000000,"delta":{"text":"x"}})",
        R"({"type":"content_block_start","index":"0","content_block":[]})",
        R"({"type":"message_start","message":"x"})", R"({"type":"message_delta","usage":7})",
        R"({"type":"content_block_delta"})", "7", "null", "[]"}) {
    const ReadAs read =
        ReadEvents(kDialect, "data: " + std::string(event) + "\n\n" + std::string(kStream));
    ASSERT_FALSE(read.error) << event << ": " << read.error->text;
    EXPECT_EQ(read.outcome.choice(), Outcome::A) << event;
  }
}

}  // namespace
}  // namespace candor::dialect
