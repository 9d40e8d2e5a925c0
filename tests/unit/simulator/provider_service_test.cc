#include "simulator/provider_service.h"

#include "common/base/digest.h"
#include "common/scenario/catalogue.h"
#include "tests/unit/simulator/prompts.h"
#include "tests/unit/simulator/provider_fixture.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

TEST_F(ProviderServiceTest, AnswersAreAFunctionOfTheBody) {
  config_.mutable_default_model()->set_malformed_rate(0.3);
  std::set<std::string> texts;
  for (int seed = 0; seed < 50; ++seed) {
    const std::string body = ReportBody({{"seed", seed}});
    const std::string text = Text(Call(body, "one"));
    clock_.Advance(seconds{1});
    EXPECT_EQ(Text(Call(body, "two")), text);
    texts.insert(text);
  }
  // Repeated samples differ.
  EXPECT_GT(texts.size(), 20U);
  Serve();
  EXPECT_TRUE(texts.contains(Text(Call(ReportBody({{"seed", 3}})))));
}

TEST_F(ProviderServiceTest, TheAttemptIdReachesOnlyTheLedger) {
  const Answer answer = Call(ChoiceBody(), "canary-77");
  EXPECT_THAT(answer.response.body, ::testing::Not(HasSubstr("canary-77")));
  for (const auto& [name, value] : answer.response.headers.ToList()) {
    EXPECT_THAT(value, ::testing::Not(HasSubstr("canary-77"))) << name;
  }
  const json::object row = Row(1);
  EXPECT_EQ(row.at("attempt_id"), "canary-77");
  EXPECT_EQ(row.at("request_id"), json::value(*answer.response.headers.Find("x-request-id")));
  EXPECT_EQ(row.at("kind"), "CHOICE");
  EXPECT_EQ(row.at("body_sha256"), json::value(Sha256Hex(ChoiceBody())));
  EXPECT_EQ(row.at("status"), 200);
}

TEST_F(ProviderServiceTest, PlaysTheFirstModelThatFits) {
  const auto add = [&](const char* match, double self_knowledge, std::uint64_t seed) {
    v1::SimulatedModel* model = config_.add_models();
    model->set_match(match);
    model->set_self_knowledge(self_knowledge);
    model->set_malformed_rate(0);
    model->set_seed(seed);
  };
  add("exact", 1, 5);
  add("exa*", 1, 6);
  config_.mutable_default_model()->set_self_knowledge(1);
  config_.mutable_default_model()->set_malformed_rate(0);
  config_.mutable_default_model()->set_seed(7);
  const std::vector<std::string_view> names = {"sunlight", "plot_size", "yearly_rent"};
  for (const auto& [model, seed] : {std::pair{"exact", 5}, {"exacter", 6}, {"other", 7}}) {
    const json::object report = json::parse(Text(Call(ReportBody({}, model)))).as_object();
    const std::vector<double> weights = TrueWeights(static_cast<std::uint64_t>(seed), names);
    for (std::size_t k = 0; k < names.size(); ++k) {
      EXPECT_EQ(report.at(std::string(names[k])).as_int64(), weights[k]) << model;
    }
  }
  const json::value models = json::parse(service_->Models());
  ASSERT_EQ(models.at("data").as_array().size(), 1U);
  EXPECT_EQ(models.at("data").at(0).at("id"), "exact");
}

TEST_F(ProviderServiceTest, ChoicesAndReportsShareTheirWeights) {
  v1::SimulatedModel* model = config_.mutable_default_model();
  model->set_self_knowledge(1);
  model->set_malformed_rate(0);
  model->set_decisiveness(1'000);
  const json::object report = json::parse(Text(Call(ReportBody()))).as_object();
  const auto weight = [&](const char* name) {
    return static_cast<double>(report.at(name).as_int64());
  };
  // The scale of an unknown scenario is the larger magnitude.
  const double u = weight("sunlight") * 3.5 / 6.5 - weight("plot_size") * 46 / 78 +
                   weight("yearly_rent") * 85 / 145;
  EXPECT_EQ(Text(Call(ChoiceBody())), u > 0 ? "A" : "B");
}

TEST_F(ProviderServiceTest, UsesTheRangesThatItKnows) {
  const v1::ScenarioSet& builtin = scenario::BuiltinScenarioSet();
  const v1::Scenario& scenario = builtin.scenarios(0);
  ScenarioRanges ranges;
  ranges.Add(builtin);
  config_.mutable_default_model()->set_decisiveness(10);
  config_.mutable_default_model()->set_malformed_rate(0);
  service_ = *ProviderService::Create(config_, std::move(ranges), clock_);
  std::string a, b;
  std::vector<std::string_view> names;
  for (const v1::Attribute& attribute : scenario.attributes()) {
    a += attribute.name() + ": " + std::to_string(attribute.max()) + " " + attribute.unit() + "\n";
    b += attribute.name() + ": " + std::to_string(attribute.min()) + " " + attribute.unit() + "\n";
    names.push_back(attribute.name());
  }
  double sum = 0;
  for (const double weight : TrueWeights(0, names)) sum += weight / 100;
  const Answer answer =
      Call(ChatBody(PaperText(kPaperChoice, a, b), {{"logprobs", true}, {"top_logprobs", 20}}));
  const json::value body = json::parse(answer.response.body);
  const json::value& token = body.at("choices").at(0).at("logprobs").at("content").at(0);
  double log_odds = 0;
  for (const json::value& top : token.at("top_logprobs").as_array()) {
    if (top.at("token") == "A") log_odds += top.at("logprob").as_double();
    if (top.at("token") == "B") log_odds -= top.at("logprob").as_double();
  }
  EXPECT_NEAR(log_odds, 10 * sum, 1e-6);
}

TEST_F(ProviderServiceTest, HonoursMaxTokens) {
  config_.mutable_default_model()->set_malformed_rate(0);
  const std::string whole = Text(Call(ReportBody()));
  const Answer cut = Call(ReportBody({{"max_completion_tokens", 5}}));
  const json::value body = json::parse(cut.response.body);
  EXPECT_EQ(body.at("choices").at(0).at("finish_reason"), "length");
  EXPECT_EQ(body.at("usage").at("completion_tokens"), 5);
  EXPECT_EQ(Text(cut).size(), 20U);
  EXPECT_EQ(json::parse(Call(ChoiceBody({{"max_tokens", 1}})).response.body)
                .at("choices")
                .at(0)
                .at("finish_reason"),
            "stop");
  EXPECT_TRUE(whole.starts_with("{\"sunlight\": "));
}

TEST_F(ProviderServiceTest, StreamsWhenAsked) {
  const Answer answer = Call(ChoiceBody({{"stream", true}}));
  EXPECT_EQ(answer.response.content_type, "text/event-stream");
  EXPECT_TRUE(answer.response.body.starts_with("data: {"));
  EXPECT_TRUE(answer.response.body.ends_with("data: [DONE]\n\n"));
}

TEST_F(ProviderServiceTest, ChecksTheKeyBeforeAllElse) {
  config_.set_api_key("sk-secret");
  EXPECT_EQ(Call("not json").response.status, 401);
  EXPECT_THAT(Error(Call(ChoiceBody())).at("message").as_string().c_str(),
              HasSubstr("didn't provide an API key"));
  for (const std::string_view wrong :
       {"Bearer sk-secre", "Bearer sk-secrex", "sk-secret", "Bearer ", "Basic sk-secret"}) {
    const Answer answer = Call(ChoiceBody(), "a", wrong);
    EXPECT_EQ(answer.response.status, 401) << wrong;
    EXPECT_EQ(Error(answer).at("code"), "invalid_api_key");
    EXPECT_THAT(answer.response.body, ::testing::Not(HasSubstr("sk-")));
  }
  EXPECT_EQ(Call(ChoiceBody(), "a", "Bearer sk-secret").response.status, 200);
  EXPECT_EQ(Row(1).at("status"), 401);
  EXPECT_EQ(Row(1).at("admitted"), false);
}

TEST_F(ProviderServiceTest, RefusesWhatTheApiRefuses) {
  const Answer bad = Call("{");
  EXPECT_EQ(bad.response.status, 400);
  EXPECT_EQ(Row(bad.call).at("status"), 400);
  const Answer missing = Call(ChoiceBody({}, "missing-model"));
  EXPECT_EQ(missing.response.status, 404);
  EXPECT_EQ(Error(missing).at("code"), "model_not_found");
}

TEST_F(ProviderServiceTest, EnforcesRequestsPerMinuteOfEachModel) {
  config_.mutable_limits()->set_requests_per_minute(2);
  const Answer first = Call(ChoiceBody());
  EXPECT_EQ(*first.response.headers.Find("x-ratelimit-limit-requests"), "2");
  EXPECT_EQ(*first.response.headers.Find("x-ratelimit-remaining-requests"), "1");
  EXPECT_EQ(*first.response.headers.Find("x-ratelimit-reset-requests"), "1m0s");
  EXPECT_EQ(first.response.headers.Find("x-ratelimit-limit-tokens"), std::nullopt);
  clock_.Advance(milliseconds{18'500});
  EXPECT_EQ(Call(ChoiceBody()).response.status, 200);

  const Answer rejected = Call(ChoiceBody());
  EXPECT_EQ(rejected.response.status, 429);
  EXPECT_EQ(*rejected.response.headers.Find("retry-after"), "42");
  EXPECT_EQ(*rejected.response.headers.Find("retry-after-ms"), "41500");
  EXPECT_EQ(json::value(Error(rejected)), json::parse(R"({
    "message": "Rate limit reached for m on requests per min (RPM): Limit 2, Used 2, Requested 1. Please try again in 41.5s.",
    "type": "requests", "param": null, "code": "rate_limit_exceeded"})"));
  EXPECT_EQ(Row(3).at("rejected_by"), "requests");
  EXPECT_EQ(Row(3).at("admitted"), false);
  EXPECT_EQ(Row(3).at("counted_tokens"), 0);

  EXPECT_EQ(Call(ChoiceBody({}, "another")).response.status, 200);
  clock_.Advance(milliseconds{41'500});
  EXPECT_EQ(Call(ChoiceBody()).response.status, 200);
}

TEST_F(ProviderServiceTest, EnforcesTokensPerMinute) {
  config_.mutable_limits()->set_tokens_per_minute(1'000);
  const Answer first = Call(ChoiceBody({{"max_tokens", 700}}));
  EXPECT_EQ(first.response.status, 200);
  EXPECT_EQ(*first.response.headers.Find("x-ratelimit-remaining-tokens"), "300");
  EXPECT_EQ(Row(1).at("counted_tokens"), 700);
  const Answer rejected = Call(ChoiceBody({{"max_tokens", 301}}));
  EXPECT_EQ(rejected.response.status, 429);
  EXPECT_EQ(Error(rejected).at("type"), "tokens");
  EXPECT_THAT(Error(rejected).at("message").as_string().c_str(),
              HasSubstr("tokens per min (TPM): Limit 1000, Used 700, Requested 301."));
  const Answer hopeless = Call(ChoiceBody({{"max_tokens", 1'001}}));
  EXPECT_THAT(Error(hopeless).at("message").as_string().c_str(), HasSubstr("Request too large"));
  EXPECT_EQ(hopeless.response.headers.Find("retry-after"), std::nullopt);
}

TEST_F(ProviderServiceTest, CountsCallsInFlight) {
  config_.mutable_limits()->set_in_flight(2);
  Serve();
  const std::string body = ChoiceBody();
  const Answer first = Begin(body);
  const Answer second = Begin(body);
  const Answer third = Begin(body);
  EXPECT_EQ(third.response.status, 429);
  EXPECT_NE(third.response.headers.Find("retry-after-ms"), std::nullopt);
  service_->Finish(third);
  service_->Finish(first);
  const Answer fourth = Begin(body);
  EXPECT_EQ(fourth.response.status, 200);
  service_->Finish(second);
  service_->Finish(fourth);
  EXPECT_EQ(Row(2).at("in_flight"), 2);
  EXPECT_EQ(Row(3).at("in_flight"), 2);
  EXPECT_EQ(Row(4).at("in_flight"), 2);
  EXPECT_EQ(Row(4).at("body_arrival"), 4);
}

TEST_F(ProviderServiceTest, BreaksByScript) {
  struct Case {
    const char* fault;
    Delivery delivery;
    int status;
    const char* code;
  };
  const Case cases[] = {
      {"502", Delivery::kWhole, 502, nullptr},
      {"504", Delivery::kWhole, 504, nullptr},
      {"402", Delivery::kWhole, 402, "insufficient_credits"},
      {"403", Delivery::kWhole, 403, "model_not_found"},
      {"408", Delivery::kWhole, 408, "timeout"},
      {"413", Delivery::kWhole, 413, "request_too_large"},
      {"spend_cap", Delivery::kWhole, 429, "billing_hard_limit_reached"},
      {"daily_quota", Delivery::kWhole, 429, "rate_limit_exceeded"},
      {"stalled_body", Delivery::kStalled, 200, nullptr},
      {"header_drip", Delivery::kDripped, 200, nullptr},
      {"endless_body", Delivery::kEndless, 200, nullptr},
      {"huge_body", Delivery::kHuge, 200, nullptr},
      {"half_json", Delivery::kWhole, 200, nullptr},
      {"429", Delivery::kWhole, 429, "rate_limit_exceeded"},
      {"500", Delivery::kWhole, 500, nullptr},
      {"503", Delivery::kWhole, 503, nullptr},
      {"529", Delivery::kWhole, 529, nullptr},
      {"400", Delivery::kWhole, 400, "unsupported_parameter"},
      {"401", Delivery::kWhole, 401, "invalid_api_key"},
      {"404", Delivery::kWhole, 404, "model_not_found"},
      {"quota", Delivery::kWhole, 429, "insufficient_quota"},
      {"hang", Delivery::kIgnored, 0, nullptr},
      {"reset", Delivery::kReset, 0, nullptr},
      {"truncated", Delivery::kTruncated, 200, nullptr},
      {"wrong_json", Delivery::kWhole, 200, nullptr},
  };
  for (const Case& c : cases) {
    config_.clear_scripted_faults();
    v1::ScriptedFault* fault = config_.add_scripted_faults();
    fault->set_fault(c.fault);
    fault->set_arrival(1);
    fault->mutable_retry_after()->set_nanos(1'500'000);
    Serve();
    const Answer answer = Call(ChoiceBody());
    EXPECT_EQ(answer.delivery, c.delivery) << c.fault;
    EXPECT_EQ(answer.end.status, c.status) << c.fault;
    EXPECT_EQ(Row(1).at("fault"), c.fault);
    EXPECT_EQ(Row(1).at("status"), c.status);
    EXPECT_EQ(Row(1).at("end_us").is_null(), c.delivery == Delivery::kIgnored) << c.fault;
    if (answer.end.status >= 400) {
      EXPECT_EQ(Error(answer).at("code"), c.code == nullptr ? json::value() : json::value(c.code));
      EXPECT_EQ(answer.response.status, c.status);
      EXPECT_EQ(*answer.response.headers.Find("retry-after"), "1");
      EXPECT_EQ(*answer.response.headers.Find("retry-after-ms"), "2");
    } else if (answer.delivery == Delivery::kWhole) {
      boost::system::error_code not_json;
      json::parse(answer.response.body, not_json);
      EXPECT_TRUE(not_json.failed()) << c.fault;
    }
    // The next arrival of the body is answered as if nothing had been.
    EXPECT_EQ(Call(ChoiceBody()).response.status, 200) << c.fault;
    EXPECT_EQ(service_->ledger().Summary().find("\"max_in_flight\": 1,") != std::string::npos,
              true);
  }
}

TEST_F(ProviderServiceTest, DelaysByTheLatencyOfTheBody) {
  config_.mutable_default_model()->mutable_latency()->set_nanos(50'000'000);
  config_.mutable_default_model()->set_latency_sigma(0.4);
  const Duration delay = Call(ChoiceBody()).delay;
  EXPECT_GT(delay, milliseconds{5});
  EXPECT_EQ(Call(ChoiceBody()).delay, delay);
  EXPECT_NE(Call(ChoiceBody({{"seed", 1}})).delay, delay);
  EXPECT_EQ(Call("{").delay, Duration{0});
}

TEST_F(ProviderServiceTest, NamesWhatIsWrongWithAConfiguration) {
  const auto message = [&](const std::function<void(v1::SimulatorConfig*)>& spoil) {
    v1::SimulatorConfig config;
    spoil(&config);
    const auto service = ProviderService::Create(config, {}, clock_);
    EXPECT_EQ(service.status().code(), absl::StatusCode::kInvalidArgument);
    return service.ok() ? "" : Message(service.status());
  };
  EXPECT_THAT(message([](auto* c) { c->add_models()->set_seed(1); }),
              HasSubstr("models[0].match is missing"));
  EXPECT_THAT(message([](auto* c) { c->mutable_default_model()->set_self_knowledge(2); }),
              HasSubstr("default_model.self_knowledge: 2"));
  EXPECT_THAT(message([](auto* c) { c->mutable_default_model()->set_malformed_rate(-1); }),
              HasSubstr("default_model.malformed_rate: -1"));
  EXPECT_THAT(message([](auto* c) { c->mutable_default_model()->set_decisiveness(std::nan("")); }),
              HasSubstr("decisiveness"));
  EXPECT_THAT(message([](auto* c) { c->mutable_default_model()->set_latency_sigma(9); }),
              HasSubstr("default_model.latency_sigma: 9"));
  EXPECT_THAT(
      message([](auto* c) { c->mutable_default_model()->mutable_latency()->set_seconds(-1); }),
      HasSubstr("default_model.latency"));
  EXPECT_THAT(message([](auto* c) { c->mutable_limits()->set_in_flight(-2); }),
              HasSubstr("limits.in_flight: -2"));
}

}  // namespace
}  // namespace candor::simulator
