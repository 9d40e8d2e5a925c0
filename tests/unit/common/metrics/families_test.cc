#include "common/metrics/families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace candor::metrics {
namespace {

using testing::HasSubstr;

TEST(FamiliesTest, AreWrittenInPrometheusFormat) {
  Families families;
  Family workers = Gauge(families, "candor_workers", "Workers by state.");
  workers.Add({{"state", "ready"}}, 3);
  workers.Add({{"state", "away"}}, 0);
  Counter(families, "candor_calls_total", "Calls.").Set(12);
  EXPECT_EQ(Text(families),
            "# HELP candor_workers Workers by state.\n"
            "# TYPE candor_workers gauge\n"
            "candor_workers{state=\"ready\"} 3\n"
            "candor_workers{state=\"away\"} 0\n"
            "# HELP candor_calls_total Calls.\n"
            "# TYPE candor_calls_total counter\n"
            "candor_calls_total 12\n");
}

TEST(FamiliesTest, WhatUsersNameIsEscaped) {
  Families families;
  Gauge(families, "candor_limit_limit", "x").Add({{"limit_group", "a\"b\\c\nd"}}, 1);
  EXPECT_THAT(Text(families), HasSubstr(R"(limit_group="a\"b\\c\nd")"));
}

TEST(FamiliesTest, EnumsInLowerCase) { EXPECT_EQ(LowerCase("RATE_LIMITED"), "rate_limited"); }

TEST(FamiliesTest, BoundsRise) {
  for (const auto& bounds : {CallSeconds(), DiskSeconds()}) {
    EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
  }
}

}  // namespace
}  // namespace candor::metrics
