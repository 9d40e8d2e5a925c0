#include "cli/limit_page.h"

#include "common/base/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using Groups = google::protobuf::RepeatedPtrField<v1::LimitGroup>;

void AddUse(v1::LimitUse::Dimension dimension, std::int64_t limit, std::int64_t used,
            v1::LimitUse::Source source, v1::LimitGroup& group) {
  v1::LimitUse& use = *group.add_uses();
  use.set_dimension(dimension);
  use.set_limit(limit);
  use.set_used(used);
  use.set_source(source);
}

Groups Busy() {
  Groups groups;
  v1::LimitGroup& group = *groups.Add();
  group.set_name("limitGroups/gpt-5");
  group.set_waiting(12'400);
  AddUse(v1::LimitUse::REQUESTS_PER_MINUTE, 500, 499, v1::LimitUse::LEARNED, group);
  group.mutable_uses(0)->set_remaining(1);
  AddUse(v1::LimitUse::IN_FLIGHT, 200, 64, v1::LimitUse::CONFIGURED, group);
  group.set_waiting_for("limit group \"gpt-5\": 500 requests a minute are in use");
  for (const auto& [reason, seconds] :
       {std::pair{v1::REQUEST_LIMIT, 92}, std::pair{v1::NOTHING, 8}}) {
    v1::WaitTime& wait = *group.add_waits();
    wait.set_reason(reason);
    wait.mutable_time()->set_seconds(seconds);
  }
  return groups;
}

TEST(LimitPageTest, SaysWhatItMayAndDoes) {
  EXPECT_THAT(
      RenderLimits(Busy(), {.width = 120}),
      ElementsAre(
          "gpt-5  12,400 cells wait",
          "  requests a minute         [#########-]          499 / 500   99%  by the provider's "
          "headers  the provider leaves 1",
          "  calls in flight           [###-------]           64 / 200   32%  configured",
          "  waits for: limit group \"gpt-5\": 500 requests a minute are in use",
          "  waited for so far: request limit 92%, nothing 8%"));
}

TEST(LimitPageTest, KeepsToTheWidth) {
  for (const std::size_t width : {48U, 80U}) {
    for (const std::string& line : RenderLimits(Busy(), {.width = width})) {
      EXPECT_LE(Columns(line), width) << line;
    }
  }
}

TEST(LimitPageTest, OneWithoutLimits) {
  Groups groups;
  v1::LimitGroup& group = *groups.Add();
  group.set_name("limitGroups/local");
  group.set_requests_last_minute(1'200);
  group.set_tokens_last_minute(540'000);
  group.set_in_flight(12);
  EXPECT_THAT(RenderLimits(groups, {}),
              ElementsAre("local  idle",
                          "  no limit; 1,200 requests and 540k tokens in the last minute, 12 in "
                          "flight"));
}

TEST(LimitPageTest, ProvidersThatFailAndRefuse) {
  Groups groups = Busy();
  v1::LimitGroup& group = groups[0];
  group.set_circuit(v1::LimitGroup::OPEN);
  group.mutable_circuit_retry_time()->set_seconds(1'700'000'000);
  group.set_ramp(0.4);
  group.set_share(0.5);
  group.set_refusals(3);
  group.set_calls(4'000);
  const auto lines = RenderLimits(groups, {.width = 200});
  EXPECT_THAT(lines[0],
              "gpt-5  12,400 cells wait  50% of the account  rising, now 40% of the limit  the "
              "provider fails; next try at 2023-11-14 22:13:20 UTC  3 of 4,000 calls refused");
}

TEST(LimitPageTest, ATimeThatIsOverIsNotSaid) {
  Groups groups = Busy();
  groups[0].set_circuit(v1::LimitGroup::OPEN);
  EXPECT_THAT(RenderLimits(groups, {.width = 200})[0],
              HasSubstr("the provider fails; the next call looks whether it is back"));
}

TEST(LimitPageTest, FarAboveALimitHasCommas) {
  Groups groups = Busy();
  groups[0].mutable_uses(0)->set_limit(1);
  groups[0].mutable_uses(0)->set_used(1'460);
  EXPECT_THAT(RenderLimits(groups, {.width = 200}), Contains(HasSubstr("146,000%")));
}

TEST(LimitPageTest, LimitsOfACoordinatorThatListsNoUses) {
  Groups groups;
  v1::LimitGroup& group = *groups.Add();
  group.set_name("limitGroups/local");
  group.mutable_limits()->set_requests_per_minute(100);
  group.set_requests_last_minute(50);
  EXPECT_THAT(RenderLimits(groups, {}), Contains(HasSubstr("50 / 100   50%")));
}

TEST(LimitPageTest, None) {
  EXPECT_THAT(RenderLimits({}, {}),
              ElementsAre("No limit groups: the coordinator's configuration has no endpoints."));
}

}  // namespace
}  // namespace candor::cli
