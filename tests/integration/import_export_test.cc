// What others collected comes in, is like any other job, and goes out again as it came.

#include "tests/integration/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace candor::integration {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kPaper = std::string(CANDOR_SOURCE_DIR) + "/../shared/paper";

std::string Line(const Finished& finished) {
  return finished.out.substr(0, finished.out.find('\n'));
}

// Three scenarios, of which one has an attribute fewer; models with commas; reports that are
// floats, beyond the scale, and integers; a version column; rows enough that order matters.
void WriteSyntheticFiles(const std::string& directory, int trials) {
  fs::create_directories(directory);
  WriteWhole(directory + "/scenarios.csv",
             "scenario,question,attr1,attr2,attr3,attr1_min,attr2_min,attr3_min,attr1_max,"
             "attr2_max,attr3_max\n"
             "tea,Imagine you are Djedefre. Which tea would you prefer?,caffeine,leaf,steeping,"
             "0.0,0.1,1.0,70.0,10.0,7.0\n"
             "board,\"Imagine you are J. R. R. T., writer. Which board, if any?\",size,price,,1.0,"
             "300.0,,5.0,1200.0,\n"
             "pads,Imagine you are Lara Croft. Which pads?,padding,width,holes,10.0,20.0,2.0,30.0,"
             "50.0,12.0\n");
  WriteWhole(directory + "/instilled_weights.csv",
             "scenario,attr1,attr2,attr3\ntea,-100,95,72\nboard,-11,100,\npads,67,-14,100\n");
  std::string selections =
      "model,scenario,selection,A_attribute_1,A_attribute_2,A_attribute_3,B_attribute_1,"
      "B_attribute_2,B_attribute_3\n";
  std::string reports =
      "explaining_model,version,scenario,report_attr1,report_attr2,report_attr3,A_attribute_1,"
      "A_attribute_2,A_attribute_3,B_attribute_1,B_attribute_2,B_attribute_3\n";
  const std::string tuned = "\"ft:m,x:prefs\"";
  for (int s = 0; s < 3; ++s) {
    const char* const ids[] = {"tea", "board", "pads"};
    for (int t = 0; t < trials; ++t) {
      const std::string end = s == 1 ? "," : ",3.0";
      const std::string a = std::to_string(10 + t) + ".0,0." + std::to_string(1 + t % 9) + end;
      const std::string b = std::to_string(10 + (t * 7) % 50) + ".5,-0.0" + end;
      selections += tuned + "," + ids[s] + (t % (s + 2) == 0 ? ",A," : ",B,") + a + "," + b + "\n";
      if (t >= 4 || (s == 2 && t > 0)) continue;
      const std::string weights[] = {"20,-60", "20.0,-60.5", "150,0", "-100,1e-05"};
      reports += tuned + ",instilled_3," + ids[s] + "," + weights[t] + (s == 1 ? "," : ",7") + "," +
                 a + "," + b + "\n";
    }
  }
  WriteWhole(directory + "/m_instilled_selections.csv", selections);
  WriteWhole(directory + "/m_instilled_weight_reports.csv", reports);
  std::string control = reports;
  for (auto at = control.find(tuned); at != std::string::npos; at = control.find(tuned))
    control.replace(at, tuned.size(), "m");
  WriteWhole(directory + "/m_weight_reports.csv", control);
}

// What the authors' scripts do with them: read.csv, columns by name, numbers that are numbers.
void ExpectReadByR(const std::string& directory) {
  const Finished r = RunCommand({"Rscript", "-e", R"(
d <- commandArgs(trailingOnly = TRUE)[1]
numeric <- function(data, columns) stopifnot(all(columns %in% names(data)), all(sapply(data[columns], is.numeric)))
for (f in list.files(d, pattern = "_selections.csv$", full.names = TRUE)) {
  s <- read.csv(f)
  k <- sum(startsWith(names(s), "A_attribute_"))
  numeric(s, paste0(rep(c("A", "B"), each = k), "_attribute_", 1:k))
  stopifnot(is.character(s$scenario), is.character(s$model), all(s$selection %in% c("A", "B")), nrow(s) > 0)
}
for (f in list.files(d, pattern = "_weight_reports.csv$", full.names = TRUE)) {
  w <- read.csv(f)
  k <- sum(startsWith(names(w), "report_attr"))
  numeric(w, paste0("report_attr", 1:k))
  stopifnot(is.character(w$explaining_model), is.character(w$version), is.character(w$scenario))
  means <- aggregate(w[paste0("report_attr", 1:k)], by = list(scenario = w$scenario), FUN = mean)
  stopifnot(nrow(means) == length(unique(w$scenario)))
}
for (f in list.files(d, pattern = "_regression_results.csv$", full.names = TRUE)) {
  b <- read.csv(f)
  k <- sum(startsWith(names(b), "b_attr"))
  numeric(b, paste0("b_attr", 1:k))
  stopifnot(!is.unsorted(order(b$scenario)), !anyDuplicated(b$scenario))
  stopifnot(all(apply(abs(b[paste0("b_attr", 1:k)]), 1, max, na.rm = TRUE) == 100))
}
cat("read\n"))",
                                 directory});
  EXPECT_EQ(r.out, "read\n") << r.err;
}

TEST(ImportExportTest, ThePapersFormatComesBackAsItCame) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  const std::string files = cluster.directory() + "/files";
  WriteSyntheticFiles(files, 30);
  const Finished import = cluster.Candor(
      {"import", "--paper", files, "--model", "m", "--name", "theirs", "--request-id", "once"});
  ASSERT_EQ(import.exit_code, 0) << import.err;
  const std::string job = Line(import);
  const auto exported_to = [&](const std::string& name) {
    const std::string out = cluster.directory() + "/" + name;
    const Finished done = cluster.Candor({"export", job, "--format", "paper", "--out", out});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return out;
  };
  const std::string out = exported_to("out");
  for (const char* file :
       {"m_instilled_selections.csv", "m_instilled_weight_reports.csv", "m_weight_reports.csv"}) {
    EXPECT_EQ(ReadWhole(out + "/" + file), ReadWhole(files + "/" + file)) << file;
  }
  EXPECT_THAT(ReadWhole(out + "/m_regression_results.csv"),
              testing::StartsWith("scenario,b_attr1,b_attr2,b_attr3\nboard,"));
  ExpectReadByR(out);
  // Again into its own directory, but never over files that it did not write.
  EXPECT_EQ(cluster.Candor({"export", job, "--format", "paper", "--out", out}).exit_code, 0);
  EXPECT_THAT(cluster.Candor({"export", job, "--format", "paper", "--out", files}).err,
              HasSubstr("--force"));

  // A job like any other.
  const Finished show = cluster.Candor({"show", job});
  EXPECT_THAT(show.out, AllOf(HasSubstr("SUCCEEDED"), HasSubstr("theirs")));
  EXPECT_THAT(cluster.Candor({"jobs"}).out, HasSubstr(job));
  EXPECT_THAT(cluster.Candor({"samples", job, "--kind", "self-report", "-n", "1"}).out,
              HasSubstr("\"caffeine\""));
  EXPECT_EQ(ParseJsonLines(cluster.Candor({"export", job, "--out", "-"}).out).size(), 90U + 2 * 9);
  EXPECT_EQ(cluster.Candor({"watch", job}).exit_code, 0);
  EXPECT_THAT(cluster.Candor({"resume", job}).err, HasSubstr("SUCCEEDED"));
  const auto before = cluster.GetJob(job);
  EXPECT_TRUE(before.at("imported").as_bool());

  cluster.KillAndRestartCoordinator();
  EXPECT_EQ(cluster.GetJob(job), before);
  EXPECT_EQ(ReadWhole(exported_to("again") + "/m_instilled_selections.csv"),
            ReadWhole(files + "/m_instilled_selections.csv"));
  // The same import is the same job; another one under its name is refused.
  EXPECT_EQ(Line(cluster.Candor({"import", "--paper", files, "--model", "m", "--name", "theirs",
                                 "--request-id", "once"})),
            job);
  WriteSyntheticFiles(files, 29);
  EXPECT_THAT(cluster
                  .Candor({"import", "--paper", files, "--model", "m", "--name", "theirs",
                           "--request-id", "once"})
                  .err,
              HasSubstr("once"));
  EXPECT_EQ(
      cluster.Grpcurl("EvaluationService/DeleteJob", R"({"name": ")" + job + R"("})").exit_code, 0);
  EXPECT_THAT(cluster.Candor({"jobs"}).out, Not(HasSubstr(job)));
}

TEST(ImportExportTest, ThePapersOwnFilesComeBack) {
  if (!fs::exists(kPaper + "/scenarios.csv")) {
    GTEST_SKIP() << "SKIPPED, NOT PASSED: the paper's files are not at " << kPaper;
  }
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  const Finished import =
      cluster.Candor({"import", "--paper", kPaper, "--model", "gpt-4o-2024-08-06"});
  ASSERT_EQ(import.exit_code, 0) << import.err;
  EXPECT_THAT(import.err, Not(HasSubstr("left out")));
  const std::string out = cluster.directory() + "/out";
  const Finished done = cluster.Candor({"export", Line(import), "--format", "paper", "--out", out});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  int same = 0;
  for (const auto& file : fs::directory_iterator(kPaper)) {
    const std::string name = file.path().filename();
    if (!name.ends_with("_selections.csv") && !name.ends_with("_weight_reports.csv")) continue;
    EXPECT_TRUE(ReadWhole(out + "/" + name) == ReadWhole(file.path())) << name;
    ++same;
  }
  EXPECT_EQ(same, 8);
  ExpectReadByR(out);
  // The published weights are two other runs of a sampler away.
  for (const char* name : {"_regression_results.csv", "_latent_regression_results.csv"}) {
    const Finished r =
        RunCommand({"Rscript", "-e", R"(
f <- commandArgs(trailingOnly = TRUE)
a <- read.csv(f[1]); b <- read.csv(f[2])
stopifnot(identical(names(a), names(b)), identical(a$scenario, b$scenario))
d <- mean(abs(as.matrix(a[-1]) - as.matrix(b[-1])))
cat(if (d <= 0.35) "near" else paste("mean difference", d), "\n", sep = ""))",
                    out + "/gpt-4o-2024-08-06" + name, kPaper + "/gpt-4o-2024-08-06" + name});
    EXPECT_EQ(r.out, "near\n") << r.err;
  }
}

TEST(ImportExportTest, LiveJobsAreWrittenInEveryFormat) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  cluster.StartWorker("w1");
  const std::string job = cluster.CreateJob(
      ReadWhole(std::string(CANDOR_SOURCE_DIR) + "/docs/examples/two-conditions.json"));
  EXPECT_EQ(cluster.WaitForEnd(job), "SUCCEEDED");
  const std::string paper = cluster.directory() + "/paper";
  const Finished done = cluster.Candor({"export", job, "--format", "paper", "--out", paper});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  ExpectReadByR(paper);

  const std::string logs = cluster.directory() + "/logs";
  ASSERT_EQ(cluster.Candor({"export", job, "--format", "inspect", "--out", logs}).exit_code, 0);
  std::size_t samples = 0;
  int count = 0;
  std::string first;
  for (const auto& file : fs::directory_iterator(logs)) {
    if (file.path().extension() != ".json") continue;
    ++count;
    first = file.path();
    const auto log = ParseJsonText(ReadWhole(file.path()));
    EXPECT_EQ(log.at("version").as_int64(), 2);
    samples += log.at("samples").as_array().size();
  }
  EXPECT_EQ(samples, 300U);
  EXPECT_EQ(count, 3);
  const std::string whole = cluster.directory() + "/whole.json";
  ASSERT_EQ(cluster.Candor({"export", job, "--format", "inspect", "--out", whole}).exit_code, 0);
  EXPECT_EQ(ParseJsonText(ReadWhole(whole)).at("samples").as_array().size(), 300U);
  EXPECT_THAT(cluster.Candor({"export", job, "--format", "inspect", "--out", whole}).err,
              HasSubstr("--force"));
  EXPECT_NE(cluster.Candor({"export", job, "--format", "paper", "--out", "-"}).exit_code, 0);

  const char* python = std::getenv("CANDOR_INSPECT_PYTHON");
  if (python == nullptr) {
    GTEST_SKIP() << "SKIPPED, NOT PASSED: reading the logs with Inspect, because "
                    "CANDOR_INSPECT_PYTHON names no Python that has inspect_ai";
  }
  const Finished inspect = RunCommand({python, "-c", R"(
import sys
from inspect_ai.log import read_eval_log
for path in sys.argv[1:]:
    log, head = read_eval_log(path), read_eval_log(path, header_only=True)
    assert log.version == 2 and log.status == "success" and head.eval.task == log.eval.task
    assert log.samples and len({(s.id, s.epoch) for s in log.samples}) == len(log.samples)
    assert all(s.scores["readable"].explanation for s in log.samples)
    assert all(s.output.completion == s.messages[-1].text for s in log.samples)
print("read")
)",
                                       first, whole});
  EXPECT_EQ(inspect.out, "read\n") << inspect.err;
}

TEST(ImportExportTest, GrpcurlImportsAndWrongOutcomesAreNamed) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  const std::string job = R"({"job": {"display_name": "by hand", "models": [{"name": "them",
    "model": "m"}], "inline_scenarios": {"scenarios": [{"id": "tea", "role": "Zeus", "question":
    "Which?", "attributes": [{"name": "size", "min": 0, "max": 1}, {"name": "price", "min": 0,
    "max": 1}]}]}, "choices": {"trials_per_scenario": 3}}, "request_id": "r"})";
  const auto outcome = [](int pair, const std::string& choice) {
    return R"({"entry": "them", "scenario": "tea", "kind": "CHOICE", "pair": )" +
           std::to_string(pair) + R"(, "class": "VALID", "choice": ")" + choice +
           R"(", "option_a": [{"attribute": "size", "value": 1}, {"attribute": "price", "value":
           0.5}], "option_b": [{"attribute": "size", "value": 0}, {"attribute": "price"}]})";
  };
  const Finished wrong =
      cluster.Grpcurl("EvaluationService/ImportJob",
                      job + R"({"outcomes": [)" + outcome(0, "A") + "," + outcome(7, "A") + "]}");
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_THAT(wrong.err,
              AllOf(HasSubstr("outcomes[1].pair"), HasSubstr("is 7"), HasSubstr("0 to 2")));
  const Finished none = cluster.Grpcurl("EvaluationService/ImportJob", job);
  EXPECT_THAT(none.err, HasSubstr("at least one"));
  const std::string pieces =
      job + R"({"outcomes": [)" + outcome(0, "A") + R"(]}{"outcomes": [)" + outcome(2, "B") + "]}";
  const auto made = cluster.Call("EvaluationService/ImportJob", pieces);
  EXPECT_EQ(made.at("state").as_string(), "SUCCEEDED");
  EXPECT_TRUE(made.at("imported").as_bool());
  const auto& kind = made.at("progress").at(0).at("kinds").at(0);
  EXPECT_EQ(kind.at("done").as_string(), "2");
  EXPECT_EQ(kind.at("failed").as_string(), "1");
  EXPECT_EQ(cluster.Call("EvaluationService/ImportJob", pieces).at("name"), made.at("name"));
}

// SIGKILL while an import is under way, at instants from its beginning to its end: afterwards there
// is all of it or nothing, and a client that asks again with its request id has one job.
TEST(ImportExportTest, AKilledImportIsThereAsAWholeOrNotAtAll) {
  Cluster cluster;
  cluster.StartSimulator();
  cluster.StartCoordinator();
  const std::string files = cluster.directory() + "/files";
  WriteSyntheticFiles(files, 2000);
  const std::size_t outcomes = 3 * 2000 + 2 * 9;
  int found = 0;
  for (int run = 0; run < 5; ++run) {
    const std::string id = "run " + std::to_string(run);
    Process client({.command = {Bin("candor"), "import", "--paper", files, "--model", "m",
                                "--request-id", id, "--coordinator", cluster.grpc_address()},
                    .log_file = cluster.directory() + "/import.log",
                    .read_output = true});
    // The instants that are tried, not something that is waited for.
    std::this_thread::sleep_for(std::chrono::milliseconds(70 * run));
    cluster.KillAndRestartCoordinator();
    const auto jobs = cluster.Call("EvaluationService/ListJobs");
    if (const auto* list = jobs.as_object().if_contains("jobs")) {
      for (const auto& job : list->as_array()) {
        const std::string name = job.at("name").as_string().c_str();
        EXPECT_EQ(ParseJsonLines(cluster.Candor({"export", name, "--out", "-"}).out).size(),
                  outcomes);
      }
    }
    const auto name = client.ReadLine();
    EXPECT_EQ(client.Wait(), 0) << ReadWhole(cluster.directory() + "/import.log");
    ASSERT_TRUE(name);
    EXPECT_EQ(ParseJsonLines(cluster.Candor({"export", *name, "--out", "-"}).out).size(), outcomes);
    const auto after = cluster.Call("EvaluationService/ListJobs").at("jobs").as_array();
    EXPECT_EQ(after.size(), 1U);
    ++found;
    cluster.Call("EvaluationService/DeleteJob", R"({"name": ")" + *name + R"("})");
  }
  EXPECT_EQ(found, 5);
}

}  // namespace
}  // namespace candor::integration
