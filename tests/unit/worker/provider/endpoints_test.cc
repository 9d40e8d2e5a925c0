#include "worker/provider/endpoints.h"

#include "common/base/config.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <map>

namespace candor::provider {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

v1::Config Config(const char* text) {
  v1::Config config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
  return config;
}

Environment Variables(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    if (at == variables.end()) return std::nullopt;
    return at->second;
  };
}

TEST(EndpointsTest, SaysWhatIsServedAndWhyNot) {
  const auto endpoints = Endpoints::Create(
      Config(R"pb(endpoints { name: "local" base_url: "http://127.0.0.1:8080/v1" }
                  endpoints {
                    name: "openai"
                    base_url: "https://api.openai.com/v1"
                    dialect: "openai"
                    api_key_env: "OPENAI_API_KEY"
                  }
                  endpoints { name: "other" base_url: "http://h" api_key_env: "OTHER" })pb"),
      Variables({{"OTHER", "k"}}));
  ASSERT_TRUE(endpoints.ok()) << endpoints.status();
  const auto services = (*endpoints)->Services();
  ASSERT_EQ(services.size(), 3U);
  EXPECT_EQ(services[0].endpoint(), "local");
  EXPECT_TRUE(services[0].served());
  EXPECT_FALSE(services[1].served());
  EXPECT_EQ(services[1].reason(), "environment variable OPENAI_API_KEY is not set");
  EXPECT_TRUE(services[2].served());
  EXPECT_EQ(services[2].reason(), "");
  EXPECT_EQ((*endpoints)->Find("openai")->key(), nullptr);
  EXPECT_EQ((*endpoints)->Find("other")->key()->Reveal(), "k");
  EXPECT_TRUE((*endpoints)->Find("local")->key()->empty());
  EXPECT_EQ((*endpoints)->Find("nobody"), nullptr);
}

std::string TargetOf(const Endpoint& endpoint, std::string_view model) {
  return endpoint.Target(endpoint.RouteOf(model), model);
}

TEST(EndpointTest, Target) {
  v1::Endpoint config;
  config.set_base_url("https://Gateway.example/openai/deployments/d/?region=eu");
  (*config.mutable_query())["api-version"] = "2024-10-21";
  (*config.mutable_query())["a b"] = "c&d=e";
  const auto endpoint = Endpoint::Create(config);
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  EXPECT_EQ(TargetOf(**endpoint, "m"),
            "/openai/deployments/d/chat/completions?region=eu&a%20b=c%26d%3De&"
            "api-version=2024-10-21");
  EXPECT_EQ((*endpoint)->origin().host, "gateway.example");
  EXPECT_EQ((*endpoint)->origin().port, 443);
  EXPECT_TRUE((*endpoint)->origin().https);
  config.Clear();
  config.set_base_url("http://127.0.0.1:8080");
  EXPECT_EQ(TargetOf(**Endpoint::Create(config), "m"), "/chat/completions");
}

TEST(EndpointTest, EachDialectHasItsPathAndItsKeyHeader) {
  struct Case {
    const char* dialect;
    const char* target;
    const char* auth_header;
    const char* auth_prefix;
  };
  for (const Case& c : {Case{"openai", "/v1/chat/completions", "Authorization", "Bearer "},
                        Case{"openai-responses", "/v1/responses", "Authorization", "Bearer "},
                        Case{"anthropic", "/v1/messages", "x-api-key", ""},
                        Case{"gemini", "/v1/models/m%203:generateContent", "x-goog-api-key", ""}}) {
    v1::Endpoint config;
    config.set_base_url("https://h/v1");
    config.set_dialect(c.dialect);
    const auto endpoint = Endpoint::Create(config);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    EXPECT_EQ(TargetOf(**endpoint, "m 3"), c.target);
    EXPECT_EQ((*endpoint)->auth_header(), c.auth_header);
    EXPECT_EQ((*endpoint)->auth_prefix(), c.auth_prefix);
  }
}

TEST(EndpointTest, ARuleAddsToItsEndpoint) {
  v1::Endpoint config;
  config.set_base_url("https://h/v1beta");
  config.set_dialect("gemini");
  (*config.mutable_query())["key"] = "a";
  (*config.mutable_headers())["x-team"] = "blue";
  v1::ModelRule& rule = *config.add_models();
  rule.set_match("fast*");
  rule.set_stream("always");
  (*rule.mutable_query())["key"] = "b";
  (*rule.mutable_headers())["X-Team"] = "red";
  const auto endpoint = Endpoint::Create(config);
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  EXPECT_EQ(TargetOf(**endpoint, "fast-1"),
            "/v1beta/models/fast-1:streamGenerateContent?alt=sse&key=b");
  EXPECT_EQ(TargetOf(**endpoint, "tunedModels/t"), "/v1beta/tunedModels/t:generateContent?key=a");
  EXPECT_THAT((*endpoint)->RouteOf("fast-1").headers, ElementsAre(Pair("x-team", "red")));
  EXPECT_THAT((*endpoint)->RouteOf("slow").headers, ElementsAre(Pair("x-team", "blue")));
  EXPECT_EQ((*endpoint)->RouteOf("slow").rule.match(), "");
}

TEST(EndpointTest, AnEndpointMayWantAnotherVersion) {
  v1::Endpoint config;
  config.set_base_url("https://h/v1");
  config.set_dialect("anthropic");
  EXPECT_THAT((*Endpoint::Create(config))->RouteOf("m").headers,
              ElementsAre(Pair("anthropic-version", "2023-06-01")));
  (*config.mutable_headers())["Anthropic-Version"] = "2027-01-01";
  EXPECT_THAT((*Endpoint::Create(config))->RouteOf("m").headers,
              ElementsAre(Pair("anthropic-version", "2027-01-01")));
}

TEST(EndpointTest, Timeouts) {
  v1::Endpoint config;
  config.set_base_url("http://h");
  config.mutable_timeouts()->mutable_first_byte()->set_seconds(7);
  config.mutable_timeouts()->mutable_idle()->set_nanos(1'500'000);
  config.mutable_timeouts()->mutable_total();
  const auto endpoint = Endpoint::Create(config);
  ASSERT_TRUE(endpoint.ok());
  EXPECT_EQ((*endpoint)->timeouts().connect, std::chrono::seconds(10));
  EXPECT_EQ((*endpoint)->timeouts().first_byte, std::chrono::seconds(7));
  EXPECT_EQ((*endpoint)->timeouts().idle, std::chrono::milliseconds(2));
  EXPECT_EQ((*endpoint)->timeouts().total, std::chrono::milliseconds(0));
  config.mutable_timeouts()->mutable_idle()->set_seconds(-1);
  EXPECT_THAT(Message(Endpoint::Create(config).status()), HasSubstr("timeouts.idle"));
}

TEST(EndpointsTest, TheExampleOfEveryProvider) {
  const auto config = LoadConfig(CANDOR_SOURCE_DIR "/docs/examples/providers.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto endpoints = Endpoints::Create(*config, Variables({}));
  ASSERT_TRUE(endpoints.ok()) << endpoints.status();
  const auto target = [&](std::string_view endpoint, std::string_view model) {
    return (*endpoints)->Find(endpoint)->origin().host +
           TargetOf(*(*endpoints)->Find(endpoint), model);
  };
  EXPECT_EQ(target("openai", "gpt-5"), "api.openai.com/v1/responses");
  EXPECT_EQ(target("openai-chat", "gpt-4o"), "api.openai.com/v1/chat/completions");
  EXPECT_EQ(target("azure", "d"),
            "my-resource.openai.azure.com/openai/deployments/my-deployment/chat/completions"
            "?api-version=2024-10-21");
  EXPECT_EQ(target("anthropic", "claude-sonnet-5"), "api.anthropic.com/v1/messages");
  EXPECT_EQ(target("gemini", "gemini-3-pro"),
            "generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:generateContent");
  EXPECT_EQ((*endpoints)->Find("azure")->auth_header(), "api-key");
  EXPECT_EQ((*endpoints)->Find("anthropic")->auth_header(), "x-api-key");
  EXPECT_TRUE((*endpoints)->Find("vllm")->key()->empty());
  EXPECT_EQ((*endpoints)->Find("anthropic")->reason(),
            "environment variable ANTHROPIC_API_KEY is not set");
}

struct Bad {
  const char* config;
  const char* error;
};

TEST(EndpointsTest, WhatCannotBe) {
  for (const Bad& bad : {
           Bad{"base_url: 'http://h'", "endpoints[0].name"},
           Bad{"name: 'a'", "base_url: is missing"},
           Bad{"name: 'a' base_url: 'ftp://h'", "base_url"},
           Bad{"name: 'a' base_url: 'http://h' dialect: 'x'", "dialect: \"x\""},
           Bad{"name: 'a' base_url: 'http://h' headers { key: 'a b' }", "\"a b\" is no name"},
           Bad{"name: 'a' base_url: 'http://h' headers { key: 'a' value: 'b\\r\\nc: d' }",
               "headers.a: holds a line break"},
           Bad{"name: 'a' base_url: 'http://h' headers { key: 'Host' value: 'x' }",
               "headers.Host: Candor writes"},
           Bad{"name: 'a' base_url: 'http://h' api_key_env: 'K' "
               "headers { key: 'authorization' value: 'x' }",
               "headers.authorization: Candor writes"},
           Bad{"name: 'a' base_url: 'http://h' dialect: 'anthropic' api_key_env: 'K' "
               "models { match: '*' headers { key: 'X-Api-Key' value: 'x' } }",
               "models[0].headers.X-Api-Key: Candor writes"},
           Bad{"name: 'a' base_url: 'http://h' auth { header: 'api-key' }", "there is no key"},
           Bad{"name: 'a' base_url: 'http://h' auth { header: 'api key' command: 'x' }",
               "auth.header"},
           Bad{"name: 'a' base_url: 'http://h' api_key_env: 'A' api_key_file: 'b'", "not several"},
       }) {
    v1::Config config;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(bad.config, config.add_endpoints()));
    const auto endpoints = Endpoints::Create(config, Variables({{"K", "k"}}));
    EXPECT_EQ(endpoints.status().code(), absl::StatusCode::kInvalidArgument) << bad.config;
    EXPECT_THAT(Message(endpoints.status()), HasSubstr(bad.error)) << bad.config;
  }
  EXPECT_THAT(
      Message(Endpoints::Create(Config(R"pb(endpoints { name: "a" base_url: "http://h" }
                                            endpoints { name: "a" base_url: "http://h" })pb"),
                                Variables({}))
                  .status()),
      HasSubstr("endpoints[1].name: \"a\" is there twice"));
}

TEST(EndpointTest, AKeyThatWasThereStays) {
  v1::Endpoint config;
  config.set_base_url("http://h");
  config.set_api_key_env("K");
  const auto endpoint = Endpoint::Create(config);
  ASSERT_TRUE(endpoint.ok());
  EXPECT_FALSE((*endpoint)->LoadKey(Variables({})).ok());
  EXPECT_EQ((*endpoint)->key(), nullptr);
  EXPECT_TRUE((*endpoint)->LoadKey(Variables({{"K", "one"}})).ok());
  EXPECT_EQ((*endpoint)->reason(), "");
  EXPECT_FALSE((*endpoint)->LoadKey(Variables({})).ok());
  EXPECT_EQ((*endpoint)->key()->Reveal(), "one");
  EXPECT_TRUE((*endpoint)->LoadKey(Variables({{"K", "two"}})).ok());
  EXPECT_EQ((*endpoint)->key()->Reveal(), "two");
}

}  // namespace
}  // namespace candor::provider
