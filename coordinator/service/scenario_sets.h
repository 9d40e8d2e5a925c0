// Scenario sets by name: the built-in ones and those of the store.
#pragma once

#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"
#include "coordinator/store/store.h"

#include <string>
#include <string_view>

namespace candor::service {

inline constexpr std::string_view kBuiltinScenarioSet = "scenarioSets/builtin";

// The set with its scenarios. NOT_FOUND names the set and what is near. Reads the store: not on the
// strand.
StatusOr<v1::ScenarioSet> LoadScenarioSet(store::Store& store, const std::string& name);

}  // namespace candor::service
