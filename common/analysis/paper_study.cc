#include "common/analysis/paper_study.h"

#include "common/analysis/paper_files.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace candor::analysis {
namespace {

constexpr const char* kScenarios = "scenarios.csv";
constexpr const char* kInstilled = "instilled_weights.csv";

// Reads the files of one model after another into one study.
class Reader {
 public:
  Reader(const std::string& directory, std::set<std::string> names, const PaperOptions& options)
      : names_(std::move(names)), options_(options), files_(directory, &study_) {}

  StatusOr<Study> Read(const std::vector<std::string>& models) {
    if (Has(kScenarios)) CANDOR_RETURN_IF_ERROR(files_.ReadScenarios(kScenarios));
    if (Has(kInstilled)) CANDOR_RETURN_IF_ERROR(files_.ReadInstilled(kInstilled));
    for (const std::string& model : models) CANDOR_RETURN_IF_ERROR(ReadModel(model));
    return std::move(study_);
  }

 private:
  bool Has(const std::string& name) const { return names_.count(name) > 0; }

  // The file "{prefix}*{suffix}"; with several the one that sorts first, and a warning.
  std::string Match(const std::string& prefix, const std::string& suffix,
                    std::string_view without) {
    std::string found;
    for (auto at = names_.lower_bound(prefix); at != names_.end() && at->rfind(prefix, 0) == 0;
         ++at) {
      const std::string& name = *at;
      if (name.size() < prefix.size() + suffix.size()) continue;
      if (name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0) continue;
      const std::string_view middle(name.data() + prefix.size(),
                                    name.size() - prefix.size() - suffix.size());
      if (!without.empty() && middle.find(without) != std::string_view::npos) continue;
      if (found.empty()) {
        found = name;
      } else {
        study_.warnings.push_back(
            fmt::format("{} is not read: {} is taken.", files_.Path(name), files_.Path(found)));
      }
    }
    return found;
  }

  void LeaveOut(const std::string& model, std::string_view statistic, std::string reason) {
    v1::LeftOut& left_out = study_.left_out.emplace_back();
    left_out.set_statistic(fmt::format("models.{}.{}", model, statistic));
    left_out.set_reason(std::move(reason));
  }

  std::string Missing(const std::string& name) const {
    return fmt::format("there is no file {}", files_.Path(name));
  }

  // The weights of one results file or one file of choices: the position of the chooser, or -1.
  StatusOr<std::ptrdiff_t> ReadChooser(const std::string& model, const std::string& selections,
                                       const std::string& results, bool native) {
    const char* which = native ? "native" : "instilled";
    if (!Has(selections) || !files_.has_ranges()) {
      LeaveOut(model, "scenarios",
               fmt::format("no fits of {} scenarios: {}", which,
                           Missing(Has(selections) ? kScenarios : selections)));
    }
    if (!Has(results) && (!Has(selections) || !files_.has_ranges())) return -1;
    Chooser chooser;
    chooser.model = model;
    chooser.name = fmt::format("{} ({} scenarios)", model, which);
    if (Has(selections) && files_.has_ranges()) {
      CANDOR_ASSIGN_OR_RETURN(auto choices, files_.ReadSelections(selections));
      // Every scenario was asked as often: what one has less than the others was lost.
      std::int64_t most = 0;
      for (const auto& [scenario, of_scenario] : choices) most = std::max(most, of_scenario.asked);
      for (auto& [scenario, of_scenario] : choices) {
        of_scenario.asked = most;
        of_scenario.native = native;
        chooser.choices.push_back(std::move(of_scenario));
      }
    }
    if (Has(results)) {
      CANDOR_ASSIGN_OR_RETURN(chooser.published, files_.ReadResults(results));
      if (chooser.published.empty()) {
        study_.warnings.push_back(
            fmt::format("{} has no readable row: our own fits are used.", files_.Path(results)));
      }
    }
    study_.choosers.push_back(std::move(chooser));
    return std::ssize(study_.choosers) - 1;
  }

  // The scenarios that a chooser has weights of.
  std::set<std::size_t> ScenariosOf(std::size_t chooser) const {
    std::set<std::size_t> scenarios;
    const Chooser& who = study_.choosers[chooser];
    for (const PublishedWeights& published : who.published) scenarios.insert(published.scenario);
    if (!who.published.empty()) return scenarios;
    for (const ScenarioChoices& choices : who.choices) scenarios.insert(choices.scenario);
    return scenarios;
  }

  // The report sets of some files together: every scenario of the chooser was asked about.
  StatusOr<std::vector<std::size_t>> ReadReportSets(const std::vector<std::string>& names,
                                                    std::size_t chooser) {
    std::set<std::size_t> lost = ScenariosOf(chooser);
    std::vector<std::size_t> positions;
    for (const std::string& name : names) {
      CANDOR_ASSIGN_OR_RETURN(auto sets, files_.ReadReports(name));
      for (auto& [reporter, scenarios] : sets) {
        ReportSet set;
        set.name = reporter;
        for (auto& [scenario, reports] : scenarios) {
          lost.erase(scenario);
          reports.asked = std::max<std::int64_t>(reports.asked, options_.reports_per_scenario);
          set.reports.push_back(std::move(reports));
        }
        positions.push_back(study_.report_sets.size());
        study_.report_sets.push_back(std::move(set));
      }
    }
    // Files without a readable row still stand for a reporter who was asked.
    if (positions.empty()) {
      positions.push_back(study_.report_sets.size());
      study_.report_sets.emplace_back().name = names.front();
    }
    if (!lost.empty()) {
      std::vector<ScenarioReports>& reports = study_.report_sets[positions.back()].reports;
      for (const std::size_t scenario : lost)
        reports.push_back({scenario, {}, options_.reports_per_scenario});
      std::sort(reports.begin(), reports.end(),
                [](const auto& a, const auto& b) { return a.scenario < b.scenario; });
    }
    return positions;
  }

  // Reports of some files against a chooser's weights: the position of the comparison, or -1 after
  // it was left out. An empty name stands for a file that is not there, called `missing`.
  StatusOr<std::ptrdiff_t> ReadComparison(const std::string& model, Statistic statistic,
                                          std::ptrdiff_t chooser, const std::string& weights,
                                          const std::vector<std::string>& names,
                                          const std::vector<std::string>& missing) {
    std::string reason;
    if (chooser < 0) reason = fmt::format("there are no weights: {}", Missing(weights));
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty()) continue;
      reason += fmt::format("{}{}", reason.empty() ? "" : "; ", Missing(missing[i]));
    }
    if (!reason.empty()) {
      LeaveOut(model, Name(statistic), std::move(reason));
      return -1;
    }
    Comparison comparison;
    comparison.model = model;
    comparison.statistic = statistic;
    comparison.chooser = static_cast<std::size_t>(chooser);
    CANDOR_ASSIGN_OR_RETURN(comparison.report_sets, ReadReportSets(names, comparison.chooser));
    for (const std::size_t set : comparison.report_sets) {
      if (!comparison.reporter.empty()) comparison.reporter += ", ";
      comparison.reporter += study_.report_sets[set].name;
    }
    study_.comparisons.push_back(std::move(comparison));
    return std::ssize(study_.comparisons) - 1;
  }

  void AddContrast(const std::string& model, ContrastStatistic statistic, std::ptrdiff_t trained,
                   Statistic trained_name, std::ptrdiff_t untrained, Statistic untrained_name) {
    if (trained >= 0 && untrained >= 0) {
      study_.contrasts.push_back({model, statistic, static_cast<std::size_t>(trained),
                                  static_cast<std::size_t>(untrained)});
      return;
    }
    LeaveOut(model, Name(statistic),
             fmt::format("there is no {}", Name(trained < 0 ? trained_name : untrained_name)));
  }

  void AddLearned(const std::string& model, std::ptrdiff_t chooser, const std::string& weights) {
    const bool instilled = Has(kInstilled);
    if (chooser < 0 || !instilled) {
      LeaveOut(model, Name(Statistic::kLearnedVsInstilled),
               Missing(instilled ? weights : std::string(kInstilled)));
      return;
    }
    Comparison& learned = study_.comparisons.emplace_back();
    learned.model = model;
    learned.statistic = Statistic::kLearnedVsInstilled;
    learned.chooser = static_cast<std::size_t>(chooser);
    learned.reporter = "instilled";
  }

  Status ReadModel(const std::string& model) {
    const auto file = [&](const char* rest) { return model + rest; };
    const auto present = [&](const char* rest) {
      return Has(model + rest) ? model + rest : std::string();
    };
    const std::string results = file("_regression_results.csv");
    const std::string native_results = file("_latent_regression_results.csv");
    CANDOR_ASSIGN_OR_RETURN(
        const std::ptrdiff_t instilled,
        ReadChooser(model, file("_instilled_selections.csv"), results, /*native=*/false));
    CANDOR_ASSIGN_OR_RETURN(
        const std::ptrdiff_t native,
        ReadChooser(model, file("_instilled_latent_selections.csv"), native_results, true));

    AddLearned(model, instilled, results);
    CANDOR_RETURN_IF_ERROR(ReadComparison(model, Statistic::kControl, instilled, results,
                                          {present("_weight_reports.csv")},
                                          {file("_weight_reports.csv")})
                               .status());
    CANDOR_ASSIGN_OR_RETURN(const std::ptrdiff_t preference,
                            ReadComparison(model, Statistic::kPreferenceTrained, instilled, results,
                                           {present("_instilled_weight_reports.csv")},
                                           {file("_instilled_weight_reports.csv")}));
    const std::string reports = "_weight_reports.csv";
    const std::string native_reports = "_latent_weight_reports.csv";
    CANDOR_ASSIGN_OR_RETURN(
        const std::ptrdiff_t introspection,
        ReadComparison(model, Statistic::kIntrospectionTrained, instilled, results,
                       {Match(file("_itrained_first_"), reports, "latent"),
                        Match(file("_itrained_last_"), reports, "latent")},
                       {file("_itrained_first_*_weight_reports.csv"),
                        file("_itrained_last_*_weight_reports.csv")}));
    CANDOR_ASSIGN_OR_RETURN(const std::ptrdiff_t before,
                            ReadComparison(model, Statistic::kNativeBefore, native, native_results,
                                           {present("_instilled_latent_weight_reports.csv")},
                                           {file("_instilled_latent_weight_reports.csv")}));
    CANDOR_ASSIGN_OR_RETURN(const std::ptrdiff_t after,
                            ReadComparison(model, Statistic::kNativeAfter, native, native_results,
                                           {Match(file("_itrained_all_"), native_reports, "")},
                                           {file("_itrained_all_*_latent_weight_reports.csv")}));
    AddContrast(model, ContrastStatistic::kInstilled, introspection,
                Statistic::kIntrospectionTrained, preference, Statistic::kPreferenceTrained);
    AddContrast(model, ContrastStatistic::kNative, after, Statistic::kNativeAfter, before,
                Statistic::kNativeBefore);
    // Native weights are each model's own: nobody taught the models the same ones.
    if (before >= 0) {
      const Comparison& comparison = study_.comparisons[static_cast<std::size_t>(before)];
      study_.participants.push_back({model, native,
                                     static_cast<std::ptrdiff_t>(comparison.report_sets.front()),
                                     std::ssize(study_.participants)});
    }
    return absl::OkStatus();
  }

  std::set<std::string> names_;
  PaperOptions options_;
  Study study_;
  PaperFiles files_;
};

// The models whose files a folder has.
std::string ModelsOf(const std::set<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    for (const std::string_view suffix :
         {std::string_view("_instilled_selections.csv"), std::string_view("_weight_reports.csv")}) {
      if (name.size() <= suffix.size() || !name.ends_with(suffix)) continue;
      const std::string model = name.substr(0, name.size() - suffix.size());
      if (model.ends_with("_instilled") || model.ends_with("_latent") ||
          model.find("_itrained_") != std::string::npos || list.find(model) != std::string::npos)
        continue;
      list += (list.empty() ? "" : ", ") + model;
    }
  }
  return list.empty() ? "none" : list;
}

}  // namespace

StatusOr<Study> ReadPaperStudy(const std::string& directory, const std::vector<std::string>& models,
                               const PaperOptions& options) {
  std::error_code error;
  std::filesystem::directory_iterator at(directory, error);
  if (error) return NotFound("{}: no such folder, or it cannot be read", directory);
  std::set<std::string> names;
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error))
    names.insert(at->path().filename().string());
  if (error) return Unavailable("{}: {}", directory, error.message());
  if (models.empty()) {
    return InvalidArgument("no model is given; the folder {} has files of: {}", directory,
                           ModelsOf(names));
  }
  std::set<std::string> given;
  for (const std::string& model : models) {
    if (!given.insert(model).second) return InvalidArgument("the model {} is given twice", model);
    const auto first = names.lower_bound(model + "_");
    if (model.empty() || first == names.end() || first->rfind(model + "_", 0) != 0) {
      return NotFound("{}: no file of the model \"{}\"; the folder has files of: {}", directory,
                      model, ModelsOf(names));
    }
  }
  return Reader(directory, std::move(names), options).Read(models);
}

}  // namespace candor::analysis
