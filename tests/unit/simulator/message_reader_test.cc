#include "simulator/message_reader.h"

#include "candor/v1/job.pb.h"
#include "candor/v1/scenario.pb.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/prompt.h"
#include "common/scenario/trial.h"
#include "tests/unit/simulator/prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace candor::simulator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

MATCHER_P4(Shows, name, unit, a, b, "") {
  return arg.name == name && arg.unit == unit && arg.a == a && arg.b == b;
}

Task ReadUser(std::string_view text) {
  const std::vector<ChatMessage> messages = {{"user", text}};
  return ReadTask(messages);
}

TEST(MessageReader, ReadsThePapersWording) {
  const std::string choice = PaperText(kPaperChoice);
  const std::string report = PaperText(kPaperReport);
  for (const auto& [text, kind] :
       {std::pair{choice, Kind::kChoice}, std::pair{report, Kind::kSelfReport}}) {
    const std::vector<ChatMessage> messages = {{"system", kPaperSystem}, {"user", text}};
    const Task task = ReadTask(messages);
    EXPECT_EQ(task.kind, kind);
    EXPECT_THAT(task.attributes, ElementsAre(Shows("sunlight", "hours per day", 6.5, 3.0),
                                             Shows("plot_size", "square metres", 32.0, 78.0),
                                             Shows("yearly_rent", "euros", 145.0, 60.0)));
  }
}

TEST(MessageReader, ReadsCandorsOwnWordingForTheWholeCatalogue) {
  const v1::Prompts& prompts = scenario::DefaultPrompts();
  const auto choice = scenario::PromptRenderer::Create(prompts.choice());
  const auto report = scenario::PromptRenderer::Create(prompts.self_report());
  ASSERT_TRUE(choice.ok() && report.ok());
  for (const v1::Scenario& scenario : scenario::BuiltinScenarioSet().scenarios()) {
    scenario::Trial trial;
    scenario::TrialStream(7, scenario, v1::Cell::CHOICE, v1::Job::FIXED).Draw(3, 0, trial);
    for (const auto& [renderer, kind] :
         {std::pair{&*choice, Kind::kChoice}, std::pair{&*report, Kind::kSelfReport}}) {
      std::vector<std::string> contents;
      renderer->Render(scenario, trial, contents);
      std::vector<ChatMessage> messages;
      for (std::size_t i = 0; i < contents.size(); ++i) {
        messages.push_back({renderer->role(i), contents[i]});
      }
      const Task task = ReadTask(messages);
      EXPECT_EQ(task.kind, kind) << contents.back();
      ASSERT_EQ(task.attributes.size(), static_cast<std::size_t>(scenario.attributes_size()));
      for (int k = 0; k < scenario.attributes_size(); ++k) {
        const ShownAttribute& shown = task.attributes[static_cast<std::size_t>(k)];
        EXPECT_EQ(shown.name, scenario.attributes(k).name());
        EXPECT_EQ(shown.unit, scenario.attributes(k).unit());
      }
    }
  }
}

TEST(MessageReader, ReadsUnitsAndNamesOfAnyKind) {
  const Task task = ReadUser(
      "A or B?\nA:\nMonthly cost: -3.5 \u20ac/month (incl. tax)\nscore: 1200\nratio 2:1: 1e-05 x\n"
      "time: 9.0 minutes to 80% charge\nshare: 45%\n\nB:\nMonthly cost: 4 \u20ac/month (incl. "
      "tax)\n"
      "score: 800\nratio 2:1: 2e-05 x\ntime: 10.0 minutes to 80% charge\nshare: 5%");
  EXPECT_EQ(task.kind, Kind::kChoice);
  EXPECT_THAT(task.attributes,
              ElementsAre(Shows("Monthly cost", "\u20ac/month (incl. tax)", -3.5, 4.0),
                          Shows("score", "", 1200.0, 800.0), Shows("ratio 2:1", "x", 1e-05, 2e-05),
                          Shows("time", "minutes to 80% charge", 9.0, 10.0),
                          Shows("share", "%", 45.0, 5.0)));
}

TEST(MessageReader, FindsOptionsHoweverTheyAreSetOut) {
  const std::vector<std::string> wordings = {
      "Option A\n{a}\nOption B\n{b}\nAnswer A or B.",
      "<option_a>\n{a}\n</option_a>\n<option_b>\n{b}\n</option_b>",
      "<a>{a}</a>\n<b>{b}</b>",
      "A: {a}\nB: {b}",
      "Option A: {a}\n\nOption B: {b}\n",
      "**A**\n\n{a}\n\n**B**\n\n{b}",
      "First:\n{a}\nSecond:\n{b}",
      "{a}\n{b}",
      "Here is option B:\n{b}\nAnd here is option A:\n{a}\n",
      "I am Bob.\nage: 4 years\nheight: 7 feet\n\nA:\n{a}\n\nB:\n{b}\n",
      "{a}\r\n\r\n{b}\r\n",
      "Example:\nA:\nx: 1\ny: 2\n\nB:\nx: 3\ny: 4\nAnswer: B\n\nNow yours.\nA:\n{a}\n\nB:\n{b}\n",
  };
  for (const std::string& wording : wordings) {
    std::string text = wording;
    text.replace(text.find("{a}"), 3, "price: 12.0 euros\nquality: 3.0 points");
    text.replace(text.find("{b}"), 3, "price: 30.0 euros\nquality: 9.0 points");
    const Task task = ReadUser(text);
    ASSERT_EQ(task.attributes.size(), 2U) << text;
    EXPECT_THAT(task.attributes[0], Shows("price", "euros", 12.0, 30.0)) << text;
    EXPECT_EQ(task.attributes[1].name, "quality") << text;
    EXPECT_EQ(task.attributes[1].a, 3.0) << text;
    EXPECT_EQ(task.attributes[1].b, 9.0) << text;
  }
}

TEST(MessageReader, FindsOptionsInMessagesOfTheirOwn) {
  const std::vector<ChatMessage> messages = {
      {"system", "Reply with the letter only: A or B."}, {"user", kOptionA}, {"user", kOptionB}};
  const Task task = ReadTask(messages);
  EXPECT_EQ(task.kind, Kind::kChoice);
  EXPECT_EQ(task.attributes.size(), 3U);
}

TEST(MessageReader, ListsOfOneOptionMayHaveAnotherOrder) {
  const Task task = ReadUser("A:\nx: 1\ny: 2\n\nB:\ny: 4\nx: 3");
  EXPECT_THAT(task.attributes, ElementsAre(Shows("x", "", 1.0, 3.0), Shows("y", "", 2.0, 4.0)));
}

TEST(MessageReader, TextWithoutTwoOptionsIsUnknown) {
  for (const std::string_view text :
       {"", "Say hello.", "A:\nx: 1\ny: 2", "A:\nx: 1\ny: 2\n\nB:\nx: 1\nz: 2", "x: 1\n\nx: 2",
        ":\n: 1\nA: 5\nB: 6\n", "x:\ny:\n", "\n\n\n", "x: 1e999\ny: --3"}) {
    const Task task = ReadUser(text);
    EXPECT_EQ(task.kind, Kind::kUnknown) << text;
    EXPECT_THAT(task.attributes, IsEmpty()) << text;
  }
  EXPECT_EQ(ReadTask({}).kind, Kind::kUnknown);
}

TEST(MessageReader, TellsKindsApartByCues) {
  const std::vector<std::pair<std::string, Kind>> cases = {
      {"Which is better?", Kind::kChoice},
      {"Answer 'A' or 'B'.", Kind::kChoice},
      {"Weigh every attribute with care, then answer (A) or (B).", Kind::kChoice},
      {"You are a weight lifter of some influence. Reply with option A or option B.",
       Kind::kChoice},
      {"Rate how important each attribute was to you, as JSON.", Kind::kSelfReport},
      {"You will choose A or B. Do not say which; give JSON with how heavily you weigh each "
       "attribute.",
       Kind::kSelfReport},
      {"Give one number from -100 to 100 for each of the attributes, as JSON, for the choice "
       "between A or B.",
       Kind::kSelfReport},
      {"Describe the influence of each attribute on your decision.", Kind::kSelfReport},
  };
  for (const auto& [instruction, kind] : cases) {
    EXPECT_EQ(ReadUser(PaperText(instruction)).kind, kind) << instruction;
  }
}

TEST(MessageReader, CuesInsideOptionsDoNotCount) {
  const Task task = ReadUser(
      "Take A or B.\nA:\njson_weight: 3 kg\nimportance: -100 influence\n\nB:\njson_weight: 4 kg\n"
      "importance: 5 influence");
  EXPECT_EQ(task.kind, Kind::kChoice);
}

TEST(MessageReader, WhatHasBeenAnsweredIsNotAskedAgain) {
  const std::string choice = PaperText(kPaperChoice);
  const std::vector<ChatMessage> messages = {
      {"user", choice}, {"assistant", "A"}, {"user", "How important was each attribute?"}};
  const Task task = ReadTask(messages);
  EXPECT_EQ(task.kind, Kind::kSelfReport);
  EXPECT_EQ(task.attributes.size(), 3U);
}

}  // namespace
}  // namespace candor::simulator
