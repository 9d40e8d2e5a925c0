// What outcomes say, as users ask for it: while a job runs, after a restart, as a report.

#include "tests/integration/cluster.h"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace candor::integration {
namespace {

using testing::HasSubstr;

// A model that knows itself well, beside one that knows nothing of itself.
constexpr const char* kModels = R"(
models:
  - {match: knows, seed: 1, self_knowledge: 1}
  - {match: guesses, seed: 2, self_knowledge: 0, malformed_rate: 0.02}
)";

constexpr const char* kJob = R"({
  "job": {
    "models": [{"name": "knows", "endpoint": "local", "model": "knows"},
               {"name": "guesses", "endpoint": "local", "model": "guesses"}],
    "scenario_limit": 12,
    "choices": {"trials_per_scenario": 40, "orders": "BOTH"},
    "self_reports": {"reports_per_scenario": 3},
    "analysis": {"primary": ["knows.self_reports"], "exclusions": {"min_reports_per_scenario": 2}},
    "seed": 5
  }
})";
constexpr std::int64_t kCells = 2 * 12 * (40 + 3);

std::string Named(const std::string& job, const std::string& more = "") {
  return R"({"name": ")" + job + "\"" + more + "}";
}

// The messages of a stream: grpcurl prints one indented object each.
std::vector<boost::json::value> Messages(const std::string& out) {
  std::vector<boost::json::value> messages;
  std::size_t begin = 0;
  while (begin < out.size()) {
    const std::size_t end = out.find("\n}\n", begin);
    if (end == std::string::npos) break;
    messages.push_back(ParseJsonText(std::string_view(out).substr(begin, end + 3 - begin)));
    begin = end + 3;
  }
  return messages;
}

std::string Watch(const Cluster& cluster, const std::string& job) {
  const Finished watch =
      cluster.Grpcurl("EvaluationService/WatchJob", Named(job, R"(, "include_scenarios": true)"));
  EXPECT_EQ(watch.exit_code, 0) << watch.err;
  return watch.out;
}

class AnalysisTest : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.StartSimulator(kModels);
    cluster_.StartCoordinator();
  }
  Cluster cluster_;
};

TEST_F(AnalysisTest, WatchersSeeWhatOutcomesSayAndTheSameAfterARestart) {
  const std::string job = cluster_.CreateJob(kJob);
  const std::string plan = cluster_.GetJob(job).at("analysis_hash").as_string().c_str();
  EXPECT_EQ(plan.size(), 64U);

  // Nothing yet: who will be estimated, from no outcome.
  Process early({.command = {Tool("grpcurl"), "-plaintext", "-d", Named(job),
                             cluster_.grpc_address(), "candor.v1.EvaluationService/WatchJob"},
                 .log_file = cluster_.directory() + "/early.log",
                 .read_output = true});
  std::string first;
  while (const auto line = early.ReadLine()) {
    first += *line + "\n";
    if (*line == "}") break;
  }
  EXPECT_THAT(first, HasSubstr("\"estimates\""));
  EXPECT_THAT(first, HasSubstr("SNAPSHOT"));

  cluster_.StartWorker("w1");
  const auto running = Messages(Watch(cluster_, job));
  ASSERT_FALSE(running.empty());
  const auto& last = running.back().at("estimates");
  EXPECT_EQ(last.at("outcomes").as_string(), std::to_string(kCells));
  const auto& knows = last.at("entries").at(0);
  const auto& guesses = last.at("entries").at(1);
  EXPECT_EQ(knows.at("n_scenarios").to_number<int>(), 12);
  EXPECT_GT(knows.at("r").to_number<double>(), 0.8);
  EXPECT_GT(knows.at("interval_low").to_number<double>(), 0.5);
  EXPECT_LT(guesses.at("r").to_number<double>(), 0.5);
  // The estimates were made of committed outcomes all the way: they never go back.
  std::int64_t outcomes = 0;
  for (const auto& message : running) {
    const auto* estimates = message.as_object().if_contains("estimates");
    if (estimates == nullptr || !estimates->as_object().contains("outcomes")) continue;
    const std::int64_t now = std::stoll(estimates->at("outcomes").as_string().c_str());
    EXPECT_GE(now, outcomes);
    outcomes = now;
  }
  EXPECT_EQ(outcomes, kCells);

  // A job that is over is one message, with all of it: before a restart and after it.
  const auto before = Messages(Watch(cluster_, job));
  ASSERT_EQ(before.size(), 1U);
  const std::string estimates = boost::json::serialize(before[0].at("estimates"));
  EXPECT_EQ(before[0].at("estimates").at("scenarios").as_array().size(), 24U);
  EXPECT_EQ(boost::json::serialize(last.at("entries")),
            boost::json::serialize(before[0].at("estimates").at("entries")));
  cluster_.KillAndRestartCoordinator();
  const auto after = Messages(Watch(cluster_, job));
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(boost::json::serialize(after[0].at("estimates")), estimates);
  EXPECT_EQ(cluster_.GetJob(job).at("analysis_hash").as_string(), plan);

  const Finished show = cluster_.Candor({"show", job});
  EXPECT_THAT(show.out, HasSubstr("so far        slope "));
  EXPECT_THAT(show.out, HasSubstr(", 12 scenarios"));
  EXPECT_THAT(show.out, HasSubstr("analysis plan " + plan.substr(0, 12) +
                                  ": primary knows.self_reports; at least 2 reports"));
}

TEST_F(AnalysisTest, EstimatesOfARunningJobAreTheSameAfterAKill) {
  const std::string job = cluster_.CreateJob(kJob);
  cluster_.StartWorker("w1");
  // Killed in the middle of it: what was committed is what counts, before and after.
  cluster_.WaitForDone(job, kCells / 3);
  cluster_.KillAndRestartCoordinator();
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  const auto killed = Messages(Watch(cluster_, job)).back();
  EXPECT_EQ(killed.at("estimates").at("outcomes").as_string(), std::to_string(kCells));
  // The same job again, never interrupted, with other timing and another order of commits.
  const std::string again = cluster_.CreateJob(kJob);
  EXPECT_EQ(cluster_.WaitForEnd(again), "SUCCEEDED");
  EXPECT_EQ(boost::json::serialize(Messages(Watch(cluster_, again)).back().at("estimates")),
            boost::json::serialize(killed.at("estimates")));
}

TEST_F(AnalysisTest, JobsAreAnalysedAndReported) {
  const std::string job = cluster_.CreateJob(kJob);
  const std::string named = R"({"names": [")" + job + "\"]";
  // Before there is anything, and with what cannot be.
  const Finished nothing = cluster_.Grpcurl("AnalysisService/AnalyzeJobs", named + "}");
  EXPECT_THAT(nothing.err, HasSubstr("FailedPrecondition"));
  EXPECT_THAT(nothing.err, HasSubstr("nothing to analyse"));
  const Finished nobody =
      cluster_.Grpcurl("AnalysisService/AnalyzeJobs", R"({"names": ["jobs/nobody"]})");
  EXPECT_THAT(nobody.err, testing::AllOf(HasSubstr("NotFound"), HasSubstr("jobs/nobody")));
  const Finished none = cluster_.Grpcurl("AnalysisService/GetReport", "{}");
  EXPECT_THAT(none.err, testing::AllOf(HasSubstr("InvalidArgument"), HasSubstr("names")));

  cluster_.StartWorker("w1");
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  const Finished wrong =
      cluster_.Grpcurl("AnalysisService/AnalyzeJobs", named + R"(, "settings": {"tau": 0}})");
  EXPECT_THAT(wrong.err, testing::AllOf(HasSubstr("InvalidArgument"), HasSubstr("BadRequest"),
                                        HasSubstr("settings.tau"), HasSubstr("is 0")));

  // The figures are those that watchers see, with all that belongs to them.
  const auto analysis = cluster_.Call("AnalysisService/AnalyzeJobs", named + "}");
  const auto& knows = analysis.at("models").at("knows").at("self_reports");
  EXPECT_GT(knows.at("r").to_number<double>(), 0.8);
  EXPECT_EQ(knows.as_object().if_contains("scenarios"), nullptr);
  EXPECT_EQ(analysis.at("models").at("knows").as_object().if_contains("scenarios"), nullptr);
  EXPECT_EQ(analysis.at("plan_hash").as_string(), cluster_.GetJob(job).at("analysis_hash"));
  EXPECT_EQ(analysis.at("tests").at(0).at("statistic").as_string().find("models.knows"), 0U);
  const auto live = Messages(Watch(cluster_, job)).back().at("estimates").at("entries").at(0);
  EXPECT_DOUBLE_EQ(live.at("slope").to_number<double>(), knows.at("slope").to_number<double>());
  EXPECT_DOUBLE_EQ(live.at("interval_low").to_number<double>(),
                   knows.at("cluster_robust_interval").at("low").to_number<double>());
  const auto whole =
      cluster_.Call("AnalysisService/AnalyzeJobs", named + R"(, "include_scenarios": true})");
  EXPECT_EQ(whole.at("models").at("knows").at("scenarios").as_array().size(), 12U);

  // The report: every file whole, in pieces.
  const Finished report =
      cluster_.Grpcurl("AnalysisService/GetReport", named + R"(, "files": ["analysis.json"]})");
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_THAT(report.out, HasSubstr("analysis.json"));
  EXPECT_THAT(report.out, HasSubstr("\"last\": true"));
  const Finished slip =
      cluster_.Grpcurl("AnalysisService/GetReport", named + R"(, "files": ["analysis.jsn"]})");
  EXPECT_THAT(slip.err, HasSubstr("did you mean 'analysis.json'?"));

  const std::string out = cluster_.directory() + "/report";
  const Finished written = cluster_.Candor({"report", job, "--out", out});
  EXPECT_EQ(written.exit_code, 0) << written.err;
  EXPECT_THAT(written.out, HasSubstr("The report: " + out + "/report.html"));
  EXPECT_THAT(ReadWhole(out + "/report.html"), HasSubstr("<html"));
  const auto file = ParseJsonText(ReadWhole(out + "/analysis.json"));
  EXPECT_EQ(file.at("headline").as_string(), analysis.at("headline").as_string());
  EXPECT_TRUE(std::filesystem::exists(out + "/weights.csv"));

  // Two jobs together are told apart by their names.
  const std::string other = cluster_.CreateJob(kJob);
  EXPECT_EQ(cluster_.WaitForEnd(other), "SUCCEEDED");
  const auto both = cluster_.Call("AnalysisService/AnalyzeJobs",
                                  R"({"names": [")" + job + R"(", ")" + other + "\"]}");
  EXPECT_EQ(both.at("models").as_object().size(), 4U);
}

TEST_F(AnalysisTest, APlanThatTheDesignCannotAnswerIsRefused) {
  std::string request = kJob;
  request.replace(request.find("knows.self_reports"), 18, "know.self_reports");
  const Finished refused = cluster_.Grpcurl("EvaluationService/CreateJob", request);
  EXPECT_THAT(refused.err, testing::AllOf(HasSubstr("job.analysis.primary[0]"),
                                          HasSubstr("did you mean 'knows'?")));
  const auto estimate = cluster_.Call("EvaluationService/CreateJob",
                                      R"({"validate_only": true, )" + std::string(kJob).substr(1));
  const auto& precision = estimate.at("estimate").at("precision").as_array();
  ASSERT_EQ(precision.size(), 2U);
  EXPECT_EQ(precision[0].at("entry").as_string(), "knows");
  EXPECT_GT(precision[0].at("interval_width").to_number<double>(), 0);
}

}  // namespace
}  // namespace candor::integration
