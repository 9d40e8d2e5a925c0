#include "cli/numbers.h"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace candor::cli {
namespace {

using testing::HasSubstr;

struct Numbers {
  int whole = -1;
  std::optional<std::int64_t> maybe;
  std::size_t natural = 7;
  double real = 0;
  std::string text;
};

// An app with an option of each kind of number, that of `whole` in a subcommand.
Numbers Read(std::vector<std::string> arguments, std::string* error = nullptr) {
  Numbers numbers;
  CLI::App app("app");
  CLI::App* command = app.add_subcommand("go");
  command->add_option("--whole", numbers.whole)->option_text("N")->check(CLI::Range(-100, 100));
  app.add_option("--maybe", numbers.maybe)->option_text("N");
  app.add_option("--natural", numbers.natural);
  app.add_option("--real", numbers.real);
  app.add_option("--text", numbers.text);
  ReadNumbersInDecimal(app);
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& wrong) {
    if (error == nullptr) {
      ADD_FAILURE() << wrong.what();
    } else {
      *error = wrong.what();
    }
  }
  return numbers;
}

std::string Refusal(std::vector<std::string> arguments) {
  std::string error;
  Read(std::move(arguments), &error);
  return error;
}

TEST(NumbersTest, AreDecimalWhateverTheyBeginWith) {
  EXPECT_EQ(Read({"go", "--whole", "010"}).whole, 10);
  EXPECT_EQ(Read({"go", "--whole", "-010"}).whole, -10);
  EXPECT_EQ(Read({"go", "--whole", "+8"}).whole, 8);
  EXPECT_EQ(Read({"go", "--whole", "00"}).whole, 0);
  EXPECT_EQ(Read({"--maybe", "0900"}).maybe, 900);
  EXPECT_EQ(Read({"--maybe", "9223372036854775807"}).maybe, INT64_MAX);
  EXPECT_EQ(Read({"--natural", "0012"}).natural, 12U);
  EXPECT_EQ(Read({"--natural", "1e4"}).natural, 10'000U);
  EXPECT_EQ(Read({"--real", "010.5"}).real, 10.5);
  EXPECT_EQ(Read({"--real", "1e3"}).real, 1000);
  EXPECT_EQ(Read({"--text", "010"}).text, "010");
}

TEST(NumbersTest, WhatIsNoDecimalNumberIsRefused) {
  EXPECT_THAT(Refusal({"go", "--whole", "0x10"}),
              HasSubstr("--whole: is '0x10'; give a whole number, in decimal digits"));
  EXPECT_THAT(Refusal({"--real", "-0X1p3"}), HasSubstr("give a number, in decimal digits"));
  EXPECT_THAT(Refusal({"--natural", "0b11"}),
              HasSubstr("--natural: is '0b11'; give a whole number, in decimal digits"));
  EXPECT_THAT(Refusal({"--natural", "-1"}), HasSubstr("give a whole number"));
  EXPECT_THAT(Refusal({"--maybe", "1.5"}), HasSubstr("give a whole number"));
  // Without an answer of its own it would have been the largest number.
  EXPECT_THAT(Refusal({"--maybe", "99999999999999999999"}), HasSubstr("give a whole number"));
  EXPECT_THAT(Refusal({"go", "--whole", "0101"}), HasSubstr("not in range"));
}

}  // namespace
}  // namespace candor::cli
