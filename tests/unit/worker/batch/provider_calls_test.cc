#include "worker/batch/provider_calls.h"

#include "tests/unit/worker/batch/batch_fixture.h"

#include <gtest/gtest.h>

namespace candor::batch {
namespace {

// As a live call's failure would be: see CallerTest.
TEST_F(BatchRunnerTest, FailedConnectionsAreTold) {
  struct Case {
    net::HttpFailure failure;
    Attempt::ErrorClass error_class;
  };
  start_.task.set_provider_batch("batch_1");
  for (const Case& one : {Case{net::HttpFailure::kConnectTimeout, Attempt::CONNECTION},
                          Case{net::HttpFailure::kTls, Attempt::CONNECTION},
                          Case{net::HttpFailure::kFirstByteTimeout, Attempt::TIMEOUT},
                          Case{net::HttpFailure::kTooLarge, Attempt::MALFORMED_RESPONSE},
                          Case{net::HttpFailure::kInvalidRequest, Attempt::INVALID_REQUEST}}) {
    http_.replies["GET /v1/batches/batch_1"] = {{.failure = one.failure}};
    const BatchReport report = Run(BatchTask::POLL);
    EXPECT_EQ(report.state(), BatchReport::STATE_UNSPECIFIED);
    EXPECT_EQ(report.error_class(), one.error_class);
  }
}

}  // namespace
}  // namespace candor::batch
