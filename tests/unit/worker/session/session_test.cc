#include "worker/session/session.h"

#include "tests/unit/common/dialect/job.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>

namespace candor::session {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using v1::Attempt;

// The coordinator's end of one stream: what it says, and what it was told.
struct Wire {
  explicit Wire(asio::io_context& io) : wake(io) {}

  void Say(v1::ConnectResponse message) {
    incoming.push_back(std::move(message));
    wake.cancel();
  }
  // The stream ends: by the coordinator, or because it breaks.
  void End(Status status = absl::OkStatus()) {
    if (!ended) result = std::move(status);
    ended = true;
    wake.cancel();
  }

  asio::steady_timer wake;
  std::deque<v1::ConnectResponse> incoming;
  std::vector<v1::ConnectRequest> outgoing;
  bool ended = false;
  bool writes_done = false;
  bool cancelled = false;
  Status result;
};

class FakeChannel final : public WorkerChannel {
 public:
  explicit FakeChannel(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  asio::awaitable<bool> Read(v1::ConnectResponse* message) override {
    while (wire_->incoming.empty() && !wire_->ended) {
      boost::system::error_code ignored;
      wire_->wake.expires_at(asio::steady_timer::time_point::max());
      co_await wire_->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (wire_->incoming.empty()) co_return false;
    *message = std::move(wire_->incoming.front());
    wire_->incoming.pop_front();
    co_return true;
  }
  asio::awaitable<bool> Write(v1::ConnectRequest* message) override {
    if (wire_->ended) co_return false;
    wire_->outgoing.push_back(*message);
    co_return true;
  }
  asio::awaitable<void> WritesDone() override {
    wire_->writes_done = true;
    wire_->End();
    co_return;
  }
  void Cancel() override {
    wire_->cancelled = true;
    wire_->incoming.clear();
    wire_->End(Cancelled("cancelled"));
  }
  asio::awaitable<Status> Finish() override { co_return wire_->result; }

 private:
  const std::shared_ptr<Wire> wire_;
};

class FakeChannels final : public WorkerChannelFactory {
 public:
  explicit FakeChannels(asio::io_context& io) : io_(io) {}
  std::unique_ptr<WorkerChannel> Open() override {
    wires.push_back(std::make_shared<Wire>(io_));
    return std::make_unique<FakeChannel>(wires.back());
  }
  std::vector<std::shared_ptr<Wire>> wires;

 private:
  asio::io_context& io_;
};

// Calls that end when the test says so.
class FakeCalls final : public CallRunner {
 public:
  void Begin(Start start, Done done) override {
    const std::string id = start.lease.attempt_id();
    calls.emplace(id, std::move(done));
  }
  void CancelAll() override {
    auto ended = std::exchange(calls, {});
    for (auto& [id, done] : ended) done(Report(id, Attempt::UNANSWERED));
  }
  void End(const std::string& id) {
    auto node = calls.extract(id);
    ASSERT_FALSE(node.empty());
    node.mapped()(Report(id, Attempt::COMPLETED));
  }
  std::map<std::string, Done> calls;

 private:
  static v1::AttemptReport Report(const std::string& id, Attempt::State state) {
    v1::AttemptReport report;
    report.mutable_attempt()->set_id(id);
    report.mutable_attempt()->set_state(state);
    return report;
  }
};

class SessionTest : public ::testing::Test {
 protected:
  void Begin(SessionOptions options) {
    options.state = {.worker = "workers/w", .version = "1", .slots = 100};
    options.first_backoff = milliseconds(1);
    options.max_backoff = milliseconds(4);
    session_ = std::make_unique<Session>(
        io_.get_executor(), options, channels_, calls_,
        [] { return std::vector<v1::Worker::EndpointService>(); }, clock_);
    asio::co_spawn(io_, session_->Run(), [this](const std::exception_ptr& error) {
      EXPECT_FALSE(error);
      ended_ = true;
    });
  }
  // Runs until something is so.
  void Until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "did not happen";
      io_.restart();
      io_.run_one_for(milliseconds(100));
    }
  }
  // The latest stream, once it is there and has said Hello.
  Wire& Connected(std::size_t streams) {
    Until([&] { return channels_.wires.size() == streams && !wire().outgoing.empty(); });
    return wire();
  }
  Wire& wire() { return *channels_.wires.back(); }
  Wire& Welcomed(std::size_t streams, std::int64_t term = 1) {
    Connected(streams);
    v1::ConnectResponse message;
    message.mutable_welcome()->set_term(term);
    message.mutable_welcome()->mutable_heartbeat_interval()->set_seconds(1000);
    wire().Say(message);
    v1::ConnectResponse job;
    job.mutable_specification()->set_job("jobs/j");
    job.mutable_specification()->set_data(dialect::SmallJob().SerializeAsString());
    job.mutable_specification()->set_total_size(
        static_cast<std::int64_t>(job.specification().data().size()));
    wire().Say(job);
    return wire();
  }
  void Lease(const std::vector<std::string>& ids) {
    v1::ConnectResponse message;
    message.mutable_leases()->set_term(1);
    for (const std::string& id : ids) {
      v1::Lease* lease = message.mutable_leases()->add_leases();
      lease->set_attempt_id(id);
      lease->set_job("jobs/j");
    }
    wire().Say(message);
  }
  void Acknowledge(const std::vector<std::string>& ids) {
    v1::ConnectResponse message;
    for (const std::string& id : ids) message.mutable_acknowledgement()->add_attempt_ids(id);
    wire().Say(message);
  }
  static void SayDrain(Wire& wire) {
    v1::ConnectResponse message;
    message.mutable_drain()->set_reason("scaled down");
    wire.Say(message);
  }
  static std::vector<std::string> Reports(const Wire& wire) {
    std::vector<std::string> lines;
    for (const v1::ConnectRequest& message : wire.outgoing) {
      for (const v1::AttemptReport& report : message.reports().reports()) {
        lines.push_back(report.attempt().id() + " " +
                        Attempt::State_Name(report.attempt().state()));
      }
    }
    return lines;
  }

  asio::io_context io_{1};
  SystemClock clock_;
  FakeChannels channels_{io_};
  FakeCalls calls_;
  std::unique_ptr<Session> session_;
  bool ended_ = false;
};

TEST_F(SessionTest, LeaseCallReportAcknowledgement) {
  Begin({});
  Wire& wire = Welcomed(1);
  Lease({"a"});
  Until([&] { return calls_.calls.size() == 1; });
  calls_.End("a");
  Until([&] { return Reports(wire).size() == 1; });
  EXPECT_THAT(Reports(wire), ElementsAre("a COMPLETED"));
  Acknowledge({"a"});
  Until([&] { return session_->state().held() == 0; });
}

TEST_F(SessionTest, CallsGoOnAndReportsWaitWhileTheCoordinatorIsAway) {
  Begin({});
  Welcomed(1);
  Lease({"a", "b"});
  Until([&] { return calls_.calls.size() == 2; });
  wire().End(Unavailable("gone"));
  calls_.End("a");
  // Refused a few times.
  for (std::size_t stream = 2; stream <= 4; ++stream) {
    Connected(stream).End(Unavailable("refused"));
  }
  Wire& last = Welcomed(5);
  EXPECT_THAT(last.outgoing[0].hello().held_attempt_ids(), ElementsAre("a", "b"));
  calls_.End("b");
  Until([&] { return Reports(last).size() == 2; });
  EXPECT_THAT(Reports(last), ElementsAre("a COMPLETED", "b COMPLETED"));
}

TEST_F(SessionTest, HealthCountsStreams) {
  Begin({});
  EXPECT_EQ(session_->health().silence, Duration(0));
  Welcomed(1);
  Until([&] { return session_->state().welcomed(); });
  wire().End(Unavailable("gone"));
  Connected(2).End(Unavailable("refused"));
  Welcomed(3);
  Until([&] { return session_->state().welcomed(); });
  const StreamHealth health = session_->health();
  EXPECT_EQ(health.welcomes, 2);
  EXPECT_EQ(health.losses, 2);
}

TEST_F(SessionTest, UnacknowledgedReportsAreSentAgain) {
  Begin({});
  Wire& first = Welcomed(1);
  Lease({"a"});
  Until([&] { return calls_.calls.size() == 1; });
  calls_.End("a");
  Until([&] { return Reports(first).size() == 1; });
  first.End(Unavailable("gone"));
  Wire& second = Welcomed(2);
  Until([&] { return Reports(second).size() == 1; });
  Acknowledge({"a"});
  Until([&] { return session_->state().held() == 0; });
}

TEST_F(SessionTest, ManyReportsShareAMessage) {
  SessionOptions options;
  // So long that only the number brings a message about.
  options.batch_time = std::chrono::hours(1);
  options.batch_size = 10;
  Begin(options);
  Wire& wire = Welcomed(1);
  std::vector<std::string> ids;
  for (int i = 10; i < 40; ++i) ids.push_back(std::to_string(i));
  Lease(ids);
  Until([&] { return calls_.calls.size() == 30; });
  for (const std::string& id : ids) calls_.End(id);
  Until([&] { return Reports(wire).size() == 30; });
  EXPECT_LE(wire.outgoing.size(), 5U);
}

TEST_F(SessionTest, HeartbeatsAtTheInterval) {
  Begin({});
  Connected(1);
  v1::ConnectResponse message;
  message.mutable_welcome()->set_term(1);
  message.mutable_welcome()->mutable_heartbeat_interval()->set_nanos(2'000'000);
  wire().Say(message);
  // The first is due by the default; a draining worker says so at once.
  session_->Drain("test");
  Until([&] { return wire().outgoing.size() > 1 && wire().outgoing.back().has_heartbeat(); });
  EXPECT_TRUE(wire().outgoing.back().heartbeat().draining());
  EXPECT_EQ(wire().outgoing.back().heartbeat().slots(), 100);
}

TEST_F(SessionTest, AnOlderCoordinatorIsLeft) {
  Begin({});
  Welcomed(1, 7);
  Until([&] { return session_->state().term() == 7; });
  wire().End();
  Welcomed(2, 6);
  const auto left = channels_.wires.back();
  Until([&] { return left->cancelled; });
  EXPECT_EQ(Welcomed(3, 7).outgoing[0].hello().term(), 7);
}

TEST_F(SessionTest, WithoutAWelcomeItTriesAgain) {
  SessionOptions options;
  options.welcome_within = milliseconds(5);
  Begin(options);
  Connected(1);
  Until([&] { return channels_.wires.size() >= 2; });
  EXPECT_TRUE(channels_.wires[0]->cancelled);
}

TEST_F(SessionTest, DrainingLetsCallsFinishAndWaitsForAcknowledgement) {
  Begin({});
  Wire& wire = Welcomed(1);
  Lease({"a"});
  Until([&] { return calls_.calls.size() == 1; });
  session_->Drain("asked");
  Lease({"b"});
  Until([&] { return Reports(wire).size() == 1; });
  EXPECT_THAT(Reports(wire), ElementsAre("b NOT_SENT"));
  calls_.End("a");
  Until([&] { return Reports(wire).size() == 2; });
  EXPECT_FALSE(ended_);
  Acknowledge({"a", "b"});
  SayDrain(wire);
  Until([&] { return ended_; });
  EXPECT_TRUE(wire.writes_done);
  EXPECT_FALSE(wire.cancelled);
  EXPECT_EQ(channels_.wires.size(), 1U);
}

TEST_F(SessionTest, AfterTheGraceCallsAreCancelledAndReported) {
  SessionOptions options;
  options.grace = milliseconds(5);
  Begin(options);
  Wire& wire = Welcomed(1);
  Lease({"a"});
  Until([&] { return calls_.calls.size() == 1; });
  SayDrain(wire);
  Until([&] { return Reports(wire).size() == 1; });
  EXPECT_THAT(Reports(wire), ElementsAre("a UNANSWERED"));
  Acknowledge({"a"});
  Until([&] { return ended_; });
}

TEST_F(SessionTest, WithTheCoordinatorAwayDrainingEndsWithTheGrace) {
  SessionOptions options;
  options.acknowledge_within = milliseconds(5);
  options.grace = milliseconds(20);
  Begin(options);
  Welcomed(1);
  Lease({"a"});
  Until([&] { return calls_.calls.size() == 1; });
  wire().End(Unavailable("gone"));
  Connected(2);
  session_->Drain("asked");
  calls_.End("a");
  Until([&] { return ended_; });
  EXPECT_EQ(session_->state().held(), 1U);
}

TEST_F(SessionTest, AnIdleWorkerDrainsOnceTheCoordinatorHasAnswered) {
  Begin({});
  Wire& wire = Welcomed(1);
  Until([&] { return session_->state().welcomed(); });
  session_->Drain("asked");
  // A lease that was on its way is handed back and acknowledged before the end.
  Lease({"a"});
  Until([&] { return Reports(wire).size() == 1; });
  EXPECT_THAT(Reports(wire), ElementsAre("a NOT_SENT"));
  Acknowledge({"a"});
  SayDrain(wire);
  Until([&] { return ended_; });
  EXPECT_TRUE(wire.writes_done);
}

TEST_F(SessionTest, ACoordinatorThatDoesNotAnswerADrainIsNotWaitedForLong) {
  SessionOptions options;
  options.acknowledge_within = milliseconds(5);
  Begin(options);
  Wire& wire = Welcomed(1);
  Until([&] { return session_->state().welcomed(); });
  session_->Drain("asked");
  Until([&] { return ended_; });
  EXPECT_THAT(Reports(wire), IsEmpty());
}

}  // namespace
}  // namespace candor::session
