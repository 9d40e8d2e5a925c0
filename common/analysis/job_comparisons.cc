#include "common/analysis/job_comparisons.h"

#include "common/base/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace candor::analysis {
namespace {

bool Terminal(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED ||
         state == v1::Job::BUDGET_EXHAUSTED;
}

// What makes a scenario the same one in two jobs: its weights can be compared.
std::string Identity(const v1::Scenario& scenario) {
  std::string identity = scenario.id();
  for (const v1::Attribute& attribute : scenario.attributes())
    identity += fmt::format("\n{}\t{}\t{}", attribute.name(), attribute.min(), attribute.max());
  return identity;
}

std::vector<double> Numbers(const google::protobuf::RepeatedField<double>& values) {
  return {values.begin(), values.end()};
}

// Makes one study of several jobs.
class Maker {
 public:
  explicit Maker(const std::vector<const JobRecord*>& jobs) : jobs_(jobs) {}

  Study Make() {
    for (std::size_t j = 0; j < jobs_.size(); ++j) AddJob(j);
    TakePlans();
    return std::move(study_);
  }

 private:
  // Where the parts of one entry stand in the study: -1 for what it does not have.
  struct Parts {
    std::string model;
    std::ptrdiff_t chooser = -1;
    std::ptrdiff_t report_set = -1;
    std::ptrdiff_t self_reports = -1;
    std::ptrdiff_t participant = -1;
  };

  // "entry", or "jobs/x/entry" when there are several jobs.
  std::string ModelName(const JobRecord& job, const std::string& entry) const {
    return jobs_.size() == 1 ? entry : job.job.name() + "/" + entry;
  }

  void LeaveOut(const std::string& model, const char* statistic, std::string reason) {
    v1::LeftOut& left_out = study_.left_out.emplace_back();
    left_out.set_statistic("models." + model + "." + statistic);
    left_out.set_reason(std::move(reason));
  }

  void AddJob(std::size_t number) {
    const JobRecord& job = *jobs_[number];
    study_.sources.push_back(job.job.name());
    study_.jobs.push_back(job.job);
    AddScenarios(job);
    parts_.clear();
    for (const EntryRecord& entry : job.entries) AddEntry(job, entry);
    for (std::size_t e = 0; e < job.entries.size(); ++e) AddComparisons(job, e);
    AddContrasts(job);
  }

  void AddScenarios(const JobRecord& job) {
    positions_.clear();
    for (const v1::Scenario& scenario : job.specification.scenarios()) {
      std::string identity = Identity(scenario);
      std::vector<double> instilled = Numbers(scenario.instilled_weights());
      auto found = known_.find(identity);
      if (found != known_.end() && !instilled.empty()) {
        std::vector<double>& there = study_.scenarios[found->second].instilled;
        if (there.empty()) {
          there = instilled;
        } else if (there != instilled) {
          // Taught otherwise in another job: another scenario.
          for (const double weight : instilled) identity += fmt::format("\n{}", weight);
          found = known_.find(identity);
        }
      }
      if (found == known_.end()) {
        const auto [same_id, is_new] = ids_.insert(scenario.id());
        if (!is_new) {
          study_.warnings.push_back(
              fmt::format("The scenario \"{}\" is not the same in all jobs (attributes, ranges or "
                          "instilled weights differ): it is kept apart.",
                          scenario.id()));
        }
        found = known_.emplace(std::move(identity), study_.scenarios.size()).first;
        StudyScenario& added = study_.scenarios.emplace_back();
        added.id = scenario.id();
        added.domain = scenario.domain();
        for (const v1::Attribute& attribute : scenario.attributes())
          added.attributes.push_back(attribute.name());
        added.instilled = std::move(instilled);
      }
      positions_.push_back(found->second);
    }
  }

  // Of a job that has ended, what was wanted; of one that runs, what came back.
  static std::int64_t Asked(const JobRecord& job, std::int64_t outcomes, std::int64_t wanted) {
    return Terminal(job.job.state()) ? std::max(wanted, outcomes) : outcomes;
  }

  void AddEntry(const JobRecord& job, const EntryRecord& entry) {
    Parts& parts = parts_.emplace_back();
    parts.model = ModelName(job, entry.entry().name());
    if (entry.choices().cells.size() > 0) {
      parts.chooser = static_cast<std::ptrdiff_t>(study_.choosers.size());
      AddChooser(job, entry, parts.model);
    }
    if (entry.reports().cells.size() > 0) {
      parts.report_set = static_cast<std::ptrdiff_t>(study_.report_sets.size());
      AddReportSet(job, entry, parts.model);
    }
    parts.participant = static_cast<std::ptrdiff_t>(study_.participants.size());
    study_.participants.push_back({parts.model, parts.chooser, parts.report_set, -1});
    AddReplies(parts.model, v1::Cell::CHOICE, entry.choices());
    AddReplies(parts.model, v1::Cell::SELF_REPORT, entry.reports());
    WarnOfServedModels(parts.model, entry.served_models());
    for (v1::ExampleReply& example : entry.Examples()) {
      example.set_entry(parts.model);
      study_.examples.push_back(std::move(example));
    }
  }

  void AddChooser(const JobRecord& job, const EntryRecord& entry, const std::string& model) {
    Chooser& chooser = study_.choosers.emplace_back();
    chooser.model = model;
    chooser.name = model;
    const std::int64_t wanted = std::int64_t{entry.choices().cells.trials()} *
                                static_cast<std::int64_t>(entry.choices().cells.samples());
    for (int i = 0; i < entry.entry().scenario_indexes_size(); ++i) {
      const std::uint32_t index = entry.entry().scenario_indexes(i);
      ScenarioChoices choices = entry.ChoicesOf(static_cast<std::size_t>(i));
      choices.scenario = positions_[index];
      choices.native =
          job.specification.scenarios(static_cast<int>(index)).instilled_weights().empty();
      choices.asked = Asked(job, choices.asked, wanted);
      chooser.choices.push_back(std::move(choices));
    }
    std::sort(chooser.choices.begin(), chooser.choices.end(),
              [](const auto& a, const auto& b) { return a.scenario < b.scenario; });
  }

  void AddReportSet(const JobRecord& job, const EntryRecord& entry, const std::string& model) {
    ReportSet& set = study_.report_sets.emplace_back();
    set.name = model;
    for (int i = 0; i < entry.entry().scenario_indexes_size(); ++i) {
      ScenarioReports reports = entry.ReportsOf(static_cast<std::size_t>(i));
      reports.scenario = positions_[entry.entry().scenario_indexes(i)];
      reports.asked = Asked(job, reports.asked, entry.reports().cells.trials());
      set.reports.push_back(std::move(reports));
    }
    std::sort(set.reports.begin(), set.reports.end(),
              [](const auto& a, const auto& b) { return a.scenario < b.scenario; });
  }

  void AddReplies(const std::string& model, v1::Cell::Kind kind, const KindRecord& record) {
    const auto total = static_cast<std::int64_t>(record.cells.size());
    if (total == 0) return;
    v1::KindClasses& classes = study_.replies[model].emplace_back();
    classes.set_kind(kind);
    classes.set_total(total);
    for (v1::ClassCount& count : record.ClassCounts()) *classes.add_classes() = std::move(count);
    classes.set_unanswered(total - record.outcomes);
  }

  void WarnOfServedModels(const std::string& model,
                          const std::map<std::string, std::int64_t>& served) {
    if (served.size() < 2) return;
    std::string list;
    for (const auto& [name, count] : served)
      list += fmt::format("{}{} ({} replies)", list.empty() ? "" : ", ", name, count);
    study_.warnings.push_back(fmt::format(
        "The entry {} was served by several models, so its figures mix them: {}.", model, list));
  }

  // The positions of the scenarios that the plan leaves out: by id, and those with too few answers.
  std::vector<std::size_t> Excluded(const JobRecord& job, std::ptrdiff_t chooser,
                                    std::ptrdiff_t report_set) const {
    const v1::AnalysisPlan::Exclusions& exclusions = job.job.analysis().exclusions();
    std::set<std::size_t> excluded;
    const std::set<std::string> ids(exclusions.scenario_ids().begin(),
                                    exclusions.scenario_ids().end());
    for (int i = 0; i < job.specification.scenarios_size(); ++i) {
      if (ids.count(job.specification.scenarios(i).id()) > 0)
        excluded.insert(positions_[static_cast<std::size_t>(i)]);
    }
    for (const ScenarioChoices& choices :
         study_.choosers[static_cast<std::size_t>(chooser)].choices) {
      if (std::ssize(choices.y) < exclusions.min_choices_per_scenario())
        excluded.insert(choices.scenario);
    }
    if (report_set >= 0) {
      for (const ScenarioReports& reports :
           study_.report_sets[static_cast<std::size_t>(report_set)].reports) {
        const auto width = std::ssize(study_.scenarios[reports.scenario].attributes);
        if (std::ssize(reports.values) < exclusions.min_reports_per_scenario() * width)
          excluded.insert(reports.scenario);
      }
    }
    return {excluded.begin(), excluded.end()};
  }

  void AddComparisons(const JobRecord& job, std::size_t number) {
    const EntryRecord& entry = job.entries[number];
    Parts& parts = parts_[number];
    if (parts.chooser >= 0) {
      const auto& choices = study_.choosers[static_cast<std::size_t>(parts.chooser)].choices;
      if (std::any_of(choices.begin(), choices.end(), [](const auto& c) { return !c.native; })) {
        Comparison& learned = study_.comparisons.emplace_back();
        learned.model = parts.model;
        learned.statistic = Statistic::kLearnedVsInstilled;
        learned.chooser = static_cast<std::size_t>(parts.chooser);
        learned.reporter = "instilled";
        learned.excluded = Excluded(job, parts.chooser, -1);
        learned.classes = entry.choices().ClassCounts();
      }
    }
    if (parts.report_set < 0) return;
    if (const std::ptrdiff_t own = Find(job, entry.entry().weights_from()); own >= 0) {
      study_.participants[static_cast<std::size_t>(parts.participant)].own =
          parts_[static_cast<std::size_t>(own)].participant;
    }
    const std::ptrdiff_t chooser = ChooserOf(job, entry.entry().weights_from());
    if (chooser < 0) {
      LeaveOut(parts.model, Name(Statistic::kSelfReports),
               fmt::format("there are no weights to judge the reports against: the entry {} makes "
                           "no choices",
                           entry.entry().weights_from()));
      return;
    }
    parts.self_reports = static_cast<std::ptrdiff_t>(study_.comparisons.size());
    Comparison& reports = study_.comparisons.emplace_back();
    reports.model = parts.model;
    reports.statistic = Statistic::kSelfReports;
    reports.chooser = static_cast<std::size_t>(chooser);
    reports.report_sets = {static_cast<std::size_t>(parts.report_set)};
    reports.reporter = parts.model;
    reports.excluded = Excluded(job, chooser, parts.report_set);
    if (job.job.analysis().exclusions().out_of_range() !=
        v1::AnalysisPlan::OUT_OF_RANGE_UNSPECIFIED)
      reports.out_of_range = job.job.analysis().exclusions().out_of_range();
    reports.classes = entry.reports().ClassCounts();
  }

  std::ptrdiff_t Find(const JobRecord& job, const std::string& entry) const {
    for (std::size_t e = 0; e < job.entries.size(); ++e)
      if (job.entries[e].entry().name() == entry) return static_cast<std::ptrdiff_t>(e);
    return -1;
  }

  std::ptrdiff_t ChooserOf(const JobRecord& job, const std::string& entry) const {
    const std::ptrdiff_t at = Find(job, entry);
    return at < 0 ? -1 : parts_[static_cast<std::size_t>(at)].chooser;
  }

  void AddContrast(const Parts& trained, const Parts& untrained) {
    study_.contrasts.push_back({trained.model, ContrastStatistic::kSelfReports,
                                static_cast<std::size_t>(trained.self_reports),
                                static_cast<std::size_t>(untrained.self_reports)});
  }

  void AddContrasts(const JobRecord& job) {
    if (job.job.analysis().contrasts().empty()) {
      // The first entry judged against the same weights, by chooser.
      std::map<std::size_t, const Parts*> first;
      for (const Parts& parts : parts_) {
        if (parts.self_reports < 0) continue;
        const std::size_t chooser =
            study_.comparisons[static_cast<std::size_t>(parts.self_reports)].chooser;
        const auto [at, is_first] = first.try_emplace(chooser, &parts);
        if (!is_first) AddContrast(parts, *at->second);
      }
      return;
    }
    for (const v1::AnalysisPlan::Contrast& contrast : job.job.analysis().contrasts()) {
      const std::ptrdiff_t trained = Find(job, contrast.trained());
      const std::ptrdiff_t untrained = Find(job, contrast.untrained());
      if (trained >= 0 && untrained >= 0 &&
          parts_[static_cast<std::size_t>(trained)].self_reports >= 0 &&
          parts_[static_cast<std::size_t>(untrained)].self_reports >= 0) {
        AddContrast(parts_[static_cast<std::size_t>(trained)],
                    parts_[static_cast<std::size_t>(untrained)]);
        continue;
      }
      LeaveOut(ModelName(job, contrast.trained()), Name(ContrastStatistic::kSelfReports),
               fmt::format("{} and {} do not both have self-reports and weights to judge them "
                           "against",
                           contrast.trained(), contrast.untrained()));
    }
  }

  // One plan, or those of several jobs with the names of the analysis.
  void TakePlans() {
    for (const JobRecord* job : jobs_) {
      if (!job->job.has_analysis()) continue;
      const v1::AnalysisPlan& plan = job->job.analysis();
      if (!study_.has_plan) {
        study_.plan = plan;
        study_.plan_hash = job->job.analysis_hash();
        if (jobs_.size() > 1) study_.plan.clear_primary();
      } else if (plan.tau() != study_.plan.tau()) {
        study_.warnings.push_back(fmt::format(
            "The plans of the jobs name different widths of the prior: {} is used for all of them.",
            study_.plan.has_tau() ? study_.plan.tau() : 1.0));
      }
      study_.has_plan = true;
      if (jobs_.size() == 1) continue;
      for (const std::string& primary : plan.primary()) {
        const bool common = primary == "privileged_access" || primary.rfind("pooled.", 0) == 0;
        study_.plan.add_primary(common ? primary : job->job.name() + "/" + primary);
      }
    }
  }

  const std::vector<const JobRecord*>& jobs_;
  Study study_;
  // Positions in the study by what a scenario is, and by position in the job under way.
  std::map<std::string, std::size_t> known_;
  std::set<std::string> ids_;
  std::vector<std::size_t> positions_;
  // Of the job under way, one an entry.
  std::vector<Parts> parts_;
};

}  // namespace

Study StudyOf(const std::vector<const JobRecord*>& jobs) { return Maker(jobs).Make(); }

}  // namespace candor::analysis
