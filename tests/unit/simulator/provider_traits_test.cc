// What the service makes of dialects, of models with manners of their own, and of limits.
#include "simulator/provider_service.h"
#include "tests/unit/simulator/provider_fixture.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace candor::simulator {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ProviderTraitsTest = ProviderServiceTest;

constexpr std::string_view kMessage =
    R"({"model":"m","max_tokens":100,"messages":[{"role":"user","content":"hello there"}]})";

TEST_F(ProviderTraitsTest, OneDecisionForAllDialects) {
  config_.mutable_default_model()->set_malformed_rate(0);
  config_.mutable_default_model()->set_decisiveness(1'000);
  Serve();
  const std::string chat = Text(Call(ChoiceBody()));
  const std::string question = json::serialize(json::value(PaperText(kPaperChoice)));
  const net::HttpHeaders headers{{"anthropic-version", "2023-06-01"}};
  const std::string anthropic =
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":)" + question + "}]}";
  const std::string responses = R"({"model":"m","input":)" + question + "}";
  const std::string gemini = R"({"contents":[{"parts":[{"text":)" + question + "}]}]}";
  const auto ask = [&](DialectKind dialect, const std::string& body) {
    const Answer answer =
        service_->Handle({.dialect = dialect,
                          .body = body,
                          .headers = &headers,
                          .path_model = dialect == DialectKind::kGemini ? "m" : std::string_view()},
                         "a");
    service_->Finish(answer);
    EXPECT_EQ(answer.response.status, 200) << answer.response.body;
    return json::parse(answer.response.body);
  };
  EXPECT_EQ(ask(DialectKind::kAnthropic, anthropic).at("content").at(0).at("text"),
            json::value(chat));
  EXPECT_EQ(
      ask(DialectKind::kResponses, responses).at("output").at(0).at("content").at(0).at("text"),
      json::value(chat));
  EXPECT_EQ(ask(DialectKind::kGemini, gemini)
                .at("candidates")
                .at(0)
                .at("content")
                .at("parts")
                .at(0)
                .at("text"),
            json::value(chat));
  EXPECT_EQ(Row(2).at("dialect"), "anthropic");
}

TEST_F(ProviderTraitsTest, ThinksAgainstTheCap) {
  config_.mutable_default_model()->set_malformed_rate(0);
  config_.mutable_default_model()->set_reasoning_tokens(300);
  Serve();
  const json::value whole = json::parse(Call(ChoiceBody()).response.body);
  EXPECT_EQ(whole.at("usage").at("completion_tokens"), 301);
  EXPECT_EQ(whole.at("usage").at("completion_tokens_details").at("reasoning_tokens"), 300);
  const Answer spent = Call(ChoiceBody({{"max_completion_tokens", 200}}));
  const json::value body = json::parse(spent.response.body);
  EXPECT_EQ(Text(spent), "");
  EXPECT_EQ(body.at("choices").at(0).at("finish_reason"), "length");
  EXPECT_EQ(body.at("usage").at("completion_tokens"), 200);
  EXPECT_EQ(Row(2).at("reasoning_tokens"), 200);
  const Answer off = Call(ChoiceBody({{"reasoning_effort", "none"}, {"max_tokens", 20}}));
  EXPECT_NE(Text(off), "");

  config_.mutable_default_model()->set_exhausted_is_error(true);
  Serve();
  EXPECT_EQ(Call(ChoiceBody({{"max_completion_tokens", 200}})).response.status, 400);
}

TEST_F(ProviderTraitsTest, RefusesWhatAModelDoesNotTake) {
  v1::SimulatedModel* model = config_.mutable_default_model();
  model->set_strict_parameters(true);
  const std::string plain =
      R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":5})";
  EXPECT_EQ(Call(plain).response.status, 200);
  EXPECT_EQ(Error(Call(ChoiceBody({{"max_tokens", 5}}))).at("code"), "unsupported_parameter");
  EXPECT_EQ(Error(Call(ChoiceBody())).at("param"), "temperature");
  model->set_strict_parameters(false);
  model->set_refuses_system(true);
  Serve();
  EXPECT_EQ(Call(plain).response.status, 200);
  EXPECT_EQ(Call(ChoiceBody()).response.status, 400);
  model->set_refuses_system(false);
  model->set_streams_only(true);
  Serve();
  EXPECT_EQ(Error(Call(ChoiceBody())).at("param"), "stream");
  EXPECT_EQ(Call(ChoiceBody({{"stream", true}})).delivery, Delivery::kPieces);
  model->set_streams_only(false);
  model->set_refuses_log_probabilities(true);
  Serve();
  EXPECT_EQ(Call(ChoiceBody({{"logprobs", true}})).response.status, 403);
  model->set_filtered_rate(1);
  Serve();
  EXPECT_EQ(json::parse(Call(ChoiceBody()).response.body).at("choices").at(0).at("finish_reason"),
            "content_filter");
}

TEST_F(ProviderTraitsTest, AnthropicCountsOutputAsProduced) {
  config_.mutable_limits()->set_input_tokens_per_minute(20);
  config_.mutable_limits()->set_output_tokens_per_minute(1'000'000);
  Serve();
  const net::HttpHeaders headers{{"anthropic-version", "2023-06-01"}, {"x-api-key", "k"}};
  const auto ask = [&] {
    return service_->Handle(
        {.dialect = DialectKind::kAnthropic, .body = kMessage, .headers = &headers}, "a");
  };
  const Answer first = ask();
  EXPECT_EQ(*first.response.headers.Find("anthropic-ratelimit-input-tokens-limit"), "20");
  EXPECT_EQ(*first.response.headers.Find("anthropic-ratelimit-output-tokens-remaining"), "1000000");
  EXPECT_NE(first.response.headers.Find("request-id"), std::nullopt);
  service_->Finish(first);
  EXPECT_GT(Row(1).at("counted_tokens").as_int64(), 7);
  EXPECT_EQ(ask().response.status, 200);
  const Answer rejected = ask();
  EXPECT_EQ(rejected.response.status, 429);
  EXPECT_EQ(*rejected.response.headers.Find("retry-after"), "60");
  EXPECT_EQ(rejected.response.headers.Find("retry-after-ms"), std::nullopt);
  const json::value error = json::parse(rejected.response.body);
  EXPECT_EQ(error.at("error").at("type"), "rate_limit_error");
  EXPECT_THAT(error.at("error").at("message").as_string().c_str(),
              HasSubstr("of 20 input tokens per minute"));
  EXPECT_EQ(Row(3).at("rejected_by"), "input_tokens");
}

TEST_F(ProviderTraitsTest, CachesMarkedPrompts) {
  config_.set_cache_minimum_tokens(10);
  Serve();
  const net::HttpHeaders headers{{"anthropic-version", "2023-06-01"}};
  const std::string body =
      R"({"model":"m","max_tokens":9,"system":[{"type":"text","text":")" + std::string(400, 's') +
      R"(","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"hi"}]})";
  const auto usage = [&] {
    const Answer answer = service_->Handle(
        {.dialect = DialectKind::kAnthropic, .body = body, .headers = &headers}, "a");
    service_->Finish(answer);
    return json::parse(answer.response.body).at("usage");
  };
  EXPECT_EQ(usage().at("cache_creation_input_tokens"), 104);
  EXPECT_EQ(usage().at("cache_read_input_tokens"), 104);
  EXPECT_EQ(usage().at("input_tokens"), 5);
  clock_.Advance(std::chrono::minutes{6});
  EXPECT_EQ(usage().at("cache_read_input_tokens"), 0);
}

TEST_F(ProviderTraitsTest, LimitsWithoutHeadersAndHeadersThatLie) {
  config_.mutable_limits()->set_requests_per_minute(2);
  config_.set_limit_headers(v1::SimulatorConfig::NONE);
  config_.set_retry_after_format(v1::ScriptedFault::NOT_SENT);
  for (int i = 0; i < 3; ++i) {
    const Answer answer = Call(ChoiceBody());
    EXPECT_EQ(answer.response.status, i < 2 ? 200 : 429);
    EXPECT_EQ(answer.response.headers.size(), 1U);
  }
  config_.clear_limit_headers();
  v1::ScriptedFault* fault = config_.add_scripted_faults();
  fault->set_fault("headers_negative");
  fault->set_arrival(1);
  Serve();
  const Answer lie = Call(ChoiceBody());
  EXPECT_EQ(lie.response.status, 200);
  EXPECT_EQ(*lie.response.headers.Find("x-ratelimit-remaining-requests"), "-5");
  EXPECT_EQ(Row(1).at("fault"), "headers_negative");
}

TEST_F(ProviderTraitsTest, LimitsChangeWhileRunning) {
  Serve();
  EXPECT_EQ(Call(ChoiceBody()).response.status, 200);
  v1::LimitRule rule;
  rule.mutable_limits()->set_requests_per_minute(1);
  ASSERT_TRUE(service_->ChangeLimits(rule).ok());
  EXPECT_EQ(Call(ChoiceBody()).response.status, 200);
  EXPECT_EQ(Call(ChoiceBody()).response.status, 429);
  rule.mutable_limits()->set_requests_per_minute(-1);
  EXPECT_FALSE(service_->ChangeLimits(rule).ok());
}

}  // namespace
}  // namespace candor::simulator
