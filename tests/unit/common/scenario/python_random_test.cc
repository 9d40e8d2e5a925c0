#include "common/scenario/python_random.h"

#include <gtest/gtest.h>

#include <numeric>

namespace candor::scenario {
namespace {

// method.md, section 6; the others are what Python 3.11 prints.
TEST(PythonRandom, GivesThePublishedWords) {
  PythonRandom random(0);
  EXPECT_EQ(random.Word(), 3626764237U);
  EXPECT_EQ(random.Word(), 1654615998U);
  EXPECT_EQ(random.Word(), 3255389356U);
}

TEST(PythonRandom, GivesThePublishedUniforms) {
  PythonRandom random(2);
  EXPECT_EQ(random.Random(), 0.9560342718892494);
  EXPECT_EQ(random.Random(), 0.9478274870593494);
}

TEST(PythonRandom, ShufflesAsPublished) {
  std::vector<int> items(10);
  std::iota(items.begin(), items.end(), 0);
  PythonRandom(0).Shuffle(items);
  EXPECT_EQ(items, (std::vector<int>{7, 8, 1, 5, 3, 4, 2, 0, 9, 6}));
}

TEST(PythonRandom, ScalesUniforms) {
  EXPECT_EQ(PythonRandom(1).Uniform(-100, 100), -73.12715117751975);
}

TEST(PythonRandom, TakesSeedsOfTwoWords) {
  EXPECT_EQ(PythonRandom(0x100000000).Word(), 485306839U);
  EXPECT_EQ(PythonRandom(9007199254740992).Word(), 2975893306U);
}

TEST(PythonRandom, GoesOnPastItsFirstState) {
  PythonRandom random(0);
  for (int i = 0; i < 1'999; ++i) random.Word();
  EXPECT_EQ(random.Word(), 3908016617U);
}

}  // namespace
}  // namespace candor::scenario
