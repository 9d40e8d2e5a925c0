// The dialects beside chat completions, against the examples of their providers' documentation.
#include "simulator/dialects.h"

#include "tests/unit/simulator/prompts.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const net::HttpHeaders& Headers() {
  static const net::HttpHeaders kHeaders{{"anthropic-version", "2023-06-01"}};
  return kHeaders;
}

std::optional<ApiError> Read(DialectKind kind, std::string_view body, ApiRequest* request) {
  ApiCall call;
  call.dialect = kind;
  call.body = body;
  call.headers = &Headers();
  if (kind == DialectKind::kGemini) call.path_model = "g";
  return DialectOf(kind).Read(call, request);
}

Completion MakeCompletion(std::string_view id = "resp_1") {
  Completion completion;
  completion.id = id;
  completion.created = 1'700'000'000;
  completion.model = "m";
  completion.text = "{\"sun\": 5}";
  completion.prompt_tokens = 180;
  completion.completion_tokens = 3;
  return completion;
}

// Events of a stream: name and data.
std::vector<std::pair<std::string, json::value>> Events(std::string_view text) {
  std::vector<std::pair<std::string, json::value>> events;
  std::string name;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("event: ")) name = line.substr(7);
    if (!line.starts_with("data: ")) continue;
    events.emplace_back(std::exchange(name, ""),
                        json::parse(json::string_view(line.data() + 6, line.size() - 6)));
  }
  return events;
}

struct Refused {
  DialectKind dialect;
  std::string body;
  std::string message;
};

TEST(Dialects, RefuseInTheWordsOfTheirApis) {
  const auto responses = [](std::string_view more) {
    return R"({"model":"m","input":"hi")" + std::string(more) + "}";
  };
  const auto anthropic = [](std::string_view more) {
    return R"({"model":"m","max_tokens":16,"messages":[{"role":"user","content":"hi"}])" +
           std::string(more) + "}";
  };
  const auto gemini = [](std::string_view more) {
    return R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}])" + std::string(more) + "}";
  };
  const auto schema = [](std::string_view property) {
    return R"(,"output_config":{"format":{"type":"json_schema","schema":{"type":"object",)"
           R"("additionalProperties":false,"properties":{"a":)" +
           std::string(property) + "}}}}";
  };
  using enum DialectKind;
  const Refused cases[] = {
      {kResponses, "{", "could not parse the JSON body"},
      {kResponses, R"({"input":"hi"})", "you must provide a model parameter"},
      {kResponses, R"({"model":"m"})", "Missing required parameter: 'input'"},
      {kResponses, responses(R"(,"max_output_tokens":15)"),
       "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got "
       "15 instead."},
      {kResponses, responses(R"(,"seed":1)"), "Unknown parameter: 'seed'."},
      {kResponses, responses(R"(,"response_format":{})"), "has moved to 'text.format'"},
      {kResponses, responses(R"(,"text":{"format":{"type":"json_schema"}})"),
       "Missing required parameter: 'text.format.name'"},
      {kResponses, responses(R"(,"reasoning":{"effort":"huge"})"), "Invalid value: 'huge'"},
      {kResponses, R"({"model":"m","input":[{"role":"model","content":"x"}]})",
       "Invalid value: 'model'"},
      {kAnthropic, "{", "not valid JSON"},
      {kAnthropic, R"({"model":"m","messages":[{"role":"user","content":"hi"}]})",
       "max_tokens: Field required"},
      {kAnthropic, anthropic(R"(,"seed":1)"), "seed: Extra inputs are not permitted"},
      {kAnthropic, anthropic(R"(,"logprobs":true)"), "logprobs: Extra inputs are not permitted"},
      {kAnthropic, anthropic(R"(,"temperature":1.5)"), "temperature: range: 0..1"},
      {kAnthropic, R"({"model":"m","max_tokens":16,"messages":[{"role":"system","content":"hi"}]})",
       "Unexpected role \"system\""},
      {kAnthropic, anthropic(schema(R"({"type":"integer","minimum":-100,"maximum":100})")),
       "output_config.format.schema: For 'integer' type, properties maximum, minimum are not "
       "supported"},
      {kAnthropic, anthropic(schema(R"({"type":"number","minimum":-100})")),
       "For 'number' type, property 'minimum' is not supported"},
      {kAnthropic, anthropic(schema(R"({"type":"object"})")),
       "'additionalProperties' must be explicitly set to false"},
      {kAnthropic, anthropic(R"(,"thinking":{"type":"enabled","budget_tokens":1024})"),
       "`max_tokens` must be greater than `thinking.budget_tokens`."},
      {kGemini, "[]", "Invalid JSON payload received"},
      {kGemini, "{}", "contents is not specified"},
      {kGemini, gemini(R"(,"generationConfig":{"max_tokens":5})"),
       "Unknown name \"max_tokens\" at 'generation_config': Cannot find field."},
      {kGemini, R"({"contents":[{"role":"system","parts":[{"text":"x"}]}]})",
       "Please use a valid role: user, model."},
      {kGemini, gemini(R"(,"generationConfig":{"logprobs":5})"), "responseLogprobs is true"},
      {kGemini,
       gemini(R"(,"generationConfig":{"responseMimeType":"application/json","responseSchema":)"
              R"({"type":"OBJECT","additionalProperties":false}})"),
       "Unknown name \"additionalProperties\" at 'generation_config.response_schema'"},
  };
  for (const Refused& bad : cases) {
    ApiRequest request;
    const std::optional<ApiError> error = Read(bad.dialect, bad.body, &request);
    ASSERT_TRUE(error.has_value()) << bad.body;
    EXPECT_EQ(error->status, 400);
    EXPECT_THAT(error->message, HasSubstr(bad.message)) << bad.body;
  }
  ApiCall without_version;
  without_version.dialect = kAnthropic;
  without_version.body = "{}";
  ApiRequest request;
  EXPECT_EQ(AnthropicDialect().Read(without_version, &request)->message,
            "anthropic-version: header is required");
}

TEST(Dialects, ReadTheSameRequest) {
  const std::pair<DialectKind, std::string> bodies[] = {
      {DialectKind::kChat,
       R"({"model":"g","max_tokens":64,"messages":[{"role":"system","content":"Be brief."},
           {"role":"user","content":"A or B?"}],"response_format":{"type":"json_schema",
           "json_schema":{"name":"w","schema":{"type":"object","properties":{"b":{},"a":{}}}}}})"},
      {DialectKind::kResponses,
       R"({"model":"g","max_output_tokens":64,"instructions":"Be brief.","input":[
           {"role":"user","content":[{"type":"input_text","text":"A or B?"}]}],"text":{"format":
           {"type":"json_schema","name":"w","schema":{"type":"object",
            "properties":{"b":{},"a":{}}}}}})"},
      {DialectKind::kAnthropic,
       R"({"model":"g","max_tokens":64,"system":[{"type":"text","text":"Be brief."}],
           "messages":[{"role":"user","content":"A or B?"}],"output_config":{"format":
           {"type":"json_schema","schema":{"type":"object","additionalProperties":false,
            "properties":{"b":{},"a":{}}}}}})"},
      {DialectKind::kGemini,
       R"({"system_instruction":{"parts":[{"text":"Be brief."}]},"contents":[
           {"parts":[{"text":"A or B?"}]}],"generationConfig":{"maxOutputTokens":64,
           "responseMimeType":"application/json","responseJsonSchema":{"type":"object",
           "properties":{"b":{},"a":{}}}}})"}};
  for (const auto& [kind, body] : bodies) {
    ApiRequest request;
    const std::optional<ApiError> error = Read(kind, body, &request);
    ASSERT_FALSE(error.has_value()) << ToString(kind) << ": " << error->message;
    EXPECT_EQ(request.model, "g");
    ASSERT_EQ(request.messages.size(), 2U) << ToString(kind);
    EXPECT_EQ(request.messages[0].role, "system");
    EXPECT_EQ(request.messages[0].content, "Be brief.");
    EXPECT_EQ(request.messages[1].content, "A or B?");
    EXPECT_EQ(request.max_tokens, 64);
    EXPECT_EQ(request.format, ReplyFormat::kJsonSchema);
    EXPECT_THAT(request.schema_names, ElementsAre("b", "a"));
    EXPECT_EQ(request.prompt_tokens, 13);
  }
}

TEST(Responses, HasTheShapeOfTheApi) {
  Completion completion = MakeCompletion();
  completion.reasoning_tokens = 2;
  json::value body = json::parse(ResponsesDialect().Write(completion));
  EXPECT_EQ(body.at("object"), "response");
  EXPECT_EQ(body.at("status"), "completed");
  EXPECT_TRUE(body.at("incomplete_details").is_null());
  EXPECT_EQ(body.at("output").at(0).at("type"), "reasoning");
  const json::value& message = body.at("output").at(1);
  EXPECT_EQ(message.at("type"), "message");
  EXPECT_EQ(message.at("role"), "assistant");
  EXPECT_EQ(message.at("content"), json::parse(R"([{"type":"output_text","annotations":[],
    "logprobs":[],"text":"{\"sun\": 5}"}])"));
  EXPECT_EQ(body.at("usage"), json::parse(R"({"input_tokens":180,"input_tokens_details":
    {"cached_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":2},
    "total_tokens":183})"));

  completion.cut = true;
  completion.text = "";
  body = json::parse(ResponsesDialect().Write(completion));
  EXPECT_EQ(body.at("status"), "incomplete");
  EXPECT_EQ(body.at("incomplete_details").at("reason"), "max_output_tokens");
  EXPECT_EQ(body.at("output").as_array().size(), 1U);

  completion = MakeCompletion();
  completion.filtered = true;
  body = json::parse(ResponsesDialect().Write(completion));
  EXPECT_EQ(body.at("output").at(0).at("content").at(0).at("type"), "refusal");
}

TEST(Responses, StreamsItsEvents) {
  Completion completion = MakeCompletion();
  completion.reasoning_tokens = 2;
  const auto events = Events(ResponsesDialect().WriteStream(completion, StreamForm::kEvents));
  std::string text;
  std::int64_t number = 0;
  for (const auto& [name, data] : events) {
    EXPECT_EQ(data.at("type"), json::value(name));
    EXPECT_EQ(data.at("sequence_number"), number++);
    if (name == "response.output_text.delta") text += data.at("delta").as_string().c_str();
  }
  EXPECT_EQ(text, completion.text);
  EXPECT_EQ(events.front().first, "response.created");
  EXPECT_EQ(events.back().first, "response.completed");
  EXPECT_EQ(events.back().second.at("response"), json::parse(ResponsesDialect().Write(completion)));
}

TEST(Anthropic, HasTheShapeOfTheApi) {
  Completion completion = MakeCompletion("msg_1");
  completion.cached_tokens = 100;
  EXPECT_EQ(json::parse(AnthropicDialect().Write(completion)), json::parse(R"({
    "id":"msg_1","type":"message","role":"assistant","model":"m",
    "content":[{"type":"text","text":"{\"sun\": 5}"}],"stop_reason":"end_turn",
    "stop_sequence":null,"usage":{"input_tokens":80,"cache_creation_input_tokens":0,
    "cache_read_input_tokens":100,"cache_creation":{"ephemeral_5m_input_tokens":0,
    "ephemeral_1h_input_tokens":0},"output_tokens":3,"service_tier":"standard"}})"));
  completion.cut = true;
  EXPECT_EQ(json::parse(AnthropicDialect().Write(completion)).at("stop_reason"), "max_tokens");
  completion.filtered = true;
  completion.text = "";
  const json::value refused = json::parse(AnthropicDialect().Write(completion));
  EXPECT_EQ(refused.at("stop_reason"), "refusal");
  EXPECT_TRUE(refused.at("content").as_array().empty());
}

TEST(Anthropic, StreamsItsEvents) {
  Completion completion = MakeCompletion("msg_1");
  completion.reasoning_tokens = 2;
  std::vector<std::string> names;
  std::string text;
  for (const auto& [name, data] :
       Events(AnthropicDialect().WriteStream(completion, StreamForm::kEvents))) {
    names.push_back(name);
    EXPECT_EQ(data.at("type"), json::value(name));
    if (name == "content_block_delta" && data.at("delta").at("type") == "text_delta") {
      EXPECT_EQ(data.at("index"), 1);
      text += data.at("delta").at("text").as_string().c_str();
    }
    if (name == "message_delta") {
      EXPECT_EQ(data.at("delta").at("stop_reason"), "end_turn");
      EXPECT_EQ(data.at("usage").at("output_tokens"), 3);
    }
  }
  EXPECT_EQ(text, completion.text);
  EXPECT_THAT(names, ElementsAre("message_start", "content_block_start", "content_block_delta",
                                 "content_block_stop", "ping", "content_block_start",
                                 "content_block_delta", "content_block_delta", "content_block_stop",
                                 "message_delta", "message_stop"));
}

TEST(Gemini, HasTheShapeOfTheApi) {
  Completion completion = MakeCompletion("r");
  completion.text = "A";
  completion.completion_tokens = 11;
  completion.reasoning_tokens = 10;
  completion.log_odds_a = 1.25;
  completion.log_probabilities = true;
  completion.top_log_probabilities = 2;
  json::value body = json::parse(GeminiDialect().Write(completion));
  const json::value& candidate = body.at("candidates").at(0);
  EXPECT_EQ(candidate.at("content"), json::parse(R"({"parts":[{"text":"A"}],"role":"model"})"));
  EXPECT_EQ(candidate.at("finishReason"), "STOP");
  const json::value& result = candidate.at("logprobsResult");
  const json::array& top = result.at("topCandidates").at(0).at("candidates").as_array();
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].at("token"), "A");
  EXPECT_NEAR(top[0].at("logProbability").as_double() - top[1].at("logProbability").as_double(),
              1.25, 1e-9);
  EXPECT_EQ(result.at("chosenCandidates").at(0).at("token"), "A");
  EXPECT_EQ(body.at("usageMetadata"), json::parse(R"({"promptTokenCount":180,
    "candidatesTokenCount":1,"totalTokenCount":191,"promptTokensDetails":[{"modality":"TEXT",
    "tokenCount":180}],"thoughtsTokenCount":10})"));

  completion.text = "";
  completion.cut = true;
  completion.log_probabilities = false;
  completion.reasoning_tokens = 11;
  body = json::parse(GeminiDialect().Write(completion));
  EXPECT_EQ(body.at("candidates").at(0).at("finishReason"), "MAX_TOKENS");
  EXPECT_EQ(body.at("candidates").at(0).at("content"), json::parse(R"({"role":"model"})"));
  EXPECT_EQ(body.at("usageMetadata").as_object().if_contains("candidatesTokenCount"), nullptr);
}

TEST(Gemini, StreamsAsEventsOrAsAnArray) {
  const Completion completion = MakeCompletion("r");
  std::string text;
  const auto events = Events(GeminiDialect().WriteStream(completion, StreamForm::kEvents));
  ASSERT_EQ(events.size(), 2U);
  for (const auto& [name, data] : events) {
    text +=
        data.at("candidates").at(0).at("content").at("parts").at(0).at("text").as_string().c_str();
  }
  EXPECT_EQ(text, completion.text);
  EXPECT_EQ(events[0].second.at("candidates").at(0).as_object().if_contains("finishReason"),
            nullptr);
  const json::value array =
      json::parse(GeminiDialect().WriteStream(completion, StreamForm::kArray));
  EXPECT_EQ(array.as_array().size(), 2U);
  EXPECT_EQ(array.at(1), events[1].second);
}

TEST(Gemini, SaysWhichQuotaAndWhenToComeAgain) {
  RefusalFacts facts;
  facts.model = "g";
  facts.limit_kind = Verdict::kRequestsPerDay;
  facts.limit = 250;
  facts.retry_after = std::chrono::milliseconds{1'500};
  const json::value error =
      json::parse(GeminiDialect().WriteError(GeminiDialect().Refuse(Refusal::kRateLimit, facts)));
  EXPECT_EQ(error.at("error").at("code"), 429);
  EXPECT_EQ(error.at("error").at("status"), "RESOURCE_EXHAUSTED");
  const json::value& details = error.at("error").at("details");
  EXPECT_EQ(details.at(0).at("violations").at(0).at("quotaId"),
            "GenerateRequestsPerDayPerProjectPerModel");
  EXPECT_EQ(details.at(0).at("violations").at(0).at("quotaValue"), "250");
  EXPECT_EQ(details.at(2).at("@type"), "type.googleapis.com/google.rpc.RetryInfo");
  // A delay that does not help.
  EXPECT_EQ(details.at(2).at("retryDelay"), "22s");

  facts.limit_kind = Verdict::kInputTokens;
  const json::value minute =
      json::parse(GeminiDialect().WriteError(GeminiDialect().Refuse(Refusal::kRateLimit, facts)));
  const json::value& more = minute.at("error").at("details");
  EXPECT_EQ(more.at(0).at("violations").at(0).at("quotaId"),
            "GenerateContentPaidTierInputTokensPerModelPerMinute");
  EXPECT_EQ(more.at(2).at("retryDelay"), "1.500000s");
}

TEST(Dialects, KnowEveryRefusal) {
  for (const DialectKind kind : {DialectKind::kChat, DialectKind::kResponses,
                                 DialectKind::kAnthropic, DialectKind::kGemini}) {
    const Dialect& dialect = DialectOf(kind);
    for (int i = 0; i <= static_cast<int>(Refusal::kOverloaded); ++i) {
      RefusalFacts facts;
      facts.model = "m\"1";
      const ApiError error = dialect.Refuse(static_cast<Refusal>(i), facts);
      EXPECT_GE(error.status, 400) << ToString(kind) << i;
      EXPECT_FALSE(error.message.empty()) << ToString(kind) << i;
      const json::value body = json::parse(dialect.WriteError(error));
      EXPECT_EQ(body.at("error").at("message"), json::value(error.message));
      for (const auto& [name, data] : Events(dialect.WriteErrorEvent(error))) {
        EXPECT_TRUE(data.is_object()) << name;
      }
    }
  }
}

}  // namespace
}  // namespace candor::simulator
