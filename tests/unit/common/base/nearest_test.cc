#include "common/base/nearest.h"

#include <gtest/gtest.h>

#include <string>

namespace candor {
namespace {

TEST(NearestName, FindsTheUsualSlips) {
  const std::vector<std::string> known = {"models", "labels", "seed", "max_attempts"};
  EXPECT_EQ(NearestName("modles", known), "models");
  EXPECT_EQ(NearestName("model", known), "models");
  EXPECT_EQ(NearestName("Lables", known), "labels");
  EXPECT_EQ(NearestName("sed", known), "seed");
  EXPECT_EQ(NearestName("maxAttempts", known), "max_attempts");
}

TEST(NearestName, PrefersTheNearerAndThenTheFirst) {
  EXPECT_EQ(NearestName("option_a", {"option_b", "option_a"}), "option_a");
  EXPECT_EQ(NearestName("option_c", {"option_b", "option_a"}), "option_b");
}

TEST(NearestName, SuggestsNothingRatherThanAnything) {
  EXPECT_EQ(NearestName("zebra", {"models", "labels"}), "");
  EXPECT_EQ(NearestName("", {"a"}), "");
  EXPECT_EQ(NearestName("x", {}), "");
  EXPECT_EQ(NearestName("x", {"y"}), "");
  EXPECT_EQ(NearestName(std::string(1000, 'a'), {std::string(1000, 'a')}), "");
}

TEST(DidYouMean, EndsAnError) {
  EXPECT_EQ(DidYouMean("sede", {"seed"}), "; did you mean 'seed'?");
  EXPECT_EQ(DidYouMean("zebra", {"seed"}), "");
}

}  // namespace
}  // namespace candor
