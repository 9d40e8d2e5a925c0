// Fits in a loop allocate nothing: every allocation of this program is counted.
#include "common/statistics/choice_model.h"
#include "tests/unit/common/statistics/chooser.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace {
std::atomic<int> allocations{0};
}  // namespace

// Eigen takes its memory from malloc, as operator new does, so that is what is counted. Sanitizers
// have a malloc of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCounted = false;
#else
constexpr bool kCounted = true;
extern "C" {
void* __libc_malloc(std::size_t size);
void* malloc(std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
}
#endif

namespace candor::statistics {
namespace {

TEST(AllocationTest, FittingInALoopAllocatesNothing) {
  if (!kCounted) GTEST_SKIP() << "allocations are not counted under a sanitizer";
  std::vector<DrawnScenario> scenarios;
  for (std::uint64_t s = 0; s < 20; ++s) {
    RandomStream random(1, s);
    scenarios.push_back(DrawFromPrior(random, s % 2 == 0 ? 50 : 20, 5, 1));
  }
  ChoiceFitter fitter;
  ChoiceFit fit;
  ASSERT_TRUE(fitter.Fit(scenarios[0].x, scenarios[0].y, {.tau = 1}, &fit).ok());

  const int before_vector = allocations;
  const auto probe = std::make_unique<std::vector<double>>(10);
  const int after_vector = allocations;
  ASSERT_GE(after_vector - before_vector, 2) << "the counter does not count";

  bool ok = true;
  const int before = allocations;
  for (const DrawnScenario& scenario : scenarios) {
    for (const double tau : {1.0, 5.0}) {
      ok = fitter.Fit(scenario.x, scenario.y, {.tau = tau}, &fit).ok() && ok;
    }
  }
  EXPECT_EQ(allocations - before, 0);
  EXPECT_TRUE(ok);
}

}  // namespace
}  // namespace candor::statistics
