#include "common/base/violations.h"

#include <gtest/gtest.h>

namespace candor {
namespace {

TEST(ToStatus, IsOkWithoutViolations) { EXPECT_TRUE(ToStatus({}).ok()); }

TEST(ToStatus, HasALineForEach) {
  const Status status = ToStatus({{"job.seed", "is wrong"}, {"job.models", "is empty"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status), "job.seed: is wrong\njob.models: is empty");
}

TEST(ToStatus, CountsWhatItDoesNotShow) {
  const Status status = ToStatus(FieldViolations(25, {"f", "d"}));
  EXPECT_NE(Message(status).find("and 5 more"), std::string::npos);
}

}  // namespace
}  // namespace candor
