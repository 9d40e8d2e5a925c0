#include "worker/http/worker_metrics.h"

#include "common/base/time_proto.h"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace candor::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// A coordinator that is not there, and calls that are never made.
class NoChannels final : public session::WorkerChannelFactory {
  std::unique_ptr<session::WorkerChannel> Open() override { return nullptr; }
};
class NoCalls final : public session::CallRunner {
  void Begin(session::Start, Done) override {}
  void CancelAll() override {}
};

class WorkerMetricsTest : public testing::Test {
 protected:
  WorkerMetricsTest() {
    v1::Config config;
    for (const char* name : {"local", "other"}) {
      v1::Endpoint& endpoint = *config.add_endpoints();
      endpoint.set_name(name);
      endpoint.set_base_url("http://127.0.0.1:1/v1");
      endpoint.set_dialect("openai");
    }
    auto endpoints =
        provider::Endpoints::Create(config, [](const std::string&) { return std::nullopt; });
    EXPECT_TRUE(endpoints.ok()) << endpoints.status();
    endpoints_ = *std::move(endpoints);
    metrics_ = std::make_unique<WorkerMetrics>("0.1.0", *endpoints_);
  }

  const provider::Endpoint& local() const { return *endpoints_->Find("local"); }
  static v1::AttemptReport Report(v1::Attempt::State state, v1::Attempt::ErrorClass error = {}) {
    v1::AttemptReport report;
    report.mutable_attempt()->set_state(state);
    report.mutable_attempt()->set_error_class(error);
    if (state != v1::Attempt::NOT_SENT) {
      *report.mutable_attempt()->mutable_latency() = ToProto(milliseconds(300));
    }
    return report;
  }
  std::string Page() {
    boost::asio::io_context io;
    NoChannels channels;
    NoCalls calls;
    const session::Session session(
        io.get_executor(), {.state = {.slots = 8}}, channels, calls,
        [] { return std::vector<v1::Worker::EndpointService>(); }, clock_);
    std::string page;
    metrics_->CollectFrom(session)(
        [&](const metrics::Families& families) { page = metrics::Text(families); });
    return page;
  }

  ManualClock clock_;
  std::unique_ptr<provider::Endpoints> endpoints_;
  std::unique_ptr<WorkerMetrics> metrics_;
};

TEST_F(WorkerMetricsTest, CallsByResult) {
  for (int i = 0; i < 4; ++i) metrics_->Began(local());
  metrics_->Ended(local(), Report(v1::Attempt::COMPLETED), milliseconds(100));
  metrics_->Ended(local(), Report(v1::Attempt::UNANSWERED, v1::Attempt::TIMEOUT), std::nullopt);
  metrics_->Ended(local(), Report(v1::Attempt::NOT_SENT), std::nullopt);
  const std::string page = Page();
  for (const char* result : {"completed", "timeout", "not_sent"}) {
    EXPECT_THAT(page,
                HasSubstr(fmt::format("candor_calls_total{{endpoint=\"local\",result=\"{}\"}} "
                                      "1\n",
                                      result)));
  }
  EXPECT_THAT(page, HasSubstr("candor_calls_total{endpoint=\"other\",result=\"completed\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("candor_calls_in_flight{endpoint=\"local\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("candor_call_duration_seconds_count{endpoint=\"local\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("candor_call_first_byte_seconds_count{endpoint=\"local\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("candor_call_first_byte_seconds_bucket{endpoint=\"local\",le="
                              "\"0.1\"} 1\n"));
}

TEST_F(WorkerMetricsTest, ThreadsCountTogether) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([this] {
        for (int i = 0; i < 1'000; ++i) {
          metrics_->Began(local());
          metrics_->Ended(local(), Report(v1::Attempt::COMPLETED), milliseconds(1));
        }
      });
    }
  }
  EXPECT_THAT(Page(),
              HasSubstr("candor_calls_total{endpoint=\"local\",result=\"completed\"} 4000\n"));
  EXPECT_THAT(Page(), HasSubstr("candor_calls_in_flight{endpoint=\"local\"} 0\n"));
}

TEST_F(WorkerMetricsTest, TheStreamBeforeItIsThere) {
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("candor_stream_connected 0\n"));
  EXPECT_THAT(page, HasSubstr("candor_reports_unacknowledged 0\n"));
  EXPECT_THAT(page, HasSubstr("candor_worker_slots 8\n"));
  EXPECT_THAT(page,
              HasSubstr("candor_build_info{version=\"0.1.0\",program=\"candor-worker\"} 1\n"));
}

}  // namespace
}  // namespace candor::http
