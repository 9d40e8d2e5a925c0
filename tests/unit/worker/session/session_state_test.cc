#include "worker/session/session_state.h"

#include "tests/unit/common/dialect/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using v1::Attempt;

const TimePoint kNow{std::chrono::seconds(100)};

class SessionStateTest : public ::testing::Test {
 protected:
  SessionStateTest() : state_({.worker = "workers/w", .version = "1", .slots = 3}) {}

  Status Receive(v1::ConnectResponse message) {
    return state_.Receive(std::move(message), kNow, &starts_);
  }
  Status Welcome(std::int64_t term, std::vector<std::string> unknown = {}) {
    v1::ConnectResponse message;
    message.mutable_welcome()->set_term(term);
    for (auto& id : unknown) message.mutable_welcome()->add_unknown_attempt_ids(std::move(id));
    return Receive(message);
  }
  // The specification of "jobs/j", in pieces of `piece` bytes.
  Status SendJob(std::size_t piece = 100'000) {
    const std::string data = dialect::SmallJob().SerializeAsString();
    for (std::size_t at = 0; at < data.size(); at += piece) {
      v1::ConnectResponse message;
      v1::SpecificationChunk* chunk = message.mutable_specification();
      chunk->set_job("jobs/j");
      chunk->set_offset(static_cast<std::int64_t>(at));
      chunk->set_total_size(static_cast<std::int64_t>(data.size()));
      chunk->set_data(data.substr(at, piece));
      if (const Status status = Receive(message); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  Status Lease(const std::vector<std::string>& ids, std::int64_t term = 1) {
    v1::ConnectResponse message;
    message.mutable_leases()->set_term(term);
    for (const std::string& id : ids) {
      v1::Lease* lease = message.mutable_leases()->add_leases();
      lease->set_attempt_id(id);
      lease->set_job("jobs/j");
      lease->mutable_cell()->set_kind(v1::Cell::CHOICE);
    }
    return Receive(message);
  }
  Status Acknowledge(const std::vector<std::string>& ids) {
    v1::ConnectResponse message;
    for (const std::string& id : ids) message.mutable_acknowledgement()->add_attempt_ids(id);
    return Receive(message);
  }
  void Finish(const std::string& id, std::size_t text_bytes = 0) {
    v1::AttemptReport report;
    report.mutable_attempt()->set_id(id);
    report.mutable_attempt()->set_state(Attempt::COMPLETED);
    report.mutable_outcome()->set_raw_text(std::string(text_bytes, 'x'));
    state_.Finish(std::move(report));
  }
  // A stream that was welcomed and knows the job.
  void Connect() {
    state_.Open({});
    ASSERT_TRUE(Welcome(1).ok());
    ASSERT_TRUE(SendJob().ok());
  }
  std::vector<std::string> Started() {
    std::vector<std::string> ids;
    for (const Start& start : starts_) ids.push_back(start.lease.attempt_id());
    starts_.clear();
    return ids;
  }
  // Id and state of the reports of the next message.
  std::vector<std::string> Reports() {
    std::vector<std::string> lines;
    if (state_.unsent() == 0) return lines;
    v1::ConnectRequest message = state_.TakeReports();
    for (const v1::AttemptReport& report : message.reports().reports()) {
      lines.push_back(report.attempt().id() + " " + Attempt::State_Name(report.attempt().state()));
      last_text_ = report.attempt().error_text();
    }
    state_.KeepReports(&message);
    return lines;
  }

  SessionState state_;
  std::vector<Start> starts_;
  std::string last_text_;
};

// R7: limits count on a start within the time from the sending, also by a worker that was stopped.
TEST_F(SessionStateTest, LeasesThatAreReadTooLateEndTheStream) {
  state_.Open({});
  v1::ConnectResponse welcome;
  welcome.mutable_welcome()->set_term(1);
  welcome.mutable_welcome()->mutable_send_clock()->set_seconds(100);
  TimePoint now(std::chrono::seconds(5));
  std::vector<Start> starts;
  ASSERT_TRUE(state_.Receive(welcome, now, &starts).ok());
  ASSERT_TRUE(SendJob().ok());
  v1::ConnectResponse leases;
  leases.mutable_leases()->set_term(1);
  leases.mutable_leases()->mutable_send_clock()->set_seconds(101);
  auto* lease = leases.mutable_leases()->add_leases();
  lease->set_attempt_id("a");
  lease->set_job("jobs/j");
  lease->mutable_cell()->set_kind(v1::Cell::CHOICE);

  // 100 ms later than usual: what is left of the 250 ms counts.
  now += std::chrono::milliseconds(1100);
  ASSERT_TRUE(state_.Receive(leases, now, &starts).ok());
  ASSERT_EQ(starts.size(), 1U);
  EXPECT_NEAR((starts[0].start_by - now).count(), 150'000, 1'000);

  // 2 s later than usual: too late to start.
  leases.mutable_leases()->mutable_leases(0)->set_attempt_id("b");
  now += std::chrono::milliseconds(1900);
  EXPECT_TRUE(absl::IsUnavailable(state_.Receive(leases, now, &starts)));
  EXPECT_EQ(starts.size(), 1U);
  // It was never held: the next Hello says so, and the coordinator grants it anew.
  state_.Close();
  EXPECT_THAT(state_.Open({}).hello().held_attempt_ids(), ElementsAre("a"));
}

TEST_F(SessionStateTest, HelloSaysWhatIsHeldAndServed) {
  v1::Worker::EndpointService service;
  service.set_endpoint("local");
  service.set_served(true);
  const v1::Hello first = state_.Open({service}).hello();
  EXPECT_EQ(first.worker(), "workers/w");
  EXPECT_EQ(first.version(), "1");
  EXPECT_EQ(first.slots(), 3);
  EXPECT_EQ(first.term(), 0);
  EXPECT_FALSE(first.draining());
  ASSERT_EQ(first.endpoints_size(), 1);
  EXPECT_EQ(first.endpoints(0).endpoint(), "local");
  EXPECT_THAT(first.held_attempt_ids(), IsEmpty());

  Connect();
  ASSERT_TRUE(Lease({"b", "a"}, 4).ok());
  Finish("a");
  state_.Drain();
  state_.Close();
  const v1::Hello second = state_.Open({}).hello();
  EXPECT_THAT(second.held_attempt_ids(), ElementsAre("a", "b"));
  EXPECT_EQ(second.term(), 4);
  EXPECT_TRUE(second.draining());
}

TEST_F(SessionStateTest, LeasesBecomeCallsThatStartInTime) {
  state_.Open({});
  v1::ConnectResponse message;
  message.mutable_welcome()->set_term(1);
  message.mutable_welcome()->mutable_start_within()->set_nanos(100'000'000);
  message.mutable_welcome()->mutable_heartbeat_interval()->set_seconds(2);
  ASSERT_TRUE(Receive(message).ok());
  EXPECT_EQ(state_.heartbeat_interval(), std::chrono::seconds(2));
  ASSERT_TRUE(SendJob(7).ok());
  ASSERT_TRUE(Lease({"a", "b"}).ok());
  ASSERT_THAT(starts_, SizeIs(2));
  EXPECT_EQ(starts_[0].lease.attempt_id(), "a");
  EXPECT_EQ(starts_[0].start_by, kNow + std::chrono::milliseconds(100));
  EXPECT_EQ(starts_[0].job->specification().job(), "jobs/j");
  EXPECT_EQ(state_.calling(), 2U);
  EXPECT_EQ(state_.held(), 2U);
}

TEST_F(SessionStateTest, ASlotIsFreeOnAcknowledgementAndNotBefore) {
  Connect();
  ASSERT_TRUE(Lease({"a", "b", "c"}).ok());
  EXPECT_THAT(Started(), SizeIs(3));
  Finish("a");
  EXPECT_THAT(Reports(), ElementsAre("a COMPLETED"));
  ASSERT_TRUE(Lease({"d"}).ok());
  EXPECT_THAT(Started(), IsEmpty());
  EXPECT_THAT(Reports(), ElementsAre("d NOT_SENT"));
  EXPECT_THAT(last_text_, HasSubstr("all slots"));
  ASSERT_TRUE(Acknowledge({"a", "d"}).ok());
  ASSERT_TRUE(Lease({"e"}).ok());
  EXPECT_THAT(Started(), ElementsAre("e"));
}

TEST_F(SessionStateTest, ReportsAreSentOnceAStreamUntilAcknowledged) {
  Connect();
  ASSERT_TRUE(Lease({"a", "b", "c"}).ok());
  Finish("b");
  Finish("a");
  EXPECT_THAT(Reports(), ElementsAre("b COMPLETED", "a COMPLETED"));
  EXPECT_EQ(state_.unsent(), 0U);
  ASSERT_TRUE(Acknowledge({"b"}).ok());
  state_.Close();
  Finish("c");
  // Not before the Welcome of the next stream.
  EXPECT_EQ(state_.unsent(), 0U);
  state_.Open({});
  EXPECT_EQ(state_.unsent(), 0U);
  ASSERT_TRUE(Welcome(1).ok());
  EXPECT_THAT(Reports(), ElementsAre("a COMPLETED", "c COMPLETED"));
  ASSERT_TRUE(Acknowledge({"a", "c", "nobody"}).ok());
  EXPECT_EQ(state_.held(), 0U);
  state_.Close();
  state_.Open({});
  ASSERT_TRUE(Welcome(1).ok());
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(SessionStateTest, ReportsOnTheirWayMayBeAcknowledgedMeanwhile) {
  Connect();
  ASSERT_TRUE(Lease({"a", "b"}).ok());
  Finish("a", 5);
  Finish("b", 7);
  v1::ConnectRequest message = state_.TakeReports();
  EXPECT_EQ(message.reports().reports_size(), 2);
  ASSERT_TRUE(Acknowledge({"a"}).ok());
  EXPECT_EQ(state_.held(), 1U);
  state_.KeepReports(&message);
  EXPECT_EQ(state_.held(), 1U);
  v1::ConnectRequest heartbeat = state_.Heartbeat();
  state_.KeepReports(&heartbeat);
  // The other one is whole when the next stream needs it.
  state_.Close();
  state_.Open({});
  ASSERT_TRUE(Welcome(1).ok());
  const v1::ConnectRequest again = state_.TakeReports();
  ASSERT_EQ(again.reports().reports_size(), 1);
  EXPECT_EQ(again.reports().reports(0).attempt().id(), "b");
  EXPECT_EQ(again.reports().reports(0).outcome().raw_text().size(), 7U);
}

TEST_F(SessionStateTest, OfUnknownLeasesOnlyCallsAreReported) {
  Connect();
  ASSERT_TRUE(Lease({"under_way", "done"}).ok());
  Finish("done");
  state_.Drain();
  ASSERT_TRUE(Lease({"never_begun"}).ok());
  state_.Close();
  state_.Open({});
  ASSERT_TRUE(Welcome(2, {"under_way", "done", "never_begun", "stranger"}).ok());
  EXPECT_THAT(Reports(), ElementsAre("done COMPLETED"));
  Finish("under_way");
  EXPECT_THAT(Reports(), ElementsAre("under_way COMPLETED"));
  EXPECT_EQ(state_.held(), 2U);
}

TEST_F(SessionStateTest, RefusesAnOlderCoordinator) {
  Connect();
  ASSERT_TRUE(Lease({"a"}, 5).ok());
  EXPECT_EQ(Lease({"b"}, 4).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Started(), ElementsAre("a"));
  state_.Close();
  state_.Open({});
  const Status status = Welcome(4);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("term 4, but one of term 5"));
  EXPECT_FALSE(state_.welcomed());
  state_.Close();
  state_.Open({});
  EXPECT_TRUE(Welcome(5).ok());
}

TEST_F(SessionStateTest, ARepeatedLeaseIsOneCall) {
  Connect();
  ASSERT_TRUE(Lease({"a", "a"}).ok());
  ASSERT_TRUE(Lease({"a"}).ok());
  EXPECT_THAT(Started(), ElementsAre("a"));
  Finish("a");
  Finish("a");
  ASSERT_TRUE(Lease({"a"}).ok());
  EXPECT_THAT(Reports(), ElementsAre("a COMPLETED"));
  EXPECT_EQ(state_.calling(), 0U);
}

TEST_F(SessionStateTest, AnAcknowledgementOfAnUnfinishedCallIsNone) {
  Connect();
  ASSERT_TRUE(Lease({"a"}).ok());
  ASSERT_TRUE(Acknowledge({"a"}).ok());
  EXPECT_EQ(state_.held(), 1U);
  Finish("a");
  EXPECT_THAT(Reports(), ElementsAre("a COMPLETED"));
}

TEST_F(SessionStateTest, WithoutTheSpecificationALeaseGoesBack) {
  state_.Open({});
  ASSERT_TRUE(Welcome(1).ok());
  ASSERT_TRUE(Lease({"a"}).ok());
  EXPECT_THAT(Reports(), ElementsAre("a NOT_SENT"));
  EXPECT_THAT(last_text_, HasSubstr("specification"));
  ASSERT_TRUE(SendJob().ok());
  ASSERT_TRUE(Lease({"b"}).ok());
  EXPECT_THAT(Started(), ElementsAre("b"));
  v1::ConnectResponse forget;
  forget.mutable_forget_jobs()->add_jobs("jobs/j");
  ASSERT_TRUE(Receive(forget).ok());
  ASSERT_TRUE(Lease({"c"}).ok());
  EXPECT_THAT(Reports(), ElementsAre("c NOT_SENT"));
  // A new stream brings the specifications anew.
  state_.Close();
  state_.Open({});
  ASSERT_TRUE(Welcome(1).ok());
  ASSERT_TRUE(SendJob().ok());
  ASSERT_TRUE(Acknowledge({"a", "c"}).ok());
  ASSERT_TRUE(Lease({"d"}).ok());
  EXPECT_THAT(Started(), ElementsAre("d"));
}

TEST_F(SessionStateTest, ASpecificationThatCannotBeUsedFailsItsCells) {
  state_.Open({});
  ASSERT_TRUE(Welcome(1).ok());
  v1::ConnectResponse message;
  v1::SpecificationChunk* chunk = message.mutable_specification();
  chunk->set_job("jobs/j");
  chunk->set_total_size(3);
  chunk->set_data("\xFF\xFF\xFF");
  ASSERT_TRUE(Receive(message).ok());
  ASSERT_TRUE(Lease({"a"}).ok());
  EXPECT_THAT(Reports(), ElementsAre("a FAILED"));
  EXPECT_THAT(last_text_, HasSubstr("(version 1) cannot use the job's specification"));
}

TEST_F(SessionStateTest, PiecesInTheWrongPlaceEndTheStream) {
  for (const int offset : {1, 2, 5}) {
    state_.Open({});
    ASSERT_TRUE(Welcome(1).ok());
    v1::ConnectResponse message;
    v1::SpecificationChunk* chunk = message.mutable_specification();
    chunk->set_job("jobs/j");
    chunk->set_total_size(6);
    chunk->set_data("abc");
    ASSERT_TRUE(Receive(message).ok());
    chunk->set_offset(offset);
    EXPECT_EQ(Receive(message).code(), absl::StatusCode::kInvalidArgument) << offset;
    state_.Close();
  }
  state_.Open({});
  ASSERT_TRUE(Welcome(1).ok());
  v1::ConnectResponse message;
  message.mutable_specification()->set_total_size(kMaxSpecificationBytes + 1);
  EXPECT_THAT(Message(Receive(message)), HasSubstr("at most"));
}

TEST_F(SessionStateTest, NothingBeforeTheWelcomeAndNoSecondOne) {
  state_.Open({});
  EXPECT_EQ(Lease({"a"}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Started(), IsEmpty());
  ASSERT_TRUE(Welcome(1).ok());
  EXPECT_EQ(Welcome(1).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SessionStateTest, DrainingHandsLeasesBack) {
  Connect();
  ASSERT_TRUE(Lease({"a"}).ok());
  v1::ConnectResponse drain;
  drain.mutable_drain()->set_reason("scaled down");
  ASSERT_TRUE(Receive(drain).ok());
  EXPECT_TRUE(state_.draining());
  EXPECT_EQ(state_.drain_reason(), "scaled down");
  EXPECT_TRUE(state_.Heartbeat().heartbeat().draining());
  ASSERT_TRUE(Lease({"b"}).ok());
  EXPECT_THAT(Reports(), ElementsAre("b NOT_SENT"));
  Finish("a");
  EXPECT_THAT(Reports(), ElementsAre("a COMPLETED"));
}

TEST_F(SessionStateTest, AFloodOfLeasesEndsTheStream) {
  Connect();
  std::vector<std::string> ids;
  for (int i = 0; i < 20'000; ++i) ids.push_back(std::to_string(i));
  EXPECT_EQ(Lease(ids).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(state_.held(), 0U);
}

TEST_F(SessionStateTest, MessagesOfReportsAreAtMostOneMegabyte) {
  SessionState state({.worker = "workers/w", .version = "1", .slots = 30});
  state.Open({});
  v1::ConnectResponse message;
  message.mutable_welcome()->set_term(1);
  ASSERT_TRUE(state.Receive(message, kNow, &starts_).ok());
  v1::ConnectResponse job;
  job.mutable_specification()->set_job("jobs/j");
  job.mutable_specification()->set_data(dialect::SmallJob().SerializeAsString());
  job.mutable_specification()->set_total_size(
      static_cast<std::int64_t>(job.specification().data().size()));
  ASSERT_TRUE(state.Receive(job, kNow, &starts_).ok());
  v1::ConnectResponse leases;
  leases.mutable_leases()->set_term(1);
  for (int i = 0; i < 30; ++i) {
    v1::Lease* lease = leases.mutable_leases()->add_leases();
    lease->set_attempt_id(std::to_string(i));
    lease->set_job("jobs/j");
  }
  ASSERT_TRUE(state.Receive(leases, kNow, &starts_).ok());
  for (int i = 0; i < 30; ++i) {
    v1::AttemptReport report;
    report.mutable_attempt()->set_id(std::to_string(i));
    // One is larger than a message.
    report.mutable_outcome()->set_raw_text(std::string(i == 7 ? 2 << 20 : 200'000, 'x'));
    state.Finish(std::move(report));
  }
  int reports = 0;
  int messages = 0;
  while (state.unsent() > 0) {
    const v1::ConnectRequest next = state.TakeReports();
    ++messages;
    reports += next.reports().reports_size();
    if (next.reports().reports_size() > 1) {
      EXPECT_LE(next.ByteSizeLong(), kMaxMessageBytes);
    }
  }
  EXPECT_EQ(reports, 30);
  EXPECT_GT(messages, 5);
  EXPECT_LT(messages, 12);
}

}  // namespace
}  // namespace candor::session
