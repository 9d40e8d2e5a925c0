#include "simulator/api_request.h"
#include "simulator/dialects.h"
#include "simulator/openai_errors.h"
#include "tests/unit/simulator/prompts.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::optional<ApiError> Read(std::string_view body, ApiRequest* request) {
  ApiCall call;
  call.body = body;
  return ChatDialect().Read(call, request);
}

TEST(ChatRequest, ReadsWhatAWorkerSends) {
  ApiRequest request;
  const std::string body = ChoiceBody({{"max_tokens", 16},
                                       {"logprobs", true},
                                       {"top_logprobs", 5},
                                       {"seed", 3},
                                       {"grammar", "root ::= \"A\" | \"B\""}});
  ASSERT_EQ(Read(body, &request), std::nullopt);
  EXPECT_EQ(request.model, "m");
  ASSERT_EQ(request.messages.size(), 2U);
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[1].content, PaperText(kPaperChoice));
  EXPECT_EQ(request.max_tokens, 16);
  EXPECT_TRUE(request.log_probabilities);
  EXPECT_EQ(request.top_log_probabilities, 5);
  EXPECT_FALSE(request.stream);
  EXPECT_EQ(request.format, ReplyFormat::kText);
}

TEST(ChatRequest, CountsTokensAsTheLimitDoes) {
  const auto counted = [](const json::object& extra) {
    ApiRequest request;
    const std::string body = json::serialize([&] {
      json::object document = {
          {"model", "m"}, {"messages", {{{"role", "user"}, {"content", std::string(401, 'x')}}}}};
      for (const auto& member : extra) document[member.key()] = member.value();
      return document;
    }());
    EXPECT_EQ(Read(body, &request), std::nullopt);
    EXPECT_EQ(request.prompt_tokens, 105);
    return request.reserved_tokens();
  };
  EXPECT_EQ(counted({}), 101);
  EXPECT_EQ(counted({{"max_tokens", 16}}), 101);
  EXPECT_EQ(counted({{"max_tokens", 4096}}), 4096);
  EXPECT_EQ(counted({{"max_completion_tokens", 500}, {"max_tokens", 4096}}), 500);
}

TEST(ChatRequest, ReadsContentInParts) {
  ApiRequest request;
  ASSERT_EQ(Read(R"({"model":"m","messages":[{"role":"user","content":[
      {"type":"text","text":"one "},{"type":"text","text":"two"}]},
      {"role":"assistant","content":null}]})",
                 &request),
            std::nullopt);
  EXPECT_EQ(request.messages[0].content, "one two");
  EXPECT_EQ(request.messages[1].content, "");
}

TEST(ChatRequest, ReadsFormats) {
  ApiRequest schema;
  const std::string with_schema =
      ReportBody({{"response_format",
                   {{"type", "json_schema"},
                    {"json_schema",
                     {{"name", "weights"},
                      {"strict", true},
                      {"schema",
                       {{"type", "object"},
                        {"properties", {{"b", {{"type", "number"}}}, {"a", {{"type", "number"}}}}},
                        {"required", {"b", "a"}}}}}}}}});
  ASSERT_EQ(Read(with_schema, &schema), std::nullopt);
  EXPECT_EQ(schema.format, ReplyFormat::kJsonSchema);
  EXPECT_THAT(schema.schema_names, ElementsAre("b", "a"));
  ApiRequest object;
  const std::string with_object = ReportBody({{"response_format", {{"type", "json_object"}}}});
  ASSERT_EQ(Read(with_object, &object), std::nullopt);
  EXPECT_EQ(object.format, ReplyFormat::kJsonObject);
}

struct BadCase {
  std::string body;
  std::string message;
  std::string param;
  std::string code;
};

TEST(ChatRequest, RefusesInTheWordsOfTheApi) {
  const auto with = [](const json::object& extra) { return ChoiceBody(extra); };
  const std::vector<BadCase> cases = {
      {"", "could not parse the JSON body", "", ""},
      {"{", "could not parse the JSON body", "", ""},
      {"[]", "could not parse the JSON body", "", ""},
      {"{\"model\":\"\xff\"}", "could not parse the JSON body", "", ""},
      {std::string(10'000, '['), "could not parse the JSON body", "", ""},
      {R"({"messages":[]})", "you must provide a model parameter", "", ""},
      {R"({"model":7,"messages":[]})", "Invalid type for 'model'", "model", "invalid_type"},
      {R"({"model":"m"})", "Missing required parameter: 'messages'", "messages",
       "missing_required_parameter"},
      {R"({"model":"m","messages":[]})", "Invalid 'messages': empty array", "messages",
       "empty_array"},
      {R"({"model":"m","messages":{}})", "expected an array, but got an object", "messages",
       "invalid_type"},
      {R"({"model":"m","messages":["x"]})", "messages[0]", "messages[0]", "invalid_type"},
      {R"({"model":"m","messages":[{"content":"x"}]})", "messages[0].role", "messages[0].role",
       "missing_required_parameter"},
      {R"({"model":"m","messages":[{"role":"robot","content":"x"}]})", "Invalid value: 'robot'",
       "messages[0].role", "invalid_value"},
      {R"({"model":"m","messages":[{"role":"user"}]})", "got null", "messages[0].content",
       "invalid_type"},
      {R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]})",
       "parts of type 'text' only", "messages[0].content", "invalid_value"},
      {with({{"temperature", 3}}), "Expected a value <= 2, but got 3 instead", "temperature",
       "decimal_above_max_value"},
      {with({{"temperature", -0.5}}), "Expected a value >= 0", "temperature",
       "decimal_below_min_value"},
      {with({{"temperature", "hot"}}), "expected a decimal, but got a string", "temperature",
       "invalid_type"},
      {with({{"top_p", 1.5}}), "Invalid 'top_p'", "top_p", "decimal_above_max_value"},
      {with({{"max_tokens", 0}}), "Expected a value >= 1, but got 0 instead", "max_tokens",
       "integer_below_min_value"},
      {with({{"max_tokens", 18446744073709551615U}}), "Expected a value <= 1000000", "max_tokens",
       "integer_above_max_value"},
      {with({{"max_completion_tokens", 2.5}}), "expected an integer", "max_completion_tokens",
       "invalid_type"},
      {with({{"n", 2}}), "one choice a call", "n", "unsupported_value"},
      {with({{"top_logprobs", 3}}), "only allowed when 'logprobs'", "top_logprobs", ""},
      {with({{"logprobs", true}, {"top_logprobs", 21}}), "Expected a value <= 20", "top_logprobs",
       "integer_above_max_value"},
      {with({{"logprobs", 1}}), "expected a boolean", "logprobs", "invalid_type"},
      {with({{"stream_options", json::object()}}), "only allowed when 'stream'", "stream_options",
       ""},
      {with({{"response_format", "json"}}), "expected an object", "response_format",
       "invalid_type"},
      {with({{"response_format", {{"type", "xml"}}}}), "Invalid value: 'xml'",
       "response_format.type", "invalid_value"},
      {with({{"response_format", {{"type", "json_schema"}}}}), "response_format.json_schema",
       "response_format.json_schema", "missing_required_parameter"},
  };
  for (const BadCase& bad : cases) {
    ApiRequest request;
    const std::optional<ApiError> error = Read(bad.body, &request);
    ASSERT_TRUE(error.has_value()) << bad.body;
    EXPECT_EQ(error->status, 400);
    EXPECT_EQ(error->type, "invalid_request_error");
    EXPECT_THAT(error->message, HasSubstr(bad.message)) << bad.body;
    EXPECT_EQ(error->param, bad.param) << bad.body;
    EXPECT_EQ(error->code, bad.code) << bad.body;
  }
}

TEST(WriteError, HasTheShapeOfTheApi) {
  const json::value error =
      json::parse(openai::WriteError({429, "slow \"down\"", "requests", "", "x", ""}));
  EXPECT_EQ(error, json::parse(R"({"error":{"message":"slow \"down\"","type":"requests",
                                   "param":null,"code":"x"}})"));
}

TEST(Tokens, AreFourBytesAndNeverCutACharacter) {
  EXPECT_EQ(CountTokens(""), 0);
  EXPECT_EQ(CountTokens("A"), 1);
  EXPECT_EQ(CountTokens("abcde"), 2);
  EXPECT_EQ(TakeTokens("abcdefgh", 1), "abcd");
  EXPECT_EQ(TakeTokens("abcdefgh", 2), "abcdefgh");
  EXPECT_EQ(TakeTokens("abc\u00e9fgh", 1), "abc");
}

}  // namespace
}  // namespace candor::simulator
