#include "worker/provider/caller.h"

#include "common/base/digest.h"
#include "tests/unit/common/dialect/job.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::provider {
namespace {

namespace asio = boost::asio;
using net::HttpFailure;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using v1::Attempt;

constexpr const char* kKey = "sk-canary-0123456789";

// Answers with what the test says, and keeps the request.
class FakeHttp final : public net::HttpClient {
 public:
  explicit FakeHttp(ManualClock& clock) : clock_(clock) {}
  asio::awaitable<net::HttpResult> Call(net::HttpRequest request) override {
    ++calls;
    last = std::move(request);
    clock_.Advance(std::chrono::milliseconds(1500));
    co_return result;
  }
  net::HttpResult result;
  net::HttpRequest last;
  int calls = 0;

 private:
  ManualClock& clock_;
};

class CallerTest : public ::testing::Test {
 protected:
  CallerTest() : http_(clock_) {
    v1::Config config;
    v1::Endpoint* endpoint = config.add_endpoints();
    endpoint->set_name("local");
    endpoint->set_base_url("https://h/v1");
    endpoint->set_api_key_env("KEY");
    (*endpoint->mutable_headers())["x-extra"] = "yes";
    (*endpoint->mutable_headers())["x-gateway"] = "gateway-password";
    (*endpoint->mutable_query())["token"] = "query-token";
    (*endpoint->mutable_query())["api-version"] = "2024-10-21";
    endpoint->add_models()->set_match("m");
    endpoint->mutable_models(0)->set_system_as("developer");
    endpoint = config.add_endpoints();
    endpoint->set_name("azure");
    endpoint->set_base_url("https://h");
    endpoint->set_api_key_env("KEY");
    endpoint->mutable_auth()->set_header("api-key");
    endpoint = config.add_endpoints();
    endpoint->set_name("anthropic");
    endpoint->set_base_url("https://h/v1");
    endpoint->set_dialect("anthropic");
    endpoint->set_api_key_env("KEY");
    endpoint->add_models()->set_match("m");
    endpoint->mutable_models(0)->set_stream("always");
    (*endpoint->mutable_models(0)->mutable_headers())["anthropic-beta"] = "b1";
    endpoint = config.add_endpoints();
    endpoint->set_name("keyless");
    endpoint->set_base_url("https://h");
    endpoint->set_api_key_env("MISSING");
    endpoints_ = *Endpoints::Create(config, [](const std::string& name) {
      return name == "KEY" ? std::optional<std::string>(kKey) : std::nullopt;
    });
    lease_.set_attempt_id("attempt-1");
    lease_.set_job("jobs/j");
    lease_.mutable_cell()->set_kind(v1::Cell::CHOICE);
    lease_.mutable_cell()->set_index(3);
    Answer(200, R"({"choices":[{"message":{"content":"B"},"finish_reason":"stop"}],
                    "model":"m-2","usage":{"prompt_tokens":90,"completion_tokens":1}})");
  }

  void Answer(int status, std::string body) {
    http_.result = {};
    http_.result.request_bytes_written = true;
    http_.result.status = status;
    http_.result.body = std::move(body);
  }
  void Fail(HttpFailure failure, bool written) {
    http_.result = {};
    http_.result.failure = failure;
    http_.result.text = "what happened";
    http_.result.request_bytes_written = written;
  }

  v1::AttemptReport Call(const v1::JobSpecification& specification = dialect::SmallJob(),
                         TimePoint start_by = TimePoint::max()) {
    asio::io_context io(1);
    Caller caller(*endpoints_, http_, clock_);
    v1::AttemptReport report;
    asio::co_spawn(io, caller.Call(lease_, *dialect::JobRenderer::Create(specification), start_by),
                   [&](const std::exception_ptr& error, v1::AttemptReport result) {
                     EXPECT_FALSE(error);
                     report = std::move(result);
                   });
    io.run();
    return report;
  }

  ManualClock clock_;
  FakeHttp http_;
  std::unique_ptr<Endpoints> endpoints_;
  v1::Lease lease_;
};

TEST_F(CallerTest, TheRequest) {
  Call();
  const net::HttpRequest& request = http_.last;
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.origin.ToString(), "https://h");
  EXPECT_EQ(request.target, "/v1/chat/completions?api-version=2024-10-21&token=query-token");
  EXPECT_EQ(request.headers.Find("content-type"), "application/json");
  EXPECT_EQ(request.headers.Find("authorization"), std::string("Bearer ") + kKey);
  EXPECT_EQ(request.headers.Find("x-client-request-id"), "attempt-1");
  EXPECT_EQ(request.headers.Find("x-extra"), "yes");
  // The rule of the model holds.
  EXPECT_THAT(request.body, HasSubstr(R"("role":"developer")"));
}

TEST_F(CallerTest, AnotherHeaderCarriesTheBareKey) {
  v1::JobSpecification job = dialect::SmallJob();
  job.mutable_entries(0)->set_endpoint("azure");
  Call(job);
  EXPECT_EQ(http_.last.headers.Find("api-key"), kKey);
  EXPECT_EQ(http_.last.headers.Find("authorization"), std::nullopt);
}

TEST_F(CallerTest, AStreamIsReadToItsEnd) {
  v1::JobSpecification job = dialect::SmallJob();
  job.mutable_entries(0)->set_endpoint("anthropic");
  job.mutable_entries(0)->mutable_choices()->mutable_sampling()->set_max_output_tokens(8);
  const std::string stream =
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[],"
      "\"usage\":{\"input_tokens\":90}}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"text\":\"B\"}}\n\n"
      "data: "
      "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\"}}\n\n"
      "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
      "\"usage\":{\"output_tokens\":3}}\n\n";
  Answer(200, stream + "data: {\"type\":\"message_stop\"}\n\n");
  http_.result.headers.Add("Content-Type", "text/event-stream; charset=utf-8");
  const v1::AttemptReport report = Call(job);
  EXPECT_EQ(report.attempt().state(), Attempt::COMPLETED) << report.attempt().error_text();
  EXPECT_EQ(report.outcome().choice(), v1::Outcome::B);
  EXPECT_EQ(report.attempt().usage().input_tokens(), 90);
  EXPECT_EQ(report.attempt().usage().output_tokens(), 3);
  EXPECT_EQ(http_.last.target, "/v1/messages");
  EXPECT_EQ(http_.last.headers.Find("x-api-key"), kKey);
  EXPECT_EQ(http_.last.headers.Find("anthropic-version"), "2023-06-01");
  EXPECT_EQ(http_.last.headers.Find("anthropic-beta"), "b1");
  EXPECT_THAT(http_.last.body, HasSubstr(R"("stream":true)"));

  // Half of it is no reply, but its tokens are paid for.
  Answer(200, stream);
  http_.result.headers.Add("Content-Type", "text/event-stream");
  const v1::AttemptReport cut = Call(job);
  EXPECT_EQ(cut.attempt().state(), Attempt::FAILED);
  EXPECT_EQ(cut.attempt().error_class(), Attempt::MALFORMED_RESPONSE);
  EXPECT_EQ(cut.attempt().usage().input_tokens(), 90);
  EXPECT_FALSE(cut.has_outcome());
}

TEST_F(CallerTest, AStreamMayBeLargeAndItsTextMayNot) {
  v1::JobSpecification job = dialect::SmallJob();
  job.mutable_entries(0)->set_endpoint("anthropic");
  job.mutable_entries(0)->mutable_choices()->mutable_sampling()->set_max_output_tokens(8);
  const std::string piece =
      "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"thinking\":\"" +
      std::string(100'000, 'x') + "\"}}\n\n";
  std::string stream =
      "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
      "\"thinking\"}}\n\n";
  for (int i = 0; i < 11; ++i) stream += piece;
  stream +=
      "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
      "data: {\"type\":\"message_stop\"}\n\n";
  Answer(200, stream);
  http_.result.headers.Add("Content-Type", "text/event-stream");
  const v1::AttemptReport report = Call(job);
  EXPECT_EQ(http_.last.max_response_body_bytes, kMaxStreamBytes);
  EXPECT_EQ(report.attempt().state(), Attempt::UNANSWERED);
  EXPECT_EQ(report.attempt().error_class(), Attempt::MALFORMED_RESPONSE);
  EXPECT_THAT(report.attempt().error_text(), HasSubstr("the text of the reply"));
  EXPECT_FALSE(report.has_outcome());
  Call();
  EXPECT_EQ(http_.last.max_response_body_bytes, kMaxAnswerBytes);
}

TEST_F(CallerTest, AFilteredPromptIsAnOutcome) {
  Answer(400, R"({"error":{"code":"content_filter","message":"filtered","status":400}})");
  const v1::AttemptReport report = Call();
  EXPECT_EQ(report.attempt().state(), Attempt::COMPLETED);
  EXPECT_EQ(report.attempt().http_status(), 400);
  EXPECT_EQ(report.outcome().class_(), v1::Outcome::PROVIDER_BLOCKED);
  EXPECT_EQ(report.outcome().scenario(), "plot");
}

TEST_F(CallerTest, ACompleteReply) {
  http_.result.headers.Add("X-RateLimit-Remaining-Requests", "59");
  http_.result.headers.Add("Set-Cookie", "no");
  http_.result.headers.Add("X-Request-Id", "req_1");
  const WallTime began = clock_.WallNow();
  const v1::AttemptReport report = Call();
  EXPECT_EQ(report.job(), "jobs/j");
  EXPECT_EQ(report.cell().index(), 3U);
  EXPECT_EQ(report.attempt().id(), "attempt-1");
  EXPECT_EQ(report.attempt().state(), Attempt::COMPLETED);
  EXPECT_EQ(report.attempt().error_class(), Attempt::ERROR_CLASS_UNSPECIFIED);
  EXPECT_EQ(report.attempt().http_status(), 200);
  EXPECT_EQ(report.attempt().provider_request_id(), "req_1");
  EXPECT_EQ(report.attempt().usage().input_tokens(), 90);
  EXPECT_EQ(report.attempt().start_time().seconds(),
            std::chrono::duration_cast<std::chrono::seconds>(began.time_since_epoch()).count());
  EXPECT_EQ(report.attempt().latency().seconds(), 1);
  EXPECT_EQ(report.attempt().latency().nanos(), 500'000'000);
  EXPECT_EQ(report.outcome().choice(), v1::Outcome::B);
  EXPECT_EQ(report.outcome().entry(), "base");
  EXPECT_EQ(report.outcome().scenario(), "plot");
  EXPECT_EQ(report.outcome().order(), 1U);
  EXPECT_EQ(report.outcome().served_model(), "m-2");
  EXPECT_EQ(report.outcome().prompt_hash(), Sha256Hex(http_.last.body));
  EXPECT_FALSE(report.has_retry_after());
  ASSERT_EQ(report.limits_size(), 1);
  EXPECT_EQ(report.limits(0).dimension(), v1::LimitUse::REQUESTS_PER_MINUTE);
  EXPECT_EQ(report.limits(0).remaining(), 59);
}

TEST_F(CallerTest, AnError) {
  Answer(429, R"({"error":{"code":"rate_limit_exceeded","message":"slow down"}})");
  http_.result.headers.Add("Retry-After", "1.5");
  const v1::AttemptReport report = Call();
  EXPECT_EQ(report.attempt().state(), Attempt::FAILED);
  EXPECT_EQ(report.attempt().error_class(), Attempt::RATE_LIMITED);
  EXPECT_EQ(report.attempt().error_text(), "slow down");
  EXPECT_EQ(report.attempt().http_status(), 429);
  EXPECT_FALSE(report.has_outcome());
  EXPECT_EQ(report.retry_after().seconds(), 1);
  EXPECT_EQ(report.retry_after().nanos(), 500'000'000);
}

TEST_F(CallerTest, ABrokenReplyKeepsItsUsage) {
  Answer(200, R"({"choices":[],"usage":{"prompt_tokens":5}})");
  const v1::AttemptReport report = Call();
  EXPECT_EQ(report.attempt().state(), Attempt::FAILED);
  EXPECT_EQ(report.attempt().error_class(), Attempt::MALFORMED_RESPONSE);
  EXPECT_EQ(report.attempt().usage().input_tokens(), 5);
  EXPECT_FALSE(report.has_outcome());
}

TEST_F(CallerTest, ARedirectIsNotFollowed) {
  Answer(302, "");
  http_.result.headers.Add("Location", "http://169.254.169.254/latest/meta-data");
  const v1::AttemptReport report = Call();
  EXPECT_EQ(http_.calls, 1);
  EXPECT_EQ(report.attempt().error_class(), Attempt::INVALID_REQUEST);
  EXPECT_THAT(report.attempt().error_text(), HasSubstr("redirects are not followed"));
}

struct FailureCase {
  HttpFailure failure;
  bool written;
  Attempt::State state;
  Attempt::ErrorClass error_class;
};

TEST_F(CallerTest, ConnectionsThatFail) {
  for (const FailureCase& c : {
           FailureCase{HttpFailure::kInvalidRequest, false, Attempt::FAILED,
                       Attempt::INVALID_REQUEST},
           FailureCase{HttpFailure::kResolve, false, Attempt::FAILED, Attempt::CONNECTION},
           FailureCase{HttpFailure::kConnect, false, Attempt::FAILED, Attempt::CONNECTION},
           FailureCase{HttpFailure::kTls, false, Attempt::FAILED, Attempt::CONNECTION},
           FailureCase{HttpFailure::kProxy, false, Attempt::FAILED, Attempt::CONNECTION},
           FailureCase{HttpFailure::kConnectTimeout, false, Attempt::FAILED, Attempt::CONNECTION},
           FailureCase{HttpFailure::kTotalTimeout, false, Attempt::FAILED, Attempt::TIMEOUT},
           FailureCase{HttpFailure::kReset, false, Attempt::FAILED, Attempt::CONNECTION},
           FailureCase{HttpFailure::kReset, true, Attempt::UNANSWERED, Attempt::CONNECTION},
           FailureCase{HttpFailure::kTruncated, true, Attempt::UNANSWERED, Attempt::CONNECTION},
           FailureCase{HttpFailure::kFirstByteTimeout, true, Attempt::UNANSWERED, Attempt::TIMEOUT},
           FailureCase{HttpFailure::kIdleTimeout, true, Attempt::UNANSWERED, Attempt::TIMEOUT},
           FailureCase{HttpFailure::kTotalTimeout, true, Attempt::UNANSWERED, Attempt::TIMEOUT},
           FailureCase{HttpFailure::kMalformed, true, Attempt::UNANSWERED,
                       Attempt::MALFORMED_RESPONSE},
           FailureCase{HttpFailure::kTooLarge, true, Attempt::UNANSWERED,
                       Attempt::MALFORMED_RESPONSE},
       }) {
    Fail(c.failure, c.written);
    const v1::AttemptReport report = Call();
    EXPECT_EQ(report.attempt().state(), c.state) << net::ToString(c.failure);
    EXPECT_EQ(report.attempt().error_class(), c.error_class) << net::ToString(c.failure);
    EXPECT_EQ(report.attempt().error_text(), "what happened");
    EXPECT_TRUE(report.attempt().has_start_time());
    EXPECT_FALSE(report.has_outcome());
  }
}

TEST_F(CallerTest, CancelledCalls) {
  Fail(HttpFailure::kCancelled, true);
  v1::AttemptReport report = Call();
  EXPECT_EQ(report.attempt().state(), Attempt::UNANSWERED);
  EXPECT_TRUE(report.attempt().has_start_time());
  Fail(HttpFailure::kCancelled, false);
  report = Call();
  EXPECT_EQ(report.attempt().state(), Attempt::NOT_SENT);
  EXPECT_FALSE(report.attempt().has_start_time());
}

TEST_F(CallerTest, HandedBackWithoutACall) {
  clock_.Advance(std::chrono::seconds(1));
  v1::AttemptReport report = Call(dialect::SmallJob(), TimePoint(std::chrono::milliseconds(999)));
  EXPECT_EQ(report.attempt().state(), Attempt::NOT_SENT);
  EXPECT_FALSE(report.attempt().has_start_time());

  v1::JobSpecification job = dialect::SmallJob();
  job.mutable_entries(0)->set_endpoint("keyless");
  report = Call(job);
  EXPECT_EQ(report.attempt().state(), Attempt::NOT_SENT);
  EXPECT_EQ(report.attempt().error_text(), "environment variable MISSING is not set");

  job.mutable_entries(0)->set_endpoint("elsewhere");
  report = Call(job);
  EXPECT_EQ(report.attempt().state(), Attempt::NOT_SENT);
  EXPECT_THAT(report.attempt().error_text(), HasSubstr("elsewhere"));
  EXPECT_EQ(http_.calls, 0);
}

TEST_F(CallerTest, WhatCannotBeAskedIsNoCall) {
  lease_.mutable_cell()->set_index(99);
  v1::AttemptReport report = Call();
  EXPECT_EQ(report.attempt().state(), Attempt::FAILED);
  EXPECT_EQ(report.attempt().error_class(), Attempt::INVALID_REQUEST);
  EXPECT_THAT(report.attempt().error_text(), HasSubstr("index: 99"));
  lease_.mutable_cell()->set_entry_index(7);
  report = Call();
  EXPECT_EQ(report.attempt().error_class(), Attempt::INVALID_REQUEST);
  EXPECT_EQ(http_.calls, 0);
}

TEST_F(CallerTest, AGivenTrialIsShown) {
  for (const double value : {2.0, 20.0}) lease_.mutable_trial()->add_a(value);
  for (const double value : {3.0, 30.0}) lease_.mutable_trial()->add_b(value);
  const v1::AttemptReport report = Call();
  EXPECT_EQ(report.outcome().option_b(0).value(), 2.0);
  EXPECT_THAT(http_.last.body, HasSubstr("sunlight: 3.0 hours"));
}

// What an endpoint's headers and parameters say may be a credential, and is no matter of a reply.
TEST_F(CallerTest, HeadersAndParametersAreTakenOutOfErrors) {
  Answer(400, R"({"error":{"message":"gateway-password, query-token, 2024-10-21, yes"}})");
  EXPECT_EQ(Call().attempt().error_text(), "[redacted], [redacted], 2024-10-21, yes");
  Answer(500, std::string(2035, 'x') + "gateway-password");
  EXPECT_THAT(Call().SerializeAsString(), Not(HasSubstr("gateway")));
  Answer(200, R"({"choices":[{"message":{"content":"A query-token."},"finish_reason":"stop"}]})");
  EXPECT_EQ(Call().outcome().raw_text(), "A query-token.");
}

TEST_F(CallerTest, TheKeyIsTakenOutOfWhateverAProviderSays) {
  const std::string key = kKey;
  const std::string said = "you said Bearer " + key + " to me";
  Answer(200, R"({"choices":[{"message":{"content":")" + said + R"(","reasoning":")" + said +
                  R"("},"finish_reason":")" + key + R"("}],"model":")" + key +
                  R"(","system_fingerprint":")" + key + R"("})");
  http_.result.headers.Add("x-ratelimit-echo", said);
  http_.result.headers.Add("x-request-id", key);
  v1::AttemptReport report = Call();
  EXPECT_EQ(report.attempt().state(), Attempt::COMPLETED);
  EXPECT_EQ(report.outcome().raw_text(), "you said Bearer [redacted] to me");
  EXPECT_THAT(report.SerializeAsString(), Not(HasSubstr(key)));
  Answer(401, R"({"error":{"message":"no such key: )" + key + R"("}})");
  report = Call();
  EXPECT_EQ(report.attempt().error_text(), "no such key: [redacted]");
  Answer(500, std::string(100, 'x') + key);
  EXPECT_THAT(Call().SerializeAsString(), Not(HasSubstr(key)));
  // Where the text is cut, no half of it stays.
  for (const std::size_t before : {490U, 2030U, 8180U}) {
    Answer(500, std::string(before, 'x') + key);
    EXPECT_THAT(Call().SerializeAsString(), Not(HasSubstr("sk-canary")));
    Answer(200, std::string(before, 'x') + key);
    EXPECT_THAT(Call().SerializeAsString(), Not(HasSubstr("sk-canary")));
  }
  // Written with escapes.
  Answer(200, R"({"choices":[{"message":{"content":"\u0073k-canary-0123456789"}}]})");
  EXPECT_THAT(Call().SerializeAsString(), Not(HasSubstr(key)));
}

}  // namespace
}  // namespace candor::provider
