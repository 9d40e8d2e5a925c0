#include "simulator/simulator_server.h"

#include "common/base/clock.h"
#include "tests/unit/simulator/prompts.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace candor::simulator {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A connection as plain as can be.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view method, std::string_view target, std::string_view body,
            std::string_view headers = {}) {
    std::string text(method);
    text += " ";
    text += target;
    text += " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ";
    text += std::to_string(body.size());
    text += "\r\n";
    text += headers;
    text += "\r\n";
    text += body;
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t n = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
  }
  // Everything until the connection ends; `error` tells how: 0 for an orderly end.
  std::string ReadAll(int* error = nullptr) {
    std::string text;
    char buffer[16'384];
    ssize_t n = 0;
    while ((n = ::recv(socket_, buffer, sizeof(buffer), 0)) > 0) {
      text.append(buffer, static_cast<std::size_t>(n));
    }
    if (error != nullptr) *error = n == 0 ? 0 : errno;
    return text;
  }
  // Bytes read when there are at least so many, or the connection has ended.
  std::size_t ReadAtLeast(std::size_t bytes) {
    std::size_t size = 0;
    char buffer[16'384];
    ssize_t n = 1;
    while (size < bytes && n > 0) {
      n = ::recv(socket_, buffer, sizeof(buffer), 0);
      if (n > 0) size += static_cast<std::size_t>(n);
    }
    return size;
  }
  // Whether something, or an end, comes within `wait`.
  bool HearsWithin(std::chrono::milliseconds wait) {
    timeval limit{wait.count() / 1000, wait.count() % 1000 * 1000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    char byte = 0;
    const ssize_t n = ::recv(socket_, &byte, 1, MSG_PEEK);
    return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

 private:
  int socket_;
  bool connected_ = false;
};

std::string BodyOf(const std::string& response) {
  const auto end = response.find("\r\n\r\n");
  return end == std::string::npos ? "" : response.substr(end + 4);
}

class SimulatorServerTest : public ::testing::Test {
 protected:
  void Serve(int threads = 1) {
    auto service = ProviderService::Create(config_, {}, clock_);
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
    auto server = SimulatorServer::Start(
        {.listen = "127.0.0.1:0", .threads = threads, .batches = config_.batches()}, *service_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Ask(std::string_view method, std::string_view target, std::string_view body = {},
                  std::string_view headers = {}, int* error = nullptr) {
    Client client(server_->port());
    EXPECT_TRUE(client.connected());
    client.Send(method, target, body, headers);
    return client.ReadAll(error);
  }
  void Script(const char* fault) {
    v1::ScriptedFault* scripted = config_.add_scripted_faults();
    scripted->set_fault(fault);
    scripted->set_body_contains(std::string("\"") + fault + "\"");
  }

  SystemClock clock_;
  v1::SimulatorConfig config_;
  std::unique_ptr<ProviderService> service_;
  std::unique_ptr<SimulatorServer> server_;
};

TEST_F(SimulatorServerTest, AnswersCallsUnderAnyPrefix) {
  Serve();
  for (const char* target :
       {"/v1/chat/completions", "/chat/completions", "/a/b/chat/completions?x=1"}) {
    const std::string response =
        Ask("POST", target, ChoiceBody(), "X-Client-Request-Id: attempt-9\r\n");
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(json::parse(BodyOf(response)).at("object"), "chat.completion");
  }
  const std::string ledger = Ask("GET", "/_simulator/ledger");
  EXPECT_THAT(ledger, HasSubstr("\"attempt_id\":\"attempt-9\""));
}

TEST_F(SimulatorServerTest, ServesItsOtherPages) {
  Serve();
  EXPECT_THAT(Ask("GET", "/healthz"), ::testing::EndsWith("\r\n\r\nok\n"));
  EXPECT_EQ(json::parse(BodyOf(Ask("GET", "/v1/models"))).at("object"), "list");
  EXPECT_EQ(json::parse(BodyOf(Ask("GET", "/_simulator/summary"))).at("calls"), 0);
  EXPECT_THAT(Ask("GET", "/nothing"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("GET", "/v1/chat/completions"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Ask("DELETE", "/_simulator/ledger"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Ask("GET", "/_simulator/ledger?after=x"), StartsWith("HTTP/1.1 400"));
}

TEST_F(SimulatorServerTest, ListsALongLedgerWhole) {
  Serve();
  constexpr int kCalls = 5'000;
  for (int i = 0; i < kCalls; ++i) service_->Finish(service_->Handle({.body = "{}"}, "a"));
  const auto count = [](const std::string& text) {
    std::size_t rows = 0;
    for (auto at = text.find("\"call\":"); at != std::string::npos;
         at = text.find("\"call\":", at + 1)) {
      ++rows;
    }
    return rows;
  };
  EXPECT_EQ(count(Ask("GET", "/_simulator/ledger")), 5'000U);
  EXPECT_EQ(count(Ask("GET", "/_simulator/ledger?after=4990")), 10U);
  EXPECT_EQ(count(Ask("GET", "/_simulator/ledger?after=5000")), 0U);
}

TEST_F(SimulatorServerTest, BreaksConnectionsAsScripted) {
  for (const char* fault : {"hang", "reset", "truncated"}) Script(fault);
  Serve();
  int error = 0;
  EXPECT_EQ(Ask("POST", "/v1/chat/completions", ChoiceBody({{"user", "reset"}}), {}, &error), "");
  EXPECT_EQ(error, ECONNRESET);

  const std::string cut = Ask("POST", "/v1/chat/completions", ChoiceBody({{"user", "truncated"}}));
  EXPECT_THAT(cut, StartsWith("HTTP/1.1 200"));
  const auto promised = cut.find("Content-Length: ");
  ASSERT_NE(promised, std::string::npos) << cut;
  EXPECT_LT(BodyOf(cut).size(), std::stoul(cut.substr(promised + 16)));
  EXPECT_GT(BodyOf(cut).size(), 100U);

  Client hanging(server_->port());
  hanging.Send("POST", "/v1/chat/completions", ChoiceBody({{"user", "hang"}}));
  EXPECT_FALSE(hanging.HearsWithin(std::chrono::milliseconds{50}));
  // Others are answered meanwhile.
  EXPECT_THAT(Ask("POST", "/v1/chat/completions", ChoiceBody()), StartsWith("HTTP/1.1 200"));
}

TEST_F(SimulatorServerTest, SpeaksAllDialects) {
  Serve();
  const std::string responses = Ask("POST", "/v1/responses", R"({"model":"m","input":"hi"})");
  EXPECT_EQ(json::parse(BodyOf(responses)).at("object"), "response");
  const std::string anthropic =
      Ask("POST", "/v1/messages",
          R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})",
          "anthropic-version: 2023-06-01\r\n");
  EXPECT_EQ(json::parse(BodyOf(anthropic)).at("type"), "message");
  const std::string gemini = Ask("POST", "/v1beta/models/g:generateContent",
                                 R"({"contents":[{"parts":[{"text":"hi"}]}]})");
  EXPECT_EQ(json::parse(BodyOf(gemini)).at("modelVersion"), "g");
  const std::string events = Ask("POST", "/v1beta/models/g:streamGenerateContent?alt=sse",
                                 R"({"contents":[{"parts":[{"text":"hi"}]}]})");
  EXPECT_THAT(events, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(events, HasSubstr("text/event-stream"));
  EXPECT_THAT(events, HasSubstr("finishReason"));
  const std::string azure = Ask("POST", "/openai/deployments/d/chat/completions?api-version=1",
                                R"({"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(json::parse(BodyOf(azure)).at("model"), "d");
}

TEST_F(SimulatorServerTest, BehavesBadlyWhenTold) {
  for (const char* fault : {"stalled_body", "header_drip", "endless_body", "huge_body", "gzip_bomb",
                            "redirect", "html", "half_json", "error_200", "broken_stream"}) {
    Script(fault);
  }
  Serve();
  const auto ask = [&](const char* fault, bool stream = false) {
    return Ask("POST", "/v1/chat/completions", ChoiceBody({{"user", fault}, {"stream", stream}}));
  };
  EXPECT_THAT(ask("redirect"), StartsWith("HTTP/1.1 302"));
  EXPECT_THAT(ask("html"), HasSubstr("<center>nginx</center>"));
  EXPECT_EQ(json::parse(BodyOf(ask("error_200"))).at("error").at("type"), "server_error");
  EXPECT_THAT(ask("broken_stream", true), ::testing::Not(HasSubstr("[DONE]")));
  const std::string bomb = ask("gzip_bomb");
  EXPECT_THAT(bomb.substr(0, 300), HasSubstr("content-encoding: gzip"));
  EXPECT_LT(bomb.size(), std::size_t{4} << 20U);

  // These go on until the client goes.
  for (const char* fault : {"endless_body", "huge_body"}) {
    Client client(server_->port());
    client.Send("POST", "/v1/chat/completions", ChoiceBody({{"user", fault}}));
    EXPECT_GE(client.ReadAtLeast(std::size_t{3} << 20U), std::size_t{3} << 20U) << fault;
  }
  Client stalled(server_->port());
  stalled.Send("POST", "/v1/chat/completions", ChoiceBody({{"user", "stalled_body"}}));
  EXPECT_GE(stalled.ReadAtLeast(300), 300U);
  Client dripping(server_->port());
  dripping.Send("POST", "/v1/chat/completions", ChoiceBody({{"user", "header_drip"}}));
  EXPECT_EQ(dripping.ReadAtLeast(1), 1U);
  // The server can stop in spite of them.
  server_->Stop(std::chrono::milliseconds{0});
}

TEST_F(SimulatorServerTest, ServesBatches) {
  Serve();
  const std::string listed = Ask("GET", "/v1/batches");
  EXPECT_EQ(json::parse(BodyOf(listed)).at("object"), "list");
  const std::string messages =
      Ask("GET", "/v1/messages/batches", {}, "anthropic-version: 2023-06-01\r\n");
  EXPECT_EQ(json::parse(BodyOf(messages)).at("has_more"), false);
}

TEST_F(SimulatorServerTest, ChecksTheKeyOfEachDialect) {
  config_.set_api_key("k");
  Serve();
  EXPECT_THAT(Ask("GET", "/v1/batches"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(Ask("GET", "/v1/batches", {}, "Authorization: Bearer k\r\n"),
              StartsWith("HTTP/1.1 200"));
  const std::string body = R"({"contents":[{"parts":[{"text":"hi"}]}]})";
  EXPECT_THAT(Ask("POST", "/v1beta/models/g:generateContent", body), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(Ask("POST", "/v1beta/models/g:generateContent?key=x", body),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("POST", "/v1beta/models/g:generateContent", body, "x-goog-api-key: k\r\n"),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("POST", "/v1/messages", "{}"), HasSubstr("x-api-key header is required"));
}

TEST_F(SimulatorServerTest, LimitsAndSeriesCanBeAskedForAndSet) {
  Serve();
  EXPECT_THAT(Ask("PUT", "/_simulator/limits", R"({"limits":{"requests_per_minute":1}})"),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("POST", "/v1/chat/completions", ChoiceBody()), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("POST", "/v1/chat/completions", ChoiceBody()), StartsWith("HTTP/1.1 429"));
  EXPECT_THAT(Ask("PUT", "/_simulator/limits", R"({"limit":{}})"), StartsWith("HTTP/1.1 400"));
  const json::value limits = json::parse(BodyOf(Ask("GET", "/_simulator/limits")));
  EXPECT_EQ(limits.at("limits").at(0).at("requests_per_minute"), 1);
  const json::value series =
      json::parse(BodyOf(Ask("GET", "/_simulator/series?window_ms=60000&model=m")));
  EXPECT_EQ(series.at("admitted").at(0), 1);
  EXPECT_EQ(series.at("rejected").at(0), 1);
  EXPECT_THAT(Ask("GET", "/_simulator/series?window_ms=x"), StartsWith("HTTP/1.1 400"));
}

TEST_F(SimulatorServerTest, KeepsThousandsWaitingAndAnswersAll) {
  config_.mutable_default_model()->mutable_latency()->set_nanos(30'000'000);
  config_.mutable_default_model()->set_latency_sigma(0.5);
  Serve(2);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 400; ++i) {
    clients.push_back(std::make_unique<Client>(server_->port()));
    ASSERT_TRUE(clients.back()->connected());
    clients.back()->Send("POST", "/v1/chat/completions", ChoiceBody({{"seed", i}}));
  }
  for (const auto& client : clients) EXPECT_THAT(client->ReadAll(), StartsWith("HTTP/1.1 200"));
  // One after the other they would have taken 12 s.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{10});
  const json::value summary = json::parse(service_->ledger().Summary());
  EXPECT_EQ(summary.at("calls"), 400);
  EXPECT_EQ(summary.at("by_status").at("200"), 400);
  EXPECT_EQ(summary.at("unanswered"), 0);
}

TEST_F(SimulatorServerTest, WaitsForTheLatency) {
  config_.mutable_default_model()->mutable_latency()->set_nanos(80'000'000);
  Serve();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(Ask("POST", "/v1/chat/completions", ChoiceBody()), StartsWith("HTTP/1.1 200"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds{80});
}

TEST_F(SimulatorServerTest, StopAnswersWhatIsInFlightAndDropsWhatIsNot) {
  config_.mutable_default_model()->mutable_latency()->set_nanos(150'000'000);
  v1::SimulatedModel* slow = config_.add_models();
  slow->set_match("slow");
  slow->mutable_latency()->set_seconds(3'000);
  Script("hang");
  Serve(2);
  Client quick(server_->port());
  quick.Send("POST", "/v1/chat/completions", ChoiceBody());
  Client hanging(server_->port());
  hanging.Send("POST", "/v1/chat/completions", ChoiceBody({{"user", "hang"}}));
  Client late(server_->port());
  late.Send("POST", "/v1/chat/completions", ChoiceBody({}, "slow"));
  // All three have arrived.
  std::string rows;
  while (std::count(rows.begin(), rows.end(), '\n') < 3) {
    rows.clear();
    service_->ledger().Print(0, 10, &rows);
    std::this_thread::yield();
  }
  server_->Stop(std::chrono::milliseconds{1'000});
  EXPECT_THAT(quick.ReadAll(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(hanging.ReadAll(), "");
  EXPECT_THAT(late.ReadAll(), ::testing::Not(HasSubstr("200 OK")));
}

TEST_F(SimulatorServerTest, SaysWhyItCannotServe) {
  Serve();
  const auto taken = SimulatorServer::Start({.listen = server_->address()}, *service_);
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(taken.status()), HasSubstr(server_->address()));
  EXPECT_EQ(SimulatorServer::Start({.listen = "nonsense"}, *service_).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      Message(SimulatorServer::Start({.listen = "127.0.0.1:0", .threads = 0}, *service_).status()),
      HasSubstr("threads: 0"));
}

}  // namespace
}  // namespace candor::simulator
