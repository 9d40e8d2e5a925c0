// Import of scenarios that others wrote: the paper's raw material, plain lists, and our own format.
#pragma once

#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"

#include <cstddef>
#include <string_view>

namespace candor::scenario {

// As in method.md section 6, items 4 and 5.
inline constexpr std::size_t kPaperScenarios = 1'100;

// What the format of the text itself says:
//
// - An object is a scenario set of our own (catalogue.h).
// - A list whose items have `short_name` is candidate_scenarios.json of the paper: {short_name,
//   question, attributes: [{name, units, range: [min, max]}]}. The first 1,100 are taken.
//   `roles_csv` is its roles.csv, read without a header row: one role a line, shuffled as Python's
//   random does with seed 0; role i goes to scenario i. Without roles ("") the scenarios have none.
// - Any other list is one of scenarios in our own format.
//
// INVALID_ARGUMENT as ParseScenarioSet, for CSV that cannot be read, for fewer roles than
// scenarios, and for roles beside a format that has its own. The set has no name.
StatusOr<v1::ScenarioSet> ImportScenarios(std::string_view scenarios_json,
                                          std::string_view roles_csv = {});

}  // namespace candor::scenario
