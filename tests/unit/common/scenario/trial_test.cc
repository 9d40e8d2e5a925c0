#include "common/scenario/trial.h"

#include "common/base/files.h"
#include "common/base/random.h"
#include "tests/unit/common/scenario/testing.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace candor::scenario {
namespace {

namespace json = boost::json;

Trial Draw(const TrialStream& stream, std::uint32_t pair, std::uint32_t order = 0) {
  Trial trial;
  stream.Draw(pair, order, trial);
  return trial;
}

// trial_vectors.json was made by another implementation, trial_vectors.py.
TEST(TrialStream, PublishedVectors) {
  const auto text =
      ReadFile(std::string(CANDOR_SOURCE_DIR) + "/tests/unit/common/scenario/trial_vectors.json");
  ASSERT_TRUE(text.ok()) << text.status();
  const json::value vectors = json::parse(*text);
  ASSERT_GE(vectors.as_array().size(), 8U);
  for (const json::value& vector : vectors.as_array()) {
    SCOPED_TRACE(json::serialize(vector));
    v1::Scenario scenario;
    scenario.set_id(json::value_to<std::string>(vector.at("scenario")));
    for (const json::value& range : vector.at("ranges").as_array()) {
      v1::Attribute* attribute = scenario.add_attributes();
      attribute->set_min(range.at(0).to_number<double>());
      attribute->set_max(range.at(1).to_number<double>());
    }
    const auto seed = vector.at("seed").to_number<std::uint64_t>();
    const auto pair = vector.at("pair").to_number<std::uint32_t>();
    const auto kind =
        vector.at("kind").as_string() == "CHOICE" ? v1::Cell::CHOICE : v1::Cell::SELF_REPORT;
    const auto a = json::value_to<std::vector<double>>(vector.at("a"));
    const auto b = json::value_to<std::vector<double>>(vector.at("b"));
    const auto order = json::value_to<std::vector<std::uint32_t>>(vector.at("shuffled_order"));

    const TrialStream stream(seed, scenario, kind, v1::Job::SHUFFLED);
    EXPECT_EQ(Draw(stream, pair, 0), (Trial{a, b, order}));
    EXPECT_EQ(Draw(stream, pair, 1), (Trial{b, a, order}));
    const TrialStream fixed(seed, scenario, kind, v1::Job::FIXED);
    EXPECT_EQ(Draw(fixed, pair).a, a);
    const auto identity = Draw(fixed, pair).attribute_order;
    EXPECT_TRUE(std::is_sorted(identity.begin(), identity.end()));

    const json::value* candidates = vector.as_object().if_contains("candidates");
    if (candidates == nullptr) continue;
    const CandidateStream candidate_stream(seed, scenario);
    for (const json::value& candidate : candidates->as_array()) {
      std::vector<double> candidate_a;
      std::vector<double> candidate_b;
      candidate_stream.Draw(pair, candidate.at(0).to_number<std::uint32_t>(), candidate_a,
                            candidate_b);
      EXPECT_EQ(candidate_a, json::value_to<std::vector<double>>(candidate.at(1)));
      EXPECT_EQ(candidate_b, json::value_to<std::vector<double>>(candidate.at(2)));
    }
  }
}

TEST(TrialStream, KeepsValuesInRangeAndRounded) {
  const auto scenario = FromText<v1::Scenario>(R"pb(
    id: "edges"
    attributes { name: "a" min: 1.4 max: 20.6 }
    attributes { name: "b" min: -0.3 max: 0.3 }
    attributes { name: "c" min: -4 max: 4 }
  )pb");
  const TrialStream stream(3, scenario, v1::Cell::CHOICE, v1::Job::FIXED);
  bool clamped = false;
  bool zero = false;
  for (std::uint32_t pair = 0; pair < 2'000; ++pair) {
    const Trial trial = Draw(stream, pair);
    for (const double value : {trial.a[0], trial.b[0]}) {
      ASSERT_GE(value, 1.4);
      ASSERT_LE(value, 20.6);
      clamped = clamped || value == 1.4 || value == 20.6;
      ASSERT_TRUE(value == std::floor(value) || value == 1.4 || value == 20.6) << value;
    }
    ASSERT_LE(std::abs(trial.a[1]), 0.3);
    ASSERT_EQ(trial.a[1], RoundToDecimals(trial.a[1], 2));
    zero = zero || trial.a[2] == 0;
    for (const double value : {trial.a[1], trial.a[2], trial.b[2]}) {
      ASSERT_FALSE(value == 0 && std::signbit(value));
    }
  }
  EXPECT_TRUE(clamped);
  EXPECT_TRUE(zero);
}

TEST(TrialStream, DependsOnSeedIdKindAndPairAlone) {
  const auto scenario = GardenPlot();
  auto other_text = scenario;
  other_text.set_question("Another question?");
  other_text.set_role("");
  const auto draw = [](std::uint64_t seed, const v1::Scenario& s, v1::Cell::Kind kind,
                       std::uint32_t pair) {
    return Draw(TrialStream(seed, s, kind, v1::Job::FIXED), pair);
  };
  const Trial base = draw(7, scenario, v1::Cell::CHOICE, 3);
  EXPECT_EQ(draw(7, other_text, v1::Cell::CHOICE, 3), base);
  EXPECT_NE(draw(8, scenario, v1::Cell::CHOICE, 3), base);
  EXPECT_NE(draw(7, GardenPlot("other"), v1::Cell::CHOICE, 3), base);
  EXPECT_NE(draw(7, scenario, v1::Cell::SELF_REPORT, 3), base);
  EXPECT_NE(draw(7, scenario, v1::Cell::CHOICE, 4), base);
}

TEST(TrialStream, EveryAttributeOrderIsAboutEquallyLikely) {
  const TrialStream stream(1, GardenPlot(), v1::Cell::CHOICE, v1::Job::SHUFFLED);
  std::array<int, 27> counts{};
  for (std::uint32_t pair = 0; pair < 6'000; ++pair) {
    const auto order = Draw(stream, pair).attribute_order;
    ++counts[order[0] * 9 + order[1] * 3 + order[2]];
  }
  int orders = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++orders;
    EXPECT_NEAR(count, 1'000, 5 * 29);  // five standard deviations
  }
  EXPECT_EQ(orders, 6);
}

TEST(TrialStream, PlacesExplicitValuesAsTheyAre) {
  const TrialStream stream(1, GardenPlot(), v1::Cell::CHOICE, v1::Job::SHUFFLED);
  const auto values = FromText<v1::ExplicitTrial>("a: [1.23456, 99, -0.5] b: [2, 3, 4]");
  Trial trial;
  ASSERT_TRUE(stream.Place(values, 5, 1, trial).ok());
  EXPECT_EQ(trial.a, (std::vector<double>{2, 3, 4}));
  EXPECT_EQ(trial.b, (std::vector<double>{1.23456, 99, -0.5}));
  EXPECT_EQ(trial.attribute_order, Draw(stream, 5).attribute_order);
}

TEST(TrialStream, RefusesExplicitValuesThatDoNotFit) {
  const TrialStream stream(1, GardenPlot(), v1::Cell::CHOICE, v1::Job::FIXED);
  Trial trial;
  const Status count =
      stream.Place(FromText<v1::ExplicitTrial>("a: [1, 2, 3] b: [1, 2]"), 0, 0, trial);
  EXPECT_THAT(Message(count), testing::HasSubstr("3 values of option A and 2 of option B"));
  const Status finite =
      stream.Place(FromText<v1::ExplicitTrial>("a: [1, 2, 3] b: [1, nan, 2]"), 0, 0, trial);
  EXPECT_THAT(Message(finite), testing::HasSubstr("value 1 of option B is nan"));
  EXPECT_EQ(trial, Trial());
}

TEST(Decimals, FollowsTheRange) {
  EXPECT_EQ(Decimals(0, 5), 0);
  EXPECT_EQ(Decimals(0, 4.999), 1);
  EXPECT_EQ(Decimals(1, 2), 1);
  EXPECT_EQ(Decimals(0, 0.999), 2);
  EXPECT_EQ(Decimals(0, 0.1), 2);
  EXPECT_EQ(Decimals(0, 0.099), 3);
  EXPECT_EQ(Decimals(0, 0.04), 3);
  // The range as a double difference: 0.009 - 0.008 is a little less than 0.001.
  EXPECT_EQ(Decimals(0.008, 0.009), 5);
}

TEST(RoundToDecimals, IsTheCorrectlyRoundedDecimalOfTheBinaryValue) {
  EXPECT_EQ(RoundToDecimals(2.5, 0), 2);
  EXPECT_EQ(RoundToDecimals(3.5, 0), 4);
  EXPECT_EQ(RoundToDecimals(0.125, 2), 0.12);
  EXPECT_EQ(RoundToDecimals(0.375, 2), 0.38);
  EXPECT_EQ(RoundToDecimals(2.675, 2), 2.67);  // the double is below 2.675
  EXPECT_EQ(RoundToDecimals(1e300, 3), 1e300);
}

TEST(RoundToDecimals, AgreesWithTheCLibrary) {
  RandomStream random(1);
  for (int i = 0; i < 20'000; ++i) {
    const double value =
        (random.Uniform() - 0.5) * std::pow(10.0, static_cast<int>(random.Below(8)));
    const int decimals = static_cast<int>(random.Below(6));
    std::array<char, 64> text;
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    ASSERT_EQ(RoundToDecimals(value, decimals), std::strtod(text.data(), nullptr)) << value;
  }
}

// The right sides are what Python 3.11 prints.
TEST(FormatValue, IsPythonsRepr) {
  EXPECT_EQ(FormatValue(67), "67.0");
  EXPECT_EQ(FormatValue(3.2), "3.2");
  EXPECT_EQ(FormatValue(0.0), "0.0");
  EXPECT_EQ(FormatValue(-0.0), "-0.0");
  EXPECT_EQ(FormatValue(-12.75), "-12.75");
  EXPECT_EQ(FormatValue(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(FormatValue(16'000'000), "16000000.0");
  EXPECT_EQ(FormatValue(0.0001), "0.0001");
  EXPECT_EQ(FormatValue(0.00001), "1e-05");
  EXPECT_EQ(FormatValue(0.000012), "1.2e-05");
  EXPECT_EQ(FormatValue(1e15), "1000000000000000.0");
  EXPECT_EQ(FormatValue(9999999999999998.0), "9999999999999998.0");
  EXPECT_EQ(FormatValue(1e16), "1e+16");
  EXPECT_EQ(FormatValue(1.5e300), "1.5e+300");
  EXPECT_EQ(FormatValue(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(FormatValue(std::nan("")), "nan");
}

TEST(FormatValue, ReadsBackAsTheSameDouble) {
  RandomStream random(2);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random.Bits());
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(std::strtod(FormatValue(value).c_str(), nullptr), value);
  }
}

TEST(SetShownValues, FollowsTheOrderShown) {
  v1::Outcome outcome;
  outcome.add_option_a()->set_attribute("stale");
  SetShownValues(GardenPlot(), Trial{{1, 2, 3}, {4, 5, 6}, {2, 0, 1}}, &outcome);
  ASSERT_EQ(outcome.option_a_size(), 3);
  ASSERT_EQ(outcome.option_b_size(), 3);
  EXPECT_EQ(outcome.option_a(0).attribute(), "quiet");
  EXPECT_EQ(outcome.option_a(0).value(), 3);
  EXPECT_EQ(outcome.option_b(2).attribute(), "rent");
  EXPECT_EQ(outcome.option_b(2).value(), 5);
}

}  // namespace
}  // namespace candor::scenario
