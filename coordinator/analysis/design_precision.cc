#include "coordinator/analysis/design_precision.h"

#include "common/scenario/analysis_plan.h"
#include "common/statistics/precision.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace candor::analysis {
namespace {

const v1::ResolvedEntry* Find(const v1::JobSpecification& specification, const std::string& name) {
  for (const v1::ResolvedEntry& entry : specification.entries()) {
    if (entry.name() == name) return &entry;
  }
  return nullptr;
}

}  // namespace

google::protobuf::RepeatedPtrField<v1::DesignPrecision> ExpectPrecision(
    const v1::JobSpecification& specification, const v1::AnalysisPlan& plan) {
  google::protobuf::RepeatedPtrField<v1::DesignPrecision> all;
  const std::set<std::string> excluded(plan.exclusions().scenario_ids().begin(),
                                       plan.exclusions().scenario_ids().end());
  for (const v1::ResolvedEntry& entry : specification.entries()) {
    if (entry.self_reports().reports_per_scenario() == 0) continue;
    const v1::ResolvedEntry* chooser = Find(specification, entry.weights_from());
    if (chooser == nullptr || chooser->choices().trials_per_scenario() == 0) continue;
    std::vector<bool> chosen(static_cast<std::size_t>(specification.scenarios_size()));
    for (const std::uint32_t index : chooser->scenario_indexes()) chosen[index] = true;
    std::int64_t scenarios = 0;
    std::int64_t attributes = 0;
    for (const std::uint32_t index : entry.scenario_indexes()) {
      const v1::Scenario& scenario = specification.scenarios(static_cast<int>(index));
      if (!chosen[index] || excluded.contains(scenario.id())) continue;
      ++scenarios;
      attributes += scenario.attributes_size();
    }
    if (scenarios == 0) continue;
    const statistics::DesignPrecision expected = statistics::ExpectPrecision(
        {.scenarios = scenarios,
         .attributes = static_cast<double>(attributes) / static_cast<double>(scenarios),
         .trials = static_cast<double>(chooser->choices().trials_per_scenario()),
         .tau = plan.has_tau() ? plan.tau() : scenario::kDefaultTau});
    if (expected.interval_width == 0) continue;
    v1::DesignPrecision& precision = *all.Add();
    precision.set_entry(entry.name());
    precision.set_interval_width(expected.interval_width);
    precision.set_smallest_contrast(expected.smallest_contrast);
    precision.set_weights_reliability(expected.weights_reliability);
  }
  return all;
}

}  // namespace candor::analysis
