// A runner before a provider that says what the test says, and a sink that keeps what it takes.
#pragma once

#include "common/base/time_proto.h"
#include "tests/unit/common/dialect/job.h"
#include "worker/batch/batch_runner.h"
#include "worker/batch/provider_calls.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace candor::batch {

namespace asio = boost::asio;
using v1::Attempt;
using v1::BatchReport;
using v1::BatchTask;

inline constexpr const char* kKey = "sk-canary-0123456789";
inline constexpr const char* kToken = "batches/00000001-0000010000000007";

// Answers each call by what the test says for "METHOD /path", and keeps the calls.
class FakeProvider final : public net::HttpClient {
 public:
  struct Reply {
    int status = 200;
    std::string body;
    net::HttpFailure failure = net::HttpFailure::kNone;
    bool written = true;
  };
  // The first replies in turn, the last one for ever.
  std::map<std::string, std::vector<Reply>> replies;
  std::vector<net::HttpRequest> calls;
  // What each call waits for.
  asio::steady_timer* hold = nullptr;

  asio::awaitable<net::HttpResult> Call(net::HttpRequest request) override {
    const std::string what =
        fmt::format("{} {}", request.method, request.target.substr(0, request.target.find('?')));
    calls.push_back(request);
    if (hold != nullptr) {
      boost::system::error_code ignored;
      co_await hold->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    net::HttpResult result;
    result.request_bytes_written = true;
    auto& queue = replies[what];
    Reply reply{.status = 404, .body = R"({"error":{"message":"no such path"}})"};
    if (!queue.empty()) reply = queue.front();
    if (queue.size() > 1) queue.erase(queue.begin());
    result.failure = reply.failure;
    result.request_bytes_written = reply.written;
    result.text = "what happened";
    if (!result.ok()) co_return result;
    result.status = reply.status;
    if (request.take_body == nullptr || reply.status != 200) {
      result.body = reply.body;
      co_return result;
    }
    // In pieces that end anywhere.
    const std::size_t piece = reply.body.size() > 100'000 ? 65'521 : 7;
    for (std::size_t at = 0; at < reply.body.size(); at += piece) {
      const bool goes_on =
          co_await request.take_body(std::string_view(reply.body).substr(at, piece));
      if (goes_on) continue;
      result.failure = net::HttpFailure::kCancelled;
      co_return result;
    }
    co_return result;
  }
  int Count(std::string_view what) const {
    int count = 0;
    for (const net::HttpRequest& call : calls) {
      const std::string target = call.target.substr(0, call.target.find('?'));
      if (fmt::format("{} {}", call.method, target) == what) ++count;
    }
    return count;
  }
};

class Sink final : public BatchSink {
 public:
  asio::awaitable<bool> Take(v1::AttemptReport report) override {
    if (taken.size() >= most) co_return false;
    taken.push_back(std::move(report));
    co_return true;
  }
  asio::awaitable<bool> Flush() override {
    ++flushes;
    co_return true;
  }
  bool stopped() const override { return stop; }

  std::vector<v1::AttemptReport> taken;
  std::size_t most = SIZE_MAX;
  int flushes = 0;
  bool stop = false;
};

class BatchRunnerTest : public ::testing::Test {
 protected:
  explicit BatchRunnerTest(const std::string& dialect = "openai") {
    v1::Config config;
    v1::Endpoint* endpoint = config.add_endpoints();
    endpoint->set_name("local");
    endpoint->set_base_url("https://h/v1");
    endpoint->set_dialect(dialect);
    endpoint->set_api_key_env("KEY");
    endpoint->add_models()->set_match("*");
    auto endpoints = provider::Endpoints::Create(
        config, [](const std::string&) { return std::optional<std::string>(kKey); });
    EXPECT_TRUE(endpoints.ok()) << endpoints.status();
    if (endpoints.ok()) endpoints_ = *std::move(endpoints);
    start_.job = *dialect::JobRenderer::Create(dialect::SmallJob());
    start_.create_by = clock_.Now() + std::chrono::minutes(5);
    BatchTask& task = start_.task;
    task.set_batch(kToken);
    task.set_job("jobs/j");
    *task.mutable_create_time() = ToProto(clock_.WallNow());
    for (int i = 0; i < 3; ++i) {
      v1::Lease& lease = *task.add_leases();
      lease.set_attempt_id(fmt::format("00000001-{:016x}", i));
      lease.set_job("jobs/j");
      lease.mutable_cell()->set_kind(v1::Cell::CHOICE);
      lease.mutable_cell()->set_index(static_cast<std::uint32_t>(i));
    }
  }
  BatchReport Run(BatchTask::Step step) {
    start_.task.set_step(step);
    asio::io_context io(1);
    const auto runner = MakeBatchRunner(*endpoints_, http_, clock_);
    BatchReport report;
    asio::co_spawn(io, runner->Run(start_, sink_),
                   [&](const std::exception_ptr& error, BatchReport result) {
                     EXPECT_FALSE(error);
                     report = std::move(result);
                   });
    io.run();
    EXPECT_EQ(report.batch(), kToken);
    EXPECT_EQ(report.step(), step);
    EXPECT_THAT(report.DebugString(), ::testing::Not(::testing::HasSubstr(kKey)));
    return report;
  }
  std::string Id(int line) const { return start_.task.leases(line).attempt_id(); }

  ManualClock clock_;
  FakeProvider http_;
  Sink sink_;
  std::unique_ptr<provider::Endpoints> endpoints_;
  BatchStart start_;
};

}  // namespace candor::batch
