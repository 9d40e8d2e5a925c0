#include "common/net/address.h"
#include "common/net/http_client.h"
#include "common/net/http_reader.h"
#include "common/net/request_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

namespace candor::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(AddressTest, Parses) {
  EXPECT_EQ(*ParseAddress("127.0.0.1:7070"), (Address{"127.0.0.1", 7070}));
  EXPECT_EQ(*ParseAddress("[::1]:0"), (Address{"::1", 0}));
  EXPECT_EQ(*ParseAddress(":80"), (Address{"", 80}));
  EXPECT_EQ(ParseAddress("[::1]:0")->ToString(), "[::1]:0");
}

TEST(AddressTest, RefusesWhatIsNone) {
  for (const char* text : {"", "localhost", "localhost:", "localhost:x", "h:65536", "h:-1",
                           "::1:80", "[::1:80", "[::1]", "[x]:1", "a b:1", "http://h:1", "h:1 "}) {
    const auto address = ParseAddress(text);
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(Message(address.status()), HasSubstr(fmt::format("'{}'", text)));
  }
}

TEST(AddressTest, KnowsLoopback) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "LocalHost:1"}) {
    EXPECT_TRUE(IsLoopback(*ParseAddress(text))) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", ":1", "localhost.example:1"}) {
    EXPECT_FALSE(IsLoopback(*ParseAddress(text))) << text;
  }
}

TEST(UrlTest, Parses) {
  const auto url = ParseUrl("HTTPS://API.Example.com/v1/chat?x=1", "ca.pem");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->origin, (Origin{true, "api.example.com", 443, "ca.pem"}));
  EXPECT_EQ(url->target, "/v1/chat?x=1");
  EXPECT_EQ(url->origin.ToString(), "https://api.example.com");
  EXPECT_EQ(ParseUrl("http://[::1]:8080")->origin, (Origin{false, "::1", 8080, ""}));
  EXPECT_EQ(ParseUrl("http://[::1]:8080")->origin.ToString(), "http://[::1]:8080");
  EXPECT_EQ(ParseUrl("http://h")->target, "/");
  EXPECT_EQ(ParseUrl("http://h?q")->target, "/?q");
}

TEST(UrlTest, RefusesWithoutRepeatingSecrets) {
  for (const char* text : {"", "h/x", "ftp://h/", "http://", "http:///x", "http://h:0/",
                           "http://h:x/", "http://user:secret@h/", "http://h/secret#f",
                           "http://h/secret x", "http://h/\nsecret", "https://h/\xc3\xa9secret"}) {
    const auto url = ParseUrl(text);
    EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(Message(url.status()), Not(HasSubstr("secret")));
  }
}

TEST(ProxySettingsTest, NoProxyForms) {
  ProxySettings settings;
  settings.http_proxy = "http://p:1";
  const auto direct = [&](const char* entry, const char* url) {
    settings.no_proxy = {entry};
    return settings.For(ParseUrl(url)->origin).empty();
  };
  EXPECT_TRUE(direct("*", "http://h/"));
  EXPECT_TRUE(direct("example.com", "http://example.com/"));
  EXPECT_TRUE(direct("Example.com", "http://api.example.com/"));
  EXPECT_TRUE(direct(".example.com", "http://api.example.com/"));
  EXPECT_TRUE(direct("*.example.com", "http://api.example.com/"));
  EXPECT_FALSE(direct("example.com", "http://badexample.com/"));
  EXPECT_FALSE(direct("api.example.com", "http://example.com/"));
  EXPECT_TRUE(direct("h:8080", "http://h:8080/"));
  EXPECT_FALSE(direct("h:8080", "http://h:8081/"));
  EXPECT_TRUE(direct("::1", "http://[::1]:80/"));
  EXPECT_TRUE(direct("[::1]:80", "http://[::1]/"));
  EXPECT_FALSE(direct("[::1]:81", "http://[::1]/"));
  EXPECT_FALSE(direct("", "http://h/"));
  EXPECT_FALSE(direct(":80", "http://h/"));
  // No proxy for this scheme at all.
  EXPECT_EQ(settings.For(ParseUrl("https://h/")->origin), "");
}

TEST(ProxySettingsTest, FromEnvironment) {
  for (const char* name :
       {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"}) {
    ::unsetenv(name);
  }
  ::setenv("HTTP_PROXY", "http://evil:1", 1);
  ::setenv("HTTPS_PROXY", "http://p:2", 1);
  ::setenv("NO_PROXY", " a.example , .b.example,,", 1);
  ProxySettings settings = ProxySettings::FromEnvironment();
  EXPECT_EQ(settings.http_proxy, "");
  EXPECT_EQ(settings.https_proxy, "http://p:2");
  EXPECT_THAT(settings.no_proxy, ElementsAre("a.example", ".b.example"));
  ::setenv("https_proxy", "http://q:3", 1);
  EXPECT_EQ(ProxySettings::FromEnvironment().https_proxy, "http://q:3");
  for (const char* name : {"HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "NO_PROXY"})
    ::unsetenv(name);
}

TEST(ProxyTest, ParsesAndHidesCredentials) {
  const auto proxy = ParseProxy("http://user:p%40ss@proxy.example:3128/");
  ASSERT_TRUE(proxy.ok());
  EXPECT_EQ(proxy->host, "proxy.example");
  EXPECT_EQ(proxy->port, 3128);
  EXPECT_EQ(proxy->authorization, "Basic dXNlcjpwQHNz");
  EXPECT_EQ(ParseProxy("proxy:8080")->port, 8080);
  for (const char* text :
       {"https://user:secret@p:1", "socks5://p:1", "http://secret@", "http://u:secret@:1"}) {
    const auto bad = ParseProxy(text);
    EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(Message(bad.status()), Not(HasSubstr("secret")));
  }
}

// However the bytes are cut, the same answer comes out.
TEST(ResponseReaderTest, CutAnywhere) {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
      "3\r\nabc\r\n1;x\r\nd\r\n0\r\nT: u\r\n\r\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    ResponseReader reader({}, false);
    ReadState state = reader.Feed(std::string_view(bytes).substr(0, cut));
    if (cut < bytes.size()) {
      ASSERT_EQ(state, ReadState::kNeedMore) << cut;
      state = reader.Feed(std::string_view(bytes).substr(cut));
    }
    ASSERT_EQ(state, ReadState::kDone) << cut;
    EXPECT_EQ(reader.message().body, "abcd");
    EXPECT_EQ(reader.message().headers.size(), 2u);
    EXPECT_TRUE(reader.reusable());
  }
  ResponseReader slow({}, false);
  ReadState state = ReadState::kNeedMore;
  for (const char c : bytes) {
    ASSERT_EQ(state, ReadState::kNeedMore);
    state = slow.Feed({&c, 1});
  }
  EXPECT_EQ(state, ReadState::kDone);
}

TEST(ResponseReaderTest, EndlessInterimAnswersAndLinesEnd) {
  ResponseReader interim({}, false);
  ReadState state = ReadState::kNeedMore;
  for (int i = 0; i < 100 && state == ReadState::kNeedMore; ++i) {
    state = interim.Feed("HTTP/1.1 103 Early Hints\r\n\r\n");
  }
  EXPECT_EQ(state, ReadState::kMalformed);
  ResponseReader line({.header_bytes = 1000}, false);
  state = line.Feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
  for (int i = 0; i < 10'000 && state == ReadState::kNeedMore; ++i) state = line.Feed("xxxxxxxx");
  EXPECT_NE(state, ReadState::kNeedMore);
}

}  // namespace
}  // namespace candor::net
