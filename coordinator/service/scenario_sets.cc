#include "coordinator/service/scenario_sets.h"

#include "common/scenario/catalogue.h"

namespace candor::service {

StatusOr<v1::ScenarioSet> LoadScenarioSet(store::Store& store, const std::string& name) {
  if (name == kBuiltinScenarioSet) return scenario::BuiltinScenarioSet();
  auto set = store.GetScenarioSet(name);
  if (!absl::IsNotFound(set.status())) return set;
  return NotFound(
      "there is no scenario set \"{}\"; ListScenarioSets lists them, and {} ships with Candor",
      name, kBuiltinScenarioSet);
}

}  // namespace candor::service
