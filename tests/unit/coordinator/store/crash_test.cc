// Nothing acknowledged is lost and nothing is half there, wherever the process dies.
#include "common/base/random.h"
#include "tests/unit/coordinator/store/crash_harness.h"
#include "tests/unit/coordinator/store/temp_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace candor::store {
namespace {

TEST(CrashTest, KilledTwentyTimesInOneStore) {
  const TempDir parent;
  const std::string directory = parent.path() + "/data";
  RandomStream random(/*key=*/7);
  std::uint32_t batches = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    const auto acks = static_cast<std::uint32_t>(1 + random.Below(8));
    const ChildResult result = RunChild({CANDOR_CRASH_CHILD, directory, "1000000"}, acks);
    ASSERT_TRUE(result.killed) << result.errors;
    ASSERT_GT(result.acknowledged, batches);
    batches = ExpectPrefix(directory, result.acknowledged);
    if (HasFailure()) return;
  }
}

// About thirty points, spread over the whole run of the child; the long test visits all.
TEST(CrashTest, SomeSystemCallsFailOrKill) {
  const std::string why_not = WhyNoStrace();
  if (!why_not.empty()) GTEST_SKIP() << "SKIPPED, NOT PASSED: " << why_not;
  // How often the child was killed, or said that the disk failed or was full: the sweep is one only
  // if its faults hit.
  int killed = 0;
  int failed = 0;
  int full = 0;
  for (const char* call : {"fdatasync", "pwrite64"}) {
    const int calls = CountCalls(call);
    ASSERT_GT(calls, 5);
    int point = 0;
    for (const char* fault : {"signal=SIGKILL", "error=EIO", "error=ENOSPC"}) {
      for (int i = 0; i < 5; ++i) {
        // Fifteen different points, each fault at every third.
        const ChildResult result =
            SweepPoint({call, fault, 1 + (i * 3 + point) * (calls - 1) / 14});
        if (testing::Test::HasFailure()) return;
        killed += result.killed ? 1 : 0;
        failed += result.errors.find("UNAVAILABLE") == 0 ? 1 : 0;
        full += result.errors.find("RESOURCE_EXHAUSTED") == 0 ? 1 : 0;
      }
      ++point;
    }
  }
  EXPECT_GE(killed, 9);
  EXPECT_GE(failed, 6);
  EXPECT_GE(full, 3);
}

}  // namespace
}  // namespace candor::store
