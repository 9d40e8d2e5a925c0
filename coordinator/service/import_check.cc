#include "coordinator/service/import_check.h"

#include "common/base/nearest.h"
#include "common/base/quoted.h"
#include "common/scenario/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace candor::service {
namespace {

using v1::Outcome;

// Tokens of one call that can be true.
constexpr std::int64_t kMaxTokens = std::int64_t{1} << 40U;

// Classes of a reply that was read as an answer.
bool IsRead(Outcome::Class outcome_class) {
  return outcome_class == Outcome::VALID || outcome_class == Outcome::REPAIRED ||
         outcome_class == Outcome::OUT_OF_RANGE;
}

bool BelongsTo(Outcome::Class outcome_class, v1::Cell::Kind kind) {
  switch (outcome_class) {
    case Outcome::OUT_OF_RANGE:
    case Outcome::MISSING_ATTRIBUTE:
    case Outcome::UNKNOWN_ATTRIBUTE:
    case Outcome::NOT_JSON:
      return kind == v1::Cell::SELF_REPORT;
    case Outcome::NOT_A_CHOICE:
      return kind == v1::Cell::CHOICE;
    default:
      return true;
  }
}

bool InRange(double value) { return value >= -100 && value <= 100; }

}  // namespace

ImportCheck::ImportCheck(const v1::JobSpecification& specification)
    : specification_(specification) {
  for (int i = 0; i < specification.entries_size(); ++i) {
    const v1::ResolvedEntry& entry = specification.entries(i);
    entry_names_.push_back(entry.name());
    entry_positions_.emplace(entry.name(), static_cast<std::size_t>(i));
    EntryCells& cells = entries_.emplace_back();
    cells.choices = {scenario::CellMap(specification, i, v1::Cell::CHOICE),
                     entry.choices().orders() == v1::Choices::BOTH ? 2U : 1U};
    cells.self_reports = {scenario::CellMap(specification, i, v1::Cell::SELF_REPORT), 1U};
    for (int s = 0; s < entry.scenario_indexes_size(); ++s) {
      const auto position = static_cast<int>(entry.scenario_indexes(s));
      cells.scenarios.emplace(specification.scenarios(position).id(),
                              static_cast<std::uint32_t>(s));
    }
  }
}

std::string ImportCheck::Field(std::string_view name) const {
  return fmt::format("outcomes[{}]{}{}", count_ - 1, name.empty() ? "" : ".", name);
}

template <typename... Args>
void ImportCheck::Wrong(std::string_view field, fmt::format_string<Args...> format,
                        Args&&... args) {
  if (violations_.size() >= scenario::kMaxViolations) return;
  violations_.push_back({Field(field), fmt::format(format, std::forward<Args>(args)...)});
}

std::string ImportCheck::Hash() const {
  return Hex({reinterpret_cast<const char*>(digest_.data()), digest_.size()});  // NOLINT
}

void ImportCheck::Add(v1::Outcome outcome) {
  ++count_;
  if (violations_.size() >= scenario::kMaxViolations) return;
  engine::CellKey cell;
  const v1::Scenario* scenario = nullptr;
  if (!FindCell(outcome, &cell, &scenario) || !CheckOptions(outcome, *scenario) ||
      !CheckAnswer(outcome, *scenario)) {
    records_.clear();
    return;
  }
  // Names no call of ours, nor a job.
  outcome.clear_attempt_id();
  outcome.clear_reused_from();
  outcome.set_index(cell.index);
  std::string bytes(reinterpret_cast<const char*>(digest_.data()), digest_.size());  // NOLINT
  outcome.AppendToString(&bytes);
  digest_ = Sha256(bytes);
  if (!violations_.empty()) return;
  records_.push_back(
      {.job = 0, .cell = cell, .outcome = std::make_unique<v1::Outcome>(std::move(outcome))});
}

bool ImportCheck::FindCell(v1::Outcome& outcome, engine::CellKey* cell,
                           const v1::Scenario** scenario) {
  const auto found = entry_positions_.find(outcome.entry());
  if (found == entry_positions_.end()) {
    Wrong("entry", "{} is no entry of the job{}; it has {}", Quoted(outcome.entry()),
          DidYouMean(outcome.entry(), entry_names_), fmt::join(entry_names_, ", "));
    return false;
  }
  const EntryCells& entry = entries_[found->second];
  if (outcome.kind() != v1::Cell::CHOICE && outcome.kind() != v1::Cell::SELF_REPORT) {
    Wrong("kind", "is {}; give CHOICE or SELF_REPORT", static_cast<int>(outcome.kind()));
    return false;
  }
  const bool choice = outcome.kind() == v1::Cell::CHOICE;
  const KindCells& kind = choice ? entry.choices : entry.self_reports;
  if (kind.cells.size() == 0) {
    Wrong("kind", "is {}, of which the entry {} asks none; give it {} above 0",
          v1::Cell::Kind_Name(outcome.kind()), Quoted(outcome.entry()),
          choice ? "choices.trials_per_scenario" : "self_reports.reports_per_scenario");
    return false;
  }
  const auto ordinal = entry.scenarios.find(outcome.scenario());
  if (ordinal == entry.scenarios.end()) {
    Wrong("scenario", "{} is no scenario of the entry {}; give one of its {}",
          Quoted(outcome.scenario()), Quoted(outcome.entry()), entry.scenarios.size());
    return false;
  }
  if (outcome.order() >= kind.order_count) {
    Wrong("order", "is {}; give {}", outcome.order(),
          kind.order_count == 2 ? "0 or 1"
          : choice              ? "0, or let the entry ask orders BOTH"
                                : "0: self-reports have one order");
    return false;
  }
  if (outcome.pair() >= kind.cells.pairs()) {
    Wrong("pair", "is {}; the entry {} asks {} pairs a scenario, so give 0 to {}", outcome.pair(),
          Quoted(outcome.entry()), kind.cells.pairs(), kind.cells.pairs() - 1);
    return false;
  }
  if (outcome.sample() >= kind.cells.samples()) {
    Wrong("sample", "is {}; the entry {} asks {} samples a trial, so give 0 to {}",
          outcome.sample(), Quoted(outcome.entry()), kind.cells.samples(),
          kind.cells.samples() - 1);
    return false;
  }
  const std::uint32_t trial = outcome.pair() * kind.order_count + outcome.order();
  *cell = {.entry = static_cast<std::uint16_t>(found->second),
           .kind = outcome.kind(),
           .index = kind.cells.IndexOf(ordinal->second, trial, outcome.sample())};
  if (outcome.index() != 0 && outcome.index() != cell->index) {
    Wrong("index", "is {}, but scenario, pair, order and sample make it {}; leave it out",
          outcome.index(), cell->index);
    return false;
  }
  const std::uint64_t packed = std::uint64_t{cell->entry} << 40U |
                               static_cast<std::uint64_t>(cell->kind) << 32U | cell->index;
  const auto [first, added] = taken_.try_emplace(packed, static_cast<std::uint32_t>(count_ - 1));
  if (!added) {
    Wrong("",
          "is of the same entry, scenario, kind, pair, order and sample as outcomes[{}]; a "
          "cell has one outcome",
          first->second);
    return false;
  }
  *scenario = &specification_.scenarios(
      static_cast<int>(specification_.entries(static_cast<int>(found->second))
                           .scenario_indexes(static_cast<int>(ordinal->second))));
  return true;
}

bool ImportCheck::CheckOptions(const v1::Outcome& outcome, const v1::Scenario& scenario) {
  return CheckOption(outcome.option_a(), "option_a", scenario) &&
         CheckOption(outcome.option_b(), "option_b", scenario);
}

bool ImportCheck::CheckOption(const google::protobuf::RepeatedPtrField<v1::ShownValue>& option,
                              std::string_view name, const v1::Scenario& scenario) {
  std::uint64_t seen = 0;  // kMaxAttributes is 64
  for (int i = 0; i < option.size(); ++i) {
    const v1::ShownValue& shown = option[i];
    int k = 0;
    while (k < scenario.attributes_size() && scenario.attributes(k).name() != shown.attribute())
      ++k;
    if (k == scenario.attributes_size()) {
      Wrong(fmt::format("{}[{}].attribute", name, i), "{} is no attribute of the scenario {}",
            Quoted(shown.attribute()), Quoted(scenario.id()));
      return false;
    }
    if ((seen >> static_cast<unsigned>(k) & 1U) != 0) {
      Wrong(fmt::format("{}[{}].attribute", name, i), "{} stands there twice; give each once",
            Quoted(shown.attribute()));
      return false;
    }
    seen |= std::uint64_t{1} << static_cast<unsigned>(k);
    if (!std::isfinite(shown.value())) {
      Wrong(fmt::format("{}[{}].value", name, i), "is {}; give the finite number that was shown",
            shown.value());
      return false;
    }
  }
  if (option.size() == scenario.attributes_size()) return true;
  for (int k = 0; k < scenario.attributes_size(); ++k) {
    if ((seen >> static_cast<unsigned>(k) & 1U) != 0) continue;
    Wrong(name, "has no value of the attribute {}; give each of the scenario's {} once",
          Quoted(scenario.attributes(k).name()), scenario.attributes_size());
    break;
  }
  return false;
}

bool ImportCheck::CheckAnswer(v1::Outcome& outcome, const v1::Scenario& scenario) {
  if (outcome.class_() == Outcome::CLASS_UNSPECIFIED || !Outcome::Class_IsValid(outcome.class_()) ||
      !BelongsTo(outcome.class_(), outcome.kind())) {
    Wrong("class", "is {}; give a class of a {}, such as VALID",
          Outcome::Class_IsValid(outcome.class_()) ? Outcome::Class_Name(outcome.class_())
                                                   : std::to_string(outcome.class_()),
          v1::Cell::Kind_Name(outcome.kind()));
    return false;
  }
  if (outcome.has_log_odds_a() && !std::isfinite(outcome.log_odds_a())) {
    Wrong("log_odds_a", "is {}; give a finite number or none", outcome.log_odds_a());
    return false;
  }
  const v1::Usage& usage = outcome.usage();
  for (const std::int64_t tokens : {usage.input_tokens(), usage.cached_input_tokens(),
                                    usage.output_tokens(), usage.reasoning_tokens()}) {
    if (tokens >= 0 && tokens <= kMaxTokens) continue;
    Wrong("usage", "counts {} tokens; give 0 to {}", tokens, kMaxTokens);
    return false;
  }
  if (outcome.kind() == v1::Cell::SELF_REPORT) return CheckReport(outcome, scenario);

  if (!outcome.report().empty()) {
    Wrong("report", "has {} items; a CHOICE has none", outcome.report_size());
    return false;
  }
  const bool chosen = outcome.choice() == Outcome::A || outcome.choice() == Outcome::B;
  if (IsRead(outcome.class_()) == chosen && (chosen || outcome.choice() == 0)) return true;
  Wrong("choice", "is {} with class {}; give {}",
        Outcome::Choice_IsValid(outcome.choice()) ? Outcome::Choice_Name(outcome.choice())
                                                  : std::to_string(outcome.choice()),
        Outcome::Class_Name(outcome.class_()), IsRead(outcome.class_()) ? "A or B" : "none");
  return false;
}

bool ImportCheck::CheckReport(v1::Outcome& outcome, const v1::Scenario& scenario) {
  if (outcome.choice() != Outcome::CHOICE_UNSPECIFIED) {
    Wrong("choice", "is {}; a SELF_REPORT has none", static_cast<int>(outcome.choice()));
    return false;
  }
  const int count = scenario.attributes_size();
  std::vector<const v1::ReportedWeight*> by_attribute(static_cast<std::size_t>(count));
  bool beyond = false;
  for (int i = 0; i < outcome.report_size(); ++i) {
    const v1::ReportedWeight& weight = outcome.report(i);
    int k = 0;
    while (k < count && scenario.attributes(k).name() != weight.attribute()) ++k;
    if (k == count) {
      Wrong(fmt::format("report[{}].attribute", i), "{} is no attribute of the scenario {}",
            Quoted(weight.attribute()), Quoted(scenario.id()));
      return false;
    }
    if (by_attribute[static_cast<std::size_t>(k)] != nullptr) {
      Wrong(fmt::format("report[{}].attribute", i), "{} stands there twice; give each once",
            Quoted(weight.attribute()));
      return false;
    }
    by_attribute[static_cast<std::size_t>(k)] = &weight;
    if (weight.has_value() && !std::isfinite(weight.value())) {
      Wrong(fmt::format("report[{}].value", i), "is {}; give a finite number or none",
            weight.value());
      return false;
    }
    beyond = beyond || (weight.has_value() && !InRange(weight.value()));
  }
  if (!IsRead(outcome.class_())) return true;
  for (int k = 0; k < count; ++k) {
    const v1::ReportedWeight* weight = by_attribute[static_cast<std::size_t>(k)];
    if (weight != nullptr && weight->has_value()) continue;
    Wrong("report",
          "has no value of the attribute {} with class {}; give one for each attribute, "
          "or the class MISSING_ATTRIBUTE",
          Quoted(scenario.attributes(k).name()), Outcome::Class_Name(outcome.class_()));
    return false;
  }
  if (beyond != (outcome.class_() == Outcome::OUT_OF_RANGE)) {
    Wrong("class", "is {}, but {} value of the report is outside [-100, 100]; give {}",
          Outcome::Class_Name(outcome.class_()), beyond ? "a" : "no",
          beyond ? "OUT_OF_RANGE" : "VALID or REPAIRED");
    return false;
  }
  // In the scenario's own order, as the contract has it.
  google::protobuf::RepeatedPtrField<v1::ReportedWeight> ordered;
  for (const v1::ReportedWeight* weight : by_attribute) *ordered.Add() = *weight;
  outcome.mutable_report()->Swap(&ordered);
  return true;
}

}  // namespace candor::service
