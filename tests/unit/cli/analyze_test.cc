// `candor analyze` as a whole command line, on files that it finds by itself.
#include "candor/v1/analysis.pb.h"
#include "cli/run.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/base/random.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace candor::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class AnalyzeTest : public testing::Test {
 protected:
  AnalyzeTest() {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    Write("scenarios.csv",
          "scenario,question,attr1,attr2,attr1_min,attr2_min,attr1_max,attr2_max\n"
          "plot,Which?,sun,cost,0,0,10,10\nbike,Which?,speed,cost,0,0,10,10\n");
    Write("instilled_weights.csv", "scenario,attr1,attr2\nplot,100,-40\nbike,-30,100\n");
    std::string choices =
        "model,scenario,selection,A_attribute_1,A_attribute_2,B_attribute_1,B_attribute_2\n";
    std::string reports = "explaining_model,version,scenario,report_attr1,report_attr2\n";
    RandomStream random(3);
    for (int t = 0; t < 40; ++t) {
      const bool plot = t % 2 == 0;
      double v[4];
      for (double& value : v) value = std::round(random.Uniform() * 10);
      const double u = (plot ? 100 : -30) * (v[0] - v[2]) + (plot ? -40 : 100) * (v[1] - v[3]);
      choices += fmt::format("ft,{},{},{},{},{},{}\n", plot ? "plot" : "bike", u > 0 ? 'A' : 'B',
                             v[0], v[1], v[2], v[3] + t * 0.001);
      if (t < 20) {
        reports += fmt::format("ft,v,{},{},{}\n", plot ? "plot" : "bike", (plot ? 80 : -20) + t,
                               (plot ? -30 : 90) - t);
      }
    }
    Write("m_instilled_selections.csv", choices);
    Write("m_instilled_weight_reports.csv", reports);
  }
  ~AnalyzeTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(directory_ + "/" + name, text).ok());
  }

  int Run(std::vector<std::string> words) {
    words.insert(words.begin(), {"candor", "analyze"});
    std::vector<const char*> pointers;
    for (const std::string& word : words) pointers.push_back(word.c_str());
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    World world{clock_, ids_, interrupt_, in, out, err};
    const int exit_code = RunCandor(static_cast<int>(pointers.size()), pointers.data(), world);
    out_ = out.str();
    err_ = err.str();
    return exit_code;
  }

  const std::string directory_ =
      fmt::format("{}/candor_cli_analyze_{}", testing::TempDir(), ::getpid());
  ManualClock clock_;
  SequentialIds ids_;
  Interrupt interrupt_;
  std::string out_;
  std::string err_;
};

TEST_F(AnalyzeTest, PrintsTheAnalysisAsJsonAndLinesForPeople) {
  ASSERT_EQ(Run({"--paper", directory_, "--model", "m", "--json", "-", "--resamples", "200",
                 "--permutations", "100", "--seed", "5"}),
            0)
      << err_;
  v1::Analysis analysis;
  ASSERT_TRUE(ParseJson(out_, &analysis).ok()) << out_;
  EXPECT_EQ(analysis.schema_version(), 1);
  EXPECT_EQ(analysis.settings().seed(), 5U);
  EXPECT_TRUE(analysis.has_create_time());
  EXPECT_FALSE(analysis.candor_version().empty());
  EXPECT_EQ(analysis.models().at("m").learned_vs_instilled().replies_valid(), 40);
  EXPECT_EQ(analysis.models().at("m").preference_trained().n_pairs(), 4);
  EXPECT_GT(analysis.models().at("m").preference_trained().slope(), 0.5);
  EXPECT_EQ(analysis.models().at("m").scenarios_size(), 2);
  EXPECT_THAT(out_, HasSubstr("\"replies_total\": 20"));
  EXPECT_FALSE(err_.empty());
}

TEST_F(AnalyzeTest, WritesFiles) {
  const std::string out = directory_ + "/out";
  std::filesystem::create_directories(out);
  ASSERT_EQ(Run({"--paper", directory_, "--model", "m", "--resamples", "0", "--permutations", "0",
                 "--json", out + "/a.json", "--html", out + "/a.html", "--csv", out + "/tables"}),
            0)
      << err_;
  v1::Analysis analysis;
  ASSERT_TRUE(ParseFile(out + "/a.json", &analysis).ok());
  EXPECT_FALSE(analysis.models().at("m").preference_trained().has_bootstrap());
  EXPECT_TRUE(std::filesystem::exists(out + "/a.html"));
  EXPECT_TRUE(std::filesystem::exists(out + "/tables/weights.csv"));
  EXPECT_FALSE(out_.empty());
}

TEST_F(AnalyzeTest, SaysWhatIsWrongWithTheCommand) {
  EXPECT_EQ(Run({}), 1);
  EXPECT_THAT(err_, HasSubstr("--paper DIR"));
  EXPECT_EQ(Run({"--paper", directory_, "--export", directory_, "--model", "m"}), 1);
  EXPECT_EQ(Run({"--export", directory_, "--model", "m"}), 1);
  EXPECT_THAT(err_, HasSubstr("--model belongs to --paper"));
  EXPECT_EQ(Run({"--paper", directory_, "--model", "gpt"}), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("\"gpt\""), HasSubstr("files of: m")));
  EXPECT_EQ(Run({"--paper", directory_, "--model", "m", "--tau", "0"}), 1);
  EXPECT_THAT(err_, HasSubstr("tau is 0"));
  EXPECT_EQ(Run({"--export", directory_}), 1);
  EXPECT_THAT(err_, HasSubstr("job.json"));
}

}  // namespace
}  // namespace candor::cli
