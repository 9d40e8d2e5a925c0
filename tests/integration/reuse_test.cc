// Not paying twice: longer jobs, second tries and answers of identical requests, on real processes.
// What counts is the simulator's ledger: which calls there were.

#include "tests/integration/cluster.h"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace candor::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// A job of 4 scenarios, of which so many choices and self-reports are asked.
std::string Job(int trials, int reports, const std::string& more = "",
                const std::string& design = "") {
  return R"({"job": {"models": [{"name": "base", "endpoint": "local", "model": "m"}],
    "scenario_limit": 4, "attribute_order": "SHUFFLED", "seed": 7,
    "choices": {"trials_per_scenario": )" +
         std::to_string(trials) + design +
         R"(, "sampling": {"temperature": 0, "max_output_tokens": 16}},
    "self_reports": {"reports_per_scenario": )" +
         std::to_string(reports) +
         R"(, "sampling": {"temperature": 0, "max_output_tokens": 300}})" + more + "}}";
}

std::string Named(const std::string& job, const std::string& more = "") {
  return R"({"name": ")" + job + "\"" + more + "}";
}

std::int64_t Sum(const boost::json::value& job, const char* field) {
  std::int64_t sum = 0;
  for (const auto& entry : job.at("progress").as_array()) {
    for (const auto& kind : entry.at("kinds").as_array()) {
      const auto* value = kind.as_object().if_contains(field);
      if (value != nullptr) sum += std::stoll(value->as_string().c_str());
    }
  }
  return sum;
}

// The exported outcomes, without where they are from.
std::vector<std::string> Outcomes(const std::string& directory) {
  std::vector<std::string> lines;
  for (auto& outcome : ParseJsonLines(ReadWhole(directory + "/outcomes.jsonl"))) {
    outcome.as_object().erase("reused_from");
    lines.push_back(boost::json::serialize(outcome));
  }
  return lines;
}

// How many outcomes come from where; "" for the job's own.
std::map<std::string, int> Origins(const std::string& directory) {
  std::map<std::string, int> origins;
  for (const auto& outcome : ParseJsonLines(ReadWhole(directory + "/outcomes.jsonl"))) {
    const auto& from = outcome.at("reused_from");
    ++origins[from.is_null() ? "" : std::string(from.as_string())];
  }
  return origins;
}

std::string FirstLine(const Finished& finished) {
  return finished.out.substr(0, finished.out.find('\n'));
}

class ReuseTest : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.SetEndpoints({{"local",
                            "    base_url: \"{base_url}\"\n    models:\n"
                            "      - {match: \"*\", price: {input: 1, output: 10}}"}});
    cluster_.StartSimulator();
    cluster_.StartCoordinator();
    cluster_.StartWorker("w1");
  }

  std::string RunJob(const std::string& request) {
    const std::string job = cluster_.CreateJob(request);
    EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
    return job;
  }
  std::string RunCommand(std::vector<std::string> arguments) {
    const Finished finished = cluster_.Candor(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    if (finished.exit_code != 0) return {};
    EXPECT_EQ(cluster_.WaitForEnd(FirstLine(finished)), "SUCCEEDED");
    return FirstLine(finished);
  }
  std::size_t Calls() { return cluster_.Ledger().size(); }

  Cluster cluster_;
};

TEST_F(ReuseTest, ALongerJobAsksOnlyWhatIsNewAndIsLikeAFreshOne) {
  const std::string old = RunJob(Job(6, 2));
  ASSERT_EQ(Calls(), 4U * 8);
  const auto before = Outcomes(cluster_.Export(old, "old"));

  const Finished estimate =
      cluster_.Candor({"extend", old, "--trials", "10", "--reports", "3", "--validate-only"});
  EXPECT_THAT(estimate.out, HasSubstr("52 cells, 20 calls, 32 reused"));
  const std::string longer = RunCommand({"extend", old, "--trials", "10", "--reports", "3"});
  EXPECT_EQ(Calls(), 4U * 8 + 4 * 5);
  EXPECT_EQ(Sum(cluster_.GetJob(longer), "reused"), 4 * 8);
  EXPECT_EQ(Sum(cluster_.GetJob(longer), "calls"), 4 * 5);
  EXPECT_THAT(cluster_.Candor({"show", longer}).out,
              AllOf(HasSubstr("reused 32"), HasSubstr("52/52"), HasSubstr("spend ")));

  // And once more: what was taken over still bears the name of the job that paid for it.
  const std::string longest = RunCommand({"extend", longer, "--trials", "12"});
  EXPECT_EQ(Calls(), 4U * 8 + 4 * 5 + 4 * 2);
  cluster_.KillAndRestartCoordinator();
  EXPECT_EQ(Sum(cluster_.GetJob(longest), "reused"), 52);
  const std::string exported = cluster_.Export(longest, "longest");
  EXPECT_EQ(Origins(exported), (std::map<std::string, int>{{"", 8}, {old, 32}, {longer, 20}}));

  const std::string fresh = RunJob(Job(12, 3));
  EXPECT_EQ(Outcomes(exported), Outcomes(cluster_.Export(fresh, "fresh")));
  EXPECT_EQ(Outcomes(cluster_.Export(old, "old-again")), before);
  EXPECT_EQ(Sum(cluster_.GetJob(old), "reused"), 0);
}

TEST_F(ReuseTest, AnAdaptiveJobGoesOnWithTheSameTrials) {
  const std::string adaptive =
      R"(, "orders": "BOTH", "design": "ADAPTIVE", "adaptive": {"random_pairs": 2, "candidates": 16})";
  const std::string old = RunJob(Job(12, 0, "", adaptive));
  const std::size_t calls = Calls();
  const std::string longer = RunCommand({"extend", old, "--trials", "16"});
  EXPECT_EQ(Calls() - calls, 4U * 4);
  const std::string fresh = RunJob(Job(16, 0, "", adaptive));
  EXPECT_EQ(Outcomes(cluster_.Export(longer, "longer")), Outcomes(cluster_.Export(fresh, "fresh")));
  // Of a random design only the pairs that are drawn are the same.
  const auto random =
      cluster_.Call("EvaluationService/CreateJob",
                    Job(16, 0, ", \"reuse_from\": [\"" + fresh + "\"]", R"(, "orders": "BOTH")"));
  const std::string name = random.at("job").at("name").as_string().c_str();
  EXPECT_EQ(cluster_.WaitForEnd(name), "SUCCEEDED");
  EXPECT_EQ(Sum(cluster_.GetJob(name), "reused"), 4 * 2 * 2);
}

TEST_F(ReuseTest, WhatWasCutIsAskedAgainAndNothingElse) {
  std::string cut = Job(3, 2);
  cut.replace(cut.find("\"max_output_tokens\": 300"), 24, "\"max_output_tokens\": 5");
  const std::string old = RunJob(cut);
  const std::size_t calls = Calls();
  const std::string before = ReadWhole(cluster_.Export(old, "old") + "/outcomes.jsonl");
  ASSERT_THAT(before, HasSubstr("TRUNCATED"));

  const std::string again =
      RunCommand({"retry", old, "--class", "TRUNCATED", "--max-output-tokens", "300"});
  EXPECT_EQ(Calls() - calls, 4U * 2);
  const std::string exported = cluster_.Export(again, "again");
  EXPECT_EQ(Origins(exported), (std::map<std::string, int>{{"", 4 * 2}, {old, 4 * 3}}));
  EXPECT_EQ(Outcomes(exported), Outcomes(cluster_.Export(RunJob(Job(3, 2)), "fresh")));
  EXPECT_EQ(ReadWhole(cluster_.Export(old, "old-again") + "/outcomes.jsonl"), before);
  const auto job = cluster_.GetJob(again);
  EXPECT_EQ(job.at("retry_of").at("job").as_string(), old);
  EXPECT_EQ(job.at("self_reports").at("sampling").at("max_output_tokens").as_int64(), 300);

  // Longer yet: its choices were asked with another limit, and are kept all the same.
  const std::size_t so_far = Calls();
  RunCommand({"extend", again, "--trials", "4"});
  EXPECT_EQ(Calls() - so_far, 4U);

  const Finished nothing = cluster_.Candor({"retry", again, "--class", "TRUNCATED"});
  EXPECT_THAT(nothing.err, HasSubstr("there is nothing to ask again"));
  const Finished typo = cluster_.Candor({"retry", old, "--class", "TRUNCATED", "--entry", "bse"});
  EXPECT_THAT(typo.err,
              HasSubstr("entries[0]: \"bse\" is no entry of the job; did you mean 'base'?"));
}

TEST_F(ReuseTest, IdenticalRequestsAreTakenOverUnderAnyName) {
  const std::string old = RunJob(Job(4, 1));
  const std::size_t calls = Calls();
  std::string request = Job(4, 2, ", \"reuse_from\": [\"" + old + "\"]");
  request.replace(request.find("\"base\""), 6, "\"control\"");
  request.insert(1, R"("request_id": "once", )");

  std::string asking = request;
  asking.insert(1, R"("validate_only": true, )");
  const auto estimate = cluster_.Call("EvaluationService/CreateJob", asking).at("estimate");
  EXPECT_EQ(estimate.at("reused").as_string(), "20");
  EXPECT_EQ(estimate.at("calls").as_string(), "4");
  ASSERT_EQ(estimate.at("kinds").as_array().size(), 2U);
  EXPECT_EQ(estimate.at("kinds").at(0).at("reused").as_string(), "16");
  EXPECT_EQ(Calls(), calls);

  const std::string job = cluster_.CreateJob(request);
  EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  EXPECT_EQ(Calls() - calls, 4U);
  EXPECT_EQ(Sum(cluster_.GetJob(job), "reused"), 20);
  EXPECT_EQ(Sum(cluster_.GetJob(job), "calls"), 4);

  // The same request again is the same job, also when what it was made of is gone.
  cluster_.Call("EvaluationService/DeleteJob", Named(old));
  const auto same = cluster_.Call("EvaluationService/CreateJob", request);
  EXPECT_EQ(same.at("job").at("name").as_string(), job);
  EXPECT_EQ(same.at("estimate").at("reused").as_string(), "20");
  request.replace(request.find("\"once\""), 6, "\"twice\"");
  EXPECT_THAT(cluster_.Grpcurl("EvaluationService/CreateJob", request).err,
              AllOf(HasSubstr("job.reuse_from[0]"), HasSubstr("deleted"), HasSubstr(old)));
  // Other bytes are other requests.
  const std::string other =
      RunJob(Job(4, 1,
                 ", \"prompts\": {\"choice\": {\"messages\": [{\"role\": \"user\", \"content\": "
                 "\"A: {option_a} B: {option_b}? Answer A or B.\"}]}}, \"reuse_from\": [\"" +
                     job + "\"]"));
  EXPECT_EQ(Sum(cluster_.GetJob(other), "reused"), 4);
}

// A client that never saw the answer asks once more, when what its job was made of is gone.
TEST_F(ReuseTest, TheSameRequestIsTheSameJobWhateverWasDeleted) {
  const std::string oldest = RunJob(Job(3, 1));
  const std::string old = RunCommand({"extend", oldest, "--trials", "4"});
  const std::string extend = Named(old, R"(, "request_id": "longer", "trials_per_scenario": 6)");
  const std::string retry =
      Named(old, R"(, "request_id": "again", "classes": ["VALID"], "temperature": 0.5)");
  const auto name = [](const boost::json::value& response) {
    return std::string(response.at("job").at("name").as_string());
  };
  const std::string longer = name(cluster_.Call("EvaluationService/ExtendJob", extend));
  const auto first = cluster_.Call("EvaluationService/RetryJob", retry);
  const std::string again = name(first);
  for (const std::string& job : {longer, again}) EXPECT_EQ(cluster_.WaitForEnd(job), "SUCCEEDED");
  const std::size_t calls = Calls();
  for (const std::string& gone : {oldest, old}) {
    cluster_.Call("EvaluationService/DeleteJob", Named(gone));
    EXPECT_EQ(name(cluster_.Call("EvaluationService/ExtendJob", extend)), longer) << gone;
    const auto same = cluster_.Call("EvaluationService/RetryJob", retry);
    EXPECT_EQ(name(same), again) << gone;
    EXPECT_EQ(same.at("estimate").at("calls"), first.at("estimate").at("calls"));
  }
  EXPECT_EQ(Calls(), calls);
  // Another request under its id is none.
  const auto other = [&](const std::string& request) {
    return cluster_.Grpcurl("EvaluationService/ExtendJob", request).err;
  };
  EXPECT_THAT(other(Named(old, R"(, "request_id": "longer", "trials_per_scenario": 7)")),
              AllOf(HasSubstr("AlreadyExists"), HasSubstr(longer)));
  EXPECT_THAT(other(Named(old, R"(, "request_id": "new", "trials_per_scenario": 7)")),
              HasSubstr("there is no job"));
}

TEST_F(ReuseTest, WhatDoesNotFitIsRefusedByField) {
  const std::string old = RunJob(Job(4, 1));
  const auto refused = [&](const std::string& method, const std::string& request) {
    const Finished finished = cluster_.Grpcurl("EvaluationService/" + method, request);
    EXPECT_NE(finished.exit_code, 0) << method << " " << request;
    return finished.err;
  };
  EXPECT_THAT(refused("ExtendJob", Named(old, ", \"trials_per_scenario\": 3")),
              HasSubstr("trials_per_scenario: is 3, but " + old + " has 4 already"));
  EXPECT_THAT(refused("ExtendJob", Named(old)), HasSubstr("trials_per_scenario: is no more than"));
  EXPECT_THAT(refused("ExtendJob", Named("jobs/none", ", \"trials_per_scenario\": 9")),
              HasSubstr("there is no job \"jobs/none\""));
  const std::string retry = ", \"retry_of\": {\"job\": \"" + old + "\", \"classes\": [\"EMPTY\"]}";
  EXPECT_THAT(refused("CreateJob", Job(3, 1, retry)),
              HasSubstr("job.models[0].choices.trials_per_scenario: is 3, but 4 in " + old));
  std::string other = Job(4, 1, retry);
  other.replace(other.find("\"seed\": 7"), 9, "\"seed\": 8");
  EXPECT_THAT(refused("CreateJob", other), HasSubstr("job.seed: is 8, but 7 in " + old));
  EXPECT_THAT(refused("CreateJob", Job(4, 1, retry + ", \"reuse_from\": [\"" + old + "\"]")),
              HasSubstr("job.reuse_from: stands beside job.retry_of"));
  EXPECT_THAT(
      refused("CreateJob", Job(4, 1, ", \"reuse_from\": [\"" + old + "\", \"" + old + "\"]")),
      HasSubstr("job.reuse_from[1]: \"" + old + "\" is named twice"));

  cluster_.worker("w1").Stop(SIGKILL);
  const std::string running = cluster_.CreateJob(Job(5, 1));
  EXPECT_THAT(refused("ExtendJob", Named(running, ", \"trials_per_scenario\": 9")),
              AllOf(HasSubstr("candor watch " + running), HasSubstr("candor cancel " + running)));
}

}  // namespace
}  // namespace candor::integration
