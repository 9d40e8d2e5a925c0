#include "common/scenario/cells.h"

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

}  // namespace candor::scenario
