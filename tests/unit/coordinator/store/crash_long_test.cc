// The sweep of crash_test.cc over every system call of the child.
#include "tests/unit/coordinator/store/crash_harness.h"

#include <gtest/gtest.h>

#include <string>

namespace candor::store {
namespace {

class CrashSweepTest : public testing::TestWithParam<const char*> {};

TEST_P(CrashSweepTest, EveryCallFailsOrKills) {
  const std::string why_not = WhyNoStrace();
  if (!why_not.empty()) GTEST_SKIP() << "SKIPPED, NOT PASSED: " << why_not;
  for (const char* call : {"fdatasync", "pwrite64"}) {
    const int calls = CountCalls(call);
    ASSERT_GT(calls, 5);
    for (int when = 1; when <= calls; ++when) {
      SweepPoint({call, GetParam(), when});
      if (HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, CrashSweepTest,
                         testing::Values("signal=SIGKILL", "error=EIO", "error=ENOSPC"));

}  // namespace
}  // namespace candor::store
