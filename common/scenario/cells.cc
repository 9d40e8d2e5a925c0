#include "common/scenario/cells.h"

#include <algorithm>

namespace candor::scenario {

CellMap::CellMap(const v1::JobSpecification& specification, int entry_index, v1::Cell::Kind kind) {
  const v1::ResolvedEntry& entry = specification.entries(entry_index);
  scenario_indexes_ = entry.scenario_indexes().data();
  scenarios_ = static_cast<std::uint32_t>(entry.scenario_indexes_size());
  if (kind == v1::Cell::CHOICE) {
    trials_ = static_cast<std::uint32_t>(entry.choices().trials_per_scenario());
    samples_ = static_cast<std::uint32_t>(entry.choices().samples_per_trial());
    order_bits_ = entry.choices().orders() == v1::Choices::BOTH ? 1 : 0;
  } else {
    trials_ = static_cast<std::uint32_t>(entry.self_reports().reports_per_scenario());
  }
}

bool IsDrawn(const v1::ResolvedEntry& entry, std::uint32_t pair) {
  const v1::Choices& choices = entry.choices();
  if (choices.design() != v1::Choices::ADAPTIVE) return true;
  return pair < static_cast<std::uint32_t>(std::max(1, choices.adaptive().random_pairs()));
}

}  // namespace candor::scenario
