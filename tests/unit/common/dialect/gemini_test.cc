#include "common/dialect/gemini.h"

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

const GeminiDialect kDialect;

TEST(GeminiRequestTest, TheModelStandsInThePath) {
  EXPECT_EQ(kDialect.Path("gemini-3-pro", false), "/models/gemini-3-pro:generateContent");
  EXPECT_EQ(kDialect.Path("gemini-3-pro", true),
            "/models/gemini-3-pro:streamGenerateContent?alt=sse");
  EXPECT_EQ(kDialect.Path("publishers/google/models/g", false),
            "/publishers/google/models/g:generateContent");
  EXPECT_EQ(kDialect.Path("a b?c#d", false), "/models/a%20b%3Fc%23d:generateContent");
}

TEST(GeminiRequestTest, TheSystemMessageHasAFieldOfItsOwn) {
  EXPECT_THAT(
      Rendered(kDialect, TheJob()),
      StartsWith(R"({"systemInstruction":{"parts":[{"text":"You are a nurse."}]},"contents":)"
                 R"([{"role":"user","parts":[{"text":"Which )"));
  EXPECT_THAT(Rendered(kDialect, TheJob()), EndsWith(R"("}]}],"generationConfig":{}})"));
  EXPECT_THAT(Rendered(kDialect, TheJob(), Cell::CHOICE, Rule("system_as: 'user'")),
              StartsWith(R"({"contents":[{"role":"user","parts":[{"text":"You are a nurse.\n\n)"));
  v1::JobSpecification job = SmallJob();
  job.mutable_entries(0)->mutable_choice_prompt()->mutable_messages(0)->set_role("assistant");
  EXPECT_THAT(Rendered(kDialect, job), StartsWith(R"({"contents":[{"role":"model","parts")"));
}

TEST(GeminiRequestTest, EverySamplingFieldInOneOrder) {
  EXPECT_THAT(
      Rendered(kDialect, JobWith(R"pb(temperature: 0
                                      top_p: 0.5
                                      max_output_tokens: 2048
                                      seed: 7
                                      reasoning_effort: "low"
                                      log_probabilities: 5
                                      extra_body {
                                        fields {
                                          key: "generationConfig"
                                          value {
                                            struct_value {
                                              fields {
                                                key: "thinkingConfig"
                                                value {
                                                  struct_value {
                                                    fields {
                                                      key: "includeThoughts"
                                                      value { bool_value: true }
                                                    }
                                                  }
                                                }
                                              }
                                              fields {
                                                key: "topK"
                                                value { number_value: 40 }
                                              }
                                            }
                                          }
                                        }
                                        fields {
                                          key: "safetySettings"
                                          value { list_value {} }
                                        }
                                      })pb")),
      EndsWith(R"("generationConfig":{"temperature":0,"topP":0.5,"maxOutputTokens":2048,)"
               R"("seed":7,"thinkingConfig":{"thinkingLevel":"low","includeThoughts":true},)"
               R"("responseLogprobs":true,"logprobs":5,"topK":40},"safetySettings":[]})"));
  EXPECT_THAT(Rendered(kDialect, JobWith("response_schema: SCHEMA"), Cell::SELF_REPORT),
              HasSubstr(R"("generationConfig":{"responseMimeType":"application/json",)"
                        R"("responseJsonSchema":{"type":"object","properties":{)"));
  EXPECT_THAT(Rendered(kDialect, JobWith(R"pb(extra_body {
                                                fields {
                                                  key: "generationConfig"
                                                  value {
                                                    struct_value {
                                                      fields {
                                                        key: "candidateCount"
                                                        value { number_value: 4 }
                                                      }
                                                    }
                                                  }
                                                }
                                              })pb")),
              HasSubstr("extra_body.generationConfig.candidateCount: Candor sets"));
}

std::string Candidate(std::string_view candidate) {
  return R"({"candidates":[)" + std::string(candidate) +
         R"(],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":2,)"
         R"("totalTokenCount":60,"cachedContentTokenCount":3,"thoughtsTokenCount":50},)"
         R"("modelVersion":"gemini-3-pro-001","responseId":"x"})";
}

TEST(GeminiReplyTest, DocumentedExample) {
  const ReadAs read = ReadBody(
      kDialect, Candidate(R"({"content":{"parts":[{"text":"Hm.","thought":true},{"text":"A",)"
                          R"("thoughtSignature":"s"}],"role":"model"},"finishReason":"STOP",)"
                          R"("index":0})"));
  ExpectThoughtAndChoseA(read, "STOP", "gemini-3-pro-001");
  // Thinking is output, too.
  ExpectUsage(read, {.input = 8, .cached = 3, .output = 52, .reasoning = 50});
}

TEST(GeminiReplyTest, LogProbabilities) {
  const ReadAs read = ReadBody(
      kDialect,
      Candidate(
          R"({"content":{"parts":[{"text":"B"}]},"finishReason":"STOP","logprobsResult":{)"
          R"("topCandidates":[{"candidates":[{"token":"B","tokenId":1,"logProbability":-0.2},)"
          R"({"token":"A","tokenId":2,"logProbability":-1.2}]}],)"
          R"("chosenCandidates":[{"token":"B","tokenId":1,"logProbability":-0.2}]}})"));
  ASSERT_TRUE(read.outcome.has_log_odds_a());
  EXPECT_NEAR(read.outcome.log_odds_a(), -1.0, 1e-12);
  for (const char* result :
       {"null", "{}", R"({"topCandidates":[{}],"chosenCandidates":[{"token":"B"}]})",
        R"({"topCandidates":[],"chosenCandidates":[{"token":"B","logProbability":-1}]})"}) {
    const ReadAs none =
        ReadBody(kDialect, Candidate(R"({"content":{"parts":[{"text":"B"}]},"finishReason":"STOP",)"
                                     R"("logprobsResult":)" +
                                     std::string(result) + "}"));
    EXPECT_EQ(none.outcome.choice(), Outcome::B) << result;
    EXPECT_FALSE(none.outcome.has_log_odds_a()) << result;
  }
}

TEST(GeminiReplyTest, ClassesByFinishReason) {
  const auto class_of = [](std::string_view reason, std::string_view parts = "") {
    const ReadAs read =
        ReadBody(kDialect, Candidate(R"({"content":{"parts":[)" + std::string(parts) +
                                     R"(]},"finishReason":")" + std::string(reason) + "\"}"));
    EXPECT_FALSE(read.error);
    return read.outcome.class_();
  };
  EXPECT_EQ(class_of("MAX_TOKENS"), Outcome::REASONING_EXHAUSTED);
  EXPECT_EQ(class_of("MAX_TOKENS", R"({"text":"The an"})"), Outcome::TRUNCATED);
  for (const char* reason : {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}) {
    EXPECT_EQ(class_of(reason), Outcome::PROVIDER_BLOCKED) << reason;
  }
  EXPECT_EQ(class_of("OTHER"), Outcome::EMPTY);
}

TEST(GeminiReplyTest, ABlockedPromptIsAReply) {
  for (const char* reason : {"SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"}) {
    const ReadAs read =
        ReadBody(kDialect, R"({"promptFeedback":{"blockReason":")" + std::string(reason) +
                               R"("},"usageMetadata":{"promptTokenCount":12559},)"
                               R"("modelVersion":"gemini-1.5-flash-002"})");
    ASSERT_FALSE(read.error) << read.error->text;
    EXPECT_EQ(read.outcome.class_(), Outcome::PROVIDER_BLOCKED);
    EXPECT_EQ(read.outcome.finish_reason(), reason);
    EXPECT_EQ(read.outcome.usage().input_tokens(), 12559);
  }
}

TEST(GeminiReplyTest, WhatIsNoReply) {
  for (const char* body : {"{}", R"({"candidates":[]})", R"({"candidates":[{}]})",
                           R"({"promptFeedback":{}})", R"({"candidates":"A"})"}) {
    const ReadAs read = ReadBody(kDialect, body);
    ASSERT_TRUE(read.error) << body;
    EXPECT_EQ(read.error->error_class, Attempt::MALFORMED_RESPONSE);
  }
}

constexpr const char* kStream =
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"Hm.\",\"thought\":true}],"
    "\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 8},"
    "\"modelVersion\": \"gemini-3-pro\"}\r\n\r\n"
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"**\"}]},\"logprobsResult\":"
    "{\"topCandidates\":[{\"candidates\":[]}],\"chosenCandidates\":[{\"token\":\"**\"}]}}]}\r\n\r\n"
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"A**\"}]},\"finishReason\": "
    "\"STOP\",\"logprobsResult\":{\"topCandidates\":[{\"candidates\":[{\"token\":\"A\","
    "\"logProbability\":-0.1},{\"token\":\"B\",\"logProbability\":-2.1}]}],\"chosenCandidates\":"
    "[{\"token\":\"A\",\"logProbability\":-0.1}]}}],\"usageMetadata\": {\"promptTokenCount\": 8,"
    "\"candidatesTokenCount\": 2,\"thoughtsTokenCount\": 5},\"modelVersion\": "
    "\"gemini-3-pro\"}\r\n\r\n";

TEST(GeminiStreamTest, IsTheReplyInOnePiece) {
  const ReadAs read = ReadEvents(kDialect, kStream);
  ASSERT_FALSE(read.error) << read.error->text;
  EXPECT_EQ(read.outcome.choice(), Outcome::A);
  EXPECT_EQ(read.outcome.raw_text(), "**A**");
  EXPECT_EQ(read.outcome.reasoning_text(), "Hm.");
  EXPECT_EQ(read.outcome.usage().output_tokens(), 7);
  EXPECT_NEAR(read.outcome.log_odds_a(), 2.0, 1e-12);
  ExpectNoPrefixIsAnotherReply(kDialect, kStream);
  EXPECT_EQ(ReadEvents(kDialect, "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n")
                .outcome.class_(),
            Outcome::PROVIDER_BLOCKED);
  const ReadAs failed =
      ReadEvents(kDialect,
                 "data: {\"error\":{\"code\":503,\"message\":\"The model is overloaded.\","
                 "\"status\":\"UNAVAILABLE\"}}\n\n");
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->error_class, Attempt::OVERLOADED);
}

}  // namespace
}  // namespace candor::dialect
