#include "common/analysis/paper_files.h"

#include "common/base/files.h"
#include "common/base/quoted.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace candor::analysis {
namespace {

// Beyond this a difference of options is a slip of the pen: the choice model takes no more.
constexpr double kMaxDifference = 1e6;

// Rows seen before, by all of their cells.
class SeenRows {
 public:
  // The line of the equal row before, 0 if there is none.
  std::size_t Add(const CsvRow& row) {
    key_.clear();
    for (const std::string_view field : row.fields) {
      key_ += field;
      key_ += '\x1f';
    }
    return lines_.try_emplace(key_, row.line).second ? 0 : lines_[key_];
  }

 private:
  std::string key_;
  std::unordered_map<std::string, std::size_t> lines_;
};

}  // namespace

StatusOr<CsvTable> PaperFiles::Open(
    const std::string& name, const std::vector<std::string>& needed,
    const std::vector<std::pair<std::string, std::string>>& numbered,
    const std::vector<std::string>& optional, Opened* opened) {
  const std::string path = Path(name);
  CANDOR_ASSIGN_OR_RETURN(opened->text, ReadFile(path));
  CANDOR_ASSIGN_OR_RETURN(CsvTable table, CsvTable::Create(path, opened->text));
  std::set<std::size_t> used;
  CANDOR_ASSIGN_OR_RETURN(opened->columns, table.Columns(needed));
  used.insert(opened->columns.begin(), opened->columns.end());
  for (const auto& [prefix, suffix] : numbered) {
    CANDOR_ASSIGN_OR_RETURN(std::vector<std::size_t> columns, table.Numbered(prefix, suffix));
    if (columns.size() < 2) {
      return InvalidArgument(
          "{}: line 1: has {} column {}1{}; a scenario has at least 2 attributes", path,
          columns.size(), prefix, suffix);
    }
    if (attributes_ == 0) {
      attributes_ = columns.size();
      attributes_from_ = path;
    }
    if (columns.size() != attributes_) {
      return InvalidArgument(
          "{}: line 1: has the columns {}1{} to {}{}{}, but {} has {} attributes", path, prefix,
          suffix, prefix, columns.size(), suffix, attributes_from_, attributes_);
    }
    used.insert(columns.begin(), columns.end());
    opened->numbered.push_back(std::move(columns));
  }
  for (const std::string& known : optional)
    if (const auto column = table.Find(known)) used.insert(*column);
  std::string unused;
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    if (used.count(i) > 0) continue;
    unused += fmt::format("{}{}", unused.empty() ? "" : ", ", Quoted(table.columns()[i]));
  }
  if (!unused.empty())
    study_->warnings.push_back(fmt::format("{}: not read: the columns {}.", path, unused));
  study_->sources.push_back(path);
  return table;
}

void PaperFiles::Exclude(const CsvTable& table, const CsvRow& row, const Status& status,
                         std::size_t column) {
  std::string reason = Message(status);
  const std::string column_name = column == kNoColumn ? "" : table.columns()[column];
  // File, line and column are fields of their own.
  for (const std::string& place :
       {fmt::format("{}: line {}, column '{}': ", table.file(), row.line, column_name),
        fmt::format("{}: line {}: ", table.file(), row.line), table.file() + ": "}) {
    if (reason.rfind(place, 0) != 0) continue;
    reason.erase(0, place.size());
    break;
  }
  ExcludeRow(study_, table.file(), static_cast<std::int64_t>(row.line), column_name,
             std::move(reason));
}

bool PaperFiles::ReadNumbers(const CsvTable& table, const CsvRow& row,
                             const std::vector<std::size_t>& columns,
                             std::vector<double>* numbers) {
  numbers->clear();
  for (const std::size_t column : columns) {
    const StatusOr<double> number = table.Number(row, column);
    if (!number.ok()) {
      Exclude(table, row, number.status(), column);
      return false;
    }
    numbers->push_back(*number);
  }
  return true;
}

std::size_t PaperFiles::AddScenario(std::string id) {
  const std::size_t position = study_->scenarios.size();
  positions_.emplace(id, position);
  StudyScenario& scenario = study_->scenarios.emplace_back();
  scenario.id = std::move(id);
  for (std::size_t k = 1; k <= attributes_; ++k)
    scenario.attributes.push_back(fmt::format("attr{}", k));
  return position;
}

std::ptrdiff_t PaperFiles::FindScenario(const CsvTable& table, const CsvRow& row,
                                        std::size_t column) {
  const StatusOr<std::string_view> id = table.Text(row, column);
  if (!id.ok()) {
    Exclude(table, row, id.status(), column);
    return -1;
  }
  const auto found = positions_.find(*id);
  if (found != positions_.end()) return static_cast<std::ptrdiff_t>(found->second);
  if (!has_ranges_) return static_cast<std::ptrdiff_t>(AddScenario(std::string(*id)));
  Exclude(table, row, InvalidArgument("the scenario {} is not in scenarios.csv", Quoted(*id)),
          column);
  return -1;
}

Status PaperFiles::ReadScenarios(const std::string& name) {
  Opened opened;
  CANDOR_ASSIGN_OR_RETURN(
      CsvTable table, Open(name, {"scenario"}, {{"attr", ""}, {"attr", "_min"}, {"attr", "_max"}},
                           {"question"}, &opened));
  CsvRow row;
  while (table.Next(&row)) {
    if (!row.error.ok()) {
      Exclude(table, row, row.error);
      continue;
    }
    const StatusOr<std::string_view> id = table.Text(row, opened.columns[0]);
    if (!id.ok()) {
      Exclude(table, row, id.status(), opened.columns[0]);
      continue;
    }
    if (positions_.find(*id) != positions_.end()) {
      Exclude(table, row, InvalidArgument("the scenario {} stands here twice", Quoted(*id)),
              opened.columns[0]);
      continue;
    }
    Ranges ranges;
    if (!ReadNumbers(table, row, opened.numbered[1], &ranges.min) ||
        !ReadNumbers(table, row, opened.numbered[2], &ranges.max))
      continue;
    std::vector<std::string> names;
    std::ptrdiff_t wrong = -1;
    for (std::size_t k = 0; k < attributes_; ++k) {
      names.emplace_back(CsvTable::Cell(row, opened.numbered[0][k]));
      const double width = ranges.max[k] - ranges.min[k];
      if (!(width > 0) || !std::isfinite(width)) wrong = static_cast<std::ptrdiff_t>(k);
    }
    if (wrong >= 0) {
      const auto k = static_cast<std::size_t>(wrong);
      Exclude(table, row,
              InvalidArgument("the range from {} to {} is none: the largest value must be larger",
                              ranges.min[k], ranges.max[k]),
              opened.numbered[2][k]);
      continue;
    }
    study_->scenarios[AddScenario(std::string(*id))].attributes = std::move(names);
    ranges_.push_back(std::move(ranges));
  }
  has_ranges_ = true;
  return absl::OkStatus();
}

Status PaperFiles::ReadInstilled(const std::string& name) {
  Opened opened;
  CANDOR_ASSIGN_OR_RETURN(CsvTable table, Open(name, {"scenario"}, {{"attr", ""}}, {}, &opened));
  CsvRow row;
  std::vector<double> weights;
  while (table.Next(&row)) {
    if (!row.error.ok()) {
      Exclude(table, row, row.error);
      continue;
    }
    const std::ptrdiff_t scenario = FindScenario(table, row, opened.columns[0]);
    if (scenario < 0 || !ReadNumbers(table, row, opened.numbered[0], &weights)) continue;
    std::vector<double>& there = study_->scenarios[static_cast<std::size_t>(scenario)].instilled;
    if (!there.empty()) {
      Exclude(table, row, InvalidArgument("the scenario stands here twice"), opened.columns[0]);
      continue;
    }
    there = weights;
  }
  return absl::OkStatus();
}

StatusOr<std::map<std::size_t, ScenarioChoices>> PaperFiles::ReadSelections(
    const std::string& name) {
  Opened opened;
  CANDOR_ASSIGN_OR_RETURN(CsvTable table,
                          Open(name, {"scenario", "selection"},
                               {{"A_attribute_", ""}, {"B_attribute_", ""}}, {"model"}, &opened));
  const std::optional<std::size_t> model = table.Find("model");
  std::map<std::size_t, ScenarioChoices> scenarios;
  std::set<std::string, std::less<>> models;
  SeenRows seen;
  CsvRow row;
  std::vector<double> a;
  std::vector<double> b;
  while (table.Next(&row)) {
    if (!row.error.ok()) {
      Exclude(table, row, row.error);
      continue;
    }
    const std::ptrdiff_t position = FindScenario(table, row, opened.columns[0]);
    if (position < 0) continue;
    if (const std::size_t line = seen.Add(row); line > 0) {
      Exclude(table, row, InvalidArgument("the row is that of line {} again", line));
      continue;
    }
    const auto scenario = static_cast<std::size_t>(position);
    ScenarioChoices& choices = scenarios[scenario];
    choices.scenario = scenario;
    ++choices.asked;
    ++choices.unreadable;
    const std::string_view selection = CsvTable::Cell(row, opened.columns[1]);
    if (selection != "A" && selection != "B") {
      Exclude(table, row, InvalidArgument("{} is neither A nor B", Quoted(selection)),
              opened.columns[1]);
      continue;
    }
    if (!ReadNumbers(table, row, opened.numbered[0], &a) ||
        !ReadNumbers(table, row, opened.numbered[1], &b))
      continue;
    std::ptrdiff_t wrong = -1;
    for (std::size_t k = 0; k < attributes_; ++k) {
      a[k] = (a[k] - b[k]) / (ranges_[scenario].max[k] - ranges_[scenario].min[k]);
      if (!(std::abs(a[k]) <= kMaxDifference)) wrong = static_cast<std::ptrdiff_t>(k);
    }
    if (wrong >= 0) {
      Exclude(table, row,
              InvalidArgument("is more than a million times the attribute's range away from the "
                              "other option"),
              opened.numbered[0][static_cast<std::size_t>(wrong)]);
      continue;
    }
    if (model && models.size() < 20 && !models.contains(CsvTable::Cell(row, *model)))
      models.emplace(CsvTable::Cell(row, *model));
    --choices.unreadable;
    choices.keys.push_back({static_cast<std::uint32_t>(choices.y.size()), 0, 0});
    choices.x.insert(choices.x.end(), a.begin(), a.end());
    choices.y.push_back(selection == "A" ? 1 : 0);
  }
  if (models.size() > 1) {
    study_->warnings.push_back(fmt::format(
        "{}: the choices come from several models, so the weights mix them: {} and {}{}.",
        table.file(), *models.begin(), *std::next(models.begin()),
        models.size() > 2 ? " among others" : ""));
  }
  return scenarios;
}

StatusOr<std::vector<PublishedWeights>> PaperFiles::ReadResults(const std::string& name) {
  Opened opened;
  CANDOR_ASSIGN_OR_RETURN(CsvTable table, Open(name, {"scenario"}, {{"b_attr", ""}}, {}, &opened));
  std::map<std::size_t, PublishedWeights> scenarios;
  CsvRow row;
  std::vector<double> weights;
  while (table.Next(&row)) {
    if (!row.error.ok()) {
      Exclude(table, row, row.error);
      continue;
    }
    const std::ptrdiff_t position = FindScenario(table, row, opened.columns[0]);
    if (position < 0 || !ReadNumbers(table, row, opened.numbered[0], &weights)) continue;
    const auto scenario = static_cast<std::size_t>(position);
    if (!scenarios.try_emplace(scenario, PublishedWeights{scenario, weights}).second)
      Exclude(table, row, InvalidArgument("the scenario stands here twice"), opened.columns[0]);
  }
  std::vector<PublishedWeights> results;
  for (auto& [scenario, published] : scenarios) results.push_back(std::move(published));
  return results;
}

StatusOr<std::map<std::string, std::map<std::size_t, ScenarioReports>>> PaperFiles::ReadReports(
    const std::string& name) {
  Opened opened;
  std::vector<std::string> known{"explaining_model", "version"};
  for (int k = 1; k <= 1'000; ++k) {
    known.push_back(fmt::format("A_attribute_{}", k));
    known.push_back(fmt::format("B_attribute_{}", k));
  }
  CANDOR_ASSIGN_OR_RETURN(CsvTable table,
                          Open(name, {"scenario"}, {{"report_attr", ""}}, known, &opened));
  const std::optional<std::size_t> model = table.Find("explaining_model");
  std::map<std::string, std::map<std::size_t, ScenarioReports>> sets;
  SeenRows seen;
  CsvRow row;
  std::vector<double> values;
  while (table.Next(&row)) {
    if (!row.error.ok()) {
      Exclude(table, row, row.error);
      continue;
    }
    const std::ptrdiff_t position = FindScenario(table, row, opened.columns[0]);
    if (position < 0) continue;
    if (const std::size_t line = seen.Add(row); line > 0) {
      Exclude(table, row, InvalidArgument("the row is that of line {} again", line));
      continue;
    }
    const auto scenario = static_cast<std::size_t>(position);
    ScenarioReports& reports =
        sets[model ? std::string(CsvTable::Cell(row, *model)) : name][scenario];
    reports.scenario = scenario;
    ++reports.asked;
    if (!ReadNumbers(table, row, opened.numbered[0], &values)) continue;
    reports.values.insert(reports.values.end(), values.begin(), values.end());
  }
  if (sets.size() > 1) {
    study_->warnings.push_back(
        fmt::format("{}: the reports come from several models ({} and {}{}): each is standardised "
                    "apart.",
                    table.file(), sets.begin()->first, std::next(sets.begin())->first,
                    sets.size() > 2 ? " among others" : ""));
  }
  return sets;
}

}  // namespace candor::analysis
