#include "common/base/time_proto.h"
#include "coordinator/http/coordinator_metrics.h"
#include "tests/unit/coordinator/engine/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Page(const std::vector<v1::LimitGroup>& groups, WallTime now = {}) {
  metrics::Families families;
  AddLimitGroups(groups, now, families);
  return metrics::Text(families);
}

v1::LimitGroup Group() {
  v1::LimitGroup group;
  group.set_name("limitGroups/g5");
  v1::LimitUse& use = *group.add_uses();
  use.set_dimension(v1::LimitUse::REQUESTS_PER_MINUTE);
  use.set_source(v1::LimitUse::LEARNED);
  use.set_limit(500);
  use.set_used(499);
  return group;
}

TEST(LimitMetricsTest, LimitsAndTheirUse) {
  v1::LimitGroup group = Group();
  const char* labels = "{limit_group=\"g5\",dimension=\"requests_per_minute\",source=\"learned\"}";
  EXPECT_THAT(Page({group}), HasSubstr(fmt::format("candor_limit_limit{} 500\n", labels)));
  EXPECT_THAT(Page({group}), HasSubstr(fmt::format("candor_limit_used{} 499\n", labels)));
  // Without a header nothing is known to remain, which is not 0.
  EXPECT_THAT(Page({group}), Not(HasSubstr("candor_limit_remaining{")));
  group.mutable_uses(0)->set_remaining(0);
  EXPECT_THAT(Page({group}), HasSubstr(fmt::format("candor_limit_remaining{} 0\n", labels)));
}

TEST(LimitMetricsTest, TheCircuitIsInOneState) {
  v1::LimitGroup group = Group();
  EXPECT_THAT(Page({group}),
              HasSubstr("candor_limit_group_circuit{limit_group=\"g5\",state=\"closed\"} 1\n"));
  group.set_circuit(v1::LimitGroup::OPEN);
  EXPECT_THAT(Page({group}),
              HasSubstr("candor_limit_group_circuit{limit_group=\"g5\",state=\"closed\"} 0\n"));
  EXPECT_THAT(Page({group}),
              HasSubstr("candor_limit_group_circuit{limit_group=\"g5\",state=\"open\"} 1\n"));
}

TEST(LimitMetricsTest, BlockedIsTheTimeThatIsLeft) {
  v1::LimitGroup group = Group();
  EXPECT_THAT(Page({group}),
              HasSubstr("candor_limit_group_blocked_seconds{limit_group=\"g5\"} 0\n"));
  group.mutable_blocked_until()->set_seconds(100);
  EXPECT_THAT(Page({group}, WallTime(std::chrono::seconds(70))),
              HasSubstr("candor_limit_group_blocked_seconds{limit_group=\"g5\"} 30\n"));
  EXPECT_THAT(Page({group}, WallTime(std::chrono::seconds(170))),
              HasSubstr("candor_limit_group_blocked_seconds{limit_group=\"g5\"} 0\n"));
}

TEST(LimitMetricsTest, WaitsByReason) {
  v1::LimitGroup group = Group();
  v1::WaitTime& wait = *group.add_waits();
  wait.set_reason(v1::REQUEST_LIMIT);
  wait.mutable_time()->set_seconds(12);
  EXPECT_THAT(Page({group}), HasSubstr("candor_limit_wait_seconds_total{limit_group=\"g5\",reason="
                                       "\"request_limit\"} 12\n"));
}

TEST(EngineMetricsTest, HowEverythingStands) {
  engine::Driver driver;
  driver.Create();
  driver.Connect(1, "workers/a", 4);
  driver.Advance(std::chrono::seconds(3));
  metrics::Families families;
  AddEngine(*driver.engine, driver.instant(), families);
  const std::string page = metrics::Text(families);
  EXPECT_THAT(page, HasSubstr("candor_jobs{state=\"running\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("candor_workers{state=\"ready\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("candor_slots{state=\"free\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("candor_slots{state=\"taken\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("candor_leases 1\n"));
  EXPECT_THAT(page, HasSubstr("candor_worker_heartbeat_age_seconds 3\n"));
  EXPECT_THAT(page, HasSubstr("candor_entry_wait_seconds_total{reason=\"first_call\"} 3\n"));
  EXPECT_THAT(page, Not(HasSubstr("workers/a")));
}

}  // namespace
}  // namespace candor::http
