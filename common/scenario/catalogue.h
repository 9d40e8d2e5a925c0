// Scenario sets as files, and the built-in catalogue.
//
//   {"name": "mine", "display_name": "My scenarios", "scenarios": [
//     {"id": "plot", "domain": "civic_life", "role": "a retired nurse", "question": "Which plot?",
//      "attributes": [{"name": "sunlight", "unit": "hours", "min": 1, "max": 9}, ...],
//      "instilled_weights": [100, -40, ...]}, ...]}
//
// data/catalogue/schema.json is the schema. Needed are scenarios, id, question, attributes, name,
// min and max.
#pragma once

#include "candor/v1/scenario.pb.h"
#include "common/base/status.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <string_view>

namespace candor::scenario {

// The catalogue that ships with Candor, "scenarioSets/builtin"; data/catalogue/builtin.json is
// built into the program. Parsed once, at the first call; may be called by any number of threads.
const v1::ScenarioSet& BuiltinScenarioSet();

// Reads a scenario set, strictly. INVALID_ARGUMENT for text that is not JSON (with line and
// column), for unknown fields (with the nearest known one), missing fields and wrong types (with
// the path, such as "scenarios[3].attributes[0].min"), and for everything that ValidateScenarios
// finds. `name` becomes "scenarioSets/{name}"; `scenario_count` and `content_hash` are set.
StatusOr<v1::ScenarioSet> ParseScenarioSet(std::string_view json);

// The same format, an attribute a line, so that two versions can be compared line by line. Numbers
// are the shortest that read back as the same double. ParseScenarioSet gives the set back.
std::string PrintScenarioSet(const v1::ScenarioSet& set);

// SHA-256, in hexadecimal, of the scenarios in their order: the set's `content_hash`.
std::string ContentHash(const google::protobuf::RepeatedPtrField<v1::Scenario>& scenarios);

}  // namespace candor::scenario
