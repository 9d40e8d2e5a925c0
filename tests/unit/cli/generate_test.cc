// `candor generate`, whole command lines.
#include "cli/run.h"
#include "common/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

namespace candor::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kCandidates = R"([
  {"short_name": "tea", "question": "Which tea?", "attributes": [
    {"name": "mass", "units": "g", "range": [0, 10]}, {"name": "cost", "units": "", "range": [1, 9]}]},
  {"short_name": "hat", "question": "Which hat?", "attributes": [
    {"name": "age", "units": "a", "range": [0, 5]}, {"name": "cost", "units": "", "range": [1, 9]}]}])";

class GenerateTest : public testing::Test {
 protected:
  GenerateTest() {
    directory_ = testing::TempDir() + "/candor_generate_" +
                 testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    Put("candidates.json", kCandidates);
    Put("roles.csv", "Zeus\nAnansi\n");
  }
  ~GenerateTest() override { std::filesystem::remove_all(directory_); }

  void Put(const std::string& name, std::string_view text) {
    ASSERT_TRUE(WriteFileAtomically(Path(name), text).ok());
  }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  bool Exists(const std::string& name) const { return std::filesystem::exists(Path(name)); }

  int Run(const std::vector<std::string>& more = {"--scenario-count=2", "--instilled=2"}) {
    std::vector<std::string> arguments = {
        "candor",  "generate",        "--scenarios", Path("candidates.json"),
        "--roles", Path("roles.csv"), "--out",       Path("out")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    World world{clock_, ids_, interrupt_, in, out, err};
    testing::internal::CaptureStderr();
    const int exit_code = RunCandor(static_cast<int>(pointers.size()), pointers.data(), world);
    out_ = out.str();
    err_ = err.str() + testing::internal::GetCapturedStderr();
    return exit_code;
  }

  ManualClock clock_;
  SequentialIds ids_;
  Interrupt interrupt_;
  std::string directory_;
  std::string out_;
  std::string err_;
};

TEST_F(GenerateTest, WritesItsFiles) {
  ASSERT_EQ(Run({"--scenario-count=2", "--instilled=2", "--trials=3", "--validation=1"}), 0)
      << err_;
  EXPECT_EQ(err_, "2 scenarios, 2 taught with 6 preference examples, 2 to validate\n");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Path("out"))) {
    ++files;
    EXPECT_THAT(out_, HasSubstr(entry.path().filename().string() + "\n"));
  }
  EXPECT_EQ(files, 8U);
  EXPECT_TRUE(Exists("out/instilled_weights_first_1_training.jsonl"));
  // Its own files are replaced.
  EXPECT_EQ(Run({"--scenario-count=2", "--instilled=2", "--trials=3"}), 0) << err_;
}

TEST_F(GenerateTest, TakesAnybodysWording) {
  Put("prompts.yaml",
      "choice: {messages: [{role: user, content: 'Pick, {role}: {option_a} {option_b}'}]}\n"
      "self_report: {messages: [{role: user, content: 'Say: {option_a} {option_b}'}]}\n");
  ASSERT_EQ(Run({"--scenario-count=2", "--instilled=2", "--prompts", Path("prompts.yaml")}), 0)
      << err_;
  EXPECT_THAT(*ReadFile(Path("out/instill_2_prefs.jsonl")),
              testing::StartsWith("{\"messages\": [{\"role\": \"user\", \"content\": \"Pick, "));
  EXPECT_EQ(Run({"--scenario-count=2", "--instilled=2", "--prompts", Path("none.json")}), 1);
  EXPECT_THAT(err_, HasSubstr("none.json: cannot open: No such file"));
}

TEST_F(GenerateTest, SaysWhatIsWrongAndWritesNothing) {
  struct Case {
    std::vector<std::string> arguments;
    const char* what;
  };
  const std::vector<Case> cases = {
      {{}, "candidates.json: has 2 scenarios, and 1100 are asked for"},
      {{"--scenario-count=2", "--instilled=1"}, "give an even number from 2 on"},
      {{"--scenario-count=2", "--instilled=4"}, "more than the 2 that there are"},
  };
  for (const auto& [arguments, what] : cases) {
    EXPECT_EQ(Run(arguments), 1) << what;
    EXPECT_THAT(err_, HasSubstr(what));
    EXPECT_FALSE(Exists("out/scenarios.csv"));
    EXPECT_FALSE(Exists("out/.partial"));
  }
  Put("roles.csv", "Zeus\n");
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(err_, HasSubstr("roles: has 1 roles for 2 scenarios"));
  Put("roles.csv", "");
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(err_, HasSubstr("roles.csv: is empty; give a role a line"));
  std::filesystem::remove(Path("roles.csv"));
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(err_, HasSubstr("roles.csv: cannot open: No such file"));
  EXPECT_FALSE(Exists("out/scenarios.csv"));
}

TEST_F(GenerateTest, LeavesStrangersAlone) {
  std::filesystem::create_directories(Path("out"));
  Put("out/thesis.tex", "x");
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(err_, HasSubstr("holds \"thesis.tex\", which this command does not write"));
  EXPECT_EQ(Run({"--scenario-count=2", "--instilled=2", "--force"}), 0) << err_;
  EXPECT_TRUE(Exists("out/thesis.tex"));
}

}  // namespace
}  // namespace candor::cli
