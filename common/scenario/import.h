// Import of scenarios that others wrote: the paper's raw material, plain lists, and our own format.
#pragma once

#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace candor::scenario {

// How a list of candidates becomes scenarios; as the paper did it (method.md section 6, items 4
// and 5) unless said otherwise.
struct CandidateOptions {
  // The first so many candidates are taken, or all of a shorter list.
  std::size_t count = 1'100;
  // Of the shuffle of roles.
  std::uint64_t roles_seed = 0;
};

// What the format of the text itself says:
//
// - An object is a scenario set of our own (catalogue.h).
// - A list whose items have `short_name` is candidate_scenarios.json of the paper: {short_name,
//   question, attributes: [{name, units, range: [min, max]}]}. `roles_csv` is its
//   roles.csv, read without a header row: one role a line, shuffled as Python's random does it;
//   role i goes to scenario i. Without roles ("") the scenarios have none.
// - Any other list is one of scenarios in our own format.
//
// INVALID_ARGUMENT as ParseScenarioSet, for CSV that cannot be read, for fewer roles than
// scenarios, and for roles beside a format that has its own. The set has no name.
StatusOr<v1::ScenarioSet> ImportScenarios(std::string_view scenarios_json,
                                          std::string_view roles_csv = {},
                                          const CandidateOptions& options = {});

}  // namespace candor::scenario
