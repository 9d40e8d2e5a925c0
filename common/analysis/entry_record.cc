#include "common/analysis/entry_record.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace candor::analysis {
namespace {

// Of a reply that is kept as an example.
constexpr std::size_t kExampleBytes = 600;
// Served models that are told apart.
constexpr std::size_t kMaxServedModels = 20;

using ShownValues = google::protobuf::RepeatedPtrField<v1::ShownValue>;

// The text up to `bytes`, ending between characters.
std::string Cut(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  std::size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

// The item of an attribute. Lists mostly stand in the scenario's own order, so the attribute's
// position is looked at first.
template <typename Items>
const typename Items::value_type* Find(const Items& items, const std::string& attribute,
                                       int position) {
  if (position < items.size() && items[position].attribute() == attribute) return &items[position];
  for (const auto& item : items)
    if (item.attribute() == attribute) return &item;
  return nullptr;
}

Status Misfit(const v1::Outcome& outcome, const std::string& what) {
  return DataLoss("outcome {} {} of entry {}, scenario \"{}\": {}",
                  v1::Cell::Kind_Name(outcome.kind()), outcome.index(), outcome.entry(),
                  outcome.scenario(), what);
}

// Positions in ascending order of what stands there.
template <typename Key>
std::vector<std::size_t> Order(const std::vector<Key>& keys) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  return order;
}

std::vector<double> TakeRows(const std::vector<double>& rows,
                             const std::vector<std::size_t>& order) {
  std::vector<double> taken;
  taken.reserve(rows.size());
  const std::size_t width = order.empty() ? 0 : rows.size() / order.size();
  for (const std::size_t row : order)
    taken.insert(taken.end(), rows.begin() + static_cast<std::ptrdiff_t>(row * width),
                 rows.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
  return taken;
}

}  // namespace

std::vector<v1::ClassCount> KindRecord::ClassCounts() const {
  std::vector<v1::ClassCount> counts;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] == 0) continue;
    v1::ClassCount& count = counts.emplace_back();
    count.set_class_(static_cast<v1::Outcome::Class>(i));
    count.set_count(classes[i]);
  }
  return counts;
}

EntryRecord::EntryRecord(const v1::JobSpecification& specification, int entry_index,
                         const google::protobuf::RepeatedField<int>& excluded)
    : specification_(&specification),
      entry_(&specification.entries(entry_index)),
      ordinals_(static_cast<std::size_t>(specification.scenarios_size()), -1),
      choice_bins_(static_cast<std::size_t>(entry_->scenario_indexes_size())),
      report_bins_(choice_bins_.size()) {
  for (const int excluded_class : excluded) {
    if (v1::Outcome::Class_IsValid(excluded_class))
      excluded_[static_cast<std::size_t>(excluded_class)] = true;
  }
  choices_.cells = scenario::CellMap(specification, entry_index, v1::Cell::CHOICE);
  reports_.cells = scenario::CellMap(specification, entry_index, v1::Cell::SELF_REPORT);
  for (int i = 0; i < entry_->scenario_indexes_size(); ++i)
    ordinals_[entry_->scenario_indexes(i)] = i;
}

Status EntryRecord::Add(const v1::Outcome& outcome, std::uint32_t scenario) {
  if (outcome.kind() != v1::Cell::CHOICE && outcome.kind() != v1::Cell::SELF_REPORT)
    return Misfit(outcome, "its kind is neither CHOICE nor SELF_REPORT");
  const bool choice = outcome.kind() == v1::Cell::CHOICE;
  KindRecord& kind = choice ? choices_ : reports_;
  const std::int32_t ordinal = ordinals_[scenario];
  if (ordinal < 0) return Misfit(outcome, "the entry does not ask about this scenario");
  if (outcome.index() >= kind.cells.size()) {
    return Misfit(outcome, fmt::format("there are only {} cells of this kind", kind.cells.size()));
  }
  if (outcome.class_() == v1::Outcome::CLASS_UNSPECIFIED ||
      !v1::Outcome::Class_IsValid(outcome.class_()))
    return Misfit(outcome, "it has no class");
  if (kind.seen.size() <= outcome.index()) {
    // Grows by halves: most jobs fill their cells from the front.
    kind.seen.resize(std::min<std::size_t>(
        kind.cells.size(), std::max<std::size_t>(1'024, std::size_t{outcome.index()} * 3 / 2 + 1)));
  }
  if (kind.seen[outcome.index()]) return Misfit(outcome, "the cell had an outcome before");

  const v1::Scenario& its = specification_->scenarios(static_cast<int>(scenario));
  const auto bin = static_cast<std::size_t>(ordinal);
  CANDOR_RETURN_IF_ERROR(choice ? AddChoice(outcome, its, &choice_bins_[bin])
                                : AddReport(outcome, its, &report_bins_[bin]));
  kind.seen[outcome.index()] = true;
  ++kind.outcomes;
  ++kind.classes[static_cast<std::size_t>(outcome.class_())];
  if (!outcome.served_model().empty()) {
    const auto served = served_models_.find(outcome.served_model());
    if (served != served_models_.end()) {
      ++served->second;
    } else if (served_models_.size() < kMaxServedModels) {
      served_models_.emplace(outcome.served_model(), 1);
    }
  }
  KeepExample(outcome);
  return absl::OkStatus();
}

Status EntryRecord::AddChoice(const v1::Outcome& outcome, const v1::Scenario& scenario,
                              ChoiceBin* bin) {
  const bool readable =
      outcome.class_() == v1::Outcome::VALID || outcome.class_() == v1::Outcome::REPAIRED;
  if (!readable || excluded_[static_cast<std::size_t>(outcome.class_())]) {
    ++bin->outcomes;
    return absl::OkStatus();
  }
  if (outcome.choice() != v1::Outcome::A && outcome.choice() != v1::Outcome::B)
    return Misfit(outcome, "a readable choice that is neither A nor B");
  row_.clear();
  for (int k = 0; k < scenario.attributes_size(); ++k) {
    const v1::Attribute& attribute = scenario.attributes(k);
    const v1::ShownValue* a = Find(outcome.option_a(), attribute.name(), k);
    const v1::ShownValue* b = Find(outcome.option_b(), attribute.name(), k);
    if (a == nullptr || b == nullptr)
      return Misfit(outcome, fmt::format("no value of the attribute \"{}\"", attribute.name()));
    const double x = (a->value() - b->value()) / (attribute.max() - attribute.min());
    if (!std::isfinite(x)) {
      return Misfit(outcome,
                    fmt::format("the values {} and {} of the attribute \"{}\" are not finite",
                                a->value(), b->value(), attribute.name()));
    }
    row_.push_back(x);
  }
  double y = outcome.choice() == v1::Outcome::A ? 1 : 0;
  if (outcome.has_log_odds_a()) {
    if (std::isnan(outcome.log_odds_a())) return Misfit(outcome, "its log_odds_a is no number");
    y = 1 / (1 + std::exp(-outcome.log_odds_a()));
    ++bin->soft;
  }
  ++bin->outcomes;
  bin->keys.push_back({outcome.pair(), outcome.order(), outcome.sample()});
  bin->x.insert(bin->x.end(), row_.begin(), row_.end());
  bin->y.push_back(y);
  return absl::OkStatus();
}

Status EntryRecord::AddReport(const v1::Outcome& outcome, const v1::Scenario& scenario,
                              ReportBin* bin) {
  const bool readable = outcome.class_() == v1::Outcome::VALID ||
                        outcome.class_() == v1::Outcome::REPAIRED ||
                        outcome.class_() == v1::Outcome::OUT_OF_RANGE;
  if (!readable || excluded_[static_cast<std::size_t>(outcome.class_())]) {
    ++bin->outcomes;
    return absl::OkStatus();
  }
  row_.clear();
  for (int k = 0; k < scenario.attributes_size(); ++k) {
    const std::string& name = scenario.attributes(k).name();
    const v1::ReportedWeight* weight = Find(outcome.report(), name, k);
    if (weight == nullptr || !weight->has_value() || !std::isfinite(weight->value()))
      return Misfit(outcome, fmt::format("a readable report without a number for \"{}\"", name));
    row_.push_back(weight->value());
  }
  ++bin->outcomes;
  bin->index.push_back(outcome.index());
  bin->values.insert(bin->values.end(), row_.begin(), row_.end());
  return absl::OkStatus();
}

void EntryRecord::KeepExample(const v1::Outcome& outcome) {
  const auto [at, is_new] = examples_.try_emplace({outcome.kind(), outcome.class_()});
  Example& example = at->second;
  if (!is_new && example.index <= outcome.index()) return;
  example.index = outcome.index();
  example.reply.set_entry(outcome.entry());
  example.reply.set_scenario(outcome.scenario());
  example.reply.set_kind(outcome.kind());
  example.reply.set_class_(outcome.class_());
  example.reply.set_text(Cut(outcome.raw_text(), kExampleBytes));
}

std::vector<v1::ExampleReply> EntryRecord::Examples() const {
  std::vector<v1::ExampleReply> replies;
  for (const auto& [key, example] : examples_) replies.push_back(example.reply);
  return replies;
}

ScenarioChoices EntryRecord::ChoicesOf(std::size_t ordinal) const {
  const ChoiceBin& bin = choice_bins_[ordinal];
  const std::vector<std::size_t> order = Order(bin.keys);
  ScenarioChoices choices;
  choices.x = TakeRows(bin.x, order);
  choices.y = TakeRows(bin.y, order);
  choices.keys.reserve(order.size());
  for (const std::size_t at : order) choices.keys.push_back(bin.keys[at]);
  choices.soft = bin.soft;
  choices.unreadable = bin.outcomes - static_cast<std::int32_t>(bin.keys.size());
  choices.asked = bin.outcomes;
  return choices;
}

ScenarioReports EntryRecord::ReportsOf(std::size_t ordinal) const {
  const ReportBin& bin = report_bins_[ordinal];
  ScenarioReports reports;
  reports.values = TakeRows(bin.values, Order(bin.index));
  reports.asked = bin.outcomes;
  return reports;
}

}  // namespace candor::analysis
