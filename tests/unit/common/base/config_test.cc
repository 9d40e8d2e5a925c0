#include "common/base/config.h"

#include "candor/v1/cluster_service.pb.h"
#include "candor/v1/config.pb.h"
#include "candor/v1/simulator.pb.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kConfig = R"(
endpoints:
  - name: local
    base_url: http://127.0.0.1:8080/v1
    dialect: openai
    api_key_env: LOCAL_API_KEY
    limits: {requests_per_minute: 60000, in_flight: 512}
    models:
      - {match: "gpt-5*", limit_group: g5, price: {input: 1.25, output: 10}}
      - {match: "*mini", system_as: developer}
limit_groups:
  - {name: g5, share: 0.5, limits: {requests_per_minute: 10001, in_flight: 1}}
)";

v1::Config Parsed(std::string_view text) {
  v1::Config config;
  EXPECT_TRUE(ParseYaml(text, &config).ok());
  return config;
}

// "field: description" of everything wrong.
std::vector<std::string> Wrong(const v1::Config& config) {
  FieldViolations violations;
  Validate(config, &violations);
  std::vector<std::string> lines;
  for (const FieldViolation& violation : violations) {
    lines.push_back(violation.field + ": " + violation.description);
  }
  return lines;
}

// The one endpoint of kConfig, changed.
template <typename Change>
std::vector<std::string> WrongAfter(Change change) {
  v1::Config config = Parsed(kConfig);
  change(*config.mutable_endpoints(0));
  return Wrong(config);
}

TEST(Validate, AcceptsWhatTheGuideShows) { EXPECT_THAT(Wrong(Parsed(kConfig)), IsEmpty()); }

TEST(Validate, ChecksUrls) {
  for (const char* url :
       {"https://api.example.com/v1", "http://[::1]:80/v1", "http://h", "https://h:65535"}) {
    EXPECT_THAT(WrongAfter([&](auto& e) { e.set_base_url(url); }), IsEmpty()) << url;
  }
  const std::pair<const char*, const char*> cases[] = {
      {"", "is empty"},
      {"ftp://h/v1", "does not begin with http:// or https://"},
      {"127.0.0.1:8080", "does not begin with"},
      {"https://", "has no host"},
      {"https://h:0", "has the port \"0\""},
      {"https://h:99999/v1", "has the port"},
      {"https://::1/v1", "has no host"},
      {"https://[::1/v1", "has no host"},
      {"https://h/v1?key=x", "put parameters into `query`"},
      {"https://h/v1/chat/completions", "ends in /chat/completions, which Candor adds itself"},
      {"https://h h/", "holds a space"}};
  for (const auto& [url, what] : cases) {
    EXPECT_THAT(WrongAfter([&](auto& e) { e.set_base_url(url); }),
                ElementsAre(testing::AllOf(HasSubstr("endpoints[0].base_url: "), HasSubstr(what))))
        << url;
  }
}

TEST(Validate, NeverRepeatsAPasswordFromAUrl) {
  for (const char* url : {"https://u:hunter2@h/v1", "ftp://u:hunter2@h/v1"}) {
    const auto wrong = WrongAfter([&](auto& e) { e.set_base_url(url); });
    ASSERT_EQ(wrong.size(), 1U);
    EXPECT_THAT(wrong[0], testing::Not(HasSubstr("hunter2")));
  }
}

TEST(Validate, NeverRepeatsAKeyInPlaceOfItsVariable) {
  for (const char* key : {"sk-proj-THISISMYREALKEY123", "AIzaSyA1b2C3", "1KEY", "A KEY"}) {
    const auto wrong = WrongAfter([&](auto& e) { e.set_api_key_env(key); });
    EXPECT_THAT(wrong, ElementsAre("endpoints[0].api_key_env: is no name of an environment "
                                   "variable; give one such as OPENAI_API_KEY, and put the key "
                                   "into that variable"));
  }
  for (const char* name : {"OPENAI_API_KEY", "_key", "KEY2", "key2"}) {
    EXPECT_THAT(WrongAfter([&](auto& e) { e.set_api_key_env(name); }), IsEmpty());
  }
}

TEST(Validate, ChecksAnEndpoint) {
  EXPECT_THAT(
      WrongAfter([](auto& e) { e.set_dialect("bard"); }),
      ElementsAre(HasSubstr(
          "\"bard\" is no dialect of this release; give one of: openai, openai-responses")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.set_api_key_file("key"); }),
              ElementsAre(HasSubstr("endpoints[0]: has more than one of api_key_env")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_auth()->set_command("x"); }),
              ElementsAre(HasSubstr("more than one of")));
  EXPECT_THAT(
      WrongAfter([](auto& e) { e.mutable_limits()->set_in_flight(-1); }),
      ElementsAre("endpoints[0].limits.in_flight: is -1; give 1 to 999999999999999, or 0 for no "
                  "limit"));
  // A share of it would be no number any more.
  EXPECT_THAT(WrongAfter([](auto& e) {
                e.mutable_limits()->set_tokens_per_day(std::numeric_limits<std::int64_t>::max());
              }),
              ElementsAre("endpoints[0].limits.tokens_per_day: is 9223372036854775807; give 1 to "
                          "999999999999999, or 0 for no limit"));
  EXPECT_THAT(WrongAfter([](auto& e) { e.set_name("Local"); }),
              ElementsAre(HasSubstr("endpoints[0].name: \"Local\" is no name")));
  EXPECT_THAT(WrongAfter([](auto& e) { (*e.mutable_headers())["a b"] = "x"; }),
              ElementsAre(HasSubstr("\"a b\" is no name of a header")));
  EXPECT_THAT(WrongAfter([](auto& e) { (*e.mutable_headers())["x"] = "a\r\nb"; }),
              ElementsAre(HasSubstr("line break")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_timeouts()->mutable_total(); }),
              ElementsAre(HasSubstr("timeouts.total: is not above 0")));
  EXPECT_THAT(WrongAfter([](auto& e) { (*e.mutable_headers())["Content-Length"] = "1"; }),
              ElementsAre("endpoints[0].headers[\"Content-Length\"]: is a header that Candor "
                          "writes itself; leave it out"));
  EXPECT_THAT(WrongAfter([](auto& e) { (*e.mutable_query())[""] = "1"; }),
              ElementsAre(HasSubstr("endpoints[0].query: has a parameter without a name")));
  EXPECT_THAT(WrongAfter([](auto& e) {
                e.clear_api_key_env();
                e.mutable_auth()->set_header("X-Key");
              }),
              ElementsAre(HasSubstr("endpoints[0].auth.header: has no key to carry")));
}

TEST(Validate, ChecksModelRules) {
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(0)->set_limit_group("g5x"); }),
              ElementsAre("endpoints[0].models[0].limit_group: \"g5x\" is no limit group of "
                          "limit_groups; did you mean 'g5'?"));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(0)->set_limit_group("another"); }),
              ElementsAre(HasSubstr("of limit_groups; add it there, or leave it out here")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(0)->set_limit_group("local"); }),
              IsEmpty());
  EXPECT_THAT(
      WrongAfter([](auto& e) { e.mutable_models(0)->mutable_price()->set_output(-1); }),
      ElementsAre(HasSubstr("models[0].price.output: is -1; give a price of 0 to 1000000")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(1)->set_system_as("develoer"); }),
              ElementsAre(HasSubstr("did you mean 'developer'?")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(0)->mutable_price()->set_input(1e300); }),
              ElementsAre(HasSubstr("models[0].price.input: is 1e+300; give a price of 0 to")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(1)->set_max_tokens_field("model"); }),
              ElementsAre(HasSubstr("max_tokens_field: \"model\" has another meaning")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(1)->set_max_tokens_field("a b"); }),
              ElementsAre(HasSubstr("max_tokens_field: \"a b\" is no field of a request")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(0)->set_match("*"); }),
              ElementsAre(HasSubstr("models[1].match: \"*mini\" stands behind \"*\"")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(1)->clear_match(); }),
              ElementsAre(HasSubstr("models[1].match: is empty")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(1)->set_stream("allways"); }),
              ElementsAre("endpoints[0].models[1].stream: \"allways\" is none of never, always, "
                          "auto; did you mean 'always'?"));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(1)->set_output_counts("later"); }),
              ElementsAre(HasSubstr("output_counts: \"later\" is none of reserved, produced")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(1)->set_min_output_tokens(-1); }),
              ElementsAre(HasSubstr("models[1].min_output_tokens: is -1; give 1 or more")));
  EXPECT_THAT(WrongAfter([](auto& e) { (*e.mutable_models(1)->mutable_headers())["a b"] = "x"; }),
              ElementsAre(HasSubstr("models[1].headers[\"a b\"]")));
  EXPECT_THAT(WrongAfter([](auto& e) { e.mutable_models(0)->mutable_price()->set_batch(0); }),
              ElementsAre(HasSubstr("price.batch: is 0; give a part above 0 and at most 1")));
  EXPECT_THAT(
      WrongAfter([](auto& e) {
        v1::BatchConfig& batch = *e.mutable_models(0)->mutable_batch();
        batch.set_max_lines(50'001);
        batch.set_max_bytes(-1);
        batch.set_queue_tokens(-1);
        batch.mutable_poll_interval();
      }),
      ElementsAre(HasSubstr("batch.max_lines: is 50001; give 1 to 50000, or 0 for 10000"),
                  HasSubstr("batch.max_bytes: is -1; give 1 to 200000000, or 0 for 100000000"),
                  HasSubstr("batch.queue_tokens: is -1"),
                  HasSubstr("batch.poll_interval: is not above 0")));
  // Each provider takes as many as it takes.
  EXPECT_THAT(WrongAfter([](auto& e) {
                e.set_dialect("anthropic");
                e.mutable_models(0)->mutable_batch()->set_max_lines(100'000);
                e.mutable_models(0)->mutable_batch()->set_max_bytes(256'000'001);
              }),
              ElementsAre(HasSubstr("batch.max_bytes: is 256000001; give 1 to 256000000")));
}

TEST(Validate, KnowsEveryDialect) {
  for (const std::string& dialect : DialectNames()) {
    EXPECT_THAT(WrongAfter([&](auto& e) { e.set_dialect(dialect); }), IsEmpty()) << dialect;
  }
}

TEST(Validate, ChecksGroupsAndNames) {
  v1::Config config = Parsed(kConfig);
  config.mutable_limit_groups(0)->set_share(1.5);
  EXPECT_THAT(Wrong(config),
              ElementsAre("limit_groups[0].share: is 1.5; give a part above 0 and at most 1"));
  config.mutable_limit_groups(0)->set_share(0);
  EXPECT_EQ(Wrong(config).size(), 1U);
  config = Parsed(kConfig);
  *config.add_endpoints() = config.endpoints(0);
  EXPECT_THAT(Wrong(config), ElementsAre(HasSubstr("endpoints[1].name: \"local\" is taken")));
  config = Parsed(kConfig);
  config.mutable_worker()->set_slots(-1);
  config.mutable_worker()->set_log_level("loud");
  EXPECT_EQ(Wrong(config).size(), 2U);
}

TEST(LoadConfig, NamesFileAndField) {
  const std::string path = testing::TempDir() + "/config_test.yaml";
  ASSERT_TRUE(WriteFileAtomically(path, kConfig).ok());
  EXPECT_EQ(LoadConfig(path)->endpoints_size(), 1);
  ASSERT_TRUE(
      WriteFileAtomically(path, "endpoints: [{name: local, base_url: x, dialect: openai}]").ok());
  const Status status = LoadConfig(path).status();
  EXPECT_THAT(Message(status), HasSubstr(path + ": "));
  EXPECT_THAT(Message(status), HasSubstr("endpoints[0].base_url"));
}

TEST(MatchesModel, TreatsAStarAsAnyCharacters) {
  EXPECT_TRUE(MatchesModel("m", "m"));
  EXPECT_TRUE(MatchesModel("*", ""));
  EXPECT_TRUE(MatchesModel("gpt-5*", "gpt-5"));
  EXPECT_TRUE(MatchesModel("gpt-*-mini", "gpt-5-x-mini"));
  EXPECT_TRUE(MatchesModel("*a*b*", "xxaxxbxx"));
  EXPECT_TRUE(MatchesModel("*ab", "aab"));
  EXPECT_FALSE(MatchesModel("m", "M"));
  EXPECT_FALSE(MatchesModel("", "m"));
  EXPECT_FALSE(MatchesModel("*a*b", "ba"));
  // Quadratic at most, where plain backtracking would not come back.
  EXPECT_FALSE(MatchesModel("*a*a*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

TEST(LimitGroups, FollowTheFirstRuleThatFits) {
  const v1::Config config = Parsed(kConfig);
  const v1::Endpoint& endpoint = *FindEndpoint(config, "local");
  EXPECT_EQ(FindModelRule(endpoint, "gpt-5-mini"), &endpoint.models(0));
  EXPECT_EQ(FindModelRule(endpoint, "o-mini"), &endpoint.models(1));
  EXPECT_EQ(FindModelRule(endpoint, "other"), nullptr);
  EXPECT_EQ(LimitGroupOf(endpoint, "gpt-5-mini"), "g5");
  EXPECT_EQ(LimitGroupOf(endpoint, "o-mini"), "local");
  EXPECT_EQ(LimitGroupOf(endpoint, "other"), "local");
  EXPECT_EQ(FindEndpoint(config, "remote"), nullptr);
}

TEST(LimitGroups, LowerTheirLimitsByTheirShare) {
  const v1::Config config = Parsed(kConfig);
  EXPECT_EQ(LimitsOfGroup(config, "g5").requests_per_minute(), 5000);
  EXPECT_EQ(LimitsOfGroup(config, "g5").tokens_per_minute(), 0);
  EXPECT_EQ(LimitsOfGroup(config, "g5").in_flight(), 1);
  EXPECT_EQ(LimitsOfGroup(config, "local").requests_per_minute(), 60000);
  EXPECT_EQ(LimitsOfGroup(config, "nobody").requests_per_minute(), 0);
  EXPECT_EQ(ConfiguredLimits(config, "g5").requests_per_minute(), 10001);
  EXPECT_EQ(ShareOfGroup(config, "g5"), 0.5);
  EXPECT_EQ(ShareOfGroup(config, "nobody"), 1);
}

TEST(LimitGroups, AnEndpointHasAShareOfItsOwn) {
  v1::Config config = Parsed(kConfig);
  v1::Endpoint& endpoint = *config.mutable_endpoints(0);
  endpoint.set_share(0.25);
  endpoint.mutable_limits()->set_output_tokens_per_minute(999);
  endpoint.mutable_limits()->set_requests_per_day(3);
  const v1::Limits limits = LimitsOfGroup(config, "local");
  EXPECT_EQ(limits.requests_per_minute(), 15000);
  EXPECT_EQ(limits.output_tokens_per_minute(), 249);
  EXPECT_EQ(limits.requests_per_day(), 1);
  EXPECT_EQ(limits.tokens_per_day(), 0);
  EXPECT_EQ(LimitsOfGroup(config, "g5").requests_per_minute(), 5000);
  endpoint.set_share(1.5);
  EXPECT_THAT(Wrong(config),
              ElementsAre("endpoints[0].share: is 1.5; give a part above 0 and at most 1"));
}

TEST(LeaveOutSecrets, LeavesNoneInPrint) {
  v1::Config config = Parsed(kConfig);
  v1::Endpoint& endpoint = *config.mutable_endpoints(0);
  (*endpoint.mutable_headers())["Authorization"] = "canary-1";
  (*endpoint.mutable_query())["key"] = "canary-2";
  endpoint.mutable_auth()->set_command("echo canary-3");
  endpoint.set_base_url("https://canary-4:canary-5@h/v1");
  LeaveOutSecrets(&config);
  EXPECT_THAT(PrintJson(config), testing::Not(HasSubstr("canary")));
  EXPECT_THAT(PrintJson(config), HasSubstr("Authorization"));
  EXPECT_THAT(PrintJson(config), HasSubstr("@h/v1"));
  EXPECT_THAT(PrintJson(config), HasSubstr("LOCAL_API_KEY"));
  v1::SimulatorConfig simulator;
  simulator.set_api_key("canary-6");
  LeaveOutSecrets(&simulator);
  EXPECT_THAT(PrintJson(simulator), testing::Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace candor
