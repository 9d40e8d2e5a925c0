#include "coordinator/analysis/live_study.h"

#include "common/scenario/analysis_plan.h"
#include "common/statistics/comparison.h"
#include "common/statistics/line.h"
#include "common/statistics/normalise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace candor::analysis {
namespace {

using statistics::kScale;

// Whether a report has a number for every attribute, in the scenario's order.
bool IsReadable(const v1::Outcome& outcome, const v1::Scenario& scenario) {
  if (outcome.class_() != v1::Outcome::VALID && outcome.class_() != v1::Outcome::REPAIRED &&
      outcome.class_() != v1::Outcome::OUT_OF_RANGE) {
    return false;
  }
  if (outcome.report_size() != scenario.attributes_size()) return false;
  return std::all_of(outcome.report().begin(), outcome.report().end(), [](const auto& item) {
    return item.has_value() && std::isfinite(item.value());
  });
}

std::vector<double> Numbers(const Eigen::VectorXd& values) {
  return {values.begin(), values.end()};
}

void Assign(const Eigen::VectorXd& from, google::protobuf::RepeatedField<double>* to) {
  to->Assign(from.begin(), from.end());
}

// The values of an option as shown, in the scenario's own attribute order.
bool ShownValues(const v1::Scenario& scenario,
                 const google::protobuf::RepeatedPtrField<v1::ShownValue>& shown,
                 std::vector<double>& values) {
  const int attributes = scenario.attributes_size();
  if (shown.size() != attributes) return false;
  values.assign(static_cast<std::size_t>(attributes), std::numeric_limits<double>::quiet_NaN());
  for (int i = 0; i < attributes; ++i) {
    // Usually in their own order.
    int k = i;
    if (shown[i].attribute() != scenario.attributes(k).name()) {
      for (k = 0; k < attributes; ++k) {
        if (shown[i].attribute() == scenario.attributes(k).name()) break;
      }
      if (k == attributes) return false;
    }
    values[static_cast<std::size_t>(k)] = shown[i].value();
  }
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

}  // namespace

// One scenario of one entry.
struct LiveStudy::Slot {
  struct Report {
    std::uint32_t index = 0;
    std::uint32_t row = 0;  // of `reported`
  };

  std::optional<statistics::ChoiceTrials> trials;  // from the first choice on
  std::vector<Report> reports;                     // sorted by cell when they are used
  std::vector<double> reported;                    // [n, K], in the order of arrival
  std::int32_t n_choices = 0;                      // those beyond `max_trials_` included
  std::int32_t n_reports = 0;                      // those that the plan drops included
  bool choices_changed = false;
  bool reports_changed = false;
  bool touched = false;  // one of them, or a count

  statistics::NormalisedWeights weights;  // [K] each; empty without choices
  std::vector<double> report;             // [K]; empty without one
  std::uint64_t stamp = 0;                // the refit that changed it
};

struct LiveStudy::Entry {
  // A scenario that the entry or its chooser asks; -1: not asked.
  struct Compared {
    std::uint32_t scenario = 0;  // position in the specification
    std::ptrdiff_t own = -1;     // slots
    std::ptrdiff_t chooser = -1;
  };

  const v1::ResolvedEntry* entry = nullptr;
  scenario::CellMap choices;
  scenario::CellMap reports;
  std::size_t first_slot = 0;
  std::vector<Compared> compared;  // in the order of the specification
  std::int64_t n_choices = 0;
  std::int64_t n_reports = 0;
  v1::LiveEstimates::EntryEstimate estimate;

  std::uint32_t scenarios() const {
    return static_cast<std::uint32_t>(entry->scenario_indexes_size());
  }
};

LiveStudy::LiveStudy(std::shared_ptr<const v1::JobSpecification> specification,
                     v1::AnalysisPlan plan)
    : LiveStudy(std::move(specification), std::move(plan), Options{}) {}

LiveStudy::LiveStudy(std::shared_ptr<const v1::JobSpecification> specification,
                     v1::AnalysisPlan plan, Options options)
    : specification_(std::move(specification)), plan_(std::move(plan)) {
  excluded_.resize(static_cast<std::size_t>(specification_->scenarios_size()));
  for (std::size_t i = 0; i < excluded_.size(); ++i) {
    const auto& ids = plan_.exclusions().scenario_ids();
    excluded_[i] = std::find(ids.begin(), ids.end(),
                             specification_->scenarios(static_cast<int>(i)).id()) != ids.end();
  }
  std::uint64_t rows_a_trial = 0;
  std::size_t slots = 0;
  for (int i = 0; i < specification_->entries_size(); ++i) {
    const v1::ResolvedEntry& resolved = specification_->entries(i);
    Entry& entry = entries_.emplace_back();
    entry.entry = &resolved;
    entry.choices = scenario::CellMap(*specification_, i, v1::Cell::CHOICE);
    entry.reports = scenario::CellMap(*specification_, i, v1::Cell::SELF_REPORT);
    entry.first_slot = slots;
    entry_numbers_.emplace(resolved.name(), static_cast<std::size_t>(i));
    slots += entry.scenarios();
    if (entry.choices.size() > 0) {
      rows_a_trial += std::uint64_t{entry.choices.scenarios()} * entry.choices.samples();
    }
  }
  slots_.resize(slots);
  max_trials_ = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(options.max_rows / std::max<std::uint64_t>(rows_a_trial, 1), 1,
                                std::numeric_limits<std::uint32_t>::max()));
  for (Entry& entry : entries_) {
    const auto found = entry_numbers_.find(entry.entry->weights_from());
    const Entry& chooser = found == entry_numbers_.end() ? entry : entries_[found->second];
    std::map<std::uint32_t, Entry::Compared> compared;
    for (std::uint32_t i = 0; i < entry.scenarios(); ++i) {
      compared[entry.entry->scenario_indexes(static_cast<int>(i))].own =
          static_cast<std::ptrdiff_t>(entry.first_slot + i);
    }
    for (std::uint32_t i = 0; i < chooser.scenarios(); ++i) {
      compared[chooser.entry->scenario_indexes(static_cast<int>(i))].chooser =
          static_cast<std::ptrdiff_t>(chooser.first_slot + i);
    }
    for (auto& [scenario, item] : compared) {
      item.scenario = scenario;
      entry.compared.push_back(item);
    }
    entry.estimate.set_entry(entry.entry->name());
  }
}

LiveStudy::~LiveStudy() = default;

LiveStudy::Slot& LiveStudy::SlotOf(const Entry& entry, std::uint32_t scenario_ordinal) {
  return slots_[entry.first_slot + scenario_ordinal];
}

const v1::Scenario& LiveStudy::ScenarioOf(const Entry& entry,
                                          std::uint32_t scenario_ordinal) const {
  return specification_->scenarios(
      static_cast<int>(entry.entry->scenario_indexes(static_cast<int>(scenario_ordinal))));
}

bool LiveStudy::Excludes(const v1::Outcome& outcome) const {
  const auto& classes = plan_.exclusions().classes();
  return std::find(classes.begin(), classes.end(), outcome.class_()) != classes.end();
}

void LiveStudy::Add(const v1::Outcome& outcome) {
  ++outcomes_;
  const auto found = entry_numbers_.find(outcome.entry());
  if (found == entry_numbers_.end() || Excludes(outcome)) return;
  Entry& entry = entries_[found->second];
  const bool is_choice = outcome.kind() == v1::Cell::CHOICE;
  const scenario::CellMap& cells = is_choice ? entry.choices : entry.reports;
  if (outcome.index() >= cells.size()) return;
  const scenario::CellAddress address = cells.At(outcome.index());
  if (is_choice) {
    AddChoice(entry, address, outcome);
  } else {
    AddReport(entry, address, outcome);
  }
}

void LiveStudy::AddChoice(Entry& entry, const scenario::CellAddress& address,
                          const v1::Outcome& outcome) {
  if (outcome.class_() != v1::Outcome::VALID && outcome.class_() != v1::Outcome::REPAIRED) return;
  if (outcome.choice() != v1::Outcome::A && outcome.choice() != v1::Outcome::B) return;
  const v1::Scenario& scenario = ScenarioOf(entry, address.scenario_ordinal);
  std::vector<double> a;
  std::vector<double> b;
  if (!ShownValues(scenario, outcome.option_a(), a) ||
      !ShownValues(scenario, outcome.option_b(), b)) {
    return;
  }
  Slot& slot = SlotOf(entry, address.scenario_ordinal);
  ++entry.n_choices;
  ++slot.n_choices;
  Touch(entry, address.scenario_ordinal);
  if (address.trial >= max_trials_) return;
  // A probability of A tells more than the letter.
  const double y = outcome.has_log_odds_a() && !std::isnan(outcome.log_odds_a())
                       ? 1 / (1 + std::exp(-outcome.log_odds_a()))
                   : outcome.choice() == v1::Outcome::A ? 1
                                                        : 0;
  std::vector<double> x(a.size());
  for (std::size_t k = 0; k < x.size(); ++k) {
    const v1::Attribute& attribute = scenario.attributes(static_cast<int>(k));
    x[k] = (a[k] - b[k]) / (attribute.max() - attribute.min());
  }
  if (!slot.trials) slot.trials.emplace(scenario.attributes_size());
  const statistics::SampleKey key{address.pair, address.order, address.sample};
  if (slot.trials->Add(key, x, y).ok()) slot.choices_changed = true;
}

void LiveStudy::AddReport(Entry& entry, const scenario::CellAddress& address,
                          const v1::Outcome& outcome) {
  const v1::Scenario& scenario = ScenarioOf(entry, address.scenario_ordinal);
  if (!IsReadable(outcome, scenario)) return;
  Slot& slot = SlotOf(entry, address.scenario_ordinal);
  ++entry.n_reports;
  ++slot.n_reports;
  Touch(entry, address.scenario_ordinal);
  const auto way = plan_.exclusions().out_of_range();
  if (way == v1::AnalysisPlan::DROPPED &&
      std::any_of(outcome.report().begin(), outcome.report().end(),
                  [](const auto& item) { return std::abs(item.value()) > kScale; })) {
    return;
  }
  slot.reports.push_back({outcome.index(), static_cast<std::uint32_t>(slot.reports.size())});
  for (const v1::ReportedWeight& item : outcome.report()) {
    slot.reported.push_back(way == v1::AnalysisPlan::CLIPPED
                                ? std::clamp(item.value(), -kScale, kScale)
                                : item.value());
  }
  slot.reports_changed = true;
}

void LiveStudy::Touch(const Entry& entry, std::uint32_t scenario_ordinal) {
  Slot& slot = SlotOf(entry, scenario_ordinal);
  if (std::exchange(slot.touched, true)) return;
  changed_.push_back(
      {entry.first_slot + scenario_ordinal, ScenarioOf(entry, scenario_ordinal).attributes_size()});
}

bool LiveStudy::Refit() {
  const bool more = std::exchange(fitted_outcomes_, outcomes_) != outcomes_;
  if (changed_.empty()) return more;
  ++refits_;
  for (const auto& [number, attributes] : changed_) {
    Slot& slot = slots_[number];
    if (slot.choices_changed) RefitWeights(slot);
    if (slot.reports_changed) AverageReports(slot, static_cast<std::size_t>(attributes));
    slot.choices_changed = slot.reports_changed = slot.touched = false;
    slot.stamp = refits_;
  }
  changed_.clear();
  for (Entry& entry : entries_) Agree(entry);
  return true;
}

void LiveStudy::RefitWeights(Slot& slot) {
  slot.weights = {};
  const auto data = slot.trials->Build();
  if (!data.ok()) return;
  const double tau = plan_.has_tau() ? plan_.tau() : scenario::kDefaultTau;
  if (!fitter_.Fit(data->x, data->y, {.tau = tau}, &fit_).ok()) return;
  slot.weights = statistics::Normalise(fit_);
}

void LiveStudy::AverageReports(Slot& slot, std::size_t attributes) {
  std::sort(slot.reports.begin(), slot.reports.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  slot.report.assign(attributes, 0);
  for (const Slot::Report& report : slot.reports) {
    for (std::size_t k = 0; k < attributes; ++k)
      slot.report[k] += slot.reported[report.row * attributes + k];
  }
  for (double& value : slot.report) value /= static_cast<double>(slot.reports.size());
}

// Whether the plan leaves a scenario out, by its id or for want of choices.
bool LiveStudy::LeavesOut(std::uint32_t scenario, const Slot* chooser) const {
  return excluded_[scenario] ||
         (chooser != nullptr && chooser->n_choices < plan_.exclusions().min_choices_per_scenario());
}

// What the analysis compares, with each scenario's mean report in the place of its reports.
void LiveStudy::Agree(Entry& entry) {
  v1::LiveEstimates::EntryEstimate& estimate = entry.estimate;
  estimate.Clear();
  estimate.set_entry(entry.entry->name());
  estimate.set_choices(entry.n_choices);
  estimate.set_reports(entry.n_reports);
  statistics::Comparison reported;
  statistics::Comparison instilled;
  std::int32_t with_weights = 0;
  for (const Entry::Compared& compared : entry.compared) {
    const Slot* own = At(compared.own);
    const Slot* chooser = At(compared.chooser);
    if (own != nullptr) AddInstilled(compared.scenario, *own, &instilled);
    if (LeavesOut(compared.scenario, chooser) ||
        (own != nullptr && own->n_reports < plan_.exclusions().min_reports_per_scenario())) {
      continue;
    }
    statistics::ComparedScenario& item = reported.scenarios.emplace_back();
    item.attributes = static_cast<std::size_t>(
        specification_->scenarios(static_cast<int>(compared.scenario)).attributes_size());
    if (chooser != nullptr) item.weights = Numbers(chooser->weights.weights);
    if (own != nullptr) item.reports = own->report;
    if (!item.weights.empty()) ++with_weights;
  }
  estimate.set_n_scenarios_with_weights(with_weights);

  const statistics::PairedReports pairs = statistics::PairUp(reported);
  estimate.set_n_scenarios(static_cast<std::int32_t>(pairs.scenarios.size()));
  if (const auto line = statistics::FitLine(pairs)) {
    estimate.set_slope(line->slope);
    estimate.set_r(line->r);
    if (line->cluster_interval) {
      estimate.set_interval_low(line->cluster_interval->low);
      estimate.set_interval_high(line->cluster_interval->high);
    }
  }
  const auto learned = statistics::FitLine(statistics::PairUp(instilled));
  if (learned) estimate.set_r_instilled(learned->r);
}

// Learned weights beside the instilled ones, which take the place of reports.
void LiveStudy::AddInstilled(std::uint32_t scenario, const Slot& slot,
                             statistics::Comparison* comparison) const {
  const auto& instilled = specification_->scenarios(static_cast<int>(scenario)).instilled_weights();
  if (instilled.empty() || slot.weights.weights.size() == 0 || LeavesOut(scenario, &slot)) return;
  statistics::ComparedScenario& item = comparison->scenarios.emplace_back();
  item.weights = Numbers(slot.weights.weights);
  item.reports.assign(instilled.begin(), instilled.end());
}

const LiveStudy::Slot* LiveStudy::At(std::ptrdiff_t slot) const {
  return slot < 0 ? nullptr : &slots_[static_cast<std::size_t>(slot)];
}

void LiveStudy::FillEntries(v1::LiveEstimates* estimates) const {
  for (const Entry& entry : entries_) *estimates->add_entries() = entry.estimate;
  estimates->set_outcomes(fitted_outcomes_);
}

bool LiveStudy::FillScenarios(std::size_t max_bytes, Seen& seen,
                              v1::LiveEstimates* estimates) const {
  // A field's tag and length.
  constexpr std::size_t kFrame = 8;
  seen.resize(slots_.size());
  std::size_t bytes = 0;
  for (const Entry& entry : entries_) {
    for (std::uint32_t i = 0; i < entry.scenarios(); ++i) {
      const std::size_t number = entry.first_slot + i;
      const Slot& slot = slots_[number];
      if (slot.stamp == seen[number]) continue;
      v1::LiveEstimates::ScenarioEstimate estimate;
      estimate.set_entry(entry.entry->name());
      estimate.set_scenario(ScenarioOf(entry, i).id());
      Assign(slot.weights.weights, estimate.mutable_normalised());
      Assign(slot.weights.low, estimate.mutable_low());
      Assign(slot.weights.high, estimate.mutable_high());
      estimate.mutable_report()->Assign(slot.report.begin(), slot.report.end());
      estimate.set_n_choices(slot.n_choices);
      estimate.set_n_reports(slot.n_reports);
      bytes += estimate.ByteSizeLong() + kFrame;
      if (bytes > max_bytes) return false;
      *estimates->add_scenarios() = std::move(estimate);
      seen[number] = slot.stamp;
    }
  }
  return true;
}

}  // namespace candor::analysis
