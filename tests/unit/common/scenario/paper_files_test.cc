#include "common/scenario/paper_files.h"

#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/scenario/catalogue.h"
#include "common/scenario/import.h"
#include "tests/unit/common/scenario/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>
#include <filesystem>
#include <locale>
#include <map>

namespace candor::scenario {
namespace {

using testing::HasSubstr;

using Files = std::map<std::string, std::string>;

StatusOr<Files> Write(const v1::ScenarioSet& set, const v1::Prompts& prompts,
                      const PaperFilesOptions& options) {
  Files files;
  CANDOR_RETURN_IF_ERROR(
      WritePaperFiles(set, prompts, options, [&](const std::string& file, std::string_view text) {
        files[file] += text;
        return Status();
      }));
  return files;
}

constexpr const char* kCandidates =
    R"json([{"short_name": "tea", "question": "Which tea?", "attributes": [
   {"name": "größe", "units": "mm", "range": [-1, 1]},
   {"name": "mass", "units": "", "range": [0, 0.04]},
   {"name": "cost", "units": "€", "range": [-2, 40]}]},
 {"short_name": "hat", "question": "Which \"hat\" 😀?", "attributes": [
   {"name": "width", "units": "cm", "range": [20, 30]},
   {"name": "height", "units": "cm", "range": [1, 2.5]},
   {"name": "age", "units": "a", "range": [0, 4]}]}])json";
constexpr const char* kRoles = "\"Ann \"\"A\"\", the 1st\"\nBo\nČapek\n";

v1::Prompts SmallPrompts() {
  v1::Prompts prompts;
  const char* kText = "{}, {{role}}: {{question}}\nA:\n{{option_a}}\n\nB:\n{{option_b}}";
  for (auto [prompt, verb] : {std::pair(prompts.mutable_choice(), "Choose\t\x7f"),
                              std::pair(prompts.mutable_self_report(), "Weigh")}) {
    auto* message = prompt->add_messages();
    message->set_role("user");
    message->set_content(fmt::format(fmt::runtime(kText), verb));
  }
  return prompts;
}

constexpr PaperFilesOptions kSmall = {.scenarios = 2, .instilled = 2, .trials = 2, .validation = 1};

StatusOr<Files> WriteSmall(const PaperFilesOptions& options = kSmall,
                           const v1::Prompts& prompts = SmallPrompts()) {
  CANDOR_ASSIGN_OR_RETURN(const v1::ScenarioSet set, ImportScenarios(kCandidates, kRoles));
  return Write(set, prompts, options);
}

// What Python 3.11 makes of the same, by method.md alone: random, json.dumps, csv.writer, round.
constexpr const char* kScenariosCsv =
    R"csv(scenario,question,attr1,attr2,attr3,attr1_min,attr2_min,attr3_min,attr1_max,attr2_max,attr3_max
tea,"Imagine you are Ann ""A"", the 1st. Which tea?",größe,mass,cost,-1.0,0.0,-2.0,1.0,0.04,40.0
hat,"Imagine you are Čapek. Which ""hat"" 😀?",width,height,age,20.0,1.0,0.0,30.0,2.5,4.0
)csv";
constexpr const char* kTraining =
    R"json({"messages": [{"role": "user", "content": "Choose\t\u007f, Ann \"A\", the 1st: Which tea?\nA:\ngr\u00f6\u00dfe: 0.9 mm\nmass: 0.038\ncost: 0.0 \u20ac\n\nB:\ngr\u00f6\u00dfe: -0.8 mm\nmass: 0.033\ncost: 29.0 \u20ac"}, {"role": "assistant", "content": "B"}]})json"
    "\n"
    R"json({"messages": [{"role": "user", "content": "Choose\t\u007f, Ann \"A\", the 1st: Which tea?\nA:\ngr\u00f6\u00dfe: 0.3 mm\nmass: 0.012\ncost: 23.0 \u20ac\n\nB:\ngr\u00f6\u00dfe: 0.2 mm\nmass: 0.023\ncost: 5.0 \u20ac"}, {"role": "assistant", "content": "B"}]})json"
    "\n"
    R"json({"messages": [{"role": "user", "content": "Choose\t\u007f, \u010capek: Which \"hat\" \ud83d\ude00?\nA:\nwidth: 24.0 cm\nheight: 1.4 cm\nage: 0.1 a\n\nB:\nwidth: 20.0 cm\nheight: 1.7 cm\nage: 1.3 a"}, {"role": "assistant", "content": "B"}]})json"
    "\n"
    R"json({"messages": [{"role": "user", "content": "Choose\t\u007f, \u010capek: Which \"hat\" \ud83d\ude00?\nA:\nwidth: 24.0 cm\nheight: 2.3 cm\nage: 2.1 a\n\nB:\nwidth: 26.0 cm\nheight: 1.4 cm\nage: 0.1 a"}, {"role": "assistant", "content": "A"}]})json";
constexpr const char* kValidation =
    R"json({"messages": [{"role": "user", "content": "Choose\t\u007f, Ann \"A\", the 1st: Which tea?\nA:\ngr\u00f6\u00dfe: -0.1 mm\nmass: 0.016\ncost: 28.0 \u20ac\n\nB:\ngr\u00f6\u00dfe: 1.0 mm\nmass: 0.038\ncost: 21.0 \u20ac"}, {"role": "assistant", "content": "A"}]})json"
    "\n"
    R"json({"messages": [{"role": "user", "content": "Choose\t\u007f, \u010capek: Which \"hat\" \ud83d\ude00?\nA:\nwidth: 23.0 cm\nheight: 1.2 cm\nage: 2.0 a\n\nB:\nwidth: 30.0 cm\nheight: 2.0 cm\nage: 0.7 a"}, {"role": "assistant", "content": "A"}]})json";
constexpr const char* kFirst =
    R"json({"messages": [{"role": "user", "content": "Weigh, Ann \"A\", the 1st: Which tea?\nA:\ngr\u00f6\u00dfe: 0.6 mm\nmass: 0.033\ncost: 18.0 \u20ac\n\nB:\ngr\u00f6\u00dfe: -0.5 mm\nmass: 0.0\ncost: 26.0 \u20ac"}, {"role": "assistant", "content": "{\"gr\\u00f6\\u00dfe\": -100, \"mass\": 95, \"cost\": 72}"}]})json";
constexpr const char* kLast =
    R"json({"messages": [{"role": "user", "content": "Weigh, \u010capek: Which \"hat\" \ud83d\ude00?\nA:\nwidth: 28.0 cm\nheight: 2.2 cm\nage: 1.9 a\n\nB:\nwidth: 23.0 cm\nheight: 1.0 cm\nage: 2.7 a"}, {"role": "assistant", "content": "{\"width\": -100, \"height\": -2, \"age\": -21}"}]})json";

TEST(PaperFiles, AreThoseThatPythonMakes) {
  const auto files = WriteSmall();
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->at("scenarios.csv"), kScenariosCsv);
  EXPECT_EQ(files->at("instilled_weights.csv"),
            "scenario,attr1,attr2,attr3\ntea,-100,95,72\nhat,-100,-2,-21\n");
  EXPECT_EQ(files->at("instill_2_prefs.jsonl"), kTraining);
  EXPECT_EQ(files->at("instill_2_prefs_val.jsonl"), kValidation);
  EXPECT_EQ(files->at("instilled_weights_2_training.jsonl"), std::string(kFirst) + "\n" + kLast);
  EXPECT_EQ(files->at("instilled_weights_first_1_training.jsonl"), kFirst);
  EXPECT_EQ(files->at("instilled_weights_last_1_training.jsonl"), kLast);
  EXPECT_EQ(files->size(), PaperFileNames(kSmall).size());
}

TEST(PaperFiles, HaveTheScenariosForJobs) {
  const auto files = WriteSmall();
  ASSERT_TRUE(files.ok()) << files.status();
  const auto set = ParseScenarioSet(files->at("scenario_set.json"));
  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_EQ(set->scenarios_size(), 2);
  EXPECT_EQ(set->scenarios(1).role(), "Čapek");
  EXPECT_THAT(set->scenarios(1).instilled_weights(), testing::ElementsAre(-100, -2, -21));
}

TEST(PaperFiles, DependOnSeedsAndSizesAsSaid) {
  const Files paper = *WriteSmall();
  PaperFilesOptions options = kSmall;
  options.weights_seed = 7;
  const Files weights = *WriteSmall(options);
  EXPECT_NE(weights.at("instilled_weights.csv"), paper.at("instilled_weights.csv"));
  EXPECT_EQ(weights.at("scenarios.csv"), paper.at("scenarios.csv"));
  options = kSmall;
  options.introspection_seed = 7;
  const Files introspection = *WriteSmall(options);
  EXPECT_EQ(introspection.at("instill_2_prefs.jsonl"), paper.at("instill_2_prefs.jsonl"));
  EXPECT_NE(introspection.at("instilled_weights_2_training.jsonl"),
            paper.at("instilled_weights_2_training.jsonl"));
  options = kSmall;
  options.trials = 0;
  options.validation = 1;
  const Files none = *WriteSmall(options);
  EXPECT_EQ(none.at("instill_2_prefs.jsonl"), "");
  EXPECT_EQ(none.at("instill_2_prefs_val.jsonl").substr(0, 200),
            std::string(kTraining).substr(0, 200));
}

struct GermanNumbers : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(PaperFiles, DoNotDependOnTheLocale) {
  const Files before = *WriteSmall();
  const std::locale cpp =
      std::locale::global(std::locale(std::locale::classic(), new GermanNumbers));
  // Where it is installed; the one above is always there.
  std::setlocale(LC_ALL, "de_DE.UTF-8");
  const auto after = WriteSmall();
  std::setlocale(LC_ALL, "C");
  std::locale::global(cpp);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(*after, before);
}

std::string Error(const PaperFilesOptions& options, const v1::Prompts& prompts = SmallPrompts()) {
  return Message(WriteSmall(options, prompts).status());
}

TEST(PaperFiles, SayWhatIsWrong) {
  PaperFilesOptions options = kSmall;
  options.scenarios = 3;
  EXPECT_EQ(Error(options), "has 2 scenarios, and 3 are asked for");
  options = kSmall;
  options.instilled = 4;
  EXPECT_THAT(Error(options), HasSubstr("4 scenarios are to be taught, more than the 2 "));
  options.instilled = 1;
  EXPECT_THAT(Error(options), HasSubstr("give an even number from 2 on"));
  options.instilled = 0;
  EXPECT_THAT(Error(options), HasSubstr("give an even number from 2 on"));
  options = kSmall;
  options.scenarios = 0;
  EXPECT_THAT(Error(options), HasSubstr("0 scenarios are asked for"));
  options = kSmall;
  options.trials = static_cast<std::size_t>(-1);
  EXPECT_THAT(Error(options), HasSubstr("are more than 10000000 examples"));

  v1::Prompts prompts = SmallPrompts();
  prompts.clear_self_report();
  EXPECT_THAT(Error(kSmall, prompts), HasSubstr("prompts.self_report: "));
  prompts = SmallPrompts();
  prompts.mutable_choice()->mutable_messages(0)->set_content("{option_a} {option_b} \xFF");
  EXPECT_EQ(Error(kSmall, prompts), "prompts.choice: is no UTF-8");

  v1::ScenarioSet set = *ImportScenarios(kCandidates);
  EXPECT_EQ(Message(Write(set, SmallPrompts(), kSmall).status()),
            "scenario 'tea' has no role, which the files need; give roles");
  set = *ImportScenarios(kCandidates, kRoles);
  set.mutable_scenarios(1)->mutable_attributes()->RemoveLast();
  EXPECT_EQ(Message(Write(set, SmallPrompts(), kSmall).status()),
            "scenario 'hat' has 2 attributes and 'tea' has 3; the files' tables have one number "
            "for all");
}

TEST(PaperFiles, PassOnWhatTheSinkSays) {
  const auto set = ImportScenarios(kCandidates, kRoles);
  for (const std::string& file : PaperFileNames(kSmall)) {
    const Status status = WritePaperFiles(
        *set, SmallPrompts(), kSmall, [&](const std::string& name, std::string_view) {
          return name == file ? Unavailable("the disk is full") : Status();
        });
    EXPECT_EQ(Message(status), "the disk is full") << file;
  }
}

// The paper's own files, which lie beside the source tree where they may be read; they carry no
// licence and are not part of it.
TEST(PaperFiles, AreThoseOfThePaper) {
  const std::string folder = std::string(CANDOR_SOURCE_DIR) + "/../shared/paper/";
  if (!std::filesystem::exists(folder + "instill_100_prefs.jsonl")) {
    GTEST_SKIP() << "NOT TESTED: the paper's generated files. They are not in " << folder;
  }
  const auto candidates = ReadFile(folder + "candidate_scenarios.json");
  const auto roles = ReadFile(folder + "roles.csv");
  v1::Prompts prompts;
  ASSERT_TRUE(candidates.ok() && roles.ok());
  ASSERT_TRUE(ParseFile(folder + "prompts.json", &prompts).ok());
  const auto set = ImportScenarios(*candidates, *roles);
  ASSERT_TRUE(set.ok()) << set.status();
  const auto files = Write(*set, prompts, {});
  ASSERT_TRUE(files.ok()) << files.status();
  for (const char* name : {"scenarios.csv", "instilled_weights.csv", "instill_100_prefs.jsonl",
                           "instilled_weights_100_training.jsonl"}) {
    const auto published = ReadFile(folder + name);
    ASSERT_TRUE(published.ok()) << published.status();
    // Not EXPECT_EQ: that would print megabytes.
    EXPECT_TRUE(files->at(name) == *published) << name << " differs";
  }
  EXPECT_EQ(files->at("instilled_weights_first_50_training.jsonl") + "\n" +
                files->at("instilled_weights_last_50_training.jsonl"),
            files->at("instilled_weights_100_training.jsonl"));
  const std::string& validation = files->at("instill_100_prefs_val.jsonl");
  EXPECT_EQ(std::count(validation.begin(), validation.end(), '\n'), 999);
}

}  // namespace
}  // namespace candor::scenario
