// Time and memory of an analysis from files, beside what merely reading them takes.
//
//   candor_analysis_bench [OUTCOMES]          an export of so many outcomes (default 1,000,000),
//                                             written to a temporary folder and removed
//   candor_analysis_bench --paper DIR MODEL   the paper's files
//
// Every step runs in a process of its own, so that its peak memory is its own. References: `wc -l`
// and, where python3 is installed, a loop of json.loads.
#include "common/analysis/analyze.h"
#include "common/analysis/export_study.h"
#include "common/analysis/paper_study.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/base/random.h"
#include "common/scenario/catalogue.h"

#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace candor::analysis {
namespace {

constexpr int kEntries = 4;
constexpr int kAttributes = 5;
constexpr int kTrials = 90;
constexpr int kReports = 10;

// Runs a step in a child and prints its wall time and peak memory.
void Measure(const std::string& what, const std::function<int()>& step) {
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) std::_Exit(step());
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  fmt::print("{:<44} {:>8.2f} s  {:>8.2f} s CPU  {:>6} MB peak{}\n", what, took.count(), cpu,
             usage.ru_maxrss / 1024, status == 0 ? "" : "  FAILED");
}

int Command(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  if (std::freopen("/dev/null", "w", stdout) == nullptr) return 1;
  ::execvp(arguments[0], arguments.data());
  return 1;
}

void WriteExport(const std::string& directory, int scenarios) {
  v1::ScenarioSet set;
  for (int s = 0; s < scenarios; ++s) {
    v1::Scenario* scenario = set.add_scenarios();
    scenario->set_id(fmt::format("scenario_{}", s));
    scenario->set_role("a tester");
    scenario->set_question("Which one would you take?");
    for (int k = 0; k < kAttributes; ++k) {
      v1::Attribute* attribute = scenario->add_attributes();
      attribute->set_name(fmt::format("attribute number {}", k));
      attribute->set_max(10);
    }
  }
  v1::Job job;
  job.set_name("jobs/bench");
  job.set_state(v1::Job::SUCCEEDED);
  job.mutable_choices()->set_trials_per_scenario(kTrials);
  job.mutable_self_reports()->set_reports_per_scenario(kReports);
  for (int e = 0; e < kEntries; ++e) {
    v1::Entry* entry = job.add_models();
    entry->set_name(fmt::format("entry_{}", e));
    entry->set_endpoint("local");
    entry->set_model("m");
  }
  (void)WriteFileAtomically(directory + "/scenarios.json", scenario::PrintScenarioSet(set));
  (void)WriteFileAtomically(directory + "/job.json", "{\"job\": " + PrintJson(job) + "}");

  std::FILE* file = std::fopen((directory + "/outcomes.jsonl").c_str(), "wb");
  if (file == nullptr) return;
  for (int e = 0; e < kEntries; ++e) {
    for (int t = 0; t < kTrials + kReports; ++t) {
      for (int s = 0; s < scenarios; ++s) {
        const bool choice = t < kTrials;
        const int trial = choice ? t : t - kTrials;
        RandomStream random(static_cast<std::uint64_t>(s), static_cast<std::uint64_t>(t));
        RandomStream weights(static_cast<std::uint64_t>(s) + 77);
        std::string a;
        std::string b;
        std::string report;
        double eta = 0;
        for (int k = 0; k < kAttributes; ++k) {
          const double value_a = std::round(random.Uniform() * 100) / 10;
          const double value_b = std::round(random.Uniform() * 100) / 10;
          const double weight = weights.Uniform() * 200 - 100;
          eta += 0.05 * weight * (value_a - value_b) / 10;
          a += fmt::format("{}\"attribute number {}\":{}", k == 0 ? "" : ",", k, value_a);
          b += fmt::format("{}\"attribute number {}\":{}", k == 0 ? "" : ",", k, value_b);
          report += fmt::format("{}\"attribute number {}\":{}", k == 0 ? "" : ",", k,
                                std::round(0.5 * weight + random.Uniform() * 100 - 50));
        }
        const bool is_a = random.Uniform() < 1 / (1 + std::exp(-eta));
        fmt::print(
            file,
            "{{\"entry\":\"entry_{}\",\"scenario\":\"scenario_{}\",\"kind\":\"{}\",\"index\":{},"
            "\"pair\":{},\"order\":0,\"sample\":0,\"class\":\"VALID\",\"repairs\":[],"
            "\"choice\":{},\"report\":{},\"log_odds_a\":null,\"log_odds_truncated\":false,"
            "\"option_a\":{{{}}},\"option_b\":{{{}}},\"raw_text\":\"A\",\"reasoning_text\":\"\","
            "\"finish_reason\":\"stop\",\"served_model\":\"m-1\",\"system_fingerprint\":\"fp\","
            "\"usage\":{{\"input_tokens\":180,\"cached_input_tokens\":0,\"output_tokens\":1,"
            "\"reasoning_tokens\":0}},\"prompt_hash\":\"{:064x}\"}}\n",
            e, s, choice ? "CHOICE" : "SELF_REPORT", trial * scenarios + s, trial,
            choice ? (is_a ? "\"A\"" : "\"B\"") : "null", choice ? "null" : "{" + report + "}", a,
            b, random.Bits());
      }
    }
  }
  std::fclose(file);
}

int Fail(const Status& status) {
  fmt::print(stderr, "{}\n", Message(status));
  return 1;
}

int AnalyseExport(const std::string& directory) {
  const StatusOr<Study> study = ReadExportStudy({directory});
  if (!study.ok()) return Fail(study.status());
  const StatusOr<v1::Analysis> analysis = Analyze(*study);
  if (!analysis.ok()) return Fail(analysis.status());
  return WriteFileAtomically(directory + "/analysis.json", PrintJson(*analysis)).ok() ? 0 : 1;
}

int AnalysePaper(const std::string& directory, const std::string& model) {
  const StatusOr<Study> study = ReadPaperStudy(directory, {model});
  if (!study.ok()) return Fail(study.status());
  const StatusOr<v1::Analysis> analysis = Analyze(*study);
  if (!analysis.ok()) return Fail(analysis.status());
  return PrintJson(*analysis).empty() ? 1 : 0;
}

int Main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--paper") {
    Measure("analysis of the paper's files, to JSON",
            [&] { return AnalysePaper(argv[2], argv[3]); });
    return 0;
  }
  const int outcomes = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  const int scenarios = std::max(1, outcomes / kEntries / (kTrials + kReports));
  const std::string directory = fmt::format(
      "{}/analysis_bench_{}", std::filesystem::temp_directory_path().string(), ::getpid());
  std::filesystem::create_directories(directory);
  WriteExport(directory, scenarios);
  const std::string lines = directory + "/outcomes.jsonl";
  fmt::print("{} entries, {} scenarios, {} outcomes, {} MB\n", kEntries, scenarios,
             kEntries * scenarios * (kTrials + kReports),
             std::filesystem::file_size(lines) / 1'000'000);
  Measure("wc -l", [&] { return Command({"wc", "-l", lines}); });
  Measure("python3, json.loads of every line", [&] {
    return Command({"python3", "-c",
                    "import json,sys\nfor line in open(sys.argv[1]): json.loads(line)", lines});
  });
  Measure("reading", [&] {
    const StatusOr<Study> study = ReadExportStudy({directory});
    return study.ok() && study->excluded_row_count == 0 ? 0 : 1;
  });
  Measure("analysis, bootstrap included, to JSON", [&] { return AnalyseExport(directory); });
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace candor::analysis

int main(int argc, char** argv) { return candor::analysis::Main(argc, argv); }
