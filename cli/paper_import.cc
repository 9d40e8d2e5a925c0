#include "cli/paper_import.h"

#include "cli/paper_names.h"
#include "common/base/csv_table.h"
#include "common/base/files.h"
#include "common/base/json_proto.h"
#include "common/base/json_writer.h"
#include "common/base/quoted.h"
#include "common/scenario/import.h"
#include "common/scenario/trial.h"
#include "common/scenario/validate.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace candor::cli {
namespace {

namespace fs = std::filesystem;

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// A number as JSON would have it, so that what the file wrote can be kept as the reply.
bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t digits = text.find_first_not_of("0123456789");
  const std::string_view whole = text.substr(0, digits);
  return !whole.empty() && (whole == "0" || whole.front() != '0') && text.back() != '.';
}

class Importer {
 public:
  explicit Importer(const PaperImportOptions& options) : options_(options) {}

  StatusOr<PaperImport> Read() {
    CANDOR_RETURN_IF_ERROR(FindFiles());
    CANDOR_RETURN_IF_ERROR(ReadScenarios());
    for (const File& file : files_) CANDOR_RETURN_IF_ERROR(ReadFileRows(file));
    CANDOR_RETURN_IF_ERROR(ReadInstilled());
    CANDOR_RETURN_IF_ERROR(FillJob());
    if (out_.outcomes.empty()) {
      return InvalidArgument("{}: no row of the files of {} can be imported{}", options_.directory,
                             Quoted(options_.model),
                             out_.excluded_lines.empty() ? "" : "; " + out_.excluded_lines[0]);
    }
    return std::move(out_);
  }

 private:
  struct File {
    std::string path;
    // Between the model and what the file holds: "instilled_latent".
    std::string part;
    bool choices = false;
    PaperSet set;
  };
  // Rows of one scenario, in the order in which scenarios first came.
  struct Rows {
    std::vector<std::size_t> order;
    std::unordered_map<std::size_t, std::uint32_t> counts;
    std::uint32_t most = 0;

    std::uint32_t Add(std::size_t scenario) {
      const auto [count, added] = counts.try_emplace(scenario, 0);
      if (added) order.push_back(scenario);
      most = std::max(most, count->second + 1);
      return count->second++;
    }
  };
  struct EntryRows {
    std::string name;
    PaperSet set;
    std::string part;
    std::string model;
    std::string version;
    Rows choices;
    Rows reports;
  };

  Status FindFiles();
  Status ReadScenarios();
  void TakeRole(std::string text, v1::Scenario* scenario) const;
  void AddUnits();
  Status ReadFileRows(const File& file);
  Status ReadInstilled();
  Status FillJob();
  std::vector<std::size_t> ScenariosOf(const EntryRows& entry);
  const EntryRows* WeightsFrom(const EntryRows& entry) const;

  void Exclude(const Status& status) {
    if (out_.excluded_lines.size() < kMaxExcludedLines)
      out_.excluded_lines.push_back(Message(status));
    ++out_.excluded;
  }
  // The entry of a file's rows; made when it is not there.
  EntryRows& EntryOf(const File& file, std::string_view version);
  // Values of columns [K] of the scenario; what stands in further ones has to be empty.
  Status ReadValues(const CsvTable& table, const CsvRow& row,
                    const std::vector<std::size_t>& columns, const v1::Scenario& scenario,
                    std::vector<double>* values) const;

  const PaperImportOptions& options_;
  PaperImport out_;
  std::vector<File> files_;
  std::vector<v1::Scenario> scenarios_;
  std::map<std::string, std::size_t, std::less<>> positions_;
  // In the order in which they were first seen.
  std::vector<EntryRows> entries_;
};

Status Importer::FindFiles() {
  std::error_code error;
  std::set<std::string> models;
  for (auto it = fs::directory_iterator(options_.directory, error);
       !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    for (const std::string_view kind : {kSelections, kWeightReports}) {
      if (!name.ends_with(kind) || name.size() <= kind.size()) continue;
      const std::string stem = name.substr(0, name.size() - kind.size());
      if (!stem.ends_with('_')) continue;
      if (!name.starts_with(options_.model + "_")) {
        models.insert(stem.substr(0, stem.find('_')));
        continue;
      }
      std::string part = stem.substr(options_.model.size() + 1);
      if (!part.empty()) part.pop_back();
      files_.push_back({it->path().string(), part, kind == kSelections, DescribePaperSet(part)});
    }
  }
  if (error) {
    return NotFound("{}: cannot list the directory: {}", options_.directory, error.message());
  }
  if (files_.empty()) {
    return NotFound(
        "{}: has no {}_*selections.csv and no {}_*weight_reports.csv{}", options_.directory,
        options_.model, options_.model,
        models.empty() ? "" : fmt::format("; it has files of {}", fmt::join(models, ", ")));
  }
  std::sort(files_.begin(), files_.end(), [](const File& a, const File& b) {
    return std::tie(a.set.rank, a.part, b.choices) < std::tie(b.set.rank, b.part, a.choices);
  });
  // Two files that would be one entry keep their own names.
  std::map<std::string, std::set<std::string>> parts;
  for (const File& file : files_) parts[file.set.entry].insert(file.part);
  for (File& file : files_)
    if (parts[file.set.entry].size() > 1) file.set.entry = file.part;
  return absl::OkStatus();
}

// Any cut gives back the same text, because the prompts put the same words between the two; the
// last one is right also for "E. T." and "Dr. Who".
void Importer::TakeRole(std::string text, v1::Scenario* scenario) const {
  constexpr std::string_view kImagine = "Imagine you are ";
  const std::size_t cut = text.rfind(". ");
  if (!text.starts_with(kImagine) || cut == std::string::npos || cut <= kImagine.size()) {
    scenario->set_question(std::move(text));
    return;
  }
  scenario->set_role(text.substr(kImagine.size(), cut - kImagine.size()));
  scenario->set_question(text.substr(cut + 2));
}

Status Importer::ReadScenarios() {
  const std::string path =
      options_.scenarios.empty() ? options_.directory + "/scenarios.csv" : options_.scenarios;
  CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  CANDOR_ASSIGN_OR_RETURN(CsvTable table, CsvTable::Create(path, text));
  CANDOR_ASSIGN_OR_RETURN(const std::size_t id_column, table.Column("scenario"));
  CANDOR_ASSIGN_OR_RETURN(const std::size_t question, table.Column("question"));
  CANDOR_ASSIGN_OR_RETURN(const std::vector<std::size_t> names, table.Numbered("attr"));
  CANDOR_ASSIGN_OR_RETURN(const std::vector<std::size_t> mins, table.Numbered("attr", "_min"));
  CANDOR_ASSIGN_OR_RETURN(const std::vector<std::size_t> maxs, table.Numbered("attr", "_max"));
  if (mins.size() != names.size() || maxs.size() != names.size()) {
    return InvalidArgument(
        "{}: line 1: has {} attributes, {} minima and {} maxima; give as many of each", path,
        names.size(), mins.size(), maxs.size());
  }
  CsvRow row;
  while (table.Next(&row)) {
    if (!row.error.ok()) {
      Exclude(row.error);
      continue;
    }
    v1::Scenario scenario;
    scenario.set_id(std::string(CsvTable::Cell(row, id_column)));
    TakeRole(std::string(CsvTable::Cell(row, question)), &scenario);
    Status wrong;
    for (std::size_t k = 0; k < names.size() && wrong.ok(); ++k) {
      // A scenario of fewer attributes than the table has room for.
      if (CsvTable::Cell(row, names[k]).empty() && CsvTable::Cell(row, mins[k]).empty()) continue;
      const StatusOr<double> min = table.Number(row, mins[k]);
      const StatusOr<double> max = table.Number(row, maxs[k]);
      wrong = !min.ok() ? min.status() : max.status();
      if (!wrong.ok()) break;
      v1::Attribute& attribute = *scenario.add_attributes();
      attribute.set_name(std::string(CsvTable::Cell(row, names[k])));
      attribute.set_min(*min);
      attribute.set_max(*max);
    }
    if (wrong.ok()) {
      FieldViolations violations;
      scenario::ValidateScenario(scenario, "", violations);
      if (!violations.empty()) {
        wrong = table.RowError(
            row, fmt::format("{} {}", violations[0].field, violations[0].description));
      } else if (!positions_.emplace(scenario.id(), scenarios_.size()).second) {
        wrong = table.CellError(row, id_column,
                                fmt::format("{} stands there twice", Quoted(scenario.id())));
      }
    }
    if (wrong.ok()) {
      scenarios_.push_back(std::move(scenario));
    } else {
      Exclude(wrong);
    }
  }
  if (scenarios_.empty()) return InvalidArgument("{}: has no scenario", path);
  AddUnits();
  return absl::OkStatus();
}

void Importer::AddUnits() {
  const std::string path = options_.directory + "/candidate_scenarios.json";
  const StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) {
    out_.notes.emplace_back("No candidate_scenarios.json: attributes have no units.");
    return;
  }
  const StatusOr<v1::ScenarioSet> candidates = scenario::ImportScenarios(*text);
  if (!candidates.ok()) {
    out_.notes.push_back(
        fmt::format("{}: {}: attributes have no units.", path, Message(candidates.status())));
    return;
  }
  for (const v1::Scenario& candidate : candidates->scenarios()) {
    const auto found = positions_.find(candidate.id());
    if (found == positions_.end()) continue;
    v1::Scenario& scenario = scenarios_[found->second];
    for (v1::Attribute& attribute : *scenario.mutable_attributes()) {
      for (const v1::Attribute& other : candidate.attributes()) {
        if (other.name() == attribute.name() && other.min() == attribute.min() &&
            other.max() == attribute.max()) {
          attribute.set_unit(other.unit());
        }
      }
    }
  }
}

Importer::EntryRows& Importer::EntryOf(const File& file, std::string_view version) {
  EntryRows* of_part = nullptr;
  for (EntryRows& entry : entries_) {
    if (entry.part != file.part) continue;
    // Choices have no version: they belong to the entry that has none yet, or to the first.
    if (file.choices || entry.version == version) return entry;
    if (entry.version.empty() && entry.reports.order.empty()) {
      entry.version = version;
      return entry;
    }
    of_part = &entry;
  }
  EntryRows entry;
  entry.name = of_part == nullptr ? file.set.entry : fmt::format("{}.{}", file.set.entry, version);
  entry.set = file.set;
  entry.part = file.part;
  entry.version = version;
  return entries_.emplace_back(std::move(entry));
}

Status Importer::ReadValues(const CsvTable& table, const CsvRow& row,
                            const std::vector<std::size_t>& columns, const v1::Scenario& scenario,
                            std::vector<double>* values) const {
  values->clear();
  const auto count = static_cast<std::size_t>(scenario.attributes_size());
  if (columns.size() < count) {
    return table.RowError(row, fmt::format("has {} values, and {} has {} attributes",
                                           columns.size(), Quoted(scenario.id()), count));
  }
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (k >= count) {
      if (CsvTable::Cell(row, columns[k]).empty()) continue;
      return table.CellError(
          row, columns[k],
          fmt::format("{} is one value too many; {} has {} attributes",
                      Quoted(CsvTable::Cell(row, columns[k])), Quoted(scenario.id()), count));
    }
    CANDOR_ASSIGN_OR_RETURN(const double value, table.Number(row, columns[k]));
    values->push_back(value);
  }
  return absl::OkStatus();
}

Status Importer::ReadFileRows(const File& file) {
  CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(file.path));
  CANDOR_ASSIGN_OR_RETURN(CsvTable table, CsvTable::Create(file.path, text));
  CANDOR_ASSIGN_OR_RETURN(const std::size_t scenario_column, table.Column("scenario"));
  CANDOR_ASSIGN_OR_RETURN(const std::vector<std::size_t> a_columns, table.Numbered("A_attribute_"));
  CANDOR_ASSIGN_OR_RETURN(const std::vector<std::size_t> b_columns, table.Numbered("B_attribute_"));
  std::size_t selection = 0;
  std::vector<std::size_t> report_columns;
  if (file.choices) {
    CANDOR_ASSIGN_OR_RETURN(selection, table.Column("selection"));
  } else {
    CANDOR_ASSIGN_OR_RETURN(report_columns, table.Numbered("report_attr"));
  }
  const std::optional<std::size_t> model = table.Find(file.choices ? "model" : "explaining_model");
  const std::optional<std::size_t> version = table.Find("version");

  std::unordered_map<std::string, std::size_t> seen;
  std::int64_t rows = 0;
  bool contiguous = true;
  std::ptrdiff_t last = -1;
  std::string key;
  std::vector<double> a;
  std::vector<double> b;
  std::vector<double> reported;
  const auto take = [&](const CsvRow& row) -> Status {
    CANDOR_RETURN_IF_ERROR(row.error);
    const std::string_view id = CsvTable::Cell(row, scenario_column);
    const auto position = positions_.find(id);
    if (position == positions_.end()) {
      return table.CellError(row, scenario_column,
                             fmt::format("{} is no scenario of scenarios.csv", Quoted(id)));
    }
    const v1::Scenario& scenario = scenarios_[position->second];
    v1::Outcome outcome;
    outcome.set_scenario(scenario.id());
    outcome.set_class_(v1::Outcome::VALID);
    if (file.choices) {
      const std::string_view choice = CsvTable::Cell(row, selection);
      if (choice != "A" && choice != "B") {
        return table.CellError(row, selection,
                               fmt::format("{} is neither A nor B", Quoted(choice)));
      }
      outcome.set_kind(v1::Cell::CHOICE);
      outcome.set_choice(choice == "A" ? v1::Outcome::A : v1::Outcome::B);
      outcome.set_raw_text(std::string(choice));
    } else {
      outcome.set_kind(v1::Cell::SELF_REPORT);
      CANDOR_RETURN_IF_ERROR(ReadValues(table, row, report_columns, scenario, &reported));
      JsonWriter reply;
      reply.BeginObject();
      for (int k = 0; k < scenario.attributes_size(); ++k) {
        const double value = reported[static_cast<std::size_t>(k)];
        v1::ReportedWeight& weight = *outcome.add_report();
        weight.set_attribute(scenario.attributes(k).name());
        weight.set_value(value);
        if (!(value >= -100 && value <= 100)) outcome.set_class_(v1::Outcome::OUT_OF_RANGE);
        const std::string_view written =
            CsvTable::Cell(row, report_columns[static_cast<std::size_t>(k)]);
        reply.Key(weight.attribute())
            .Json(IsJsonNumber(written) ? std::string(written) : scenario::FormatValue(value));
      }
      outcome.set_raw_text(reply.EndObject().Take());
    }
    CANDOR_RETURN_IF_ERROR(ReadValues(table, row, a_columns, scenario, &a));
    CANDOR_RETURN_IF_ERROR(ReadValues(table, row, b_columns, scenario, &b));
    for (int k = 0; k < scenario.attributes_size(); ++k) {
      for (auto* option : {outcome.mutable_option_a(), outcome.mutable_option_b()}) {
        v1::ShownValue& shown = *option->Add();
        shown.set_attribute(scenario.attributes(k).name());
        shown.set_value(
            (option == outcome.mutable_option_a() ? a : b)[static_cast<std::size_t>(k)]);
      }
    }
    key.clear();
    for (const std::string_view field : row.fields) (key += field) += '\x1f';
    if (const auto [first, added] = seen.try_emplace(key, row.line); !added) {
      return table.RowError(row, fmt::format("is that of line {} again", first->second));
    }
    const std::string_view said = version ? CsvTable::Cell(row, *version) : std::string_view();
    EntryRows& entry = EntryOf(file, file.choices ? std::string_view() : said);
    const std::string served(model ? CsvTable::Cell(row, *model) : std::string_view());
    if (entry.model.empty()) entry.model = served;
    outcome.set_entry(entry.name);
    outcome.set_served_model(served);
    Rows& of_kind = file.choices ? entry.choices : entry.reports;
    const auto at = static_cast<std::ptrdiff_t>(position->second);
    contiguous = contiguous && (at == last || !of_kind.counts.contains(position->second));
    last = at;
    outcome.set_pair(of_kind.Add(position->second));
    out_.outcomes.push_back(std::move(outcome));
    ++rows;
    return absl::OkStatus();
  };
  CsvRow row;
  while (table.Next(&row)) {
    const Status status = take(row);
    if (!status.ok()) Exclude(status);
  }
  out_.notes.push_back(
      fmt::format("{}: {} {}", file.path, rows, file.choices ? "choices" : "self-reports"));
  if (!contiguous) {
    out_.notes.push_back(fmt::format(
        "{}: the rows of a scenario do not stand together; an export groups them.", file.path));
  }
  return absl::OkStatus();
}

// The scenarios of the file are 1,100, whatever was instilled: only those that somebody asked a
// model which was tuned on them.
Status Importer::ReadInstilled() {
  const std::string path = options_.directory + "/instilled_weights.csv";
  if (!Exists(path)) {
    out_.notes.push_back(fmt::format("{} is not there: no scenario has instilled weights.", path));
    return absl::OkStatus();
  }
  std::set<std::size_t> instilled;
  for (const EntryRows& entry : entries_) {
    if (entry.set.latent) continue;
    instilled.insert(entry.choices.order.begin(), entry.choices.order.end());
    instilled.insert(entry.reports.order.begin(), entry.reports.order.end());
  }
  CANDOR_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  CANDOR_ASSIGN_OR_RETURN(CsvTable table, CsvTable::Create(path, text));
  CANDOR_ASSIGN_OR_RETURN(const std::size_t id, table.Column("scenario"));
  CANDOR_ASSIGN_OR_RETURN(const std::vector<std::size_t> columns, table.Numbered("attr"));
  const auto take = [&](const CsvRow& row) -> Status {
    CANDOR_RETURN_IF_ERROR(row.error);
    const auto position = positions_.find(CsvTable::Cell(row, id));
    if (position == positions_.end()) {
      return table.CellError(
          row, id,
          fmt::format("{} is no scenario of scenarios.csv", Quoted(CsvTable::Cell(row, id))));
    }
    v1::Scenario& scenario = scenarios_[position->second];
    std::vector<double> weights;
    CANDOR_RETURN_IF_ERROR(ReadValues(table, row, columns, scenario, &weights));
    for (std::size_t k = 0; k < weights.size(); ++k) {
      if (weights[k] >= -100 && weights[k] <= 100) continue;
      return table.CellError(
          row, columns[k],
          fmt::format("{} is outside [-100, 100]", Quoted(CsvTable::Cell(row, columns[k]))));
    }
    if (scenario.instilled_weights_size() > 0) {
      return table.CellError(row, id, fmt::format("{} stands there twice", Quoted(scenario.id())));
    }
    if (instilled.contains(position->second))
      scenario.mutable_instilled_weights()->Assign(weights.begin(), weights.end());
    return absl::OkStatus();
  };
  CsvRow row;
  while (table.Next(&row)) {
    const Status status = take(row);
    if (!status.ok()) Exclude(status);
  }
  return absl::OkStatus();
}

const Importer::EntryRows* Importer::WeightsFrom(const EntryRows& entry) const {
  if (!entry.choices.order.empty()) return nullptr;
  for (const EntryRows& other : entries_) {
    if (other.part == entry.part && !other.choices.order.empty()) return &other;
  }
  for (const EntryRows& other : entries_) {
    if (!other.choices.order.empty() && other.set.latent == entry.set.latent) return &other;
  }
  return nullptr;
}

// Those with rows, in the order of the file, and those that were asked and gave no row that could
// be kept: they are what an analysis counts as lost.
std::vector<std::size_t> Importer::ScenariosOf(const EntryRows& entry) {
  std::vector<std::size_t> asked = entry.choices.order;
  if (const EntryRows* chooser = WeightsFrom(entry); chooser != nullptr) {
    asked = chooser->choices.order;
    const auto middle = asked.begin() + static_cast<std::ptrdiff_t>(asked.size() / 2);
    if (entry.set.half == PaperSet::Half::kFirstTrained) asked.erase(asked.begin(), middle);
    if (entry.set.half == PaperSet::Half::kLastTrained) asked.erase(middle, asked.end());
  }
  const std::vector<std::size_t>& reported = entry.reports.order;
  std::size_t found = 0;
  for (const std::size_t scenario : asked)
    if (found < reported.size() && reported[found] == scenario) ++found;
  // The order of the reports is kept unless there are choices, whose order comes first.
  std::vector<std::size_t> first = asked;
  std::vector<std::size_t> then = reported;
  if (found < reported.size() && entry.choices.order.empty()) std::swap(first, then);
  std::set<std::size_t> taken(first.begin(), first.end());
  for (const std::size_t scenario : then)
    if (taken.insert(scenario).second) first.push_back(scenario);
  return first;
}

Status Importer::FillJob() {
  v1::Job& job = out_.job;
  job.set_display_name(options_.name.empty() ? options_.model + ", imported" : options_.name);
  auto& labels = *job.mutable_labels();
  labels["paper.model"] = options_.model;
  std::set<std::size_t> used;
  for (const EntryRows& entry : entries_) {
    v1::Entry& model = *job.add_models();
    model.set_name(entry.name);
    model.set_endpoint("imported");
    model.set_model(entry.model.empty() ? options_.model : entry.model);
    model.set_condition(entry.set.condition);
    if (const EntryRows* chooser = WeightsFrom(entry)) model.set_weights_from(chooser->name);
    for (const std::size_t scenario : ScenariosOf(entry)) {
      model.add_scenario_ids(scenarios_[scenario].id());
      used.insert(scenario);
    }
    model.mutable_choices()->set_trials_per_scenario(static_cast<int>(entry.choices.most));
    model.mutable_self_reports()->set_reports_per_scenario(
        entry.reports.order.empty()
            ? 0
            : std::max(options_.reports_per_scenario, static_cast<int>(entry.reports.most)));
    const std::string prefix =
        entry.part.empty() ? options_.model : options_.model + "_" + entry.part;
    labels[std::string(kPrefixLabel) + entry.name] = prefix;
    if (!entry.version.empty()) labels[std::string(kVersionLabel) + entry.name] = entry.version;
    if (!entry.choices.order.empty()) {
      labels[std::string(kRegressionLabel) + entry.name] =
          entry.part == "instilled"          ? options_.model
          : entry.part == "instilled_latent" ? options_.model + "_latent"
                                             : prefix;
    }
  }
  for (const std::size_t scenario : used)
    *job.mutable_inline_scenarios()->add_scenarios() = std::move(scenarios_[scenario]);

  const std::string prompts =
      options_.prompts.empty() ? options_.directory + "/prompts.json" : options_.prompts;
  if (!options_.prompts.empty() || Exists(prompts)) {
    CANDOR_RETURN_IF_ERROR(ParseFile(prompts, job.mutable_prompts()));
  } else {
    out_.notes.emplace_back(
        "No prompts.json: the job shows Candor's own wording, which is not what was asked; give "
        "the wording with --prompts.");
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<PaperImport> ReadPaperImport(const PaperImportOptions& options) {
  return Importer(options).Read();
}

}  // namespace candor::cli
