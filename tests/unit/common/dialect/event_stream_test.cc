#include "common/dialect/event_stream.h"

#include "common/dialect/openai.h"
#include "tests/unit/common/dialect/reading.h"

#include <gmock/gmock.h>

#include <vector>

namespace candor::dialect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using v1::Attempt;
using v1::Outcome;

// "type|data" of each event.
std::vector<std::string> Events(std::string_view body) {
  std::vector<std::string> events;
  EventReader reader(body);
  while (reader.Next()) {
    events.push_back(std::string(reader.type()) + "|" + std::string(reader.data()));
  }
  return events;
}

TEST(EventReaderTest, FollowsTheStandard) {
  // The examples of the specification, and its three line endings.
  EXPECT_THAT(Events(": comment\n\ndata: first\nid: 1\n\ndata:second\n\ndata:  third\n\n"),
              ElementsAre("|first", "|second", "| third"));
  EXPECT_THAT(Events("event: add\r\ndata: 73857293\r\n\r\nevent: remove\rdata: 2153\r\r"),
              ElementsAre("add|73857293", "remove|2153"));
  EXPECT_THAT(Events("data: YHOO\ndata: +2\ndata: 10\n\n"), ElementsAre("|YHOO\n+2\n10"));
  EXPECT_THAT(Events("data\n\ndata\ndata\n\ndata:"), ElementsAre("|", "|\n", "|"));
  EXPECT_THAT(Events("\xEF\xBB\xBF"
                     "data: x\n\n"),
              ElementsAre("|x"));
  EXPECT_THAT(Events("event: a\n\ndata: x\n\n"), ElementsAre("|x"));
  EXPECT_THAT(Events("retry: 10\nwhatever\n: only\n\n"), IsEmpty());
  EXPECT_THAT(Events(""), IsEmpty());
  // The last event's empty line may be missing.
  EXPECT_THAT(Events("data: a\n\ndata: [DONE]"), ElementsAre("|a", "|[DONE]"));
}

constexpr const char* kStream =
    R"(data: {"id":"c","object":"chat.completion.chunk","model":"gpt-5-2026","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}

: keep-alive

data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{"content":"B"},"logprobs":{"content":[{"token":"B","logprob":-0.2,"top_logprobs":[{"token":"B","logprob":-0.2},{"token":"A","logprob":-1.2}]}]},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}

data: {"choices":[],"usage":{"prompt_tokens":190,"completion_tokens":10,"completion_tokens_details":{"reasoning_tokens":7}}}

data: [DONE]

)";

TEST(OpenAiStreamTest, IsTheReplyInOnePiece) {
  const ReadAs read = ReadEvents(OpenAiDialect(), kStream);
  ASSERT_FALSE(read.error) << read.error->text;
  const Outcome& outcome = read.outcome;
  EXPECT_EQ(outcome.class_(), Outcome::VALID);
  EXPECT_EQ(outcome.choice(), Outcome::B);
  EXPECT_EQ(outcome.raw_text(), "B");
  EXPECT_EQ(outcome.reasoning_text(), "hm");
  EXPECT_EQ(outcome.finish_reason(), "stop");
  EXPECT_EQ(outcome.served_model(), "gpt-5-2026");
  EXPECT_EQ(outcome.system_fingerprint(), "fp_1");
  EXPECT_EQ(outcome.usage().input_tokens(), 190);
  EXPECT_EQ(outcome.usage().output_tokens(), 10);
  EXPECT_EQ(outcome.usage().reasoning_tokens(), 7);
  EXPECT_NEAR(outcome.log_odds_a(), -1.0, 1e-12);
  ExpectNoPrefixIsAnotherReply(OpenAiDialect(), kStream);
}

TEST(OpenAiStreamTest, RefusalsAndFilters) {
  EXPECT_EQ(ReadEvents(OpenAiDialect(),
                       "data: {\"choices\":[{\"delta\":{\"refusal\":\"I can\"}}]}\n\n"
                       "data: {\"choices\":[{\"delta\":{\"refusal\":\"not.\"},"
                       "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
                .outcome.class_(),
            Outcome::REFUSAL);
  EXPECT_EQ(ReadEvents(OpenAiDialect(),
                       "data: {\"choices\":[{\"delta\":{\"content\":\"A\"},"
                       "\"finish_reason\":\"content_filter\"}]}\n\n")
                .outcome.class_(),
            Outcome::PROVIDER_BLOCKED);
}

TEST(OpenAiStreamTest, ErrorsWithinAreErrors) {
  const auto error_of = [](std::string_view body) {
    const ReadAs read = ReadEvents(OpenAiDialect(), body);
    EXPECT_TRUE(read.error) << body;
    return read.error.value_or(ProviderError());
  };
  const std::string begun = "data: {\"choices\":[{\"delta\":{\"content\":\"A\"}}]}\n\n";
  EXPECT_EQ(error_of(begun + "data: {\"error\":{\"message\":\"x\",\"code\":429}}\n\n").error_class,
            Attempt::RATE_LIMITED);
  EXPECT_EQ(error_of(begun + "data: {\"error\":{\"message\":\"Overloaded\",\"type\":"
                             "\"overloaded_error\"}}\n\n")
                .error_class,
            Attempt::OVERLOADED);
  EXPECT_EQ(error_of(begun).error_class, Attempt::MALFORMED_RESPONSE);
  EXPECT_THAT(error_of(begun).text, HasSubstr("the stream ended before the reply did"));
  EXPECT_EQ(error_of("").error_class, Attempt::MALFORMED_RESPONSE);
  EXPECT_EQ(error_of("data: [DONE]\n\n").error_class, Attempt::MALFORMED_RESPONSE);
  EXPECT_EQ(error_of(begun + "data: {\"choices\":\n\n").error_class, Attempt::MALFORMED_RESPONSE);
  EXPECT_EQ(error_of("<html>data: x</html>").error_class, Attempt::MALFORMED_RESPONSE);
  EXPECT_EQ(error_of("data: " + std::string(100'000, '[') + "\n\n").error_class,
            Attempt::MALFORMED_RESPONSE);
}

TEST(OpenAiStreamTest, IsAskedForByTheRule) {
  EXPECT_THAT(Rendered(OpenAiDialect(), TheJob(), v1::Cell::CHOICE, Rule("stream: 'always'")),
              ::testing::EndsWith(R"(],"stream":true,"stream_options":{"include_usage":true}})"));
  EXPECT_THAT(Rendered(OpenAiDialect(), TheJob(), v1::Cell::CHOICE, Rule("stream: 'never'")),
              ::testing::Not(HasSubstr("stream")));
}

TEST(OpenAiStreamTest, AServerThatDoesNotStreamIsReadAsOne) {
  const ReadAs read = ReadBody(OpenAiDialect(), R"({"choices":[{"message":{"content":"A"}}]})",
                               v1::Cell::CHOICE, 200, {{"content-type", "application/json"}});
  EXPECT_EQ(read.outcome.choice(), Outcome::A);
}

}  // namespace
}  // namespace candor::dialect
