// What operators look at: metrics that Prometheus takes, rules and a dashboard that name only
// metrics that are there, a guide that lists all of them, and a page that says why a job is not
// faster.

#include "tests/integration/cluster.h"

#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace candor::integration {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kMonitoring = std::string(CANDOR_SOURCE_DIR) + "/deploy/monitoring";
const std::string kGuide = std::string(CANDOR_SOURCE_DIR) + "/docs/guides/operations.md";

// A limit of calls in flight that is below the slots, so that something is waited for.
constexpr const char* kEndpoint =
    "    base_url: \"{base_url}\"\n"
    "    limits: {requests_per_minute: 60000, in_flight: 4}\n"
    "    models: [{match: \"*\", price: {input: 1, output: 10}}]";
constexpr const char* kJob = R"({"job": {"display_name": "monitored", "seed": 7,
  "models": [{"name": "base", "endpoint": "local", "model": "m"}],
  "scenario_limit": 4,
  "choices": {"trials_per_scenario": 100}, "self_reports": {"reports_per_scenario": 2},
  "budget": {"calls": "1000"}}})";

bool HasPromtool() { return RunCommand({"promtool", "--version"}).exit_code == 0; }

Finished Get(const std::string& address, const std::string& page) {
  return RunCommand({"curl", "-sS", "--noproxy", "*", "--fail", "http://" + address + page});
}

std::string Scrape(const std::string& address) {
  const Finished page = Get(address, "/metrics");
  EXPECT_EQ(page.exit_code, 0) << page.err;
  return page.out;
}

// Names of the families on a page.
std::set<std::string> FamiliesOf(const std::string& page) {
  static const std::regex kType("# TYPE ([a-z0-9_]+) ");
  std::set<std::string> names;
  for (std::sregex_iterator at(page.begin(), page.end(), kType), end; at != end; ++at) {
    names.insert((*at)[1]);
  }
  return names;
}

// Names of ours that a text uses, as names of families.
std::set<std::string> NamesIn(const std::string& text) {
  static const std::regex kName("\\b(candor|process)_[a-z0-9_]+");
  static const std::regex kPart("_(bucket|sum|count)$");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), kName), end; at != end; ++at) {
    names.insert(std::regex_replace(at->str(), kPart, ""));
  }
  return names;
}

// Of all samples of a family of counters.
double SumOf(const std::string& page, const std::string& name) {
  const std::regex sample("\n" + name + "\\{[^}]*\\} ([0-9.e+-]+)");
  double sum = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), sample), end; at != end; ++at) {
    sum += std::stod((*at)[1]);
  }
  return sum;
}

std::set<std::string> Without(const std::set<std::string>& names,
                              const std::set<std::string>& known) {
  std::set<std::string> left;
  std::set_difference(names.begin(), names.end(), known.begin(), known.end(),
                      std::inserter(left, left.end()));
  return left;
}

// The text of every expression of a dashboard: of panels, variables and annotations.
void CollectExpressions(const boost::json::value& value, std::vector<std::string>* expressions) {
  if (value.is_array()) {
    for (const auto& item : value.as_array()) CollectExpressions(item, expressions);
  }
  if (!value.is_object()) return;
  for (const auto& [key, item] : value.as_object()) {
    if (key == "expr") expressions->emplace_back(item.as_string());
    CollectExpressions(item, expressions);
  }
}

// A dashboard's expressions as recording rules, so that promtool parses them.
std::string AsRules(const std::vector<std::string>& expressions) {
  std::string rules = "groups:\n  - name: dashboard\n    rules:\n";
  static const std::regex kInterval(R"(\$__(rate_interval|range))");
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    std::string expression = std::regex_replace(expressions[i], kInterval, "5m");
    expression = std::regex_replace(expression, std::regex(R"(\$(coordinator|worker))"), ".*");
    rules += "      - record: dashboard:expression:" + std::to_string(i) + "\n        expr: >-\n" +
             "          " + expression + "\n";
  }
  return rules;
}

// One cluster for all: with a job that has ended.
class MonitoringTest : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.SetEndpoints({{"local", kEndpoint}});
    cluster_.StartSimulator("models: [{match: \"*\", latency: 30ms}]\n");
    cluster_.StartCoordinator();
    cluster_.StartWorker("w1", {"--http", "127.0.0.1:0", "--slots", "32"});
    const auto ready = ParseJsonText(ReadWhole(cluster_.directory() + "/w1.json"));
    worker_http_ = ready.at("http").as_string().c_str();
    job_ = cluster_.CreateJob(kJob);
    ASSERT_EQ(cluster_.WaitForEnd(job_), "SUCCEEDED");
  }

  Cluster cluster_;
  std::string worker_http_;
  std::string job_;
};

TEST_F(MonitoringTest, MetricsAreWhatDashboardRulesAndGuideSay) {
  const std::string coordinator = Scrape(cluster_.http_address());
  const std::string worker = Scrape(worker_http_);
  std::set<std::string> known = FamiliesOf(coordinator);
  known.merge(FamiliesOf(worker));

  // Counts are those of the job: 400 choices and 8 self-reports.
  EXPECT_EQ(SumOf(coordinator, "candor_outcomes_total"), 408);
  EXPECT_EQ(SumOf(coordinator, "candor_attempts_total"), 408);
  EXPECT_GT(SumOf(coordinator, "candor_spend_total"), 0);
  EXPECT_THAT(coordinator, HasSubstr("candor_jobs{state=\"succeeded\"} 1\n"));
  EXPECT_THAT(coordinator, HasSubstr("candor_workers{state=\"ready\"} 1\n"));
  EXPECT_THAT(coordinator, HasSubstr("candor_leases 0\n"));
  EXPECT_THAT(worker,
              HasSubstr("candor_calls_total{endpoint=\"local\",result=\"completed\"} 408\n"));
  EXPECT_THAT(worker, HasSubstr("candor_call_first_byte_seconds_count{endpoint=\"local\"} 408\n"));
  EXPECT_THAT(worker, HasSubstr("candor_reports_unacknowledged 0\n"));
  // No label that grows with use.
  for (const std::string& page : {coordinator, worker}) {
    EXPECT_THAT(page, AllOf(Not(HasSubstr("jobs/")), Not(HasSubstr("workers/"))));
  }

  // Whatever is asked for is there.
  const std::string rules = ReadWhole(kMonitoring + "/candor.rules.yaml");
  EXPECT_THAT(Without(NamesIn(rules), known), IsEmpty());
  std::vector<std::string> expressions;
  CollectExpressions(ParseJsonText(ReadWhole(kMonitoring + "/candor.dashboard.json")),
                     &expressions);
  EXPECT_GT(expressions.size(), 50U);
  for (const std::string& expression : expressions) {
    EXPECT_THAT(Without(NamesIn(expression), known), IsEmpty()) << expression;
  }
  // The guide lists what is there, and nothing else.
  const std::set<std::string> listed = NamesIn(ReadWhole(kGuide));
  EXPECT_THAT(Without(listed, known), IsEmpty()) << "named in the guide, and not scraped";
  EXPECT_THAT(Without(known, listed), IsEmpty()) << "scraped, and not named in the guide";

  if (!HasPromtool()) {
    GTEST_SKIP() << "SKIPPED, NOT PASSED: what promtool checks, because it is not installed "
                    "(Debian's package prometheus)";
  }
  for (const std::string& page : {coordinator, worker}) {
    const Finished checked = RunCommand({"promtool", "check", "metrics"}, page);
    EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  }
  WriteWhole(cluster_.directory() + "/dashboard.yaml", AsRules(expressions));
  const Finished parsed =
      RunCommand({"promtool", "check", "rules", cluster_.directory() + "/dashboard.yaml"});
  EXPECT_EQ(parsed.exit_code, 0) << parsed.out << parsed.err;
}

TEST_F(MonitoringTest, ProbesOfBothPrograms) {
  for (const std::string& address : {cluster_.http_address(), worker_http_}) {
    for (const char* page : {"/healthz/live", "/healthz/ready"}) {
      EXPECT_EQ(Get(address, page).exit_code, 0) << address << page;
    }
  }
}

TEST_F(MonitoringTest, ExplainSaysWhatWasWaitedFor) {
  const Finished page = cluster_.Candor({"explain", job_});
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_THAT(page.out, HasSubstr(job_ + " has 408 of 408 answers and is SUCCEEDED"));
  EXPECT_THAT(page.out, HasSubstr("allows 4 calls in flight (configured)"));
  EXPECT_THAT(page.out, HasSubstr("local --in-flight N"));
  EXPECT_THAT(page.out, HasSubstr("The store makes a batch durable in"));
  const auto json = ParseJsonText(cluster_.Candor({"explain", job_, "--json"}).out);
  EXPECT_EQ(json.at("entries").at(0).at("findings").at(0).at("reason").as_string(),
            "IN_FLIGHT_LIMIT");
  EXPECT_EQ(cluster_.Candor({"explain", "nobody"}).exit_code, 1);
}

TEST_F(MonitoringTest, LimitsAreShownAndSet) {
  EXPECT_THAT(cluster_.Candor({"limits"}).out,
              AllOf(HasSubstr("requests a minute"), HasSubstr("/ 60.0k"), HasSubstr("configured")));
  const Finished set = cluster_.Candor(
      {"limits", "set", "local", "--requests-per-minute", "120", "--in-flight", "0"});
  EXPECT_EQ(set.exit_code, 0) << set.err;
  EXPECT_THAT(set.out, HasSubstr("/ 120"));
  const Finished unknown = cluster_.Candor({"limits", "set", "nobody", "--in-flight", "1"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("there is no limit group"));
}

TEST(RulesTest, FireAndAreSilentAsTheyShould) {
  if (!HasPromtool()) {
    GTEST_SKIP() << "SKIPPED, NOT PASSED: the alert rules, because promtool is not installed "
                    "(Debian's package prometheus)";
  }
  const Finished checked =
      RunCommand({"promtool", "check", "rules", kMonitoring + "/candor.rules.yaml"});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  const Finished tested =
      RunCommand({"promtool", "test", "rules", kMonitoring + "/candor.rules.test.yaml"});
  EXPECT_EQ(tested.exit_code, 0) << tested.out << tested.err;
  const Finished config =
      RunCommand({"promtool", "check", "config", kMonitoring + "/prometheus.yaml"});
  EXPECT_EQ(config.exit_code, 0) << config.out << config.err;
}

}  // namespace
}  // namespace candor::integration
