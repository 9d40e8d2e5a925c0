#include "coordinator/service/grpc_status.h"

#include "google/rpc/error_details.pb.h"

#include <gtest/gtest.h>

namespace candor::service {
namespace {

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

TEST(GrpcStatus, KeepsCodeAndMessage) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  const grpc::Status status = ToGrpc(NotFound("there is no job \"{}\"", "jobs/x"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "there is no job \"jobs/x\"");
}

TEST(GrpcStatus, SaysWhenToTryAgain) {
  const auto details = Details(ToGrpc(Unavailable("busy"), std::chrono::milliseconds(1500)));
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(0).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST(GrpcStatus, NamesEveryField) {
  EXPECT_TRUE(ToGrpc(FieldViolations{}).ok());
  const grpc::Status status =
      ToGrpc(FieldViolations{{"job.seed", "is too large"}, {"job.models", "is empty"}});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::BadRequest bad;
  ASSERT_TRUE(Details(status).details(0).UnpackTo(&bad));
  ASSERT_EQ(bad.field_violations_size(), 2);
  EXPECT_EQ(bad.field_violations(1).field(), "job.models");
  EXPECT_EQ(bad.field_violations(1).description(), "is empty");
}

}  // namespace
}  // namespace candor::service
