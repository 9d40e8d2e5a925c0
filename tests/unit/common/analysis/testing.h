// Jobs, outcomes and folders for the room's tests.
#pragma once

#include "candor/v1/job.pb.h"
#include "candor/v1/outcome.pb.h"
#include "candor/v1/specification.pb.h"
#include "common/analysis/study.h"
#include "common/base/files.h"
#include "common/base/random.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace candor::analysis {

// A folder of its own, gone at the end.
class TempFolder {
 public:
  TempFolder() {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = fmt::format("{}/candor_analysis_{}_{}_{}", testing::TempDir(), test->test_suite_name(),
                        test->name(), ::getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  void Write(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(WriteFileAtomically(path_ + "/" + name, content).ok());
  }

 private:
  std::string path_;
};

// A job of some scenarios of K attributes, with entries to be added.
struct TestJob {
  explicit TestJob(int n_scenarios, int n_attributes = 3, bool instilled = false) {
    job.set_name("jobs/test");
    job.set_state(v1::Job::SUCCEEDED);
    specification.set_job("jobs/test");
    RandomStream random(11);
    for (int s = 0; s < n_scenarios; ++s) {
      v1::Scenario* scenario = specification.add_scenarios();
      scenario->set_id(fmt::format("scenario_{}", s));
      scenario->set_role("a tester");
      scenario->set_question("Which one?");
      scenario->set_domain(s % 2 == 0 ? "even" : "odd");
      std::vector<double> weights;
      for (int k = 0; k < n_attributes; ++k) {
        v1::Attribute* attribute = scenario->add_attributes();
        attribute->set_name(fmt::format("attribute {}", k));
        attribute->set_min(0);
        attribute->set_max(10);
        weights.push_back(random.Uniform() * 200 - 100);
        if (instilled) scenario->add_instilled_weights(std::round(weights.back()));
      }
      truth.push_back(std::move(weights));
    }
  }

  // An entry that asks about all scenarios.
  int AddEntry(const std::string& name, int trials, int reports, const std::string& from = "") {
    v1::Entry* as_sent = job.add_models();
    as_sent->set_name(name);
    as_sent->set_endpoint("local");
    as_sent->set_model("m");
    as_sent->set_weights_from(from);
    as_sent->mutable_choices()->set_trials_per_scenario(trials);
    as_sent->mutable_self_reports()->set_reports_per_scenario(reports);
    v1::ResolvedEntry* entry = specification.add_entries();
    entry->set_name(name);
    entry->set_weights_from(from.empty() ? name : from);
    for (int s = 0; s < specification.scenarios_size(); ++s)
      entry->add_scenario_indexes(static_cast<std::uint32_t>(s));
    entry->mutable_choices()->set_trials_per_scenario(trials);
    entry->mutable_choices()->set_samples_per_trial(1);
    entry->mutable_self_reports()->set_reports_per_scenario(reports);
    return specification.entries_size() - 1;
  }

  v1::Outcome Blank(int entry, int scenario, v1::Cell::Kind kind, int trial) const {
    v1::Outcome outcome;
    outcome.set_entry(specification.entries(entry).name());
    outcome.set_scenario(specification.scenarios(scenario).id());
    outcome.set_kind(kind);
    outcome.set_pair(static_cast<std::uint32_t>(trial));
    outcome.set_index(
        static_cast<std::uint32_t>(trial * specification.scenarios_size() + scenario));
    outcome.set_class_(v1::Outcome::VALID);
    outcome.set_served_model("m-1");
    RandomStream random(5, outcome.index() + (kind == v1::Cell::CHOICE ? 0U : 1'000'000U));
    for (const v1::Attribute& attribute : specification.scenarios(scenario).attributes()) {
      for (v1::ShownValue* shown : {outcome.add_option_a(), outcome.add_option_b()}) {
        shown->set_attribute(attribute.name());
        shown->set_value(std::round(random.Uniform() * 100) / 10);
      }
    }
    return outcome;
  }

  // A choice by the true weights, on the scale on which 100 is a log-odds of `strength`.
  v1::Outcome Choice(int entry, int scenario, int trial, double strength = 6) const {
    v1::Outcome outcome = Blank(entry, scenario, v1::Cell::CHOICE, trial);
    double eta = 0;
    for (int k = 0; k < outcome.option_a_size(); ++k) {
      eta += strength / 100 *
             truth[static_cast<std::size_t>(scenario)][static_cast<std::size_t>(k)] *
             (outcome.option_a(k).value() - outcome.option_b(k).value()) / 10;
    }
    RandomStream random(17 + static_cast<std::uint64_t>(entry), outcome.index());
    const bool a = random.Uniform() < 1 / (1 + std::exp(-eta));
    outcome.set_choice(a ? v1::Outcome::A : v1::Outcome::B);
    outcome.set_raw_text(a ? "A" : "B");
    return outcome;
  }

  // A report of the true weights, `knowledge` of 1 being exact and 0 unrelated.
  v1::Outcome Report(int entry, int scenario, int trial, double knowledge = 1) const {
    v1::Outcome outcome = Blank(entry, scenario, v1::Cell::SELF_REPORT, trial);
    RandomStream random(23 + static_cast<std::uint64_t>(entry), outcome.index());
    for (int k = 0; k < outcome.option_a_size(); ++k) {
      v1::ReportedWeight* weight = outcome.add_report();
      weight->set_attribute(outcome.option_a(k).attribute());
      const double truly = truth[static_cast<std::size_t>(scenario)][static_cast<std::size_t>(k)];
      const double value = knowledge * truly + (1 - knowledge) * (random.Uniform() * 200 - 100);
      weight->set_value(std::round(value));
    }
    outcome.set_raw_text("{...}");
    return outcome;
  }

  // Every cell's outcome, entry by entry; knowledge by entry.
  std::vector<v1::Outcome> AllOutcomes(const std::vector<double>& knowledge) const {
    std::vector<v1::Outcome> outcomes;
    for (int e = 0; e < specification.entries_size(); ++e) {
      const v1::ResolvedEntry& entry = specification.entries(e);
      for (int s = 0; s < specification.scenarios_size(); ++s) {
        for (int t = 0; t < entry.choices().trials_per_scenario(); ++t)
          outcomes.push_back(Choice(e, s, t));
        for (int t = 0; t < entry.self_reports().reports_per_scenario(); ++t)
          outcomes.push_back(Report(e, s, t, knowledge[static_cast<std::size_t>(e)]));
      }
    }
    return outcomes;
  }

  v1::Job job;
  v1::JobSpecification specification;
  // [scenario][K]
  std::vector<std::vector<double>> truth;
};

}  // namespace candor::analysis
