// candor export --format paper
#include "cli/client.h"
#include "cli/export_files.h"
#include "cli/export_read.h"
#include "cli/paper_names.h"
#include "cli/paper_rows.h"
#include "cli/row_spool.h"
#include "cli/text.h"
#include "common/base/json_writer.h"
#include "common/statistics/choice_model.h"
#include "common/statistics/normalise.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <ostream>
#include <tuple>

namespace candor::cli {
namespace {

// Which files are ours: it stands beside them. The paper's own files have the same names, and are
// not overwritten without --force.
constexpr const char* kMarker = "candor_export.json";

// Writes one job. Outcomes come with the scenario running fastest and the paper's files have it
// run slowest, so the rows of one entry and kind go through a spool.
class PaperWriter {
 public:
  PaperWriter(const ExportedJob& exported, ExportFiles& files, RowSpool spool)
      : exported_(exported),
        specification_(exported.specification),
        files_(files),
        spool_(std::move(spool)),
        names_(NamesOfEntries(exported.job, exported.specification)) {
    for (int i = 0; i < specification_.entries_size(); ++i)
      entries_.emplace(specification_.entries(i).name(), static_cast<std::size_t>(i));
    for (const v1::Scenario& scenario : specification_.scenarios())
      attributes_ = std::max(attributes_, scenario.attributes_size());
  }

  Status Add(const v1::Outcome& outcome) {
    if (!at_ || at_->entry != outcome.entry() || at_->kind != outcome.kind()) {
      CANDOR_RETURN_IF_ERROR(EndGroup());
      CANDOR_RETURN_IF_ERROR(BeginGroup(outcome));
    }
    const auto ordinal = at_->ordinals.find(outcome.scenario());
    if (ordinal == at_->ordinals.end()) {
      return DataLoss("an outcome of the scenario \"{}\", which the entry {} does not ask",
                      outcome.scenario(), outcome.entry());
    }
    if (!IsReadable(outcome.class_())) {
      ++left_out_[{outcome.entry(), outcome.kind(), outcome.class_()}];
      return absl::OkStatus();
    }
    const v1::Scenario& scenario = ScenarioOf(ordinal->second);
    const PaperNames& names = names_[at_->position];
    const std::string& model =
        !outcome.served_model().empty() ? outcome.served_model() : Entry().model();
    std::string row;
    if (outcome.kind() == v1::Cell::SELF_REPORT) {
      CANDOR_ASSIGN_OR_RETURN(
          row, WeightReportsRow(model, names.version, outcome, scenario, attributes_));
      ++reports_;
    } else {
      // In front of the row what the fit needs, which sees it when its scenario is complete.
      CANDOR_ASSIGN_OR_RETURN(std::vector<double> trial, Differences(outcome, scenario));
      trial.push_back(outcome.choice() == v1::Outcome::A ? 1 : 0);
      row.assign(reinterpret_cast<const char*>(trial.data()),  // NOLINT
                 trial.size() * sizeof(double));
      CANDOR_ASSIGN_OR_RETURN(const std::string text,
                              SelectionsRow(model, outcome, scenario, attributes_));
      row += text;
      ++choices_;
    }
    return spool_.Add(ordinal->second, row);
  }

  Status Finish() {
    CANDOR_RETURN_IF_ERROR(EndGroup());
    for (auto& [prefix, rows] : regressions_) {
      // As theirs, by scenario.
      std::stable_sort(rows.begin(), rows.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      std::string text = RegressionHeader(attributes_);
      for (const auto& [scenario, row] : rows) text += row;
      CANDOR_RETURN_IF_ERROR(Append(prefix + "_" + std::string(kRegressionResults), text));
    }
    for (auto& [name, file] : open_) CANDOR_RETURN_IF_ERROR(file.Close());
    return files_.Write(kMarker, Marker());
  }

  void Say(const std::string& job, const std::string& directory, std::ostream& err) const {
    err << fmt::format("{}: {} choices and {} self-reports in {} files in {}\n", job,
                       WithCommas(choices_), WithCommas(reports_), open_.size(), directory);
    std::map<std::pair<std::string, v1::Cell::Kind>, std::string> lines;
    for (const auto& [key, count] : left_out_) {
      const auto& [entry, kind, outcome_class] = key;
      std::string& line = lines[{entry, kind}];
      line += fmt::format("{}{} {}", line.empty() ? "" : ", ", WithCommas(count),
                          v1::Outcome::Class_Name(outcome_class));
    }
    for (const auto& [key, line] : lines) {
      err << fmt::format(
          "Left out, because the paper's files hold readable replies only: {} {}: "
          "{}\n",
          Printable(key.first), v1::Cell::Kind_Name(key.second), line);
    }
    if (without_direction_ > 0) {
      err << fmt::format(
          "{} scenarios have no row in the regression results: all of their weights "
          "are 0\n",
          without_direction_);
    }
  }

 private:
  // The outcomes of one entry and kind, which come together.
  struct Group {
    std::string entry;
    std::size_t position = 0;
    v1::Cell::Kind kind = v1::Cell::CHOICE;
    // Scenario id -> its place among the entry's.
    std::map<std::string, std::uint32_t> ordinals;
  };

  const v1::ResolvedEntry& Entry() const {
    return specification_.entries(static_cast<int>(at_->position));
  }
  const v1::Scenario& ScenarioOf(std::uint32_t ordinal) const {
    return specification_.scenarios(
        static_cast<int>(Entry().scenario_indexes(static_cast<int>(ordinal))));
  }

  Status BeginGroup(const v1::Outcome& outcome) {
    const auto entry = entries_.find(outcome.entry());
    if (entry == entries_.end()) {
      return DataLoss("an outcome of the entry \"{}\", which the job does not have",
                      outcome.entry());
    }
    at_.emplace(Group{outcome.entry(), entry->second, outcome.kind(), {}});
    for (int s = 0; s < Entry().scenario_indexes_size(); ++s) {
      const auto ordinal = static_cast<std::uint32_t>(s);
      at_->ordinals.emplace(ScenarioOf(ordinal).id(), ordinal);
    }
    return absl::OkStatus();
  }

  Status EndGroup() {
    if (!at_ || spool_.empty()) return absl::OkStatus();
    const bool choices = at_->kind == v1::Cell::CHOICE;
    const PaperNames& names = names_[at_->position];
    const std::string name =
        names.prefix + "_" + std::string(choices ? kSelections : kWeightReports);
    if (open_.find(name) == open_.end()) {
      CANDOR_RETURN_IF_ERROR(
          Append(name, choices ? SelectionsHeader(attributes_) : WeightReportsHeader(attributes_)));
    }
    std::optional<std::uint32_t> scenario;
    const auto take = [&](std::uint32_t ordinal, std::string_view row) -> Status {
      if (!choices) return Append(name, row);
      if (scenario && *scenario != ordinal) CANDOR_RETURN_IF_ERROR(Fit(*scenario));
      scenario = ordinal;
      const auto numbers = static_cast<std::size_t>(ScenarioOf(ordinal).attributes_size()) + 1;
      const std::size_t before = trials_.size();
      trials_.resize(before + numbers);
      std::memcpy(&trials_[before], row.data(), numbers * sizeof(double));
      row.remove_prefix(numbers * sizeof(double));
      return Append(name, row);
    };
    CANDOR_RETURN_IF_ERROR(spool_.Drain(take));
    return scenario ? Fit(*scenario) : absl::OkStatus();
  }

  // The weights of the scenario whose trials have gathered.
  Status Fit(std::uint32_t ordinal) {
    const v1::Scenario& scenario = ScenarioOf(ordinal);
    const Eigen::Index columns = scenario.attributes_size() + 1;
    const Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>
        trials(trials_.data(), static_cast<Eigen::Index>(trials_.size()) / columns, columns);
    const Eigen::MatrixXd x = trials.leftCols(columns - 1);
    const Eigen::VectorXd y = trials.col(columns - 1);
    trials_.clear();
    CANDOR_RETURN_IF_ERROR(
        Annotate(fitter_.Fit(x, y, {}, &fit_), fmt::format("scenario {}", scenario.id())));
    const Eigen::VectorXd weights =
        statistics::NormaliseWeights(fit_.mean.tail(scenario.attributes_size()));
    if (weights.size() == 0) {
      ++without_direction_;
      return absl::OkStatus();
    }
    regressions_[names_[at_->position].regression].emplace_back(
        scenario.id(),
        RegressionRow(scenario.id(), {weights.data(), static_cast<std::size_t>(weights.size())},
                      attributes_));
    return absl::OkStatus();
  }

  Status Append(const std::string& name, std::string_view text) {
    auto file = open_.find(name);
    if (file == open_.end()) {
      CANDOR_ASSIGN_OR_RETURN(ExportFile opened, files_.Open(name));
      file = open_.emplace(name, std::move(opened)).first;
    }
    return file->second.Append(text);
  }

  std::string Marker() const {
    JsonWriter json(2);
    json.BeginObject().Key("job").String(exported_.job.name());
    json.Key("candor").String(CANDOR_VERSION);
    json.Key("coordinator").String(exported_.coordinator_version);
    json.Key("files").BeginArray();
    for (const auto& [name, file] : open_) json.String(name);
    json.EndArray().Key("left_out").BeginArray();
    for (const auto& [key, count] : left_out_) {
      const auto& [entry, kind, outcome_class] = key;
      json.BeginObject().Key("entry").String(entry);
      json.Key("kind").String(v1::Cell::Kind_Name(kind));
      json.Key("class").String(v1::Outcome::Class_Name(outcome_class));
      json.Key("count").Number(count).EndObject();
    }
    json.EndArray().EndObject();
    return json.Take() + "\n";
  }

  const ExportedJob& exported_;
  const v1::JobSpecification& specification_;
  ExportFiles& files_;
  RowSpool spool_;
  std::vector<PaperNames> names_;
  std::map<std::string, std::size_t> entries_;
  // The most of any scenario: all files of a job have the same columns.
  int attributes_ = 0;
  std::optional<Group> at_;
  std::map<std::string, ExportFile> open_;
  // Differences and choice of the scenario that is being written, row by row.
  std::vector<double> trials_;
  statistics::ChoiceFitter fitter_;
  statistics::ChoiceFit fit_;
  // Scenario and row, by what the file begins with.
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> regressions_;
  std::map<std::tuple<std::string, v1::Cell::Kind, v1::Outcome::Class>, std::int64_t> left_out_;
  std::int64_t choices_ = 0;
  std::int64_t reports_ = 0;
  std::int64_t without_direction_ = 0;
};

}  // namespace

Status ExportPaper(Context& context, const std::string& name, const std::string& directory,
                   bool force) {
  CANDOR_ASSIGN_OR_RETURN(const ExportedJob exported, ReadJob(context, name));
  std::error_code ignored;
  const bool marked = std::filesystem::exists(std::filesystem::path(directory) / kMarker, ignored);
  const auto is_ours = [marked](const std::string& file) {
    if (file == kMarker) return true;
    return marked && (file.ends_with(kSelections) || file.ends_with(kWeightReports) ||
                      file.ends_with(kRegressionResults));
  };
  CANDOR_ASSIGN_OR_RETURN(ExportFiles files, ExportFiles::Create(directory, force, is_ours));
  CANDOR_ASSIGN_OR_RETURN(RowSpool spool, RowSpool::Create(files.partial_directory()));
  PaperWriter writer(exported, files, std::move(spool));
  CANDOR_RETURN_IF_ERROR(
      ReadOutcomes(context, name, [&](const v1::Outcome& outcome) { return writer.Add(outcome); }));
  CANDOR_RETURN_IF_ERROR(writer.Finish());
  CANDOR_RETURN_IF_ERROR(files.Finish());
  writer.Say(name, directory, context.err);
  SayIfUnfinished(exported.job, context.err);
  return absl::OkStatus();
}

}  // namespace candor::cli
