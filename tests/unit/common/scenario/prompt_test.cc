#include "common/scenario/prompt.h"

#include "common/scenario/catalogue.h"
#include "tests/unit/common/scenario/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Trial kTrial{{8, 35, 0.5}, {2, 12, 0.25}, {0, 1, 2}};
constexpr const char* kOptions = "{option_a}|{option_b}";

v1::PromptTemplate UserPrompt(const std::string& content) {
  v1::PromptTemplate prompt;
  prompt.add_messages()->set_role("user");
  prompt.mutable_messages(0)->set_content(content);
  return prompt;
}

std::vector<std::string> Render(const v1::PromptTemplate& prompt,
                                const v1::Scenario& scenario = GardenPlot(),
                                const Trial& trial = kTrial) {
  const auto renderer = PromptRenderer::Create(prompt);
  EXPECT_TRUE(renderer.ok()) << renderer.status();
  std::vector<std::string> contents = {"left over"};
  if (renderer.ok()) renderer->Render(scenario, trial, contents);
  return contents;
}

// What the wording becomes, the options left out.
std::string Wording(const std::string& wording) {
  auto prompt = UserPrompt(wording);
  *prompt.add_messages() = UserPrompt(kOptions).messages(0);
  return Render(prompt)[0];
}

std::string Error(const v1::PromptTemplate& prompt) {
  FieldViolations violations;
  ValidatePrompt(prompt, "job.prompts.choice", violations);
  EXPECT_FALSE(PromptRenderer::Create(prompt).ok());
  return Text(violations);
}

TEST(PromptRenderer, PutsInEveryPlaceholder) {
  EXPECT_THAT(
      Render(UserPrompt("{role}/{question}/{option_a}/{option_b}/{attributes}/{attribute_count}/"
                        "{attribute_count_word}.")),
      ElementsAre("a retired nurse/Which plot would you take on?/"
                  "sunlight: 8.0 hours\nrent: 35.0 euros\nquiet: 0.5/"
                  "sunlight: 2.0 hours\nrent: 12.0 euros\nquiet: 0.25/"
                  "sunlight, rent, quiet/3/three."));
}

TEST(PromptRenderer, FollowsTheAttributeOrder) {
  const Trial shuffled{kTrial.a, kTrial.b, {2, 0, 1}};
  EXPECT_THAT(Render(UserPrompt("{option_a}{option_b} {attributes}"), GardenPlot(), shuffled),
              ElementsAre("quiet: 0.5\nsunlight: 8.0 hours\nrent: 35.0 euros"
                          "quiet: 0.25\nsunlight: 2.0 hours\nrent: 12.0 euros "
                          "quiet, sunlight, rent"));
}

TEST(PromptRenderer, KeepsMessagesApartAndUsesBuffersAgain) {
  const auto renderer = PromptRenderer::Create(FromText<v1::PromptTemplate>(R"pb(
    messages { role: "system" content: "Decide." }
    messages { role: "user" content: "{option_a}" }
    messages { role: "assistant" content: "And?" }
    messages { role: "user" content: "{option_b}" }
  )pb"));
  ASSERT_TRUE(renderer.ok()) << renderer.status();
  ASSERT_EQ(renderer->size(), 4U);
  EXPECT_EQ(renderer->role(0), "system");
  EXPECT_EQ(renderer->role(2), "assistant");
  std::vector<std::string> contents(9, "left over");
  for (int i = 0; i < 2; ++i) {
    renderer->Render(GardenPlot(), kTrial, contents);
    EXPECT_THAT(contents, ElementsAre("Decide.", HasSubstr("sunlight: 8.0"), "And?",
                                      HasSubstr("sunlight: 2.0")));
  }
}

TEST(PromptRenderer, DoesNotLookAgainAtWhatItPutIn) {
  auto scenario = GardenPlot();
  scenario.set_role("{question} and {{braces}} {nobody}");
  scenario.mutable_attributes(2)->set_name("{role}");
  EXPECT_THAT(Render(UserPrompt("{role}|{option_a}{option_b}"), scenario)[0],
              testing::StartsWith("{question} and {{braces}} {nobody}|sunlight: 8.0 hours\nrent: "
                                  "35.0 euros\n{role}: 0.5"));
}

TEST(PromptRenderer, LeavesOtherBracesAlone) {
  for (const char* text : {R"({"a": 1})", R"({"a": {"b": {"c": {}}}})", "{", "}", "{}", "}}",
                           "{ role }", "{1}", "{role", "a {b-c} d", R"({"x": [1, {"y": 2}]})"}) {
    EXPECT_EQ(Wording(text), text);
  }
}

TEST(PromptRenderer, DoubledBracesAreBraces) {
  EXPECT_EQ(Wording("{{role}}"), "{role}");
  EXPECT_EQ(Wording("{{{role}}}"), "{a retired nurse}");
  EXPECT_EQ(Wording(R"({{"a": 1}})"), R"({"a": 1})");
  EXPECT_EQ(Wording(R"({{"a": {{"b": 1}}}})"), R"({"a": {"b": 1}})");
  EXPECT_EQ(Wording(R"({{"a": {"b": 1}}})"), R"({"a": {"b": 1}})");
}

TEST(PromptRenderer, SpellsCounts) {
  const std::vector<std::pair<int, std::string>> words = {{2, "two"},         {7, "seven"},
                                                          {13, "thirteen"},   {20, "twenty"},
                                                          {21, "twenty-one"}, {64, "sixty-four"}};
  for (const auto& [count, word] : words) {
    v1::Scenario scenario;
    Trial trial;
    for (int k = 0; k < count; ++k) {
      scenario.add_attributes()->set_name("a" + std::to_string(k));
      trial.a.push_back(1);
      trial.b.push_back(2);
      trial.attribute_order.push_back(static_cast<std::uint32_t>(k));
    }
    EXPECT_THAT(
        Render(UserPrompt(std::string("{attribute_count_word}|") + kOptions), scenario, trial)[0],
        testing::StartsWith(word + "|"));
  }
}

TEST(ValidatePrompt, NamesUnknownPlaceholders) {
  const std::string error = Error(UserPrompt("{quesion} {zebra} {option_a} {option_b}"));
  EXPECT_THAT(error,
              HasSubstr("job.prompts.choice.messages[0].content: {quesion} is no placeholder "
                        "(did you mean {question}?); known are {role} {question}"));
  EXPECT_THAT(error, HasSubstr("{zebra} is no placeholder; known are"));
  EXPECT_THAT(error, HasSubstr("and {{name}} is the text {name} itself"));
}

TEST(ValidatePrompt, WantsBothOptionsInTheUsersMessages) {
  EXPECT_THAT(Error(UserPrompt("{option_a}")), HasSubstr("lack {option_b}"));
  EXPECT_THAT(Error(UserPrompt("{{option_a}} {option_b}")), HasSubstr("lack {option_a}"));
  auto prompt = UserPrompt("Choose.");
  prompt.mutable_messages(0)->set_role("system");
  prompt.mutable_messages(0)->set_content(kOptions);
  *prompt.add_messages() = UserPrompt("Choose.").messages(0);
  EXPECT_THAT(Error(prompt), HasSubstr("job.prompts.choice.messages: the user's messages lack"));
}

TEST(ValidatePrompt, ChecksMessages) {
  EXPECT_THAT(Error({}), HasSubstr("job.prompts.choice.messages: has 0 items"));
  auto prompt = UserPrompt(kOptions);
  prompt.mutable_messages(0)->set_role("robot");
  EXPECT_THAT(Error(prompt), HasSubstr("messages[0].role: is 'robot'; give 'system'"));
  prompt = UserPrompt(kOptions);
  prompt.add_messages()->set_role("assistant");
  const std::string error = Error(prompt);
  EXPECT_THAT(error, HasSubstr("messages[1].role: is 'assistant' in the last message"));
  EXPECT_THAT(error, HasSubstr("messages[1].content: is empty"));
  EXPECT_THAT(Error(UserPrompt(std::string(100'001, 'x'))), HasSubstr("has 100001 bytes"));
  prompt.clear_messages();
  for (int i = 0; i < 33; ++i) *prompt.add_messages() = UserPrompt(kOptions).messages(0);
  EXPECT_THAT(Error(prompt), HasSubstr("has 33 items"));
}

TEST(DefaultPrompts, AreValidAndGrammatical) {
  for (const auto* prompt : {&DefaultPrompts().choice(), &DefaultPrompts().self_report()}) {
    FieldViolations violations;
    ValidatePrompt(*prompt, "p", violations);
    EXPECT_EQ(Text(violations), "");
    EXPECT_THAT(Render(*prompt)[1], HasSubstr("in the place of a retired nurse. Which plot"));
  }
  EXPECT_THAT(Render(DefaultPrompts().self_report())[1],
              HasSubstr("one JSON object with the 3 attribute names"));
}

TEST(EstimateChars, IsAnUpperBoundAndNear) {
  for (const auto* prompt : {&DefaultPrompts().choice(), &DefaultPrompts().self_report()}) {
    const auto renderer = PromptRenderer::Create(*prompt);
    ASSERT_TRUE(renderer.ok());
    std::vector<std::string> contents;
    for (const v1::Scenario& scenario : BuiltinScenarioSet().scenarios()) {
      const std::size_t estimate = renderer->EstimateChars(scenario);
      const TrialStream stream(1, scenario, v1::Cell::CHOICE, v1::Job::SHUFFLED);
      Trial trial;
      for (std::uint32_t pair = 0; pair < 20; ++pair) {
        stream.Draw(pair, 0, trial);
        renderer->Render(scenario, trial, contents);
        const std::size_t length = contents[0].size() + contents[1].size();
        ASSERT_GE(estimate, length) << scenario.id();
        ASSERT_LE(static_cast<double>(estimate), 1.1 * static_cast<double>(length))
            << scenario.id();
      }
    }
  }
}

TEST(EstimateChars, BoundsEveryKindOfRange) {
  const auto renderer = PromptRenderer::Create(UserPrompt(kOptions));
  ASSERT_TRUE(renderer.ok());
  const auto scenario = FromText<v1::Scenario>(R"pb(
    id: "ranges"
    attributes { name: "a" min: -0.00009 max: 0.00009 }
    attributes { name: "b" min: 9.6 max: 99.7 }
    attributes { name: "c" min: -1e12 max: 1e12 }
    attributes { name: "d" min: 1e-06 max: 3e-06 }
  )pb");
  const TrialStream stream(1, scenario, v1::Cell::CHOICE, v1::Job::FIXED);
  Trial trial;
  std::vector<std::string> contents;
  for (std::uint32_t pair = 0; pair < 2'000; ++pair) {
    stream.Draw(pair, 0, trial);
    renderer->Render(scenario, trial, contents);
    ASSERT_GE(renderer->EstimateChars(scenario), contents[0].size());
  }
}

}  // namespace
}  // namespace candor::scenario
