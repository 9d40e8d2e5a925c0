#include "common/metrics/operations_server.h"

#include "common/net/http_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>

namespace candor::metrics {
namespace {

using testing::HasSubstr;

class OperationsServerTest : public testing::Test {
 protected:
  // The answer to one request, on a server of these operations.
  net::HttpResult Get(Operations operations, const std::string& target,
                      const std::string& method = "GET") {
    auto server = ServeOperations(io_, "127.0.0.1:0", std::move(operations));
    EXPECT_TRUE(server.ok());
    const auto client = net::MakeHttpClient(io_);
    net::HttpResult result;
    net::HttpRequest request;
    request.method = method;
    request.origin = {.host = "127.0.0.1", .port = (*server)->port(), .ca_file = {}};
    request.target = target;
    boost::asio::co_spawn(io_, client->Call(std::move(request)),
                          [&](const std::exception_ptr&, net::HttpResult got) {
                            result = std::move(got);
                            io_.stop();
                          });
    io_.run();
    io_.restart();
    return result;
  }

  Operations operations_{.ready = [] { return true; },
                         .collect =
                             [](SendFamilies send) {
                               Families families;
                               Gauge(families, "candor_things", "Things.").Set(7);
                               send(std::move(families));
                             }};
  boost::asio::io_context io_{1};
};

TEST_F(OperationsServerTest, Lives) { EXPECT_EQ(Get(operations_, "/healthz/live").status, 200); }

TEST_F(OperationsServerTest, IsReadyWhenItSaysSo) {
  EXPECT_EQ(Get(operations_, "/healthz/ready").status, 200);
  operations_.ready = [] { return false; };
  EXPECT_EQ(Get(operations_, "/healthz/ready").status, 503);
}

TEST_F(OperationsServerTest, ShowsMetricsWithThoseOfTheProcess) {
  const net::HttpResult page = Get(operations_, "/metrics?x=1");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.Find("content-type"), kTextType);
  EXPECT_THAT(page.body, HasSubstr("\ncandor_things 7\n"));
  EXPECT_THAT(page.body, HasSubstr("\nprocess_cpu_seconds_total "));
  EXPECT_TRUE(page.first_byte.has_value());
}

TEST_F(OperationsServerTest, MetricsMayComeFromAnotherThread) {
  std::jthread other;
  operations_.collect = [&other](SendFamilies send) {
    other = std::jthread([send = std::move(send)]() mutable { send({}); });
  };
  EXPECT_THAT(Get(operations_, "/metrics").body, HasSubstr("process_open_fds"));
}

TEST_F(OperationsServerTest, WhoForgetsToSendGets500) {
  operations_.collect = [](const SendFamilies&) {};
  EXPECT_EQ(Get(operations_, "/metrics").status, 500);
}

TEST_F(OperationsServerTest, NothingElse) {
  EXPECT_EQ(Get(operations_, "/").status, 404);
  EXPECT_THAT(Get(operations_, "/metric").body, HasSubstr("/metrics"));
  EXPECT_EQ(Get(operations_, "/metrics", "POST").status, 405);
}

}  // namespace
}  // namespace candor::metrics
