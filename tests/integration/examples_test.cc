// What the documentation shows is what works: every example job runs, and its export reads in one
// line.

#include "tests/integration/cluster.h"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace candor::integration {
namespace {

using testing::HasSubstr;

const std::string kExamples = std::string(CANDOR_SOURCE_DIR) + "/docs/examples";

TEST(ExamplesTest, EveryExampleJobRunsToItsEnd) {
  Cluster cluster;
  cluster.SetEndpoints(
      {{"local", "    base_url: \"{base_url}\""}, {"quickstart", "    base_url: \"{base_url}\""}});
  cluster.StartSimulator();
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  int examples = 0;
  for (const auto& file : std::filesystem::directory_iterator(kExamples)) {
    if (file.path().extension() != ".json") continue;
    SCOPED_TRACE(file.path().filename());
    ++examples;
    const std::string job = cluster.CreateJob(ReadWhole(file.path()));
    EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
  }
  EXPECT_GE(examples, 4);
}

TEST(ExamplesTest, TheExampleConfigurationIsValid) {
  for (const char* program : {"candor-coordinator", "candor-worker"}) {
    const Finished finished =
        RunCommand({Bin(program), "--config", kExamples + "/candor.yaml", "--print-config"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_THAT(finished.out, HasSubstr("127.0.0.1:8080"));
    for (const char* field : {"max_lines", "max_bytes", "queue_tokens", "poll_interval"}) {
      EXPECT_THAT(finished.out, HasSubstr(field));
    }
  }
}

TEST(ExamplesTest, ExportsReadInOneLineInPandasAndR) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  const std::string job = cluster.CreateJob(ReadWhole(kExamples + "/two-conditions.json"));
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
  const std::string path = cluster.Export(job);

  const Finished pandas = RunCommand({"/usr/bin/python3", "-c", R"(
import sys, pandas as pd
d = sys.argv[1]
choices, reports = pd.read_csv(d + "/choices.csv"), pd.read_csv(d + "/reports.csv")
outcomes, attempts = pd.read_json(d + "/outcomes.jsonl", lines=True), pd.read_json(d + "/attempts.jsonl", lines=True)
assert len(choices) == 200 and set(choices.y.dropna()) <= {0, 1}, choices
assert len(outcomes) == 300 and len(attempts) >= 300, (len(outcomes), len(attempts))
assert {"attribute", "value"} <= set(reports.columns)
first = choices.iloc[0]
print("read")
)",
                                      path});
  EXPECT_EQ(pandas.out, "read\n") << pandas.err;

  const Finished r = RunCommand({"Rscript", "-e", R"(
d <- commandArgs(trailingOnly = TRUE)[1]
choices <- read.csv(file.path(d, "choices.csv")); reports <- read.csv(file.path(d, "reports.csv"))
outcomes <- jsonlite::stream_in(file(file.path(d, "outcomes.jsonl")), verbose = FALSE)
stopifnot(nrow(choices) == 200, nrow(outcomes) == 300, all(choices$y %in% c(0, 1, NA)), "value" %in% names(reports))
cat("read\n"))",
                                 path});
  EXPECT_EQ(r.out, "read\n") << r.err;
}

TEST(ExamplesTest, TheClientDoesTheWholeLifeOfAJob) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  cluster.StartWorker("w1");

  const Finished preview = cluster.Candor({"preview", kExamples + "/first.json", "-n", "3",
                                           "--config", cluster.directory() + "/candor.yaml"});
  EXPECT_EQ(preview.exit_code, 0) << preview.err;
  EXPECT_THAT(preview.out, HasSubstr("\"messages\""));
  EXPECT_TRUE(cluster.Ledger().empty());

  const Finished submit = cluster.Candor({"submit", kExamples + "/first.json", "--watch"});
  EXPECT_EQ(submit.exit_code, 0) << submit.err;
  const std::string job = submit.out.substr(submit.out.find("jobs/"), 21);
  EXPECT_THAT(cluster.Candor({"jobs"}).out, HasSubstr(job));
  EXPECT_THAT(cluster.Candor({"show", job}).out, HasSubstr("SUCCEEDED"));
  EXPECT_EQ(cluster.Candor({"samples", job, "--class", "VALID", "-n", "2"}).exit_code, 0);
  EXPECT_THAT(cluster.Candor({"workers"}).out, HasSubstr("workers/"));
  EXPECT_THAT(cluster.Candor({"limits"}).out, HasSubstr("local"));
  EXPECT_THAT(cluster.Candor({"scenarios", "list"}).out, HasSubstr("scenarioSets/builtin"));
  const Finished piped = cluster.Candor({"export", job, "--out", "-"});
  EXPECT_EQ(ParseJsonLines(piped.out).size(), 1200U);
  const Finished unknown = cluster.Candor({"submit", "-"}, R"({"job": {"modles": []}})");
  EXPECT_NE(unknown.exit_code, 0);
  EXPECT_THAT(unknown.err, testing::AllOf(HasSubstr("modles"), HasSubstr("models")));
}

}  // namespace
}  // namespace candor::integration
